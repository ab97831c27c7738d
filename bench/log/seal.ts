/**
 * Seals a log, as asked by the parent: entries are appended a window at a time and sealed until none waits, and then the
 * store forgets them, so that what this process holds is the sealer's. Then proofs of entries of the last window, and of
 * which entries they are is drawn.
 */
import { writeFileSync } from 'node:fs';
import type * as Ledger from '#core/ledger.ts';
import * as Tlog from '#core/tlog.ts';
import { endWithParent } from '../child.ts';
import { appendMany, openLog } from './world.ts';

export type SealRun = {
	readonly folder: string;
	readonly entries: number;
	readonly window: number;
	readonly proofs: number;
	/** Where the entries are written one after the other, for others to seal; each after its length in four bytes. */
	readonly copy: string;
};
export type SealFound = {
	readonly vkey: string;
	/** Milliseconds of appending and of sealing, and of the processor while sealing. */
	readonly appendMs: number;
	readonly sealMs: number;
	readonly sealCpuMs: number;
	readonly passes: readonly number[];
	/** Megabytes of this process after so many entries. */
	readonly memory: readonly { readonly entries: number; readonly rss: number }[];
	readonly proofs: readonly number[];
};

async function run({ folder, entries, window, proofs, copy }: SealRun): Promise<SealFound> {
	const { ctx, store, vkey } = await openLog(folder);
	const found = {
		appendMs: 0,
		sealMs: 0,
		sealCpuMs: 0,
		passes: [] as number[],
		memory: [] as SealFound['memory'][number][],
	};
	let last: Ledger.Recorded[] = [];
	for (let done = 0; done < entries; done += last.length) {
		const these = new Set(last.map(({ stored }) => stored.stream));
		store.forget('ledger', (item) => these.has(item['pk']?.S ?? ''));
		store.forget('projections', () => true);
		const started = performance.now();
		last = await appendMany(ctx, Math.min(window, entries - done));
		found.appendMs += performance.now() - started;
		writeFileSync(copy, framed(last), { flag: 'a' });
		const cpu = process.cpuUsage();
		await sealAll(ctx, found.passes);
		const used = process.cpuUsage(cpu);
		found.sealCpuMs += (used.user + used.system) / 1000;
		found.memory.push({ entries: done + last.length, rss: process.memoryUsage().rss / 1024 ** 2 });
	}
	found.sealMs = found.passes.reduce((sum, ms) => sum + ms, 0);
	const head = await Tlog.readHead(ctx);
	if (head.size !== entries || head.state !== 'clean') throw new Error(`sealed ${head.size} of ${entries} entries`);
	return { ...found, vkey, proofs: await prove(ctx, last, proofs) };
}

async function sealAll(ctx: Tlog.SealCtx, passes: number[]): Promise<void> {
	let pass: Tlog.Pass;
	do {
		const started = performance.now();
		pass = await Tlog.seal(ctx);
		passes.push(performance.now() - started);
	} while (pass.more);
}

function framed(entries: readonly Ledger.Recorded[]): Buffer {
	return Buffer.concat(
		entries.flatMap(({ stored }) => {
			const length = Buffer.alloc(4);
			length.writeUInt32BE(stored.bytes.length);
			return [length, stored.bytes];
		}),
	);
}

async function prove(ctx: Tlog.SealCtx, among: readonly Ledger.Recorded[], count: number): Promise<number[]> {
	const times: number[] = [];
	for (let i = 0; i < count; i++) {
		const id = among[Math.floor(Math.random() * among.length)]?.entry.id ?? '';
		const started = performance.now();
		const found = await Tlog.find(ctx, id);
		if (found.state !== 'sealed') throw new Error(`an entry is ${found.state}`);
		await Tlog.proofAt(ctx, id, found.place);
		times.push(performance.now() - started);
	}
	return times;
}

endWithParent();
process.on('message', (asked: SealRun) => {
	run(asked).then(
		(found) => process.send?.(found),
		(error: unknown) => {
			process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
			process.exit(1);
		},
	);
});
process.send?.({ ready: true });
