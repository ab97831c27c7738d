/** What a witness keeps in a folder: one of two wins, nothing is lost, and what cannot be read is not "nothing". */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { logKey, vkey } from '#tests/verifier/reference.ts';
import { type Kept, logsOf } from '#witness/decide.ts';
import { beginState, folderStore, put } from '#witness/folder.ts';
import { respond, StateMissing } from '#witness/witness.ts';
import { logOf, makeWitness, ORIGIN } from './arrange.ts';

const signer = logKey(ORIGIN);
const log = logOf(signer, 200);
const at = (size: number): Kept => ({ note: log.checkpoint(size), time: 1_770_000_000 + size });
let root = '';
let made = 0;
const fresh = () => path.join(root, String(made++), 'state');
const own = vkey(logKey('witness.example/w1'), 4);
/** The state of a witness that saw nothing yet. */
async function begun(): Promise<string> {
	const folder = fresh();
	await beginState(folder, own);
	return folder;
}
const filesOf = (folder: string) => {
	const [only = ''] = readdirSync(folder).filter((name) => /^[0-9a-f]{64}$/.test(name));
	return { folder: path.join(folder, only), names: readdirSync(path.join(folder, only)).toSorted() };
};

beforeAll(() => {
	root = mkdtempSync(path.join(tmpdir(), 'fairlead-witness-'));
});
afterAll(() => rmSync(root, { recursive: true }));

describe('where the state is not', () => {
	it('there is none, and none is made, until it is begun', async () => {
		const folder = fresh();
		await expect(folderStore(folder, own)).rejects.toThrow(StateMissing);
		mkdirSync(folder, { recursive: true });
		await expect(folderStore(folder, own)).rejects.toThrow(/is not in .*begin another witness, with a key of its own/);
		expect(readdirSync(folder)).toEqual([]);
		await beginState(folder, own);
		expect(await (await folderStore(folder, own)).read(ORIGIN)).toBeNull();
	});

	it('that of another key does not stand for it', async () => {
		const folder = await begun();
		const other = vkey(logKey('witness.example/w1'), 4);
		await expect(folderStore(folder, other)).rejects.toThrow(StateMissing);
		await expect(beginState(folder, other)).rejects.toThrow(/state of a witness already/);
		expect(await (await folderStore(folder, own)).read(ORIGIN)).toBeNull();
	});

	it('what was cosigned without its mark is not begun again', async () => {
		const folder = await begun();
		await (await folderStore(folder, own)).replace(ORIGIN, at(5), null);
		unlinkSync(path.join(folder, 'vkey'));
		await expect(folderStore(folder, own)).rejects.toThrow(StateMissing);
		await expect(beginState(folder, own)).rejects.toThrow(/state of a witness already/);
	});

	it('what is left of it is not begun again', async () => {
		const folder = await begun();
		await (await folderStore(folder, own)).replace(ORIGIN, at(5), null);
		rmSync(filesOf(folder).folder, { recursive: true });
		unlinkSync(path.join(folder, 'vkey'));
		await expect(beginState(folder, own)).rejects.toThrow(/state of a witness already/);
	});

	it('any more, nothing is said of it and nothing is kept, by a process that had it before', async () => {
		for (const left of ['nothing', 'the place to mount it']) {
			const folder = await begun();
			const store = await folderStore(folder, own);
			await store.replace(ORIGIN, at(5), null);
			renameSync(folder, `${folder}.away`);
			if (left !== 'nothing') mkdirSync(folder);
			await expect(store.read(ORIGIN)).rejects.toThrow(StateMissing);
			await expect(store.replace(ORIGIN, at(6), null)).rejects.toThrow(StateMissing);
			expect(await store.replace(ORIGIN, at(6), at(5)).catch(() => false)).toBe(false);
			rmSync(folder, { recursive: true, force: true });
			renameSync(`${folder}.away`, folder);
			expect(await store.read(ORIGIN)).toEqual(at(5));
		}
	});
});

