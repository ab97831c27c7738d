/**
 * What a witness answers to `add-checkpoint` (C2SP tlog-witness): state in, verdict out, no effects.
 *
 * The order of the refusals is the specification's: 400, 404, 403, 400, 409, 422. It cosigns only what goes on from the
 * last checkpoint that it cosigned of that log, and its times never go back: a cosignature says that, as of its time,
 * nothing larger was seen (C2SP tlog-cosignature).
 */
import { parseCheckpoint } from '../verifier/checkpoint.ts';
import { sameBytes } from '../verifier/encoding.ts';
import { Unverified } from '../verifier/error.ts';
import { EMPTY_ROOT, verifyConsistency } from '../verifier/merkle.ts';
import {
	cosignedMessage,
	ED25519,
	parseNote,
	signatureLine,
	type VerifierKey,
	verifierKey,
	verifyNote,
} from '../verifier/note.ts';
import { parseAddCheckpoint } from '../verifier/witness.ts';

/** The logs that are witnessed: the keys of each, by its origin, which is their name. */
export type Logs = ReadonlyMap<string, readonly VerifierKey[]>;

/** Throws on what is no Ed25519 key of a log. */
export function logsOf(vkeys: readonly string[]): Logs {
	const logs = new Map<string, VerifierKey[]>();
	for (const key of vkeys.map(verifierKey)) {
		if (key.algorithm !== ED25519) throw new Unverified(`the key of ${key.name} is that of a witness`);
		logs.set(key.name, [...(logs.get(key.name) ?? []), key]);
	}
	return logs;
}

/** What is kept of a log: the checkpoint that was cosigned last, with the log's signatures, and when (in seconds). */
export type Kept = { readonly note: string; readonly time: number };

export type Seen = {
	readonly origin: string;
	readonly size: number;
	readonly root: Uint8Array;
	/** What a cosignature is over. */
	readonly text: string;
};

export function seenIn(note: string): Seen {
	const { text } = parseNote(note);
	return { ...parseCheckpoint(text), text };
}

/** A request whose checkpoint a key of its log signed. */
export type Asked = Seen & {
	readonly old: number;
	readonly proof: readonly Uint8Array[];
	/** The note with the signatures of the log alone, each verified. */
	readonly note: string;
};

export type Refusal = { readonly status: 400 | 403 | 404 | 422; readonly why: string; readonly notice?: Notice };

/**
 * What is told of a request, with the note in it and the one that is kept. `forked`: the log signed two trees of one size,
 * which the two notes show to anybody. `inconsistent`: what it signed was not shown to go on from what was cosigned. That
 * says nothing about the log: anybody can send a note that it published, with a wrong proof.
 */
export type Notice = { readonly kind: 'forked' | 'inconsistent'; readonly note: string; readonly kept: string };

export type Verdict =
	| Refusal
	| { readonly status: 409; readonly size: number; readonly notice?: Notice }
	/**
	 * Once `next` is kept in the place of what it was decided on, `text` may be cosigned with the time in it. Where `next` is
	 * what it was decided on, there is nothing to keep.
	 */
	| { readonly status: 200; readonly text: string; readonly next: Kept };

/**
 * So long, in seconds, a checkpoint that is sent again gets the cosignature that it got: anybody can send what was
 * published, and would have each request written and signed, in the way of the log's own.
 */
export const REPEAT_SECONDS = 10;

/** AWS KMS signs at most that at once (API reference, Sign); every witness here keeps to it. */
const MAX_SIGNED_BYTES = 4096;

/** Reads a request and looks at who signed it; what was seen before has no say in that. */
export function askedIn(body: string | Uint8Array, logs: Logs): Asked | Refusal {
	let request: Omit<Asked, 'note'> & { readonly whole: string };
	try {
		const { old, proof, note } = parseAddCheckpoint(body);
		request = { old, proof, whole: note, ...seenIn(note) };
		const longest = cosignedMessage(request.text, Number.MAX_SAFE_INTEGER);
		if (longest.length > MAX_SIGNED_BYTES) throw new Unverified('the checkpoint is too long');
	} catch (cause) {
		return refused(400, cause);
	}
	const { whole, ...rest } = request;
	const keys = logs.get(rest.origin);
	if (keys === undefined) return { status: 404, why: 'the log is not known here' };
	try {
		verifyNote(whole, keys);
	} catch (cause) {
		return refused(403, cause);
	}
	if (rest.old > rest.size) return { status: 400, why: 'the old size is larger than the checkpoint' };
	return { ...rest, note: ownNote(whole, rest.text, keys) };
}

/** Without the signatures of others, of which nobody knows what they are. */
function ownNote(whole: string, text: string, keys: readonly VerifierKey[]): string {
	const own = parseNote(whole).signatures.filter((s) => keys.some((k) => k.name === s.name && k.id === s.id));
	const lines = new Set(own.map(({ name, id, signature }) => signatureLine(name, id, signature)));
	return `${text}\n${[...lines].join('')}`;
}

function refused(status: 400 | 403, cause: unknown): Refusal {
	if (!(cause instanceof Unverified)) throw cause;
	return { status, why: cause.message };
}

/** What is said to it, given what is kept of the log (null before the first time) and the time now, in seconds. */
export function decide(asked: Asked, kept: Kept | null, now: number): Verdict {
	const seen = kept === null ? { size: 0, root: EMPTY_ROOT, text: null } : seenIn(kept.note);
	const { old, size, root, proof, note, text } = asked;
	const differs = kept !== null && size === seen.size && !sameBytes(root, seen.root);
	const forked = differs ? { notice: { kind: 'forked', note, kept: kept.note } as const } : {};
	if (old !== seen.size) return { status: 409, size: seen.size, ...forked };
	if (size === 0 && !sameBytes(root, EMPTY_ROOT)) {
		return { status: 422, why: 'a tree without entries has another root', ...forked };
	}
	try {
		verifyConsistency({ from: { size: old, root: seen.root }, to: { size, root }, proof });
	} catch (cause) {
		if (!(cause instanceof Unverified)) throw cause;
		const unproven =
			kept === null || old === 0 ? {} : { notice: { kind: 'inconsistent', note, kept: kept.note } as const };
		return { status: 422, why: cause.message, ...unproven, ...forked };
	}
	if (kept !== null && text === seen.text && now < kept.time + REPEAT_SECONDS) return { status: 200, text, next: kept };
	return { status: 200, text, next: { note, time: Math.max(now, kept?.time ?? 0) } };
}
