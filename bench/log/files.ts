/**
 * The files of a log alone: entries whose bytes are there are staged, and become tiles, bundles and signed checkpoints, each
 * with fsync, as the sealer makes them; nothing is read from a table, judged or marked. It is what other logs do.
 */
import { readFileSync } from 'node:fs';
import pMap from 'p-map';
import { NO_HEAD, stagingKey, type Tree } from '#core/tlog/head.ts';
import { publish } from '#core/tlog/publish.ts';
import { stage } from '#core/tlog/staging.ts';
import { grow, loadEdge } from '#core/tlog/tree.ts';
import { endWithParent } from '../child.ts';
import { openLog } from './world.ts';

/** `entries`: a file that bench/log/seal.ts wrote. */
export type FilesRun = { readonly folder: string; readonly entries: string };
export type FilesFound = {
	readonly ms: number;
	readonly cpuMs: number;
	readonly entries: number;
	readonly vkey: string;
};

const BATCH = 4096;
const CONCURRENCY = 16;

async function run({ folder, entries: file }: FilesRun): Promise<FilesFound> {
	const { ctx, vkey } = await openLog(folder);
	const { log } = ctx;
	const entries = read(file);
	const started = performance.now();
	const cpu = process.cpuUsage();
	let tree: Tree = NO_HEAD;
	for (let from = 0; from < entries.length; from += BATCH) {
		const batch = entries.slice(from, from + BATCH);
		const grown = grow(await loadEdge(log.objects, tree), batch);
		await stage(log, tree, grown, batch);
		await pMap(grown.files, ({ key, bytes }) => log.objects.create(key, bytes), { concurrency: CONCURRENCY });
		await publish(log, grown, async (signed) => signed.bytes);
		await log.objects.remove(stagingKey(tree, grown));
		tree = { size: grown.size, root: grown.root };
	}
	const used = process.cpuUsage(cpu);
	const cpuMs = (used.user + used.system) / 1000;
	return { ms: performance.now() - started, cpuMs, entries: tree.size, vkey };
}

function read(file: string): Uint8Array[] {
	const bytes = readFileSync(file);
	const entries: Uint8Array[] = [];
	for (let at = 0; at < bytes.length; ) {
		const end = at + 4 + bytes.readUInt32BE(at);
		entries.push(bytes.subarray(at + 4, end));
		at = end;
	}
	return entries;
}

endWithParent();
process.on('message', (asked: FilesRun) => {
	run(asked).then(
		(found) => process.send?.(found),
		(error: unknown) => {
			process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
			process.exit(1);
		},
	);
});
process.send?.({ ready: true });
