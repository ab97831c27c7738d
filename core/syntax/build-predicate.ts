/** Conditions of the parse tree: a value and the predicate on it, which the grammar writes as two siblings. */
import type { ParserRuleContext } from 'antlr4ng';
import {
	AndContext,
	BetweenContext,
	ComparisonContext,
	type ComparisonOperatorContext,
	DistinctFromContext,
	ExistsContext,
	InListContext,
	InSubqueryContext,
	LikeContext,
	LogicalNotContext,
	NullPredicateContext,
	OrContext,
	PredicatedContext,
	QuantifiedComparisonContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import type { ComparisonOperator, Expression } from '../sql.ts';
import { chainOf } from './chain.ts';
import { claim, notRead, positionOf } from './claims.ts';
import { all, type Builder, type Handler, on } from './handler.ts';

const comparisons: ReadonlyMap<string, ComparisonOperator> = new Map([
	['=', '='],
	['<>', '<>'],
	['!=', '<>'],
	['<', '<'],
	['<=', '<='],
	['>', '>'],
	['>=', '>='],
]);

function logical<C extends AndContext | OrContext>(
	kind: 'and' | 'or',
	type: abstract new (...args: never[]) => C,
): Handler<C> {
	return (b, context) => {
		const { first, rest } = chainOf(b, context, type, (link) => link.booleanExpression());
		return { kind, operands: all(b, [first, ...rest.map(({ operand }) => operand)]), at: positionOf(context) };
	};
}

function operatorOf(b: Builder, context: ComparisonOperatorContext): ComparisonOperator {
	claim(b.claims, context);
	const operator = comparisons.get(context.getText());
	if (operator === undefined) throw notRead(context);
	return operator;
}

function predicated(b: Builder, context: PredicatedContext): Expression {
	const predicate = context.predicate();
	const operand = b.expression(context.valueExpression());
	if (predicate === null) return operand;
	claim(b.claims, predicate);
	const at = positionOf(context);
	if (predicate instanceof ComparisonContext) {
		const operator = operatorOf(b, predicate.comparisonOperator());
		return { kind: 'compare', operator, left: operand, right: b.expression(predicate.valueExpression()), at };
	}
	if (predicate instanceof QuantifiedComparisonContext) return quantified(b, operand, predicate);
	if (predicate instanceof NullPredicateContext) {
		return { kind: 'is-null', operand, negated: predicate.KW_NOT() !== null, at };
	}
	if (predicate instanceof DistinctFromContext) {
		const right = b.expression(predicate.valueExpression());
		return { kind: 'distinct-from', left: operand, right, negated: predicate.KW_NOT() !== null, at };
	}
	return membership(b, operand, predicate);
}

function quantified(b: Builder, operand: Expression, predicate: QuantifiedComparisonContext): Expression {
	const quantifier = predicate.comparisonQuantifier();
	claim(b.claims, quantifier);
	return {
		kind: 'quantified',
		operator: operatorOf(b, predicate.comparisonOperator()),
		quantifier: quantifier.KW_ALL() === null ? 'any' : 'all',
		operand,
		query: b.query(predicate.query()),
		at: operand.at,
	};
}

function membership(b: Builder, operand: Expression, predicate: ParserRuleContext): Expression {
	const { at } = operand;
	if (predicate instanceof InSubqueryContext) {
		return { kind: 'in-query', operand, query: b.query(predicate.query()), negated: predicate.KW_NOT() !== null, at };
	}
	if (predicate instanceof InListContext) {
		return {
			kind: 'in-list',
			operand,
			items: all(b, predicate.expression()),
			negated: predicate.KW_NOT() !== null,
			at,
		};
	}
	if (predicate instanceof BetweenContext) {
		const [low, high] = all(b, predicate.valueExpression());
		if (low === undefined || high === undefined) throw notRead(predicate);
		return { kind: 'between', operand, low, high, negated: predicate.KW_NOT() !== null, at };
	}
	if (predicate instanceof LikeContext) {
		const [pattern, escape = null] = all(b, predicate.valueExpression());
		if (pattern === undefined) throw notRead(predicate);
		return { kind: 'like', operand, pattern, escape, negated: predicate.KW_NOT() !== null, at };
	}
	throw notRead(predicate);
}

export const predicateHandlers = [
	on(PredicatedContext, predicated),
	on(LogicalNotContext, (b, context) => ({
		kind: 'not',
		operand: b.expression(context.booleanExpression()),
		at: positionOf(context),
	})),
	on(AndContext, logical('and', AndContext)),
	on(OrContext, logical('or', OrContext)),
	on(ExistsContext, (b, context) => ({ kind: 'exists', query: b.query(context.query()), at: positionOf(context) })),
];
