/** The table of rules in docs/policies.md is made from the files: `npx vitest run tests/policy-docs.test.ts --update`. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import { expect, it } from 'vitest';
import { abouts } from '#core/access/rules.ts';
import { isGlobal } from '#core/policy.ts';
import { texts } from './policy/cases.ts';

const page = '../docs/policies.md';
const written = readFileSync(fileURLToPath(new URL(page, import.meta.url)), 'utf8');

/** The comment at the head of a file. */
const saying = (text: string) =>
	/^(?:\/\/ ?.*\n)+/
		.exec(text)?.[0]
		.replaceAll(/^\/\/ ?/gm, '')
		.trim()
		.replaceAll('\n', ' ');

function lineOf([id, text]: [string, string]): string {
	const answer = policyToJson(text);
	if (answer.type === 'failure') throw new Error(id);
	const { effect, action, annotations = {} } = answer.json;
	const uids = 'entity' in action ? [action.entity] : 'entities' in action ? action.entities : [];
	const actions = uids.map((uid) => `\`${'__entity' in uid ? uid.__entity.id : uid.id}\``);
	const { requires, approvers = '1' } = annotations;
	const needs = requires === undefined ? '' : approvers === '1' ? requires : `${approvers} × ${requires}`;
	return `| \`${id}\` | ${effect}s ${actions.join(', ') || 'everything'} | ${saying(text)} | ${needs} |`;
}

const table = Object.entries(texts)
	.toSorted(([a], [b]) => Number(isGlobal(b)) - Number(isGlobal(a)) || (a < b ? -1 : 1))
	.map(lineOf);

it('the page has every rule, as its file says it', async () => {
	const rows = ['| rule | what it does | in words | requires |', '|---|---|---|---|', ...table].join('\n');
	const whole = written.replace(/<!-- rules -->\n[^]*<!-- \/rules -->/, `<!-- rules -->\n${rows}\n<!-- /rules -->`);
	expect(whole).toContain('| `no-self-approval` | forbids `decide` |');
	await expect(whole).toMatchFileSnapshot(page);
});

it('the page names what a rule of requests may be about, and nothing else', () => {
	const listed = /Of a request: ([^|]*) \|/.exec(written)?.[1] ?? '';
	expect([...listed.matchAll(/`([\w-]+)`/g)].map(([, name]) => name)).toEqual([...abouts]);
});
