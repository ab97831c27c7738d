/** The verifier, as whoever copied it calls it: a process of its own that is given nothing but the words of the call. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../verifier/cli.ts', import.meta.url));

/** Ends as the verifier does. */
export async function verifyOffline(args: readonly string[]): Promise<number> {
	const words = ['--import', import.meta.resolve('tsx'), program, 'ledger', 'verify', ...args];
	const child = spawn(process.execPath, words, { stdio: 'inherit', env: { PATH: process.env['PATH'] } });
	const [code] = (await once(child, 'exit')) as [number | null];
	return code ?? 3;
}
