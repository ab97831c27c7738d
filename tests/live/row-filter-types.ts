/** Which types a row filter takes, and whether a column that it does not name matters (LF guide, partiql-support). */
import type { Answer, Assumption, Stage } from './stage.ts';
import { dropFilter, makeFilter, refusalOf } from './steps.ts';

async function taken(stage: Stage, table: string, rows: string): Promise<Answer> {
	const name = 'fl-live-types';
	const refused = await refusalOf(makeFilter(stage, table, name, { columns: ['id'], rows }));
	if (refused.name === '') await dropFilter(stage, table, name);
	return refused.name === '' ? 'taken' : refused.name;
}

export const rowFilterTypes: Assumption = {
	name: 'row-filter-types',
	question:
		'Does a row filter take dates and timestamps, and does one of them in the table matter that it does not name?',
	assumed: {
		text: 'taken',
		number: 'taken',
		date: 'InvalidInputException',
		dateLiteral: 'InvalidInputException',
		timestamp: 'InvalidInputException',
		besideUnnamedDates: 'taken',
	},
	async observe(stage) {
		const { rows, plain } = stage.tables;
		return {
			observed: {
				text: await taken(stage, plain, "status = 'A'"),
				number: await taken(stage, plain, 'amount >= 10.5'),
				date: await taken(stage, rows, "on_day = '2026-01-01'"),
				dateLiteral: await taken(stage, rows, "on_day = DATE '2026-01-01'"),
				timestamp: await taken(stage, rows, "at > '2026-01-01 00:00:00'"),
				besideUnnamedDates: await taken(stage, rows, "status = 'A'"),
			},
		};
	},
};
