/** Conditional functions and comparison functions: https://trino.io/docs/current/functions/conditional.html */
import type { Call } from '#core/sql.ts';
import { type Named, type Rule } from './rule.ts';
import { coerced, common, type Type } from './types.ts';

function met(types: readonly Type[]): Type | null {
	const strange = types.some(({ kind }) => kind === 'other' || kind === 'interval');
	return strange ? null : types.reduce<Type | null>((a, b) => (a === null ? null : common(a, b)), { kind: 'null' });
}

/** All arguments as the type they meet in. */
function alike(texts: readonly string[], types: readonly Type[]): readonly string[] {
	const all = met(types);
	return texts.map((text, index) => {
		const type = types[index];
		return all === null || type === undefined ? text : coerced(text, type, all);
	});
}

const coalesce: Rule = {
	type: met,
	text: (texts, types) => `coalesce(${alike(texts, types).join(', ')})`,
};

/** NULL if any argument is; DuckDB's own would pass NULLs by. */
const extreme: Rule = {
	type: met,
	text: (texts, types, e) => {
		const values = alike(texts, types);
		const missing = values.map((value) => `${value} IS NULL`).join(' OR ');
		return `(CASE WHEN ${missing} THEN NULL ELSE ${e.name}(${values.join(', ')}) END)`;
	},
};

const nullif: Rule = {
	type: (types) => (met(types) === null ? null : (types[0] ?? null)),
	text: (texts, types) => {
		const [a, b] = alike(texts, types);
		return `(CASE WHEN ${a} = ${b} THEN NULL ELSE ${texts[0]} END)`;
	},
};

const choice: Rule = {
	type: ([condition, ...values]: readonly Type[], _e: Call) =>
		condition?.kind === 'boolean' || condition?.kind === 'null' ? met(values) : null,
	text: ([condition, ...texts], [, ...types]) => {
		const [yes, no = 'NULL'] = alike(texts, types);
		return `(CASE WHEN ${condition} THEN ${yes} ELSE ${no} END)`;
	},
};

export const conditionals: Named = [
	['coalesce', coalesce],
	['nullif', nullif],
	['if', choice],
	['greatest', extreme],
	['least', extreme],
];
