/** Changes of one table's rights at the same time: what is refused, and whether it is known as something to try again. */
import {
	GrantPermissionsCommand,
	LakeFormationClient,
	type Permission,
	type Resource,
} from '@aws-sdk/client-lakeformation';
import type { Assumption } from './stage.ts';
import { makeFilter, refusalOf, revoke } from './steps.ts';

const FILTERS = 8;
const KNOWN = /ConcurrentModification|OperationTimeout|Throttl|TooManyRequests|rate exceeded|please retry/i;

export const concurrentChanges: Assumption = {
	name: 'concurrent-changes',
	question: 'Of several grants on one table at once, is what is refused known as something to try again?',
	assumed: { refusedOtherwise: [] },
	async observe(stage) {
		const { credentials, endpoint, region } = stage.admin.lakeformation.config;
		const settings = { credentials, region, maxAttempts: 1, ...(endpoint === undefined ? {} : { endpoint }) };
		const client = new LakeFormationClient(settings);
		const { plain } = stage.tables;
		const Permissions: Permission[] = ['SELECT'];
		const Principal = { DataLakePrincipalIdentifier: stage.principal };
		const filters: Resource[] = [];
		for (let n = 0; n < FILTERS; n += 1) {
			filters.push(await makeFilter(stage, plain, `fl-live-concurrent-${n}`, { columns: ['id'] }));
		}
		stage.undo('the rights on them', async () => {
			for (const Resource of filters) await revoke(stage, Resource);
		});
		const refusals = await Promise.all(
			filters.map((Resource) =>
				refusalOf(client.send(new GrantPermissionsCommand({ Principal, Resource, Permissions }))),
			),
		);
		client.destroy();
		const texts = refusals.filter(({ name }) => name !== '').map(({ name, message }) => `${name}: ${message}`);
		return {
			observed: { refusedOtherwise: texts.filter((text) => !KNOWN.test(text)) },
			measured: { grants: FILTERS, refused: texts.length, texts: [...new Set(texts)] },
		};
	},
};
