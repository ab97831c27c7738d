/**
 * One text to the closed tree.
 *
 * Only a query followed by the end of the text is taken (the grammar's `program` needs no separator between
 * statements). A context that no handler reads refuses the query.
 */
import {
	type QueryContext,
	type SingleStatementContext,
	type StandaloneExpressionContext,
	StatementDefaultContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { type Expression, type Query, unsupported } from '../sql.ts';
import { newBuilder } from './build-expression.ts';
import { query } from './build-query.ts';
import { claim, demandAllClaimed, notRead, positionOf, tokenPosition } from './claims.ts';
import type { Builder } from './handler.ts';
import { parseWith } from './parse.ts';

/** One query and nothing after it but a semicolon. */
export function parseQuery(text: string): Query {
	return parseWith(text, 'query', (parser) => parser.singleStatement(), readStatement);
}

/** One expression and nothing after it. */
export function parseExpression(text: string): Expression {
	return parseWith(text, 'expression', (parser) => parser.standaloneExpression(), readExpression);
}

function readStatement(context: SingleStatementContext): Query {
	const b = newBuilder(query);
	const statement = context.statement();
	if (!(statement instanceof StatementDefaultContext)) throw notRead(statement);
	const root = statement.rootQuery();
	const functions = root.withFunction();
	if (functions !== null) throw notRead(functions);
	claim(b.claims, context, statement, root);
	const read = b.query(root.query());
	demandAllClaimed(b.claims, context);
	return read;
}

function readExpression(context: StandaloneExpressionContext): Expression {
	const b = newBuilder(noQuery);
	claim(b.claims, context);
	const end = context.SEMICOLON();
	if (end !== null) throw unsupported(tokenPosition(end.symbol), 'An expression has no semicolon.');
	const read = b.expression(context.expression());
	demandAllClaimed(b.claims, context);
	return read;
}

function noQuery(_b: Builder, context: QueryContext): never {
	throw unsupported(positionOf(context), 'An expression alone cannot have a sub-query.');
}
