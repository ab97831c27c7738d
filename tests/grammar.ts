/**
 * The Trino grammar as one file for all test files: plain Node refuses the directory imports of its package, and reading it
 * anew costs each test file a second. One file, since its classes are told apart by identity.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const modules = [
	'antlr4ng',
	'dt-sql-parser/dist/lib/trino/TrinoSqlLexer.js',
	'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js',
];

/** What each of its modules is to be read from. */
export async function grammarAlias(): Promise<Record<string, string>> {
	// In here, vitest leaves it to Node.
	const file = path.join(root, 'node_modules/.cache/fairlead/grammar.mjs');
	mkdirSync(path.dirname(file), { recursive: true });
	const mine = `${file}.${randomUUID()}`;
	const contents = modules.map((name) => `export * from '${name}';`).join('\n');
	await build({
		stdin: { contents, resolveDir: root },
		bundle: true,
		platform: 'node',
		mainFields: ['module', 'main'],
		format: 'esm',
		outfile: mine,
		logLevel: 'error',
	});
	renameSync(mine, file);
	return Object.fromEntries(modules.map((name) => [name, file]));
}
