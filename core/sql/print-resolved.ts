/**
 * Prints a resolved query: names from what they resolved to, never as written.
 *
 * Each base table becomes a sub-query over the granted columns that the query reads of it, in table order, with the row
 * filter where all its columns are granted. A column that is not granted is never printed: this is the last line behind
 * the caller's own check, and throws.
 */
import { BrokerError } from '../error.ts';
import type { ColumnReference, CommonTable, Join, Query, Select, SortItem, Source } from './ast.ts';
import { bounds } from './bounds.ts';
import { type Print, printer, type Surface } from './print.ts';
import { quoted } from './print-literal.ts';
import { ticked, tooLarge, unreachable } from './refuse.ts';
import type { Relation, Resolved, ResolvedItem, ResolvedSource, Target } from './resolved.ts';
import { columnsOf, printRowFilter } from './rowpredicate.ts';

/** What a dialect writes in its own way; null for the form that Trino reads. */
type Dialect = Pick<Surface, 'expression'> & {
	readonly body?: Surface['body'];
	/** With its alias. */
	readonly source?: (source: Exclude<Source, { kind: 'joins' }>, print: Print) => string | null;
	readonly item?: (item: ResolvedItem, print: Print) => string | null;
	/** What follows a join's right side, such as USING, or ON and its condition. */
	readonly condition?: (join: Join, print: Print) => string | null;
};

export function printResolved(resolved: Resolved, dialect: Dialect): string {
	let written = 0;
	const surface: Surface = {
		expression: dialect.expression,
		body: (body, print) => dialect.body?.(body, print) ?? null,
		reference: (e, print) => {
			const text = targetText(targetOf(resolved, e), print);
			written += text.length;
			// An output may stand in another's text, so none is counted more than twice.
			if (written > 2 * bounds.bytes) throw tooLong();
			return text;
		},
		parameters: (e) => known(resolved.lambdas.get(e), 'A lambda'),
		selectList: (select, print) =>
			itemsOf(resolved, select).map(
				(item) => `${dialect.item?.(item, print) ?? print.expression(item.expression)} AS ${quoted(item.printed)}`,
			),
		source: (source, print) => dialect.source?.(source, print) ?? sourceText(resolved, source, print),
		common: (table) => commonText(resolved, table),
		condition: (join, print) => dialect.condition?.(join, print) ?? condition(resolved, join, print),
		sortKey: (item, print) => sortKey(resolved, item, print),
		rows: rowsText,
	};
	return printer(surface).query(resolved.query);
}

/** ORDER BY may name a long output again and again: what is longer than any engine takes is not printed to its end. */
function tooLong(): BrokerError {
	const start = { line: 1, column: 1 };
	return tooLarge(start, `Printed, the query is longer than Athena takes at most: ${bounds.bytes} bytes.`);
}

function known<T>(found: T | undefined, what: string): T {
	if (found === undefined) throw new BrokerError('internal', `${what} of the query was never resolved.`);
	return found;
}

export function targetOf(resolved: Resolved, e: ColumnReference): Target {
	return known(resolved.references.get(e), 'A column');
}

export function itemsOf(resolved: Resolved, select: Select): readonly ResolvedItem[] {
	return known(resolved.items.get(select), 'A select list');
}

export function sourceOf(resolved: Resolved, source: Source): ResolvedSource {
	return known(resolved.sources.get(source), 'A table');
}

function targetText(t: Target, print: Print): string {
	switch (t.kind) {
		case 'field':
			return `${quoted(t.source.alias)}.${quoted(t.field.printed)}`;
		case 'merged':
			return `coalesce(${targetText(t.left, print)}, ${targetText(t.right, print)})`;
		case 'output':
			return t.expression === null ? quoted(t.printed) : print.expression(t.expression);
		case 'parameter':
			return quoted(t.printed);
		case 'part': {
			const whole = targetText(t.of, print);
			const plain = t.of.kind === 'field' || t.of.kind === 'parameter';
			return [plain ? whole : `(${whole})`, ...t.path.map(quoted)].join('.');
		}
	}
	return unreachable(t);
}

/** A bare output name sorts by its ordinal; inside an expression its own expression stands for it. */
function sortKey(resolved: Resolved, { expression }: SortItem, print: Print): string {
	if (expression.kind === 'integer') return String(expression.value);
	const found: Target | null = expression.kind === 'column' ? targetOf(resolved, expression) : null;
	return found?.kind === 'output' ? String(found.ordinal) : print.expression(expression);
}

function condition(resolved: Resolved, join: Join, print: Print): string {
	if (join.on !== null) return ` ON ${print.expression(join.on)}`;
	const pairs = resolved.using.get(join) ?? [];
	if (pairs.length === 0) return '';
	const equal = pairs.map(([left, right]) => `(${targetText(left, print)} = ${targetText(right, print)})`);
	return ` ON ${equal.length === 1 ? equal.join('') : `(${equal.join(' AND ')})`}`;
}

function rowsText({ offset, limit, ties }: Query): string {
	const parts = offset === null ? [] : [`OFFSET ${offset}`];
	if (limit !== null) parts.push(ties ? `FETCH FIRST ${limit} ROWS WITH TIES` : `LIMIT ${limit}`);
	return parts.join(' ');
}

function commonText(resolved: Resolved, table: CommonTable): string {
	const { printed, columns } = known(resolved.commons.get(table), 'A common table');
	return `${quoted(printed)} (${columns.map(quoted).join(', ')})`;
}

function sourceText(resolved: Resolved, source: Exclude<Source, { kind: 'joins' }>, print: Print): string {
	const found = sourceOf(resolved, source);
	const { alias, content, fields } = found;
	if (content.kind === 'base') return `(${baseTable(found, content.relation)}) AS ${quoted(alias)}`;
	const named = `AS ${quoted(alias)} (${fields.map(({ printed }) => quoted(printed)).join(', ')})`;
	switch (content.kind) {
		case 'common':
			return `${quoted(known(resolved.commons.get(content.table), 'A common table').printed)} ${named}`;
		case 'query':
			return `${content.lateral ? 'LATERAL ' : ''}(${print.query(content.query)}) ${named}`;
		case 'unnest': {
			const { expressions, ordinality } = content.source;
			const values = expressions.map(print.expression).join(', ');
			return `UNNEST(${values})${ordinality ? ' WITH ORDINALITY' : ''} ${named}`;
		}
	}
	return unreachable(content);
}

function baseTable({ fields, used }: ResolvedSource, relation: Relation): string {
	const columns = fields.flatMap(({ origin }) => (origin.kind === 'base' ? [origin] : []));
	const granted = new Set(columns.filter((column) => column.granted).map((column) => column.column));
	const read = fields.flatMap((field) =>
		used.has(field) && field.origin.kind === 'base' ? [field.origin.column] : [],
	);
	const [first] = granted;
	const printed = read.length > 0 || first === undefined ? read : [first];
	if (printed.length === 0)
		throw new BrokerError('table-not-granted', `No column of ${ticked(relation.id)} is granted.`);
	const missing = printed.find((column) => !granted.has(column));
	if (missing !== undefined) {
		throw new BrokerError(
			'column-not-granted',
			`The column ${ticked(missing)} of ${ticked(relation.id)} is not granted.`,
		);
	}
	const filter = relation.rowFilter;
	const rows = filter !== null && columnsOf(filter).every((column) => granted.has(column.toLowerCase()));
	const where = rows ? ` WHERE ${printRowFilter(filter)}` : '';
	return `SELECT ${printed.map(quoted).join(', ')} FROM ${relation.printed.map(quoted).join('.')}${where}`;
}
