/**
 * From the last approval to the grant: what a rule approves by itself, roles lost on the way, cuts in between, and
 * processes that stall there while others go on.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RequestView } from '#core/access.ts';
import * as Grants from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import { sweep } from '#core/sweep.ts';
import { principalOf } from '#local/story/world.ts';
import { inLakeFormation, type TestBank, testBank } from '#tests/fixtures.ts';
import { decision, expectRefusal, file, get, post, requestBody } from './harness.ts';
import { enrol, identityOf, registered } from './registration.ts';
import { inserts, makeObstacles, type Obstacles } from './stall.ts';

let test: TestBank;
let obstacles: Obstacles;

beforeAll(async () => {
	test = await testBank();
	obstacles = makeObstacles(test);
});

afterAll(() => test.close());

const nothing = { filters: [], permissions: [] };

const ask = () => file(test.world, 'alice', requestBody(test.world));
const read = async (id: string) => (await test.world.call(get('alice', `/requests/${id}`))).body as RequestView;
const entriesOf = (id: string) => Ledger.read(test.bank.platform, Ledger.stream.request(id));
const revoke = (id: string | null, who: 'olga' | 'peter' | 'nick' = 'olga') =>
	test.world.call(post(who, `/grants/${id}/revoke`, { reason: 'over' }));

/** Olga decides, and dies after so many writes to the ledger. */
const decideAndDie = (asked: Awaited<ReturnType<typeof ask>>, writes: number) =>
	obstacles.cutAfter(writes, () => test.world.call(decision('olga', asked)));

/** Of an approved request: its grant is in force; returns its id. */
async function granted(id: string): Promise<string | null> {
	const { state, grant } = await read(id);
	expect(state).toBe('approved');
	expect((await test.world.call(get('alice', `/grants/${grant}`))).body).toMatchObject({ state: 'granted' });
	return grant;
}

/** Olga approves and stalls before she opens the grant; meanwhile the role goes to Nick, and the request waits for him. */
async function stalled() {
	const asked = await ask();
	const { there, release } = obstacles.stall(inserts('A#grant#'));
	const deciding = test.world.call(decision('olga', asked));
	await there;
	await enrol(test, 'lending', { nick: ['owner'] });
	await test.bank.sweep();
	expect((await read(asked.view.id)).state).toBe('pending');
	return { asked, deciding, release };
}

describe('an approver who loses his role before the grant is begun', () => {
	it('has approved nothing: the request waits again, for another person', async () => {
		await enrol(test, 'lending', { olga: ['owner'] });
		const asked = await ask();
		// The decision is stored, and nothing after it.
		const { status, body } = await decideAndDie(asked, 1);
		expect([status, (body as { grant: unknown }).grant]).toEqual([201, null]);
		const named = (await read(asked.view.id)).grant;
		expect(named).toMatch(/^grt_/);
		await enrol(test, 'lending', { nick: ['owner'] });
		await test.bank.sweep();
		expect(await read(asked.view.id)).toMatchObject({ state: 'pending', awaiting: ['owner'], grant: null });
		expect(inLakeFormation(test.bank)).toEqual(nothing);
		expect((await test.world.call(get('alice', `/grants/${named}`))).status).toBe(404);
		expectRefusal(await test.world.call(decision('olga', asked)), 404, 'not-found');
		await test.bank.sweep();
		const decided = (await test.world.call(decision('nick', asked))).body as { grant: { id: string; state: string } };
		// Whoever still opens the first grant opens another one than this.
		expect(decided.grant.state).toBe('granted');
		expect(decided.grant.id).not.toBe(named);
		expect(inLakeFormation(test.bank).filters).toHaveLength(1);
		await revoke(decided.grant.id, 'nick');
		await enrol(test, 'lending', { olga: ['owner'] });
	});

	it('and where its approver supervises the mesh by then: the grant is not opened', async () => {
		const asked = await ask();
		await decideAndDie(asked, 1);
		await registered(test, 'governance', (b) => b.members.push({ ...identityOf(test, 'olga'), roles: ['regulator'] }));
		await test.bank.sweep();
		expect(await read(asked.view.id)).toMatchObject({ state: 'pending', awaiting: ['owner'], grant: null });
		expect(inLakeFormation(test.bank)).toEqual(nothing);
		await registered(test, 'governance');
		await test.world.call(post('alice', `/requests/${asked.view.id}/cancel`));
	});

	it('who has it back by then has approved', async () => {
		const asked = await ask();
		await decideAndDie(asked, 1);
		await enrol(test, 'lending', { nick: ['owner'] });
		await enrol(test, 'lending', { olga: ['owner'] });
		await test.bank.sweep();
		await revoke(await granted(asked.view.id));
	});

	it('keeps what was begun: a role lost later ends no grant', async () => {
		const asked = await ask();
		// Decision and opening are stored, and nothing after them.
		await decideAndDie(asked, 2);
		await enrol(test, 'lending', { nick: ['owner'] });
		await test.bank.sweep();
		await revoke(await granted(asked.view.id), 'nick');
		await enrol(test, 'lending', { olga: ['owner'] });
	});
});

