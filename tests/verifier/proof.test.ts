/** Checkpoints and offline proofs. */
import { describe, expect, it } from 'vitest';
import { formatCheckpoint, openCheckpoint, parseCheckpoint } from '#verifier/checkpoint.ts';
import { Unverified } from '#verifier/error.ts';
import { verifierKey } from '#verifier/note.ts';
import { formatProof, parseProof, verifyProof } from '#verifier/proof.ts';
import {
	checkpointText,
	cosigned,
	flipped,
	isRefused,
	leafOf,
	logKey,
	reference,
	signed,
	signedCheckpoint,
	vkey,
} from './reference.ts';

const key = logKey();
const origin = key.name;
const keys = [verifierKey(vkey(key))];
const entries = Array.from({ length: 19 }, (_, i) => Buffer.from(`entry ${i}`));
const tree = reference(entries.map(leafOf));
const root = tree.root(19);
const b64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const note = signedCheckpoint(key, 19, root);
const entry = (i: number) => entries[i] ?? Buffer.alloc(0);
const lines = (index: string, size = 19) =>
	`c2sp.org/tlog-proof@v1\nindex ${index}\n${tree
		.inclusion(Number(index), size)
		.map((h) => `${b64(h)}\n`)
		.join('')}\n`;
const proof = lines('7') + note;

describe('refused, as a checkpoint', () => {
	const right = checkpointText('example.com/log', 19, root);
	it.each([
		['nothing', ''],
		['two lines', 'a\n1\n'],
		['no newline at the end', right.slice(0, -1)],
		['an empty origin', right.replace('example.com/log', '')],
		['an empty line', `${right}\n`],
		['an empty line among extensions', `${right}one\n\ntwo\n`],
		['a leading zero', right.replace('\n19\n', '\n019\n')],
		['a plus', right.replace('\n19\n', '\n+19\n')],
		['a minus', right.replace('\n19\n', '\n-1\n')],
		['an exponent', right.replace('\n19\n', '\n1e1\n')],
		['hexadecimals', right.replace('\n19\n', '\n0x13\n')],
		['a fraction', right.replace('\n19\n', '\n19.0\n')],
		['a space', right.replace('\n19\n', '\n19 \n')],
		['other digits', right.replace('\n19\n', '\n١٩\n')],
		['no size', right.replace('\n19\n', '\n\n')],
		['2^53', right.replace('\n19\n', '\n9007199254740992\n')],
		['a very long number', right.replace('\n19\n', `\n${'9'.repeat(400)}\n`)],
		['a root of 31 bytes', checkpointText('a', 19, root.subarray(1))],
		['a root of 33 bytes', checkpointText('a', 19, Buffer.concat([root, Buffer.alloc(1)]))],
		['a root without padding', right.replace('=', '')],
		['a carriage return', right.replace('\n19\n', '\r\n19\n')],
		['half of a surrogate pair', right.replace('example', '\udc00')],
		['too many lines', right + 'x\n'.repeat(65)],
		['a long line', `${right}${'x'.repeat(20_000)}\n`],
	])('is %s', (_, text) => {
		expect(() => parseCheckpoint(text)).toThrow(Unverified);
	});

	it('is one of another origin, however little it differs', () => {
		for (const other of [`${origin}/`, `${origin} `, origin.toUpperCase(), origin.slice(1), `${origin}\u200b`]) {
			expect(() => openCheckpoint(signedCheckpoint(key, 19, root, other), { keys, origin })).toThrow(/of the log/);
		}
	});

	it('is one that a witness cosigned and no key of the log signed, or that a witness asked for did not cosign', () => {
		const witness = logKey('witness.example/w1');
		const both = [...keys, verifierKey(vkey(witness, 4))];
		const text = checkpointText(origin, 19, root);
		const line = cosigned(witness, text, 1679315147);
		expect(() => openCheckpoint(`${text}\n${line}`, { keys: both, origin })).toThrow(/no key of the log/);
		expect(() => openCheckpoint(note, { keys: both, origin })).toThrow(/did not cosign/);
		const { signedBy } = openCheckpoint(note + line, { keys: both, origin });
		expect(signedBy.map((s) => [s.key.name, s.time])).toEqual([
			[origin, undefined],
			[witness.name, 1679315147],
		]);
	});

	it('is never written', () => {
		expect(() => formatCheckpoint({ origin: 'a\nb', size: 1, root })).toThrow(Unverified);
		expect(() => formatCheckpoint({ origin: '', size: 1, root })).toThrow(Unverified);
		expect(() => formatCheckpoint({ origin: 'a', size: -1, root })).toThrow(Unverified);
		expect(() => formatCheckpoint({ origin: 'a', size: 2 ** 53, root })).toThrow(Unverified);
		expect(() => formatCheckpoint({ origin: 'a', size: 1, root: root.subarray(1) })).toThrow(Unverified);
		expect(() => formatCheckpoint({ origin: 'a', size: 1, root, extensions: [''] })).toThrow(Unverified);
		expect(() => formatCheckpoint({ origin: 'a', size: 1, root, extensions: ['x\ny'] })).toThrow(Unverified);
	});
});

