#!/usr/bin/env node
/**
 * A witness of logs, with nothing but this folder, `verifier/` beside it, and Node.
 *
 * Ends with 2 if the call was wrong, 1 if it cannot begin. What it is told of goes to standard output, a line of JSON each.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { logsOf } from './decide.ts';
import { folderStore } from './folder.ts';
import { beginWitness, signWith, witnessKey } from './key.ts';
import { serve } from './server.ts';

const USAGE = `usage: node witness/cli.ts --name NAME --key FILE --log VKEY [--log VKEY]... --state FOLDER [--host HOST] [--port N]
       node witness/cli.ts key --name NAME --key FILE --state FOLDER
                                                          makes key and state, once, and prints the verifier key
       node witness/cli.ts vkey --name NAME --key FILE    prints the verifier key of a key, private or public

  --name NAME      name of the witness, such as witness.example/bank: for good, as its verifier key holds it
  --key FILE       its key: Ed25519 as PEM
  --log VKEY       verifier key of a log, whose name is the origin of the log; got from the log's owner
  --state FOLDER   what was cosigned: never put back to an earlier state, or it cosigns what does not fit; if it is lost,
                   the key is of no use any more
  --host HOST      127.0.0.1 unless given
  --port N         7380 unless given; 0: any
`;

class Misuse extends Error {}

const options = {
	name: { type: 'string' },
	key: { type: 'string' },
	log: { type: 'string', multiple: true },
	state: { type: 'string' },
	host: { type: 'string', default: '127.0.0.1' },
	port: { type: 'string', default: '7380' },
} as const;

function parsed(args: readonly string[]) {
	try {
		return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
	} catch (cause) {
		throw new Misuse(cause instanceof Error ? cause.message : '', { cause });
	}
}

function given(value: string | undefined, name: string): string {
	if (value === undefined || value === '') throw new Misuse(`--${name} is missing`);
	return value;
}

const line = (text: string): void => void process.stdout.write(`${text}\n`);
const tell = (message: string, more: Readonly<Record<string, unknown>> = {}) =>
	line(JSON.stringify({ time: new Date().toISOString(), message, ...more }));

async function run(args: readonly string[]): Promise<void> {
	const { values, positionals } = parsed(args);
	const [command, ...more] = positionals;
	if (more.length > 0 || ![undefined, 'key', 'vkey'].includes(command)) throw new Misuse('');
	const name = given(values.name, 'name');
	const file = given(values.key, 'key');
	if (command === 'key') return line(await beginWitness(name, file, given(values.state, 'state')));
	const key = readFileSync(file);
	const vkey = witnessKey(name, key);
	if (command === 'vkey') return line(vkey);
	const { log = [], host, port } = values;
	if (log.length === 0) throw new Misuse('--log is missing');
	if (!/^[0-9]{1,5}$/.test(port)) throw new Misuse('--port must be a number');
	const logs = logsOf(log);
	const store = await folderStore(given(values.state, 'state'), vkey);
	const running = await serve(
		{ vkey, logs, store, sign: signWith(key), now: Date.now, tell },
		{ host, port: Number(port) },
	);
	tell('witness: ready', { vkey, logs: [...logs.keys()], host, port: running.port });
	const stop = () => void running.close();
	process.once('SIGINT', stop);
	process.once('SIGTERM', stop);
}

try {
	await run(process.argv.slice(2));
} catch (cause) {
	const message = cause instanceof Error ? cause.message : String(cause);
	const misused = cause instanceof Misuse;
	process.stderr.write(`${message === '' ? '' : `${message}\n`}${misused ? USAGE : ''}`);
	process.exitCode = misused ? 2 : 1;
}
