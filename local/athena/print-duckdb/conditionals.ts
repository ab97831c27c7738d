/** Conditional functions and comparison functions: https://trino.io/docs/current/functions/conditional.html */
import { type Call, children, type Expression, stringText } from '#core/sql.ts';
import { comparable } from './double.ts';
import { type Named, type Rule, varchar } from './rule.ts';
import { coerced, commonOf, isInteger, isPlain, type Type } from './types.ts';

/** The type of values that are compared. */
function compared(types: readonly Type[]): Type | null {
	const all = commonOf(types);
	return all !== null && isPlain(all) ? all : null;
}

/** All arguments as the type they meet in. */
function alike(texts: readonly string[], types: readonly Type[]): readonly string[] {
	const all = commonOf(types);
	return texts.map((text, index) => {
		const type = types[index];
		return all === null || type === undefined ? text : coerced(text, type, all);
	});
}

const coalesce: Rule = {
	type: commonOf,
	text: (texts, types) => `coalesce(${alike(texts, types).join(', ')})`,
};

/** As `alike`, of values that are compared. */
function numbersAlike(texts: readonly string[], types: readonly Type[], e: Call): readonly string[] {
	return alike(texts, types).map((text, index) =>
		comparable(text, types[index] ?? varchar, e.arguments[index] ?? null),
	);
}

/** NULL if any argument is; DuckDB's own would pass NULLs by. */
const extreme: Rule = {
	type: compared,
	text: (texts, types, e) => {
		const missing = texts.map((value) => `${value} IS NULL`).join(' OR ');
		return `(CASE WHEN ${missing} THEN NULL ELSE ${e.name}(${numbersAlike(texts, types, e).join(', ')}) END)`;
	},
};

const nullif: Rule = {
	type: (types) => (compared(types) === null ? null : (types[0] ?? null)),
	text: (texts, types, e) => {
		const [a, b] = numbersAlike(texts, types, e);
		return `(CASE WHEN ${a} = ${b} THEN NULL ELSE ${texts[0]} END)`;
	},
};

const choice: Rule = {
	type: ([condition, ...values]: readonly Type[], _e: Call) =>
		condition?.kind === 'boolean' || condition?.kind === 'null' ? commonOf(values) : null,
	text: ([condition, ...texts], [, ...types]) => {
		const [yes, no = 'NULL'] = alike(texts, types);
		return `(CASE WHEN ${condition} THEN ${yes} ELSE ${no} END)`;
	},
};

/** Whole numbers, columns and what is computed of them: all that can fail in it fails in both engines alike. */
function isCounting(e: Expression): boolean {
	if (e.kind === 'column' || e.kind === 'integer' || e.kind === 'null') return true;
	return (e.kind === 'arithmetic' || e.kind === 'negate') && children(e).every(isCounting);
}

/** A division by zero is NULL here anyway, once it is not checked; TRY takes care of what overflows. */
const attempt: Rule = {
	type: ([type], e) => (type !== undefined && isInteger(type) && e.arguments.every(isCounting) ? type : null),
	text: ([value = '']) => `TRY(${value.replaceAll("error('division by zero')", 'NULL')})`,
};

/** Types that have no length or precision which only Trino knows. */
function nameOf(type: Type): string | null {
	if (type.kind === 'decimal') return `decimal(${type.precision},${type.scale})`;
	return isInteger(type) || ['double', 'real', 'boolean', 'date'].includes(type.kind) ? type.kind : null;
}

const typeName: Rule = {
	type: ([type]) => (type === undefined || nameOf(type) === null ? null : varchar),
	text: (_texts, [type = varchar]) => stringText(nameOf(type) ?? ''),
};

export const conditionals: Named = [
	['coalesce', coalesce],
	['nullif', nullif],
	['if', choice],
	['try', attempt],
	['typeof', typeName],
	['greatest', extreme],
	['least', extreme],
];
