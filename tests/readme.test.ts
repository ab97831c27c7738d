/** What the README says of the repository is so: commands, documents, concepts and their order, entries. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const readme = read('README.md');
const built = readme.slice(readme.indexOf('## How it is built'), readme.indexOf('Every use case gathers'));
const docs = readdirSync(path.join(root, 'docs')).map((name) => `docs/${name}`);

/** Concepts of core, one level after another, as they are written there. */
const levels =
	/error id[^;]*/
		.exec(built)?.[0]
		.split('<')
		.map((level) => level.trim().split(/\s+/)) ?? [];
const namesIn = (folder: string) => readdirSync(path.join(root, folder), { withFileTypes: true });

describe('the README', () => {
	it.each(['README.md', ...docs])('names no command that there is not: %s', (file) => {
		const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
		const named = [...read(file).matchAll(/npm run (?:-s |--silent )?([a-z][a-z:-]*)/g)].map(([, name = '']) => name);
		expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
	});

	it('leads to every document, and to none that there is not', () => {
		const links = [...readme.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, to = '']) => to);
		expect(docs.filter((file) => !links.includes(file))).toEqual([]);
		expect(links.filter((to) => !existsSync(path.join(root, to)))).toEqual([]);
	});

	it('has every concept of core in its level, as the test of imports has it', () => {
		const concepts = [...new Set(namesIn('core').map(({ name }) => path.basename(name, '.ts')))];
		expect(levels.flat().toSorted()).toEqual(concepts.toSorted());
		const held = /const levels = \[(.*?)\n\];/s.exec(read('tests/shape.test.ts'))?.[1] ?? '';
		const rows = held
			.trim()
			.split('\n')
			.map((row) => [...row.matchAll(/'([^']+)'/g)].map(([, name]) => name));
		expect(levels).toEqual(rows);
	});

	it('names every function that is deployed', () => {
		const entries = namesIn('functions')
			.filter((entry) => entry.isFile() && /^export .*\bhandler\b/m.test(read(`functions/${entry.name}`)))
			.map(({ name }) => name);
		expect(entries.length).toBeGreaterThan(5);
		expect(entries.filter((name) => !built.includes(name))).toEqual([]);
	});
});
