/** The short way to read an entry says what the long way says, or nothing. */
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { versionOf } from '#verifier/log/entry.ts';
import { quickVersionOf } from '#verifier/log/quick.ts';

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text));
const prev = 'a1'.repeat(32);

/** By nobody's code but the engine's and a library's. */
function plainly(bytes: Uint8Array): unknown {
	const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
	const value = JSON.parse(text) as Record<string, unknown>;
	if (canonicalize(value) !== text) throw new Error('not canonical');
	return { stream: value['stream'], ver: value['ver'], prev: value['prev'] };
}

const word = fc.string({ unit: fc.constantFrom(...Array.from('abyz019-#./"\\é\u{1f600}\u007f\n ')) });
const tree = fc.letrec((tie) => ({
	value: fc.oneof(
		{ depthSize: 'small' },
		fc.oneof(word, fc.maxSafeInteger(), fc.boolean(), fc.constant(null), fc.constantFrom(0, -1, 10 ** 15, 10 ** 14)),
		fc.array(tie('value'), { maxLength: 4 }),
		fc.dictionary(word, tie('value'), { maxKeys: 5 }),
	),
}));
const entry = fc.record(
	{
		stream: fc.oneof(fc.constant('F#1'), word),
		ver: fc.oneof(fc.nat(), fc.maxSafeInteger()),
		prev: fc.constantFrom(prev, 'x'),
		more: tree.value,
	},
	{ requiredKeys: [] },
);

describe('an entry read the short way', () => {
	it('is read as the long way reads it, whatever is in it', () => {
		let read = 0;
		fc.assert(
			fc.property(entry, tree.value, (some, more) => {
				const text = canonicalize({ ...some, ...(typeof more === 'object' && !Array.isArray(more) ? more : {}) }) ?? '';
				const quick = quickVersionOf(bytesOf(text));
				if (quick === null) return;
				read += 1;
				expect(quick).toEqual(plainly(bytesOf(text)));
				expect(versionOf(bytesOf(text))).toEqual(quick);
			}),
			{ numRuns: 2000 },
		);
		expect(read).toBeGreaterThan(20);
	});

	it('is not read at all once a byte of it is another, unless the long way reads that, too', () => {
		const text =
			canonicalize({ at: '2026', list: [1, -2, true, null, { b: 1, c: [] }], n: 10, prev, stream: 'F#1', ver: 12 }) ??
			'';
		expect(quickVersionOf(bytesOf(text))).toEqual({ stream: 'F#1', ver: 12, prev });
		const edit = fc.tuple(
			fc.nat({ max: text.length - 1 }),
			fc.nat({ max: 2 }),
			fc.constantFrom(...Array.from('{}[]",:0123-+.eEtfn \\\u00e9')),
		);
		fc.assert(
			fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
				let edited = text;
				for (const [at, cut, put] of edits) edited = edited.slice(0, at) + put + edited.slice(at + cut);
				const quick = quickVersionOf(bytesOf(edited));
				if (quick !== null) expect(quick).toEqual(plainly(bytesOf(edited)));
			}),
			{ numRuns: 5000 },
		);
	});

	it.each([
		['members that are not in order', '{"ver":1,"stream":"a"}'],
		['a member twice', '{"stream":"a","stream":"b","ver":1}'],
		['members of a member that are not in order', '{"m":{"b":1,"a":1},"stream":"a","ver":1}'],
		['a blank', '{"stream":"a", "ver":1}'],
		['something after it', '{"stream":"a","ver":1}}'],
		['a zero before a number', '{"stream":"a","ver":01}'],
		['a zero below zero', '{"n":-0,"stream":"a","ver":1}'],
		['a fraction', '{"stream":"a","ver":1.0}'],
		['a comma too many', '{"l":[1,],"stream":"a","ver":1}'],
		['no stream', '{"ver":1}'],
		['a stream that is a number', '{"stream":1,"ver":1}'],
		['a version that is a text', '{"stream":"a","ver":"1"}'],
		['no version', '{"stream":"a"}'],
		['a leaf before it that is none', '{"prev":"a1","stream":"a","ver":1}'],
		['an escape that need not be', '{"stream":"\\u0061","ver":1}'],
		['a text that does not end', '{"stream":"a'],
	])('is not read with %s', (_, text) => {
		expect(quickVersionOf(bytesOf(text))).toBeNull();
		expect(() => versionOf(bytesOf(text))).toThrow();
	});
});
