/** How a list shows the right on a filter: with what beside SELECT, and split into how many rows. */
import { ListPermissionsCommand } from '@aws-sdk/client-lakeformation';
import type { Assumption } from './stage.ts';
import { grant, look, makeFilter, refusalOf, tableOf } from './steps.ts';

export const rightsOnFilter: Assumption = {
	name: 'rights-on-filter',
	question: 'What does the list by table show of SELECT on a filter, and may it be granted again?',
	assumed: { rows: [['DataCellsFilter', 'SELECT', '']], again: 'taken' },
	async observe(stage) {
		const { plain } = stage.tables;
		const filter = await makeFilter(stage, plain, 'fl-live-rights', { columns: ['id'] });
		await grant(stage, filter);
		const again = await refusalOf(grant(stage, filter));
		const rows = await look(stage, rightsOnFilter.assumed['rows'] ?? null, async () => {
			const answer = await stage.admin.lakeformation.send(
				new ListPermissionsCommand({ Resource: tableOf(stage, plain), IncludeRelated: 'TRUE' }),
			);
			return (answer.PrincipalResourcePermissions ?? [])
				.filter((row) => row.Principal?.DataLakePrincipalIdentifier === stage.principal)
				.map((row) => [
					Object.keys(row.Resource ?? {}).join(),
					(row.Permissions ?? []).toSorted().join(),
					(row.PermissionsWithGrantOption ?? []).toSorted().join(),
				]);
		});
		return { observed: { rows, again: again.name || 'taken' } };
	},
};
