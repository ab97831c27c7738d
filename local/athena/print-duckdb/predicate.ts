/** Comparisons: both sides as the type they meet in, since DuckDB's own conversions are not Trino's. */
import type { Expression } from '#core/sql.ts';
import { type Context, textAs } from './context.ts';
import { comparable, comparableColumn } from './double.ts';
import { meetCompared } from './meet.ts';
import { athenaOnly } from './types.ts';

type Predicate = Extract<
	Expression,
	{ kind: 'compare' | 'distinct-from' | 'between' | 'in-list' | 'in-query' | 'quantified' | 'like' }
>;
type Queried = Extract<Predicate, { kind: 'in-query' | 'quantified' }>;

const kinds: ReadonlySet<string> = new Set<Predicate['kind']>([
	'compare',
	'distinct-from',
	'between',
	'in-list',
	'in-query',
	'quantified',
	'like',
]);

export function isPredicate(e: Expression): e is Predicate {
	return kinds.has(e.kind);
}

/** null: the common form. */
export function predicateText(e: Predicate, context: Context): string | null {
	const { types } = context;
	const not = 'negated' in e && e.negated ? 'NOT ' : '';
	switch (e.kind) {
		case 'compare': {
			const [left, right] = alike(e, [e.left, e.right], context);
			return `(${left} ${e.operator} ${right})`;
		}
		case 'distinct-from': {
			const both = meetCompared(e, [e.left, e.right].map(types.of));
			const [left, right] = [e.left, e.right].map((part) => textAs(part, both, context));
			return `(${left} IS ${not}DISTINCT FROM ${right})`;
		}
		case 'between': {
			const [operand, low, high] = alike(e, [e.operand, e.low, e.high], context);
			return `(${operand} ${not}BETWEEN ${low} AND ${high})`;
		}
		case 'in-list': {
			const [operand, ...items] = alike(e, [e.operand, ...e.items], context);
			return `(${operand} ${not}IN (${items.join(', ')}))`;
		}
		case 'in-query':
		case 'quantified': {
			const word = e.kind === 'in-query' ? `${not}IN` : `${e.operator} ${e.quantifier.toUpperCase()}`;
			const both = meetCompared(e, [types.of(e.operand), ...types.columns(e.query)]);
			const operand = comparable(textAs(e.operand, both, context), types.of(e.operand), e.operand);
			return `(${operand} ${word} (${comparableColumn(context.print.query(e.query), types.columns(e.query)[0] ?? both)}))`;
		}
		case 'like':
			return likeText(e);
	}
}

function alike(e: Exclude<Predicate, Queried>, parts: readonly Expression[], context: Context): readonly string[] {
	const all = meetCompared(e, parts.map(context.types.of));
	return parts.map((part) => comparable(textAs(part, all, context), context.types.of(part), part));
}

/** Trino ends the query at an escape before anything but %, _ and itself; DuckDB does not. */
function likeText({ pattern, escape }: Extract<Expression, { kind: 'like' }>): null {
	if (escape === null) return null;
	if (pattern.kind !== 'string' || escape.kind !== 'string' || !/^.$/su.test(escape.value)) {
		throw athenaOnly(escape.at, 'LIKE with an ESCAPE that is computed');
	}
	const rest = pattern.value.split(escape.value + escape.value).join('');
	const strange = rest
		.split(escape.value)
		.slice(1)
		.some((after) => !/^[%_]/.test(after));
	if (strange) throw athenaOnly(escape.at, 'an escape before an ordinary character');
	return null;
}
