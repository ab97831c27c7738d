/**
 * Grants that are opened later than they were decided, and what a rule approves some time after it was filed: only what
 * could be decided so now, and only what the rule has judged.
 */
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import * as Access from '#core/access.ts';
import type { Context, PolicySet } from '#core/context.ts';
import * as Domains from '#core/domains.ts';
import * as Grants from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import { loadPolicies } from '#core/policy.ts';
import { sweep } from '#core/sweep.ts';
import { type Handle, people } from '#local/people.ts';
import { principalOf } from '#local/story/world.ts';
import { inLakeFormation, type TestBank, testBank } from '#tests/fixtures.ts';
import { decision, file, get, post, requestBody, seen } from './harness.ts';
import { enrol, registered } from './registration.ts';
import { makeObstacles, type Obstacles } from './stall.ts';

let test: TestBank;
let obstacles: Obstacles;

beforeAll(async () => {
	test = await testBank();
	obstacles = makeObstacles(test);
});

afterAll(() => test.close());

async function contextOf(who: Handle, policies: PolicySet): Promise<Context> {
	const identity = { issuer: test.bank.issuer.issuer, subject: people[who].subject };
	const base = { ...test.bank.platform, policies, now: new Date(), trace: '0'.repeat(32) };
	return { ...base, caller: await Domains.callerOf(base, identity) };
}

/** The rules in force and one more. */
function withRule(id: string, text: string): PolicySet {
	const { schema, texts } = test.bank.platform.policies;
	return loadPolicies(schema, { ...texts, [id]: text });
}

const sweepUnder = (policies: PolicySet) => sweep({ ...test.bank.platform, policies }, '0'.repeat(32));
const nothing = { filters: [], permissions: [] };

beforeEach(async () => {
	obstacles.clear();
	for (const id of ['customers', 'lending', 'marketing', 'risk']) await registered(test, id);
});

const ask = () => file(test.world, 'alice', requestBody(test.world));
const entriesOf = (id: string) => Ledger.read(test.bank.platform, Ledger.stream.request(id));
const revoke = (id: string) => test.world.call(post('olga', `/grants/${id}/revoke`, { reason: 'over' }));

describe('a grant that is opened late', () => {
	const clients = () =>
		requestBody(test.world, {
			product: 'customers.clients',
			tables: [{ table: 'clients', columns: ['client_id', 'district_id'], rowFilter: "birth_token LIKE '7_%'" }],
			purpose: 'service-improvement',
			principal: principalOf(test.world, 'marketing', 'service-improvement'),
		});

	it('does not open all rows where the filter was erased since: it waits again, for nobody', async () => {
		await enrol(test, 'customers', { peter: ['owner'], paula: ['privacy-officer'] });
		const asked = await file(test.world, 'mia', clients());
		await test.world.call(decision('peter', asked));
		await obstacles.cutAfter(1, () => test.world.call(decision('paula', asked)));
		const [filed] = await entriesOf(asked.view.id);
		const Key = { pk: { S: `P#${filed?.entry.id}` }, sk: { S: '-' } };
		const { platform } = test.bank;
		await platform.aws.dynamodb.send(new DeleteItemCommand({ TableName: platform.config.tables.payloads, Key }));
		await test.bank.sweep();
		expect((await test.world.call(get('mia', `/requests/${asked.view.id}`))).body).toMatchObject({
			state: 'pending',
			grant: null,
			tables: [{ rowFilter: '(erased)' }],
		});
		expect(inLakeFormation(test.bank)).toEqual(nothing);
	});

	it('is not begun of a filter that cannot be read, whoever asks for that', async () => {
		const asked = await ask();
		const { body } = await test.world.call(decision('olga', asked));
		const { id } = (body as { grant: Grants.GrantView }).grant;
		const like = await Grants.get(test.bank.platform, id);
		if (like === null) throw new Error('no grant');
		const ctx = await contextOf('olga', test.bank.platform.policies);
		const { type: _, ...said } = like.opened.body;
		const grant = `grt_${'0'.repeat(26)}`;
		const tables = like.scopes.map((s) => ({ ...s, rowFilter: null, readable: false }));
		await expect(Grants.open(ctx, { ...said, grant, tables })).rejects.toMatchObject({ code: 'record-corrupt' });
		expect(await Grants.get(ctx, grant)).toBeNull();
		await revoke(id);
	});

	const rules: [string, () => PolicySet][] = [
		[
			'a rule forbids it now',
			() =>
				withRule(
					'lending/not-now',
					'forbid (principal, action == Fairlead::Action::"requestAccess", resource) when { context has asked };',
				),
		],
	];
	const changes: [string, () => Promise<unknown>][] = [
		['who asked may not ask any more', () => enrol(test, 'risk', { carl: ['consumer'] })],
		[
			'the principal serves another purpose now',
			() =>
				registered(test, 'risk', (body) => {
					const [first, second, ...more] = body.principals;
					if (first === undefined || second === undefined) throw new Error('no principals');
					body.principals = [{ ...first, purpose: second.purpose }, { ...second, purpose: first.purpose }, ...more];
				}),
		],
		['the contract was replaced', () => republish('1.1.0')],
	];

	async function republish(version: string): Promise<void> {
		const text = test.world.contracts.find((c) => c.contract.product === 'lending.loans')?.text ?? '';
		const document = { ...(parse(text) as Record<string, unknown>), version };
		const path = '/api/v1/dataproducts/lending.loans';
		const headers = await seen(test, path);
		const { status } = await test.world.call({ who: 'olga', method: 'PUT', path, body: stringify(document), headers });
		expect([200, 201]).toContain(status);
	}

	/** The decision is stored, and nothing after it; then the sweep comes. */
	async function expectReopened(change: () => Promise<unknown>, sweeps: () => Promise<unknown>): Promise<void> {
		const asked = await ask();
		await obstacles.cutAfter(1, () => test.world.call(decision('olga', asked)));
		expect((await Access.get({ ...test.bank.platform, now: new Date() }, asked.view.id))?.state).toBe('approved');
		await change();
		await sweeps();
		const ctx = { ...test.bank.platform, now: new Date() };
		expect(await Access.get(ctx, asked.view.id)).toMatchObject({ state: 'pending', granting: null });
		expect(inLakeFormation(test.bank)).toEqual(nothing);
		expect((await test.world.call(decision('olga', asked, 'reject'))).status).toBe(201);
	}

	it.each(rules)('is not where %s: the request waits again', async (_, policies) => {
		const set = policies();
		await expectReopened(
			async () => {},
			() => sweepUnder(set),
		);
	});

	it.each(changes)('is not where %s: the request waits again', async (_, change) => {
		await expectReopened(change, () => test.bank.sweep());
	});
});

