/**
 * What a renewal makes of who leaves, and of the grant that it goes on from: nobody who left is put back by what was asked
 * before, in whatever order things are stored, and what others still have is not taken from them.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RequestView } from '#core/access.ts';
import type { GrantView } from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import { type Handle, people } from '#local/people.ts';
import type { TestBank } from '#tests/fixtures.ts';
import { decision, expectRefusal, grantTo, patch, post, refused, requestBody } from './harness.ts';
import { bankToPublish, drop, property, same } from './publishing.ts';
import { inserts, makeObstacles, type Obstacles } from './stall.ts';

let bank: Awaited<ReturnType<typeof bankToPublish>>;
let test: TestBank;
let obstacles: Obstacles;
beforeAll(async () => {
	bank = await bankToPublish();
	({ test } = bank);
	obstacles = makeObstacles(test);
});
afterAll(() => test.close());
afterEach(async () => {
	obstacles.clear();
	await bank.clear();
	if (bank.version(LOANS) > 1) await bank.publish('olga', LOANS, same);
});

type Asked = { readonly view: RequestView; readonly etag: string };
const LOANS = 'lending.loans';
const identity = (who: Handle) => ({ issuer: test.bank.issuer.issuer, subject: people[who].subject });
const shared = (...with_: Handle[]) =>
	grantTo(
		test.world,
		with_[0] ?? 'alice',
		requestBody(test.world, {
			tables: [{ table: 'loans', columns: ['loan_id', 'status', 'payments'] }],
			beneficiaries: with_.map(identity),
		}),
	);
const renewing = (id: string) =>
	post('alice', `/grants/${id}/renew`, { duration: 'P2D', justification: 'The review goes on' });
const asAsked = (answer: Awaited<ReturnType<TestBank['world']['call']>>, status: number): Asked => {
	expect({ status: answer.status, body: answer.body }).toMatchObject({ status });
	return { view: answer.body as RequestView, etag: answer.headers.get('etag') ?? '' };
};
const renewed = async (id: string) => asAsked(await test.world.call(renewing(id)), 201);
const editing = ({ view, etag }: Asked, body: object) =>
	patch('alice', `/requests/${view.id}`, body, { 'if-match': etag });
const edited = async (asked: Asked, body: object) => asAsked(await test.world.call(editing(asked, body)), 200);
async function left(who: Handle, id: string): Promise<void> {
	expect(await test.world.call(post(who, `/grants/${id}/leave`))).toMatchObject({ status: 202 });
}
async function opened(asked: Asked): Promise<GrantView> {
	const { body } = await test.world.call(decision('olga', asked));
	expect(body).toMatchObject({ grant: { state: 'granted' } });
	return (body as { grant: GrantView }).grant;
}

describe('a renewal is refused', () => {
	it('to be edited so that it is for nobody, as 422 and not as damage', async () => {
		const { id } = await shared('alice', 'carl');
		const asked = await edited(await renewed(id), { beneficiaries: [identity('alice')] });
		await left('alice', id);
		const problem = await refused(test, editing(asked, { justification: 'Still' }), 422, 'validation');
		expect(problem.errors?.map((e) => e.pointer)).toEqual(['/beneficiaries']);
	});

	it('where who left was the last one: the end of the grant says who that was', async () => {
		const { id } = await shared('alice', 'carl');
		const asked = await renewed(id);
		await left('carl', id);
		await left('alice', id);
		await refused(test, decision('olga', asked), 412, 'stale');
		await refused(test, editing(asked, { duration: 'P1D' }), 422, 'validation');
		const persons = (await Ledger.read(test.bank.platform, Ledger.stream.grant(id))).flatMap(({ body }) =>
			body.type === 'GrantLeft' || body.type === 'GrantEnding' ? [body.persons] : [],
		);
		expect(new Set(persons.flat())).toEqual(new Set(asked.view.beneficiaries));
	});

	it('where somebody left while it was being filed', async () => {
		const { id } = await shared('alice', 'carl');
		const { there, release } = obstacles.stall((_, input) => input.includes('A#entitlement#'));
		const filing = test.world.call(renewing(id));
		await there;
		await left('carl', id);
		release();
		const asked = asAsked(await filing, 201);
		expect(asked.view.beneficiaries).toHaveLength(2);
		await refused(test, decision('olga', asked), 412, 'stale');
		expect((await edited(asked, { justification: 'Still' })).view.beneficiaries).toHaveLength(1);
	});

	it('where somebody left while it was being edited, though the edit names him', async () => {
		const { id } = await shared('alice', 'carl');
		const asked = await renewed(id);
		const { there, release } = obstacles.stall((_, input) => input.includes('A#entitlement#'));
		const beneficiaries = [identity('alice'), identity('carl')];
		const answering = test.world.call(editing(asked, { beneficiaries }));
		await there;
		await left('carl', id);
		release();
		const now = asAsked(await answering, 200);
		await refused(test, decision('olga', now), 412, 'stale');
	});
});

it('an edit by a template is of the version that the template was read from, or is none', async () => {
	const { id } = await shared('alice', 'carl');
	const template = (columns: string[]) => [{ id: 'arrears', name: 'Arrears', tables: [{ table: 'loans', columns }] }];
	await bank.publish('olga', LOANS, (d) => property(d, 'accessTemplates', template(['loan_id', 'status'])));
	const asked = await renewed(id);
	const { there, release } = obstacles.stall((_, input) => input.includes(`A#grant#${id}`));
	const answering = test.world.call(editing(asked, { template: 'arrears' }));
	await there;
	await bank.publish('olga', LOANS, (d) => property(d, 'accessTemplates', template(['loan_id'])));
	release();
	const answer = await answering;
	const { errors } = expectRefusal(answer, 422, 'validation');
	expect(errors?.map((e) => e.pointer)).toEqual(['/template']);
});

describe('a grant that is held back', { timeout: 120_000 }, () => {
	const heldBack = async () => {
		const { id } = await shared('alice', 'carl');
		await bank.publish('olga', LOANS, (d) => drop(d, 'payments'));
		await test.bank.sweep();
		expect((await bank.read('alice', id)).state).toBe('suspended');
		return id;
	};

	it.each<readonly [string, () => object]>([
		['for fewer people', () => ({ beneficiaries: [identity('alice')] })],
		['of fewer columns', () => ({ tables: [{ table: 'loans', columns: ['loan_id'] }] })],
	])('is not ended by a renewal %s: who shares it may take it up again', async (_, change) => {
		const id = await heldBack();
		await opened(await edited(await renewed(id), change()));
		await test.bank.sweep();
		expect((await bank.read('alice', id)).state).toBe('suspended');
	});

	it('is ended by the sweep where the call that decided was cut off', async () => {
		const id = await heldBack();
		const asked = await renewed(id);
		await obstacles.cutAfter(3, () => test.world.call(decision('olga', asked)));
		await test.bank.sweep();
		expect((await bank.read('alice', id)).state).toBe('revoked');
	});

	it('is ended by the sweep where whoever opened the new one came no further', async () => {
		const id = await heldBack();
		const asked = await renewed(id);
		const { there, release } = obstacles.stall(inserts(`A#grant#${id}`));
		const deciding = test.world.call(decision('olga', asked));
		await there;
		await test.bank.sweep();
		expect((await bank.read('alice', id)).state).toBe('revoked');
		release();
		expect((await deciding).body).toMatchObject({ grant: { state: 'granted' } });
	});
});
