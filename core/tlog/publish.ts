/**
 * Checkpoints (C2SP tlog-checkpoint): only what the head committed is signed, so nothing is signed that could still be
 * otherwise. Each is kept under its size before a witness or anybody else sees it, and the published one never goes back.
 *
 * Signing again is avoided: a checkpoint that is kept is the one that is cosigned and published, whether or not the signer
 * would make the same signature twice (RFC 8032 says so of Ed25519; a key service need not).
 */
import { type Checkpoint, formatCheckpoint, openCheckpoint } from '#verifier/checkpoint.ts';
import { parseNote, signatureLine, verifierKey } from '#verifier/note.ts';
import { entriesPath, FULL, tilePath, widthOf } from '#verifier/tile.ts';
import { NO_HEAD, sameTree, type Tree } from './head.ts';
import { alarm, type Log, type SealCtx } from './ports.ts';

export const CHECKPOINT = 'checkpoint';
export const archivePath = (size: number) => `checkpoints/${size}`;

export type Published = Checkpoint & { readonly bytes: Uint8Array };

/** The published checkpoint, or null before the first. Throws an alarm where our key did not sign it for this log. */
export async function published(log: Log): Promise<Published | null> {
	return signed(log, CHECKPOINT);
}

/** The checkpoint that was published of this size, or null. */
export async function archived(log: Log, size: number): Promise<Published | null> {
	const found = await signed(log, archivePath(size));
	if (found !== null && found.size !== size) {
		throw alarm('foreign-checkpoint', 'A checkpoint lies under the size of another.', { size });
	}
	return found;
}

async function signed(log: Log, key: string): Promise<Published | null> {
	const bytes = await log.objects.get(key);
	if (bytes === null) return null;
	try {
		return { ...opened(log, bytes), bytes };
	} catch (cause) {
		throw alarm('foreign-checkpoint', 'A checkpoint is not one of this log.', { object: key }, { cause });
	}
}

const opened = (log: Log, bytes: Uint8Array) =>
	openCheckpoint(bytes, { keys: [verifierKey(log.signer.vkey)], origin: log.origin });

/** Gives the note to publish for what was archived, seeing what is published now; null where others are past it. */
export type Witnessing = (signed: Published, now: Published | null) => Promise<Uint8Array | null>;

/** Publishes the committed tree, unless it or a later one is published. Throws an alarm where another one is. */
export async function publish(log: Log, tree: Tree, witness: Witnessing): Promise<void> {
	const signed = await archive(log, tree);
	let bytes: Uint8Array | null = null;
	for (;;) {
		const now = await published(log);
		if (now !== null && now.size > tree.size) return;
		if (now !== null && now.size === tree.size) {
			if (sameTree(now, tree)) return;
			throw alarm('head-and-checkpoint-differ', 'Another tree of this size is published.', { size: tree.size });
		}
		bytes ??= await witness(signed, now);
		if (bytes === null) return;
		if (await log.objects.replace(CHECKPOINT, bytes, now?.bytes ?? null)) return;
	}
}

/**
 * Takes away the partial tiles and bundles that full ones have replaced since the tree of `first` entries: every reader
 * looks for the full one where a partial one is gone (C2SP tlog-tiles, "Partial Tiles"). They take room and nothing else,
 * so what keeps them there is told and stops nothing. Only once the batch is settled: whoever recovers it reads them.
 */
export async function dropPartials({ log, warn }: Pick<SealCtx, 'log' | 'warn'>, first: number, size: number) {
	for (const key of replaced(first, size)) {
		await log.objects.remove(key).catch((cause: unknown) => warn('ledger: partial tiles stay where they are', cause));
	}
}

/** Of each level that one tile which was begun in the first tree and is full in the later one. */
function* replaced(first: number, size: number): Generator<string> {
	for (let level = 0; Math.floor(size / FULL ** level) > 0; level++) {
		const before = Math.floor(first / FULL ** level);
		const index = Math.floor(before / FULL);
		if (before % FULL === 0 || widthOf(size, level, index) < FULL) continue;
		yield `${tilePath(level, index)}.p`;
		if (level === 0) yield `${entriesPath(index)}.p`;
	}
}

async function archive(log: Log, tree: Tree): Promise<Published> {
	const before = await archived(log, tree.size);
	if (before !== null && !sameTree(before, tree)) {
		throw alarm('head-and-checkpoint-differ', 'Another tree of this size was published.', { size: tree.size });
	}
	if (before !== null) return { ...before, bytes: new TextEncoder().encode(ownNote(log, before.bytes)) };
	const made = await sign(log, tree);
	await log.objects.create(archivePath(tree.size), made.bytes);
	return made;
}

/**
 * Signs the checkpoint of a log without entries. It is not kept: every tree goes on from it, so there is nothing that it
 * could be held against.
 */
export const emptyCheckpoint = (log: Log): Promise<Published> => sign(log, NO_HEAD);

/** A verified note of ours with our signature alone: the other lines of what lies in the store may be anybody's. */
export function ownNote({ signer }: Log, note: Uint8Array): string {
	const key = verifierKey(signer.vkey);
	const { text, signatures } = parseNote(note);
	const own = signatures.find(({ name, id }) => name === key.name && id === key.id);
	if (own === undefined) throw new TypeError('The note is not one of ours.');
	return `${text}\n${signatureLine(own.name, own.id, own.signature)}`;
}

async function sign(log: Log, tree: Tree): Promise<Published> {
	const key = verifierKey(log.signer.vkey);
	const text = formatCheckpoint({ origin: log.origin, size: tree.size, root: tree.root });
	const signature = await log.signer.sign(new TextEncoder().encode(text));
	const bytes = new TextEncoder().encode(`${text}\n${signatureLine(key.name, key.id, signature)}`);
	try {
		return { ...opened(log, bytes), bytes };
	} catch (cause) {
		throw alarm('signer', 'The signer does not sign with the key that it names.', {}, { cause });
	}
}
