/** What a log tells of its past: streams, earlier checkpoints, and logs that are as they should be. */
import { randomInt } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { CannotVerify, Unverified } from '#verifier/error.ts';
import { ARCHIVED, drawn } from '#verifier/log/marks.ts';
import { verifyLog } from '#verifier/log.ts';
import { verifierKey } from '#verifier/note.ts';
import type { Source } from '#verifier/source.ts';
import { entryAt, finding, key, keys, outcome, withFile } from './outcome.ts';
import {
	cosigned,
	entriesOf,
	type Files,
	flipped,
	leafOf,
	logKey,
	logOf,
	memory,
	reference,
	signedCheckpoint,
	vkey,
} from './reference.ts';

const SIZE = 700;
const entries = entriesOf(SIZE);
const log = logOf(entries, key);
const text = (files: Files, name: string) => Buffer.from(files.get(name) ?? []).toString();

describe('the chains of the streams', () => {
	const chained = (changed: readonly Uint8Array[]) => finding(logOf(changed, key));
	const json = (value: unknown) => Buffer.from(JSON.stringify(value));
	const read = (i: number) => JSON.parse(String(entries[i])) as Record<string, unknown>;

	it('are found broken although the log was signed so', async () => {
		expect(await chained(entries.toSpliced(20, 1))).toEqual({ kind: 'missing', index: 26, stream: 'A#6', ver: 4 });
		expect(await chained(entries.toSpliced(20, 0, entries[20] ?? Buffer.alloc(0)))).toMatchObject({
			kind: 'forked',
			index: 21,
		});
		expect(await chained(entries.toSpliced(40, 0, entries[20] ?? Buffer.alloc(0)))).toMatchObject({
			kind: 'reordered',
			index: 40,
		});
		expect(await chained(entries.with(20, json({ ...read(20), note: 'other' })))).toMatchObject({
			kind: 'forked',
			index: 27,
		});
		expect(
			await chained(entries.with(3, json({ note: '', prev: '00'.repeat(32), stream: 'A#3', ver: 1 }))),
		).toMatchObject({
			kind: 'forked',
			index: 3,
		});
		expect(await chained([json({ stream: 'A', ver: 2 })])).toMatchObject({ kind: 'missing', index: 0 });
	});

	it.each([
		['no JSON', '{'],
		['a list', '[]'],
		['null', 'null'],
		['nothing', ''],
		['a space more', '{"stream":"x", "ver":1}'],
		['a member twice', '{"stream":"x","stream":"y","ver":1}'],
		['members in another order', '{"ver":1,"stream":"x"}'],
		['a byte order mark', '\ufeff{"stream":"x","ver":1}'],
		['a fraction', '{"n":0.5,"stream":"x","ver":1}'],
		['a number above 2^53 - 1', '{"n":9007199254740993,"stream":"x","ver":1}'],
		['a version 1.0', '{"stream":"x","ver":1.0}'],
		['an escape that need not be', '{"stream":"\\u0078","ver":1}'],
		['half of a surrogate pair', '{"stream":"\\ud800","ver":1}'],
		['no stream', '{"ver":1}'],
		['no version', '{"stream":"x"}'],
		['version 0', '{"stream":"x","ver":0}'],
		['a version as text', '{"stream":"x","ver":"1"}'],
		['another prev', '{"prev":"00","stream":"x","ver":1}'],
		['a depth that no reader takes', `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)},"stream":"x","ver":1}`],
	])('hold no entry of %s', async (_, bytes) => {
		expect(await chained([...entries.slice(0, 3), Buffer.from(bytes)])).toEqual({ kind: 'inserted', index: 3 });
	});

	it('hold entries whose members sort by code units, digits and all', async () => {
		const odd = Buffer.from(
			'{"10":1,"9":[{"\u{1f600}":"é\\n"},null,true],"stream":"x","ver":1,"\u{1f600}":0,"\ufb33":0}',
		);
		expect(await outcome(logOf([odd], key))).toBeNull();
	});

	it('say nothing where there is no memory for them', async () => {
		const many = logOf(entriesOf(3000, { streams: 3000 }), key);
		const archive = new Map([
			...log,
			...Array.from({ length: 200 }, (_, i) => [`checkpoints/${i}`, Buffer.alloc(0)] as const),
		]);
		const alloc = Buffer.alloc.bind(Buffer);
		vi.spyOn(Buffer, 'alloc').mockImplementation((size, ...more) => {
			if (size > 64 * 1024) throw new RangeError('Array buffer allocation failed');
			return alloc(size, ...more);
		});
		vi.stubGlobal(
			'Float64Array',
			class extends Float64Array {
				constructor(length: number) {
					if (length > 100) throw new RangeError('Invalid typed array length');
					super(length);
				}
			},
		);
		try {
			for (const files of [many, archive]) expect(await outcome(files)).toBeInstanceOf(CannotVerify);
		} finally {
			vi.restoreAllMocks();
			vi.unstubAllGlobals();
		}
	});

	it('are followed for many streams', async () => {
		const many = entriesOf(5000, { streams: 2000 });
		expect((await verifyLog(memory(logOf(many, key)), { keys })).streams).toBe(2000);
		const found = await finding(logOf(many.toSpliced(2500, 1), key));
		expect(found).toMatchObject({ kind: 'missing', index: 4499, stream: 'A#500', ver: 3 });
	});
});