describe('a checkpoint', () => {
	it('is read as it was written, at every size that can be counted', () => {
		for (const size of [0, 1, 19, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
			const text = formatCheckpoint({ origin, size, root, extensions: ['x', 'ü y'] });
			expect(parseCheckpoint(text)).toEqual({ origin, size, root: new Uint8Array(root), extensions: ['x', 'ü y'] });
		}
		expect(formatCheckpoint({ origin, size: 19, root })).toBe(checkpointText(origin, 19, root));
	});
});

describe('refused, as a proof', () => {
	const take = (text: string | Uint8Array, of = 7) => verifyProof(text, entry(of), { keys, origin });

	it('is one with any byte flipped', () => {
		const bytes = Buffer.from(proof);
		for (let at = 0; at < bytes.length; at++) {
			for (const bits of [1, 0x80]) if (!isRefused(() => take(flipped(bytes, at, bits)))) expect.fail(`byte ${at}`);
		}
	});

	it('is one with any line dropped, doubled, or swapped with the next', () => {
		const all = proof.split('\n').slice(0, -1);
		const text = (some: string[]) => `${some.join('\n')}\n`;
		for (const [i, line] of all.entries()) {
			// A right signature may stand twice: see the notes.
			const isSignature = line.startsWith('—');
			expect(() => take(text(all.toSpliced(i, 1)))).toThrow(Unverified);
			if (!isSignature) expect(() => take(text(all.toSpliced(i, 0, line)))).toThrow(Unverified);
			const next = all[i + 1];
			if (next !== undefined) expect(() => take(text(all.with(i, next).with(i + 1, line)))).toThrow(Unverified);
		}
	});

	it.each([
		['another index', proof.replace('index 7', 'index 6')],
		['an index beyond the tree', proof.replace('index 7', 'index 19')],
		['a leading zero', proof.replace('index 7', 'index 07')],
		['a number above 2^53 - 1', proof.replace('index 7', 'index 9007199254740992')],
		['two spaces', proof.replace('index 7', 'index  7')],
		['another version', proof.replace('@v1', '@v2')],
		['carriage returns', proof.replaceAll('\n', '\r\n')],
		['extra data that is not base64', proof.replace('index', 'extra !\nindex')],
		['extra data without end', proof.replace('index', `extra ${'A'.repeat(100_000)}\nindex`)],
		['extra data twice', proof.replace('index', 'extra AAAA\nextra AAAA\nindex')],
		['extra data after the index', proof.replace('index 7', 'index 7\nextra AAAA')],
		['54 hashes', proof.replace('index 7', `index 7\n${`${b64(root)}\n`.repeat(50).trimEnd()}`)],
		['no checkpoint', proof.slice(0, proof.indexOf('\n\n') + 2)],
		['the checkpoint of a smaller tree', lines('7') + signedCheckpoint(key, 18, tree.root(18))],
		['the size of a larger tree', lines('7') + signedCheckpoint(key, 35, root)],
		['the checkpoint of another log', lines('7') + signedCheckpoint(key, 19, root, 'example.com/other')],
		['the checkpoint of another key', lines('7') + signedCheckpoint(logKey(), 19, root)],
		['nothing', ''],
	])('is one with %s', (_, text) => {
		expect(() => take(text)).toThrow(Unverified);
	});

	it('is one of another entry', () => {
		for (const other of entries.keys()) if (other !== 7) expect(() => take(proof, other)).toThrow(Unverified);
		expect(() => verifyProof(proof, { leaf: entry(7) }, { keys, origin })).toThrow(Unverified);
	});

	it('is never written', () => {
		expect(() => formatProof({ index: -1, hashes: [], checkpoint: note })).toThrow(Unverified);
		expect(() => formatProof({ index: 0, hashes: [root.subarray(1)], checkpoint: note })).toThrow(Unverified);
	});
});

describe('a proof', () => {
	it('shows each entry of the log, by its bytes or by its leaf', () => {
		for (const [index, bytes] of entries.entries()) {
			const text = formatProof({ index, hashes: tree.inclusion(index, 19), checkpoint: note });
			expect(text).toBe(lines(String(index)) + note);
			expect(verifyProof(text, bytes, { keys, origin })).toMatchObject({ index, checkpoint: { size: 19 } });
			expect(verifyProof(text, { leaf: leafOf(bytes) }, { keys, origin }).index).toBe(index);
		}
	});

	it('of the only entry has no hash', () => {
		const one = signedCheckpoint(key, 1, leafOf(entry(0)));
		expect(verifyProof(`c2sp.org/tlog-proof@v1\nindex 0\n\n${one}`, entry(0), { keys, origin }).index).toBe(0);
	});

	it('carries data that nobody vouches for', () => {
		const extra = new Uint8Array([1, 2, 3]);
		const text = formatProof({ index: 7, hashes: tree.inclusion(7, 19), checkpoint: note, extra });
		expect(text).toBe(proof.replace('index', 'extra AQID\nindex'));
		expect(parseProof(text).extra).toEqual(extra);
		expect(verifyProof(text, entry(7), { keys, origin }).index).toBe(7);
	});

	it('carries the signatures of others', () => {
		const text = checkpointText(origin, 19, root);
		expect(verifyProof(proof + signed(logKey('b'), text), entry(7), { keys, origin }).index).toBe(7);
	});
});
