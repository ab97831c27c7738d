/** Expressions of the parse tree to the closed tree. A context without a handler here refuses the query. */
import type { ParserRuleContext } from 'antlr4ng';
import {
	BinaryLiteralContext,
	BooleanLiteralContext,
	ColumnReferenceContext,
	ExpressionContext,
	IntervalLiteralContext,
	NullLiteralContext,
	NumericLiteralContext,
	ParenthesizedExpressionContext,
	type QueryContext,
	StringLiteralContext,
	TypeConstructorContext,
	ValueExpressionDefaultContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { bounds, type Expression, type Query, tooLarge } from '../sql.ts';
import { callHandlers } from './build-call.ts';
import { jsonHandlers } from './build-json.ts';
import { binaryLiteral, intervalLiteral, numberLiteral, stringLiteral } from './build-literal.ts';
import { columnReference } from './build-name.ts';
import { predicateHandlers } from './build-predicate.ts';
import { typedLiteral } from './build-typed.ts';
import { valueHandlers } from './build-value.ts';
import { claim, newClaims, notRead, positionOf } from './claims.ts';
import { type Builder, type Handler, on } from './handler.ts';

/** One builder for one tree; `query` reads the sub-queries it meets. */
export function newBuilder(query: (b: Builder, context: QueryContext) => Query): Builder {
	let depth = 0;
	const builder: Builder = {
		claims: newClaims(),
		sources: new Set(),
		query: (context) => query(builder, context),
		expression(context) {
			const handler = handlers.get(context.constructor);
			if (handler === undefined) throw notRead(context);
			claim(builder.claims, context);
			depth += 1;
			if (depth > bounds.expressionDepth) throw tooDeep(context);
			const read = handler(builder, context as never);
			depth -= 1;
			return read;
		},
	};
	return builder;
}

function tooDeep(context: ParserRuleContext): Error {
	const sentence = `An expression may have at most ${bounds.expressionDepth} parts inside each other.`;
	return tooLarge(positionOf(context), sentence);
}

function booleanLiteral(b: Builder, context: BooleanLiteralContext): Expression {
	claim(b.claims, context.booleanValue());
	return { kind: 'boolean', value: context.booleanValue().KW_TRUE() !== null, at: positionOf(context) };
}

const handlers: ReadonlyMap<unknown, Handler> = new Map([
	on(ExpressionContext, (b, context) => b.expression(context.booleanExpression())),
	on(ValueExpressionDefaultContext, (b, context) => b.expression(context.primaryExpression())),
	on(ParenthesizedExpressionContext, (b, context) => b.expression(context.expression())),
	on(ColumnReferenceContext, (b, context) => columnReference(b.claims, context.columnName())),
	on(NumericLiteralContext, (b, context) => numberLiteral(b.claims, context.number())),
	on(BooleanLiteralContext, booleanLiteral),
	on(NullLiteralContext, (_b, context) => ({ kind: 'null', at: positionOf(context) })),
	on(BinaryLiteralContext, (_b, context) => binaryLiteral(context)),
	on(TypeConstructorContext, typedLiteral),
	on(IntervalLiteralContext, (b, context) => intervalLiteral(b.claims, context.interval())),
	on(StringLiteralContext, (b, context) => stringLiteral(b.claims, context.string())),
	...predicateHandlers,
	...valueHandlers,
	...callHandlers,
	...jsonHandlers,
]);
