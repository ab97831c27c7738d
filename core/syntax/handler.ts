/** What a handler of one context class gets and gives; the table of handlers is closed by its keys. */
import type { ParserRuleContext } from 'antlr4ng';
import type { QueryContext } from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import type { Expression, Query } from '../sql.ts';
import type { Claims } from './claims.ts';

export type Builder = {
	readonly claims: Claims;
	/** The tables and sub-queries of FROM met so far. */
	readonly sources: Set<ParserRuleContext>;
	readonly expression: (context: ParserRuleContext) => Expression;
	readonly query: (context: QueryContext) => Query;
};

/** The context is already claimed; the handler claims the ones below it that it reads itself. */
export type Handler<C extends ParserRuleContext = never> = (builder: Builder, context: C) => Expression;

export function on<C extends ParserRuleContext>(
	type: abstract new (...args: never[]) => C,
	handler: Handler<C>,
): readonly [unknown, Handler] {
	return [type, handler];
}

export function all(b: Builder, contexts: readonly ParserRuleContext[]): readonly Expression[] {
	return contexts.map((context) => b.expression(context));
}
