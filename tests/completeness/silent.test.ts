/** No day stays silent: what is found is told at once, what is not gone through in time is said, and nothing starves. */
import type { CloudTrailClient, LookupEventsCommandInput } from '@aws-sdk/client-cloudtrail';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { byTurns, isCheckable, isLate, lastOver } from '#core/completeness/days.ts';
import type { Platform } from '#core/context.ts';
import * as Ledger from '#core/ledger.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { again, bypasses, check, checkedOn, LENDING, OVER_MS, RISK, tell, today, tomorrow } from './world.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Looked at after all others. */
const LAST = '210000000009';

let test: TestBank;
beforeAll(async () => {
	test = await testBank();
});
afterAll(() => test.close());
afterEach(() => test.bank.aws.faults.clear());

const dayAfter = (days: number) => new Date(Date.parse(today()) + days * DAY_MS).toISOString().slice(0, 10);

/** The bank so many days after today can be checked, and what it tells aloud. */
function later(days: number, more: Partial<Platform> = {}) {
	const told: string[] = [];
	const clock = () => new Date(Date.now() + OVER_MS + days * DAY_MS);
	return { told, platform: tomorrow(test.bank, { clock, warn: (message) => void told.push(message), ...more }) };
}

/** A trail without an end for these, each page of which takes a second of a clock of its own. */
function endless(days: number, isEndless: (account: string, day: string, name: string | undefined) => boolean) {
	let now = Date.now() + OVER_MS + days * DAY_MS;
	const asked = new Set<string>();
	const { aws } = test.bank.platform;
	const over = (real: (account: string) => CloudTrailClient) => (account: string) => {
		const send = async (command: Parameters<CloudTrailClient['send']>[0]) => {
			const { StartTime: from = new Date(0), LookupAttributes } = command.input as LookupEventsCommandInput;
			const name = LookupAttributes?.[0]?.AttributeValue;
			asked.add(account);
			if (!isEndless(account, from.toISOString().slice(0, 10), name)) return real(account).send(command);
			now += 1000;
			return { Events: [], NextToken: 'more' };
		};
		return { send } as unknown as CloudTrailClient;
	};
	const consumer = { ...aws.consumer, cloudtrail: over(aws.consumer.cloudtrail) };
	const clients = { ...aws, cloudtrail: over(aws.cloudtrail), consumer };
	return { asked, ...later(days, { aws: clients, clock: () => new Date(now) }) };
}

describe('a bypass', () => {
	it('is told as soon as it is found, though the check of its day is cut off', async () => {
		tell(test.bank);
		// Where it had come to, once it had counted it.
		const isPlace = (input: unknown) => JSON.stringify(input).replaceAll('\\', '').includes('"bypassing":1');
		test.bank.aws.faults.set([{ service: 'dynamodb', operation: 'PutItem', when: 'before', match: isPlace }]);
		const { told, platform } = later(0);
		await expect(check(platform)).rejects.toThrow();
		expect(await bypasses(platform)).toHaveLength(1);
		expect(await checkedOn(platform)).toBeNull();
		expect(told.filter((text) => text === 'completeness: bypass')).toHaveLength(1);
	});

	it('is told with its day where records tell of one that no listing leads to', async () => {
		const refused = { name: 'AccessDeniedException', message: 'not authorized' };
		const match = (_: unknown, call: { caller: { account: string } }) => call.caller.account === RISK;
		// Its trail is read by then.
		const of = { service: 'athena', operation: 'ListQueryExecutions' } as const;
		const rule = { ...of, when: 'before', error: refused, match } as const;
		test.bank.aws.faults.set([rule]);
		expect((await again(later(0).platform))?.body).toMatchObject({ state: 'incomplete', counts: { bypasses: 1 } });
		test.bank.aws.faults.clear();
		const [entry] = await bypasses(test.bank.platform);
		const line = `${RISK}#${entry?.body.query}`;
		await Ledger.Listing.remove(test.bank.platform, Ledger.Listing.key.bypasses(today()), line);
		const { told, platform } = later(0);
		const counts = { bypasses: 0, bypassing: 1 };
		expect((await again(platform))?.body).toMatchObject({ state: 'findings', counts });
		expect(told).toContain('completeness: bypass');
	});

	it('that goes on over midnight is listed on either day', async () => {
		const { key, all } = Ledger.Listing;
		const [entry] = await bypasses(test.bank.platform);
		const query = entry?.body.query ?? '';
		const requestParameters = {
			tableArn: `arn:aws:glue:eu-central-1:${LENDING}:table/lending/loans`,
			auditContext: { additionalAuditContext: `{queryId: ${query}}` },
		};
		tell(test.bank, { at: new Date(`${dayAfter(1)}T00:10:00Z`), record: { requestParameters } });
		const checked = await again(later(1).platform, dayAfter(1));
		expect(checked?.body.counts).toMatchObject({ bypassing: 1, bypasses: 1 });
		const last = (await bypasses(test.bank.platform)).at(-1)?.body;
		expect(last).toMatchObject({ day: today(), otherDays: [dayAfter(1)], domains: ['lending'] });
		for (const day of [today(), dayAfter(1)]) {
			expect(await all(test.bank.platform, key.bypassesOfDomain('lending', day))).toEqual([`${RISK}#${query}`]);
		}
		// Another look says nothing else.
		const entries = (await bypasses(test.bank.platform)).length;
		await again(later(1).platform);
		await again(later(1).platform, dayAfter(1));
		expect(await bypasses(test.bank.platform)).toHaveLength(entries);
	});
});

