/** Values of the parse tree: operators, CASE, CAST, rows, arrays, fields and sub-queries. */
import {
	ArithmeticBinaryContext,
	ArithmeticUnaryContext,
	ArrayConstructorContext,
	AtTimeZoneContext,
	CastContext,
	ConcatenationContext,
	DereferenceContext,
	ExtractContext,
	GroupingOperationContext,
	RowConstructorContext,
	SearchedCaseContext,
	SimpleCaseContext,
	SubqueryExpressionContext,
	SubscriptContext,
	TimeZoneIntervalContext,
	type TimeZoneSpecifierContext,
	TimeZoneStringContext,
	type WhenClauseContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { type ArithmeticOperator, type Expression, extractFields, unsupported } from '../sql.ts';
import { intervalLiteral, stringLiteral } from './build-literal.ts';
import { columnOf, identifier, qualifiedName, visible } from './build-name.ts';
import { typeName } from './build-type.ts';
import { chainOf } from './chain.ts';
import { claim, notRead, positionOf } from './claims.ts';
import { all, type Builder, on } from './handler.ts';

const arithmetic: ReadonlyMap<string, ArithmeticOperator> = new Map([
	['+', '+'],
	['-', '-'],
	['*', '*'],
	['/', '/'],
	['%', '%'],
]);

function concatenation(b: Builder, context: ConcatenationContext): Expression {
	const { first, rest } = chainOf(b, context, ConcatenationContext, ({ _left: left, _right: right }) => [left, right]);
	return { kind: 'concat', operands: all(b, [first, ...rest.map(({ operand }) => operand)]), at: positionOf(context) };
}

function operatorOf(context: ArithmeticBinaryContext): ArithmeticOperator {
	const { _operator: written } = context;
	const operator = arithmetic.get(written?.text ?? '');
	if (operator === undefined) throw notRead(context);
	return operator;
}

function isSum(context: ArithmeticBinaryContext): boolean {
	return operatorOf(context) === '+' || operatorOf(context) === '-';
}

function arithmeticChain(b: Builder, context: ArithmeticBinaryContext): Expression {
	const sum = isSum(context);
	const { first, rest } = chainOf(
		b,
		context,
		ArithmeticBinaryContext,
		({ _left: left, _right: right }) => [left, right],
		(link) => isSum(link) === sum,
	);
	return {
		kind: 'arithmetic',
		first: b.expression(first),
		rest: rest.map(({ operand, link }) => ({ operator: operatorOf(link), operand: b.expression(operand) })),
		at: positionOf(context),
	};
}

function unary(b: Builder, context: ArithmeticUnaryContext): Expression {
	const operand = b.expression(context.valueExpression());
	// Without its sign the number would become an ordinal, in ORDER BY and GROUP BY.
	// Dropped before a column, it would give the value the column's name, which it has not in Trino.
	if (context.MINUS() === null && operand.kind !== 'decimal' && operand.kind !== 'double') {
		throw unsupported(positionOf(context), 'Leave out the plus sign.');
	}
	return context.MINUS() === null ? operand : { kind: 'negate', operand, at: positionOf(context) };
}

function branches(b: Builder, clauses: readonly WhenClauseContext[]) {
	return clauses.map((clause) => {
		claim(b.claims, clause);
		const [when, value] = all(b, clause.expression());
		if (when === undefined || value === undefined) throw notRead(clause);
		return { when, value };
	});
}

function operandOf(context: SearchedCaseContext | SimpleCaseContext) {
	if (!(context instanceof SimpleCaseContext)) return undefined;
	const { _operand: operand } = context;
	return operand;
}

function caseOf(b: Builder, context: SearchedCaseContext | SimpleCaseContext): Expression {
	const { _elseExpression: otherwise } = context;
	const operand = operandOf(context);
	return {
		kind: 'case',
		operand: operand === undefined ? null : b.expression(operand),
		branches: branches(b, context.whenClause()),
		otherwise: otherwise === undefined ? null : b.expression(otherwise),
		at: positionOf(context),
	};
}

function cast(b: Builder, context: CastContext): Expression {
	const operand = b.expression(context.expression());
	const type = typeName(b.claims, context.type());
	return { kind: 'cast', operand, type, safe: context.KW_TRY_CAST() !== null, at: positionOf(context) };
}

function extract(b: Builder, context: ExtractContext): Expression {
	const field = identifier(b.claims, context.identifier());
	if (!extractFields.has(field.text)) {
		throw unsupported(
			field.at,
			`The field ${field.text} is not supported. Use one of ${[...extractFields].join(', ')}.`,
		);
	}
	const operand = b.expression(context.valueExpression());
	return { kind: 'extract', field: field.text, operand, at: positionOf(context) };
}

function subscript(b: Builder, context: SubscriptContext): Expression {
	const operand = b.expression(context.primaryExpression());
	return { kind: 'subscript', operand, index: b.expression(context.valueExpression()), at: positionOf(context) };
}

/** a.b.c is one name, and so is (a).b: parentheses mean nothing. f(x).b is a field of a value that no name stands for. */
function dereference(b: Builder, context: DereferenceContext): Expression {
	const operand = b.expression(context.primaryExpression());
	const name = visible(identifier(b.claims, context.identifier()));
	const { at } = operand;
	if (operand.kind === 'column') {
		return columnOf([...operand.parts.map((text) => ({ text, at })), name]);
	}
	return { kind: 'field', operand, name, at: positionOf(context) };
}

function atZone(b: Builder, context: AtTimeZoneContext): Expression {
	const operand = b.expression(context.valueExpression());
	return { kind: 'at-zone', operand, zone: zoneOf(b, context.timeZoneSpecifier()), at: positionOf(context) };
}

function zoneOf(b: Builder, context: TimeZoneSpecifierContext): Expression {
	claim(b.claims, context);
	if (context instanceof TimeZoneIntervalContext) return intervalLiteral(b.claims, context.interval());
	if (context instanceof TimeZoneStringContext) return stringLiteral(b.claims, context.string());
	throw notRead(context);
}

function grouping(b: Builder, context: GroupingOperationContext): Expression {
	const columns = context.qualifiedName().map((name) => columnOf(qualifiedName(b.claims, name)));
	return { kind: 'grouping', columns, at: positionOf(context) };
}

export const valueHandlers = [
	on(ConcatenationContext, concatenation),
	on(ArithmeticBinaryContext, arithmeticChain),
	on(ArithmeticUnaryContext, unary),
	on(AtTimeZoneContext, atZone),
	on(SimpleCaseContext, caseOf),
	on(SearchedCaseContext, caseOf),
	on(CastContext, cast),
	on(ExtractContext, extract),
	on(SubscriptContext, subscript),
	on(DereferenceContext, dereference),
	on(GroupingOperationContext, grouping),
	on(RowConstructorContext, (b, context) => ({
		kind: 'row',
		items: all(b, context.expression()),
		at: positionOf(context),
	})),
	on(ArrayConstructorContext, (b, context) => ({
		kind: 'array',
		items: all(b, context.expression()),
		at: positionOf(context),
	})),
	on(SubqueryExpressionContext, (b, context) => ({
		kind: 'scalar-query',
		query: b.query(context.query()),
		at: positionOf(context),
	})),
];
