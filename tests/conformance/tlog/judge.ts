/**
 * Asks Fairlead's verifier (its command for whole logs, its library for proofs) and Tessera's fsck about each case, puts
 * what Go and sigstore said beside it, and prints one table. Ends with 1 where a verdict is not the expected one.
 *
 * fsck ends with 0 whatever it found, so its words are read. Where a worker of it fails it may wait for ever: that is no
 * verdict of success, either. Usage: judge.ts FOLDER GO SIGSTORE FSCK (the first two: files of their lines)
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import pMap from 'p-map';
import { openCheckpoint } from '#verifier/checkpoint.ts';
import { CannotVerify, type Finding, Unverified } from '#verifier/error.ts';
import { verifyConsistency } from '#verifier/merkle.ts';
import { verifierKey } from '#verifier/note.ts';
import { verifyProof } from '#verifier/proof.ts';
import type { Word } from './case.ts';
import { type ToldCase, type ToldProof, type ToldTreeProof, textOf } from './told.ts';

const [folder = '', goLines = '', sigstoreLines = '', fsck = ''] = process.argv.slice(2);
const vkey = readFileSync(path.join(folder, 'vkey'), 'utf8').trim();
const trust = { keys: [verifierKey(vkey)], origin: verifierKey(vkey).name };
const FSCK_MS = 30_000;

type Verdict = { readonly said: string; readonly why: string };

function run(file: string, args: readonly string[], timeout = 0): Promise<{ code: unknown; text: string }> {
	return new Promise((resolve) => {
		execFile(file, [...args], { timeout, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
			resolve({ code: error === null ? 0 : error.killed === true ? 'timeout' : error.code, text: stdout + stderr });
		});
	});
}

/** Node 22.18 and later run the command as it is. */
const native = (process.features as { typescript?: unknown }).typescript === 'strip';

async function ours(one: ToldCase): Promise<Verdict> {
	if (one.log) {
		const told = await ledgerVerify(one);
		if (told.said !== 'verifies') return told;
	}
	try {
		proofs(one);
		return { said: 'verifies', why: '' };
	} catch (cause) {
		if (cause instanceof Unverified) return { said: 'refuses', why: cause.message };
		if (cause instanceof CannotVerify) return { said: 'cannot verify', why: cause.message };
		throw cause;
	}
}

async function ledgerVerify({ id }: ToldCase): Promise<Verdict> {
	const known = path.join(folder, id, 'known');
	const { code, text } = await run(process.execPath, [
		...(native ? [] : ['--import', 'tsx']),
		'verifier/cli.ts',
		'ledger',
		'verify',
		path.join(folder, id, 'log'),
		`--vkey=${vkey}`,
		'--json',
		...(existsSync(known) ? ['--known', known] : []),
	]);
	if (code === 0) return { said: 'verifies', why: '' };
	if (code !== 1 && code !== 3) return { said: `ended with ${String(code)}`, why: textOf(text) };
	const { finding, error } = JSON.parse(text) as { finding?: Finding | null; error: string };
	if (code === 3 || finding == null) return { said: code === 3 ? 'cannot verify' : 'refuses', why: error };
	return { said: placed(finding), why: error };
}

/** The kind of a fault, and where the first one is. */
function placed({ kind, index, last }: Finding): string {
	if (index === undefined) return kind;
	return `${kind} ${index}${last === undefined ? '' : `-${last}`}`;
}

function proofs({ id }: ToldCase): void {
	const read = (name: string): unknown => JSON.parse(readFileSync(path.join(folder, id, name), 'utf8'));
	for (const { text, entry, index } of read('proofs.json') as ToldProof[]) {
		const verified = verifyProof(text, new Uint8Array(Buffer.from(entry, 'base64')), trust);
		if (verified.index !== index) throw new Unverified('a proof of another entry');
	}
	for (const { from, to, hashes } of read('consistency.json') as ToldTreeProof[]) {
		verifyConsistency({
			from: openCheckpoint(from, trust),
			to: openCheckpoint(to, trust),
			proof: hashes.map((hash) => new Uint8Array(Buffer.from(hash, 'base64'))),
		});
	}
}