describe('a day that is not gone through', () => {
	it('is over five hours after its end: Athena’s four, and one for CloudTrail', () => {
		const over = Date.parse('2026-03-02T05:00:00Z');
		expect(isCheckable('2026-03-01', new Date(over - 1))).toBe(false);
		expect(isCheckable('2026-03-01', new Date(over))).toBe(true);
		expect([over - 1, over].map((at) => lastOver(new Date(at)))).toEqual(['2026-02-28', '2026-03-01']);
	});

	it('is late two days after its end, and not before', () => {
		const end = Date.parse('2026-03-02');
		expect(isLate('2026-03-01', new Date(end + 2 * DAY_MS - 1))).toBe(false);
		expect(isLate('2026-03-01', new Date(end + 2 * DAY_MS))).toBe(true);
	});

	it('is told and recorded as incomplete once it is late, with the accounts that are left; then it is gone on with', async () => {
		const day = dayAfter(2);
		tell(test.bank, { at: new Date(`${day}T10:00:00Z`) });
		const soon = later(2);
		expect(await check(soon.platform, 0)).toEqual({ checked: [], incomplete: 0, findings: 0, left: 1 });
		expect([soon.told, await checkedOn(soon.platform, day)]).toEqual([[], null]);
		const { told, platform } = later(4);
		expect(await check(platform, 0)).toMatchObject({ incomplete: 1, findings: 0, left: 2 });
		const body = (await checkedOn(platform, day))?.body;
		expect(body).toMatchObject({ state: 'incomplete', accounts: 6, unreadAccounts: 6, counts: { bypassing: 0 } });
		expect(new Set(body?.unread.map(({ why }) => why))).toEqual(new Set(['unfinished']));
		expect(told).toEqual(['completeness: incomplete day']);
		expect(await check(platform)).toMatchObject({ incomplete: 0, findings: 1, left: 0 });
		expect((await checkedOn(platform, day))?.body).toMatchObject({ state: 'findings', counts: { bypassing: 1 } });
	});

	it.each([
		['StartQueryExecution', 5],
		['GetDataAccess', 6],
	])(
		'has time for every account, also beside those whose %s never end',
		async (of, days) => {
			await check(later(days - 1).platform);
			const { asked, platform } = endless(days, (account, _, name) => account !== LAST && name === of);
			expect(await check(platform, HOUR_MS / 60)).toMatchObject({ checked: [], left: 1 });
			expect(asked.size).toBe(6);
		},
		60_000,
	);

	it('does not hold up the newest one, however long it takes', async () => {
		await check(later(6).platform);
		const oldest = dayAfter(7);
		const { platform } = endless(9, (_, day, name) => day === oldest && name === 'GetDataAccess');
		const found = await check(platform, HOUR_MS / 60);
		expect(found.checked).toContain(dayAfter(9));
		expect(found.left + found.incomplete).toBeGreaterThan(0);
		expect((await checkedOn(platform, oldest))?.body.state ?? 'incomplete').toBe('incomplete');
	}, 60_000);

	it('does not hold up others where it cannot be checked at all, and is thrown at the end', async () => {
		await check(later(10).platform);
		const stuck = dayAfter(11);
		const isLease = (input: unknown) => JSON.stringify(input).includes(`lease#completeness#${stuck}`);
		test.bank.aws.faults.set([{ service: 'dynamodb', operation: 'PutItem', when: 'before', match: isLease }]);
		const { told, platform } = later(12);
		await expect(check(platform)).rejects.toThrow('The store does not answer');
		expect(told).toContain('completeness: a day cannot be checked');
		expect((await checkedOn(platform, dayAfter(12)))?.body.state).toBe('clean');
		expect(await checkedOn(platform, stuck)).toBeNull();
	});
});

it('days come by turns from either end, each once', () => {
	expect(byTurns([1, 2, 3, 4, 5])).toEqual([1, 5, 2, 4, 3]);
	fc.assert(
		fc.property(fc.uniqueArray(fc.nat()), (days) => {
			const turns = byTurns(days);
			expect([turns.length, new Set(turns)]).toEqual([days.length, new Set(days)]);
			expect(turns.slice(0, 2)).toEqual([...new Set([days[0], days.at(-1)])].slice(0, days.length));
		}),
	);
});
