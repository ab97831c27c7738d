/** Trees without positions, and refusals, as the tests of core/syntax compare them. */
import type { BrokerError } from '#core/error.ts';
import { parseExpression, parseQuery } from '#core/syntax.ts';
import { refusalOf as refused } from '#tests/refusal.ts';

/** The tree without `at`, bigints as they are. */
export function plain(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(plain);
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(
		Object.entries(value)
			.filter(([key]) => key !== 'at')
			.map(([key, member]) => [key, plain(member)]),
	);
}

export function refusalOf(text: string, parse: (text: string) => unknown = parseQuery): BrokerError {
	return refused(() => parse(text));
}

/** The body of a query, or one member of it. */
export function bodyOf(text: string): Record<string, unknown> {
	return plain(parseQuery(text).body) as Record<string, unknown>;
}

export function expressionOf(text: string): unknown {
	return plain(parseExpression(text));
}

export function column(...parts: string[]) {
	return { kind: 'column', parts };
}

export function integer(value: bigint) {
	return { kind: 'integer', value };
}

export function string(value: string) {
	return { kind: 'string', value };
}

export function call(name: string, args: readonly unknown[], more: object = {}) {
	return {
		kind: 'call',
		name,
		arguments: args,
		distinct: false,
		star: false,
		bare: false,
		orderBy: [],
		filter: null,
		over: null,
		nulls: null,
		...more,
	};
}

export function select(items: readonly unknown[], more: object = {}) {
	return {
		kind: 'select',
		distinct: false,
		items,
		from: [],
		where: null,
		groupBy: null,
		having: null,
		windows: [],
		...more,
	};
}

export function item(expression: unknown, alias: string | null = null) {
	return { kind: 'expression', expression, alias };
}

export const star = { kind: 'star', qualifier: null, aliases: null };

export function table(name: string, more: object = {}) {
	return {
		kind: 'table',
		name: { catalog: null, database: null, table: name },
		alias: null,
		columns: null,
		sample: null,
		...more,
	};
}

export function query(body: unknown, more: object = {}) {
	return {
		kind: 'query',
		recursive: false,
		commons: [],
		body,
		orderBy: [],
		offset: null,
		limit: null,
		ties: false,
		...more,
	};
}

export function sort(expression: unknown, descending = false, nulls: string | null = null) {
	return { expression, descending, nulls };
}
