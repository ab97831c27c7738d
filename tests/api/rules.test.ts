/**
 * The rules of requests as callers meet them: what is refused names each rule, the place in the request and what to do;
 * what is taken has the route that the rules give it, of what is asked for and not of the whole product. And rules that
 * change while the bank runs.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestView } from '#core/access.ts';
import type { Code } from '#core/error.ts';
import type { Handle } from '#local/people.ts';
import { principalOf } from '#local/story/world.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { decision, file, get, type Problem, post, refused, requestBody, send } from './harness.ts';

const home = mkdtempSync(path.join(tmpdir(), 'fairlead-rules-'));
const folder = path.join(home, 'policies');
const told: (string | null)[] = [];
let test: TestBank;

beforeAll(async () => {
	cpSync(fileURLToPath(new URL('../../policies', import.meta.url)), folder, { recursive: true });
	// No legal basis any more for what marketing calls improvement.
	const list = path.join(folder, 'purposes.yaml');
	const known = readFileSync(list, 'utf8');
	writeFileSync(list, known.replace(/(id: service-improvement\n.*\n {2}legalBasis:).*/, '$1'));
	test = await testBank({ settings: { FAIRLEAD_POLICIES: folder }, onPolicies: (fault) => void told.push(fault) });
});

afterAll(async () => {
	await test.close();
	rmSync(home, { recursive: true, force: true });
});

const mias = (purpose: string, columns: string[], more: Record<string, unknown> = {}) => {
	const { rowFilter, ...rest } = more;
	return requestBody(test.world, {
		product: 'customers.clients',
		tables: [{ table: 'clients', columns, ...(rowFilter === undefined ? {} : { rowFilter }) }],
		purpose,
		principal: principalOf(test.world, 'marketing', purpose),
		...rest,
	});
};
const alices = (columns: string[], duration: string) =>
	requestBody(test.world, { tables: [{ table: 'loans', columns }], duration });

/** The rules that refuse, each with its place. */
async function rulesOf(who: Handle, body: Record<string, unknown>, code: Code = 'request-refused') {
	const problem: Problem = await refused(test, post(who, '/requests', body), 422, code);
	const errors = (problem.errors ?? []) as readonly { pointer: string; detail: string; rule?: string }[];
	expect(errors.every((e) => e.detail.length > 20)).toBe(true);
	expect(new Set(problem['policies'] as string[])).toEqual(new Set(errors.map((e) => e.rule)));
	return errors.map(({ rule, pointer }) => `${rule} ${pointer}`);
}

const routeOf = async (who: Handle, body: Record<string, unknown>) => (await file(test.world, who, body)).view.route;

