/**
 * Patterns that are read match in DuckDB as they do in a backtracking engine of Java's kind. JavaScript's own stands in
 * for it: over these texts and this subset the two have one meaning.
 */
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringText } from '#core/sql.ts';
import { type Pattern, readPattern } from '#local/athena/print-duckdb/pattern.ts';

let connection: DuckDBConnection;

beforeAll(async () => {
	connection = await (await DuckDBInstance.create(':memory:')).connect();
});

afterAll(() => connection.closeSync());

const atoms = ['a', 'b', '1', '-', '.', '[ab]', '[^a]', '[a-c1]', '\\d', '\\w', '\\s', '\\b', '^', '$'];
const groups = ['(a)', '(ab|b)', '(?:a|ab)', '(b1)', '(a|b)'];
const quantifiers = ['', '', '', '?', '*', '+', '{2}', '{1,2}', '*?', '+?', '??'];

const part = fc
	.tuple(
		fc.constantFrom(...atoms, ...groups),
		fc.constantFrom(...quantifiers),
		fc.constantFrom('', '', '', '', '', '|'),
	)
	.map((pieces) => pieces.join(''));
const source = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''));
const text = fc.array(fc.constantFrom('a', 'b', '1', ' ', '-', 'c'), { maxLength: 9 }).map((parts) => parts.join(''));

type Found = {
	readonly first: string | null;
	readonly all: readonly string[] | null;
	readonly replaced: string | null;
	readonly split: readonly string[] | null;
};

/** What there is to compare: places of empty matches and pieces between anchored ones are not used. */
async function inDuckDB({ text: pattern, empty, anchored }: Pattern, value: string, group: number): Promise<Found> {
	const [x, p] = [stringText(value), stringText(pattern)];
	const result = await connection.runAndReadAll(`SELECT
		CASE WHEN regexp_matches(${x}, ${p}) THEN regexp_extract(${x}, ${p}, ${group}) END,
		${empty ? 'NULL' : `regexp_extract_all(${x}, ${p}, ${group})`},
		${empty ? 'NULL' : `regexp_replace(${x}, ${p}, '<\\${group}>', 'g')`},
		${empty || anchored ? 'NULL' : `string_split_regex(${x}, ${p})`}`);
	const [first, all, replaced, split] = result.getRowsJson()[0] ?? [];
	return { first, all, replaced, split } as Found;
}

function inJavaScript({ empty, anchored }: Pattern, pattern: string, value: string, group: number): Found {
	const matches = [...value.matchAll(new RegExp(pattern, 'g'))];
	const pieces = matches.map((match, index) => {
		const before = matches[index - 1];
		return value.slice(before === undefined ? 0 : before.index + before[0].length, match.index);
	});
	const last = matches.at(-1);
	const texts = matches.map((match) => match[group] ?? '');
	return {
		first: matches[0]?.[group] ?? null,
		all: empty ? null : texts,
		replaced: empty ? null : value.replace(new RegExp(pattern, 'g'), (...found) => `<${String(found[group])}>`),
		split: empty || anchored ? null : [...pieces, value.slice(last === undefined ? 0 : last.index + last[0].length)],
	};
}

test('what is read is matched alike', async () => {
	let read = 0;
	await fc.assert(
		fc.asyncProperty(source, text, async (written, value) => {
			const pattern = readPattern(written);
			if (pattern === null) return;
			read += 1;
			const group = pattern.fixed ? pattern.groups : 0;
			expect(await inDuckDB(pattern, value, group)).toEqual(inJavaScript(pattern, written, value, group));
		}),
		{ numRuns: 500 },
	);
	expect(read).toBeGreaterThan(100);
});

test.each([
	'(?<=a)b',
	'(?=a)',
	'(?<n>a)',
	'a++',
	'a*+',
	'(a)\\1',
	'\\p{L}',
	'[a&&b]',
	'[[:alpha:]]',
	'[]a]',
	'a{,2}',
	'a**',
])('%s is not read', (written) => {
	expect(readPattern(written)).toBeNull();
});
