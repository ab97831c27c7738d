/** The command as a process: its exit codes, and what it prints. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entriesOf, flipped, logKey, logOf, vkey, write } from './reference.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const key = logKey();
let folder = '';
const at = (name: string) => path.join(folder, name);

function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
	return new Promise((resolve) => {
		const command = ['--import', 'tsx', path.join(root, 'verifier/cli.ts'), ...args];
		execFile(process.execPath, command, { cwd: root }, (error, out, err) => {
			resolve({ code: error === null ? 0 : Number(error.code), out, err });
		});
	});
}

const verify = (log: string, ...more: string[]) => run('ledger', 'verify', at(log), '--vkey', vkey(key), ...more);

beforeAll(() => {
	folder = mkdtempSync(path.join(tmpdir(), 'fairlead-cli-'));
	const entries = entriesOf(300);
	write(logOf(entries, key), at('log'));
	write(logOf(entries.slice(0, 200), key), at('older'));
	write(logOf([...entries.slice(0, 9), Buffer.from('{"stream":"\\u001b[2J\u202e","ver":2}')], key), at('odd'));
	cpSync(at('log'), at('changed'), { recursive: true });
	const bundle = at('changed/tile/entries/000');
	writeFileSync(bundle, flipped(readFileSync(bundle), 500));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the command ends with', { timeout: 120_000 }, () => {
	it('2 if the call is wrong', async () => {
		const calls = [
			[],
			['ledger', 'verify', at('log')],
			['ledger', 'verify', at('log'), '--vkey', 'nonsense'],
			['ledger', 'verify', at('log'), '--vkey', vkey(key), '--vkey', vkey(logKey('b'))],
			['ledger', 'verify', at('log'), at('older'), '--vkey', vkey(key)],
			['ledger', 'verify', at('log'), '--vkey', vkey(key), '--force'],
		];
		for (const call of calls) {
			const { code, out, err } = await run(...call);
			expect([code, out], call.join(' ')).toEqual([2, '']);
			expect(err).toContain('usage: fairlead ledger verify');
		}
	});

	it('1 if the log is not what it claims to be', async () => {
		const { code, err } = await verify('changed');
		expect(code).toBe(1);
		expect(err).toMatch(
			/^DOES NOT VERIFY: entry \d+ was changed\n {2}kind: changed\n {2}index: \d+\n {2}object: tile\/entries\/000\n$/,
		);
		const other = await run('ledger', 'verify', at('log'), '--vkey', vkey(logKey()), '--json');
		expect(other.code).toBe(1);
		expect(JSON.parse(other.out)).toMatchObject({ verified: false, finding: { object: 'checkpoint' } });
		expect((await verify('log', '--origin', 'example.com/other')).code).toBe(1);
	});

	it('1 if the log was cut back, which only a known checkpoint tells', async () => {
		expect((await verify('older')).code).toBe(0);
		const { code, out } = await verify('older', '--known', at('log/checkpoint'), '--json');
		expect(code).toBe(1);
		expect(JSON.parse(out)).toMatchObject({ verified: false, finding: { kind: 'truncated', index: 200 } });
	});

	it('3 if it could not be looked at', async () => {
		expect((await verify('absent')).code).toBe(3);
		expect((await verify('log', '--known', at('absent'))).code).toBe(3);
		expect((await verify('log', '--known', at('log/tile/0/000'))).code).toBe(3);
		const { code, out } = await run('ledger', 'verify', 'https://127.0.0.1:1/', '--vkey', vkey(key), '--json');
		expect(code).toBe(3);
		expect(JSON.parse(out)).toMatchObject({ verified: null });
		expect((await run('ledger', 'verify', at('log'), '--vkey', vkey(key, 6))).code).toBe(3);
	});

	it('0 if the log is verified', async () => {
		const { code, out, err } = await verify('log', '--known', at('older/checkpoint'));
		expect([code, err]).toEqual([0, '']);
		expect(out).toContain(`verified: ${key.name}\n  300 entries in 7 streams, root `);
		expect(out).toContain('goes on from the known checkpoint of 200');
		expect(JSON.parse((await verify('log', '--json')).out)).toMatchObject({ verified: true, size: 300, known: null });
	});

	it('1, and no word that a terminal obeys', async () => {
		const text = await verify('odd');
		expect(text.code).toBe(1);
		expect(text.err).toContain('\\u{1b}[2J\\u{202e}');
		const json = await verify('odd', '--json');
		for (const hidden of ['\u001b', '\u202e']) expect(json.out).not.toContain(hidden);
		expect(JSON.parse(json.out)).toMatchObject({ finding: { stream: '\u001b[2J\u202e', kind: 'missing' } });
	});
});
