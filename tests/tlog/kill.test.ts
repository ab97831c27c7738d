/**
 * Processes of the operating system that write and seal, killed at any moment: what was acknowledged is in the log, each
 * entry once; the log verifies from its files, and the table is what it says. A few in `npm test`, 100 in `npm run soak`.
 * FAIRLEAD_SEED chooses the moments again, as far as a process can be stopped at the same one twice.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as Ledger from '#core/ledger.ts';
import { auditStore, readHead, type SealCtx, seal } from '#core/tlog.ts';
import { dice } from '#local/aws/chance.ts';
import { openLedger } from '#tests/core/ledger-context.ts';
import { verifyLog } from '#verifier/log.ts';
import { verifierKey } from '#verifier/note.ts';
import { folderSource } from '#verifier/source.ts';
import { decodeBundle, entriesPath, FULL, widthOf } from '#verifier/tile.ts';
import { contextOf, type Job, next, type Told } from './kill/child.ts';

const { FAIRLEAD_SOAK: level, FAIRLEAD_SEED: given } = process.env;
const KILLS = level === 'whole' ? 100 : level === 'short' ? 20 : 10;
/** On one store; then another one, so that looking at all of it stays short. */
const ON_ONE = 10;
const WRITERS = 8;
const seed = Number(given ?? Date.now() % 1_000_000);

const home = mkdtempSync(path.join(tmpdir(), 'fairlead-kill-'));
const program = path.join(home, 'child.cjs');

beforeAll(async () => {
	const entry = fileURLToPath(new URL('kill/main.ts', import.meta.url));
	await build({
		entryPoints: [entry],
		outfile: program,
		bundle: true,
		platform: 'node',
		target: 'node20',
		format: 'cjs',
	});
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

type Running = {
	readonly process: ChildProcess;
	/** Resolves with the first thing that it says; fails where it ends by itself. */
	readonly begun: Promise<unknown>;
	/** Leaves that it said were acknowledged. */
	readonly acknowledged: Set<string>;
	readonly kill: () => Promise<void>;
};

function run(job: Job): Running {
	const child = spawn(process.execPath, [program, JSON.stringify(job)], { stdio: ['ignore', 'pipe', 'inherit'] });
	const acknowledged = new Set<string>();
	const lines = createInterface({ input: child.stdout });
	lines.on('line', (line) => {
		const told = JSON.parse(line) as Told;
		if ('acknowledged' in told) acknowledged.add(told.acknowledged);
	});
	const read = once(lines, 'close');
	const gone = once(child, 'exit');
	const begun = Promise.race([
		once(lines, 'line'),
		gone.then(() => {
			throw new Error('it ended before anybody killed it');
		}),
	]);
	begun.catch(() => {});
	const kill = async () => {
		expect(child.exitCode, 'it ended by itself').toBeNull();
		child.kill('SIGKILL');
		// All that it said is read before it counts.
		await Promise.all([gone, read]);
	};
	return { process: child, begun, acknowledged, kill };
}

type Place = { readonly job: Omit<Job, 'does' | 'name'>; readonly ctx: SealCtx; readonly close: () => Promise<void> };

async function openPlace(round: number): Promise<Place> {
	const folder = path.join(home, String(round));
	const opened = await openLedger(path.join(folder, 'aws'));
	const { endpoint } = opened.local;
	const { region, tables, unsealedShards } = opened.ctx.config;
	const { privateKey } = generateKeyPairSync('ed25519');
	const job = {
		writers: WRITERS,
		folder: path.join(folder, 'log'),
		pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
		config: { region, tables, unsealedShards },
		aws: {
			region,
			endpoint,
			credentials: opened.local.issueKey('arn:aws:iam::210000000000:role/fairlead-broker'),
			grantorRole: 'fairlead-grantor',
			consumerRole: 'fairlead-consumer',
		},
	};
	return { job, ctx: await contextOf({ ...job, does: 'seals', name: 'parent' }), close: () => opened.local.close() };
}

/** Kills one that does both, or the sealer beside writers that go on; what was acknowledged to them. */
async function trial(
	{ job, ctx }: Place,
	n: number,
	roll: () => number,
): Promise<{ leaves: string[]; committed: boolean }> {
	const name = `k${n}`;
	const alone = n % 2 === 1;
	const victim = run({ ...job, name, does: alone ? 'seals' : 'both' });
	const others = alone ? [run({ ...job, name, does: 'writes' })] : [];
	try {
		await Promise.all([victim, ...others].map(({ begun }) => begun));
		await pause(roll() * 400);
		await victim.kill();
		const committed = (await readHead(ctx)).state === 'committed';
		for (const other of others) {
			await pause(roll() * 100);
			await other.kill();
		}
		return { leaves: [victim, ...others].flatMap((one) => [...one.acknowledged]), committed };
	} finally {
		for (const one of [victim, ...others]) one.process.kill('SIGKILL');
	}
}

/** Leaves of the log, in its order. */
async function leavesOf({ log }: SealCtx, size: number): Promise<string[]> {
	const leaves: string[] = [];
	for (let index = 0; index * FULL < size; index++) {
		const width = widthOf(size, 0, index);
		const bytes = await log.objects.get(entriesPath(index, width));
		leaves.push(...decodeBundle(bytes ?? new Uint8Array(), width).map(Ledger.leafHash));
	}
	return leaves;
}

/** Whoever comes next goes on, and all that was ever acknowledged is there. */
async function checkAll({ ctx, job }: Place, acknowledged: readonly string[]): Promise<void> {
	// What the dead one had sent is done by now.
	await pause(50);
	const more = [await next(ctx, 'after', 'x'), await next(ctx, 'after', 'y')];
	let pass = await seal(ctx);
	while (pass.more || pass.sealed > 0) pass = await seal(ctx);
	const { vkey } = ctx.log.signer;
	const { checkpoint } = await verifyLog(folderSource(job.folder), { keys: [verifierKey(vkey)], allArchived: true });
	const leaves = await leavesOf(ctx, checkpoint.size);
	expect(new Set(leaves).size, 'an entry was sealed twice').toBe(leaves.length);
	const lost = [...acknowledged, ...more.map(({ leaf }) => leaf)].filter((leaf) => !leaves.includes(leaf));
	expect(lost, 'acknowledged, and not in the log').toEqual([]);
	expect(await auditStore(ctx)).toEqual({ entries: leaves.length, waiting: 0, quarantined: 0, fault: null });
}

it(`what was acknowledged is sealed once, whoever is killed when (${KILLS} times, seed ${seed})`, {
	timeout: 600_000,
}, async () => {
	const roll = dice(seed);
	let [committed, written] = [0, 0];
	for (let done = 0; done < KILLS; done += ON_ONE) {
		const place = await openPlace(done);
		try {
			const acknowledged: string[] = [];
			for (let n = done; n < done + ON_ONE; n++) {
				const outcome = await trial(place, n, roll);
				acknowledged.push(...outcome.leaves);
				committed += outcome.committed ? 1 : 0;
				written += outcome.leaves.length;
				await checkAll(place, acknowledged);
			}
		} finally {
			await place.close();
		}
	}
	expect(written).toBeGreaterThan(KILLS);
	// Some died between the swap and the end of what follows it.
	if (KILLS > ON_ONE) expect(committed).toBeGreaterThan(0);
});
