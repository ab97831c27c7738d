/** What a witness keeps in a folder: one of two wins, nothing is lost, and what cannot be read is not "nothing". */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logKey } from '#tests/verifier/reference.ts';
import type { Kept } from '#witness/decide.ts';
import { folderStore, put } from '#witness/folder.ts';
import { logOf, ORIGIN } from './arrange.ts';

const log = logOf(logKey(ORIGIN), 200);
const at = (size: number): Kept => ({ note: log.checkpoint(size), time: 1_770_000_000 + size });
let root = '';
let made = 0;
const fresh = () => path.join(root, String(made++), 'state');
const filesOf = (folder: string) => {
	const [only = ''] = readdirSync(folder);
	return { folder: path.join(folder, only), names: readdirSync(path.join(folder, only)).toSorted() };
};

beforeAll(() => {
	root = mkdtempSync(path.join(tmpdir(), 'fairlead-witness-'));
});
afterAll(() => rmSync(root, { recursive: true }));

describe('what is kept', () => {
	it('is not replaced by whoever knows an older state, or none', async () => {
		const store = await folderStore(fresh());
		expect(await store.replace(ORIGIN, at(5), at(4))).toBe(false);
		expect(await store.read(ORIGIN)).toBeNull();
		expect(await store.replace(ORIGIN, at(5), null)).toBe(true);
		expect(await store.replace(ORIGIN, at(6), null)).toBe(false);
		expect(await store.replace(ORIGIN, at(6), at(4))).toBe(false);
		expect(await store.replace(ORIGIN, at(6), { ...at(5), time: 1 })).toBe(false);
		expect(await store.read(ORIGIN)).toEqual(at(5));
		expect(await store.replace(ORIGIN, at(9), at(5))).toBe(true);
		expect(await store.read(ORIGIN)).toEqual(at(9));
	});

	it('stays with the next process, for each log apart', async () => {
		const folder = fresh();
		const store = await folderStore(folder);
		await store.replace(ORIGIN, at(5), null);
		const again = await folderStore(folder);
		expect(await again.read(ORIGIN)).toEqual(at(5));
		expect(await again.read('example.com/other')).toBeNull();
		await expect(again.replace('example.com/other', at(5), null)).rejects.toThrow(/another log/);
	});

	it('is the last of many, of which the first are taken away', async () => {
		const folder = fresh();
		const store = await folderStore(folder);
		let before: Kept | null = null;
		for (let size = 1; size <= 80; size++) {
			expect(await store.replace(ORIGIN, at(size), before)).toBe(true);
			before = at(size);
		}
		expect(await store.read(ORIGIN)).toEqual(at(80));
		const { names } = filesOf(folder);
		expect([names.length, names[0], names.at(-1)]).toEqual([64, '000000000017', '000000000080']);
	});

	it('is not what somebody writes who stood still meanwhile, though the number is free', async () => {
		const folder = fresh();
		const store = await folderStore(folder);
		await store.replace(ORIGIN, at(5), null);
		const files = filesOf(folder);
		// It looked when number 1 was the last; others went on to 90 since, and tidied.
		writeFileSync(path.join(files.folder, '000000000090'), `time 5\n${log.checkpoint(9)}`);
		expect(await put(files.folder, 2, `time 4\n${log.checkpoint(6)}`)).toBe(false);
		expect(filesOf(folder).names).toEqual(['000000000001', '000000000090']);
		expect(await store.read(ORIGIN)).toEqual({ note: log.checkpoint(9), time: 5 });
	});

	it.each([
		['empty', ''],
		['cut off', `time 5\n${log.checkpoint(9).slice(0, 60)}`],
		['without a time', log.checkpoint(9)],
		['with a time that is none', `time x\n${log.checkpoint(9)}`],
	])('is an error where it is %s', async (_, content) => {
		const folder = fresh();
		const store = await folderStore(folder);
		await store.replace(ORIGIN, at(5), null);
		const { folder: own } = filesOf(folder);
		writeFileSync(path.join(own, '000000000002'), content);
		await expect(store.read(ORIGIN)).rejects.toThrow();
		await expect(store.replace(ORIGIN, at(9), null)).rejects.toThrow();
	});

	it('is not harmed by what a crash leaves', async () => {
		const folder = fresh();
		const store = await folderStore(folder);
		await store.replace(ORIGIN, at(5), null);
		writeFileSync(path.join(filesOf(folder).folder, '.0123.tmp'), 'time');
		expect(await store.read(ORIGIN)).toEqual(at(5));
		expect(await store.replace(ORIGIN, at(6), at(5))).toBe(true);
	});
});

it('of many processes at one step one alone keeps its own', { timeout: 60_000 }, async () => {
	const folder = fresh();
	await (await folderStore(folder)).replace(ORIGIN, at(5), null);
	const file = path.join(root, 'race.mts');
	const from = (name: string) => JSON.stringify(new URL(`../../witness/${name}`, import.meta.url).href);
	writeFileSync(
		file,
		`import { folderStore } from ${from('folder.ts')};
const [folder, origin, over, ...all] = process.argv.slice(2);
const store = await folderStore(folder);
const won = await Promise.all(all.map((next) => store.replace(origin, JSON.parse(next), JSON.parse(over))));
console.log(won.filter(Boolean).length);`,
	);
	const run = (sizes: readonly number[]) =>
		new Promise<number>((resolve, reject) => {
			const args = ['--import', 'tsx', file, folder, ORIGIN, ...[5, ...sizes].map((size) => JSON.stringify(at(size)))];
			execFile(process.execPath, args, (error, out) => (error === null ? resolve(Number(out)) : reject(error)));
		});
	const won = await Promise.all([run([6, 7, 8, 9]), run([10, 11, 12, 13]), run([14, 15, 16])]);
	expect(won.reduce((sum, n) => sum + n, 0)).toBe(1);
	unlinkSync(file);
});
