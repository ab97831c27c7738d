/** Expressions of the parse tree to the closed tree. A context without a handler here refuses the query. */
import type { ParserRuleContext } from 'antlr4ng';
import {
	AndContext,
	ArithmeticBinaryContext,
	ArithmeticUnaryContext,
	BetweenContext,
	BooleanLiteralContext,
	CastContext,
	ColumnReferenceContext,
	ComparisonContext,
	ConcatenationContext,
	DistinctFromContext,
	ExistsContext,
	ExpressionContext,
	ExtractContext,
	InListContext,
	InSubqueryContext,
	IntervalLiteralContext,
	LikeContext,
	LogicalNotContext,
	NullLiteralContext,
	NullPredicateContext,
	NumericLiteralContext,
	OrContext,
	ParenthesizedExpressionContext,
	PredicatedContext,
	type QueryContext,
	SearchedCaseContext,
	SimpleCaseContext,
	StringLiteralContext,
	SubqueryExpressionContext,
	TypeConstructorContext,
	ValueExpressionDefaultContext,
	type WhenClauseContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import type { ArithmeticOperator, ComparisonOperator, Expression, Query } from './ast.ts';
import { callHandlers } from './build-call.ts';
import { intervalLiteral, numberLiteral, stringValue, typedLiteral } from './build-literal.ts';
import { columnReference, identifier, typeName } from './build-name.ts';
import { type Claims, claim, notRead, positionOf } from './claims.ts';
import { extractFields } from './functions.ts';
import { type Builder, type Handler, on } from './handler.ts';
import { unsupported } from './refuse.ts';

const comparisons: ReadonlyMap<string, ComparisonOperator> = new Map([
	['=', '='],
	['<>', '<>'],
	['!=', '<>'],
	['<', '<'],
	['<=', '<='],
	['>', '>'],
	['>=', '>='],
]);

const arithmetic: ReadonlyMap<string, ArithmeticOperator> = new Map([
	['+', '+'],
	['-', '-'],
	['*', '*'],
	['/', '/'],
	['%', '%'],
]);

/** One builder for one tree; `query` reads the sub-queries it meets. */
export function expressionBuilder(claims: Claims, query: (context: QueryContext) => Query): Builder {
	const builder: Builder = {
		claims,
		sources: new Set(),
		query,
		expression(context) {
			const handler = handlers.get(context.constructor);
			if (handler === undefined) throw notRead(context);
			claim(claims, context);
			return handler(builder, context as never);
		},
	};
	return builder;
}

/** The operands of a left-deep chain of one context class, from the left; claims the inner links. */
function chain<C extends ParserRuleContext>(
	{ claims }: Builder,
	context: C,
	type: abstract new (...args: never[]) => C,
	sides: (link: C) => readonly [ParserRuleContext | null | undefined, ParserRuleContext | null | undefined],
	joins: (link: C) => boolean = () => true,
): readonly { readonly operand: ParserRuleContext; readonly link: C | null }[] {
	const operands: { operand: ParserRuleContext; link: C | null }[] = [];
	let link = context;
	for (;;) {
		const [left, right] = sides(link);
		if (left === null || left === undefined || right === null || right === undefined) throw notRead(link);
		operands.push({ operand: right, link });
		if (!(left instanceof type) || !joins(left)) {
			operands.push({ operand: left, link: null });
			return operands.toReversed();
		}
		claim(claims, left);
		link = left;
	}
}

function logical<C extends AndContext | OrContext>(
	kind: 'and' | 'or',
	type: abstract new (...args: never[]) => C,
): Handler<C> {
	return (b, context) => {
		const links = chain(b, context, type, (link) => [link.booleanExpression(0), link.booleanExpression(1)]);
		return { kind, operands: links.map(({ operand }) => b.expression(operand)), at: positionOf(context) };
	};
}

function concatenation(b: Builder, context: ConcatenationContext): Expression {
	const links = chain(b, context, ConcatenationContext, ({ _left: left, _right: right }) => [left, right]);
	return { kind: 'concat', operands: links.map(({ operand }) => b.expression(operand)), at: positionOf(context) };
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
	const [first, ...rest] = chain(
		b,
		context,
		ArithmeticBinaryContext,
		({ _left: left, _right: right }) => [left, right],
		(link) => isSum(link) === sum,
	);
	if (first === undefined) throw notRead(context);
	return {
		kind: 'arithmetic',
		first: b.expression(first.operand),
		rest: rest.map(({ operand, link }) => ({ operator: operatorOf(link ?? context), operand: b.expression(operand) })),
		at: positionOf(context),
	};
}

function unary(b: Builder, context: ArithmeticUnaryContext): Expression {
	const operand = b.expression(context.valueExpression());
	// Without its sign the number would become a place in the select list, in ORDER BY and GROUP BY.
	if (context.MINUS() === null && operand.kind === 'integer') {
		throw unsupported(positionOf(context), 'Write a whole number without a plus sign.');
	}
	return context.MINUS() === null ? operand : { kind: 'negate', operand, at: positionOf(context) };
}

/** A value and the predicate on it, which the grammar writes as two siblings. */
function predicated(b: Builder, context: PredicatedContext): Expression {
	const predicate = context.predicate();
	const value = b.expression(context.valueExpression());
	if (predicate === null) return value;
	claim(b.claims, predicate);
	const at = positionOf(context);
	if (predicate instanceof ComparisonContext) {
		claim(b.claims, predicate.comparisonOperator());
		const operator = comparisons.get(predicate.comparisonOperator().getText());
		if (operator === undefined) throw notRead(predicate);
		return { kind: 'compare', operator, left: value, right: b.expression(predicate.valueExpression()), at };
	}
	if (predicate instanceof NullPredicateContext) {
		return { kind: 'is-null', operand: value, negated: predicate.KW_NOT() !== null, at };
	}
	if (predicate instanceof DistinctFromContext) {
		const right = b.expression(predicate.valueExpression());
		return { kind: 'distinct-from', left: value, right, negated: predicate.KW_NOT() !== null, at };
	}
	if (predicate instanceof InSubqueryContext) {
		const query = b.query(predicate.query());
		return { kind: 'in-query', operand: value, query, negated: predicate.KW_NOT() !== null, at };
	}
	if (predicate instanceof InListContext) {
		const items = predicate.expression().map((item) => b.expression(item));
		return { kind: 'in-list', operand: value, items, negated: predicate.KW_NOT() !== null, at };
	}
	return rangeOrPattern(b, value, predicate);
}

function rangeOrPattern(b: Builder, operand: Expression, predicate: ParserRuleContext): Expression {
	const { at } = operand;
	if (predicate instanceof BetweenContext) {
		const [low, high] = predicate.valueExpression().map((bound) => b.expression(bound));
		if (low === undefined || high === undefined) throw notRead(predicate);
		return { kind: 'between', operand, low, high, negated: predicate.KW_NOT() !== null, at };
	}
	if (predicate instanceof LikeContext) {
		const [pattern, escape = null] = predicate.valueExpression().map((part) => b.expression(part));
		if (pattern === undefined) throw notRead(predicate);
		return { kind: 'like', operand, pattern, escape, negated: predicate.KW_NOT() !== null, at };
	}
	throw notRead(predicate);
}

function branches(b: Builder, clauses: readonly WhenClauseContext[]) {
	return clauses.map((clause) => {
		claim(b.claims, clause);
		const [when, value] = clause.expression().map((part) => b.expression(part));
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
	if (!extractFields.has(field.text)) throw unsupported(field.at, `The field ${field.text} is not supported.`);
	return {
		kind: 'extract',
		field: field.text,
		operand: b.expression(context.valueExpression()),
		at: positionOf(context),
	};
}

function booleanLiteral(b: Builder, context: BooleanLiteralContext): Expression {
	claim(b.claims, context.booleanValue());
	return { kind: 'boolean', value: context.booleanValue().KW_TRUE() !== null, at: positionOf(context) };
}

const handlers: ReadonlyMap<unknown, Handler> = new Map([
	on(ExpressionContext, (b, context) => b.expression(context.booleanExpression())),
	on(PredicatedContext, predicated),
	on(LogicalNotContext, (b, context) => ({
		kind: 'not',
		operand: b.expression(context.booleanExpression()),
		at: positionOf(context),
	})),
	on(AndContext, logical('and', AndContext)),
	on(OrContext, logical('or', OrContext)),
	on(ValueExpressionDefaultContext, (b, context) => b.expression(context.primaryExpression())),
	on(ParenthesizedExpressionContext, (b, context) => b.expression(context.expression())),
	on(ConcatenationContext, concatenation),
	on(ArithmeticBinaryContext, arithmeticChain),
	on(ArithmeticUnaryContext, unary),
	on(ColumnReferenceContext, (b, context) => columnReference(b.claims, context.columnName())),
	on(NumericLiteralContext, (b, context) => numberLiteral(b.claims, context.number())),
	on(BooleanLiteralContext, booleanLiteral),
	on(NullLiteralContext, (_b, context) => ({ kind: 'null', at: positionOf(context) })),
	on(TypeConstructorContext, (b, context) => typedLiteral(b.claims, context)),
	on(IntervalLiteralContext, (b, context) => intervalLiteral(b.claims, context.interval())),
	on(StringLiteralContext, (b, context) => ({
		kind: 'string',
		value: stringValue(b.claims, context.string()),
		at: positionOf(context),
	})),
	on(SubqueryExpressionContext, (b, context) => ({
		kind: 'scalar-query',
		query: b.query(context.query()),
		at: positionOf(context),
	})),
	on(ExistsContext, (b, context) => ({ kind: 'exists', query: b.query(context.query()), at: positionOf(context) })),
	on(SimpleCaseContext, caseOf),
	on(SearchedCaseContext, caseOf),
	on(CastContext, cast),
	on(ExtractContext, extract),
	...callHandlers,
]);
