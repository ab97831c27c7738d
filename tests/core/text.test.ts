/** Words of people: what cannot be stored, shows nothing or hides something is refused; the rest is kept as it came. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Text, textOf, visibleIn } from '#core/text.ts';

const said = (text: string, schema = Text) => schema.safeParse(text);
const details = (text: string, schema = Text) => said(text, schema).error?.issues.map((issue) => issue.message) ?? [];

describe('a text is refused', () => {
	it.each([
		['of nothing', ''],
		['of blanks', ' \t\n\u00a0\u3000'],
		['of characters without width', '\u200b\u200d\u2060\ufeff\u00ad'],
		['of fillers, which are letters that are drawn as nothing', '\u3164\u115f\u1160\uffa0\u2800'],
		['of marks on no letter', '\u0301\u0302'],
	])('%s', (_, text) => {
		expect(details(text)).toContain('must not be blank');
	});

	it.each(['a\u0000b', 'a\u001b[2Kb', 'a\u0007', 'a\rb', 'a\u007f', 'a\u0085b', 'a\u009b31m'])(
		'with a control character: %j',
		(text) => {
			expect(details(text)).toEqual(['must hold no control characters but line ends and tabs']);
		},
	);

	it.each(['\ud800a', 'a\udc00', '\udc00\ud800a'])('of half a character: %j', (text) => {
		expect(details(text)).toEqual(['must be well-formed Unicode']);
	});

	it('that is too long', () => {
		expect(said('x'.repeat(2000)).success).toBe(true);
		expect(said('x'.repeat(2001)).success).toBe(false);
	});

	it('of which less is seen than was asked for, however long it is', () => {
		const reason = textOf(20);
		for (const hidden of ['\u200b', ' ', '\n', '\u3164']) {
			expect(details(`Emergency${hidden.repeat(40)}`, reason)).toEqual(['must have at least 20 visible characters']);
		}
		expect(details('\u0000'.repeat(20), reason)).toContain('must have at least 20 visible characters');
		expect(said('Incident 4711: the desk opens', reason).success).toBe(true);
	});
});

describe('a text is kept as it came', () => {
	it.each([
		'Review of loans',
		'  two\n\tlines\r\nand a third ',
		'x',
		'4711',
		'přezkum úvěrů',
		'貸付の審査',
		'مراجعة',
		'\u{1f469}\u200d\u{1f4bb}',
		'e\u0301',
	])('%j', (text) => {
		expect(said(text)).toEqual({ success: true, data: text });
	});

	it('whatever it is, if something of it is seen and nothing of it is a control', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
				const words = `a${text.replaceAll(/\p{Cc}/gu, '')}`;
				expect(visibleIn(words)).toBeGreaterThan(0);
				expect(said(words)).toEqual({ success: true, data: words });
			}),
		);
	});
});
