/**
 * Logs that the sealer makes of real entries over stores in memory, with the proofs it gives of them: what the foreign
 * verifiers are asked about.
 */
import * as Ledger from '#core/ledger.ts';
import { consistencyBetween, type SealCtx, seal } from '#core/tlog.ts';
import { domain } from '#tests/core/ledger-context.ts';
import { inclusionOf, makeWorld, ORIGIN, proofOf, signerWith, type World, write } from '#tests/tlog/world.ts';
import { formatCheckpoint } from '#verifier/checkpoint.ts';
import { EMPTY_ROOT } from '#verifier/merkle.ts';
import { signatureLine, verifierKey } from '#verifier/note.ts';
import { parseProof } from '#verifier/proof.ts';
import { decodeBundle, entriesPath, FULL, widthOf } from '#verifier/tile.ts';

/** The objects of a log by their paths. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** A C2SP tlog-proof of an entry, with the entry. */
export type EntryProof = { readonly index: number; readonly text: string; readonly entry: Uint8Array };
/** Two signed checkpoints, and what leads from one to the other. */
export type TreeProof = { readonly from: string; readonly to: string; readonly hashes: readonly Uint8Array[] };

export type MadeLog = {
	readonly size: number;
	readonly files: Files;
	readonly proofs: readonly EntryProof[];
	readonly consistency: readonly TreeProof[];
};

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

export const checkpointOf = (files: Files): string => text(files.get('checkpoint'));

/** What an export of the log holds. */
const exported = ({ objects }: World): Files =>
	new Map([...objects.files].filter(([path]) => !path.startsWith('staging/')));

/** The entries of the bundle that holds the one at an index. */
export function bundleOf(files: Files, size: number, index: number) {
	const number = Math.floor(index / FULL);
	const width = widthOf(size, 0, number);
	const path = entriesPath(number, width);
	const bytes = files.get(path);
	return { path, number, width, entries: bytes === undefined ? [] : decodeBundle(bytes, width) };
}

async function made(ctx: SealCtx, world: World, size: number, from: readonly number[]): Promise<MadeLog> {
	const files = exported(world);
	const proofs: EntryProof[] = [];
	for (const index of new Set([0, 1, 100, 255, 256, 511, Math.floor(size / 2), size - 1].filter((i) => i < size))) {
		const entry = bundleOf(files, size, index).entries[index % FULL] ?? new Uint8Array();
		const found = await proofOf(ctx, (JSON.parse(text(entry)) as { id: string }).id);
		if (found.state !== 'sealed' || found.place.index !== index) throw new Error(`no proof of entry ${index}`);
		const { hashes } = parseProof(found.text);
		const direct = await inclusionOf(ctx, index, size);
		if (Buffer.compare(Buffer.concat(hashes), Buffer.concat(direct.proof)) !== 0) throw new Error('two proofs differ');
		proofs.push({ index, text: found.text, entry });
	}
	const consistency: TreeProof[] = [];
	for (const earlier of from.filter((n) => n > 0 && n < size)) {
		const { proof } = await consistencyBetween(ctx, earlier, size);
		consistency.push({ from: text(files.get(`checkpoints/${earlier}`)), to: checkpointOf(files), hashes: proof });
	}
	return { size, files, proofs, consistency };
}

const SIZES = [1, 2, 255, 256, 257, 600];
const FORK_AT = 257;

export type Made = { readonly logs: ReadonlyMap<number, MadeLog>; readonly fork: MadeLog; readonly vkey: string };

/** One log as it grew, and another that went on from its 257 entries in another way, under the same key. */
export async function makeLogs(): Promise<Made> {
	const world = await makeWorld();
	const ctx = world.process();
	const logs = new Map<number, MadeLog>();
	let fork: MadeLog | undefined;
	let before = 0;
	const names = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `d${(from + i) % 40}`);
	for (const size of SIZES) {
		await write(ctx, names(before, size));
		await seal(ctx);
		logs.set(size, await made(ctx, world, size, SIZES));
		if (size === FORK_AT) {
			const other = await makeWorld(9, world);
			const at = other.process();
			await write(at, names(size, 600), 2);
			await seal(at);
			fork = await made(at, other, 600, [size]);
		}
		before = size;
	}
	if (fork === undefined) throw new Error('nothing forked');
	return { logs, fork, vkey: ctx.log.signer.vkey };
}

/** A log of three levels of tiles; each entry begins a stream. */
export async function makeLarge(size: number): Promise<MadeLog> {
	const world = await makeWorld(3);
	const ctx = world.process();
	const sizes: number[] = [];
	for (let i = 0; i < size; ) {
		for (const end = Math.min(size, i + 4096); i < end; i++) {
			const stream = Ledger.stream.domain(`d${i}`);
			await Ledger.append(ctx, { stream, after: null, actor: 'system', body: domain(`d${i}`, 'x') });
		}
		sizes.push((await seal(ctx)).size);
	}
	return made(ctx, world, size, sizes);
}

/** The sealer signs no empty log; its signer does. */
export async function emptyLog(): Promise<Files> {
	return new Map([['checkpoint', await signed({ size: 0, root: EMPTY_ROOT })]]);
}

type ToSign = { size: number; root: Uint8Array; origin?: string };

/** A checkpoint of whatever tree, by whatever key, under whatever id. */
export async function signed(
	{ size, root, origin = ORIGIN }: ToSign,
	signer = signerWith(),
	id = verifierKey(signer.vkey).id,
): Promise<Uint8Array> {
	const body = formatCheckpoint({ origin, size, root });
	const signature = await signer.sign(new TextEncoder().encode(body));
	return new TextEncoder().encode(`${body}\n${signatureLine(verifierKey(signer.vkey).name, id, signature)}`);
}
