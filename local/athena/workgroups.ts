/**
 * Work groups: made, changed, deleted, listed. A group and its changes are on disk before they are told. Deleting one
 * with its contents ends and forgets its executions afterwards: a crash in between leaves executions of a group that is
 * no more, which their askers still see.
 * IAM policies are not emulated: any role of the account may do all this.
 */
import * as z from 'zod';
import { type AwsError, type Caller, epoch, type Operation, operation, page } from '../wire.ts';
import type { Executions } from './executions.ts';
import { invalid } from './refusal.ts';
import type { Lake, Running } from './start.ts';
import {
	Configuration,
	CREATED_CONFIGURATION,
	checkSettings,
	listedWorkGroup,
	MOST_WORK_GROUPS,
	PRIMARY,
	primaryOf,
	settingsOf,
	type WorkGroup,
	writtenWorkGroup,
} from './workgroup.ts';

/** The lake's work groups, and the one way to change them; a change is durable when its promise resolves. */
export type WorkGroups = {
	readonly list: (account: string) => readonly WorkGroup[];
	/** What the change throws, the caller is told; nothing is changed then. */
	readonly change: (account: string, change: (groups: readonly WorkGroup[]) => readonly WorkGroup[]) => Promise<void>;
};

const Name = z.string().regex(/^[a-zA-Z0-9._-]{1,128}$/);
const Description = z.string().max(1024);

const CreateInput = z.object({
	Name,
	Description: Description.nullish(),
	Configuration: Configuration.nullish(),
	Tags: z.array(z.unknown()).nullish(),
});
const LocationUpdates = z.object({
	OutputLocation: z.string().nullish(),
	RemoveOutputLocation: z.boolean().nullish(),
	EncryptionConfiguration: z.looseObject({}).nullish(),
	RemoveEncryptionConfiguration: z.boolean().nullish(),
	ExpectedBucketOwner: z.string().nullish(),
	RemoveExpectedBucketOwner: z.boolean().nullish(),
	AclConfiguration: z.looseObject({}).nullish(),
	RemoveAclConfiguration: z.boolean().nullish(),
});
const Updates = Configuration.omit({ ResultConfiguration: true, ManagedQueryResultsConfiguration: true }).extend({
	ResultConfigurationUpdates: LocationUpdates.nullish(),
	ManagedQueryResultsConfigurationUpdates: z.looseObject({ Enabled: z.boolean().nullish() }).nullish(),
	RemoveBytesScannedCutoffPerQuery: z.boolean().nullish(),
});
const UpdateInput = z.object({
	WorkGroup: Name,
	Description: Description.nullish(),
	ConfigurationUpdates: Updates.nullish(),
	State: z.enum(['ENABLED', 'DISABLED']).nullish(),
});
const DeleteInput = z.object({ WorkGroup: Name, RecursiveDeleteOption: z.boolean().nullish() });
const ListInput = z.object({
	NextToken: z.string().min(1).max(1024).nullish(),
	MaxResults: z.number().int().min(1).max(50).nullish(),
});

/** [unverified] The text; that it cannot be deleted is documented ("workgroups-create-update-delete"). */
const PRIMARY_STAYS = 'WorkGroup primary cannot be deleted';

/** Groups by account and name. */
export type Deleting = Set<string>;

export type WorkGroupOptions = {
	readonly lake: Lake;
	readonly executions: Executions;
	/** The groups whose deletion is under way, which take no more queries. */
	readonly deleting: Deleting;
	readonly clock: () => Date;
};

export function workGroupOperations(
	options: WorkGroupOptions,
	running: Running,
): readonly (readonly [string, Operation])[] {
	const { lake } = options;
	return [
		['CreateWorkGroup', operation(CreateInput, invalid, (caller, input) => create(options, caller, input))],
		[
			'GetWorkGroup',
			operation(z.object({ WorkGroup: Name }), invalid, (caller, input) => ({
				WorkGroup: writtenWorkGroup(mustFindGroup(lake, caller, input.WorkGroup), epoch),
			})),
		],
		['UpdateWorkGroup', operation(UpdateInput, invalid, (caller, input) => update(lake, caller, input))],
		['DeleteWorkGroup', operation(DeleteInput, invalid, (caller, input) => remove(options, running, caller, input))],
		['ListWorkGroups', operation(ListInput, invalid, (caller, input) => list(lake, caller, input))],
	];
}

