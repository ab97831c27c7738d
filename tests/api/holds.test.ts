/**
 * Who holds a grant back is who lifts that: an officer's hold outlasts whatever an owner says, an owner's whatever an
 * officer does. Of several holds each is lifted by its own, and the grant opens with the last.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Role, systemContext } from '#core/context.ts';
import { holdersOf, officeFor } from '#core/grants/holds.ts';
import * as Grants from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import type { Handle } from '#local/people.ts';
import { principalOf } from '#local/story/world.ts';
import { inLakeFormation, type TestBank, testBank } from '#tests/fixtures.ts';
import { get, grantTo, post, refused, requestBody } from './harness.ts';
import { enrol } from './registration.ts';
import { inserts, makeObstacles, type Obstacles } from './stall.ts';

let test: TestBank;
let obstacles: Obstacles;
let grant: Grants.GrantView;

/** Olga and carl own the domain, paula and petra are its privacy officers. */
const offices: Partial<Record<Handle, Role[]>> = {
	olga: ['owner'],
	carl: ['owner'],
	paula: ['privacy-officer'],
	petra: ['privacy-officer'],
};

beforeAll(async () => {
	test = await testBank();
	obstacles = makeObstacles(test);
	await enrol(test, 'lending', offices);
});
afterAll(() => test.close());
beforeEach(async () => {
	grant = await grantTo(test.world, 'alice', requestBody(test.world));
});
afterEach(async () => {
	obstacles.clear();
	await enrol(test, 'lending', offices);
	await test.world.call(post('olga', `/grants/${grant.id}/revoke`, { reason: 'over' }));
	expect(inLakeFormation(test.bank)).toEqual({ filters: [], permissions: [] });
});

const changing = (who: Handle, verb: 'suspend' | 'resume') =>
	post(who, `/grants/${grant.id}/${verb}`, { reason: 'An incident' });
async function change(who: Handle, verb: 'suspend' | 'resume'): Promise<Grants.GrantView> {
	const answer = await test.world.call(changing(who, verb));
	expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 202 });
	return answer.body as Grants.GrantView;
}
const suspend = (who: Handle) => change(who, 'suspend');
const resume = (who: Handle) => change(who, 'resume');
const read = async () => (await test.world.call(get('olga', `/grants/${grant.id}`))).body as Grants.GrantView;
const query = async () => {
	const principal = principalOf(test.world, 'risk', 'credit-risk');
	return (await test.world.call(post('alice', '/queries', { sql: 'SELECT loan_id FROM lending.loans', principal })))
		.status;
};
const system = () => systemContext(test.bank.platform, '0'.repeat(32));
const entries = () => Ledger.read(test.bank.platform, Ledger.stream.grant(grant.id));
const typesOf = async () => (await entries()).map(({ body }) => body.type);

describe('is refused, with the name of who holds it back', () => {
	it.each([
		['an owner: what an officer holds', 'paula', 'olga', 'privacy-officer'],
		['an officer: what an owner holds', 'olga', 'paula', 'owner'],
	] as const)('%s', async (_, holder, other, heldBy) => {
		expect(await suspend(holder)).toMatchObject({ state: 'suspended', heldBy: [heldBy] });
		const problem = await refused(test, changing(other, 'resume'), 403, 'not-permitted');
		expect(problem).toMatchObject({ policies: ['no-lifting-of-others-holds'], heldBy: [heldBy] });
		expect(problem.detail).toContain(`held back by: ${heldBy}`);
		expect([(await read()).state, await query()]).toEqual(['suspended', 403]);
	});

	it('an owner who says that he holds it, too: it is his own that he lifts then', async () => {
		await suspend('paula');
		await suspend('olga');
		expect(await resume('olga')).toMatchObject({ state: 'suspended', heldBy: ['privacy-officer'] });
		await refused(test, changing('olga', 'resume'), 403, 'not-permitted');
		await refused(test, changing('carl', 'resume'), 403, 'not-permitted');
		expect(await query()).toBe(403);
	});

	it('an officer of another domain, a risk officer, a regulator, and whoever benefits', async () => {
		await suspend('paula');
		await enrol(test, 'lending', { ...offices, mia: ['risk-officer'] });
		for (const who of ['mia', 'peter'] as const) await refused(test, changing(who, 'resume'), 404, 'not-found');
		await refused(test, changing('rita', 'resume'), 403, 'not-permitted');
		await refused(test, changing('alice', 'resume'), 403, 'self-approval');
		expect((await read()).state).toBe('suspended');
	});

	it('an officer who gains from it', async () => {
		await suspend('paula');
		await enrol(test, 'lending', { ...offices, alice: ['privacy-officer'] });
		await refused(test, changing('alice', 'resume'), 403, 'self-approval');
	});

	it('who held it back as an officer, and is an owner now', async () => {
		await suspend('paula');
		await enrol(test, 'lending', { ...offices, paula: ['owner'] });
		await refused(test, changing('paula', 'resume'), 403, 'not-permitted');
	});
});

