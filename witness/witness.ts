/**
 * A witness of transparency logs (C2SP tlog-witness): it cosigns a checkpoint once it has kept it, in one step with the
 * look at what it kept before. So two requests at once never make it go back, and neither does a crash: what was kept and
 * not cosigned yet is cosigned when it is asked for again.
 */
import { createHash } from 'node:crypto';
import { sameBytes } from '../verifier/encoding.ts';
import { COSIGNATURE, type VerifierKey, verifierKey } from '../verifier/note.ts';
import { ADD_CHECKPOINT, cosignatureIn, cosignatureLine, formatSize, SIZE_TYPE } from '../verifier/witness.ts';
import { type Asked, askedIn, decide, type Kept, type Logs, type Notice, seenIn, type Verdict } from './decide.ts';

export type Store = {
	/**
	 * What is kept of a log, as it stands now and for good; null only where nothing ever was, as whoever began the state said.
	 * Throws `StateMissing` where nobody did, and on what cannot be read.
	 */
	readonly read: (origin: string) => Promise<Kept | null>;
	/** Keeps it for good in the place of `over`, in one step. False where something else is kept. */
	readonly replace: (origin: string, next: Kept, over: Kept | null) => Promise<boolean>;
};

/**
 * The state is not where it is looked for: lost, or never begun. It is not taken for "nothing was seen yet": a witness that
 * lost what it saw would cosign a second history. Its message says what to do.
 */
export class StateMissing extends Error {
	override readonly name = 'StateMissing';
}

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
		const why = cause instanceof StateMissing ? { why: cause.message } : {};
		witness.tell('witness: a request failed', { error: cause instanceof Error ? cause.name : 'error', ...why });
		return plain(500, 'the witness failed\n');
	}
}

async function addCheckpoint(witness: Witness, body: Uint8Array): Promise<Answer> {
	const asked = askedIn(body, witness.logs);
	if ('status' in asked) return plain(asked.status, `${asked.why}\n`);
	const verdict = await settle(witness, asked);
	if (verdict === null) return plain(503, 'others ask at the same time\n');
	if ('notice' in verdict && verdict.notice !== undefined) tellNotice(witness, asked, verdict.notice);
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
		if (verdict.status !== 200 || verdict.next === kept) return verdict;
		if (await store.replace(asked.origin, verdict.next, kept)) return verdict;
	}
	return null;
}

/** Alarms go by the word ALARM: it stands for what the log alone can have done. */
const MESSAGES = {
	forked: 'witness: ALARM: a log signed two trees of one size',
	inconsistent: 'witness: a checkpoint was not shown to go on from the last one',
} as const;

function tellNotice({ tell }: Witness, { origin, size }: Asked, { kind, note, kept }: Notice): void {
	tell(MESSAGES[kind], { kind, origin, size, note, kept });
}

/**
 * The cosignature of what is kept. Whoever asks again for the last one that was made here costs no signature. Throws where
 * the signer is not the one of the key.
 */
async function cosign(witness: Witness, { text, next }: Extract<Verdict, { status: 200 }>): Promise<string> {
	const { origin } = seenIn(next.note);
	const last = given.get(witness)?.get(origin);
	if (last?.text === text && last.time === next.time) return last.line;
	const key = keyOf(witness);
	const line = await cosignatureLine(key, { text, time: next.time }, witness.sign);
	cosignatureIn(line, text, key);
	const all = given.get(witness) ?? new Map<string, Given>();
	given.set(witness, all.set(origin, { text, time: next.time, line }));
	return line;
}

type Given = { readonly text: string; readonly time: number; readonly line: string };
/** The last cosignature of each log that was made here, by its origin. */
const given = new WeakMap<Witness, Map<string, Given>>();

function keyOf({ vkey }: Witness): VerifierKey {
	const key = verifierKey(vkey);
	if (key.algorithm !== COSIGNATURE) throw new Error('not the key of a witness');
	return key;
}

/**
 * The last checkpoint of a log, for monitors, by the SHA-256 of its origin. Where the cosignature
 * is made again, with its time, it is the one that was given (RFC 8032 makes no two).
 */
async function keptCheckpoint(witness: Witness, hash: string): Promise<Answer> {
	const wanted = Buffer.from(hash, 'hex');
	const origin = [...witness.logs.keys()].find((name) => sameBytes(hashOf(name), wanted));
	const kept = origin === undefined ? null : await witness.store.read(origin);
	if (kept === null) return plain(404, 'not cosigned yet\n');
	const { text } = seenIn(kept.note);
	return plain(200, kept.note + (await cosign(witness, { status: 200, text, next: kept })));
}

export const hashOf = (origin: string): Uint8Array => createHash('sha256').update(origin).digest();
