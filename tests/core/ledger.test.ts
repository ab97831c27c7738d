/** The entry format by itself: bytes, hashes, chain. */

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalBytes, leafHash, open, seal } from '#core/ledger/entry.ts';
import { type Stored, verifyStream } from '#core/ledger/verify.ts';
import { Unverified } from '#verifier/error.ts';
import { versionOf } from '#verifier/log/entry.ts';

/** What a call throws; null where it throws nothing. */
function outcomeOf(call: () => unknown): unknown {
	try {
		call();
		return null;
	} catch (error) {
		return error;
	}
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe('canonical bytes', () => {
	it.each([
		// RFC 8785 section 3.2.3: properties are sorted by UTF-16 code units.
		[
			{ '\u20ac': 'Euro Sign', '\r': 'Carriage Return', '1': 'One', '\u0080': 'Control\u007f' },
			'{"\\r":"Carriage Return","1":"One","\u0080":"Control\u007f","€":"Euro Sign"}',
		],
		// RFC 8785 section 3.2.2.2: only what must be escaped is.
		[{ s: '\u20ac$\u000f\u000aA\'B"\\\\"/' }, '{"s":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'],
		[{ b: [true, false, null], a: { d: 4, c: -0 } }, '{"a":{"c":0,"d":4},"b":[true,false,null]}'],
		[{ '😀': 1, '\ufb33': 2 }, '{"😀":1,"\ufb33":2}'],
	])('are those of RFC 8785: %j', (value, expected) => {
		expect(text(canonicalBytes(value))).toBe(expected);
	});

	it.each([
		['a fraction', { n: 1.5 }],
		['a number that is not safe', { n: 2 ** 53 }],
		['not a number', { n: Number.NaN }],
		['a date object', { f: () => 1 }],
		['a bigint', { n: 1n }],
	])('refuse %s', (_, value) => {
		expect(() => canonicalBytes(value)).toThrow(TypeError);
	});

	it.each([[{ s: '\ud800' }], [{ '\udc00': 1 }]])('tell the caller of half a surrogate pair', (value) => {
		expect(() => canonicalBytes(value)).toThrow(expect.objectContaining({ code: 'validation' }));
	});

	it.each(['array', 'object', 'empty'])(
		'refuse what is nested deeper than a verifier reads, and nothing else: %s',
		(kind) => {
			const nested = (depth: number): unknown =>
				depth === 0
					? kind === 'empty'
						? {}
						: null
					: kind === 'array'
						? [nested(depth - 1)]
						: { a: nested(depth - 1) };
			const outcomes = Array.from({ length: 10 }, (_, i) => {
				const entry = { at: nested(59 + i), stream: 's', ver: 1 };
				const read = outcomeOf(() => versionOf(new TextEncoder().encode(JSON.stringify(entry))));
				const written = outcomeOf(() => canonicalBytes(entry));
				expect([written, i]).toEqual([
					read instanceof Unverified ? expect.objectContaining({ code: 'validation' }) : null,
					i,
				]);
				return written === null;
			});
			expect(outcomes.slice(0, 5)).toEqual(Array(5).fill(true));
			expect(outcomes.slice(5)).toEqual(Array(5).fill(false));
		},
	);

	const scalar = fc.oneof(
		fc.string({ unit: 'grapheme' }),
		fc.boolean(),
		fc.constant(null),
		fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }),
	);
	const json = fc.letrec((tie) => ({
		value: fc.oneof(
			{ depthSize: 'small' },
			scalar,
			fc.array(tie('value')),
			fc.dictionary(fc.string({ unit: 'grapheme' }), tie('value')),
		),
	})).value;

	it('read back as the same value and are the same again', () => {
		fc.assert(
			fc.property(json, (value) => {
				const bytes = canonicalBytes(value);
				const back: unknown = JSON.parse(text(bytes));
				expect(Buffer.from(canonicalBytes(back))).toEqual(Buffer.from(bytes));
				expect(back).toEqual(JSON.parse(JSON.stringify(value)));
			}),
		);
	});

	it('are read by a verifier, whatever an entry holds', () => {
		fc.assert(
			fc.property(json, (value) => {
				const { bytes } = seal({ ...entryOf('s', 1, undefined), value });
				expect(versionOf(bytes)).toEqual({ stream: 's', ver: 1, prev: undefined });
			}),
		);
	});

	it('do not depend on the order of members', () => {
		fc.assert(
			fc.property(
				fc.uniqueArray(fc.tuple(fc.string({ unit: 'grapheme' }), scalar), { selector: ([k]) => k }),
				(members) => {
					const forward = canonicalBytes(Object.fromEntries(members));
					const backward = canonicalBytes(Object.fromEntries(members.toReversed()));
					expect(Buffer.from(forward)).toEqual(Buffer.from(backward));
				},
			),
		);
	});
});

