/** Readers of hostile bytes say no in two ways, and in no third. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openCheckpoint, parseCheckpoint } from '#verifier/checkpoint.ts';
import { CannotVerify, Unverified } from '#verifier/error.ts';
import { versionOf } from '#verifier/log/entry.ts';
import { verifyLog } from '#verifier/log.ts';
import { parseNote, verifierKey, verifyNote } from '#verifier/note.ts';
import { formatProof, parseProof, verifyProof } from '#verifier/proof.ts';
import { decodeBundle, decodeTile, parsePath } from '#verifier/tile.ts';
import { entriesOf, type Files, leafOf, logKey, logOf, memory, reference, vkey } from './reference.ts';

const key = logKey();
const keys = [verifierKey(vkey(key))];
const origin = key.name;
const entries = entriesOf(300);
const log = logOf(entries, key);
const note = Buffer.from(log.get('checkpoint') ?? []).toString();
const hashes = reference(entries.map(leafOf)).inclusion(77, 300);
const proof = formatProof({ index: 77, hashes, checkpoint: note });

type Edit = { at: number; cut: number; put: string };
const edits = fc.array(
	fc.record({
		at: fc.double({ min: 0, max: 1, noNaN: true }),
		cut: fc.nat(40),
		put: fc.oneof(
			fc.string({ maxLength: 8 }),
			fc.string({ unit: 'binary', maxLength: 8 }),
			fc.constantFrom('\n', '\n\n', '+', '=', '— ', '0', '\ud800', '\0'),
		),
	}),
	{ minLength: 1, maxLength: 4 },
);
const edited = (text: string, some: readonly Edit[]) =>
	some.reduce((t, { at, cut, put }) => {
		const start = Math.floor(at * t.length);
		return t.slice(0, start) + put + t.slice(start + cut);
	}, text);

/** A text that began as a right one, or as nothing. */
const near = (text: string) =>
	fc.oneof(
		edits.map((some) => edited(text, some)),
		fc.string({ unit: 'binary', maxLength: 200 }),
	);

const calm = (error: unknown): boolean => error instanceof Unverified || error instanceof CannotVerify;

/** What it gives, or undefined where it says no; it throws what it may not. */
function attempt<T>(read: () => T): T | undefined {
	try {
		return read();
	} catch (error) {
		if (calm(error)) return undefined;
		throw error;
	}
}

const asBytes = (text: string) => Buffer.from(text, 'utf8');

describe('nothing but a refusal comes of', () => {
	it('notes and checkpoints, and what is verified is what was signed', () => {
		fc.assert(
			fc.property(near(note), (text) => {
				for (const input of [text, asBytes(text)]) {
					attempt(() => parseNote(input));
					attempt(() => parseCheckpoint(input));
					const body = attempt(() => verifyNote(input, keys))?.text;
					expect([undefined, note.slice(0, note.indexOf('\n\n') + 1)]).toContain(body);
					expect([undefined, 300]).toContain(attempt(() => openCheckpoint(input, { keys, origin }))?.size);
				}
			}),
			{ numRuns: 300 },
		);
	});

	it('verifier keys', () => {
		fc.assert(
			fc.property(near(vkey(key)), (text) => {
				const read = attempt(() => verifierKey(text));
				if (text !== vkey(key)) expect(read).toBeUndefined();
			}),
			{ numRuns: 300 },
		);
	});

	it('proofs, and what is verified is the entry that was proved', () => {
		fc.assert(
			fc.property(near(proof), (text) => {
				attempt(() => parseProof(text));
				attempt(() => parseProof(asBytes(text)));
				const verified = attempt(() => verifyProof(text, entries[77] ?? Buffer.alloc(0), { keys, origin }));
				expect([undefined, 77]).toContain(verified?.index);
				expect(attempt(() => verifyProof(text, Buffer.from('x'), { keys, origin }))).toBeUndefined();
			}),
			{ numRuns: 300 },
		);
	});

	it('paths, bundles, tiles and entries', () => {
		fc.assert(
			fc.property(
				near('tile/entries/x001/x234/067.p/12'),
				fc.uint8Array({ maxLength: 600 }),
				fc.nat(256),
				(text, bytes, width) => {
					attempt(() => parsePath(text));
					attempt(() => decodeBundle(bytes, width));
					attempt(() => decodeTile(bytes, width));
					attempt(() => versionOf(bytes));
					attempt(() => versionOf(asBytes(text)));
				},
			),
			{ numRuns: 300 },
		);
	});

	it('entries of any JSON', () => {
		fc.assert(
			fc.property(fc.json({ maxDepth: 4 }), near(String(entries[50])), (json, text) => {
				attempt(() => versionOf(asBytes(json)));
				attempt(() => versionOf(asBytes(`{"a":${json},"stream":"x","ver":1}`)));
				attempt(() => versionOf(asBytes(text)));
			}),
		);
	});

	it('a log with any file replaced, cut or gone, which is never taken', async () => {
		const names = [...log.keys()];
		const change = fc.oneof(
			fc.record({
				at: fc.double({ min: 0, max: 1, noNaN: true }),
				cut: fc.nat(400),
				put: fc.uint8Array({ maxLength: 400 }),
			}),
			fc.constant(null),
		);
		await fc.assert(
			fc.asyncProperty(fc.constantFrom(...names), change, async (name, how) => {
				const before = Buffer.from(log.get(name) ?? []);
				const files: Files = new Map(log);
				if (how === null) files.delete(name);
				else {
					const start = Math.floor(how.at * before.length);
					files.set(name, Buffer.concat([before.subarray(0, start), how.put, before.subarray(start + how.cut)]));
				}
				const same = before.equals(files.get(name) ?? new Uint8Array());
				const taken = await verifyLog(memory(files), { keys }).then(
					() => true,
					(error) => {
						if (!calm(error)) throw error;
						return false;
					},
				);
				expect(taken).toBe(same);
			}),
			{ numRuns: 150 },
		);
	});
});
