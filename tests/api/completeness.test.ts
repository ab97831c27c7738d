/** What went past Fairlead, over HTTP: for whom, by pages, on record; and a day checked on demand. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { record } from '#core/completeness/bypass.ts';
import * as Completeness from '#core/completeness.ts';
import { systemContext } from '#core/context.ts';
import { take } from '#core/lease.ts';
import * as Ledger from '#core/ledger.ts';
import { run } from '#local/operate/run.ts';
import { check, LENDING, RISK, tell, today, tomorrow } from '#tests/completeness/world.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { finished, get, grantTo, post, readings, refused, requestBody } from './harness.ts';

let test: TestBank;
const table = (database: string, name: string, account = LENDING) => ({
	requestParameters: { tableArn: `arn:aws:glue:eu-central-1:${account}:table/${database}/${name}` },
});
const DAY_MS = 86_400_000;
const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);

type Day = { day: string; state: string; counts: Record<string, number> | null; accounts: number | null };
type Found = {
	day: Day;
	bypasses: {
		query: string | null;
		who: string | null;
		tables: { table: string }[];
		account: string;
		principal: string;
	}[];
	ownDomain: { principal: string }[];
	orphaned: string[] | null;
	unread: unknown[] | null;
	unreadable: unknown[] | null;
	nextPageToken: string | null;
};

beforeAll(async () => {
	test = await testBank();
	await grantTo(test.world, 'alice', requestBody(test.world));
	await finished(test.world, 'alice', 'SELECT loan_id FROM lending.loans');
	for (let n = 0; n < 3; n += 1) tell(test.bank);
	tell(test.bank, { record: table('customers', 'clients', '210000000002') });
	tell(test.bank, { record: { userIdentity: undefined } });
	expect(await check(tomorrow(test.bank))).toMatchObject({ checked: [today()], findings: 1 });
});
afterAll(() => test.close());

const onDay = (who: Parameters<typeof get>[0], more = '') => get(who, `/completeness/${today()}${more}`);

describe('is not there', () => {
	it.each(['alice', 'mia', 'paula', 'robot'] as const)(
		'to %s, who neither governs, runs nor supervises the mesh, nor owns',
		async (who) => {
			await refused(test, get(who, '/completeness'), 404, 'not-found');
			await refused(test, onDay(who), 404, 'not-found');
			await refused(test, post(who, '/completeness', {}), 404, 'not-found');
		},
	);

	it('to whom no domain registered', async () => {
		await refused(test, get('nick', '/completeness'), 404, 'not-found');
	});

	it('of a day that was not checked', async () => {
		await refused(test, get('oscar', `/completeness/${daysAgo(3)}`), 404, 'not-found');
		await refused(test, get('olga', `/completeness/${daysAgo(3)}`), 404, 'not-found');
	});
});

describe('a check on demand is refused', () => {
	it.each(['olga', 'stella', 'rita'] as const)('to %s, who may look', async (who) => {
		await refused(test, post(who, '/completeness', {}), 403, 'not-permitted');
	});

	it.each([
		['today', today()],
		['tomorrow', daysAgo(-1)],
		['long ago', daysAgo(60)],
		['no day', '2026-02-30'],
	])('for %s', async (_, day) => {
		await refused(test, post('oscar', '/completeness', { day }), 422, 'validation');
	});

	it('for a member more', async () => {
		await refused(test, post('oscar', '/completeness', { all: true }), 422, 'validation');
	});

	it('while somebody else checks the same day', async () => {
		const day = daysAgo(4);
		const lease = await take(systemContext(test.bank.platform, '0'.repeat(32)), `completeness#${day}`);
		await refused(test, post('oscar', '/completeness', { day }), 409, 'conflict');
		await lease?.release();
	});
});

describe('GET /completeness', () => {
	it.each(['oscar', 'stella', 'rita'] as const)('shows %s each day with its counts', async (who) => {
		const { status, body } = await test.world.call(get(who, '/completeness'));
		expect(status).toBe(200);
		expect((body as { days: Day[] }).days).toMatchObject([
			{ day: today(), state: 'findings', accounts: 6, counts: { bypasses: 4, unreadable: 1, matched: 4 } },
		]);
	});

	it.each([
		['olga', 'findings'],
		['peter', 'findings'],
		['petra', 'findings'],
	] as const)('shows %s, an owner, what it means for his products, and no counts', async (who, state) => {
		const { body } = await test.world.call(get(who, '/completeness'));
		expect((body as { days: Day[] }).days).toMatchObject([{ day: today(), state, counts: null, accounts: null }]);
	});
});

describe('to an owner', () => {
	const none = { matched: 0, ownDomain: 0, bypassing: 0, refused: 0, ungoverned: 0, elsewhere: 0, orphaned: 0 };
	const lists = { unread: [], unknownProducts: [], ownDomain: [], unreadable: [], orphaned: [] };
	const ctx = () => systemContext(test.bank.platform, '0'.repeat(32));
	const by = (...domains: string[]) => ({ all: false, domains }) as const;
	const stateOf = async (domain: string, day: string) => (await Completeness.seenDay(ctx(), by(domain), day))?.state;

	/** A day on which somebody's products were read past Fairlead. */
	async function checked(day: string, unreadable: number): Promise<void> {
		const counts = { ...none, unreadable, bypasses: 1 };
		const of = { type: 'CompletenessChecked' as const, day, state: 'findings' as const };
		const body = { ...of, accounts: 6, unreadAccounts: 0, ...lists, counts };
		await Ledger.append(ctx(), { stream: Ledger.stream.completeness(day), after: null, actor: 'system', body });
	}

	/** A query of these tables past Fairlead. */
	async function bypassed(day: string, query: string, tables: readonly [string, string, string][]): Promise<void> {
		const read = tables.map(([account, name, product]) => {
			const [database = ''] = product.split('.');
			return { account, database, table: name, products: [product] };
		});
		const who = { account: RISK, domain: 'risk', principal: null, principalId: null, service: null, workGroup: null };
		const what = { query, event: null, flow: null, reasons: ['unknown-query' as const], tables: read };
		await record(ctx(), [{ body: { day, seenAt: `${day}T10:00:00.000Z`, ...who, ...what }, more: {} }]);
	}

	it('a day is never clean with a record that nobody could judge', async () => {
		expect([await stateOf('lending', today()), await stateOf('payments', today())]).toEqual(['findings', 'incomplete']);
	});

	it('a day is clean on which nothing of his was read past Fairlead, whatever else was found', async () => {
		const day = daysAgo(9);
		await checked(day, 0);
		await bypassed(day, 'of-lending', [[LENDING, 'loans', 'lending.loans']]);
		expect([await stateOf('lending', day), await stateOf('payments', day)]).toEqual(['findings', 'clean']);
	});

	it('a bypass shows that read more tables than are named, his own among them', async () => {
		const day = daysAgo(10);
		await checked(day, 0);
		const many = Array.from(
			{ length: 30 },
			(_, n) => [LENDING, `t${n + 10}`, 'lending.loans'] as [string, string, string],
		);
		await bypassed(day, 'of-many', [...many, ['210000000002', 'clients', 'customers.clients']]);
		expect([await stateOf('customers', day), await stateOf('payments', day)]).toEqual(['findings', 'clean']);
		const found = ((await test.world.call(get('peter', `/completeness/${day}`))).body as Found).bypasses;
		expect(found).toMatchObject([{ query: 'of-many', tables: [], moreTables: true }]);
		const all = ((await test.world.call(get('stella', `/completeness/${day}`))).body as Found).bypasses;
		expect(all).toMatchObject([{ moreTables: true }]);
		expect(all[0]?.tables).toHaveLength(30);
	});

	it('shows by pages, each once, what read products of several domains of his, whatever read those of others', async () => {
		const day = daysAgo(11);
		await checked(day, 0);
		const clients: [string, string, string] = ['210000000002', 'clients', 'customers.clients'];
		const orders: [string, string, string] = ['210000000003', 'orders', 'payments.orders'];
		await bypassed(day, 'z-first', [clients]);
		await bypassed(day, 'z-second', [orders]);
		await bypassed(day, 'z-third', [clients, orders]);
		await bypassed(day, 'z-fourth', [orders]);
		// More than a call passes over, before them in the listing of the day.
		const { applyProjections, key } = Ledger.Listing;
		const lines = Array.from({ length: 450 }, (_, n) => `${RISK}#other-${1000 + n}`);
		await applyProjections(
			ctx(),
			lines.map((sk) => ({ op: 'put' as const, pk: key.bypasses(day), sk })),
		);
		const seen: (string | null)[][] = [];
		let token = '';
		do {
			const { body } = await test.world.call(get('peter', `/completeness/${day}?pageSize=3${token}`));
			const { bypasses, nextPageToken } = body as Found;
			seen.push(bypasses.map(({ query }) => query));
			token = nextPageToken === null ? '' : `&pageToken=${encodeURIComponent(nextPageToken)}`;
		} while (token !== '');
		expect(seen).toEqual([['z-first', 'z-fourth', 'z-second'], ['z-third']]);
	});
});

