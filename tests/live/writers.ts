/** A filter for somebody who may also write (LF guide, data-filtering: it has no effect then). */
import type { Assumption } from './stage.ts';
import { filterOf, grant, look, makeFilter, refusalOf, tableOf, told } from './steps.ts';

export const writers: Assumption = {
	name: 'writers',
	question: 'Is a filter granted to a principal that may write, and does it then see everything?',
	assumed: { filter: 'taken', columnsSeen: [['id', 'status', 'note', 'amount']] },
	async observe(stage) {
		const { plain } = stage.tables;
		const { athena } = await stage.as();
		await grant(stage, tableOf(stage, plain), ['INSERT']);
		await makeFilter(stage, plain, 'fl-live-writer', { columns: ['id'] });
		const refused = await refusalOf(grant(stage, filterOf(stage, plain, 'fl-live-writer')));
		const columnsSeen = await look(stage, writers.assumed['columnsSeen'] ?? null, () =>
			told(stage, athena, `SELECT * FROM ${stage.database}.${plain} WHERE id < 0`),
		);
		return { observed: { filter: refused.name || 'taken', columnsSeen } };
	},
};
