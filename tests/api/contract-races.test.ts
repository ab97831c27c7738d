/**
 * Who dies, or opens or resumes a grant, while a contract is published: one of the two always sees the other. And what a
 * domain that is registered anew does to the grants of its principals.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type * as Grants from '#core/grants.ts';
import type { TestBank } from '#tests/fixtures.ts';
import { decision, file, get, grantTo, post, refused } from './harness.ts';
import { bankToPublish, CARDS, type Document, drop } from './publishing.ts';
import { registered } from './registration.ts';
import { inserts, makeObstacles } from './stall.ts';

let bank: Awaited<ReturnType<typeof bankToPublish>>;
let test: TestBank;
let obstacles: ReturnType<typeof makeObstacles>;
beforeAll(async () => {
	bank = await bankToPublish();
	({ test } = bank);
	obstacles = makeObstacles(test);
});
afterAll(() => test.close());
afterEach(async () => {
	obstacles.clear();
	await bank.clear();
});

describe('whoever dies or is late', () => {
	const gone = (d: Document) => drop(d, 'blocked');
	const blocked = () => bank.mias({ tables: [{ table: 'cards', columns: ['disp_id', 'blocked'] }] });
	const approve = async () => {
		const asked = await file(test.world, 'mia', blocked());
		await test.world.call(decision('peter', asked));
		return asked;
	};

	it('leaves the grants to the sweep, once the contract is stored', { timeout: 120_000 }, async () => {
		const asked = await approve();
		const id = ((await test.world.call(get('mia', `/requests/${asked.view.id}`))).body as { grant: string }).grant;
		const answer = await obstacles.cutAfter(2, () =>
			test.world.call(bank.put('peter', CARDS, bank.contractOf(CARDS, gone))),
		);
		expect(answer).toMatchObject({ status: 201, body: { affectedWhole: false } });
		bank.published(CARDS);
		expect((await bank.read('mia', id)).state).toBe('granted');
		await test.bank.sweep();
		expect((await bank.read('mia', id)).state).toBe('suspended');
	});

	it('shuts what he opens while the contract is published', async () => {
		const asked = await file(test.world, 'mia', blocked());
		const { there, release } = obstacles.stall(inserts('A#grant#'));
		const deciding = test.world.call(decision('peter', asked));
		await there;
		expect((await bank.publish('peter', CARDS, gone)).affected).toEqual([]);
		release();
		const { grant } = (await deciding).body as { grant: Grants.GrantView };
		expect(['suspending', 'suspended']).toContain(grant.state);
		await refused(test, bank.resume(grant.id), 409, 'conflict');
	});

	it('shuts what he takes up while the contract is published', async () => {
		await approve();
		const id = (
			((await test.world.call(get('mia', '/grants?pageSize=1'))).body as { grants: Grants.GrantView[] })
				.grants[0] as Grants.GrantView
		).id;
		await test.world.call(post('peter', `/grants/${id}/suspend`, { reason: 'An incident' }));
		const { there, release } = obstacles.stall(inserts('A#grant#'));
		const resuming = test.world.call(bank.resume(id));
		await Promise.race([there, resuming]);
		expect((await bank.publish('peter', CARDS, gone)).affected).toMatchObject([
			{ grant: id, action: 'stays-suspended' },
		]);
		release();
		expect((await resuming).body).toMatchObject({ state: expect.stringMatching(/^suspend/) });
	});
});

describe('once the consuming domain is another', () => {
	const orders = () =>
		bank.mias({ product: 'payments.orders', tables: [{ table: 'orders', columns: ['order_id', 'amount'] }] });

	it.each([
		[
			'its rows are others',
			'row-scope',
			(b: { attributes?: unknown }) => (b.attributes = { jurisdiction: 'CZ', 'line-of-business': 'LEASING' }),
		],
		[
			'its principal serves another purpose',
			'principal',
			(b: { principals: { arn: string; purpose: string }[] }) =>
				b.principals.forEach((p) => p.arn === bank.marketing() && (p.purpose = 'campaign-planning')),
		],
	])('a grant is shut by the sweep: %s', { timeout: 120_000 }, async (_, code, change) => {
		const { id } = await grantTo(test.world, 'mia', orders(), ['peter']);
		await test.bank.sweep();
		expect((await bank.read('mia', id)).state).toBe('granted');
		await registered(test, 'marketing', change);
		await test.bank.sweep();
		expect(await bank.read('mia', id)).toMatchObject({
			state: 'suspended',
			notices: [{ kind: 'suspended', reasons: [{ code }] }],
		});
		await refused(test, bank.resume(id), 409, 'conflict');
		await registered(test, 'marketing');
		expect((await test.world.call(bank.resume(id))).status).toBe(202);
	});
});