async function byFsck({ id, log }: ToldCase): Promise<Verdict> {
	if (!log) return { said: 'skip', why: 'it reads whole logs alone' };
	const { code, text } = await run(
		fsck,
		[
			`--storage_url=file://${path.resolve(folder, id, 'log')}`,
			`--public_key=${path.resolve(folder, 'vkey')}`,
			'--ui=false',
			'--N=16',
		],
		FSCK_MS,
	);
	if (code === 0 && text.includes("Successfully fsck'd log")) return { said: 'verifies', why: '' };
	if (/fsck failed|panic: runtime error/.test(text)) return { said: 'refuses', why: textOf(text) };
	return { said: `no answer (${String(code)})`, why: textOf(text) };
}

function told(file: string): ReadonlyMap<string, Verdict> {
	const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
	return new Map(
		lines.map((line) => {
			const [id = '', said = '', why = ''] = line.split('\t');
			return [id, { said, why }];
		}),
	);
}

/** What is shown of a foreign verdict, and whether it is the expected one. */
function cell({ said }: Verdict, expected: Word): { shown: string; ok: boolean } {
	const ok = said === (expected === 'blind' ? 'verifies' : expected);
	const word = expected === 'blind' && ok ? 'blind' : said === 'skip' ? '-' : said;
	return { shown: ok ? word : `${word} (!)`, ok };
}

const NOTHING: Verdict = { said: 'no answer', why: '' };
const [byGo, bySigstore] = [told(goLines), told(sigstoreLines)];
const rows: string[][] = [['case', 'Fairlead', 'Go sumdb', 'sigstore', "Tessera's fsck"]];
const disagreements: string[] = [];
const skipped = new Map<string, number>();
const cases = JSON.parse(readFileSync(path.join(folder, 'cases.json'), 'utf8')) as ToldCase[];
const asked = await pMap(cases, async (one) => [one, await ours(one), await byFsck(one)] as const, { concurrency: 2 });
for (const [{ name, id, expected }, own, byTessera] of asked) {
	const foreign = [
		['Go', byGo.get(id) ?? NOTHING, expected.go],
		['sigstore', bySigstore.get(id) ?? NOTHING, expected.sigstore],
		['fsck', byTessera, expected.fsck],
	] as const;
	const agrees = own.said === expected.ours;
	if (!agrees) disagreements.push(`${name}: Fairlead says ${own.said}, not ${expected.ours}: ${own.why}`);
	const cells = foreign.map(([who, verdict, word]) => {
		const { shown, ok } = cell(verdict, word);
		if (!ok) disagreements.push(`${name}: ${who} says ${verdict.said}, not ${word}: ${verdict.why.slice(0, 300)}`);
		if (ok && verdict.said === 'skip') {
			const line = `skipped: ${who}: ${verdict.why}`;
			skipped.set(line, (skipped.get(line) ?? 0) + 1);
		}
		return shown;
	});
	rows.push([`${id} ${name}`, agrees ? own.said : `${own.said} (!)`, ...cells]);
}

const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
for (const row of rows)
	console.log(
		row
			.map((text, i) => text.padEnd(widths[i] ?? 0))
			.join('  ')
			.trimEnd(),
	);
console.log(`
blind: lets it pass, as it is known to: sigstore looks at an entry with its proof, and at no origin; fsck is given no
earlier checkpoint, and reads no more entries of a bundle than the checkpoint has.`);
for (const [line, count] of skipped) console.log(`${line} (${count})`);
for (const line of disagreements) console.error(`not as expected: ${line}`);
console.log(`${rows.length - 1} cases, ${disagreements.length} verdicts not as expected`);
if (disagreements.length > 0) process.exitCode = 1;
