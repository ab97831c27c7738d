/**
 * JSON functions: https://trino.io/docs/current/functions/json.html. Athena passes numbers and escapes on as they are
 * written, DuckDB reads and writes them anew: where that could be seen the query ends. Paths of names and places only.
 */
import { type Call, stringText } from '#core/sql.ts';
import { bigint, boolean, literal, type Named, type Rule, takes, varchar } from './rule.ts';
import type { Kind } from './types.ts';

const document: readonly Kind[] = ['varchar', 'json'];

const refusal = "error('runs on Athena only: JSON that is not written in the plainest way')";

/** $.name, $.a.b[0], $["name"] */
function pathOf(e: Call): string | null {
	const written = literal(e.arguments[1]);
	const step = /\.([A-Za-z_][A-Za-z0-9_]*)|\[([0-9]{1,6})\]|\["([A-Za-z_][A-Za-z0-9_ -]*)"\]/g;
	if (written === null || !written.startsWith('$') || written.slice(1).replace(step, '') !== '') return null;
	const steps = [...written.matchAll(step)].map(([, name, place, quoted]) =>
		place === undefined ? `."${name ?? quoted}"` : `[${place}]`,
	);
	return stringText(`$${steps.join('')}`);
}

/** Wholly of braces, plain texts, whole numbers and words. */
const plainest = '([][{},:]|"[^"\\\\]*"|0|-?[1-9][0-9]{0,17}|true|false|null)*';

const extract: Rule = {
	type: (types, e) => (takes(types.slice(0, 1), document) && pathOf(e) !== null ? { kind: 'json' } : null),
	text: ([value], _types, e) => {
		const found = `json_extract(${value}, ${pathOf(e)})`;
		const plain = `regexp_full_match(CAST(${found} AS VARCHAR), ${stringText(plainest)})`;
		return `(CASE WHEN ${plain} THEN ${found} WHEN ${found} IS NOT NULL THEN ${refusal} END)`;
	},
};

const whole = '0|-?[1-9][0-9]{0,17}';
const fraction = '-?(0|[1-9][0-9]{0,8})\\.[0-9]{0,5}[1-9]';
/** Numbers in the document that would be written anew otherwise than they are. */
const rewritten = '\\.[0-9]*0([^0-9]|$)|[0-9][eE]|[0-9]{15}|-0([^.]|$)|\\.[0-9]{7}';

const extractScalar: Rule = {
	type: (types, e) => (takes(types.slice(0, 1), document) && pathOf(e) !== null ? varchar : null),
	text: ([value], _types, e) => {
		const path = pathOf(e);
		const kind = `json_type(${value}, ${path})`;
		const found = `json_extract_string(${value}, ${path})`;
		const like = (text: string, pattern: string) => `regexp_full_match(${text}, ${stringText(pattern)})`;
		const odd = `regexp_matches(CAST(${value} AS VARCHAR), ${stringText(rewritten)})`;
		return (
			`(CASE WHEN ${kind} IS NULL OR ${kind} IN ('NULL', 'OBJECT', 'ARRAY') THEN NULL ` +
			`WHEN ${kind} IN ('VARCHAR', 'BOOLEAN') THEN ${found} ` +
			`WHEN (${like(found, whole)} OR ${like(found, fraction)}) AND NOT ${odd} THEN ${found} ELSE ${refusal} END)`
		);
	},
};

const arrayLength: Rule = {
	type: (types) => (takes(types, document) ? bigint : null),
	text: ([value]) => `(CASE WHEN json_type(${value}) = 'ARRAY' THEN CAST(json_array_length(${value}) AS BIGINT) END)`,
};

/** Members of an object, elements of an array; what is neither has size 0. */
const size: Rule = {
	type: (types, e) => (takes(types.slice(0, 1), document) && pathOf(e) !== null ? bigint : null),
	text: ([value], _types, e) => {
		const path = pathOf(e);
		return (
			`(CASE json_type(${value}, ${path}) WHEN 'ARRAY' THEN CAST(json_array_length(${value}, ${path}) AS BIGINT) ` +
			`WHEN 'OBJECT' THEN CAST(len(json_keys(${value}, ${path})) AS BIGINT) ` +
			`ELSE (CASE WHEN json_type(${value}, ${path}) IS NOT NULL THEN CAST(0 AS BIGINT) END) END)`
		);
	},
};

const isScalar: Rule = {
	type: (types) => (takes(types, document) ? boolean : null),
	text: ([value]) => `(json_type(${value}) NOT IN ('ARRAY', 'OBJECT'))`,
};

export const json: Named = [
	['json_extract', extract],
	['json_extract_scalar', extractScalar],
	['json_array_length', arrayLength],
	['json_size', size],
	['is_json_scalar', isScalar],
];
