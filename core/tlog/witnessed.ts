/**
 * Cosignatures of witnesses (C2SP tlog-witness, tlog-cosignature): somebody else says of a checkpoint that it goes on from
 * all that he saw before, so that nobody can be shown another history. A checkpoint is published once enough of them said
 * so. Until then it is archived with our signature alone, its batch stays committed, and whoever comes next asks again:
 * asked twice, a witness says the same with another time.
 *
 * The notes that are published are kept, too: of two sealers at one batch, which got cosignatures of two moments, the first
 * to keep its note decides what both publish. So a size has one published note, whoever dies or waits wherever.
 *
 * A witness knows what we signed when our own store was put back to an earlier state: that is an alarm. No process knows
 * it by itself, however much it did before: what it remembers may be what the store was put back to. So witnesses are asked
 * before each batch as well as after it. Nothing that a witness answers is trusted beyond that: at worst, it stops the log.
 */
import { sameBytes } from '#verifier/encoding.ts';
import { parseNote, type VerifierKey, verifierKey, verifyNote } from '#verifier/note.ts';
import { type Cosignature, cosignatureIn, formatAddCheckpoint, parseSize } from '#verifier/witness.ts';
import { BrokerError } from '../error.ts';
import { NO_HEAD, readHead, sameTree, type Tree } from './head.ts';
import { alarm, type Log, type SealCtx, type Witness, type Witnesses } from './ports.ts';
import { consistencyBetween } from './proofs.ts';
import { archived, emptyCheckpoint, ownNote, type Published, published } from './publish.ts';

export const cosignedPath = (size: number) => `cosigned/${size}`;

type Ctx = Pick<SealCtx, 'aws' | 'config' | 'log' | 'warn'>;

/**
 * The note to publish for an archived checkpoint: with the cosignatures of enough witnesses. Null where another sealer is
 * past it. Throws where too few cosigned it, or an alarm where one knows of another history.
 */
export async function witnessed(ctx: Ctx, signed: Published, latest: Published | null): Promise<Uint8Array | null> {
	const { witnesses } = ctx.log;
	if (witnesses === undefined || witnesses.all.length === 0) return signed.bytes;
	const kept = await keptNote(ctx, witnesses, signed);
	if (kept !== null) return kept;
	const lines = await askAll(ctx, witnesses, signed, latest);
	if (lines === null) return null;
	// Only where nobody need cosign.
	if (lines.length === 0) return signed.bytes;
	const note = new TextEncoder().encode(ownNote(ctx.log, signed.bytes) + lines.join(''));
	return keep(ctx, witnesses, signed, note);
}

/**
 * Before anything is added to the head: whether the witnesses know of nothing later. False where another sealer is past it.
 * Throws where too few of them answer, or an alarm where one knows of another history: a head that was put back together
 * with what is published is found out here, before a second history is signed or any of its files is stored. Of a log
 * without entries they are asked with a checkpoint of size 0, which a witness that saw more answers with its size.
 */
export async function confirmHead(ctx: Ctx, head: Tree): Promise<boolean> {
	const { witnesses } = ctx.log;
	if (witnesses === undefined || witnesses.all.length === 0) return true;
	const latest = await published(ctx.log);
	if (!sameTree(latest ?? NO_HEAD, head)) return false;
	const signed = latest ?? (await emptyCheckpoint(ctx.log));
	return (await askAll(ctx, witnesses, signed, latest)) !== null;
}

/** What was kept of this size, if enough of today's witnesses cosigned it, and nobody else put a line into it. */
async function keptNote({ log, warn }: Ctx, witnesses: Witnesses, signed: Published): Promise<Uint8Array | null> {
	const bytes = await log.objects.get(cosignedPath(signed.size));
	if (bytes === null) return null;
	try {
		const ours = verifyNote(bytes, [verifierKey(log.signer.vkey)]);
		const same = ours.text === verifyNote(signed.bytes, [verifierKey(log.signer.vkey)]).text;
		const count = witnesses.all.filter(({ vkey }) => cosignedBy(bytes, verifierKey(vkey))).length;
		const alone = parseNote(bytes).signatures.length === 1 + count;
		if (same && alone && count > 0 && count >= witnesses.quorum) return bytes;
	} catch (cause) {
		warn('ledger: what was kept of cosignatures is of no use', cause);
	}
	return null;
}

