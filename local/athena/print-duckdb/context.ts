/** What a text is made from. */
import type { Expression, Print, Resolved } from '#core/sql.ts';
import { coerced, type Type } from './types.ts';
import type { Typing } from './typing.ts';

export type Context = { readonly resolved: Resolved; readonly types: Typing; readonly print: Print };

/** The text of an expression as a type. */
export function textAs(e: Expression, to: Type, { types, print }: Context): string {
	return coerced(print.expression(e), types.of(e), to);
}