describe('what a rule approves is what it judged', () => {
	const wide = () =>
		withRule(
			'customers/internal-at-once',
			'permit (principal, action == Fairlead::Action::"autoApprove", resource) when { context has asked && context.asked.rank <= 1 };',
		);

	it('and not what an edit put in its place before the rule had spoken', async () => {
		const set = wide();
		const body = {
			...requestBody(test.world, {
				product: 'customers.clients',
				tables: [{ table: 'clients', columns: ['district_id'] }],
				purpose: 'service-improvement',
				principal: principalOf(test.world, 'marketing', 'service-improvement'),
			}),
		} as Access.AccessRequest;
		const mia = await contextOf('mia', set);
		const { there, release } = obstacles.stall((c, input) => c === 'PutItemCommand' && input.includes('pending#'));
		const submitting = Access.submit(mia, body);
		await there;
		const listed = await Ledger.Listing.all(mia, Ledger.Listing.key.requestsOfPerson(mia.caller.person ?? ''));
		const id = listed.toSorted().at(-1) ?? '';
		const before = await Access.find(mia, id);
		expect(before.content.route).toEqual(['owner']);
		const tables = [{ table: 'clients', columns: ['client_id', 'full_name', 'district_id'] }];
		const edited = await Access.edit(mia, id, { tables }, `"${before.content.contentHash}"`);
		expect(edited.content.route.length).toBeGreaterThan(1);
		release();
		expect(await submitting).toMatchObject({ state: 'pending', approvals: [] });
		expect(inLakeFormation(test.bank)).toEqual(nothing);
	});

	const orders = () =>
		requestBody(test.world, {
			product: 'payments.orders',
			tables: [{ table: 'orders', columns: ['order_id', 'amount'] }],
			purpose: 'fraud-detection',
			principal: principalOf(test.world, 'risk', 'fraud-detection'),
		}) as Access.AccessRequest;
	const ordersAtOnce = () =>
		withRule(
			'payments/at-once',
			'permit (principal, action == Fairlead::Action::"autoApprove", resource) when { context has asked };',
		);

	it.each([2, 3])(
		'by the sweep, too: not rows that the domain may not see any more (cut off after %i writes)',
		async (writes) => {
			const set = ordersAtOnce();
			const alice = await contextOf('alice', set);
			const { id } = await obstacles.cutAfter(writes, () => Access.submit(alice, orders()));
			expect((await Access.get(alice, id))?.state).toBe(writes === 2 ? 'pending' : 'approved');
			await registered(test, 'risk', (body) => {
				body.attributes = { ...body.attributes, 'line-of-business': 'LEASING' };
			});
			await sweepUnder(set);
			expect(await Access.get(alice, id)).toMatchObject({ state: 'pending', granting: null });
			expect(inLakeFormation(test.bank)).toEqual(nothing);
			expect((await test.world.call(post('alice', `/requests/${id}/cancel`))).status).toBe(200);
		},
	);

	it('by the sweep, too: not for another domain than the one that asked', async () => {
		const set = ordersAtOnce();
		const alice = await contextOf('alice', set);
		const { id } = await obstacles.cutAfter(2, () => Access.submit(alice, orders()));
		const principal = principalOf(test.world, 'risk', 'fraud-detection');
		await registered(test, 'risk', (body) => {
			body.account = '210000000099';
			body.principals = [];
		});
		await registered(test, 'marketing', (body) => {
			body.account = principal.split(':')[4] ?? '';
			body.principals = [{ arn: principal, purpose: 'fraud-detection' }];
			body.members = [{ issuer: test.bank.issuer.issuer, subject: people.alice.subject, roles: ['consumer'] }];
			body.attributes = { ...body.attributes, 'line-of-business': 'UVER' };
		});
		await sweepUnder(set);
		expect(await Access.get(alice, id)).toMatchObject({ state: 'pending', approvals: [] });
		expect(inLakeFormation(test.bank)).toEqual(nothing);
		expect((await test.world.call(post('alice', `/requests/${id}/cancel`))).status).toBe(200);
	});

	it('and late, only where a rule still says so: otherwise it waits for people', async () => {
		const set = ordersAtOnce();
		const alice = await contextOf('alice', set);
		const { id } = await obstacles.cutAfter(3, () => Access.submit(alice, orders()));
		expect((await Access.get(alice, id))?.state).toBe('approved');
		await test.bank.sweep();
		expect(await Access.get(alice, id)).toMatchObject({ state: 'pending', granting: null });
		await sweepUnder(set);
		expect((await Access.get(alice, id))?.state).toBe('pending');
		expect(inLakeFormation(test.bank)).toEqual(nothing);
		expect((await test.world.call(post('alice', `/requests/${id}/cancel`))).status).toBe(200);
	});
});
