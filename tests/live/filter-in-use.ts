/** What becomes of a right on a filter that is changed, or deleted, under it. */
import { UpdateDataCellsFilterCommand } from '@aws-sdk/client-lakeformation';
import type { Assumption } from './stage.ts';
import { ask, contentOf, dropFilter, grant, look, makeFilter, refusalOf, told } from './steps.ts';

export const filterInUse: Assumption = {
	name: 'filter-in-use',
	question:
		'Can a filter that is granted be changed and deleted, does that change what its holder sees, and does the right come back with a new filter of that name?',
	assumed: {
		update: 'taken',
		afterUpdate: [['note'], ['first']],
		delete: 'taken',
		closedAfterDelete: true,
		closedUnderTheNameAgain: true,
	},
	async observe(stage) {
		const { plain } = stage.tables;
		const { athena } = await stage.as();
		const sql = `SELECT * FROM ${stage.database}.${plain}`;
		const name = 'fl-live-in-use';
		await grant(stage, await makeFilter(stage, plain, name, { columns: ['id'] }));
		const first = [['id'], ['1'], ['2'], ['3'], ['4']];
		await look(stage, first, () => told(stage, athena, sql));
		const TableData = contentOf(stage, plain, name, { columns: ['note'], rows: 'id = 1' });
		const update = await refusalOf(stage.admin.lakeformation.send(new UpdateDataCellsFilterCommand({ TableData })));
		const afterUpdate = await look(stage, filterInUse.assumed['afterUpdate'] ?? null, () => told(stage, athena, sql));
		const deleted = await refusalOf(dropFilter(stage, plain, name));
		const closed = async () => 'failed' in (await ask(stage, athena, sql));
		const closedAfterDelete = await look(stage, true, closed);
		await makeFilter(stage, plain, name, { columns: ['amount'] });
		return {
			observed: {
				update: update.name || 'taken',
				afterUpdate,
				delete: deleted.name || 'taken',
				closedAfterDelete,
				closedUnderTheNameAgain: await look(stage, true, closed),
			},
		};
	},
};
