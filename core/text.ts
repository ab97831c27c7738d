/**
 * Words that a person writes for others to read, and that the ledger keeps as evidence: reasons, comments, justifications.
 * Promise: whatever passes can be stored, shows something, and says the same in a log or terminal as on a page. What comes
 * in is kept as it was written.
 */
import * as z from 'zod';

const LONGEST = 2000;

/** Of the general categories that have a glyph; without what is drawn as nothing though it is in one (fillers, blank Braille). */
const VISIBLE = /(?![\p{Default_Ignorable_Code_Point}\u2800])[\p{L}\p{N}\p{P}\p{S}]/gu;
const CONTROL = /\p{Cc}/u;

/** Characters of it that a reader sees. */
export const visibleIn = (text: string) => text.match(VISIBLE)?.length ?? 0;

/** Line ends, also those of Windows, and tabs are no more than layout. */
const hasControls = (text: string) => CONTROL.test(text.replaceAll(/\r?\n|\t/g, ''));

/** Text of which at least so many characters are seen. */
export function textOf(least: number) {
	const seen = least === 1 ? 'must not be blank' : `must have at least ${least} visible characters`;
	return z
		.string()
		.min(least)
		.max(LONGEST)
		.refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
		.refine((text) => !hasControls(text), 'must hold no control characters but line ends and tabs')
		.refine((text) => visibleIn(text) >= least, seen)
		.meta({ description: 'Words for people: not blank, no control characters but line ends and tabs' });
}

export const Text = textOf(1);