describe('GET /completeness/{day}', () => {
	it('shows by pages what was found, each once', async () => {
		const seen: (string | null)[] = [];
		let token: string | null = null;
		let pages = 0;
		do {
			const more: string = token === null ? '' : `&pageToken=${encodeURIComponent(token)}`;
			const { status, body } = await test.world.call(onDay('oscar', `?pageSize=1${more}`));
			expect(status).toBe(200);
			const page = body as Found;
			seen.push(...page.bypasses.map(({ query }) => query));
			token = page.nextPageToken;
			pages += 1;
		} while (token !== null);
		expect([seen.length, new Set(seen).size, pages]).toEqual([4, 4, 4]);
	});

	it('names account, table, principal and who it was to those who govern, and what could not be read', async () => {
		const { body } = await test.world.call(onDay('stella'));
		const { bypasses, unreadable, unread, orphaned } = body as Found;
		expect(bypasses).toContainEqual(
			expect.objectContaining({
				account: RISK,
				principal: `arn:aws:iam::${RISK}:role/analyst`,
				who: 'ada.lovelace',
				tables: [{ account: LENDING, table: 'lending.loans', products: ['lending.loans'] }],
				reasons: ['unknown-query', 'unregistered-principal'],
			}),
		);
		expect([unreadable, unread, orphaned]).toEqual([[expect.objectContaining({ lacks: 'userIdentity' })], [], []]);
	});

	it('shows an owner what read his products, without the name of a person', async () => {
		const { body } = await test.world.call(onDay('olga'));
		const { bypasses, unreadable, unread, orphaned } = body as Found;
		expect(bypasses).toHaveLength(3);
		expect(bypasses.map(({ who }) => who)).toEqual([null, null, null]);
		expect([unreadable, unread, orphaned]).toEqual([null, null, null]);
		const clients = (await test.world.call(onDay('peter'))).body as Found;
		expect(clients.bypasses.map(({ tables }) => tables.map((t) => t.table))).toEqual([['customers.clients']]);
	});

	it('that a regulator looked is on record, with how much he was shown', async () => {
		const before = (await readings(test)).length;
		await test.world.call(onDay('rita'));
		const all = await readings(test);
		expect(all).toHaveLength(before + 1);
		expect(all.find((r) => r.operation === 'getCompleteness')).toMatchObject({ shown: 4 });
		await test.world.call(onDay('oscar'));
		expect(await readings(test)).toHaveLength(before + 1);
	});
});