describe('where what was cosigned of one log is not', () => {
	const other = 'example.com/other';
	const ofOther: Kept = { note: logOf(logKey(other)).checkpoint(3), time: 1_770_000_003 };

	it.each(['lost', 'emptied'])('nothing more of it is cosigned: its folder was %s, the rest is there', async (how) => {
		const folder = await begun();
		const store = await folderStore(folder, own);
		await store.replace(ORIGIN, at(5), null);
		await store.replace(ORIGIN, at(6), at(5));
		const { folder: files } = filesOf(folder);
		renameSync(files, `${folder}.away`);
		if (how === 'emptied') mkdirSync(files);
		for (const each of [store, await folderStore(folder, own)]) {
			await expect(each.read(ORIGIN)).rejects.toThrow(StateMissing);
			await expect(each.read(ORIGIN)).rejects.toThrow(/of example\.com\/log is not in .*Put it back as it was last/);
			await expect(each.replace(ORIGIN, at(4), null)).rejects.toThrow(StateMissing);
			await expect(each.replace(ORIGIN, at(7), at(6))).rejects.toThrow(StateMissing);
		}
		// Others begin, and go on.
		expect(await store.read(other)).toBeNull();
		expect(await store.replace(other, ofOther, null)).toBe(true);
		rmSync(files, { recursive: true, force: true });
		renameSync(`${folder}.away`, files);
		expect(await store.read(ORIGIN)).toEqual(at(6));
		expect(await store.replace(ORIGIN, at(7), at(6))).toBe(true);
	});

	it('the witness answers that it failed, and tells why', async () => {
		const folder = await begun();
		const key = logKey('witness.example/w1');
		const { witness, told } = makeWitness(
			[],
			{ logs: logsOf([vkey(signer)]), store: await folderStore(folder, own) },
			key,
		);
		const ask = (old: number, size: number) => {
			const body = Buffer.from(log.request(old, size));
			return respond(witness, { method: 'POST', path: '/add-checkpoint', body });
		};
		expect((await ask(0, 9)).status).toBe(200);
		rmSync(filesOf(folder).folder, { recursive: true });
		expect((await ask(0, 5)).status).toBe(500);
		expect(told).toMatchObject([{ error: 'StateMissing', why: expect.stringContaining(ORIGIN) }]);
	});

	it('it has not begun, where a crash left its folder without a checkpoint: nothing was cosigned', async () => {
		const folder = await begun();
		const store = await folderStore(folder, own);
		// Makes the folder, and keeps nothing.
		expect(await store.replace(ORIGIN, at(5), at(4))).toBe(false);
		writeFileSync(path.join(filesOf(folder).folder, '.0123.tmp'), 'time');
		const next = await folderStore(folder, own);
		expect(await next.read(ORIGIN)).toBeNull();
		expect(await next.replace(ORIGIN, at(5), null)).toBe(true);
	});

	it('it has begun, where a crash left its first checkpoint without the mark, and that was read', async () => {
		const folder = await begun();
		await (await folderStore(folder, own)).replace(ORIGIN, at(5), null);
		const { folder: files } = filesOf(folder);
		unlinkSync(`${files}.begun`);
		const next = await folderStore(folder, own);
		expect(await next.read(ORIGIN)).toEqual(at(5));
		rmSync(files, { recursive: true });
		await expect(next.read(ORIGIN)).rejects.toThrow(StateMissing);
	});
});

describe('what is kept', () => {
	it('is not replaced by whoever knows an older state, or none', async () => {
		const store = await folderStore(await begun(), own);
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
		const folder = await begun();
		const store = await folderStore(folder, own);
		await store.replace(ORIGIN, at(5), null);
		const again = await folderStore(folder, own);
		expect(await again.read(ORIGIN)).toEqual(at(5));
		expect(await again.read('example.com/other')).toBeNull();
		await expect(again.replace('example.com/other', at(5), null)).rejects.toThrow(/another log/);
	});

	it('is the last of many, of which the first are taken away', async () => {
		const folder = await begun();
		const store = await folderStore(folder, own);
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
		const folder = await begun();
		const store = await folderStore(folder, own);
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
		const folder = await begun();
		const store = await folderStore(folder, own);
		await store.replace(ORIGIN, at(5), null);
		const { folder: files } = filesOf(folder);
		writeFileSync(path.join(files, '000000000002'), content);
		await expect(store.read(ORIGIN)).rejects.toThrow();
		await expect(store.replace(ORIGIN, at(9), null)).rejects.toThrow();
	});

	it('is not harmed by what a crash leaves', async () => {
		const folder = await begun();
		const store = await folderStore(folder, own);
		await store.replace(ORIGIN, at(5), null);
		writeFileSync(path.join(filesOf(folder).folder, '.0123.tmp'), 'time');
		expect(await store.read(ORIGIN)).toEqual(at(5));
		expect(await store.replace(ORIGIN, at(6), at(5))).toBe(true);
	});
});

