/**
 * The process that queries run in, one at a time: what breaks here costs one query. It ends with its
 * parent, and ends itself when it holds more memory than DuckDB's own limit accounts for.
 */
import { execute, type Job, MEMORY_MB } from './execute.ts';

const LARGEST_PROCESS = (MEMORY_MB + 768) * 1024 * 1024;

// An orderly exit would wait for a query that runs on another thread.
const end = () => process.kill(process.pid, 'SIGKILL');
process.on('disconnect', end);
process.on('message', (job: Job) => {
	void run(job);
});
setInterval(() => {
	if (process.memoryUsage.rss() > LARGEST_PROCESS) end();
}, 100).unref();
process.send?.({ kind: 'ready' });

async function run(job: Job): Promise<void> {
	const outcome = await execute(job);
	process.send?.({ kind: 'outcome', id: job.id, outcome });
}
