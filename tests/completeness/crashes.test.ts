/** A check that is killed at any write of its own is gone on with by the next one, and says the same as one that was not. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeAws } from '#core/aws.ts';
import { LEASE_MS } from '#core/lease.ts';
import * as Ledger from '#core/ledger.ts';
import { REGION } from '#local/bank.ts';
import { isWrite } from '#tests/faults/mortal.ts';
import { entriesIn, type TestBank, testBank } from '#tests/fixtures.ts';
import { again, bypasses, check, entriesOf, LENDING, OVER_MS, RISK, tell, today, tomorrow } from './world.ts';

let test: TestBank;
beforeAll(async () => {
	test = await testBank();
});
afterAll(() => test.close());

/** Clients of their own, whose store is gone at its `nth` write, before or after that was done. */
function mortal(nth: number, when: 'before' | 'after') {
	const { bank } = test;
	const { accessKeyId, secretAccessKey } = bank.broker;
	const aws = makeAws({
		region: REGION,
		endpoint: bank.aws.endpoint,
		credentials: { accessKeyId, secretAccessKey },
		grantorRole: 'fairlead-grantor',
		consumerRole: 'fairlead-consumer',
	});
	let left = nth;
	aws.dynamodb.middlewareStack.add(
		(next, context) => async (args) => {
			const gone = () => Object.assign(new Error('killed'), { $retryable: undefined, name: 'Killed' });
			if (left <= 0) throw gone();
			if (!isWrite((context['commandName'] as string).replace(/Command$/, ''))) return next(args);
			left -= 1;
			if (left > 0) return next(args);
			if (when === 'after') await next(args);
			throw gone();
		},
		{ step: 'initialize', name: 'mortal' },
	);
	return { aws, isDead: () => left <= 0 };
}

describe('killed', () => {
	it.each(['before', 'after'] as const)(
		'%s any of its writes, it ends with the same record',
		async (when) => {
			for (let n = 0; n < 3; n += 1) tell(test.bank);
			tell(test.bank, { record: { userIdentity: undefined } });
			const of = { requestParameters: { tableArn: `arn:aws:glue:eu-central-1:${LENDING}:table/lending/loans` } };
			const copy = { type: 'AWSAccount', principalId: 'AROAEXAMPLEEXAMPLE01:x', accountId: RISK };
			tell(test.bank, { account: LENDING, record: { ...of, userIdentity: copy } });
			let deaths = 0;
			for (let nth = 1; ; nth += 1) {
				// Whoever died left the lease to run out.
				const clock = () => new Date(Date.now() + OVER_MS + nth * 2 * LEASE_MS);
				const { aws, isDead } = mortal(nth, when);
				const done = await again(tomorrow(test.bank, { aws, clock })).catch(() => null);
				if (!isDead() && done !== null) break;
				deaths += 1;
			}
			expect(deaths).toBeGreaterThan(10);
			const clock = () => new Date(Date.now() + OVER_MS + (deaths + 3) * 2 * LEASE_MS);
			const entries = await entriesIn(test);
			const found = await bypasses(test.bank.platform);
			// Another look from the beginning, by nobody who dies, finds nothing else to say.
			const after = await again(tomorrow(test.bank, { clock }));
			expect(after?.body.counts.bypasses).toBe(new Set(found.map(({ entry }) => entry.stream)).size);
			expect(await entriesIn(test)).toBe(entries);
			expect((await Ledger.verifyAll(test.bank.platform)).findings).toEqual([]);
		},
		110_000,
	);
});

it('out of time, it goes on from where it was, and says nothing before it is through', async () => {
	const other = await testBank();
	try {
		for (let n = 0; n < 120; n += 1) tell(other.bank, { at: new Date(Date.now() - n) });
		let now = Date.parse(today()) + OVER_MS;
		const platform = tomorrow(other.bank, { clock: () => new Date((now += 40)) });
		let runs = 0;
		let left = 1;
		while (left > 0) {
			expect((await entriesOf(platform, 'completeness')).length).toBe(0);
			({ left } = await check(platform, 2500));
			runs += 1;
			if (runs > 60) throw new Error('it does not get on');
		}
		expect(runs).toBeGreaterThan(1);
		const [checked, ...more] = await entriesOf(platform, 'completeness');
		expect(more).toEqual([]);
		expect(checked?.body).toMatchObject({ day: today(), counts: { bypassing: 120, bypasses: 120 } });
	} finally {
		await other.close();
	}
}, 110_000);
