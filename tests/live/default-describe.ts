/** What becomes of a query where its caller may not DESCRIBE the database `default` (Athena guide, lf-athena-limitations). */
import type { Assumption } from './stage.ts';
import { databaseOf, grant, look, makeFilter, revoke, told } from './steps.ts';

export const defaultDescribe: Assumption = {
	name: 'default-describe',
	question: 'Does every query of a principal fail that may not DESCRIBE the database default, and with which words?',
	assumed: {
		withDescribe: [['id'], ['1']],
		withoutDescribe: 'Insufficient Lake Formation permission(s): Required Describe on default',
	},
	async observe(stage) {
		const { athena } = await stage.as();
		const filter = await makeFilter(stage, stage.tables.plain, 'fl-live-default', { columns: ['id'], rows: 'id = 1' });
		await grant(stage, filter);
		const seen = (member: string) =>
			look(stage, defaultDescribe.assumed[member] ?? null, () =>
				told(stage, athena, `SELECT id FROM ${stage.database}.${stage.tables.plain}`),
			);
		const withDescribe = await seen('withDescribe');
		// The principal comes with it, and keeps it.
		stage.undo('DESCRIBE on default', () =>
			grant({ ...stage, undo: () => {} }, databaseOf(stage, 'default'), ['DESCRIBE']),
		);
		await revoke(stage, databaseOf(stage, 'default'), ['DESCRIBE']);
		return { observed: { withDescribe, withoutDescribe: await seen('withoutDescribe') } };
	},
};
