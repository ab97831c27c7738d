/**
 * A witness of the log beside the bank, over HTTP like any other: it stands for the one that somebody else runs. Its key and
 * what it has seen are in the data folder, in files of its own.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { logsOf } from '#witness/decide.ts';
import { folderStore } from '#witness/folder.ts';
import { beginWitness, signWith, witnessKey } from '#witness/key.ts';
import { serve } from '#witness/server.ts';

const NAME = 'bank.example/witness/local';
const KEY_FILE = 'witness.pem';
/** What it saw, and what it tells of. */
const STATE_FOLDER = 'witness';
const LOG_FILE = 'witness.log';

export type LocalWitness = {
	readonly settings: { readonly FAIRLEAD_LEDGER_WITNESSES: string };
	readonly close: () => Promise<void>;
};

/** A witness of the log with this key, on any free port. Made once per data folder: throws where it lost what it saw. */
export async function startWitness(dataDir: string, vkey: string): Promise<LocalWitness> {
	const at = (name: string) => path.resolve(dataDir, name);
	if (!existsSync(at(KEY_FILE))) await beginWitness(NAME, at(KEY_FILE), at(STATE_FOLDER));
	const pem = readFileSync(at(KEY_FILE));
	const own = witnessKey(NAME, pem);
	const witness = {
		vkey: own,
		logs: logsOf([vkey]),
		store: await folderStore(at(STATE_FOLDER), own),
		sign: signWith(pem),
		now: Date.now,
		tell: (message: string, more: Readonly<Record<string, unknown>>) => {
			appendFileSync(at(LOG_FILE), `${JSON.stringify({ time: new Date().toISOString(), message, ...more })}\n`);
		},
	};
	const { port, close } = await serve(witness, { host: '127.0.0.1', port: 0 });
	return { settings: { FAIRLEAD_LEDGER_WITNESSES: `http://127.0.0.1:${port}/ ${own}` }, close };
}
