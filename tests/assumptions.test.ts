/** docs/aws-assumptions.md and the code name the same assumptions, and each has a script or a way by hand. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { all } from './live/all.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

type Row = { readonly held: readonly string[]; readonly scripts: readonly string[]; readonly byHand: boolean };

const rows: readonly Row[] = read('docs/aws-assumptions.md')
	.split('\n')
	.filter((line) => line.startsWith('| ') && !line.startsWith('| Assumed') && !line.startsWith('| ---'))
	.map((line) => line.split(' | '))
	.map(([, held = '', , settled = '']) => ({
		held: spans(held),
		scripts: settled.startsWith('By hand: ') ? [] : spans(settled),
		byHand: settled.startsWith('By hand: '),
	}));

function spans(cell: string): string[] {
	return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
}

/**
 * `file#name` of what each comment with the mark is about: the next declaration, or the function that it stands in. The
 * comment that a file opens with is about the file, which is then named alone.
 */
function marked(file: string): string[] {
	const lines = read(file).split('\n');
	const opening = lines.findIndex((line) => !/^(\/\*\*| \*)/.test(line));
	return lines.flatMap((line, index) => {
		if (!line.includes('[unverified]')) return [];
		if (index < opening) return [file];
		const declared = (text: string) => /(?:const|function\*?|type|class) (\w+)/.exec(text)?.[1];
		const within = line.startsWith('\t')
			? lines
					.slice(0, index)
					.toReversed()
					.filter((l) => !/^[\t}]/.test(l))
			: [];
		const after = lines.slice(index).filter((l) => !/^\s*(\/\*\*|\*|\/\/)/.test(l) && !/^import|^\t|^\}/.test(l));
		const name = [...within, ...after].map(declared).find((found) => found !== undefined);
		return [`${file}#${name}`];
	});
}

const code = ['core', 'local', 'functions'].flatMap((folder) =>
	readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
		.filter((file) => /\.tsx?$/.test(file))
		.map((file) => path.join(folder, file)),
);

describe('the list of assumptions', () => {
	test('names what is in the code', () => {
		const held = rows.flatMap((row) => row.held);
		expect(held.length).toBeGreaterThan(30);
		const missing = held.filter((entry) => {
			const [file = '', name = ''] = entry.split('#');
			if (!existsSync(path.join(root, file))) return true;
			return !new RegExp(`(?:const|function\\*?|type|class) ${name}\\b`).test(read(file));
		});
		expect(missing).toEqual([]);
	});

	test('has every place of the code that is marked as unverified', () => {
		const held = rows.flatMap((row) => row.held);
		const listed = [...held, ...held.map((entry) => entry.split('#')[0])];
		const unlisted = code.flatMap(marked).filter((entry) => !listed.includes(entry));
		expect(unlisted).toEqual([]);
	});

	test('settles each by a script that is there, or by hand', () => {
		const names = all.map(({ name }) => name);
		expect(rows.filter((row) => !row.byHand && row.scripts.length === 0)).toEqual([]);
		expect(rows.flatMap((row) => row.scripts).filter((name) => !names.includes(name))).toEqual([]);
	});

	test('has a use for every script, which is found by its name', () => {
		const used = rows.flatMap((row) => row.scripts);
		expect(all.map(({ name }) => name).filter((name) => !used.includes(name))).toEqual([]);
		for (const { name } of all) expect(existsSync(path.join(root, `tests/live/${name}.ts`))).toBe(true);
	});
});