describe('on disk', () => {
	/** Calls `before` each time that something is to be made durable. */
	async function watched<T>(before: (handle: FileHandle) => Promise<void>, work: () => Promise<T>): Promise<T> {
		const some = await open(root, 'r');
		const handles = Object.getPrototypeOf(some) as FileHandle;
		await some.close();
		const sync: (this: FileHandle) => Promise<void> = Reflect.get(handles, 'sync');
		const spy = vi.spyOn(handles, 'sync').mockImplementation(async function (this: FileHandle) {
			await before(this);
			return sync.call(this);
		});
		return work().finally(() => spy.mockRestore());
	}

	/** Folders and files that were made durable meanwhile, in their order. */
	async function synced(work: () => Promise<unknown>): Promise<string[]> {
		const numbers: number[] = [];
		await watched(async (handle) => void numbers.push((await handle.stat()).ino), work);
		const names = new Map(
			readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) => [
				statSync(path.join(root, name)).ino,
				name.replace(/[0-9a-f]{64}/, 'LOG'),
			]),
		);
		return numbers.map((number) => names.get(number) ?? (number === statSync(root).ino ? '.' : 'gone'));
	}

	it('is what another process kept, folders and all, before it is said: it may have died before it was', async () => {
		const folder = await begun();
		await (await folderStore(folder, own)).replace(ORIGIN, at(5), null);
		const store = await folderStore(folder, own);
		const name = path.relative(root, folder);
		expect(await synced(() => store.read(ORIGIN))).toEqual([`${name}/LOG`, name]);
		// Once for each that is kept.
		expect(await synced(() => store.read(ORIGIN))).toEqual([]);
		await (await folderStore(folder, own)).replace(ORIGIN, at(6), at(5));
		expect(await synced(() => store.read(ORIGIN))).toEqual([`${name}/LOG`, name]);
	});

	it('is the folder of a log, though somebody else made it, before anything in it', async () => {
		const folder = await begun();
		await (await folderStore(folder, own)).replace(ORIGIN, at(5), at(4));
		const store = await folderStore(folder, own);
		const name = path.relative(root, folder);
		const done = await synced(() => store.replace(ORIGIN, at(5), null));
		const first = [name, `${name}/LOG/000000000001`, `${name}/LOG`];
		// Then that it has begun, and not before: a mark without a checkpoint would be taken for a loss.
		expect(done).toEqual([...first, `${name}/LOG.begun`, name]);
		const second = await synced(() => store.replace(ORIGIN, at(6), at(5)));
		expect(second).toEqual([name, `${name}/LOG/000000000002`, `${name}/LOG`]);
	});

	it('is the mark of a log that has begun, after what it has, where another process died before it made it', async () => {
		const folder = await begun();
		await (await folderStore(folder, own)).replace(ORIGIN, at(5), null);
		unlinkSync(`${filesOf(folder).folder}.begun`);
		const store = await folderStore(folder, own);
		const name = path.relative(root, folder);
		expect(await synced(() => store.read(ORIGIN))).toEqual([`${name}/LOG`, `${name}/LOG.begun`, name]);
	});

	it('is all of it before a first checkpoint is said to be kept: wherever that fails, the log can begin', async () => {
		const failed: (Kept | null)[] = [];
		for (let n = 1; n <= 5; n++) {
			const folder = await begun();
			const store = await folderStore(folder, own);
			let made = 0;
			const dying = async () => {
				made += 1;
				if (made >= n) throw new Error('dies');
			};
			await expect(watched(dying, () => store.replace(ORIGIN, at(5), null))).rejects.toThrow('dies');
			const next = await folderStore(folder, own);
			const kept = await next.read(ORIGIN);
			failed.push(kept);
			expect(await next.replace(ORIGIN, at(9), kept)).toBe(true);
			rmSync(filesOf(folder).folder, { recursive: true });
			await expect(next.read(ORIGIN)).rejects.toThrow(StateMissing);
		}
		expect(failed).toEqual([null, null, at(5), at(5), at(5)]);
	});

	it('is the state with all folders above it, whoever made them, when it is begun', async () => {
		const folder = fresh();
		const name = path.relative(root, folder);
		mkdirSync(folder, { recursive: true });
		expect(await synced(() => beginState(folder, own))).toEqual([path.dirname(name), `${name}/vkey`, name]);
		const other = fresh();
		const made = path.relative(root, other);
		const done = await synced(() => beginState(other, own));
		expect(done).toEqual([path.dirname(made), '.', `${made}/vkey`, made]);
	});
});

it('of many processes at one step one alone keeps its own', { timeout: 60_000 }, async () => {
	const folder = await begun();
	await (await folderStore(folder, own)).replace(ORIGIN, at(5), null);
	const file = path.join(root, 'race.mts');
	const from = (name: string) => JSON.stringify(new URL(`../../witness/${name}`, import.meta.url).href);
	writeFileSync(
		file,
		`import { folderStore } from ${from('folder.ts')};
const [folder, own, origin, over, ...all] = process.argv.slice(2);
const store = await folderStore(folder, own);
const won = await Promise.all(all.map((next) => store.replace(origin, JSON.parse(next), JSON.parse(over))));
console.log(won.filter(Boolean).length);`,
	);
	const run = (sizes: readonly number[]) =>
		new Promise<number>((resolve, reject) => {
			const args = [
				'--import',
				'tsx',
				file,
				folder,
				own,
				ORIGIN,
				...[5, ...sizes].map((size) => JSON.stringify(at(size))),
			];
			execFile(process.execPath, args, (error, out) => (error === null ? resolve(Number(out)) : reject(error)));
		});
	const won = await Promise.all([run([6, 7, 8, 9]), run([10, 11, 12, 13]), run([14, 15, 16])]);
	expect(won.reduce((sum, n) => sum + n, 0)).toBe(1);
	unlinkSync(file);
});
