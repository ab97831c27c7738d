/** Appends, and reads of entries that were drawn, in a store that grows: is either slower where there is more? */
import * as Ledger from '#core/ledger.ts';
import { endWithParent } from '../child.ts';
import { append, appendMany, openLog } from './world.ts';

export type GrowRun = { readonly folder: string; readonly sizes: readonly number[]; readonly counted: number };
export type GrowFound = readonly { readonly size: number; readonly append: number[]; readonly read: number[] }[];

async function run({ folder, sizes, counted }: GrowRun): Promise<GrowFound> {
	const { ctx } = await openLog(folder);
	const found: GrowFound[number][] = [];
	// Entries to be read, from all of what was written.
	const kept: string[] = [];
	let written = 0;
	for (const size of sizes) {
		while (written < size) {
			const made = await appendMany(ctx, Math.min(5000, size - written));
			written += made.length;
			for (let i = 0; i < made.length; i += 97) kept.push(made[i]?.stored.stream ?? '');
		}
		const one = { size, append: [] as number[], read: [] as number[] };
		for (let i = 0; i < counted; i++) {
			let started = performance.now();
			await append(ctx);
			one.append.push(performance.now() - started);
			const stream = kept[Math.floor(Math.random() * kept.length)] ?? '';
			started = performance.now();
			const entries = await Ledger.read(ctx, stream);
			one.read.push(performance.now() - started);
			if (entries.length !== 1) throw new Error('an entry is not there');
		}
		written += counted;
		found.push(one);
	}
	return found;
}

endWithParent();
process.on('message', (asked: GrowRun) => {
	run(asked).then(
		(found) => process.send?.(found),
		(error: unknown) => {
			process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
			process.exit(1);
		},
	);
});
process.send?.({ ready: true });
