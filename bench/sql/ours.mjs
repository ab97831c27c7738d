/**
 * One new process with the bundle that it is given: says how long the import and the first query took, then runs the corpus
 * once for each line that it reads, and prints the milliseconds of every query: [parse, analyse, print].
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [, , bundle, work] = process.argv;
const { schema, corpus } = JSON.parse(readFileSync(work, 'utf8'));
const tables = new Map(
	Object.entries(schema).map(([id, columns]) => {
		const listed = Object.entries(columns).map(([name, type]) => ({ name, type, granted: true }));
		return [id, { id, printed: [id], columns: listed, rowFilter: null }];
	}),
);

const started = performance.now();
const { parseQuery, resolve, printTrino } = await import(bundle);
const imported = performance.now() - started;

function run(sql) {
	const begun = performance.now();
	const query = parseQuery(sql);
	const parsed = performance.now();
	const resolved = resolve(query, ({ table }) => tables.get(table));
	const analysed = performance.now();
	printTrino(resolved);
	return [parsed - begun, analysed - parsed, performance.now() - analysed];
}

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
say({ imported, first: run(corpus[0].sql) });
for await (const _ of createInterface({ input: process.stdin })) say(corpus.map(({ sql }) => run(sql)));