/** Keeps the note. Where another one was kept of this size, that is the one to publish, unless it is of no use any more. */
async function keep(ctx: Ctx, witnesses: Witnesses, signed: Published, note: Uint8Array): Promise<Uint8Array> {
	try {
		await ctx.log.objects.create(cosignedPath(signed.size), note);
		return note;
	} catch (error) {
		if (!(error instanceof BrokerError) || error.code !== 'record-corrupt') throw error;
		return (await keptNote(ctx, witnesses, signed)) ?? note;
	}
}

type Alarm = { readonly alarm: 'witness-ahead' | 'witness-differs'; readonly size: number };
type Outcome = Cosignature | Alarm | { readonly failed: unknown };

/** The cosignatures of all who answer. Null where another sealer is past this checkpoint. */
async function askAll(
	ctx: Ctx,
	witnesses: Witnesses,
	signed: Published,
	latest: Published | null,
): Promise<string[] | null> {
	const outcomes = await Promise.all(
		witnesses.all.map(async (witness) => ({ witness, outcome: await ask(ctx, witness, signed, latest) })),
	);
	const alarms = outcomes.flatMap(({ outcome }) => ('alarm' in outcome ? [outcome] : []));
	const [first] = alarms;
	if (first !== undefined) {
		// A slow sealer asks for what another one has brought further: whoever asks has moved the head before.
		const { size } = await readHead(ctx);
		if (alarms.every((a) => a.alarm === 'witness-ahead' && a.size <= size)) return null;
		const told = alarms.find((a) => a.alarm === 'witness-differs') ?? first;
		throw alarm(told.alarm, 'A witness knows of another history of this log.', { size: signed.size, seen: told.size });
	}
	for (const { witness, outcome } of outcomes) {
		if (!('failed' in outcome)) continue;
		ctx.warn(`ledger: a witness did not cosign: ${verifierKey(witness.vkey).name}`, outcome.failed);
	}
	const lines = outcomes.flatMap(({ outcome }) => ('line' in outcome ? [outcome.line] : []));
	if (lines.length < witnesses.quorum) {
		const counts = { cosigned: lines.length, quorum: witnesses.quorum, size: signed.size };
		throw new BrokerError('unavailable', 'Too few witnesses cosigned the checkpoint; it is asked for again.', counts);
	}
	return lines;
}

/** One witness. It is asked again once, when it tells of another size than what we thought it had. */
async function ask({ log }: Ctx, witness: Witness, signed: Published, latest: Published | null): Promise<Outcome> {
	const key = verifierKey(witness.vkey);
	const note = ownNote(log, signed.bytes);
	const { text } = parseNote(note);
	let old = latest !== null && cosignedBy(latest.bytes, key) ? latest.size : 0;
	let failed: unknown;
	for (let tried = 0; tried < 2; tried++) {
		const proof = await proofFrom(log, old, signed);
		if (proof === null) return { alarm: 'witness-differs', size: old };
		try {
			const { status, body } = await witness.ask(formatAddCheckpoint({ old, proof, note }));
			if (status === 200) return cosignatureIn(body, text, key);
			if (status === 422 && old > 0) return { alarm: 'witness-differs', size: old };
			if (status !== 409) return { failed: new BrokerError('unavailable', 'A witness refused.', { status }) };
			old = parseSize(body);
			failed = new BrokerError('unavailable', 'A witness told of two sizes.', { status });
		} catch (cause) {
			return { failed: cause };
		}
		if (old > signed.size) return { alarm: 'witness-ahead', size: old };
	}
	return { failed };
}

/** The consistency proof from a size that we signed; null where we did not. */
async function proofFrom(log: Log, old: number, signed: Published): Promise<readonly Uint8Array[] | null> {
	if (old === 0 || old === signed.size) return [];
	if ((await archived(log, old)) === null) return null;
	const { to, proof } = await consistencyBetween({ log }, old, signed.size);
	if (!sameBytes(to.root, signed.root)) throw alarm('foreign-checkpoint', 'Two checkpoints have one size.');
	return proof;
}

/** Whether this note holds a cosignature of this key. */
function cosignedBy(note: Uint8Array, key: VerifierKey): boolean {
	try {
		return (verifyNote(note, [key]).signedBy[0]?.time ?? 0) > 0;
	} catch {
		return false;
	}
}
