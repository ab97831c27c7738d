/** Whether a query through a resource link needs DESCRIBE on the link beside the right on the table (LF guide, resource-links-about). */
import { CreateDatabaseCommand, DeleteDatabaseCommand } from '@aws-sdk/client-glue';
import type { Assumption } from './stage.ts';
import { databaseOf, grant, look, makeFilter, told } from './steps.ts';

const LINK = 'fl_live_link';

export const linkDescribe: Assumption = {
	name: 'link-describe',
	question: 'Does a query through a link fail until its caller may DESCRIBE the link, and with which words?',
	assumed: { withoutDescribe: `SCHEMA_NOT_FOUND: Schema '${LINK}' does not exist`, withDescribe: [['id'], ['1']] },
	async observe(stage) {
		const { glue } = stage.admin;
		const { athena } = await stage.as();
		const TargetDatabase = { CatalogId: stage.account, DatabaseName: stage.database };
		await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: LINK, TargetDatabase } }));
		stage.undo(`link ${LINK}`, () => glue.send(new DeleteDatabaseCommand({ Name: LINK })));
		const filter = await makeFilter(stage, stage.tables.plain, 'fl-live-link', { columns: ['id'], rows: 'id = 1' });
		await grant(stage, filter);
		const seen = (member: string) =>
			look(stage, linkDescribe.assumed[member] ?? null, () =>
				told(stage, athena, `SELECT id FROM ${LINK}.${stage.tables.plain}`),
			);
		const withoutDescribe = await seen('withoutDescribe');
		await grant(stage, databaseOf(stage, LINK), ['DESCRIBE']);
		return { observed: { withoutDescribe, withDescribe: await seen('withDescribe') } };
	},
};
