/**
 * Giving up one's part of a shared grant: whoever left is refused at once and for good, in every guise; the others and
 * Lake Formation notice nothing; of the last one it is the end.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RequestView } from '#core/access.ts';
import type { GrantLeave, GrantView } from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import { type Handle, people } from '#local/people.ts';
import { principalOf } from '#local/story/world.ts';
import { inLakeFormation, type TestBank, testBank } from '#tests/fixtures.ts';
import { decision, finished, get, grantTo, patch, post, refused, requestBody, rowsOf, send } from './harness.ts';
import { enrol, registered } from './registration.ts';
import { inserts, makeObstacles, type Obstacles } from './stall.ts';

let test: TestBank;
let obstacles: Obstacles;

beforeAll(async () => {
	test = await testBank();
	obstacles = makeObstacles(test);
});
afterAll(() => test.close());

const made: string[] = [];
afterEach(async () => {
	obstacles.clear();
	for (const id of made.splice(0)) await test.world.call(post('olga', `/grants/${id}/revoke`, { reason: 'over' }));
	expect(inLakeFormation(test.bank)).toEqual({ filters: [], permissions: [] });
});

const SQL = 'SELECT loan_id, status FROM lending.loans';
const nobody = `grt_${'0'.repeat(26)}`;
const identity = (who: Handle) => ({ issuer: test.bank.issuer.issuer, subject: people[who].subject });
const sharing = (...with_: Handle[]) => requestBody(test.world, { beneficiaries: with_.map(identity) });
async function shared(...with_: Handle[]): Promise<GrantView> {
	const grant = await grantTo(test.world, with_[0] ?? 'alice', sharing(...with_));
	made.push(grant.id);
	return grant;
}
const leaving = (who: Handle, { id }: Pick<GrantView, 'id'>) => post(who, `/grants/${id}/leave`);
async function left(who: Handle, grant: Pick<GrantView, 'id'>): Promise<GrantLeave> {
	const answer = await test.world.call(leaving(who, grant));
	expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 202, body: { grant: grant.id } });
	return answer.body as GrantLeave;
}
const me = async (who: Handle) => ((await test.world.call(get(who, '/me'))).body as { person: string }).person;
const read = async (who: Handle, id: string) => (await test.world.call(get(who, `/grants/${id}`))).body as GrantView;
const query = (who: Handle, sql = SQL) =>
	test.world.call(post(who, '/queries', { sql, principal: principalOf(test.world, 'risk', 'credit-risk') }));
const shutTo = (who: Handle) => expect(query(who)).resolves.toMatchObject({ status: 403 });
const openTo = (who: Handle) => expect(query(who)).resolves.toMatchObject({ status: 202 });
const change = async (verb: string, id: string) => {
	const answer = await test.world.call(post('olga', `/grants/${id}/${verb}`, { reason: 'An incident' }));
	expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 202 });
};
const typesOf = async (id: string) =>
	(await Ledger.read(test.bank.platform, Ledger.stream.grant(id))).map(({ body }) => body.type);
const lastHeld = ({ principal }: GrantView) => {
	const table = { account: '210000000001', database: 'lending', table: 'loans' };
	return Ledger.last(test.bank.platform, Ledger.stream.entitlement(principal, table), 'EntitlementChanged');
};

describe('leaving is refused', () => {
	it('to whom the grant does not concern like what does not exist, to who does not benefit with 403', async () => {
		const grant = await shared('alice', 'robot');
		for (const who of ['mia', 'carl', 'peter', 'nick'] as const)
			await refused(test, leaving(who, grant), 404, 'not-found');
		for (const who of ['olga', 'rita'] as const) await refused(test, leaving(who, grant), 403, 'not-permitted');
		await refused(test, leaving('alice', { id: nobody }), 404, 'not-found');
		await refused(test, leaving('alice', { id: 'grt_1' }), 422, 'validation');
		const path = `/api/v1/grants/${grant.id}/leave`;
		await refused(test, () => send(test, path, { method: 'POST' }), 401, 'invalid-token');
	});

	it('to who has left, and for a grant that is over', async () => {
		const grant = await shared('alice', 'carl');
		await left('carl', grant);
		await refused(test, leaving('carl', grant), 404, 'not-found');
		await left('alice', grant);
		await refused(test, leaving('alice', grant), 409, 'conflict');
		await refused(test, leaving('carl', grant), 404, 'not-found');
	});
});

describe('who left', () => {
	it('is refused at once, sees the grant no more, and reads no result of before; the others notice nothing', async () => {
		const grant = await shared('alice', 'carl');
		const [carl, alice] = await Promise.all([me('carl'), me('alice')]);
		const [his, hers] = [await finished(test.world, 'carl', SQL), await finished(test.world, 'alice', SQL)];
		const before = inLakeFormation(test.bank);
		const held = await lastHeld(grant);
		expect(await left('carl', grant)).toEqual({ grant: grant.id, left: [carl], state: 'granted' });
		expect(inLakeFormation(test.bank)).toEqual(before);
		const now = await lastHeld(grant);
		expect(now?.ver).toBe((held?.ver ?? 0) + 1);
		expect(now?.body).toEqual({ ...held?.body, grants: [{ ...held?.body.grants[0], beneficiaries: [alice] }] });
		expect((await typesOf(grant.id)).slice(-1)).toEqual(['GrantLeft']);
		expect(await query('carl')).toMatchObject({ status: 403, body: { code: 'table-not-granted' } });
		await refused(test, get('carl', `/grants/${grant.id}`), 404, 'not-found');
		await refused(test, get('carl', `/grants/${grant.id}/preview`), 404, 'not-found');
		await refused(test, post('carl', `/grants/${grant.id}/revoke`, { reason: 'mine' }), 404, 'not-found');
		expect((await test.world.call(get('carl', '/grants'))).body).toMatchObject({ grants: [] });
		await refused(test, get('carl', `/queries/${his.id}/results`), 403, 'table-not-granted');
		expect((await read('alice', grant.id)).beneficiaries).toEqual([alice]);
		expect((await test.world.call(get('alice', `/queries/${hers.id}/results`))).status).toBe(200);
		await openTo('alice');
	});

	it('as the last one ends the grant, and what it opened is gone', async () => {
		const grant = await shared('alice', 'carl');
		await left('alice', grant);
		expect((await left('carl', grant)).state).toBe('revoked');
		expect(await read('olga', grant.id)).toMatchObject({ state: 'revoked', beneficiaries: [await me('carl')] });
		expect(inLakeFormation(test.bank)).toEqual({ filters: [], permissions: [] });
		await shutTo('carl');
	});

	it('both at once: one leaves, the other ends it', async () => {
		const grant = await shared('alice', 'carl');
		const done = await Promise.all([left('alice', grant), left('carl', grant)]);
		expect(done.map((d) => d.state)).toContain('revoked');
		expect((await typesOf(grant.id)).filter((type) => type === 'GrantLeft')).toHaveLength(1);
		expect((await read('olga', grant.id)).state).toBe('revoked');
	});

	it('twice at once has left once', async () => {
		const grant = await shared('alice', 'carl');
		const answers = await Promise.all([1, 2, 3].map(() => test.world.call(leaving('carl', grant))));
		expect(answers.every(({ status }) => status === 202 || status === 404)).toBe(true);
		expect((await typesOf(grant.id)).filter((type) => type === 'GrantLeft')).toHaveLength(1);
		await openTo('alice');
	});

	it('has left in every guise, whichever of them said so', async () => {
		const [alice, robot] = [await me('alice'), await me('robot')];
		const both = await shared('alice', 'robot', 'carl');
		expect((await left('alice', both)).left).toEqual([alice, robot]);
		for (const who of ['alice', 'robot'] as const) await shutTo(who);
		await openTo('carl');
	});

	it('cannot be given up under a guise that does not see the grant', async () => {
		const hers = await shared('alice', 'carl');
		await refused(test, get('robot', `/grants/${hers.id}`), 404, 'not-found');
		await refused(test, leaving('robot', hers), 404, 'not-found');
		await openTo('alice');
	});

	it('stays a party, if he had asked for it: 403 to take it up again, and 409 to leave once more', async () => {
		await enrol(test, 'risk', { alice: ['consumer'], carl: ['consumer'], olga: ['consumer'] });
		await enrol(test, 'lending', { olga: ['owner'], petra: ['owner'] });
		const grant = await grantTo(test.world, 'olga', sharing('olga', 'alice'), ['petra']);
		made.push(grant.id);
		await left('olga', grant);
		await refused(test, leaving('olga', grant), 409, 'conflict');
		await change('suspend', grant.id);
		await refused(test, post('olga', `/grants/${grant.id}/resume`, { reason: 'x' }), 403, 'self-approval');
		await refused(test, get('olga', '/grants?pageSize=0'), 422, 'validation');
		expect((await test.world.call(get('olga', '/grants'))).body).toMatchObject({ grants: [] });
	});
});

describe('nothing puts him back', () => {
	it.each([
		['suspended and resumed', ['suspend', 'resume'], []],
		['resumed, having been left while it was suspended', ['suspend'], ['resume']],
	])('a grant that is %s', async (_, before, after) => {
		await enrol(test, 'risk', { alice: ['consumer'], carl: ['consumer'] });
		await enrol(test, 'lending', { olga: ['owner'] });
		const grant = await shared('alice', 'carl');
		for (const verb of before) await change(verb, grant.id);
		await left('carl', grant);
		for (const verb of after.length > 0 ? after : ['suspend', 'resume']) await change(verb, grant.id);
		await shutTo('carl');
		await openTo('alice');
	});

	it('a grant that is made narrower, or settled late', async () => {
		const grant = await shared('alice', 'carl');
		const tables = [{ table: 'loans', columns: ['loan_id'] }];
		test.bank.aws.faults.set([{ service: 'lakeformation', operation: 'CreateDataCellsFilter', when: 'before' }]);
		await test.world.call(post('olga', `/grants/${grant.id}/narrow`, { tables, reason: 'Less will do' }));
		await left('carl', grant);
		test.bank.aws.faults.clear();
		await test.bank.sweep();
		expect((await read('alice', grant.id)).state).toBe('granted');
		expect((await lastHeld(grant))?.body.grants.map((g) => g.beneficiaries)).toEqual([[await me('alice')]]);
		const rows = await rowsOf(test.world, 'alice', 'SELECT loan_id FROM lending.loans');
		expect(rows.length).toBeGreaterThan(0);
		expect(await query('carl', 'SELECT loan_id FROM lending.loans')).toMatchObject({ status: 403 });
	});

	it('a process that stalled while it opened the grant', async () => {
		const asked = await test.world.call(post('alice', '/requests', sharing('alice', 'carl')));
		const view = asked.body as RequestView;
		const { there, release } = obstacles.stall(inserts('A#entitlement'));
		const opening = test.world.call(decision('olga', { view, etag: asked.headers.get('etag') ?? '' }));
		await there;
		const { grant } = (await test.world.call(get('olga', `/requests/${view.id}`))).body as RequestView;
		made.push(grant ?? '');
		await left('carl', { id: grant ?? '' });
		release();
		await opening;
		await test.bank.sweep();
		expect((await read('alice', grant ?? '')).state).toBe('granted');
		await shutTo('carl');
		await openTo('alice');
	});

	it('a call that died between what it recorded and our gate: the sweep shuts it', async () => {
		const grant = await shared('alice', 'carl');
		const answer = await obstacles.cutAfter(1, () => test.world.call(leaving('carl', grant)));
		expect(answer.status).toBeGreaterThanOrEqual(500);
		expect((await typesOf(grant.id)).at(-1)).toBe('GrantLeft');
		await refused(test, get('carl', `/grants/${grant.id}`), 404, 'not-found');
		await test.bank.sweep();
		await shutTo('carl');
		await openTo('alice');
		const ver = (await lastHeld(grant))?.ver;
		await test.bank.sweep();
		expect((await lastHeld(grant))?.ver).toBe(ver);
	});
});

describe('a renewal', () => {
	const body = { duration: 'P5D', justification: 'The review goes on' };
	const renewed = async (id: string) => {
		const answer = await test.world.call(post('alice', `/grants/${id}/renew`, body));
		expect(answer.status).toBe(201);
		return { view: answer.body as RequestView, etag: answer.headers.get('etag') ?? '' };
	};

	it('asks for those who are left', async () => {
		const grant = await shared('alice', 'carl');
		await left('carl', grant);
		expect((await renewed(grant.id)).view.beneficiaries).toEqual([await me('alice')]);
	});

	it('that was asked before is approved only once it names him no more, which any edit sees to', async () => {
		const grant = await shared('alice', 'carl');
		const asked = await renewed(grant.id);
		await left('carl', grant);
		await refused(test, decision('olga', asked), 412, 'stale');
		const edit = patch('alice', `/requests/${asked.view.id}`, { duration: 'P4D' }, { 'if-match': asked.etag });
		const answer = await test.world.call(edit);
		const view = answer.body as RequestView;
		expect(view.beneficiaries).toEqual([await me('alice')]);
		const decided = await test.world.call(decision('olga', { view, etag: answer.headers.get('etag') ?? '' }));
		const { grant: next } = decided.body as { grant: GrantView };
		made.push(next.id);
		expect(next).toMatchObject({ state: 'granted', beneficiaries: [await me('alice')] });
		await shutTo('carl');
	});

	it('that was asked before for another guise of his is approved only once it names that no more, either', async () => {
		await registered(test, 'risk');
		const grant = await shared('alice', 'carl');
		const asked = await renewed(grant.id);
		const edit = (body: object, etag: string) =>
			patch('alice', `/requests/${asked.view.id}`, body, { 'if-match': etag });
		const named = { beneficiaries: [identity('robot'), identity('carl')] };
		const edited = await test.world.call(edit(named, asked.etag));
		const both = [await me('robot'), await me('carl')];
		expect((edited.body as RequestView).beneficiaries.toSorted()).toEqual(both.toSorted());
		const etag = edited.headers.get('etag') ?? '';
		expect((await left('alice', grant)).left).toEqual([await me('alice')]);
		await refused(test, decision('olga', { view: asked.view, etag }), 412, 'stale');
		const answer = await test.world.call(edit({ duration: 'P4D' }, etag));
		const view = answer.body as RequestView;
		expect(view.beneficiaries).toEqual([await me('carl')]);
		const decided = await test.world.call(decision('olga', { view, etag: answer.headers.get('etag') ?? '' }));
		made.push((decided.body as { grant: GrantView }).grant.id);
		await shutTo('robot');
	});

	it('that names him anew after he left is a request like any other', async () => {
		const grant = await shared('alice', 'carl');
		const asked = await renewed(grant.id);
		await left('carl', grant);
		const beneficiaries = [identity('alice'), identity('carl')];
		const answer = await test.world.call(
			patch('alice', `/requests/${asked.view.id}`, { beneficiaries }, { 'if-match': asked.etag }),
		);
		const view = answer.body as RequestView;
		const decided = await test.world.call(decision('olga', { view, etag: answer.headers.get('etag') ?? '' }));
		const { grant: next } = decided.body as { grant: GrantView };
		made.push(next.id);
		await openTo('carl');
	});
});
