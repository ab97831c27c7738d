/** Verifies a log in a folder, whole, in a process that has done nothing else. */
import { verifyLog } from '#verifier/log.ts';
import { verifierKey } from '#verifier/note.ts';
import { folderSource } from '#verifier/source.ts';
import { endWithParent } from '../child.ts';

export type VerifyRun = { readonly folder: string; readonly vkey: string };
export type VerifyFound = {
	readonly ms: number;
	readonly cpuMs: number;
	readonly entries: number;
	readonly rss: number;
};

async function run({ folder, vkey }: VerifyRun): Promise<VerifyFound> {
	const started = performance.now();
	const cpu = process.cpuUsage();
	const { checkpoint } = await verifyLog(folderSource(folder), { keys: [verifierKey(vkey)] });
	const used = process.cpuUsage(cpu);
	const ms = performance.now() - started;
	const { maxRSS } = process.resourceUsage();
	return { ms, cpuMs: (used.user + used.system) / 1000, entries: checkpoint.size, rss: maxRSS / 1024 };
}

endWithParent();
process.on('message', (asked: VerifyRun) => {
	run(asked).then(
		(found) => process.send?.(found),
		(error: unknown) => {
			process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
			process.exit(1);
		},
	);
});
process.send?.({ ready: true });