describe('lifts it', () => {
	it.each([
		['another of the same office: officers', 'paula', 'petra'],
		['another of the same office: owners', 'olga', 'carl'],
	] as const)('%s', async (_, holder, other) => {
		await suspend(holder);
		expect(await resume(other)).toMatchObject({ state: 'granted', heldBy: [] });
		expect(await query()).toBe(202);
	});

	it.each([
		['officer', ['olga', 'paula'], 'olga', 'paula'],
		['owner', ['paula', 'olga'], 'paula', 'olga'],
	] as const)('of two, each his own; the grant opens with the last, the %s', async (_, holders, first, last) => {
		for (const who of holders) await suspend(who);
		expect((await read()).heldBy).toEqual(['owner', 'privacy-officer']);
		const other = first === 'olga' ? 'privacy-officer' : 'owner';
		expect(await resume(first)).toMatchObject({ state: 'suspended', heldBy: [other] });
		expect([(await typesOf()).at(-1), await query()]).toEqual(['GrantReleased', 403]);
		expect(await resume(last)).toMatchObject({ state: 'granted', heldBy: [] });
		expect(await query()).toBe(202);
	});

	it('what he lifted, he can hold back again', async () => {
		for (const who of ['paula', 'olga'] as const) await suspend(who);
		await resume('paula');
		expect((await suspend('petra')).heldBy).toEqual(['owner', 'privacy-officer']);
		expect(await resume('olga')).toMatchObject({ state: 'suspended', heldBy: ['privacy-officer'] });
	});

	it('who has both offices both; what he holds back, he holds back as an officer', async () => {
		await suspend('olga');
		await enrol(test, 'lending', { ...offices, carl: ['owner', 'privacy-officer'] });
		expect((await suspend('carl')).heldBy).toEqual(['owner', 'privacy-officer']);
		await enrol(test, 'lending', offices);
		await resume('olga');
		await refused(test, changing('olga', 'resume'), 403, 'not-permitted');
		await suspend('olga');
		await enrol(test, 'lending', { ...offices, carl: ['owner', 'privacy-officer'] });
		expect((await resume('carl')).state).toBe('granted');
	});

	it('what Fairlead found, an owner, and not the officer who held it back for something else', async () => {
		await Grants.holdBack(system(), grant.id, 'table-recreated');
		await suspend('paula');
		expect((await read()).heldBy).toEqual(['privacy-officer', 'fairlead']);
		await refused(test, changing('olga', 'resume'), 403, 'not-permitted');
		expect(await resume('paula')).toMatchObject({ state: 'suspended', heldBy: ['fairlead'] });
		await refused(test, changing('paula', 'resume'), 403, 'not-permitted');
		expect((await resume('olga')).state).toBe('granted');
	});
});

it('a hold that is placed while another is lifted stays', async () => {
	await suspend('olga');
	const { there, release } = obstacles.stall(inserts('A#grant#'));
	const resuming = test.world.call(changing('olga', 'resume'));
	await there;
	await suspend('paula');
	release();
	expect((await resuming).status).toBe(202);
	expect(await read()).toMatchObject({ state: 'suspended', heldBy: ['privacy-officer'] });
	expect(await query()).toBe(403);
});

it('nobody holds back what is over', async () => {
	await suspend('paula');
	await test.world.call(post('olga', `/grants/${grant.id}/revoke`, { reason: 'over' }));
	expect(await read()).toMatchObject({ state: 'revoked', heldBy: [] });
});

it('entries are read as they were written: by the office that their cause names', async () => {
	await suspend('paula');
	const [, , held] = await entries();
	expect(held?.body).toMatchObject({ type: 'GrantSuspending', cause: 'officer' });
	expect(holdersOf(held === undefined ? [] : [held])).toEqual(['privacy-officer']);
	const nobody = { issuer: '', subject: '', person: 'prs_x', roles: [] };
	expect(officeFor(nobody, 'lending')).toBe('officer');
});
