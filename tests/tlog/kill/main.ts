/** Entry of the process that is killed. */
import { type Job, work } from './child.ts';

work(JSON.parse(process.argv[2] ?? '') as Job).catch((error: unknown) => {
	process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
	process.exit(1);
});