describe('a leaf', () => {
	it('is SHA-256 over a zero byte and the bytes (RFC 6962)', () => {
		const bytes = new TextEncoder().encode('{"a":1}');
		expect(leafHash(bytes)).toBe(createHash('sha256').update('\0{"a":1}').digest('hex'));
		// RFC 6962 test vector of the empty leaf, as published with Certificate Transparency.
		expect(leafHash(new Uint8Array())).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
	});

	it('is refused for an entry too large for a tile', () => {
		const entry = entryOf('s', 1, undefined, 'x'.repeat(61 * 1024));
		expect(() => seal(entry)).toThrow(expect.objectContaining({ code: 'too-large' }));
	});
});

function entryOf(stream: string, ver: number, prev: string | undefined, note = '') {
	return {
		v: 1 as const,
		type: 'Test',
		stream,
		ver,
		id: `led_${String(ver).padStart(26, '0')}`,
		at: '2026-01-02T03:04:05.678Z',
		actor: 'per_test',
		trace: 't',
		note,
		...(prev === undefined ? {} : { prev }),
	};
}

function chain(stream: string, notes: readonly string[]): Stored[] {
	const made: Stored[] = [];
	for (const [i, note] of notes.entries()) {
		const { bytes, leaf } = seal(entryOf(stream, i + 1, made.at(-1)?.leaf, note));
		made.push({ stream, ver: i + 1, bytes, leaf });
	}
	return made;
}

describe('a chain', () => {
	const notes = fc.array(fc.string({ unit: 'grapheme' }), { minLength: 2, maxLength: 12 });

	it('verifies as written', () => {
		fc.assert(fc.property(notes, (n) => verifyStream('s', chain('s', n)) === null));
	});

	it('names the version in which any one byte was changed', () => {
		fc.assert(
			fc.property(notes, fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), (n, which, where, flip) => {
				const stored = chain('s', n);
				const index = which % stored.length;
				const target = stored[index] as Stored;
				const bytes = Uint8Array.from(target.bytes);
				bytes[where % bytes.length] = (bytes[where % bytes.length] ?? 0) ^ flip;
				const tampered = stored.map((s, i) => (i === index ? { ...s, bytes } : s));
				expect(verifyStream('s', tampered)?.ver).toBe(index + 1);
			}),
		);
	});

	it('names the first version after a change that was hashed anew', () => {
		fc.assert(
			fc.property(notes, fc.nat(), (n, which) => {
				const stored = chain('s', n);
				const index = which % (stored.length - 1);
				const forged = seal({ ...open((stored[index] as Stored).bytes).entry, note: 'forged!' });
				const tampered = stored.map((s, i) => (i === index ? { ...s, bytes: forged.bytes, leaf: forged.leaf } : s));
				fc.pre(forged.leaf !== stored[index]?.leaf);
				expect(verifyStream('s', tampered)).toEqual({ stream: 's', ver: index + 2, fault: 'chain-broken' });
			}),
		);
	});

	it('names a dropped, swapped, inserted or foreign version', () => {
		const stored = chain('s', ['a', 'b', 'c', 'd']);
		const [a, b, c, d] = stored as [Stored, Stored, Stored, Stored];
		expect(verifyStream('s', [a, c, d])).toEqual({ stream: 's', ver: 2, fault: 'missing' });
		expect(verifyStream('s', [b, c, d])).toEqual({ stream: 's', ver: 1, fault: 'missing' });
		const swapped = [a, { ...c, ver: 2 }, { ...b, ver: 3 }, d];
		expect(verifyStream('s', swapped)).toEqual({ stream: 's', ver: 2, fault: 'misplaced' });
		expect(verifyStream('s', [a, b, b, c])).toEqual({ stream: 's', ver: 3, fault: 'missing' });
		const foreign = chain('other', ['a', 'b'])[1] as Stored;
		expect(verifyStream('s', [a, { ...foreign, stream: 's' }])).toEqual({ stream: 's', ver: 2, fault: 'misplaced' });
		expect(verifyStream('s', [a, { ...b, bytes: new Uint8Array([123]) }])?.fault).toBe('unreadable');
		expect(verifyStream('s', [a, { ...b, leaf: a.leaf }])?.fault).toBe('hash-differs');
	});
});
