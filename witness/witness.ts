/**
 * A witness of transparency logs (C2SP tlog-witness): it cosigns a checkpoint once it has kept it, in one step with the
 * look at what it kept before. So two requests at once never make it go back, and neither does a crash: what was kept and
 * not cosigned yet is cosigned when it is asked for again.
 */
import { createHash } from 'node:crypto';
import { sameBytes } from '../verifier/encoding.ts';
import { COSIGNATURE, type VerifierKey, verifierKey } from '../verifier/note.ts';
import { ADD_CHECKPOINT, cosignatureIn, cosignatureLine, formatSize, SIZE_TYPE } from '../verifier/witness.ts';
import { type Asked, askedIn, decide, type Kept, type Logs, seenIn, type Verdict } from './decide.ts';

export type Store = {
	/** What is kept of a log, as it stands now; null only where nothing ever was. Throws on what cannot be read. */
	readonly read: (origin: string) => Promise<Kept | null>;
	/** Keeps it for good in the place of `over`, in one step. False where something else is kept. */
	readonly replace: (origin: string, next: Kept, over: Kept | null) => Promise<boolean>;
};

export type Witness = {
	/** Its verifier key, of type 4. */
	readonly vkey: string;
	readonly logs: Logs;
	readonly store: Store;
	/** An Ed25519 signature over the message as it stands. */
	readonly sign: (message: Uint8Array) => Promise<Uint8Array>;
	/** Milliseconds since the epoch. */
	readonly now: () => number;
	/** Told what somebody should look at. */
	readonly tell: (message: string, more: Readonly<Record<string, unknown>>) => void;
};

export type Request = { readonly method: string; readonly path: string; readonly body: Uint8Array };
export type Answer = { readonly status: number; readonly type: string; readonly body: string };

const TEXT = 'text/plain; charset=utf-8';
const plain = (status: number, body: string): Answer => ({ status, type: TEXT, body });

/** Answers one request. Never throws: what goes wrong here is told, and answered with 500. */
export async function respond(witness: Witness, { method, path, body }: Request): Promise<Answer> {
	try {
		if (path === `/${ADD_CHECKPOINT}`) {
			return method === 'POST' ? await addCheckpoint(witness, body) : plain(405, 'only POST\n');
		}
		const [, hash] = /^\/([0-9a-f]{64})\/checkpoint$/.exec(path) ?? [];
		if (hash === undefined) return plain(404, 'not found\n');
		return method === 'GET' ? await keptCheckpoint(witness, hash) : plain(405, 'only GET\n');
	} catch (cause) {
		witness.tell('witness: a request failed', { error: cause instanceof Error ? cause.name : 'error' });
		return plain(500, 'the witness failed\n');
	}
}

async function addCheckpoint(witness: Witness, body: Uint8Array): Promise<Answer> {
	const asked = askedIn(body, witness.logs);
	if ('status' in asked) return plain(asked.status, `${asked.why}\n`);
	const verdict = await settle(witness, asked);
	if (verdict === null) return plain(503, 'others ask at the same time\n');
	if ('alarm' in verdict && verdict.alarm !== undefined) tellAlarm(witness, asked, verdict.alarm);
	if (verdict.status === 409) return { status: 409, type: SIZE_TYPE, body: formatSize(verdict.size) };
	if (verdict.status !== 200) return plain(verdict.status, `${verdict.why}\n`);
	return plain(200, await cosign(witness, verdict));
}

/** Each loser of a race finds another state, and is told of its size. */
const TRIES = 8;

async function settle({ store, now }: Witness, asked: Asked): Promise<Verdict | null> {
	for (let tried = 0; tried < TRIES; tried++) {
		const kept = await store.read(asked.origin);
		const verdict = decide(asked, kept, Math.floor(now() / 1000));
		if (verdict.status !== 200 || (await store.replace(asked.origin, verdict.next, kept))) return verdict;
	}
	return null;
}

function tellAlarm({ tell }: Witness, { origin, size }: Asked, { kind, note, kept }: NonNullable<Told>): void {
	const what = kind === 'forked' ? 'a log signed two trees of one size' : 'a log does not go on from what it was';
	tell(`witness: ALARM: ${what}`, { kind, origin, size, note, kept });
}
type Told = Extract<Verdict, { alarm?: unknown }>['alarm'];

/** Throws where the signer is not the one of the key. */
async function cosign(witness: Witness, { text, next }: Extract<Verdict, { status: 200 }>): Promise<string> {
	const key = keyOf(witness);
	const line = await cosignatureLine(key, { text, time: next.time }, witness.sign);
	cosignatureIn(line, text, key);
	given.set(witness, { ...given.get(witness), [seenIn(next.note).origin]: { ...next, line } });
	return line;
}

/** The last cosignature of each log that was made here, so that whoever looks again and again costs no signature. */
const given = new WeakMap<Witness, Readonly<Record<string, Kept & { readonly line: string }>>>();

function keyOf({ vkey }: Witness): VerifierKey {
	const key = verifierKey(vkey);
	if (key.algorithm !== COSIGNATURE) throw new Error('not the key of a witness');
	return key;
}

/**
 * The last checkpoint of a log, for monitors, by the SHA-256 of its origin. The cosignature is made again with its time: it
 * is the one that was given (RFC 8032 makes no two).
 */
async function keptCheckpoint(witness: Witness, hash: string): Promise<Answer> {
	const wanted = Buffer.from(hash, 'hex');
	const origin = [...witness.logs.keys()].find((name) => sameBytes(hashOf(name), wanted));
	const kept = origin === undefined ? null : await witness.store.read(origin);
	if (kept === null) return plain(404, 'not cosigned yet\n');
	const { text, origin: name } = seenIn(kept.note);
	const last = given.get(witness)?.[name];
	const same = last !== undefined && last.note === kept.note && last.time === kept.time;
	return plain(200, kept.note + (same ? last.line : await cosign(witness, { status: 200, text, next: kept })));
}

export const hashOf = (origin: string): Uint8Array => createHash('sha256').update(origin).digest();
