/** What the check of a day finds, on a bank whose consumers also go past Fairlead; and that a second one writes nothing. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as Ledger from '#core/ledger.ts';
import { principalOf } from '#local/story/world.ts';
import { finished, grantTo, requestBody } from '#tests/api/harness.ts';
import { entriesIn, type TestBank, testBank } from '#tests/fixtures.ts';
import { bypasses, check, checkedOn, directly, LENDING, LOANS, RISK, today, tomorrow, withRole } from './world.ts';

let test: TestBank;
let principal: string;
beforeAll(async () => {
	test = await testBank();
	principal = principalOf(test.world, 'risk', 'credit-risk');
	await grantTo(test.world, 'alice', requestBody(test.world));
});
afterAll(() => test.close());

it('a day of queries through Fairlead alone is clean', async () => {
	await finished(test.world, 'alice', 'SELECT loan_id FROM lending.loans');
	await finished(test.world, 'alice', "SELECT count(*) AS n FROM lending.loans WHERE status = 'D'");
	const platform = tomorrow(test.bank);
	expect(await check(platform)).toEqual({ checked: [today()], incomplete: 0, findings: 0, left: 0 });
	const checked = await checkedOn(platform);
	expect(checked?.body).toMatchObject({
		state: 'clean',
		unread: [],
		unknownProducts: [],
		counts: { ownDomain: 0, bypassing: 0, bypasses: 0, unreadable: 0, orphaned: 0 },
		ownDomain: [],
	});
	// Each query: taken by Athena, listed by Athena, and its read in either account.
	expect(checked?.body.counts.matched).toBe(8);
	expect(checked?.entry.actor).toBe('system');
	expect(await bypasses(platform)).toEqual([]);
});

it('a day that was checked is not checked again', async () => {
	const before = await entriesIn(test);
	expect(await check(tomorrow(test.bank))).toEqual({ checked: [], incomplete: 0, findings: 0, left: 0 });
	expect(await entriesIn(test)).toBe(before);
});

it("a consumer's role used past Fairlead is found, with account, table, principal and time", async () => {
	const other = await testBank();
	try {
		const { world, bank } = other;
		await grantTo(world, 'alice', requestBody(world));
		const began = new Date(Date.now() - 1000).toISOString();
		await directly(world, principal);
		const own = await withRole(world, LENDING, 'etl');
		await directly(world, own, 'adhoc');
		const platform = tomorrow(bank);
		expect(await check(platform)).toEqual({ checked: [today()], incomplete: 0, findings: 1, left: 0 });
		const found = await bypasses(platform);
		const last = found.at(-1)?.body;
		expect(new Set(found.map(({ entry }) => entry.stream)).size).toBe(1);
		expect(last).toMatchObject({
			day: today(),
			account: RISK,
			domain: 'risk',
			principal,
			service: 'ATHENA',
			workGroup: 'fairlead-risk',
			flow: null,
			reasons: ['unknown-query', 'started-directly'],
			tables: [{ ...LOANS, products: ['lending.loans'] }],
		});
		expect((last?.seenAt ?? '').slice(0, 19) >= began.slice(0, 19)).toBe(true);
		const checked = await checkedOn(platform);
		expect(checked?.body).toMatchObject({ state: 'findings', counts: { bypasses: 1, ownDomain: 1, elsewhere: 0 } });
		expect(checked?.body.ownDomain).toEqual([{ table: LOANS, products: ['lending.loans'], principal: own, reads: 1 }]);
		// The session of a person is not in the entry.
		const entries = found.map(({ stored }) => Buffer.from(stored.bytes).toString()).join();
		expect(entries).not.toContain('"story"');
		expect((await Ledger.verifyAll(platform)).findings).toEqual([]);
	} finally {
		await other.close();
	}
});
