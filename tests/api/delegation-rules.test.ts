/** What a domain's own rules say of delegation: forbidden decisions disclose nothing, and giving may be forbidden itself. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Handle } from '#local/people.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { deciding, delegationsIn, ofCustomers } from './delegations.ts';
import { decision, get, refused } from './harness.ts';

const folder = path.join(mkdtempSync(path.join(tmpdir(), 'fairlead-rules-')), 'policies');
let test: TestBank;
const { giving, give, ask, askForNames, taken, tidy } = delegationsIn(() => test);

const on = (action: string) => `(principal, action == Fairlead::Action::"${action}", resource)`;
const MOST = Number.MAX_SAFE_INTEGER;
const rules: Readonly<Record<string, string>> = {
	'lending/in-person': `// Nobody decides for another.\nforbid ${on('decide')} when { context has giver };\n`,
	'customers/overflow': `// Cannot be evaluated.\nforbid ${on('decide')} when { context has giver && ${MOST} * ${MOST} == 0 };\n`,
	'payments/no-delegation': `// Nobody lets another decide.\nforbid ${on('delegate')};\n`,
};

beforeAll(async () => {
	cpSync(path.resolve('policies'), folder, { recursive: true });
	for (const [id, text] of Object.entries(rules)) {
		const file = path.join(folder, 'domains', `${id}.cedar`);
		mkdirSync(path.dirname(file), { recursive: true });
		writeFileSync(file, text);
	}
	test = await testBank({ settings: { FAIRLEAD_POLICIES: folder } });
});
afterEach(tidy);
afterAll(async () => {
	await test.close();
	rmSync(path.dirname(folder), { recursive: true, force: true });
});

/** Whether a request is among those that somebody is listed of its product's domain. */
async function isListed(who: Handle, domain: string, id: string): Promise<boolean> {
	const { status, body } = await test.world.call(get(who, `/requests?domain=${domain}`));
	expect(status).toBe(200);
	return (body as { requests: { id: string }[] }).requests.some((r) => r.id === id);
}

it('404: where nobody may decide for another, a delegation shows no request, no preview and no line', async () => {
	const asked = await ask('alice');
	const { id } = await give('olga', 'mia');
	for (const at of ['', '/preview'])
		await refused(test, get('mia', `/requests/${asked.view.id}${at}`), 404, 'not-found');
	await refused(test, deciding('mia', asked, id), 404, 'not-found');
	expect(await isListed('mia', 'lending', asked.view.id)).toBe(false);
	expect(await isListed('olga', 'lending', asked.view.id)).toBe(true);
	expect((await taken(decision('olga', asked))).request.state).toBe('approved');
});

it('404: where the rule cannot be evaluated, likewise; who sees the request anyhow still does', async () => {
	const asked = await askForNames();
	for (const to of ['ruth', 'paula'] as const) await give('peter', to, ofCustomers);
	await refused(test, get('ruth', `/requests/${asked.view.id}`), 404, 'not-found');
	expect(await isListed('ruth', 'customers', asked.view.id)).toBe(false);
	for (const at of ['', '/preview'])
		expect((await test.world.call(get('paula', `/requests/${asked.view.id}${at}`))).status).toBe(200);
});

it('403: nothing is given where a domain’s rule forbids that; elsewhere it is', async () => {
	const { policies } = await refused(test, giving('peter', 'ruth', { domain: 'payments' }), 403, 'not-permitted');
	expect(policies).toEqual(['payments/no-delegation']);
	await give('peter', 'ruth', ofCustomers);
});
