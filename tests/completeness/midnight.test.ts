/** A query that goes on over midnight, whose starter did not live to note it: the trail of the day before knows whose it is. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startsUnread } from '#core/completeness/before.ts';
import { type Catalog, readCatalog } from '#core/completeness/catalog.ts';
import { BEGUN, save } from '#core/completeness/progress.ts';
import { systemContext } from '#core/context.ts';
import * as Ledger from '#core/ledger.ts';
import * as Lineage from '#core/lineage.ts';
import { principalOf, startQuery } from '#local/story/world.ts';
import { grantTo, requestBody } from '#tests/api/harness.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { again, bypasses, LENDING, OVER_MS, over, RISK, tell, today, tomorrow } from './world.ts';

const DAY_MS = 86_400_000;
const dayAfter = (days: number) => new Date(Date.parse(today()) + days * DAY_MS).toISOString().slice(0, 10);
const DENIED = { name: 'AccessDeniedException', message: 'not authorized' };

let test: TestBank;
let principal: string;
let execution: string;
beforeAll(async () => {
	test = await testBank();
	principal = principalOf(test.world, 'risk', 'credit-risk');
	await grantTo(test.world, 'alice', requestBody(test.world));
	const { id } = (await startQuery(test.world, 'SELECT loan_id FROM lending.loans')).body as { id: string };
	execution = (await Lineage.startedNoted(ctx(), { id })) ?? '';
	await over(test.bank, principal, execution);
	await Ledger.Listing.remove(ctx(), `hint#execution#${id}`, '-');
});
afterAll(() => test.close());
afterEach(() => test.bank.aws.faults.clear());

const ctx = () => systemContext(test.bank.platform, '0'.repeat(32));
const twoDaysOn = () => tomorrow(test.bank, { clock: () => new Date(Date.now() + OVER_MS + DAY_MS) });

/** A read of the loans as the principal of the flow, on the next day. */
function readAt(time: string, query: string): void {
	tell(test.bank, {
		at: new Date(`${dayAfter(1)}T${time}Z`),
		record: {
			userIdentity: { type: 'AssumedRole', accountId: RISK, principalId: 'AROAEXAMPLEEXAMPLE09:fairlead' },
			requestParameters: {
				tableArn: `arn:aws:glue:eu-central-1:${LENDING}:table/lending/loans`,
				auditContext: { additionalAuditContext: `{queryId: ${query}}` },
			},
			additionalEventData: { requesterService: 'ATHENA', lakeFormationPrincipal: principal },
		},
	});
}

const found = async () => (await bypasses(test.bank.platform)).map(({ body }) => body.query);

describe('a read after midnight that may belong to a flow of the day before', () => {
	it('is nobody’s bypass while the trail of that day cannot be read; five hours later, one is', async () => {
		readAt('00:01:00', execution);
		readAt('05:00:00', 'too-late-for-it');
		const lookups = { service: 'cloudtrail', operation: 'LookupEvents', when: 'before', error: DENIED } as const;
		test.bank.aws.faults.set([{ ...lookups, match: (_: unknown, call) => call.caller.account === RISK }]);
		expect((await again(twoDaysOn()))?.body.unread).toContainEqual({ account: RISK, why: 'refused' });
		test.bank.aws.faults.clear();
		const unread = [{ account: RISK, why: 'unavailable' }];
		expect((await again(twoDaysOn(), dayAfter(1)))?.body).toMatchObject({ state: 'incomplete', unread });
		expect(await found()).toEqual(['too-late-for-it']);
	}, 60_000);

	it('is the flow’s own once that trail was read', async () => {
		await again(twoDaysOn());
		const checked = await again(twoDaysOn(), dayAfter(1));
		expect(checked?.body).toMatchObject({ unread: [], counts: { matched: 1, bypassing: 1 } });
		expect(await found()).toEqual(['too-late-for-it']);
	}, 60_000);
});

describe('what was started on the day before', () => {
	let catalog: Catalog;
	beforeAll(async () => {
		catalog = await readCatalog(ctx());
	});
	const unreadOn = async (day: string) => [...(await startsUnread(ctx(), day, catalog))];

	it('is not known of a day that nobody looked at, but for the accounts that the check got through', async () => {
		const day = dayAfter(3);
		const consuming = catalog.placesOn(day).filter(({ as }) => as === 'consumer');
		expect(new Set(await unreadOn(day))).toEqual(new Set(consuming.map(({ account }) => account)));
		const starts = { ...BEGUN.starts, done: true };
		await save(ctx(), { day, base: 0, account: RISK }, { ...BEGUN, starts });
		expect(await unreadOn(day)).toHaveLength(consuming.length - 1);
		expect(await unreadOn(day)).not.toContain(RISK);
	});

	it('is known where its record names no account, and of those that it does not name', async () => {
		expect(await unreadOn(today())).toEqual([]);
		const last = await Ledger.last(ctx(), Ledger.stream.completeness(today()), 'CompletenessChecked');
		if (last === null) throw new Error('the day was not checked');
		const stream = Ledger.stream.completeness(dayAfter(4));
		const unread = [{ account: RISK, why: 'throttled' as const }];
		const body = { ...last.body, day: dayAfter(4), state: 'incomplete' as const, unread };
		const draft = { stream, actor: 'system' };
		const one = await Ledger.append(ctx(), { ...draft, after: null, body: { ...body, unreadAccounts: 1 } });
		expect(await unreadOn(dayAfter(4))).toEqual([RISK]);
		// It names the first of many.
		await Ledger.append(ctx(), { ...draft, after: one, body: { ...body, unreadAccounts: 60 } });
		expect((await unreadOn(dayAfter(4))).length).toBeGreaterThan(1);
	});

	it('is nothing before anything was published, unless nobody can tell when that was', async () => {
		expect(await unreadOn(dayAfter(-1))).toEqual([]);
		const consuming = { ...catalog, placesOn: () => catalog.placesOn(today()), unknown: ['lending.loans'] };
		expect((await startsUnread(ctx(), dayAfter(-1), consuming)).size).toBeGreaterThan(0);
		expect(await startsUnread(ctx(), dayAfter(3), { ...catalog, since: null })).toEqual(new Set());
	});
});
