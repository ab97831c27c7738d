/** How one function is written: its result type for its argument types, null where no text is exact, and its text. */
import type { Call, Expression } from '#core/sql.ts';
import type { Kind, Type } from './types.ts';

/** What stands beside the arguments in the text of a call. */
export type Suffix = {
	/** Inside the parentheses: '' or ' ORDER BY ..' of an aggregate. */
	readonly orderBy: string;
	/** After the parentheses: '' or ' FILTER (WHERE ..)' or ' OVER (..)'; stands after each aggregate or window call. */
	readonly after: string;
};

export const noSuffix: Suffix = { orderBy: '', after: '' };

export type Rule = {
	readonly type: (types: readonly Type[], e: Call) => Type | null;
	readonly text: (texts: readonly string[], types: readonly Type[], e: Call, suffix: Suffix) => string;
	/** The parameter types of the lambda at this place; the arguments before it have their types. */
	readonly lambda?: (types: readonly Type[], place: number, e: Call) => readonly Type[] | null;
};

export type Named = readonly (readonly [string, Rule])[];

/** Whether each argument is of the kinds at its place; the last place stands for all further ones. NULL is of any kind. */
export function takes(types: readonly Type[], ...places: readonly (readonly Kind[])[]): boolean {
	return types.every(({ kind }, index) => kind === 'null' || (places[index] ?? places.at(-1) ?? []).includes(kind));
}

/** One aggregate or window call as DuckDB has it, with all that stands in it and after it. */
export function aggregated(name: string, texts: readonly string[], e: Call, { orderBy, after }: Suffix): string {
	const nulls = e.nulls === 'ignore' ? ' IGNORE NULLS' : '';
	return `${name}(${e.distinct ? 'DISTINCT ' : ''}${texts.join(', ')}${orderBy}${nulls})${after}`;
}

/** An aggregate or window function of the same meaning in both, its arguments as they are. */
export function passed(type: Rule['type'], name?: string): Rule {
	return { type, text: (texts, _types, e, suffix) => aggregated(name ?? e.name, texts, e, suffix) };
}

/** A scalar function of the same meaning in both. */
export function same(places: readonly (readonly Kind[])[], result: Type, name?: string): Rule {
	return {
		type: (types) => (takes(types, ...places) ? result : null),
		text: (texts, _types, e) => `${name ?? e.name}(${texts.join(', ')})`,
	};
}

export const text: readonly Kind[] = ['varchar'];
export const integers: readonly Kind[] = ['tinyint', 'smallint', 'integer', 'bigint'];
export const numbers: readonly Kind[] = [...integers, 'real', 'double', 'decimal'];
export const moments: readonly Kind[] = ['date', 'timestamp', 'timestamp-zone'];
export const clocks: readonly Kind[] = ['timestamp', 'timestamp-zone'];
export const arrays: readonly Kind[] = ['array'];
export const maps: readonly Kind[] = ['map'];

export const varchar: Type = { kind: 'varchar' };
export const integer: Type = { kind: 'integer' };
export const bigint: Type = { kind: 'bigint' };
export const double: Type = { kind: 'double' };
export const boolean: Type = { kind: 'boolean' };
export const varbinary: Type = { kind: 'varbinary' };
export const day: Type = { kind: 'date' };
export const moment: Type = { kind: 'timestamp' };
export const zoned: Type = { kind: 'timestamp-zone' };

/** The whole number an argument is written as; null if it is anything else. */
export function wholeNumber(e: Expression | undefined): bigint | null {
	return e?.kind === 'integer' ? e.value : null;
}

/** A text written out, as it is; null if it is anything else. */
export function literal(e: Expression | undefined): string | null {
	return e?.kind === 'string' ? e.value : null;
}

/** A text written out, in lower case; null if it is anything else. */
export function word(e: Expression | undefined): string | null {
	return literal(e)?.toLowerCase() ?? null;
}