describe('checkpoints', () => {
	const tree = reference(entries.map(leafOf));
	const at = (size: number, by = key) => signedCheckpoint(by, size, tree.root(size));

	it('of another key, origin or name are refused', async () => {
		const other = logKey();
		const checkpoint = (note: string) => outcome(withFile(log, 'checkpoint', Buffer.from(note)));
		expect(await checkpoint(at(SIZE, other))).toMatchObject({ name: 'Unverified', finding: { object: 'checkpoint' } });
		const renamed = signedCheckpoint(key, SIZE, tree.root(SIZE), 'example.com/other');
		expect(await checkpoint(renamed)).toMatchObject({ name: 'Unverified' });
		expect(await outcome(log, { origin: `${key.name}/` })).toMatchObject({ name: 'Unverified' });
	});

	it('of an older state pass alone, and are found by one that is known from before', async () => {
		const older = logOf(entries.slice(0, 500), key);
		expect(await outcome(older)).toBeNull();
		expect(await finding(older, { known: text(log, 'checkpoint') })).toEqual({ kind: 'truncated', index: 500 });
		const archived = withFile(older, 'checkpoints/700', Buffer.from(at(700)));
		expect(await finding(archived)).toEqual({ kind: 'truncated', index: 500 });
	});

	it('of a history written again pass alone, and are found by one that is known from before', async () => {
		const rewritten = logOf(entries.with(600, Buffer.from('{"stream":"A#x","ver":1}')).slice(0, 606), key);
		expect(await outcome(rewritten)).toBeNull();
		for (const size of [601, 602, 605, 606]) {
			expect(await finding(rewritten, { known: at(size) })).toEqual({ kind: 'split' });
			const found = await finding(withFile(rewritten, `checkpoints/${size}`, Buffer.from(at(size))));
			expect(found).toEqual({ kind: 'split', object: `checkpoints/${size}` });
		}
		for (const size of [0, 1, 600]) expect(await outcome(rewritten, { known: at(size) })).toBeNull();
	});

	it('known from before are passed at every size', async () => {
		const sizes = [0, 1, 2, 255, 256, 257, 511, 512, 513, 699, 700];
		for (const size of sizes) expect(await outcome(log, { known: at(size) }), String(size)).toBeNull();
		const archive = new Map([...log, ...sizes.map((s) => [`checkpoints/${s}`, Buffer.from(at(s))] as const)]);
		expect(await verifyLog(memory(archive), { keys, known: at(256) })).toMatchObject({ known: 256, archived: 11 });
		for (const size of sizes) {
			const bytes = archive.get(`checkpoints/${size}`) ?? new Uint8Array();
			const found = await finding(withFile(archive, `checkpoints/${size}`, flipped(bytes, randomInt(bytes.length))));
			expect(found?.object).toBe(`checkpoints/${size}`);
		}
		expect(await finding(withFile(log, 'checkpoints/10', Buffer.from(at(11))))).toMatchObject({ kind: 'changed' });
	});

	it('archived at every size are each held against the root of that size', async () => {
		const sizes = Array.from({ length: SIZE + 1 }, (_, size) => size);
		const archive = new Map([...log, ...sizes.map((s) => [`checkpoints/${s}`, Buffer.from(at(s))] as const)]);
		expect(await verifyLog(memory(archive), { keys })).toMatchObject({ archived: SIZE + 1, archivedInAll: SIZE + 1 });
		const wrong = randomInt(1, SIZE);
		const other = signedCheckpoint(key, wrong, tree.root(wrong - 1));
		expect(await finding(withFile(archive, `checkpoints/${wrong}`, Buffer.from(other)))).toEqual({
			kind: 'split',
			object: `checkpoints/${wrong}`,
		});
	});

	it('archived by the thousand are not all read unless that is asked for', async () => {
		const many = entriesOf(ARCHIVED + 500);
		const roots = reference(many.map(leafOf));
		const files = logOf(many, key);
		for (let size = 1; size <= many.length; size++) {
			files.set(`checkpoints/${size}`, Buffer.from(signedCheckpoint(key, size, roots.root(size))));
		}
		const source = memory(files);
		const read: string[] = [];
		const counting: Source = {
			...source,
			read: (name, most) => {
				if (name.startsWith('checkpoints/')) read.push(name);
				return source.read(name, most);
			},
		};
		expect(await verifyLog(counting, { keys })).toMatchObject({ archived: ARCHIVED, archivedInAll: ARCHIVED + 500 });
		expect(read.length).toBe(ARCHIVED);
		const all = await verifyLog(counting, { keys, allArchived: true });
		expect([all.archived, read.length]).toEqual([ARCHIVED + 500, 2 * ARCHIVED + 500]);
		const last = many.length - 3;
		const newest = withFile(files, `checkpoints/${last}`, Buffer.from(signedCheckpoint(key, last, roots.root(7))));
		expect(await finding(newest)).toEqual({ kind: 'split', object: `checkpoints/${last}` });
	});

	it('are drawn from all of them, the newest half as it is', () => {
		for (const count of [0, 1, 9, 10, 11, 12, 37, 1000]) {
			const sizes = Float64Array.from({ length: count }, (_, i) => 3 * i);
			const some = drawn(sizes, 10);
			expect(some).toHaveLength(Math.min(10, count));
			expect(some).toEqual(new Float64Array(new Set(some)).toSorted());
			expect(some.every((size) => sizes.includes(size))).toBe(true);
			expect(some.slice(-5)).toEqual(sizes.slice(-5));
		}
	});

	it('that are no use as a known one say nothing about the log', async () => {
		for (const known of ['', 'x', at(5, logKey()), at(5).replace('\n5\n', '\n6\n')]) {
			expect(await outcome(log, { known })).toBeInstanceOf(CannotVerify);
		}
	});

	it('are asked of each witness that is named', async () => {
		const witness = logKey('witness.example/w1');
		const both = [...keys, verifierKey(vkey(witness, 4))];
		expect(await outcome(log, { keys: both })).toBeInstanceOf(Unverified);
		const note = text(log, 'checkpoint');
		const body = note.slice(0, note.indexOf('\n\n') + 1);
		const files = withFile(log, 'checkpoint', Buffer.from(note + cosigned(witness, body, 1679315147)));
		expect(await outcome(files, { keys: both, known: at(300) })).toBeNull();
	});

	it('say nothing without a log, and nothing of a log without a key', async () => {
		expect(await outcome(new Map())).toBeInstanceOf(CannotVerify);
		expect(await outcome(log, { keys: [] })).toBeInstanceOf(CannotVerify);
		expect(await outcome(log, { keys: [...keys, verifierKey(vkey(logKey('b')))] })).toBeInstanceOf(CannotVerify);
	});

	it('of a size beyond all entries are found without a long search', async () => {
		for (const size of [SIZE + 1, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
			const note = signedCheckpoint(key, size, tree.root(SIZE));
			expect(await outcome(withFile(log, 'checkpoint', Buffer.from(note)))).toBeInstanceOf(Unverified);
		}
	});
});

describe('a log verifies', () => {
	it.each([0, 1, 2, 255, 256, 257, 511, 512, 513])('of %d entries', async (size) => {
		const found = await verifyLog(memory(logOf(entriesOf(size), key)), { keys });
		expect(found.checkpoint.size).toBe(size);
		expect(found.streams).toBe(Math.min(7, size));
	});

	it('whose partial tiles gave way to full ones of a later size', async () => {
		const files = withFile(
			log,
			'checkpoint',
			Buffer.from(signedCheckpoint(key, 300, reference(entries.map(leafOf)).root(300))),
		);
		// Levels above 0 have no full tile yet.
		files.set('tile/1/000.p/1', (log.get('tile/1/000.p/2') ?? new Uint8Array()).subarray(0, 32));
		expect(await outcome(files)).toBeNull();
		const bytes = files.get('tile/entries/001') ?? new Uint8Array();
		const found = await finding(withFile(files, 'tile/entries/001', flipped(bytes, 100)));
		expect(found).toMatchObject({ kind: 'changed', index: 256 + entryAt(bytes, 100), object: 'tile/entries/001' });
		expect(await outcome(withFile(files, 'tile/entries/001', flipped(bytes, bytes.length - 1)))).toBeNull();
	});

	it('whose entries are empty or as long as they can be: as a tree, whatever they say', async () => {
		const found = await outcome(logOf([Buffer.alloc(0), Buffer.alloc(0xffff, 65)], key));
		expect(found?.message).toMatch(/entry 0 is no entry of a ledger/);
	});
});
