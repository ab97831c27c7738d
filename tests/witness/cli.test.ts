/** Both commands as processes: a witness that others start, and a verifier that asks for its cosignatures. */
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cosigned, entriesOf, leafOf, logKey, logOf, reference, vkey, write } from '#tests/verifier/reference.ts';
import { verifierKey } from '#verifier/note.ts';
import { cosignatureIn } from '#verifier/witness.ts';
import { seenIn } from '#witness/decide.ts';
import { logOf as logBy, ORIGIN } from './arrange.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder = '';
const at = (name: string) => path.join(folder, name);

function run(file: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
	return new Promise((resolve) => {
		execFile(
			process.execPath,
			['--import', 'tsx', path.join(root, file), ...args],
			{ cwd: root, timeout: 50_000 },
			(error, out, err) => {
				resolve({ code: error === null ? 0 : Number(error.code), out, err });
			},
		);
	});
}

beforeAll(() => {
	folder = mkdtempSync(path.join(tmpdir(), 'fairlead-witness-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the verifier', { timeout: 120_000 }, () => {
	const key = logKey();
	const [w1, w2] = [logKey('witness.example/w1'), logKey('witness.example/w2')] as const;
	const entries = entriesOf(20);
	const verify = (...more: string[]) =>
		run('verifier/cli.ts', 'ledger', 'verify', at('log'), '--vkey', vkey(key), ...more);
	const both = ['--witness', vkey(w1, 4), '--witness', vkey(w2, 4)];

	beforeAll(() => {
		write(logOf(entries, key), at('log'));
		const note = readFileSync(at('log/checkpoint'), 'utf8');
		const text = note.slice(0, note.indexOf('\n\n') + 1);
		writeFileSync(at('log/checkpoint'), note + cosigned(w1, text, 1_770_000_000));
		const path = reference(entries.map(leafOf)).inclusion(7, 20);
		const hashes = path.map((hash) => `${hash.toString('base64')}\n`).join('');
		writeFileSync(
			at('proof'),
			`c2sp.org/tlog-proof@v1\nindex 7\n${hashes}\n${readFileSync(at('log/checkpoint'), 'utf8')}`,
		);
		writeFileSync(at('entry'), entries[7] ?? '');
		writeFileSync(at('another'), entries[8] ?? '');
	});

	it('ends with 2 where the call is wrong', async () => {
		const wrong = [
			['--witness', vkey(w1)],
			['--witness', vkey({ ...key, name: 'own' }, 4)],
			['--witness', vkey(w1, 4), '--witness', vkey({ ...w1, name: 'alias' }, 4)],
			[...both, '--quorum', '3'],
			[...both, '--quorum', '-1'],
			['--entry', at('entry')],
		];
		for (const more of wrong) expect((await verify(...more)).code, more.join(' ')).toBe(2);
	});

	it('ends with 1 where too few cosigned, and with 0 where enough did', async () => {
		const [all, one, quorum] = [
			await verify(...both),
			await verify(...both.slice(0, 2)),
			await verify(...both, '--quorum', '1'),
		];
		expect([all.code, one.code, quorum.code]).toEqual([1, 0, 0]);
		expect(all.err).toContain('the witness witness.example/w2 did not cosign');
		expect(one.out).toContain('signed by example.com/ledger, witness.example/w1 at 1770000000');
	});

	it('says the same of one entry and its proof', async () => {
		const proof = (entry: string, ...more: string[]) =>
			run('verifier/cli.ts', 'ledger', 'proof', at('proof'), '--entry', at(entry), '--vkey', vkey(key), ...more);
		const good = await proof('entry', ...both, '--quorum', '1', '--json');
		expect([good.code, JSON.parse(good.out)]).toMatchObject([0, { verified: true, index: 7, size: 20 }]);
		expect([(await proof('entry', ...both)).code, (await proof('another')).code]).toEqual([1, 1]);
		expect((await proof('nothing')).code).toBe(3);
	});
});

describe('the witness', { timeout: 60_000 }, () => {
	const log = logKey(ORIGIN);
	const named = () => ['--name', 'witness.example/cli', '--key', at('key.pem')];

	it('makes a key of its own once, which only its owner reads, and a state with it', async () => {
		const state = ['--state', at('state')];
		expect((await run('witness/cli.ts', 'key', ...named())).code).toBe(2);
		const { code, out } = await run('witness/cli.ts', 'key', ...named(), ...state);
		expect([code, statSync(at('key.pem')).mode & 0o777]).toEqual([0, 0o600]);
		expect(verifierKey(out.trim())).toMatchObject({ name: 'witness.example/cli', algorithm: 4 });
		expect(readFileSync(at('state/vkey'), 'utf8')).toBe(out);
		expect((await run('witness/cli.ts', 'vkey', ...named())).out).toBe(out);
		// Neither a second key for the state, nor a second state for the key.
		const second = ['--name', 'witness.example/cli', '--key', at('second.pem')];
		expect((await run('witness/cli.ts', 'key', ...second, ...state)).code).toBe(1);
		expect((await run('witness/cli.ts', 'key', ...named(), '--state', at('second'))).code).toBe(1);
		expect([existsSync(at('second.pem')), existsSync(at('second'))]).toEqual([false, false]);
	});

	it('does not serve with a key whose state is not there, and says what to do', async () => {
		const serving = [...named(), '--log', vkey(log), '--port', '0', '--state', at('lost')];
		const { code, out, err } = await run('witness/cli.ts', ...serving);
		expect([code, out, existsSync(at('lost'))]).toEqual([1, '', false]);
		expect(err).toMatch(/is not in .*\/lost: without it nothing is cosigned\. Put it back .* begin another witness/);
	});

	it('does not start without a log, with the key of a witness for one, or with words it does not know', async () => {
		expect((await run('witness/cli.ts', ...named(), '--state', at('state'))).code).toBe(2);
		expect((await run('witness/cli.ts', ...named(), '--log', vkey(log))).code).toBe(2);
		expect((await run('witness/cli.ts', ...named(), '--log', vkey(log, 4), '--state', at('state'))).code).toBe(1);
		expect((await run('witness/cli.ts', 'serve', ...named())).code).toBe(2);
	});

	it('cosigns, and after it was killed goes on from what it kept', async () => {
		const made = logBy(log);
		const args = [
			'--import',
			'tsx',
			path.join(root, 'witness/cli.ts'),
			...named(),
			'--log',
			vkey(log),
			'--state',
			at('state'),
		];
		const began = async () => {
			const child = spawn(process.execPath, [...args, '--port', '0'], {
				cwd: root,
				stdio: ['ignore', 'pipe', 'inherit'],
			});
			const ended = new Promise((resolve) => child.once('exit', resolve));
			const [line] = await new Promise<string[]>((resolve) => {
				createInterface(child.stdout).once('line', (text) => resolve([text]));
			});
			const { port, vkey: own } = JSON.parse(line ?? '') as { port: number; vkey: string };
			const ask = async (body: string) => {
				const answer = await fetch(`http://127.0.0.1:${port}/add-checkpoint`, { method: 'POST', body });
				return { status: answer.status, body: await answer.text() };
			};
			const kill = async () => {
				child.kill('SIGKILL');
				await ended;
			};
			return { ask, kill, own };
		};
		const first = await began();
		const { body } = await first.ask(made.request(0, 9));
		expect(cosignatureIn(body, seenIn(made.checkpoint(9)).text, verifierKey(first.own)).time).toBeGreaterThan(0);
		await first.kill();
		const second = await began();
		expect(await second.ask(made.request(0, 5))).toEqual({ status: 409, body: '9\n' });
		expect((await second.ask(made.request(9, 12))).status).toBe(200);
		await second.kill();
	});
});
