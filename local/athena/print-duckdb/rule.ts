/** How one function is written: its result type for its argument types, null where no text is exact, and its text. */
import type { Call, Expression } from '#core/sql.ts';
import type { Kind, Type } from './types.ts';

export type Rule = {
	readonly type: (types: readonly Type[], e: Call) => Type | null;
	readonly text: (texts: readonly string[], types: readonly Type[], e: Call) => string;
};

export type Named = readonly (readonly [string, Rule])[];

/** Whether each argument is of the kinds at its place; the last place stands for all further ones. NULL is of any kind. */
export function takes(types: readonly Type[], ...places: readonly (readonly Kind[])[]): boolean {
	return types.every(({ kind }, index) => kind === 'null' || (places[index] ?? places.at(-1) ?? []).includes(kind));
}

/** A function of the same name and meaning in both. */
export function same(places: readonly (readonly Kind[])[], result: Type, name?: string): Rule {
	return {
		type: (types) => (takes(types, ...places) ? result : null),
		text: (texts, _types, e) => `${name ?? e.name}(${e.distinct ? 'DISTINCT ' : ''}${texts.join(', ')})`,
	};
}

export const text: readonly Kind[] = ['varchar'];
export const integers: readonly Kind[] = ['tinyint', 'smallint', 'integer', 'bigint'];
export const floats: readonly Kind[] = ['real', 'double'];
export const numbers: readonly Kind[] = [...integers, ...floats, 'decimal'];
export const moments: readonly Kind[] = ['date', 'timestamp'];

export const varchar: Type = { kind: 'varchar' };
export const bigint: Type = { kind: 'bigint' };
export const double: Type = { kind: 'double' };
export const boolean: Type = { kind: 'boolean' };

/** The whole number an argument is written as; null if it is anything else. */
export function wholeNumber(e: Expression | undefined): bigint | null {
	return e?.kind === 'integer' ? e.value : null;
}

/** A text written out, in lower case; null if it is anything else. */
export function word(e: Expression | undefined): string | null {
	return e?.kind === 'string' ? e.value.toLowerCase() : null;
}