describe('POST /completeness', () => {
	it('checks a day for an operator, and says what it found; asked again, it writes nothing', async () => {
		const day = daysAgo(2);
		const { status, body } = await test.world.call(post('oscar', '/completeness', { day }));
		expect({ status, body }).toMatchObject({ status: 200, body: { day, state: 'clean', accounts: 0 } });
		const stream = Ledger.stream.completeness(day);
		const [first] = await Ledger.read(test.bank.platform, stream);
		expect(first?.entry.actor).toMatch(/^per_/);
		expect((await test.world.call(post('oscar', '/completeness', { day }))).status).toBe(200);
		expect(await Ledger.read(test.bank.platform, stream)).toHaveLength(1);
	}, 60_000);

	it('is what `npm run completeness` does, which tells what is left to explain', async () => {
		const lines: string[] = [];
		const output = { out: (text: string) => void lines.push(text), err: (text: string) => void lines.push(text) };
		const to = ['--url', test.bank.api, '--token', await test.bank.issuer.token('oscar')];
		expect(await run(['completeness', '--day', daysAgo(2), ...to], output, {})).toBe(0);
		expect(lines.at(-1)).toMatch(/: clean\. 0 accounts\./);
		lines.length = 0;
		expect(await run(['completeness', '--day', today(), ...to], output, {})).toBe(2);
		expect(lines.join()).toMatch(/422/);
	}, 60_000);
});

it('a bypass is proven to the owner of what was read, and to no other', async () => {
	const { bypasses } = (await test.world.call(onDay('olga'))).body as Found;
	const stream = Ledger.stream.bypass(RISK, bypasses[0]?.query ?? '');
	const [entry] = await Ledger.read(test.bank.platform, stream);
	const proof = `/ledger/entries/${entry?.entry.id}/proof`;
	// Recorded, and not sealed yet.
	await refused(test, get('olga', proof), 409, 'not-finished');
	await refused(test, get('peter', proof), 404, 'not-found');
	// Of so many tables that his is not named.
	const last = await Ledger.last(test.bank.platform, stream, 'BypassDetected');
	const domains = [...(last?.body.domains ?? []), 'customers'];
	const more = { ...(last?.body as Ledger.BodyOf<'BypassDetected'>), moreTables: true, domains };
	await Ledger.append(systemContext(test.bank.platform, '0'.repeat(32)), {
		stream,
		after: last,
		actor: 'system',
		body: more,
	});
	await refused(test, get('peter', proof), 409, 'not-finished');
});

it('what the ledger holds of it names nobody', async () => {
	let start: string | null = null;
	let texts = '';
	do {
		const page = await Ledger.rawPage(test.bank.platform, start, 500);
		texts += page.items.map(({ bytes }) => Buffer.from(bytes).toString()).join('\n');
		start = page.next;
	} while (start !== null);
	expect(texts).toContain('BypassDetected');
	expect(texts).not.toContain('lovelace');
});