describe('422 for what no approver could grant, with each rule that says so', () => {
	it('a raw column for another domain, whether it is read or only filtered by', async () => {
		const rule = 'raw-column-stays-home /tables/0/columns';
		expect(await rulesOf('mia', mias('campaign-planning', ['birth_number', 'district_id']))).toEqual([rule]);
		const filtered = mias('campaign-planning', ['district_id'], { rowFilter: "birth_number LIKE '7%'" });
		expect(await rulesOf('mia', filtered)).toEqual([rule]);
		const { errors } = await refused(test, post('mia', '/requests', filtered), 422, 'request-refused');
		expect(errors?.[0]?.detail).toMatch(/^clients\.birth_number: /);
	});

	it('personal data for a purpose that names no legal basis; what is not personal may be asked for', async () => {
		const rules = ['personal-data-needs-legal-basis /purpose'];
		expect(await rulesOf('mia', mias('service-improvement', ['client_id']))).toEqual(rules);
		const filtered = mias('service-improvement', ['district_id'], { rowFilter: 'client_id = 1' });
		expect(await rulesOf('mia', filtered)).toEqual(rules);
		expect(await routeOf('mia', mias('service-improvement', ['district_id']))).toEqual(['owner']);
	});

	it.each([
		['confidential', ['amount'], 'P180D', 'P181D', ['confidential-data-for-half-a-year /duration']],
		// Of six months that begin in March or July, 184 days are the most.
		['confidential, in months', ['amount'], 'P5M', 'P6M', ['confidential-data-for-half-a-year /duration']],
	] as const)('%s data for longer than is granted at a time', async (_, columns, most, over, rules) => {
		expect(await rulesOf('alice', alices([...columns], over))).toEqual(rules);
		expect(await routeOf('alice', alices([...columns], most))).toEqual(['owner']);
	});

	it('internal columns of the same product for a year', async () => {
		expect(await routeOf('alice', alices(['loan_id', 'duration'], 'P1Y'))).toEqual(['owner']);
	});

	it('restricted data for more than a quarter, even where it is filtered by alone', async () => {
		const rules = ['restricted-data-for-a-quarter /duration'];
		expect(await rulesOf('mia', mias('campaign-planning', ['full_name'], { duration: 'P91D' }))).toEqual(rules);
		const filtered = { duration: 'P91D', rowFilter: "full_name LIKE 'A%'" };
		expect(await rulesOf('mia', mias('campaign-planning', ['district_id'], filtered))).toEqual(rules);
	});

	it('a purpose that neither the contract allows nor the principal serves: both are told', async () => {
		const body = requestBody(test.world, { purpose: 'fraud-detection' });
		expect(await rulesOf('alice', body, 'validation')).toEqual([
			'principal-serves-purpose /purpose',
			'purpose-allowed-by-contract /purpose',
		]);
	});

	it('several at once, each in its place', async () => {
		const body = mias('service-improvement', ['client_id', 'birth_number'], { duration: 'P100D' });
		expect(await rulesOf('mia', body)).toEqual([
			'personal-data-needs-legal-basis /purpose',
			'raw-column-stays-home /tables/0/columns',
			'restricted-data-for-a-quarter /duration',
		]);
	});

	it('data that its contract keeps in other jurisdictions', async () => {
		const found = test.world.contracts.find((c) => c.contract.product === 'lending.accounts');
		const publish = async (version: string, jurisdictions: string) => {
			const residency = `  - property: residency\n    value: [${jurisdictions}]\n`;
			const body = found?.text
				.replace(/^version: .*$/m, `version: "${version}"`)
				.replace(/^customProperties:\n/m, `customProperties:\n${residency}`);
			const call = { who: 'olga', method: 'PUT', path: '/api/v1/dataproducts/lending.accounts', body } as const;
			expect((await test.world.call(call)).status).toBe(201);
		};
		const tables = [{ table: 'accounts', columns: ['account_id', 'district_id'] }];
		const body = requestBody(test.world, { product: 'lending.accounts', tables });
		await publish('2.0.0', 'CZ, SK');
		expect(await routeOf('alice', body)).toEqual(['owner']);
		await publish('3.0.0', 'SK');
		expect(await rulesOf('alice', body)).toEqual(['residency /principal']);
	});
});

