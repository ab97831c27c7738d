/**
 * The one tree printer. What stands outside the common form of SQL comes from a `Surface`: how names are written, and
 * which expressions a dialect writes its own way. Everything compound is in parentheses, so that no dialect's precedence
 * matters; nothing is copied from the text a query was read from.
 */
import {
	type ColumnReference,
	type Expression,
	isLiteral,
	type Join,
	type Literal,
	type Query,
	type SortItem,
	type Source,
	type TypeName,
} from './ast.ts';
import { unreachable } from './refuse.ts';

export type Surface = {
	/** The dialect's own text for an expression; null for the common form. */
	readonly expression: (e: Expression, print: Print) => string | null;
	readonly reference: (e: ColumnReference, print: Print) => string;
	readonly selectList: (query: Query, print: Print) => readonly string[];
	readonly source: (source: Exclude<Source, { kind: 'joins' }>, print: Print) => string;
	/** What follows the right side of a join: ON or USING. */
	readonly condition: (join: Join, print: Print) => string;
	readonly sortKey: (item: SortItem, print: Print) => string;
	readonly rows: (query: Query) => string;
};

/** A printer in use: the pieces call each other through it. */
export type Print = {
	readonly expression: (e: Expression) => string;
	readonly query: (query: Query) => string;
};

export function quoted(name: string): string {
	return `"${name.replaceAll('"', '""')}"`;
}

export function stringText(value: string): string {
	return `'${value.replaceAll("'", "''")}'`;
}

export function printer(surface: Surface): Print {
	const print: Print = {
		expression: (e) => surface.expression(e, print) ?? common(e, surface, print),
		query: (query) => printQuery(query, surface, print),
	};
	return print;
}

function printQuery(query: Query, surface: Surface, print: Print): string {
	const order = query.orderBy.map((item) => {
		const nulls = item.nulls === 'first' ? 'FIRST' : 'LAST';
		return `${surface.sortKey(item, print)} ${item.descending ? 'DESC' : 'ASC'} NULLS ${nulls}`;
	});
	return [
		query.distinct ? 'SELECT DISTINCT' : 'SELECT',
		surface.selectList(query, print).join(', '),
		query.from.length === 0 ? '' : `FROM ${query.from.map((source) => printSource(source, surface, print)).join(', ')}`,
		query.where === null ? '' : `WHERE ${print.expression(query.where)}`,
		query.groupBy.length === 0 ? '' : `GROUP BY ${query.groupBy.map((term) => groupKey(term, print)).join(', ')}`,
		query.having === null ? '' : `HAVING ${print.expression(query.having)}`,
		order.length === 0 ? '' : `ORDER BY ${order.join(', ')}`,
		surface.rows(query),
	]
		.filter((clause) => clause !== '')
		.join(' ');
}

/** An integer alone is a place in the select list, in every dialect. */
function groupKey(term: Expression, print: Print): string {
	return term.kind === 'integer' ? String(term.value) : print.expression(term);
}

const joinWords = { inner: 'JOIN', left: 'LEFT JOIN', right: 'RIGHT JOIN', full: 'FULL JOIN', cross: 'CROSS JOIN' };

function printSource(source: Source, surface: Surface, print: Print): string {
	if (source.kind !== 'joins') return surface.source(source, print);
	const rest = source.rest.map((join) => {
		const right = printSource(join.right, surface, print);
		return `${joinWords[join.type]} ${join.right.kind === 'joins' ? `(${right})` : right}${surface.condition(join, print)}`;
	});
	const first = printSource(source.first, surface, print);
	return [source.first.kind === 'joins' ? `(${first})` : first, ...rest].join(' ');
}

