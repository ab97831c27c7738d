#!/usr/bin/env node
/**
 * `fairlead ledger verify <folder|address> --vkey KEY`: verifies a log with nothing but this folder and Node;
 * `fairlead ledger proof <file> --entry <file> --vkey KEY`: the same for one entry and its proof.
 *
 * Ends with 0 if it is verified, 1 if it is not what it claims to be, 2 if the call was wrong, 3 if it could not
 * be looked at.
 */
import { readFile, stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type SignedCheckpoint, type Trust, witnessesIn } from './checkpoint.ts';
import { encodeBase64 } from './encoding.ts';
import { CannotVerify, Unverified } from './error.ts';
import { originOf, type VerifiedLog, verifyLog } from './log.ts';
import { COSIGNATURE, MAX_NOTE_BYTES, type VerifierKey, verifierKey } from './note.ts';
import { MAX_PROOF_BYTES, type VerifiedProof, verifyProof } from './proof.ts';
import { sourceOf } from './source.ts';

const USAGE = `usage: fairlead ledger verify <folder|https-address> --vkey KEY [--vkey KEY]... [--witness KEY]... [--quorum N]
                               [--origin ORIGIN] [--known FILE] [--all-archived] [--json]
       fairlead ledger proof <file> --entry FILE --vkey KEY [--vkey KEY]... [--witness KEY]... [--quorum N]
                               [--origin ORIGIN] [--json]

  --vkey KEY       verifier key of the log
  --witness KEY    verifier key of a witness whose cosignature is asked for
  --quorum N       how many of the witnesses must have cosigned; all of them unless given
  --entry FILE     the entry that the proof is of, byte for byte
  --origin ORIGIN  origin of the log, if it is not the name of its key
  --known FILE     a checkpoint of the log from before: without it, a log that was cut back to an older state,
                   or written again by who holds its key, cannot be told from the true one
  --all-archived   look at every checkpoint archived in a folder, and not at the newest and a sample of the others
  --json           the outcome as JSON
`;

/** As long as a bundle can frame. */
const MAX_ENTRY_BYTES = 0xffff;

const exits = { verified: 0, unverified: 1, usage: 2, unknown: 3 } as const;

class Misuse extends Error {}

type Call = Trust & {
	readonly place: string;
	readonly known: string | undefined;
	/** File of the entry that a proof is of; absent where a whole log is verified. */
	readonly entry: string | undefined;
	readonly allArchived: boolean;
	readonly json: boolean;
};

function callOf(args: readonly string[]): Call {
	const { values, positionals } = parsed(args);
	const [ledger, what, place, ...more] = positionals;
	if (ledger !== 'ledger' || place === undefined || more.length > 0) throw new Misuse('');
	const { vkey = [], witness = [], origin, known, json = false, entry, 'all-archived': allArchived = false } = values;
	if (what !== 'verify' && what !== 'proof') throw new Misuse('');
	if ((what === 'proof') !== (entry !== undefined)) throw new Misuse('--entry goes with proof');
	if (what === 'proof' && (known !== undefined || allArchived)) throw new Misuse('a proof is of one checkpoint');
	if (vkey.length === 0) throw new Misuse('--vkey is missing');
	const keys = misusing(() => [...vkey, ...witness].map(verifierKey), Unverified);
	const quorum = quorumOf(values.quorum, keys, keys.slice(vkey.length));
	const named = misusing(() => originOf({ keys, origin }), CannotVerify);
	return { place, keys, quorum, origin: named, known, entry, allArchived, json };
}

function quorumOf(text: string | undefined, keys: readonly VerifierKey[], witnesses: readonly VerifierKey[]) {
	const other = witnesses.find((k) => k.algorithm !== COSIGNATURE);
	if (other !== undefined) throw new Misuse(`the key of ${other.name} is not that of a witness`);
	const { size } = witnessesIn(keys);
	if (size < new Set(keys.filter((k) => k.algorithm === COSIGNATURE)).size) {
		throw new Misuse('a witness is named twice, or is the log itself');
	}
	if (text === undefined) return undefined;
	if (!/^[0-9]{1,2}$/.test(text) || Number(text) > size) throw new Misuse(`--quorum is a number of 0 to ${size}`);
	return Number(text);
}

function parsed(args: readonly string[]) {
	const options = {
		vkey: { type: 'string', multiple: true },
		witness: { type: 'string', multiple: true },
		quorum: { type: 'string' },
		origin: { type: 'string' },
		known: { type: 'string' },
		entry: { type: 'string' },
		'all-archived': { type: 'boolean' },
		json: { type: 'boolean' },
	} as const;
	return misusing(() => parseArgs({ args: [...args], options, allowPositionals: true, strict: true }), TypeError);
}

