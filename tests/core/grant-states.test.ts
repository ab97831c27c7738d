/** The one table of what may follow what, and the drawing of it in docs/grants.md. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GrantState, transitions } from '#core/grants/grant.ts';
import { GrantStep } from '#core/ledger.ts';

const text = readFileSync(new URL('../../docs/grants.md', import.meta.url), 'utf8');
const drawn = [...text.matchAll(/^ {4}(\S+) --> (\S+)$/gm)].map(([, from = '', to = '']) => [from, to]);

describe('the states of a grant', () => {
	it('are drawn as they are', () => {
		const arrows = Object.entries(transitions).flatMap(([from, next]) => next.map((to) => [from, to]));
		const ends = Object.entries(transitions).flatMap(([from, next]) => (next.length === 0 ? [[from, '[*]']] : []));
		const sorted = (list: string[][]) => list.map((a) => a.join(' ')).toSorted();
		expect(sorted(drawn)).toEqual(sorted([['[*]', 'granting'], ...arrows, ...ends]));
	});

	it('all lead to an end', () => {
		const reaches = (from: GrantState, seen: ReadonlySet<GrantState> = new Set()): boolean =>
			transitions[from].length === 0 ||
			transitions[from].some((to) => !seen.has(to) && reaches(to, new Set([...seen, from])));
		expect(GrantState.options.filter((state) => !reaches(state))).toEqual([]);
	});
});

it('the steps are told as they are named', () => {
	const told = [...text.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, step]) => step);
	expect(new Set(told)).toEqual(new Set(GrantStep.options));
});
