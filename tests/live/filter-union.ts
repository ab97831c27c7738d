/** What two filters of one principal add up to, cell by cell (LF guide, data-filtering-notes). */
import type { Assumption } from './stage.ts';
import { grant, look, makeFilter, told } from './steps.ts';

export const filterUnion: Assumption = {
	name: 'filter-union',
	question: 'Two filters with other columns and other rows: is a cell that neither opens NULL, and is its row there?',
	assumed: {
		overlapping: [
			['id', 'status', 'note'],
			['1', 'A', null],
			['2', 'B', 'second'],
			['3', null, 'third'],
		],
		allRowsOfOneColumn: [
			['id', 'status', 'note'],
			['1', 'A', null],
			['2', 'B', 'second'],
			['3', null, 'third'],
			['4', null, null],
		],
	},
	async observe(stage) {
		const { plain } = stage.tables;
		const { athena } = await stage.as();
		const sql = `SELECT * FROM ${stage.database}.${plain} ORDER BY id`;
		const { overlapping, allRowsOfOneColumn } = filterUnion.assumed;
		const filters = [
			{ columns: ['id', 'status'], rows: "status = 'A' OR status = 'B'" },
			{ columns: ['id', 'note'], rows: 'id >= 2 AND id <= 3' },
		];
		for (const [index, content] of filters.entries()) {
			await grant(stage, await makeFilter(stage, plain, `fl-live-union-${index}`, content));
		}
		const first = await look(stage, overlapping ?? null, () => told(stage, athena, sql));
		await grant(stage, await makeFilter(stage, plain, 'fl-live-union-all', { columns: ['id'] }));
		const second = await look(stage, allRowsOfOneColumn ?? null, () => told(stage, athena, sql));
		return { observed: { overlapping: first, allRowsOfOneColumn: second } };
	},
};
