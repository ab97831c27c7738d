/** docs/doctor.md names every check, each once, with its severity as the code gives it. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { checks, severities } from '#core/preflight.ts';

const page = readFileSync(new URL('../../docs/doctor.md', import.meta.url), 'utf8');
const rows = page
	.split('\n')
	.map((line) => line.split('|').map((cell) => cell.trim()))
	.filter(([, name = '']) => /^`[a-z-]+`$/.test(name));

it('the page of the doctor has a row for each check, in the order of the code, and no other', () => {
	expect(rows.map(([, name = '']) => name.slice(1, -1))).toEqual([...checks]);
});

it('each row gives every severity that the code may give the check, the usual one first, and no other', () => {
	const told = rows.map(([, name = '', cell = '']) => [
		name.slice(1, -1),
		[...new Set(cell.match(/\b(?:blocks|warns)\b/g))],
	]);
	expect(Object.fromEntries(told)).toEqual(severities);
});

it('each row says when it is found, why it matters and what to do', () => {
	for (const [, , , ...cells] of rows) {
		expect(cells.length >= 3 && cells.slice(0, 3).every((cell) => cell.length > 10)).toBe(true);
	}
});
