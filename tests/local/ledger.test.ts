/** The ledger's commands on a bank that runs, and on its folder when it does not; what is copied verifies on its own. */
import { spawnSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import {
	existsSync,
	lstatSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { GetItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemContext } from '#core/context.ts';
import { newId } from '#core/id.ts';
import * as Ledger from '#core/ledger.ts';
import type { Audit } from '#core/tlog.ts';
import { exportLog } from '#local/ledger/export.ts';
import { placeIn } from '#local/ledger/place.ts';
import { run } from '#local/ledger/run.ts';
import { KEY_FILE } from '#local/sealing.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { formatCheckpoint } from '#verifier/checkpoint.ts';
import { signatureLine, verifierKey, vkeyOf } from '#verifier/note.ts';

const verifier = fileURLToPath(new URL('../../verifier/cli.ts', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-export-'));

let test: TestBank;
let home: string;
beforeAll(async () => {
	test = await testBank();
	home = path.dirname(test.bank.dataDir);
});
afterAll(async () => {
	await test.close();
	rmSync(folder, { recursive: true, force: true });
});

afterEach(() => void vi.restoreAllMocks());

async function ledger(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
	const told = { out: [] as string[], err: [] as string[] };
	const output = { out: (text: string) => told.out.push(text), err: (text: string) => told.err.push(text) };
	const code = await run(args, output, environment);
	return { code, out: told.out.join('\n'), err: told.err.join('\n') };
}

/** One more entry. */
async function next(): Promise<void> {
	const ctx = systemContext(test.bank.platform, '0'.repeat(32));
	const report = newId('report', { now: ctx.now, random: ctx.random });
	const rules = { policies: ['own-reports-only'], setHash: '0'.repeat(64) };
	const view = { all: false, consumerDomains: ['risk'] };
	const asked = {
		type: 'ReportRequested' as const,
		report,
		kind: 'flows' as const,
		product: 'lending.loans',
		view,
		rules,
	};
	const span = { from: '2026-01-01T00:00:00.000Z', until: '2026-02-01T00:00:00.000Z', requester: 'system' };
	const stream = Ledger.stream.report(report);
	await Ledger.append(ctx, { stream, after: null, actor: 'system', body: { ...asked, ...span } });
}

const deployed = (args: readonly string[]) => ledger(args, test.bank.settings);
const vkey = () => test.bank.settings['FAIRLEAD_LEDGER_VKEY'] ?? '';
const verify = (...args: string[]) => {
	const words = ['--import', import.meta.resolve('tsx'), verifier, 'ledger', 'verify', ...args, '--json'];
	const { status, stdout } = spawnSync(process.execPath, words, { encoding: 'utf8' });
	return { status, told: JSON.parse(stdout) as Record<string, unknown> };
};

/** What is waited for until it is on the disk. */
async function syncing() {
	const handle = await open(path.join(folder, 'any'), 'w');
	await handle.close();
	return vi.spyOn(Object.getPrototypeOf(handle) as FileHandle, 'sync');
}

const filesIn = (at: string) => readdirSync(at, { recursive: true, encoding: 'utf8' }).toSorted();

/** A checkpoint that the log's own key signed, of a tree that it never had. */
function forged(size: number): string {
	const text = formatCheckpoint({ origin: placeIn({ data: home }, {}).origin, size, root: new Uint8Array(32).fill(7) });
	const key = createPrivateKey(readFileSync(path.join(test.bank.dataDir, KEY_FILE)));
	const { name, id } = verifierKey(vkey());
	return `${text}\n${signatureLine(name, id, new Uint8Array(sign(null, Buffer.from(text), key)))}`;
}

describe('a call', () => {
	it.each([
		['names no command', []],
		['names one that is none', ['mend']],
		['has an option that is none', ['seal', '--force']],
		['exports to nowhere', ['export']],
		['exports to two folders', ['export', 'a', 'b', '--data', '.']],
		['says of what it seals too much', ['seal', 'all', '--data', '.']],
		['does not say which ledger is meant', ['audit']],
		['means a folder without a ledger', ['audit', '--data', folder]],
		['brings a lake without its contracts', ['seal', '--data', '.', '--lake', '.']],
	])('that %s does nothing and ends with 2', async (_, args) => {
		expect(await ledger(args)).toMatchObject({ code: 2, out: '' });
		expect(readdirSync(folder)).toEqual([]);
	});

	it('for help ends with 0', async () => {
		expect(await ledger(['--help'])).toMatchObject({ code: 0, err: '' });
	});

	it('on a bank that runs is refused, where it needs the table: it has one owner', async () => {
		expect(await ledger(['audit', '--data', home])).toMatchObject({ code: 3, out: '' });
	});

	it('for a copy before anything is sealed makes none', async () => {
		const to = path.join(folder, 'early');
		expect(await deployed(['export', to])).toMatchObject({ code: 3, out: '' });
		expect(existsSync(path.join(to, 'checkpoint'))).toBe(false);
	});
});

describe('a copy to a folder that holds a checkpoint of another history', () => {
	let to: string;
	const checkpoint = () => path.join(to, 'checkpoint');
	beforeAll(async () => {
		to = path.join(folder, 'another');
		await deployed(['seal']);
		await exportLog(placeIn({ data: home }, {}), to);
		await next();
		await deployed(['seal']);
	});

	it.each([
		['of as many entries', 0],
		['of fewer', -1],
		['of a size that the log never stopped at', -3],
	])('is refused with 1 and changes nothing: %s', async (_, less) => {
		const { size } = await exportLog(placeIn({ data: home }, {}), path.join(folder, 'another-whole'));
		const note = forged(size + less);
		rmSync(checkpoint());
		writeFileSync(checkpoint(), note);
		const before = filesIn(to);
		const told = await ledger(['export', to, '--data', home]);
		expect(told).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^split: /) });
		expect(readFileSync(checkpoint(), 'utf8')).toBe(note);
		expect(filesIn(to)).toEqual(before);
	});

	it('is refused where that cannot be read', async () => {
		rmSync(checkpoint());
		symlinkSync('checkpoint', checkpoint());
		expect(await ledger(['export', to, '--data', home])).toMatchObject({ code: 3, out: '' });
		expect(lstatSync(checkpoint()).isSymbolicLink()).toBe(true);
	});

	it('is refused where that came while it was copied', async () => {
		rmSync(checkpoint());
		const sync = await syncing();
		sync.mockImplementationOnce(async () => writeFileSync(checkpoint(), 'of somebody else'));
		await expect(exportLog(placeIn({ data: home }, {}), to)).rejects.toThrow('meanwhile');
		expect(readFileSync(checkpoint(), 'utf8')).toBe('of somebody else');
	});
});

describe('what is sealed', () => {
	const to = path.join(folder, 'log');

	it('is all that waits; the table is what the log says', async () => {
		expect(await deployed(['audit', '--json'])).toMatchObject({ code: 0 });
		const sealed = JSON.parse((await deployed(['seal', '--json'])).out) as Record<string, unknown>;
		expect(sealed).toMatchObject({ waiting: 0, more: false, quarantined: 0 });
		const { entries, waiting, fault } = JSON.parse((await deployed(['audit', '--json'])).out) as Audit;
		expect([entries, waiting, fault]).toEqual([sealed['size'], 0, null]);
		expect(entries).toBeGreaterThan(10);
	});

	it('is copied from beside a bank that runs, and verifies there without it', async () => {
		const copied = JSON.parse((await ledger(['export', to, '--data', home, '--json'])).out) as Record<string, number>;
		const found = verify(to, '--vkey', vkey());
		expect(found).toMatchObject({ status: 0, told: { verified: true, size: copied['size'] } });
		expect(found.told['archived']).toBe(copied['archived']);
		expect(copied['archived']).toBeGreaterThan(0);
	});

	it('is brought up to date by the next copy, which writes over nothing that stays', async () => {
		const known = path.join(folder, 'known');
		writeFileSync(known, readFileSync(path.join(to, 'checkpoint')));
		const { size } = await exportLog(placeIn({ data: home }, {}), path.join(folder, 'before'));
		await next();
		await deployed(['seal']);
		const copied = JSON.parse((await deployed(['export', to, '--json'])).out) as Record<string, number>;
		expect(copied['size']).toBe(size + 1);
		expect(copied['kept']).toBeGreaterThan(0);
		// What somebody may have verified is not lost to what nobody has verified yet.
		const [earlier = '', ...more] = readdirSync(path.join(to, 'earlier'));
		expect([earlier.split('-')[0], more]).toEqual([String(size), []]);
		expect(readFileSync(path.join(to, 'earlier', earlier))).toEqual(readFileSync(known));
		const found = verify(to, '--vkey', vkey(), '--known', known);
		expect(found).toMatchObject({ status: 0, told: { verified: true, size: size + 1 } });
	});

	it('is not copied over a later state of itself, or from a log that another key signed', async () => {
		const place = placeIn({ data: home }, {});
		const before = await exportLog(place, path.join(folder, 'whole'));
		const checkpoint = path.join(test.bank.dataDir, 'ledger', '.checkpoint');
		const last = path.join(checkpoint, readdirSync(checkpoint).toSorted().at(-1) ?? '');
		const bytes = readFileSync(last);
		rmSync(last);
		await expect(exportLog(place, path.join(folder, 'whole'))).rejects.toThrow('it was cut back');
		writeFileSync(last, bytes);
		expect((await exportLog(place, path.join(folder, 'whole'))).size).toBe(before.size);
		const { publicKey } = generateKeyPairSync('ed25519');
		const raw = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }).subarray(-32));
		const other = { ...place, vkey: vkeyOf(place.origin, raw) };
		await expect(exportLog(other, path.join(folder, 'other'))).rejects.toThrow('signed');
		expect(existsSync(path.join(folder, 'other'))).toBe(false);
	});

	it('is copied over what a copy that broke off has left, of which nobody knows what it is', async () => {
		const place = placeIn({ data: home }, {});
		const into = path.join(folder, 'broke off');
		const { size } = await exportLog(place, into);
		const [archived = ''] = readdirSync(path.join(into, 'checkpoints'));
		rmSync(path.join(into, 'checkpoint'));
		const file = path.join(into, 'checkpoints', archived);
		rmSync(file);
		writeFileSync(file, 'of another history');
		await exportLog(place, into);
		expect(verify(into, '--vkey', vkey())).toMatchObject({ status: 0, told: { verified: true, size } });
	});

	it('is copied whole and onto the disk: each file, and the folder that names it', async () => {
		const sync = await syncing();
		const { written } = await exportLog(placeIn({ data: home }, {}), path.join(folder, 'synced'));
		expect(sync.mock.calls.length).toBeGreaterThanOrEqual(2 * (written + 1));
		const names = readdirSync(path.join(folder, 'synced'), { recursive: true, encoding: 'utf8' });
		expect(names.filter((name) => /part|tmp/.test(name))).toEqual([]);
	});

	it('is told where the table is another, with 1', async () => {
		const { aws, config } = test.bank.platform;
		const TableName = config.tables.ledger;
		const { Items = [] } = await aws.dynamodb.send(new ScanCommand({ TableName, Limit: 5 }));
		const item = Items.find(({ li }) => li !== undefined) ?? {};
		const Key = { pk: item['pk'] ?? { S: '' }, sk: item['sk'] ?? { S: '' } };
		const whole = (await aws.dynamodb.send(new GetItemCommand({ TableName, Key }))).Item ?? {};
		await aws.dynamodb.send(new PutItemCommand({ TableName, Item: { ...whole, b: { B: Buffer.from('{}') } } }));
		expect(await deployed(['audit'])).toMatchObject({ code: 1, err: '' });
		await aws.dynamodb.send(new PutItemCommand({ TableName, Item: whole }));
		expect(await deployed(['audit'])).toMatchObject({ code: 0 });
	});
});

it('verify hands its words to the verifier, and ends as that does', async () => {
	expect((await ledger(['verify', path.join(folder, 'log')])).code).toBe(2);
	expect((await ledger(['verify', folder, '--vkey', vkey()])).code).toBe(3);
});

it('the folder of a bank that is stopped is sealed and audited', { timeout: 60_000 }, async () => {
	await test.bank.close();
	expect(await ledger(['seal', '--data', home])).toMatchObject({ code: 0, err: '' });
	expect(await ledger(['audit', '--data', home])).toMatchObject({ code: 0, err: '' });
});
