/** The common form of expressions, windows and orders. */
import type { Call, Expression, Frame, FrameBound, SortItem, Window } from './ast.ts';
import type { Print, Surface } from './print.ts';
import { literalText, quoted, stringText, typeText } from './print-literal.ts';
import { invalid, unreachable } from './refuse.ts';
import { isLiteral } from './walk.ts';

export { quoted, stringText, typeText } from './print-literal.ts';

type Names = Pick<Surface, 'reference' | 'parameters'>;

export function commonText(e: Expression, names: Names, print: Print): string {
	const p = print.expression;
	if (isLiteral(e)) return literalText(e);
	switch (e.kind) {
		case 'column':
			return names.reference(e, print);
		case 'not':
			return `(NOT ${p(e.operand)})`;
		case 'negate':
			// `- 1` would be one literal: an ordinal in GROUP BY, a number of another type.
			return isLiteral(e.operand) ? `(- (${p(e.operand)}))` : `(- ${p(e.operand)})`;
		case 'and':
		case 'or':
			return `(${e.operands.map(p).join(e.kind === 'and' ? ' AND ' : ' OR ')})`;
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
		case 'call':
			return callText(e, print);
		case 'lambda':
			return `(${names.parameters(e).map(quoted).join(', ')}) -> ${p(e.body)}`;
		case 'cast':
		case 'extract':
		case 'row':
		case 'array':
		case 'subscript':
		case 'field':
		case 'at-zone':
		case 'grouping':
		case 'json-path':
			return valueText(e, p);
		case 'compare':
		case 'quantified':
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

type Value = Extract<
	Expression,
	{ kind: 'cast' | 'extract' | 'row' | 'array' | 'subscript' | 'field' | 'at-zone' | 'grouping' | 'json-path' }
>;

function valueText(e: Value, p: Print['expression']): string {
	switch (e.kind) {
		case 'cast':
			return `${e.safe ? 'TRY_CAST' : 'CAST'}(${p(e.operand)} AS ${typeText(e.type)})`;
		case 'extract':
			return `EXTRACT(${e.field.toUpperCase()} FROM ${p(e.operand)})`;
		case 'row':
			return `ROW(${e.items.map(p).join(', ')})`;
		case 'array':
			return `ARRAY[${e.items.map(p).join(', ')}]`;
		case 'subscript':
			return `${p(e.operand)}[${p(e.index)}]`;
		case 'field':
			return `${e.operand.kind === 'scalar-query' ? p(e.operand) : `(${p(e.operand)})`}.${quoted(e.name.text)}`;
		case 'at-zone':
			return `(${p(e.operand)} AT TIME ZONE ${p(e.zone)})`;
		case 'grouping':
			return `GROUPING(${e.columns.map(p).join(', ')})`;
		case 'json-path': {
			const returning = e.returning === null ? '' : ` RETURNING ${typeText(e.returning)}`;
			return `${e.name.toUpperCase()}(${p(e.operand)}, ${stringText(e.path)}${returning})`;
		}
	}
	return unreachable(e);
}

type Predicate = Extract<
	Expression,
	{ kind: 'compare' | 'quantified' | 'distinct-from' | 'between' | 'in-list' | 'in-query' | 'like' | 'is-null' }
>;

function predicateText(e: Predicate, print: Print): string {
	const p = print.expression;
	const not = 'negated' in e && e.negated ? 'NOT ' : '';
	switch (e.kind) {
		case 'compare':
			return `${p(e.left)} ${e.operator} ${p(e.right)}`;
		case 'quantified':
			return `${p(e.operand)} ${e.operator} ${e.quantifier.toUpperCase()} (${print.query(e.query)})`;
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

function callText(e: Call, print: Print): string {
	if (e.bare) return e.name;
	return plainCall(e, print) + callSuffix(e, print);
}

/** What follows the parentheses of a call: FILTER, the treatment of NULLs, OVER. */
function callSuffix({ filter, nulls, over }: Call, print: Print): string {
	const parts = [
		filter === null ? '' : ` FILTER (WHERE ${print.expression(filter)})`,
		nulls === null ? '' : ` ${nulls.toUpperCase()} NULLS`,
	];
	if (over !== null) parts.push(` OVER ${over.kind === 'window' ? windowText(over, print) : quoted(over.name)}`);
	return parts.join('');
}

/** TRIM with what to take away has words of its own, and a name as the form of NORMALIZE. */
function plainCall(e: Call, print: Print): string {
	const p = print.expression;
	const [first, second] = e.arguments;
	const order = e.orderBy.map((item) => sortText(item, p(item.expression))).join(', ');
	if (first !== undefined && second !== undefined) {
		const side = { ltrim: 'LEADING', rtrim: 'TRAILING', trim: 'BOTH' }[e.name];
		if (side !== undefined) return `TRIM(${side} ${p(second)} FROM ${p(first)})`;
		if (e.name === 'normalize') return `NORMALIZE(${p(first)}, ${normalForm(second)})`;
	}
	const inner = e.star ? '*' : (e.distinct ? 'DISTINCT ' : '') + e.arguments.map(p).join(', ');
	if (e.name === 'listagg') return `LISTAGG(${inner}) WITHIN GROUP (ORDER BY ${order})`;
	return `${e.name}(${inner}${order === '' ? '' : `${inner === '' ? '' : ' '}ORDER BY ${order}`})`;
}

function normalForm(e: Expression): string {
	if (e.kind === 'string' && /^NFK?[CD]$/.test(e.value)) return e.value;
	throw invalid(e.at, 'The form of NORMALIZE is NFC, NFD, NFKC or NFKD.');
}

/** Trino's NULLs are last in both directions unless the text says otherwise. */
export function sortText({ descending, nulls }: SortItem, key: string): string {
	return `${key} ${descending ? 'DESC' : 'ASC'} NULLS ${nulls === 'first' ? 'FIRST' : 'LAST'}`;
}

/** With its parentheses. */
export function windowText({ base, partitionBy, orderBy, frame }: Window, print: Print): string {
	const p = print.expression;
	const clauses = [
		base === null ? '' : quoted(base.text),
		partitionBy.length === 0 ? '' : `PARTITION BY ${partitionBy.map(p).join(', ')}`,
		orderBy.length === 0 ? '' : `ORDER BY ${orderBy.map((item) => sortText(item, p(item.expression))).join(', ')}`,
		frame === null ? '' : frameText(frame, print),
	];
	return `(${clauses.filter((clause) => clause !== '').join(' ')})`;
}

function frameText({ unit, start, end }: Frame, print: Print): string {
	const bounds =
		end === null ? boundText(start, print) : `BETWEEN ${boundText(start, print)} AND ${boundText(end, print)}`;
	return `${unit.toUpperCase()} ${bounds}`;
}

function boundText(bound: FrameBound, print: Print): string {
	const words = bound.kind.replace('-', ' ').toUpperCase();
	return 'value' in bound ? `${print.expression(bound.value)} ${words}` : words;
}