/** What is wrong with the words of the call is no finding about a log. */
function misusing<T>(read: () => T, wrong: new (message: string) => Error): T {
	try {
		return read();
	} catch (cause) {
		if (cause instanceof wrong) throw new Misuse(cause.message, { cause });
		throw cause;
	}
}

async function readFrom(file: string, most: number, what: string): Promise<Uint8Array> {
	try {
		if ((await stat(file)).size > most) throw new CannotVerify(`${what} is too long`);
		return await readFile(file);
	} catch (cause) {
		if (cause instanceof CannotVerify) throw cause;
		throw new CannotVerify(`${what} cannot be read`, { cause });
	}
}

const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Hostile text on a terminal: what is not seen is spelt out. */
const plain = (text: string): string => text.replaceAll(HIDDEN, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`);

const unit = (text: string, i: number): string => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`;

/** The same for JSON, which stays JSON. */
function printJson(value: unknown): void {
	const text = JSON.stringify(value);
	const safe = text.replaceAll(HIDDEN, (c) => Array.from({ length: c.length }, (_, i) => unit(c, i)).join(''));
	process.stdout.write(`${safe}\n`);
}

function print(lines: readonly string[], to: NodeJS.WriteStream): void {
	to.write(`${lines.map(plain).join('\n')}\n`);
}

const signersOf = ({ signedBy }: SignedCheckpoint) =>
	signedBy.map(({ key, time }) => ({ name: key.name, ...(time === undefined ? {} : { time }) }));

const named = (signedBy: ReturnType<typeof signersOf>): string =>
	signedBy.map(({ name, time }) => (time === undefined ? name : `${name} at ${time}`)).join(', ');

function tellProof({ index, checkpoint }: VerifiedProof, json: boolean): void {
	const { origin, size } = checkpoint;
	const signedBy = signersOf(checkpoint);
	if (json) printJson({ verified: true, origin, index, size, root: encodeBase64(checkpoint.root), signedBy });
	else print([`verified: entry ${index} of ${size} of ${origin}`, `  signed by ${named(signedBy)}`], process.stdout);
}

function tell(verified: VerifiedLog, json: boolean): void {
	const { checkpoint, streams, known, archived, archivedInAll } = verified;
	const root = encodeBase64(checkpoint.root);
	const signedBy = signersOf(checkpoint);
	const { origin, size } = checkpoint;
	if (json) {
		printJson({ verified: true, origin, size, root, streams, signedBy, known: known ?? null, archived, archivedInAll });
		return;
	}
	const earlier = known === undefined ? [] : [`  goes on from the known checkpoint of ${known}`];
	print(
		[
			`verified: ${origin}`,
			`  ${size} entries in ${streams} streams, root ${root}`,
			`  signed by ${named(signedBy)}`,
			...earlier,
			...(archived === 0 ? [] : [`  goes on from ${archived} archived checkpoints of ${archivedInAll}`]),
		],
		process.stdout,
	);
}

function tellFailure(cause: unknown, json: boolean): number {
	if (cause instanceof Misuse) {
		process.stderr.write(`${cause.message === '' ? '' : `${plain(cause.message)}\n`}${USAGE}`);
		return exits.usage;
	}
	const found = cause instanceof Unverified;
	const message = cause instanceof Error ? cause.message : String(cause);
	if (json) {
		const finding = found ? { finding: cause.finding ?? null } : {};
		printJson({ verified: found ? false : null, error: message, ...finding });
	} else {
		print([`${found ? 'DOES NOT VERIFY' : 'cannot verify'}: ${message}`, ...detail(cause)], process.stderr);
	}
	return found ? exits.unverified : exits.unknown;
}

function detail(cause: unknown): string[] {
	if (!(cause instanceof Unverified) || cause.finding === undefined) return [];
	return Object.entries(cause.finding).map(([name, value]) => `  ${name}: ${value}`);
}

async function verifyWhole({ place, keys, origin, quorum, allArchived, known: file, json }: Call): Promise<void> {
	const known = file === undefined ? undefined : await readFrom(file, MAX_NOTE_BYTES, 'the known checkpoint');
	tell(await verifyLog(sourceOf(place), { keys, origin, quorum, known, allArchived }), json);
}

async function verifyOne({ place, keys, origin, quorum, json }: Call, file: string): Promise<void> {
	const proof = await readFrom(place, MAX_PROOF_BYTES, 'the proof');
	const entry = await readFrom(file, MAX_ENTRY_BYTES, 'the entry');
	tellProof(verifyProof(proof, entry, { keys, origin, quorum }), json);
}

async function run(args: readonly string[]): Promise<number> {
	let json = args.includes('--json');
	try {
		const call = callOf(args);
		({ json } = call);
		if (call.entry === undefined) await verifyWhole(call);
		else await verifyOne(call, call.entry);
		return exits.verified;
	} catch (cause) {
		return tellFailure(cause, json);
	}
}

process.exitCode = await run(process.argv.slice(2));
