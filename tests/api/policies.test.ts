/** The rules in plain words, what they would say, and why; refusals first. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_BYTES, MAX_DEPTH, MAX_RULES, type RuleView, type WhyView } from '#core/why.ts';
import type { Handle } from '#local/people.ts';
import { contractOf } from '#local/story/world.ts';
import { ledgerSize, type TestBank, testBank } from '#tests/fixtures.ts';
import { file, get, grantTo, post, refused, requestBody } from './harness.ts';

let test: TestBank;

beforeAll(async () => {
	test = await testBank();
}, 60_000);
afterAll(() => test.close());

/** A question about loans, as their requests ask for them. */
function asking(more: Record<string, unknown> = {}, ask: Record<string, unknown> = {}) {
	const { product, tables, purpose, principal, duration } = requestBody(test.world);
	return { action: 'requestAccess', product, ask: { tables, purpose, principal, duration, ...ask }, ...more };
}

async function why(who: Handle, body: unknown, search = ''): Promise<WhyView> {
	const before = await ledgerSize(test.world);
	const answer = await test.world.call(post(who, `/policies/why${search}`, body));
	expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 200 });
	expect(await ledgerSize(test.world)).toBe(before);
	return answer.body as WhyView;
}

const ids = (answer: Pick<WhyView, 'rules'>) => answer.rules.map((r) => r.id);
const forbidding = (action: string, condition = 'true == true') =>
	`// Tried.\nforbid (principal, action == Fairlead::Action::"${action}", resource) when { ${condition} };`;

async function pseudonym(who: Handle): Promise<string> {
	return ((await test.world.call(get(who, '/me'))).body as { person: string }).person;
}

