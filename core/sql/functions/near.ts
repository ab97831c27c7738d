/** What an unknown function was probably meant to be: the name Trino has for it, or one spelt nearly alike. */
import { rules } from './rules.ts';

/** What other engines call it, and what to write. */
const instead: ReadonlyMap<string, string> = new Map([
	['nvl', 'coalesce'],
	['ifnull', 'coalesce'],
	['isnull', 'IS NULL'],
	['iff', 'if'],
	['decode', 'CASE'],
	['len', 'length'],
	['char_length', 'length'],
	['instr', 'strpos'],
	['charindex', 'strpos'],
	['string_agg', 'listagg'],
	['group_concat', 'listagg'],
	['collect_list', 'array_agg'],
	['collect_set', 'array_agg(DISTINCT ..)'],
	['string_split', 'split'],
	['to_char', 'date_format'],
	['to_date', 'date_parse'],
	['to_timestamp', 'date_parse'],
	['getdate', 'now'],
	['sysdate', 'now'],
	['unix_timestamp', 'to_unixtime'],
	['date_sub', 'date_add'],
	['median', 'approx_percentile'],
	['percentile_cont', 'approx_percentile'],
	['array_sum', 'reduce'],
	['array_length', 'cardinality'],
	['size', 'cardinality'],
	['array_contains', 'contains'],
	['list', 'array_agg'],
	['explode', 'UNNEST'],
	['unnest', 'UNNEST in FROM'],
	['get_json_object', 'json_extract_scalar'],
	['try_divide', 'nullif around the divisor'],
]);

const random: ReadonlySet<string> = new Set(['rand', 'random', 'uuid', 'shuffle']);

/** Rows of Levenshtein's table; names are short. */
function distance(a: string, b: string): number {
	let row = Array.from({ length: b.length + 1 }, (_, index) => index);
	for (const [i, left] of Array.from(a).entries()) {
		const next = [i + 1];
		for (const [j, right] of Array.from(b).entries()) {
			next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (left === right ? 0 : 1)));
		}
		row = next;
	}
	return row.at(-1) ?? 0;
}

function nearest(name: string): string | null {
	const tolerated = name.length < 5 ? 1 : 2;
	const near = [...rules.keys()]
		.filter((known) => Math.abs(known.length - name.length) <= tolerated)
		.map((known) => ({ known, far: distance(name, known) }))
		.filter(({ far }) => far <= tolerated)
		.toSorted((a, b) => a.far - b.far);
	return near[0]?.known ?? null;
}

/** A sentence on the unknown function; long names are cut. */
export function unknownFunction(name: string): string {
	const sentence = `The function ${name.slice(0, 64)} is not supported`;
	if (random.has(name)) return `${sentence}: it gives another answer each time.`;
	const meant = instead.get(name) ?? nearest(name);
	return meant === null ? `${sentence}.` : `${sentence}. Perhaps ${meant} does what you want.`;
}