function common(e: Expression, surface: Surface, print: Print): string {
	const p = print.expression;
	if (isLiteral(e)) return literalText(e);
	switch (e.kind) {
		case 'column':
			return surface.reference(e, print);
		case 'not':
			return `(NOT ${p(e.operand)})`;
		case 'negate':
			return `(- ${p(e.operand)})`;
		case 'and':
			return `(${e.operands.map(p).join(' AND ')})`;
		case 'or':
			return `(${e.operands.map(p).join(' OR ')})`;
		case 'concat':
			return `(${e.operands.map(p).join(' || ')})`;
		case 'arithmetic':
			return `(${[p(e.first), ...e.rest.map(({ operator, operand }) => `${operator} ${p(operand)}`)].join(' ')})`;
		case 'scalar-query':
			return `(${print.query(e.query)})`;
		case 'exists':
			return `EXISTS (${print.query(e.query)})`;
		case 'case':
			return caseText(e, p);
		case 'cast':
			return `${e.safe ? 'TRY_CAST' : 'CAST'}(${p(e.operand)} AS ${typeText(e.type)})`;
		case 'extract':
			return `EXTRACT(${e.field.toUpperCase()} FROM ${p(e.operand)})`;
		case 'call':
			return callText(e, p);
		case 'compare':
		case 'distinct-from':
		case 'between':
		case 'in-list':
		case 'in-query':
		case 'like':
		case 'is-null':
			return `(${predicateText(e, print)})`;
	}
	return unreachable(e);
}

type Predicate = Extract<
	Expression,
	{ kind: 'compare' | 'distinct-from' | 'between' | 'in-list' | 'in-query' | 'like' | 'is-null' }
>;

function predicateText(e: Predicate, print: Print): string {
	const p = print.expression;
	const not = e.kind !== 'compare' && e.negated ? 'NOT ' : '';
	switch (e.kind) {
		case 'compare':
			return `${p(e.left)} ${e.operator} ${p(e.right)}`;
		case 'distinct-from':
			return `${p(e.left)} IS ${not}DISTINCT FROM ${p(e.right)}`;
		case 'between':
			return `${p(e.operand)} ${not}BETWEEN ${p(e.low)} AND ${p(e.high)}`;
		case 'in-list':
			return `${p(e.operand)} ${not}IN (${e.items.map(p).join(', ')})`;
		case 'in-query':
			return `${p(e.operand)} ${not}IN (${print.query(e.query)})`;
		case 'like':
			return `${p(e.operand)} ${not}LIKE ${p(e.pattern)}${e.escape === null ? '' : ` ESCAPE ${p(e.escape)}`}`;
		case 'is-null':
			return `${p(e.operand)} IS ${not}NULL`;
	}
	return unreachable(e);
}

function caseText(e: Extract<Expression, { kind: 'case' }>, p: Print['expression']): string {
	const branches = e.branches.map(({ when, value }) => `WHEN ${p(when)} THEN ${p(value)}`);
	const operand = e.operand === null ? [] : [p(e.operand)];
	const otherwise = e.otherwise === null ? [] : [`ELSE ${p(e.otherwise)}`];
	return `(${['CASE', ...operand, ...branches, ...otherwise, 'END'].join(' ')})`;
}

function callText(e: Extract<Expression, { kind: 'call' }>, p: Print['expression']): string {
	if (e.bare) return e.name;
	const inner = e.star ? '*' : e.arguments.map(p).join(', ');
	return `${e.name}(${e.distinct ? 'DISTINCT ' : ''}${inner})`;
}

export function typeText({ name, parameters }: TypeName): string {
	const upper = name.toUpperCase();
	return parameters.length === 0 ? upper : `${upper}(${parameters.join(', ')})`;
}

export function literalText(e: Literal): string {
	switch (e.kind) {
		case 'integer':
			return e.value < 0n ? `(${e.value})` : String(e.value);
		// Athena reads 1.5 as a double; only with its type is it a decimal in every engine.
		case 'decimal':
			return `DECIMAL ${stringText(e.text)}`;
		case 'double':
			return e.text.startsWith('-') ? `(${e.text})` : e.text;
		case 'string':
			return stringText(e.value);
		case 'boolean':
			return e.value ? 'TRUE' : 'FALSE';
		case 'null':
			return 'NULL';
		case 'date':
			return `DATE ${stringText(e.value)}`;
		case 'timestamp':
			return `TIMESTAMP ${stringText(e.value)}`;
		case 'interval':
			return `INTERVAL ${e.negative ? '- ' : ''}${stringText(e.value)} ${e.unit.toUpperCase()}`;
	}
	return unreachable(e);
}