describe('what a rule approves by itself', () => {
	const body = () =>
		requestBody(test.world, {
			product: 'customers.districts',
			tables: [{ table: 'districts', columns: ['district_id', 'name'] }],
			principal: principalOf(test.world, 'risk', 'credit-risk'),
		});

	it('is granted as it is filed, recorded as the rule that did', async () => {
		const { view } = await file(test.world, 'alice', body());
		expect(view).toMatchObject({ state: 'approved', awaiting: [], lapsesAt: null });
		const [, decided] = await entriesOf(view.id);
		expect(decided?.entry.actor).toBe('system');
		expect(decided?.body).toMatchObject({
			type: 'AccessDecided',
			as: 'policy',
			verdict: 'approve',
			contentHash: view.contentHash,
			rules: { policies: ['public-data-approved-at-once'] },
		});
		expect((await test.world.call(get('alice', `/grants/${view.grant}`))).body).toMatchObject({ state: 'granted' });
		await revoke(view.grant, 'peter');
	});

	it('is said so by a dry run', async () => {
		const { body: tried } = await test.world.call(post('alice', '/requests?dryRun=true', body()));
		expect(tried).toMatchObject({ route: ['owner'], autoApproval: ['public-data-approved-at-once'] });
	});

	it.each([2, 3])('is granted by the sweep where whoever filed it was cut off after %i writes', async (writes) => {
		// The payload and the request; then the decision; then the grant.
		const { view } = await obstacles.cutAfter(writes, () => file(test.world, 'alice', body()));
		expect(view.state).toBe(writes === 2 ? 'pending' : 'approved');
		await test.bank.sweep();
		const grant = await granted(view.id);
		expect((await entriesOf(view.id)).map((e) => e.body.type)).toEqual(['AccessRequested', 'AccessDecided']);
		await revoke(grant, 'peter');
	});

	it('is left to people by the sweep where the rule no longer says so of whoever asked', async () => {
		const { view } = await obstacles.cutAfter(2, () => file(test.world, 'alice', body()));
		await enrol(test, 'risk', { carl: ['consumer'] });
		await test.bank.sweep();
		const ctx = { ...test.bank.platform, now: new Date() };
		expect((await Ledger.read(ctx, Ledger.stream.request(view.id))).map((e) => e.body.type)).toEqual([
			'AccessRequested',
		]);
		await enrol(test, 'risk', { alice: ['consumer'] });
		expect((await test.world.call(post('alice', `/requests/${view.id}/cancel`))).status).toBe(200);
	});
});

describe('whoever stalls before he opens the grant', () => {
	beforeEach(() => enrol(test, 'lending', { olga: ['owner'] }));
	afterEach(() => {
		obstacles.clear();
	});

	it('opens nothing where the request waits again by then, and was rejected', async () => {
		const { asked, deciding, release } = await stalled();
		expect((await test.world.call(decision('nick', asked, 'reject'))).status).toBe(201);
		release();
		expect((await deciding).body).toMatchObject({ grant: null, request: { state: 'rejected', grant: null } });
		expect(inLakeFormation(test.bank)).toEqual(nothing);
	});

	it('opens nothing beside the narrower grant that somebody else approved by then', async () => {
		const { asked, deciding, release } = await stalled();
		const narrow = { tables: [{ table: 'loans', columns: ['loan_id'] }] };
		const path = `/requests/${asked.view.id}/decisions`;
		const less = await test.world.call(post('nick', path, { verdict: 'approve', narrow }, { 'if-match': asked.etag }));
		const { grant } = less.body as { grant: Grants.GrantView };
		expect(grant).toMatchObject({ state: 'granted', tables: [{ columns: ['loan_id'] }] });
		release();
		expect((await deciding).body).toMatchObject({ grant: null });
		expect(inLakeFormation(test.bank).filters.map((f) => f.columns)).toEqual([['loan_id']]);
		expect((await test.world.call(get('alice', `/grants/${grant.id}`))).body).toMatchObject({ state: 'granted' });
		await revoke(grant.id, 'nick');
	});

	it('and dies as soon as he has opened it leaves nothing that the sweep would go on with', async () => {
		const { asked, deciding, release } = await stalled();
		await obstacles.cutAfter(1, async () => {
			release();
			await deciding;
		});
		const [decided] = (await entriesOf(asked.view.id)).flatMap((e) =>
			e.body.type === 'AccessDecided' ? [e.body.grant ?? ''] : [],
		);
		expect((await Grants.get(test.bank.platform, decided ?? ''))?.state).toBe('granting');
		await test.bank.sweep();
		expect((await Grants.get(test.bank.platform, decided ?? ''))?.state).toBe('revoked');
		expect(inLakeFormation(test.bank)).toEqual(nothing);
	});

	it('and who takes the approval back while it is being opened ends what was opened', async () => {
		const asked = await ask();
		// The sweep has found no grant and no approver; then the grant is opened, and only then the approval taken back.
		await decideAndDie(asked, 1);
		const { there, release } = obstacles.stall(inserts('A#request#'));
		await enrol(test, 'lending', { nick: ['owner'] });
		const sweeping = test.bank.sweep();
		await there;
		await enrol(test, 'lending', { olga: ['owner'] });
		const named = (await read(asked.view.id)).grant ?? '';
		await sweep(test.bank.platform, '0'.repeat(32));
		expect((await Grants.get(test.bank.platform, named))?.state).toBe('granted');
		release();
		await sweeping;
		expect(await read(asked.view.id)).toMatchObject({ state: 'pending', grant: null });
		expect((await Grants.get(test.bank.platform, named))?.state).toBe('revoked');
		expect(inLakeFormation(test.bank)).toEqual(nothing);
		expect((await test.world.call(decision('olga', asked, 'reject'))).status).toBe(201);
	});
});
