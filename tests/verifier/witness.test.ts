/** What log and witness say to each other, read by either; and what a reader asks of cosignatures. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openCheckpoint, type Trust } from '#verifier/checkpoint.ts';
import { Unverified } from '#verifier/error.ts';
import { verifierKey } from '#verifier/note.ts';
import { verifyProof } from '#verifier/proof.ts';
import {
	cosignatureIn,
	formatAddCheckpoint,
	formatSize,
	MAX_ANSWER_BYTES,
	parseAddCheckpoint,
	parseSize,
} from '#verifier/witness.ts';
import { cosigned, flipped, leafOf, logKey, reference, signed, signedCheckpoint, vkey } from './reference.ts';

const log = logKey();
const [w1, w2, w3] = [
	logKey('witness.example/w1'),
	logKey('witness.example/w2'),
	logKey('witness.example/w3'),
] as const;
const key = (of: typeof w1) => verifierKey(vkey(of, 4));
const entries = Array.from({ length: 19 }, (_, i) => Buffer.from(`entry ${i}`));
const tree = reference(entries.map(leafOf));
const note = signedCheckpoint(log, 19, tree.root(19));
const text = note.slice(0, note.indexOf('\n\n') + 1);
const TIME = 1_770_000_000;

describe('a request', () => {
	it('is read as it was written, at any size and length', () => {
		const request = fc.record({
			old: fc.maxSafeNat(),
			proof: fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 63 }),
		});
		fc.assert(
			fc.property(request, ({ old, proof }) => {
				const read = parseAddCheckpoint(formatAddCheckpoint({ old, proof, note }));
				expect({ ...read, proof: read.proof.map((h) => [...h]) }).toEqual({
					old,
					proof: proof.map((h) => [...h]),
					note,
				});
			}),
		);
	});

	it('is not written with more hashes than a witness reads', () => {
		const proof = Array.from({ length: 64 }, () => new Uint8Array(32));
		expect(() => formatAddCheckpoint({ old: 1, proof, note })).toThrow(Unverified);
	});

	it('of any bytes is read, or refused by name', () => {
		fc.assert(
			fc.property(fc.oneof(fc.uint8Array(), fc.string(), fc.nat(400)), (input) => {
				const body = typeof input === 'number' ? flipped(Buffer.from(`old 5\n\n${note}`), input) : input;
				try {
					parseAddCheckpoint(body);
				} catch (cause) {
					expect(cause).toBeInstanceOf(Unverified);
				}
			}),
		);
	});
});

describe('the size in an answer', () => {
	it.each(['', '5', '05\n', '-5\n', '5\n\n', ' 5\n', '5 \n', '1e3\n', '9007199254740992\n', 'five\n'])(
		'is not %j',
		(body) => {
			expect(() => parseSize(body)).toThrow(Unverified);
		},
	);
	it('is one number and a newline', () => {
		for (const size of [0, 5, Number.MAX_SAFE_INTEGER]) expect(parseSize(formatSize(size))).toBe(size);
	});
});

describe('the answer of a witness', () => {
	const line = cosigned(w1, text, TIME);

	it('is taken where its key cosigned this text, among lines of others', () => {
		expect(cosignatureIn(line, text, key(w1))).toEqual({ line, time: TIME });
		const others = `${cosigned(w2, text, 9)}— witness.example/w1 ${Buffer.alloc(80, 7).toString('base64')}\n`;
		expect(cosignatureIn(others + line + others, text, key(w1)).line).toBe(line);
		const later = cosigned(w1, text, TIME + 5);
		expect(cosignatureIn(line + later + line, text, key(w1))).toEqual({ line: later, time: TIME + 5 });
	});

	it.each([
		['nothing', ''],
		['no line', 'cosigned!\n'],
		['the line of another', cosigned(w2, text, TIME)],
		['one over another text', cosigned(w1, `${text}x\n`, TIME)],
		['one over the text without its end', cosigned(w1, text.slice(0, -1), TIME)],
		['one without a time', cosigned(w1, text, 0)],
		['a time beyond what is read', cosigned(w1, text, 2 ** 53)],
		['the signature of a log', signed(w1, text)],
		['a wrong line beside a right one', line + cosigned(w1, `${text}x\n`, TIME)],
		['no end', line.slice(0, -1)],
		['an empty line, which would make another text of it', `more\n\n${line}`],
		['a whole note', `${text}\n${line}`],
		['more than a witness can say', line + '— x eHh4eHg=\n'.repeat(MAX_ANSWER_BYTES / 12)],
	])('is not %s', (_, answer) => {
		expect(() => cosignatureIn(answer, text, key(w1))).toThrow(Unverified);
	});

	it('is not one with the time in another order, or in fewer bytes', () => {
		const bytes = Buffer.from(line.split(' ')[2] ?? '', 'base64');
		const turned = Buffer.concat([bytes.subarray(0, 4), bytes.subarray(4, 12).toReversed(), bytes.subarray(12)]);
		const short = Buffer.concat([bytes.subarray(0, 4), bytes.subarray(8)]);
		const behind = Buffer.concat([bytes.subarray(0, 4), bytes.subarray(12), bytes.subarray(4, 12)]);
		for (const wrong of [turned, short, behind]) {
			const made = `— ${w1.name} ${wrong.toString('base64')}\n`;
			expect(() => cosignatureIn(made, text, key(w1))).toThrow(Unverified);
		}
	});

	it('is not one with any byte flipped', () => {
		const bytes = Buffer.from(line);
		for (let at = 0; at < bytes.length; at++) {
			expect(() => cosignatureIn(flipped(bytes, at), text, key(w1)), `byte ${at}`).toThrow(Unverified);
		}
	});
});

describe('of the witnesses that are named', () => {
	const keys = [verifierKey(vkey(log)), key(w1), key(w2), key(w3)];
	const of = (...lines: string[]) => note + lines.join('');
	const opens = (given: string, trust: Partial<Trust> = {}) => {
		try {
			openCheckpoint(given, { keys, origin: log.name, ...trust });
			return true;
		} catch (cause) {
			expect(cause).toBeInstanceOf(Unverified);
			return false;
		}
	};
	const [one, two, three] = [cosigned(w1, text, TIME), cosigned(w2, text, TIME), cosigned(w3, text, TIME)];

	it('all must have cosigned, unless fewer are asked for', () => {
		const found = [of(), of(one), of(one, two), of(one, two, three)].map((given) =>
			[undefined, 0, 1, 2, 3].map((quorum) => opens(given, { quorum })),
		);
		expect(found).toEqual([
			[false, true, false, false, false],
			[false, true, true, false, false],
			[false, true, true, true, false],
			[true, true, true, true, true],
		]);
	});

	it('more cannot be asked for than are named', () => {
		expect(opens(of(one, two, three), { quorum: 4 })).toBe(false);
	});

	it('each counts once, however often it cosigned, and under however many names', () => {
		expect(opens(of(one, cosigned(w1, text, TIME + 1), one), { quorum: 2 })).toBe(false);
		const alias = { ...w1, name: 'witness.example/alias' };
		const named = [verifierKey(vkey(log)), key(w1), key(alias), key(w1)];
		const both = of(one, cosigned(alias, text, TIME));
		expect(opens(both, { keys: named, quorum: 2 })).toBe(false);
		expect(opens(both, { keys: named, quorum: 1 })).toBe(true);
		expect(opens(of(one), { keys: named })).toBe(true);
	});

	it('the log is none', () => {
		const own = { ...log, name: 'witness.example/own' };
		const named = [verifierKey(vkey(log)), key(own)];
		expect(opens(of(cosigned(own, text, TIME)), { keys: named, quorum: 1 })).toBe(false);
	});

	it('none counts who said no time, said it of other bytes, or is not named', () => {
		expect(opens(of(cosigned(w1, text, 0)), { quorum: 1 })).toBe(false);
		expect(opens(of(cosigned(w1, text.replace('19', '18'), TIME)), { quorum: 0 })).toBe(false);
		expect(opens(of(cosigned(logKey(w1.name), text, TIME)), { quorum: 1 })).toBe(false);
		expect(opens(of(cosigned(logKey('w4'), text, TIME)), { quorum: 1 })).toBe(false);
	});

	it('the same is asked of the checkpoint in a proof', () => {
		const proof = (given: string) =>
			`c2sp.org/tlog-proof@v1\nindex 7\n${tree
				.inclusion(7, 19)
				.map((h) => `${h.toString('base64')}\n`)
				.join('')}\n${given}`;
		const entry = entries[7] ?? Buffer.of();
		const trust = { keys, origin: log.name };
		expect(verifyProof(proof(of(one, two)), entry, { ...trust, quorum: 2 }).index).toBe(7);
		expect(() => verifyProof(proof(of(one, two)), entry, trust)).toThrow(/did not cosign/);
		expect(() => verifyProof(proof(of(one)), entry, { ...trust, quorum: 2 })).toThrow(/1 of the witnesses/);
		expect(() => verifyProof(proof(of(one, one)), entry, { ...trust, quorum: 2 })).toThrow(/1 of the witnesses/);
	});
});
