/** Partition keys under a filter: seen without being named, and not to be asked for NULL (LF guide, data-filtering-notes, partiql-support). */
import type { Assumption } from './stage.ts';
import { dropFilter, grant, look, makeFilter, refusalOf, told } from './steps.ts';

export const partitionKeys: Assumption = {
	name: 'partition-keys',
	question:
		'Is a partition key seen that the filter does not name, may rows be chosen by it, and may it be asked for NULL?',
	assumed: {
		unnamedKey: [
			['note', 'region'],
			['first', 'north'],
		],
		isNull: 'InvalidInputException',
	},
	async observe(stage) {
		const { parts } = stage.tables;
		const { athena } = await stage.as();
		const isNull = await refusalOf(
			makeFilter(stage, parts, 'fl-live-null', { columns: ['note'], rows: 'region IS NULL' }),
		);
		if (isNull.name === '') await dropFilter(stage, parts, 'fl-live-null');
		await grant(
			stage,
			await makeFilter(stage, parts, 'fl-live-parts', { columns: ['note'], rows: "region = 'north'" }),
		);
		const unnamedKey = await look(stage, partitionKeys.assumed['unnamedKey'] ?? null, () =>
			told(stage, athena, `SELECT * FROM ${stage.database}.${parts}`),
		);
		return { observed: { unnamedKey, isNull: isNull.name || 'taken' } };
	},
};
