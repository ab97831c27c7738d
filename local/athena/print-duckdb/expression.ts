/** DuckDB's text of each expression, where the common form of SQL would not give what Trino gives. */
import { type Expression, isLiteral, quoted, stringText, type Target, targetOf, unreachable } from '#core/sql.ts';
import { arithmeticText } from './arithmetic.ts';
import { castText } from './cast.ts';
import { type Context, textAs } from './context.ts';
import { comparable } from './double.ts';
import { extractText, functionText } from './functions.ts';
import { literalText } from './literal.ts';
import { meetCompared } from './meet.ts';
import { isPredicate, predicateText } from './predicate.ts';
import { athenaOnly, fieldName, type Type, typeText } from './types.ts';
import { suffixOf } from './window.ts';

/** null: the common form. */
export function expressionText(e: Expression, context: Context): string | null {
	if (isLiteral(e)) return literalText(e, context.types.of(e));
	if (isPredicate(e)) return predicateText(e, context);
	const { types, print } = context;
	switch (e.kind) {
		case 'arithmetic':
			return arithmeticText(e, context);
		case 'case':
			return caseText(e, context);
		case 'cast':
			return castText(e, types.of(e.operand), print.expression(e.operand));
		case 'extract':
			return extractText(e, types.of(e.operand), print.expression(e.operand));
		case 'row':
			return `CAST(row(${e.items.map(print.expression).join(', ')}) AS ${typeText(types.of(e))})`;
		case 'array':
			return arrayText(e.items, types.of(e), context);
		case 'subscript':
			return subscriptText(e, context);
		case 'field':
			return `struct_extract(${print.expression(e.operand)}, ${stringText(e.name.text)})`;
		case 'lambda':
			return `lambda ${lambdaNames(e, context).map(quoted).join(', ')}: ${print.expression(e.body)}`;
		case 'at-zone':
			return textAs(e.operand, types.of(e), context);
		case 'grouping':
			return `CAST(grouping(${e.columns.map(print.expression).join(', ')}) AS ${typeText(types.of(e))})`;
		case 'call':
			return functionText(e, e.arguments.map(types.of), e.arguments.map(print.expression), suffixOf(e, print));
		case 'json-path':
			throw athenaOnly(e.at, e.name);
		case 'column':
			return parameterField(targetOf(context.resolved, e));
		case 'and':
		case 'or':
		case 'not':
		case 'negate':
		case 'concat':
		case 'exists':
		case 'is-null':
		case 'scalar-query':
			return null;
	}
	return unreachable(e);
}

/** In a query with aggregates DuckDB takes a parameter with a dot after it for a table. */
function parameterField(target: Target): string | null {
	if (target.kind !== 'part' || target.of.kind !== 'parameter') return null;
	return target.path.reduce((text, name) => `struct_extract(${text}, ${stringText(name)})`, quoted(target.of.printed));
}

function lambdaNames(e: Extract<Expression, { kind: 'lambda' }>, { resolved }: Context): readonly string[] {
	const names = resolved.lambdas.get(e);
	if (names === undefined) throw athenaOnly(e.at, 'a lambda without names');
	return names;
}

function caseText(e: Extract<Expression, { kind: 'case' }>, context: Context): string {
	const type = context.types.of(e);
	const { operand } = e;
	const branches = e.branches.map(({ when, value }) => {
		const condition = operand === null ? context.print.expression(when) : equality(operand, when, context);
		return `WHEN ${condition} THEN ${textAs(value, type, context)}`;
	});
	const otherwise = e.otherwise === null ? '' : ` ELSE ${textAs(e.otherwise, type, context)}`;
	return `(CASE ${branches.join(' ')}${otherwise} END)`;
}

function equality(left: Expression, right: Expression, context: Context): string {
	const both = meetCompared(right, [left, right].map(context.types.of));
	const [a, b] = [left, right].map((part) => comparable(textAs(part, both, context), context.types.of(part), part));
	return `(${a} = ${b})`;
}

function arrayText(items: readonly Expression[], type: Type, context: Context): string {
	const element: Type = type.kind === 'array' ? type.element : type;
	return `CAST([${items.map((item) => textAs(item, element, context)).join(', ')}] AS ${typeText(type)})`;
}

/** Trino ends the query at an index or key that is not there; DuckDB gives NULL and counts negative ones from the end. */
function subscriptText(e: Extract<Expression, { kind: 'subscript' }>, context: Context): string {
	const type = context.types.of(e.operand);
	const operand = context.print.expression(e.operand);
	if (type.kind === 'row') {
		const place = e.index.kind === 'integer' ? Number(e.index.value) - 1 : 0;
		const field = type.fields[place];
		return `struct_extract(${operand}, ${stringText(field === undefined ? '' : fieldName(field, place))})`;
	}
	const index = type.kind === 'map' ? textAs(e.index, type.key, context) : context.print.expression(e.index);
	const there = type.kind === 'map' ? `map_contains(${operand}, ${index})` : `${index} BETWEEN 1 AND len(${operand})`;
	return (
		`(CASE WHEN ${operand} IS NULL OR ${index} IS NULL THEN NULL ` +
		`WHEN ${there} THEN ${operand}[${index}] ELSE error('there is no such element') END)`
	);
}