describe('the rules', () => {
	it('are refused to whom no domain registered', async () => {
		await refused(test, get('nick', '/policies'), 403, 'not-permitted');
	});

	it('are told to every member, each of them in words, as its file has it', async () => {
		const { rules, setHash } = (await test.world.call(get('carl', '/policies'))).body as {
			rules: RuleView[];
			setHash: string;
		};
		const folder = fileURLToPath(new URL('../../policies/', import.meta.url));
		const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.cedar'));
		const named = files.map((f) => f.replace(/^(global|domains)\//, '').replace(/\.cedar$/, ''));
		expect(rules.map((r) => r.id)).toEqual(named.toSorted());
		expect(rules.map((r) => r.text)).toEqual(
			rules.map((r) => readFileSync(`${folder}/${r.domain === null ? 'global' : 'domains'}/${r.id}.cedar`, 'utf8')),
		);
		expect(rules.filter((r) => !/^[A-Z].{15,}\.$/.test(r.title) || r.title.includes('//'))).toEqual([]);
		expect(rules.filter((r) => r.actions.length === 0)).toEqual([]);
		expect(rules.filter((r) => r.id.includes('/') !== (r.domain !== null))).toEqual([]);
		expect(rules.find((r) => r.id === 'no-self-approval')).toMatchObject({
			effect: 'forbid',
			actions: ['decide'],
			annotations: { problem: 'self-approval' },
		});
		expect(setHash).toMatch(/^[0-9a-f]{64}$/);
	});
});

describe('a question is refused', () => {
	it('to whom no domain registered', async () => {
		await refused(test, post('nick', '/policies/why', asking()), 403, 'not-permitted');
	});

	it.each<Handle>(['alice', 'rita', 'oscar', 'ruth'])('in the place of somebody else, to %s', async (who) => {
		await refused(test, post(who, '/policies/why', asking({ as: { roles: [] } })), 403, 'not-permitted');
	});

	it.each<Handle>(['alice', 'olga', 'paula', 'rita', 'oscar'])('under a change of the rules, to %s', async (who) => {
		const policies = { 'owner-approves': null };
		await refused(test, post(who, '/policies/why', asking({ policies })), 403, 'not-permitted');
	});

	it('about what the caller may not see, word for word as about what is not there', async () => {
		const asked = await file(test.world, 'alice', requestBody(test.world));
		const zeros = '0'.repeat(26);
		const hidden = { action: 'decide', request: asked.view.id };
		for (const who of ['mia', 'stella', 'peter'] as const) {
			const one = await refused(test, post(who, '/policies/why', hidden), 404, 'not-found');
			const none = { ...hidden, request: `req_${zeros}` };
			const other = await refused(test, post(who, '/policies/why', none), 404, 'not-found');
			const plain = (p: typeof one) => ({ ...p, instance: '', traceId: '' });
			expect(plain(one)).toEqual(plain(other));
		}
		const missing = [
			{ action: 'viewProduct', product: 'lending.nosuch' },
			{ action: 'revokeGrant', grant: `grt_${zeros}` },
			{ action: 'runQuery', domain: 'nosuch' },
			{ action: 'viewCompleteness', domain: 'nosuch' },
			asking({ product: 'lending.nosuch' }),
		];
		for (const body of missing) await refused(test, post('alice', '/policies/why', body), 404, 'not-found');
		await test.world.call(post('alice', `/requests/${asked.view.id}/cancel`));
	});

	it.each<[string, () => unknown]>([
		['no action', () => ({ product: 'lending.loans' })],
		['an action that there is not', () => ({ action: 'nosuch' })],
		['an action on what it is not about', () => ({ action: 'decide', product: 'lending.loans' })],
		['a thing too many', () => ({ action: 'viewProduct', product: 'lending.loans', request: 'x' })],
		['an unknown member', () => asking({ status: 'approved' })],
		['an unknown member of what is asked for', () => asking({}, { justification: 'x' })],
		['a duration that is none', () => asking({}, { duration: 'P1' })],
		['nobody in whose place', () => asking({ as: {} })],
	])('with %s', async (_, body) => {
		const problem = await refused(test, post('olga', '/policies/why', body()), 422, 'validation');
		expect(problem.errors?.length).toBeGreaterThan(0);
	});

	it('where a request could not be read: as it would be, below what was asked', async () => {
		const column = asking({}, { tables: [{ table: 'loans', columns: ['nosuch'] }] });
		const first = await refused(test, post('alice', '/policies/why', column), 422, 'column-not-found');
		expect(first.errors).toMatchObject([{ pointer: '/ask/tables/0/columns' }]);
		const principal = asking({}, { principal: 'arn:aws:iam::210000000004:role/nosuch' });
		const second = await refused(test, post('alice', '/policies/why', principal), 422, 'validation');
		expect(second.errors).toMatchObject([{ pointer: '/ask/principal' }]);
	});
});

describe('an answer', () => {
	it('on a request that could be filed names the rules and the route, as filing it does', async () => {
		const { changed, nextPageToken, ...answer } = await why('alice', asking());
		expect(answer).toMatchObject({ allowed: true, code: null, route: ['owner'], auto: null, advice: [], could: [] });
		expect(ids(answer)).toContain('owner-approves');
		expect(answer.rules.map((r) => r.title)).toContain(
			"A consumer may ask for any product he can see; the product's owner decides.",
		);
		expect([changed, nextPageToken]).toEqual([null, null]);
		const asked = await file(test.world, 'alice', requestBody(test.world));
		expect(asked.view.route).toEqual(answer.route);
		await test.world.call(post('alice', `/requests/${asked.view.id}/cancel`));
	});

	it('on a request that a rule approves at once names that rule', async () => {
		const { world } = test;
		const contract = contractOf(world, 'customers.districts');
		const [table] = contract.tables;
		const registered = world.domains.flatMap(({ id, principals }) => principals.map((p) => ({ ...p, domain: id })));
		const serving = registered.find((p) => contract.purposes.includes(p.purpose) && p.domain === 'risk');
		const tables = [{ table: table?.name, columns: table?.columns.map((c) => c.name) }];
		const ask = { tables, purpose: serving?.purpose, principal: serving?.arn };
		const answer = await why('alice', asking({ product: contract.product }, ask));
		expect(answer).toMatchObject({ allowed: true, route: ['owner'], auto: ['public-data-approved-at-once'] });
	});

	it('on a request that the rules refuse says what to change, and where', async () => {
		const answer = await why('alice', asking({}, { purpose: 'model-validation' }));
		expect(answer).toMatchObject({ allowed: false, route: [], could: [] });
		expect(answer.code).not.toBeNull();
		expect(answer.advice).toContainEqual({
			rule: 'principal-serves-purpose',
			pointer: expect.stringMatching(/^\/ask\/(purpose|principal)$/),
			detail: expect.stringMatching(/^[A-Z].*\.$/),
		});
		expect(ids(answer)).toEqual(answer.advice.map((a) => a.rule).toSorted());
		expect((await filing({ purpose: 'model-validation' })).code).toBe(answer.code);
	});

	it('to who may not ask says which role may, and who holds it', async () => {
		const answer = await why('olga', asking());
		expect(answer).toMatchObject({ allowed: false, code: 'not-permitted', rules: [] });
		const holders = await Promise.all((['alice', 'carl'] as const).map(pseudonym));
		expect(answer.could).toMatchObject([{ domain: 'risk', role: 'consumer' }]);
		expect(answer.could[0]?.holders).toEqual(expect.arrayContaining(holders));
	});

	it('on a decision bars whoever gains from it, and names those who could decide', async () => {
		const asked = await file(test.world, 'alice', requestBody(test.world));
		const question = { action: 'decide', request: asked.view.id };
		const own = await why('alice', question);
		expect(own).toMatchObject({ allowed: false, code: 'self-approval', rules: [{ id: 'no-self-approval' }] });
		expect(own.advice).toEqual([{ rule: 'no-self-approval', pointer: null, detail: expect.stringMatching(/.{10}/) }]);
		const olga = await pseudonym('olga');
		expect(own.could.filter((c) => c.role === 'owner')).toEqual([
			{ domain: 'lending', role: 'owner', holders: [olga] },
		]);
		expect(await why('olga', question)).toMatchObject({ allowed: true, could: [] });
		const alice = await pseudonym('alice');
		const promoted = { person: alice, roles: [{ domain: 'lending', role: 'owner' }] };
		expect(await why('olga', { ...question, as: promoted })).toMatchObject({ allowed: false, code: 'self-approval' });
		const stranger = { roles: [{ domain: 'lending', role: 'owner' }] };
		expect(await why('olga', { ...question, as: stranger })).toMatchObject({ allowed: true });
		await test.world.call(post('alice', `/requests/${asked.view.id}/cancel`));
	});

	it('in the place of somebody else is what he would get', async () => {
		const mia = await pseudonym('mia');
		const alice = await pseudonym('alice');
		for (const [person, allowed] of [
			[mia, false],
			[alice, true],
			[`per_${'0'.repeat(26)}`, false],
		] as const) {
			expect(await why('stella', asking({ as: { person } }))).toMatchObject({ allowed });
		}
	});

	it.each([
		['viewMe', {}, 'carl', true],
		['registerDomain', {}, 'carl', false],
		['registerDomain', {}, 'stella', true],
		['runQuery', { domain: 'risk' }, 'carl', true],
		['runQuery', { domain: 'marketing' }, 'carl', false],
		['publishContract', { product: 'lending.loans' }, 'olga', true],
		['publishContract', { product: 'lending.loans' }, 'peter', false],
		['checkCompleteness', {}, 'olga', false],
		['viewCompleteness', {}, 'olga', false],
		['viewCompleteness', { domain: 'lending' }, 'olga', true],
		['viewCompleteness', { domain: 'payments' }, 'olga', false],
	] as const)('%s %o by %s: %s', async (action, thing, who, allowed) => {
		expect(await why(who, { action, ...thing })).toMatchObject({ allowed, code: allowed ? null : 'not-permitted' });
	});
});

/** Files a request that must be refused, and gives back the problem. */
async function filing(more: Record<string, unknown>): Promise<{ code: string }> {
	const answer = await test.world.call(post('alice', '/requests', requestBody(test.world, more)));
	expect(answer.status).toBeGreaterThanOrEqual(400);
	return answer.body as { code: string };
}

describe('a change of the rules is refused', () => {
	const deep = (levels: number) => forbidding('viewMe', `${'('.repeat(levels)}true${')'.repeat(levels)}`);
	const clauses = (count: number) => forbidding('viewMe', Array(count).fill('true').join('||'));
	const tooLarge: [string, Record<string, string>][] = [
		[
			'longer than is read',
			{ a: forbidding('viewMe', `"${'x'.repeat(40_000)}" == "x"`), b: `// ${'x'.repeat(40_000)}` },
		],
		['longer than is read, in bytes', { a: `// ${'\u{10000}'.repeat(MAX_BYTES / 3)}` }],
		['too deep', { a: deep(MAX_DEPTH) }],
		['far too deep', { a: deep(20_000) }],
		['too deep in sets', { a: forbidding('viewMe', `${'['.repeat(9000)}${']'.repeat(9000)} == []`) }],
		['too deep in conditions', { a: forbidding('viewMe', 'if true then '.repeat(3000)) }],
		['of ten thousand clauses', { a: clauses(10_000) }],
		['of many conditions', { a: `permit (principal, action, resource) ${'when { true } '.repeat(4000)};` }],
		['of a long chain of members', { a: forbidding('viewMe', `principal${'.self'.repeat(10_000)} == principal`) }],
		['of a long chain of names', { a: forbidding('viewMe', `principal${'["self"]'.repeat(110)} == principal`) }],
		['of a quote that nothing ends', { a: `"${'\\"'.repeat(32_000)}` }],
		['of many signs', { a: forbidding('viewMe', `${'!'.repeat(60_000)}true`) }],
		['of many annotations', { a: `${'@a("") '.repeat(9000)}${forbidding('viewMe')}` }],
		['of many brackets that are closed', { a: ')'.repeat(60_000) }],
		[
			'of many rules',
			Object.fromEntries(Array.from({ length: MAX_RULES + 1 }, (_, i) => [`r${i}`, forbidding('viewMe')])),
		],
	];

	it.each(tooLarge)('that is %s', async (_, policies) => {
		await refused(test, post('stella', '/policies/why', asking({ policies })), 413, 'too-large');
	});

	it.each<[string, string, RegExp]>([
		['no policy', 'permit (principal, action, resource', /unexpected end/],
		['two policies', 'permit (principal, action, resource);'.repeat(2), /./],
		['a template', 'permit (principal == ?principal, action, resource);', /./],
		['an open quote', 'permit (principal, action, resource) when { "', /./],
		['an unknown attribute', 'permit (principal, action, resource) when { resource.nosuch };', /nosuch/],
		['an unknown action', forbidding('nosuch'), /nosuch/],
		['what can never hold', 'permit (principal, action, resource) when { false };', /./],
		['no bytes at all', '\u0000', /./],
	])('with %s, which is told at its rule', async (_, text, words) => {
		const policies = { 'a-rule': text, 'owner-approves': null };
		const problem = await refused(test, post('stella', '/policies/why', asking({ policies })), 422, 'validation');
		expect(problem.errors?.map((e) => e.pointer)).toContain('/policies/a-rule');
		expect(problem.errors?.some((e) => words.test(e.detail))).toBe(true);
	});

	it.each<[string, Record<string, unknown>]>([
		['of nothing', {}],
		['that takes away what is not there', { nosuch: null }],
		['with an id that is none', { '../owner': null }],
		['with a text that is none', { 'owner-approves': 1 }],
		['by a domain, of what domains have no say in', { 'risk/more': forbidding('viewMe') }],
		['with a blank in an id', { 'A B': forbidding('viewMe') }],
	])('%s', async (_, policies) => {
		await refused(test, post('stella', '/policies/why', asking({ policies })), 422, 'validation');
	});

	it('and the rules in force go on as they were', async () => {
		for (const [, policies] of tooLarge) {
			await test.world.call(post('stella', '/policies/why', asking({ policies })));
		}
		expect(await why('alice', asking())).toMatchObject({ allowed: true, route: ['owner'] });
	});

	it('that cannot be evaluated is no refusal of the question: the rule is named, and breaks what it is asked about', async () => {
		const grant = await grantTo(test.world, 'alice', requestBody(test.world));
		const overflows = 'forbid (principal, action, resource) when { 9223372036854775807 + 1 > 0 };';
		const answer = await why('stella', asking({ policies: { overflows } }));
		expect(answer.changed).toMatchObject({ allowed: false, code: 'internal', rules: [{ id: 'overflows' }], could: [] });
		expect(answer.changed?.advice).toEqual([
			{ rule: 'overflows', pointer: null, detail: expect.stringContaining('could not be evaluated') },
		]);
		expect(answer.changed?.unreadable).toEqual([]);
		expect(answer.changed?.examined).toBe(1);
		expect(answer.changed?.broken).toMatchObject([{ grant: grant.id, allowed: false, refusedBy: ['overflows'] }]);
	});

	it('takes whatever is within the bounds', async () => {
		const most = { a: deep(MAX_DEPTH / 2 - 2), b: clauses(MAX_DEPTH - 4) };
		const body = { action: 'viewMe', policies: most };
		expect(await why('stella', body)).toMatchObject({ allowed: true, changed: { allowed: false } });
	});
});

describe('access in an emergency', () => {
	const taking = (ask: Record<string, unknown> = {}) => asking({ action: 'breakGlass' }, { duration: 'PT4H', ...ask });

	it('is for risk officers, without a route', async () => {
		expect(await why('ruth', taking())).toMatchObject({ allowed: true, code: null, route: [], auto: null });
		expect(await why('alice', taking())).toMatchObject({ allowed: false, code: 'not-permitted' });
	});

	it('is refused by whatever refuses a request, and for more than some hours', async () => {
		const long = await why('ruth', taking({ duration: 'P1D' }));
		expect(long).toMatchObject({ allowed: false, code: 'request-refused' });
		expect(long.advice).toMatchObject([{ rule: 'break-glass-for-hours', pointer: '/ask/duration' }]);
		const purpose = 'campaign-planning';
		const refusal = await why('ruth', asking({}, { purpose }));
		expect(refusal.allowed).toBe(false);
		const { code, rules } = refusal;
		expect(await why('ruth', taking({ purpose }))).toMatchObject({ code, rules });
	});
});
