/** A pass of reconciliation in a process of its own, as the schedule's function runs it: how long, and with what memory. */
import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { scheduled } from '#core/reconcile.ts';
import { buildPlatform } from '#functions/platform.ts';
import { endWithParent } from '../child.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const { platform } = buildPlatform(process.env);

async function pass() {
	collect();
	const before = process.memoryUsage().heapUsed;
	let most = 0;
	// What is alive, not what waits to be collected.
	const watch = setInterval(() => {
		collect();
		most = Math.max(most, process.memoryUsage().heapUsed);
	}, 1000);
	const worked = process.cpuUsage();
	const started = performance.now();
	const found = await scheduled(platform, randomBytes(16).toString('hex'));
	const ms = performance.now() - started;
	const { user, system } = process.cpuUsage(worked);
	clearInterval(watch);
	if (found === null) throw new Error('another pass is under way');
	return { ms, processorMs: (user + system) / 1000, grew: Math.max(0, most - before), tally: found.tally };
}

endWithParent();
process.on('message', () => {
	pass().then(
		(found) => process.send?.(found),
		(error: unknown) => {
			process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
			process.exit(1);
		},
	);
});
process.send?.('ready');
