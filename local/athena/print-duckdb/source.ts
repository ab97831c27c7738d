/**
 * Tables made of values and of other tables: UNNEST and recursion, where DuckDB's own differ from Trino's
 * (https://trino.io/docs/current/sql/select.html#unnest, #with-recursive-clause).
 */
import { type CommonTable, quoted, sourceOf, stringText, type UnnestSource } from '#core/sql.ts';
import type { Context } from './context.ts';
import type { Recursion } from './relation.ts';
import { fieldName, type Type, typeText } from './types.ts';

/** Trino's limit on the steps of a recursion in Athena, max_recursion_depth; one more that gives rows ends the query. */
const maxDepth = 10;

/**
 * Arrays of one column are DuckDB's own UNNEST; for maps, rows and several arrays, which it pads with NULL, the elements
 * are taken together and then apart. Inside, the source's own alias is the one name that no argument can have.
 */
export function unnestText(source: UnnestSource, { resolved, types, print }: Context): string {
	const { alias, fields } = sourceOf(resolved, source);
	const parts = source.expressions.map((e) => ({ text: print.expression(e), type: types.of(e) }));
	const [only, ...more] = parts;
	const counted = source.ordinality ? ' WITH ORDINALITY' : '';
	const own = quoted(alias);
	const named = `AS ${own} (${fields.map(({ printed }) => quoted(printed)).join(', ')})`;
	if (only !== undefined && more.length === 0 && isArrayOfValues(only.type))
		return `UNNEST(${only.text})${counted} ${named}`;
	const lists = parts.map(({ text, type }) => (type.kind === 'map' ? `map_entries(${text})` : text));
	const list = lists.length === 1 ? lists.join('') : `list_zip(${lists.join(', ')})`;
	const columns = parts.flatMap(({ type }, index) =>
		elementTexts(lists.length === 1 ? `${own}."v"` : `struct_extract(${own}."v", ${index + 1})`, type),
	);
	if (source.ordinality) columns.push(`${own}."n"`);
	const inner = `UNNEST(${list})${counted} AS ${own} (${source.ordinality ? '"v", "n"' : '"v"'})`;
	return `LATERAL (SELECT ${columns.join(', ')} FROM ${inner}) ${named}`;
}

function isArrayOfValues(type: Type): boolean {
	return type.kind === 'array' && type.element.kind !== 'row';
}

function elementTexts(value: string, type: Type): readonly string[] {
	if (type.kind === 'map') return ['key', 'value'].map((part) => `struct_extract(${value}, '${part}')`);
	if (type.kind !== 'array' || type.element.kind !== 'row') return [value];
	return type.element.fields.map((field, index) => `struct_extract(${value}, ${stringText(fieldName(field, index))})`);
}

/**
 * The query of a common table that reads itself. Trino unrolls a few steps, each over all rows of the one before, and
 * removes duplicates of UNION at the end only.
 */
export function recursiveText(
	table: CommonTable,
	{ anchor, step }: Recursion,
	{ resolved, types, print }: Context,
): string {
	const found = resolved.commons.get(table);
	const [name, columns] = [quoted(found?.printed ?? table.name.text), found?.columns ?? []];
	const depth = quoted(unused('depth', columns));
	const names = columns.map(quoted).join(', ');
	const kinds = types.columns(table.query);
	const taken = (alias: string) =>
		kinds.map((type, index) => `CAST("${alias}".${quoted(columns[index] ?? '')} AS ${typeText(type)})`).join(', ');
	const first = `SELECT ${taken('first')}, 0 FROM (${print.body(anchor)}) AS "first" (${names})`;
	const next =
		`SELECT ${taken('step')}, CASE WHEN "deep"."n" > ${maxDepth} THEN error('recursion is too deep') ` +
		`ELSE "deep"."n" END FROM (${print.body(step.body)}) AS "step" (${names}), ` +
		`(SELECT max(${depth}) + 1 AS "n" FROM ${name}) AS "deep"`;
	const steps = `WITH RECURSIVE ${name} (${names}, ${depth}) AS (${first} UNION ALL ${next})`;
	return `${steps} SELECT ${step.all ? '' : 'DISTINCT '}${names} FROM ${name}`;
}

function unused(name: string, taken: readonly string[]): string {
	return taken.includes(name) ? unused(`${name}_`, taken) : name;
}
