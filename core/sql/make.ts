/** Nodes that no text wrote, or of which it wrote a part: whatever is not given is left out. */
import type { Call, Expression, Position, Query, QueryBody, Select, SelectItem, Source } from './ast.ts';

export function newSelect(items: readonly SelectItem[], from: readonly Source[], at: Position): Select {
	return { kind: 'select', distinct: false, items, from, where: null, groupBy: null, having: null, windows: [], at };
}

export function newQuery(body: QueryBody, at: Position): Query {
	const none = { recursive: false, commons: [], orderBy: [], offset: null, limit: null, ties: false };
	return { kind: 'query', ...none, body, at };
}

export function newCall(
	name: string,
	args: readonly Expression[],
	at: Position,
	more: Partial<Omit<Call, 'kind' | 'name' | 'arguments' | 'at'>> = {},
): Call {
	const none = { distinct: false, star: false, bare: false, orderBy: [], filter: null, over: null, nulls: null };
	return { kind: 'call', name, arguments: args, ...none, ...more, at };
}
