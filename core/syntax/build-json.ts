/** JSON_EXISTS, JSON_VALUE and JSON_QUERY with a constant path: https://trino.io/docs/current/functions/json.html */
import {
	JsonExistsContext,
	type JsonPathInvocationContext,
	JsonQueryContext,
	JsonValueContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { type Expression, unsupported } from '../sql.ts';
import { stringValue } from './build-literal.ts';
import { typeName } from './build-type.ts';
import { claim, positionOf } from './claims.ts';
import { type Builder, on } from './handler.ts';

type Returned = JsonQueryContext | JsonValueContext;

function pathOf(b: Builder, context: JsonPathInvocationContext): { operand: Expression; path: string } {
	const input = context.jsonValueExpression();
	const extra = context.KW_PASSING() ?? context.KW_AS();
	if (extra !== null || input.jsonRepresentation() !== null) {
		const at = positionOf(context);
		throw unsupported(at, 'Give a JSON function a value and a path, without FORMAT, AS and PASSING.');
	}
	claim(b.claims, context, input);
	return { operand: b.expression(input.expression()), path: stringValue(b.claims, context.string()) };
}

/** What stands after the path and RETURNING changes what an error, a missing value or an array gives. */
function demandDefaults(context: JsonExistsContext | Returned, given: readonly unknown[]): void {
	if (given.every((part) => part === null)) return;
	throw unsupported(
		positionOf(context),
		'Leave out the clauses after the path and RETURNING: only their defaults are read.',
	);
}

function exists(b: Builder, context: JsonExistsContext): Expression {
	demandDefaults(context, [context.KW_ON()]);
	const read = pathOf(b, context.jsonPathInvocation());
	return { kind: 'json-path', name: 'json_exists', ...read, returning: null, at: positionOf(context) };
}

function returning(name: 'json_value' | 'json_query', b: Builder, context: Returned): Expression {
	const read = pathOf(b, context.jsonPathInvocation());
	const type = context.type();
	const returned = type === null ? null : typeName(b.claims, type);
	return { kind: 'json-path', name, ...read, returning: returned, at: positionOf(context) };
}

function value(b: Builder, context: JsonValueContext): Expression {
	demandDefaults(context, [context.KW_ON(0)]);
	return returning('json_value', b, context);
}

function query(b: Builder, context: JsonQueryContext): Expression {
	demandDefaults(context, [context.KW_ON(0), context.KW_FORMAT(), context.KW_WRAPPER(), context.KW_QUOTES()]);
	return returning('json_query', b, context);
}

export const jsonHandlers = [on(JsonExistsContext, exists), on(JsonValueContext, value), on(JsonQueryContext, query)];
