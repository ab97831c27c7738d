/**
 * `npm run --silent sql -- --schema FILE`: reads one JSON object a line (`id`, `sql`) and prints one a line, in the same
 * order: what the statement reads, where each output comes from and how it prints, or why it is refused. For checking the
 * queries of a migration before anyone asks for access. Nothing is stored and nothing is run.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { answer } from './sql/answer.ts';
import { linesOf } from './sql/lines.ts';
import { readSchema } from './sql/schema.ts';

const USAGE = `npm run --silent sql -- --schema FILE < statements > answers
  --schema FILE      {"table": {"column": "trino type"}}; a table is database.table or a plain name; all count as granted
  Each line of the input is {"id": ..., "sql": "..."}; each line of the output is the answer to it.`;

function fault(cause: unknown): void {
	process.stderr.write(`${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n`);
}

async function main(): Promise<void> {
	const { values } = parseArgs({ options: { schema: { type: 'string' }, help: { type: 'boolean' } } });
	const { schema, help } = values;
	if (help === true) {
		process.stdout.write(`${USAGE}\n`);
		return;
	}
	if (schema === undefined) throw new Error(USAGE);
	const lookup = readSchema(schema);
	for await (const line of linesOf(process.stdin)) {
		// Waiting here keeps unread input out of memory when the reader of the answers is slow.
		if (!process.stdout.write(`${JSON.stringify(answer(line, lookup, fault))}\n`)) await once(process.stdout, 'drain');
	}
}

// Whoever reads the answers may have seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
	if (error.code !== 'EPIPE') process.stderr.write(`${error.message}\n`);
	process.exit(error.code === 'EPIPE' ? 0 : 1);
});

try {
	await main();
} catch (error) {
	process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
	process.exitCode = 2;
}