/** All groups of the account by name, with `primary`, which nobody has to make. */
export function groupsOf(lake: Lake, account: string): readonly WorkGroup[] {
	const kept = lake.workGroups.list(account);
	const all = kept.some(({ name }) => name === PRIMARY) ? kept : [...kept, primaryOf(account, MADE)];
	return all.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** When an account's `primary` was made. */
const MADE = Date.UTC(2026, 0, 1);

export function mustFindGroup(lake: Lake, caller: Caller, name: string): WorkGroup {
	const group = groupsOf(lake, caller.account).find((candidate) => candidate.name === name);
	if (group === undefined) throw noGroup();
	return group;
}

/** The group that a query is to be put into. */
export function mustTakeQueries(lake: Lake, deleting: Deleting, caller: Caller, name: string): WorkGroup {
	if (deleting.has(deletingKey(caller.account, name))) throw noGroup();
	return mustFindGroup(lake, caller, name);
}

const deletingKey = (account: string, name: string) => JSON.stringify([account, name]);

function noGroup(): AwsError {
	return invalid('WorkGroup is not found.');
}

export function pageToken(token: string | null | undefined): () => AwsError {
	return () => invalid(`The nextPageToken is malformed: ${token ?? ''}`);
}

async function create(
	{ lake, clock }: WorkGroupOptions,
	caller: Caller,
	input: z.infer<typeof CreateInput>,
): Promise<object> {
	if (input.Tags?.length) throw invalid('Tags are not supported by the embedded Athena');
	const configuration = { ...CREATED_CONFIGURATION, ...input.Configuration };
	checkSettings(configuration);
	const { account } = caller;
	const group = {
		account,
		name: input.Name,
		description: input.Description || null,
		enabled: true,
		configuration,
		created: clock().getTime(),
	};
	await lake.workGroups.change(account, (groups) => {
		if (input.Name === PRIMARY || groups.some(({ name }) => name === input.Name))
			throw invalid('WorkGroup is already created');
		if (groups.length >= MOST_WORK_GROUPS) throw invalid(TOO_MANY);
		return [...groups, group];
	});
	return {};
}

/** [unverified] The text; the number is Athena's quota. */
const TOO_MANY = `The number of WorkGroups has reached its limit of ${MOST_WORK_GROUPS}`;

async function update(lake: Lake, caller: Caller, input: z.infer<typeof UpdateInput>): Promise<object> {
	await lake.workGroups.change(caller.account, (groups) => {
		const kept = groups.find(({ name }) => name === input.WorkGroup);
		const group = kept ?? (input.WorkGroup === PRIMARY ? primaryOf(caller.account, MADE) : undefined);
		if (group === undefined) throw noGroup();
		const configuration = updated(settingsOf(group), input.ConfigurationUpdates ?? {});
		checkSettings(configuration);
		const changed = {
			...group,
			configuration,
			description: input.Description == null ? group.description : input.Description || null,
			enabled: input.State == null ? group.enabled : input.State === 'ENABLED',
		};
		return [...groups.filter((other) => other !== kept), changed];
	});
	return {};
}

function updated(settings: Configuration, updates: z.infer<typeof Updates>): Configuration {
	const {
		ResultConfigurationUpdates: location,
		ManagedQueryResultsConfigurationUpdates: managed,
		RemoveBytesScannedCutoffPerQuery: uncapped,
		...rest
	} = updates;
	const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null && value !== undefined));
	const kept = { ...settings.ResultConfiguration };
	for (const name of [
		'OutputLocation',
		'EncryptionConfiguration',
		'ExpectedBucketOwner',
		'AclConfiguration',
	] as const) {
		if (location?.[`Remove${name}`]) delete kept[name];
		const value = location?.[name];
		if (value != null) Object.assign(kept, { [name]: value });
	}
	return {
		...settings,
		...given,
		ResultConfiguration: kept,
		...(managed?.Enabled == null ? {} : { ManagedQueryResultsConfiguration: { Enabled: managed.Enabled } }),
		...(uncapped ? { BytesScannedCutoffPerQuery: null } : {}),
	};
}

/** With its contents, where that is asked for: queries that run are cancelled, and no execution of it is known any more. */
async function remove(
	{ lake, executions, deleting }: WorkGroupOptions,
	running: Running,
	caller: Caller,
	{ WorkGroup: name, RecursiveDeleteOption: recursive }: z.infer<typeof DeleteInput>,
): Promise<object> {
	mustFindGroup(lake, caller, name);
	if (name === PRIMARY) throw invalid(PRIMARY_STAYS);
	try {
		await lake.workGroups.change(caller.account, (groups) => {
			const holds = executions.ofWorkGroup(caller.account, name).length > 0;
			if (holds && !recursive) throw invalid(`WorkGroup ${name} is not empty`);
			// Until the change is on disk, the list that a start reads has the group still.
			deleting.add(deletingKey(caller.account, name));
			return groups.filter((group) => group.name !== name);
		});
	} finally {
		deleting.delete(deletingKey(caller.account, name));
	}
	if (!recursive) return {};
	// No new query can be put into it any more.
	for (const execution of executions.ofWorkGroup(caller.account, name)) {
		running.get(execution.id)?.abort.abort();
		await running.get(execution.id)?.done;
		await executions.discardResult(execution.id);
		await executions.forget(execution);
	}
	return {};
}

function list(lake: Lake, caller: Caller, input: z.infer<typeof ListInput>): object {
	const groups = groupsOf(lake, caller.account);
	const { items, next } = page(groups, input.MaxResults ?? 50, input.NextToken, pageToken(input.NextToken));
	return { WorkGroups: items.map((group) => listedWorkGroup(group, epoch)), ...next };
}
