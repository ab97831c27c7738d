/** By whose registry a read is judged: that of its own time, whoever came or left since. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Catalog, readCatalog } from '#core/completeness/catalog.ts';
import { systemContext } from '#core/context.ts';
import * as Ledger from '#core/ledger.ts';
import { principalOf } from '#local/story/world.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { again, bypasses, LENDING, LOANS, RISK, tell, tomorrow } from './world.ts';

const DAY_MS = 86_400_000;
const NOW = Date.now();
const dayIn = (days: number) => new Date(NOW + days * DAY_MS).toISOString().slice(0, 10);
/** When the domains change; the days around it. */
const [BEFORE, DAY, AFTER] = [dayIn(1), dayIn(2), dayIn(3)];
const CHANGE = `${DAY}T12:00:00.500Z`;
const EARLIER = `${DAY}T09:00:00Z`;
const LATER = `${DAY}T15:00:00Z`;
const CUSTOMERS = '210000000002';
const ELSEWHERE = '210000000099';
const NEW = `arn:aws:iam::${RISK}:role/fairlead-risk-new`;
const MARKETING = '210000000005';

let test: TestBank;
let left: string;
let catalog: Catalog;

/** What a domain becomes at that time. */
async function becomes(id: string, at: string, more: Partial<Ledger.BodyOf<'DomainRegistered'>>): Promise<void> {
	const ctx = { ...systemContext(test.bank.platform, '0'.repeat(32)), clock: () => new Date(at) };
	const last = await Ledger.last(ctx, Ledger.stream.domain(id), 'DomainRegistered');
	if (last === null) throw new Error(`there is no ${id}`);
	const draft = { stream: Ledger.stream.domain(id), after: last, actor: 'system' };
	await Ledger.append(ctx, { ...draft, body: { ...last.body, ...more } });
}

beforeAll(async () => {
	test = await testBank();
	left = principalOf(test.world, 'risk', 'credit-risk');
	const risk = await Ledger.last(test.bank.platform, Ledger.stream.domain('risk'), 'DomainRegistered');
	const stay = risk?.body.principals.filter(({ arn }) => arn !== left) ?? [];
	await becomes('risk', CHANGE, { principals: [...stay, { arn: NEW, purpose: 'credit-risk' }] });
	await becomes('customers', CHANGE, { principals: [] });
	await becomes('marketing', CHANGE, { account: ELSEWHERE, principals: [] });
	catalog = await readCatalog(test.bank.platform);
});
afterAll(() => test.close());

describe('the registry of then', () => {
	it('has a principal until it leaves, and from when it comes; for the second of the change both', () => {
		const at = [EARLIER, CHANGE, LATER];
		expect(at.map((time) => catalog.isRegistered(left, time))).toEqual([true, true, false]);
		expect(at.map((time) => catalog.isRegistered(NEW, time))).toEqual([false, true, true]);
		expect(catalog.isRegistered(left, '2020-01-01T00:00:00Z')).toBe(false);
	});

	it('has an account as a domain’s own, and its work group as Fairlead’s, for as long as they were', () => {
		const of = (account: string) =>
			[EARLIER, LATER].map((at) => [catalog.domainOf(account, at), catalog.isOurs(account, 'fairlead-marketing', at)]);
		expect(of(MARKETING)).toEqual([
			['marketing', true],
			[null, false],
		]);
		expect(of(ELSEWHERE)).toEqual([
			[null, false],
			['marketing', true],
		]);
		expect(catalog.domainOf(RISK, '2020-01-01T00:00:00Z')).toBeNull();
	});

	it('has an account to look at as long as there were principals or published tables', () => {
		const on = (day: string) => catalog.placesOn(day).map(({ account, as }) => `${as} ${account}`);
		expect([BEFORE, DAY, AFTER].map((day) => on(day).includes(`consumer ${MARKETING}`))).toEqual([true, true, false]);
		const told = [DAY, AFTER].map((day) => on(day).filter((place) => place.endsWith(CUSTOMERS)));
		expect(told).toEqual([[`consumer ${CUSTOMERS}`], [`grantor ${CUSTOMERS}`]]);
		expect(on(dayIn(-1))).toEqual([]);
		expect(catalog.productsOf(LOANS, `${dayIn(-1)}T12:00:00Z`)).toEqual([]);
		expect(catalog.productsOf(LOANS, EARLIER)).toEqual(['lending.loans']);
	});
});

describe('a query that no flow accounts for', () => {
	const start = (role: string, at: string, workGroup = 'adhoc') => {
		const query = randomUUID();
		const sessionContext = { sessionIssuer: { arn: role } };
		tell(test.bank, {
			name: 'StartQueryExecution',
			at: new Date(at),
			record: {
				userIdentity: { type: 'AssumedRole', accountId: RISK, principalId: 'AROAEXAMPLEEXAMPLE07:x', sessionContext },
				requestParameters: { workGroup },
				responseElements: { queryExecutionId: query },
			},
		});
		return query;
	};

	it('is a bypass as a principal that was registered then, and another’s business as one that was not', async () => {
		const found = [start(left, EARLIER), start(NEW, LATER)];
		start(left, LATER);
		start(NEW, EARLIER);
		const checked = await again(tomorrow(test.bank, { clock: () => new Date(Date.parse(DAY) + 2 * DAY_MS) }), DAY);
		expect(checked?.body.counts).toMatchObject({ bypassing: 2, bypasses: 2, elsewhere: 2 });
		const known = (await bypasses(test.bank.platform)).map(({ body }) => body);
		expect(new Set(known.map(({ query }) => query))).toEqual(new Set(found));
		expect(known.every(({ reasons }) => reasons.includes('started-directly'))).toBe(true);
	});

	it('that read its domain’s tables is its own business as long as the account was the domain’s', async () => {
		const role = `arn:aws:iam::${LENDING}:role/etl`;
		const userIdentity = { type: 'AssumedRole', accountId: LENDING, principalId: 'AROAEXAMPLEEXAMPLE08:x' };
		const record = { userIdentity, additionalEventData: { requesterService: 'ATHENA', lakeFormationPrincipal: role } };
		const change = `${AFTER}T12:00:00.500Z`;
		await becomes('lending', change, { account: ELSEWHERE });
		tell(test.bank, { account: LENDING, at: new Date(`${AFTER}T09:00:00Z`), record });
		tell(test.bank, { account: LENDING, at: new Date(`${AFTER}T15:00:00Z`), record });
		const checked = await again(tomorrow(test.bank, { clock: () => new Date(Date.parse(AFTER) + 2 * DAY_MS) }), AFTER);
		expect(checked?.body.counts).toMatchObject({ ownDomain: 1, bypassing: 1 });
	});
});
