/**
 * What an operator asks of a mesh from the command line, over its API: `npm run doctor`, and the like. It is no part of
 * the service and has no rights of its own; whatever it shows, its token may see.
 */
import { run } from './operate/run.ts';

const printer = (stream: NodeJS.WriteStream) => (text: string) => void stream.write(`${text}\n`);

process.exitCode = await run(
	process.argv.slice(2),
	{ out: printer(process.stdout), err: printer(process.stderr) },
	process.env,
);
