/** What a new work group has by itself, and what is said of one that is off, that contradicts itself, and of `primary`. */
import { randomUUID } from 'node:crypto';
import {
	CreateWorkGroupCommand,
	type CreateWorkGroupCommandInput,
	DeleteWorkGroupCommand,
	GetWorkGroupCommand,
	StartQueryExecutionCommand,
	UpdateWorkGroupCommand,
} from '@aws-sdk/client-athena';
import type { Assumption } from './stage.ts';
import { refusalOf } from './steps.ts';

const Name = 'fl-live-group';
const OutputLocation = 's3://fl-live-results/none/';

export const workGroups: Assumption = {
	name: 'work-groups',
	question: 'Which configuration does CreateWorkGroup fill in, and in which words are the refusals?',
	assumed: {
		created: {
			EnforceWorkGroupConfiguration: false,
			PublishCloudWatchMetricsEnabled: false,
			RequesterPaysEnabled: false,
			EnableMinimumEncryptionConfiguration: false,
		},
		disabled: 'WorkGroup is disabled',
		bothLocations: 'OutputLocation cannot be specified when managed query results are enabled',
		clientsLocation: 'OutputLocation cannot be specified when managed query results are enabled',
		primary: 'WorkGroup primary cannot be deleted',
	},
	async observe(stage) {
		const { athena } = stage.admin;
		const make = (input: Omit<CreateWorkGroupCommandInput, 'Name'>) =>
			athena.send(new CreateWorkGroupCommand({ Name, ...input }));
		const remove = () => athena.send(new DeleteWorkGroupCommand({ WorkGroup: Name, RecursiveDeleteOption: true }));
		const start = (more: object = {}) =>
			athena.send(
				new StartQueryExecutionCommand({
					QueryString: 'SELECT 1',
					WorkGroup: Name,
					ClientRequestToken: randomUUID(),
					...more,
				}),
			);
		stage.undo(`work group ${Name}`, () => remove().catch(() => {}));
		await make({});
		const { WorkGroup } = await athena.send(new GetWorkGroupCommand({ WorkGroup: Name }));
		const { ResultConfiguration: _, EngineVersion: __, ...rest } = WorkGroup?.Configuration ?? {};
		const created = Object.fromEntries(Object.entries(rest).filter(([, value]) => typeof value === 'boolean'));
		await athena.send(new UpdateWorkGroupCommand({ WorkGroup: Name, State: 'DISABLED' }));
		const disabled = await refusalOf(start({ ResultConfiguration: { OutputLocation } }));
		await remove();
		const managed = { ManagedQueryResultsConfiguration: { Enabled: true }, EnforceWorkGroupConfiguration: false };
		const both = await refusalOf(make({ Configuration: { ...managed, ResultConfiguration: { OutputLocation } } }));
		await make({ Configuration: managed }).catch(() => {});
		const clients = await refusalOf(start({ ResultConfiguration: { OutputLocation } }));
		const primary = await refusalOf(athena.send(new DeleteWorkGroupCommand({ WorkGroup: 'primary' })));
		return {
			observed: {
				created: created as Record<string, boolean>,
				disabled: disabled.message,
				bothLocations: both.message,
				clientsLocation: clients.message,
				primary: primary.message,
			},
		};
	},
};
