/**
 * JSON functions: https://trino.io/docs/current/functions/json.html. Athena passes numbers and escapes on as they are
 * written, DuckDB reads and writes them anew: where that could be seen the query ends. Paths of names and places only.
 */
import { type Call, stringText } from '#core/sql.ts';
import { bigint, boolean, literal, type Named, type Rule, takes, varchar } from './rule.ts';
import type { Kind, Type } from './types.ts';

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

/**
 * DuckDB reads commas before a closing bracket, NaN and Infinity as JSON, and Athena takes a place of an object for the
 * field of that name. Texts between quotes are left out of sight.
 */
function refused(value: string, type: Type | undefined, path: string | null): string {
	const bare = `regexp_replace(${value}, ${stringText('"([^"\\\\]|\\\\.)*"')}, '""', 'gs')`;
	// What another function here gave was looked at there.
	const read = type?.kind === 'json' ? [] : [`regexp_matches(${bare}, ${stringText(',\\s*[]}]|nan|inf')}, 'i')`];
	const parents = [...(path ?? '').matchAll(/\[[0-9]+\]/g)].map(({ index }) => `${path?.slice(0, index)}'`);
	const places = parents.map((parent) => `json_type(${value}, ${parent}) = 'OBJECT'`);
	const conditions = [...read, ...places];
	return conditions.length === 0 ? '' : `WHEN ${conditions.join(' OR ')} THEN ${refusal} `;
}

/** Wholly of braces, plain texts, whole numbers and words. */
const plainest = '([][{},:]|"[^"\\\\]*"|0|-?[1-9][0-9]{0,17}|true|false|null)*';

const extract: Rule = {
	type: (types, e) => (takes(types.slice(0, 1), document) && pathOf(e) !== null ? { kind: 'json' } : null),
	text: ([value = ''], [type], e) => {
		const path = pathOf(e);
		const found = `json_extract(${value}, ${path})`;
		const plain = `regexp_full_match(CAST(${found} AS VARCHAR), ${stringText(plainest)})`;
		return `(CASE ${refused(value, type, path)}WHEN ${plain} THEN ${found} WHEN ${found} IS NOT NULL THEN ${refusal} END)`;
	},
};

const whole = '0|-?[1-9][0-9]{0,17}';
const fraction = '-?(0|[1-9][0-9]{0,8})\\.[0-9]{0,5}[1-9]';
/** Numbers in the document that would be written anew otherwise than they are. */
const rewritten = '\\.[0-9]*0([^0-9]|$)|[0-9][eE]|[0-9]{15}|-0([^.]|$)|\\.[0-9]{7}';

const extractScalar: Rule = {
	type: (types, e) => (takes(types.slice(0, 1), document) && pathOf(e) !== null ? varchar : null),
	text: ([value = ''], [type], e) => {
		const path = pathOf(e);
		const kind = `json_type(${value}, ${path})`;
		const found = `json_extract_string(${value}, ${path})`;
		const like = (text: string, pattern: string) => `regexp_full_match(${text}, ${stringText(pattern)})`;
		const odd = `regexp_matches(CAST(${value} AS VARCHAR), ${stringText(rewritten)})`;
		return (
			`(CASE ${refused(value, type, path)}WHEN ${kind} IS NULL OR ${kind} IN ('NULL', 'OBJECT', 'ARRAY') THEN NULL ` +
			`WHEN ${kind} IN ('VARCHAR', 'BOOLEAN') THEN ${found} ` +
			`WHEN (${like(found, whole)} OR ${like(found, fraction)}) AND NOT ${odd} THEN ${found} ELSE ${refusal} END)`
		);
	},
};

const arrayLength: Rule = {
	type: (types) => (takes(types, document) ? bigint : null),
	text: ([value = ''], [type]) =>
		`(CASE ${refused(value, type, null)}WHEN json_type(${value}) = 'ARRAY' ` +
		`THEN CAST(json_array_length(${value}) AS BIGINT) END)`,
};

/** Members of an object, elements of an array; what is neither has size 0. */
const size: Rule = {
	type: (types, e) => (takes(types.slice(0, 1), document) && pathOf(e) !== null ? bigint : null),
	text: ([value = ''], [type], e) => {
		const path = pathOf(e);
		const kind = `json_type(${value}, ${path})`;
		return (
			`(CASE ${refused(value, type, path)}` +
			`WHEN ${kind} = 'ARRAY' THEN CAST(json_array_length(${value}, ${path}) AS BIGINT) ` +
			`WHEN ${kind} = 'OBJECT' THEN CAST(len(json_keys(${value}, ${path})) AS BIGINT) ` +
			`WHEN ${kind} IS NOT NULL THEN CAST(0 AS BIGINT) END)`
		);
	},
};

const isScalar: Rule = {
	type: (types) => (takes(types, document) ? boolean : null),
	text: ([value = ''], [type]) =>
		`(CASE ${refused(value, type, null)}WHEN json_type(${value}) IS NOT NULL THEN json_type(${value}) NOT IN ('ARRAY', 'OBJECT') END)`,
};

export const json: Named = [
	['json_extract', extract],
	['json_extract_scalar', extractScalar],
	['json_array_length', arrayLength],
	['json_size', size],
	['is_json_scalar', isScalar],
];
