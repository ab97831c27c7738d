/**
 * Prints a resolved query: names from what they resolved to, never as written.
 *
 * Each base table becomes a sub-query over the granted columns that the query reads of it, in table order, with the row
 * filter where all its columns are granted. A column that is not granted is never printed: this is the last line behind
 * the caller's own check, and throws.
 */
import { BrokerError } from '../error.ts';
import type { ColumnReference, Join, Query, SortItem, Source } from './ast.ts';
import { type Print, printer, quoted, type Surface } from './print.ts';
import { unreachable } from './refuse.ts';
import type { Relation, Resolved, ResolvedSource, Target } from './resolved.ts';
import { columnsOf, printRowFilter } from './rowpredicate.ts';

/** What a dialect writes in its own way. */
export type Dialect = { readonly expression: Surface['expression'] };

export function printResolved(resolved: Resolved, dialect: Dialect): string {
	const surface: Surface = {
		expression: dialect.expression,
		reference: (e, print) => target(targetOf(resolved, e), print),
		selectList: (query, print) =>
			itemsOf(resolved, query).map((item) => `${print.expression(item.expression)} AS ${quoted(item.printed)}`),
		source: (source, print) => sourceText(resolved, source, print),
		condition: (join, print) => condition(resolved, join, print),
		sortKey: (item, print) => sortKey(resolved, item, print),
		rows: (query) =>
			[query.offset === null ? '' : `OFFSET ${query.offset}`, query.limit === null ? '' : `LIMIT ${query.limit}`]
				.filter((part) => part !== '')
				.join(' '),
	};
	return printer(surface).query(resolved.query);
}

export function targetOf(resolved: Resolved, e: ColumnReference): Target {
	const found = resolved.references.get(e);
	if (found === undefined) throw new BrokerError('internal', 'A column of the query was never resolved.');
	return found;
}

export function itemsOf(resolved: Resolved, query: Query) {
	const items = resolved.items.get(query);
	if (items === undefined) throw new BrokerError('internal', 'A select list of the query was never resolved.');
	return items;
}

function target(t: Target, print: Print): string {
	switch (t.kind) {
		case 'field':
			return `${quoted(t.source.alias)}.${quoted(t.field.printed)}`;
		case 'merged':
			return `COALESCE(${target(t.left, print)}, ${target(t.right, print)})`;
		case 'output':
			return print.expression(t.expression);
	}
	return unreachable(t);
}

/** A bare output name sorts by its place; inside an expression its own expression stands for it. */
function sortKey(resolved: Resolved, { expression }: SortItem, print: Print): string {
	if (expression.kind === 'integer') return String(expression.value);
	const found: Target | null = expression.kind === 'column' ? targetOf(resolved, expression) : null;
	return found?.kind === 'output' ? String(found.ordinal) : print.expression(expression);
}

function condition(resolved: Resolved, join: Join, print: Print): string {
	if (join.on !== null) return ` ON ${print.expression(join.on)}`;
	const pairs = resolved.using.get(join);
	if (pairs === undefined) return '';
	return ` ON ${pairs.map(([left, right]) => `(${target(left, print)} = ${target(right, print)})`).join(' AND ')}`;
}

function sourceText(resolved: Resolved, source: Exclude<Source, { kind: 'joins' }>, print: Print): string {
	const found = resolved.sources.get(source);
	if (found === undefined) throw new BrokerError('internal', 'A table of the query was never resolved.');
	if (source.kind === 'derived') return `(${print.query(source.query)}) AS ${quoted(found.alias)}`;
	if (found.relation === null) throw new BrokerError('internal', 'A table of the query has no relation.');
	return `(${baseTable(found, found.relation)}) AS ${quoted(found.alias)}`;
}

function baseTable({ fields, used }: ResolvedSource, relation: Relation): string {
	const columns = fields.flatMap(({ origin }) => (origin.kind === 'base' ? [origin] : []));
	const granted = new Set(columns.filter((column) => column.granted).map((column) => column.column));
	const read = fields.flatMap((field) =>
		used.has(field) && field.origin.kind === 'base' ? [field.origin.column] : [],
	);
	const [first] = granted;
	const printed = read.length > 0 || first === undefined ? read : [first];
	if (printed.length === 0) throw new BrokerError('table-not-granted', `No column of ${relation.id} is granted.`);
	const missing = printed.find((column) => !granted.has(column));
	if (missing !== undefined) {
		throw new BrokerError('column-not-granted', `The column ${missing} of ${relation.id} is not granted.`);
	}
	const filter = relation.rowFilter;
	const rows = filter !== null && columnsOf(filter).every((column) => granted.has(column.toLowerCase()));
	const where = rows ? ` WHERE ${printRowFilter(filter)}` : '';
	return `SELECT ${printed.map(quoted).join(', ')} FROM ${relation.printed.map(quoted).join('.')}${where}`;
}
