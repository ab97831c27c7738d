/**
 * A process that is killed: writers, a sealer, or both, on the embedded DynamoDB of its parent and the log's folder (of which
 * nothing is imported here, so that it starts at once). It says on its output what was acknowledged to it, before anything else happens, and stops for nothing else than a signal.
 */
import { createPrivateKey, createPublicKey, randomBytes, sign } from 'node:crypto';
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { makeAws } from '#core/aws.ts';
import type { Config } from '#core/context.ts';
import { BrokerError } from '#core/error.ts';
import * as Ledger from '#core/ledger.ts';
import { type SealCtx, type Signer, seal } from '#core/tlog.ts';
import { writeFolder } from '#functions/objects/folder-writing.ts';
import { vkeyOf } from '#verifier/note.ts';

export type Told = { readonly acknowledged: string } | { readonly sealed: number };
export type Job = {
	readonly does: 'writes' | 'seals' | 'both';
	readonly writers: number;
	/** What its streams begin with. */
	readonly name: string;
	readonly folder: string;
	readonly pem: string;
	readonly config: Pick<Config, 'tables' | 'region' | 'unsealedShards'>;
	readonly aws: Parameters<typeof makeAws>[0];
};

const ORIGIN = 'bank.example/ledger/killed';

function signerOf(pem: string): Signer {
	const key = createPrivateKey(pem);
	const raw = new Uint8Array(createPublicKey(pem).export({ type: 'spki', format: 'der' }).subarray(-32));
	return { vkey: vkeyOf(ORIGIN, raw), sign: async (message) => new Uint8Array(sign(null, message, key)) };
}

const tell = (told: Told) => void writeSync(1, `${JSON.stringify(told)}\n`);

/** The context of a process that seals into this folder. */
export async function contextOf({ folder, pem, config, aws }: Job): Promise<SealCtx> {
	return {
		aws: makeAws(aws),
		config: { ...config, retryMs: 5 } as Config,
		clock: () => new Date(),
		random: (bytes) => new Uint8Array(randomBytes(bytes)),
		trace: '0'.repeat(32),
		warn(message, error) {
			throw new Error(message, { cause: error });
		},
		log: { origin: ORIGIN, objects: await writeFolder(folder), signer: signerOf(pem) },
	};
}

/** The next version of a domain. Throws `conflict` where another writer was first. */
export async function next(ctx: SealCtx, id: string, name: string): Promise<Ledger.Recorded> {
	const stream = Ledger.stream.domain(id);
	const after = await Ledger.last(ctx, stream, 'DomainRegistered');
	const rules = { policies: [], setHash: '0'.repeat(64) };
	const lists = { members: [], principals: [], catalogs: [], rules };
	const body = { type: 'DomainRegistered' as const, domain: id, name, account: '210000000001', ...lists };
	return Ledger.append(ctx, { stream, after, actor: 'system', body });
}

/** Goes on with a stream of its own, and with one that all write. */
async function writer(ctx: SealCtx, own: string, shared: string): Promise<never> {
	for (let i = 0; ; i++) {
		try {
			const { leaf } = await next(ctx, i % 3 === 0 ? shared : own, 'x'.repeat(i % 50));
			tell({ acknowledged: leaf });
		} catch (error) {
			if (!(error instanceof BrokerError) || error.code !== 'conflict') throw error;
		}
	}
}

/** Small batches, so that it is in each of its steps often. */
async function sealer(ctx: SealCtx): Promise<never> {
	for (let i = 0; ; i++) {
		const pass = await seal(ctx, { batch: 1 + (i % 12) });
		tell({ sealed: pass.size });
		if (!pass.more) await pause(2);
	}
}

/** Ends when the process does. */
export async function work(job: Job): Promise<never> {
	const ctx = await contextOf(job);
	const writers = Array.from({ length: job.does === 'seals' ? 0 : job.writers }, (_, i) =>
		writer(ctx, `${job.name}-${i}`, `${job.name}-all`),
	);
	return Promise.race([...writers, ...(job.does === 'writes' ? [] : [sealer(ctx)])]);
}
