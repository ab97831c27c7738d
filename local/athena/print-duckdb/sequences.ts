/** sequence(..): https://trino.io/docs/current/functions/array.html. At most 10,000 elements, as in Trino. */
import { bigint, integers, type Named, type Rule, takes } from './rule.ts';
import type { Type } from './types.ts';

const longest = 10_000;

function resultOf([start, stop, step]: readonly Type[]): Type | null {
	if (start === undefined || stop === undefined) return null;
	if (takes([start, stop], integers) && (step === undefined || takes([step], integers))) {
		return { kind: 'array', element: bigint };
	}
	const days = step === undefined || (step.kind === 'interval' && step.span === 'days');
	return start.kind === 'date' && stop.kind === 'date' && days ? { kind: 'array', element: { kind: 'date' } } : null;
}

function ofNumbers(start: string, stop: string, step: string): string {
	return (
		`(CASE WHEN ${step} = 0 OR (${stop} - ${start}) * sign(${step}) < 0 THEN error('a sequence goes from start to stop') ` +
		`WHEN abs(${stop} - ${start}) // abs(${step}) >= ${longest} THEN error('a sequence has at most ${longest} elements') ` +
		`WHEN ${start} IS NOT NULL AND ${stop} IS NOT NULL AND ${step} IS NOT NULL ` +
		`THEN generate_series(${start}, ${stop}, ${step}) END)`
	);
}

/** Days since 1970: dates are counted as whole numbers. */
function ofDates(start: string, stop: string, step: string): string {
	const day = (text: string) => `date_diff('day', DATE '1970-01-01', ${text})`;
	return `list_transform(${ofNumbers(day(start), day(stop), step)}, lambda fl_e: DATE '1970-01-01' + CAST(fl_e AS INTEGER))`;
}

const sequence: Rule = {
	type: resultOf,
	text: (texts, types) => {
		const numbers = takes(types.slice(0, 1), integers);
		const [start = '', stop = '', step] = numbers ? texts.map((text) => `CAST(${text} AS BIGINT)`) : texts;
		const unit = step === undefined || numbers ? step : `CAST(date_part('day', ${step}) AS BIGINT)`;
		const towards = unit ?? `(CASE WHEN ${start} <= ${stop} THEN 1 WHEN ${start} > ${stop} THEN -1 END)`;
		return numbers ? ofNumbers(start, stop, towards) : ofDates(start, stop, towards);
	},
};

export const sequences: Named = [['sequence', sequence]];