describe('the route', () => {
	it('of restricted, personal data: two owners and the privacy officer', async () => {
		const route = await routeOf('mia', mias('campaign-planning', ['full_name'], { duration: 'P90D' }));
		expect(route).toEqual(['owner', 'owner', 'privacy-officer']);
	});

	it('of personal data that is not restricted: an owner and the privacy officer', async () => {
		const route = await routeOf('mia', mias('campaign-planning', ['client_id', 'birth_token']));
		expect(route).toEqual(['owner', 'privacy-officer']);
	});

	it('of public data: none; a rule approves it as soon as it is asked for, and the ledger names the rule', async () => {
		const tables = [{ table: 'districts', columns: ['district_id', 'region'] }];
		const body = requestBody(test.world, { product: 'customers.districts', tables });
		const { view } = await file(test.world, 'alice', body);
		expect(view).toMatchObject({ state: 'approved', route: ['owner'], awaiting: [] });
		const answer = await test.world.call(
			get('rita', `/ledger/entries?stream=${encodeURIComponent(`A#request#${view.id}`)}`),
		);
		const { entries } = answer.body as { entries: { bytes: string }[] };
		const decided = entries.map((e) => Buffer.from(e.bytes, 'base64').toString('utf8')).at(-1) ?? '{}';
		expect(JSON.parse(decided)).toMatchObject({
			type: 'AccessDecided',
			actor: 'system',
			as: 'policy',
			rules: { policies: ['public-data-approved-at-once'] },
		});
	});

	it('of public data where the rule of its domain wants more: people decide', async () => {
		const body = mias('campaign-planning', [], {
			product: 'customers.districts',
			tables: [{ table: 'districts', columns: ['district_id'] }],
		});
		const { view } = await file(test.world, 'mia', body);
		expect(view).toMatchObject({ state: 'pending', route: ['owner', 'privacy-officer'] });
	});
});

describe('rules that change while the bank runs', () => {
	const rule = path.join(folder, 'domains', 'lending', 'closed.cedar');
	const put = async (text: string) => {
		const count = told.length;
		mkdirSync(path.dirname(rule), { recursive: true });
		writeFileSync(rule, text);
		await expect.poll(() => told.slice(count).length, { timeout: 10_000 }).toBeGreaterThan(0);
		return told.at(-1);
	};
	const version = async () => (await send(test, '/version')).body as { policies: string };
	const readiness = async () => (await send(test, '/readyz')).body;
	const ask = () => test.world.call(post('alice', '/requests', alices(['loan_id'], 'P7D')));
	const advice = 'Lending takes requests of one day at most this week; ask for less.';
	const closed = `// Nothing for long.
@about("duration")
@advice("${advice}")
forbid (principal, action == Fairlead::Action::"requestAccess", resource)
when { context has asked && context.asked.days > 1 };
`;

	it('a new rule is in force; a broken one is not taken, the last good set goes on, and /readyz tells', async () => {
		const before = await version();
		expect((await ask()).status).toBe(201);
		expect(await put(closed)).toBeNull();
		const changed = await version();
		expect(changed.policies).not.toBe(before.policies);
		expect(await rulesOf('alice', alices(['loan_id'], 'P7D'))).toEqual(['lending/closed /duration']);
		expect(await put(closed.replace('forbid', 'forbit'))).toMatch(/^policies: lending\/closed: /);
		expect(await readiness()).toEqual({ status: 'ready', checks: { policies: 'stale', ledger: 'ok' } });
		expect(await version()).toEqual(changed);
		expect(await rulesOf('alice', alices(['loan_id'], 'P7D'))).toEqual(['lending/closed /duration']);
		expect(await put(closed.replace('> 1', '> 30'))).toBeNull();
		expect(await readiness()).toEqual({ status: 'ready', checks: { policies: 'ok', ledger: 'ok' } });
		const { status, body } = await ask();
		expect([status, (body as RequestView).route]).toEqual([201, ['owner']]);
	});

	it('binds what was asked for before: what is forbidden since is not approved, nor by fewer than it needs now', async () => {
		await put(closed.replace('> 1', '> 30'));
		const asked = await file(test.world, 'alice', alices(['loan_id'], 'P7D'));
		expect(await put(closed)).toBeNull();
		const refusal = await refused(test, decision('olga', asked), 422, 'request-refused');
		expect(refusal['policies']).toEqual(['lending/closed']);
		const officer = `// An officer looks at everything this week.
@requires("privacy-officer")
permit (principal, action == Fairlead::Action::"requestAccess", resource)
when { principal in context.consumer.consumers };
`;
		expect(await put(officer)).toBeNull();
		const { detail } = await refused(test, decision('olga', asked), 412, 'stale');
		expect(detail).toContain('privacy-officer');
		const left = await test.world.call(get('alice', `/requests/${asked.view.id}`));
		expect(left.body).toMatchObject({ state: 'pending', route: ['owner'], awaiting: ['owner'] });
		expect(await put(closed.replace('> 1', '> 30'))).toBeNull();
		expect((await test.world.call(decision('olga', asked))).status).toBe(201);
	});
});
