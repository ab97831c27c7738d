/**
 * Writes the cases into a folder: `vkey`, `cases.json` (names and what is expected), and a numbered folder for each with
 * `log/` (an export of the log), `known`, `proofs.json` and `consistency.json`. Usage: make.ts FOLDER [SIZE OF THE LARGE LOG]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Case } from './case.ts';
import { allCases } from './cases.ts';
import { makeLarge, makeLogs } from './logs.ts';

const [folder = '', size = '70000'] = process.argv.slice(2);

function put(bytes: Uint8Array | string, ...names: string[]): void {
	const file = path.join(folder, ...names);
	mkdirSync(path.dirname(file), { recursive: true });
	writeFileSync(file, bytes);
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

function write(id: string, { files, known, proofs = [], consistency = [] }: Case): void {
	for (const [name, bytes] of files ?? []) put(bytes, id, 'log', name);
	if (known !== undefined) put(known, id, 'known');
	put(JSON.stringify(proofs.map((proof) => ({ ...proof, entry: base64(proof.entry) }))), id, 'proofs.json');
	put(
		JSON.stringify(consistency.map((proof) => ({ ...proof, hashes: proof.hashes.map(base64) }))),
		id,
		'consistency.json',
	);
}

const made = await makeLogs();
const cases = await allCases(made, await makeLarge(Number(size)));
put(`${made.vkey}\n`, 'vkey');
const told = cases.map((one, i) => {
	const id = String(i + 1).padStart(2, '0');
	write(id, one);
	return { id, name: one.name, log: one.files !== undefined, expected: one.expected };
});
put(JSON.stringify(told, null, '\t'), 'cases.json');
