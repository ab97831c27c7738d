/** Records that are strange, doubled, missing or of somebody else; and AWS that does not answer. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { baseOf } from '#core/completeness/days.ts';
import { load } from '#core/completeness/progress.ts';
import { systemContext } from '#core/context.ts';
import * as Ledger from '#core/ledger.ts';
import * as Lineage from '#core/lineage.ts';
import { principalOf, startQuery } from '#local/story/world.ts';
import { finished, grantTo, post, requestBody } from '#tests/api/harness.ts';
import { entriesIn, type TestBank, testBank } from '#tests/fixtures.ts';
import { again, bypasses, check, checkedOn, LENDING, LOANS, over, RISK, tell, today, tomorrow } from './world.ts';

let test: TestBank;
let principal: string;
let execution: string;
beforeAll(async () => {
	test = await testBank();
	principal = principalOf(test.world, 'risk', 'credit-risk');
	await grantTo(test.world, 'alice', requestBody(test.world));
	execution = (await finished(test.world, 'alice', 'SELECT loan_id FROM lending.loans')).execution ?? '';
});
afterAll(() => test.close());
afterEach(() => {
	test.bank.aws.faults.clear();
	test.bank.aws.deliverEvents({});
});

const STRANGER = '299999999999';
const stranger = { type: 'AWSAccount', principalId: 'AROASTRANGERSTRANGER:x', accountId: STRANGER };
const DENIED = { name: 'AccessDeniedException', message: 'not authorized' };
const request = (more: object = {}) => ({
	tableArn: `arn:aws:glue:eu-central-1:${LENDING}:table/lending/loans`,
	permissions: ['SELECT'],
	...more,
});
const audit = (id: string) => ({ auditContext: { additionalAuditContext: `{queryId: ${id}}` } });
const as = (role: string) => ({
	userIdentity: { type: 'AssumedRole', accountId: RISK, principalId: 'AROAEXAMPLEEXAMPLE09:fairlead' },
	additionalEventData: { requesterService: 'ATHENA', lakeFormationPrincipal: role },
});

const ANALYST = `arn:aws:iam::${RISK}:role/analyst`;
/** A read of a table that is not published. */
const engine = (requesterService: string, role: string) => ({
	...as(role),
	requestParameters: request({ tableArn: `arn:aws:glue:eu-central-1:${LENDING}:table/lending/secret_project` }),
	additionalEventData: { requesterService, lakeFormationPrincipal: role },
});

/** What is new in the counts of today, and the bypasses that were not there, after `more` was told. */
async function after(more: () => unknown) {
	const platform = tomorrow(test.bank);
	const [before, known] = [(await again(platform))?.body.counts, await bypasses(platform)];
	await more();
	const counts = (await again(platform))?.body.counts;
	const found = (await bypasses(platform)).filter((b) => !known.some((k) => k.leaf === b.leaf));
	const names = Object.keys(counts ?? {}) as (keyof NonNullable<typeof counts>)[];
	const grown = names.map((name) => [name, (counts?.[name] ?? 0) - (before?.[name] ?? 0)] as const);
	return { grown: Object.fromEntries(grown.filter(([, n]) => n !== 0)), found: found.map(({ body }) => body) };
}

describe('a record', () => {
	it.each<[string, Record<string, unknown>, string]>([
		['of nobody', { userIdentity: undefined }, 'userIdentity'],
		['of no account', { userIdentity: { type: 'AWSService' } }, 'userIdentity.accountId'],
		['of no table', { requestParameters: { permissions: ['SELECT'] } }, 'requestParameters.tableArn'],
		[
			'of something that is no table',
			{ requestParameters: request({ tableArn: 'arn:aws:s3:::lake' }) },
			'requestParameters.tableArn',
		],
		['of no service', { additionalEventData: { lakeFormationPrincipal: 'x' } }, 'additionalEventData.requesterService'],
		['without parameters', { requestParameters: null }, 'requestParameters'],
	])('%s is counted and named, and no day with it is clean', async (_, record, lacks) => {
		let id = '';
		const { grown, found } = await after(() => {
			id = tell(test.bank, { record });
		});
		expect([grown, found]).toEqual([{ unreadable: 1 }, []]);
		const checked = await checkedOn(tomorrow(test.bank));
		expect(checked?.body.unreadable).toContainEqual({ account: RISK, event: id, lacks });
		expect(checked?.body.state).toBe('findings');
	});

	it('that comes twice counts once', async () => {
		test.bank.aws.deliverEvents({ duplicate: 1, seed: 1 });
		const { grown, found } = await after(() => tell(test.bank));
		expect(grown).toEqual({ bypassing: 1, bypasses: 1 });
		expect(found).toHaveLength(1);
	});

	it('of a table that is not published is nobody’s business: counted, not stored', async () => {
		const tableArn = `arn:aws:glue:eu-central-1:${LENDING}:table/lending/secret_project`;
		const { grown, found } = await after(() =>
			tell(test.bank, { record: { requestParameters: request({ tableArn }) } }),
		);
		expect([grown, found]).toEqual([{ ungoverned: 1 }, []]);
		const raw = await Ledger.rawStream(test.bank.platform, Ledger.stream.completeness(today()));
		expect(raw.map(({ bytes }) => Buffer.from(bytes).toString()).join()).not.toContain('secret_project');
	});

	it('of a call that AWS refused read nothing', async () => {
		const { grown, found } = await after(() => tell(test.bank, { record: { errorCode: 'AccessDenied' } }));
		expect([grown, found]).toEqual([{ refused: 1 }, []]);
	});

	it('of another day is of that day', async () => {
		const { grown } = await after(() => tell(test.bank, { at: new Date(Date.now() - 26 * 3_600_000) }));
		expect(grown).toEqual({});
	});

	it('by a role that nobody registered tells role, table and time; the session’s name is in the payload alone', async () => {
		const { grown, found } = await after(() => tell(test.bank));
		expect(grown).toEqual({ bypassing: 1, bypasses: 1 });
		expect(found).toMatchObject([
			{
				account: RISK,
				domain: 'risk',
				principal: `arn:aws:iam::${RISK}:role/analyst`,
				principalId: 'AROAEXAMPLEEXAMPLE01',
				reasons: ['unknown-query', 'unregistered-principal'],
				tables: [{ ...LOANS, products: ['lending.loans'] }],
			},
		]);
		const all = await bypasses(test.bank.platform);
		const entry = all.find(({ body }) => body.query === found[0]?.query);
		expect(Buffer.from(entry?.stored.bytes ?? []).toString()).not.toContain('ada.lovelace');
		expect(entry && (await Ledger.payload(test.bank.platform, entry.entry))).toMatchObject({ session: 'ada.lovelace' });
	});

	it('by a person who is no role names him in the payload alone', async () => {
		const arn = `arn:aws:iam::${RISK}:user/grace.hopper`;
		const userIdentity = { type: 'IAMUser', accountId: RISK, principalId: 'AIDAEXAMPLEEXAMPLE02', arn };
		const additionalEventData = { requesterService: 'ATHENA', lakeFormationPrincipal: arn };
		const { found } = await after(() => tell(test.bank, { record: { userIdentity, additionalEventData } }));
		expect(found).toMatchObject([{ principal: null, principalId: 'AIDAEXAMPLEEXAMPLE02' }]);
		expect(JSON.stringify(found)).not.toContain('hopper');
	});

	it('of another engine is a bypass, for each record that names no query', async () => {
		const more = { requestParameters: request(), additionalEventData: { requesterService: 'EMR' } };
		const { grown, found } = await after(() => {
			tell(test.bank, { record: more });
			tell(test.bank, { record: more });
		});
		expect(grown).toEqual({ bypassing: 2, bypasses: 2 });
		expect(found).toMatchObject([
			{ service: 'EMR', query: null },
			{ reasons: ['no-query', 'other-service', 'unregistered-principal'] },
		]);
	});

	it.each<[string, 'bypassing' | 'ungoverned' | 'refused', () => Record<string, unknown>]>([
		['as a registered principal is a bypass, whatever was read', 'bypassing', () => engine('EMR', principal)],
		['as a role that nobody registered is nobody’s business', 'ungoverned', () => engine('EMR', ANALYST)],
		['as a registered principal that AWS refused', 'refused', () => ({ ...engine('EMR', principal), errorCode: 'x' })],
		[
			'as a registered principal through Athena is judged by its start',
			'ungoverned',
			() => engine('ATHENA', principal),
		],
	])('of a table that is not published, %s', async (_, of, record) => {
		const { grown, found } = await after(() => tell(test.bank, { record: record() }));
		expect(grown).toEqual({ [of]: 1, ...(of === 'bypassing' ? { bypasses: 1 } : {}) });
		const reasons = ['no-query', 'other-service'];
		const seen = of === 'bypassing' ? [{ principal, service: 'EMR', flow: null, reasons, tables: [] }] : [];
		expect(found).toMatchObject(seen);
		expect(JSON.stringify(found)).not.toContain('secret_project');
	});

	it('with the id of a flow’s execution, as somebody else, for another table or from another service, is a bypass', async () => {
		const other = principalOf(test.world, 'risk', 'model-validation');
		const accounts = { tableArn: `arn:aws:glue:eu-central-1:${LENDING}:table/lending/accounts`, ...audit(execution) };
		const spark = { requesterService: 'EMR', lakeFormationPrincipal: principal };
		const { grown, found } = await after(() => {
			tell(test.bank, { record: { ...as(other), requestParameters: request(audit(execution)) } });
			tell(test.bank, { record: { ...as(principal), requestParameters: request(accounts) } });
			tell(test.bank, {
				record: { ...as(principal), additionalEventData: spark, requestParameters: request(audit(execution)) },
			});
		});
		expect(grown).toEqual({ bypassing: 3, bypasses: 1 });
		expect(found.at(-1)).toMatchObject({
			flow: expect.stringMatching(/^qry_/),
			reasons: ['other-principal', 'other-table', 'other-service'],
		});
	});

	it('in the owner’s account alone, of an account that no domain has, is a bypass by an id', async () => {
		const record = { userIdentity: stranger, additionalEventData: { requesterService: 'ATHENA' } };
		const { found } = await after(() => tell(test.bank, { account: LENDING, record }));
		expect(found).toMatchObject([
			{
				account: STRANGER,
				domain: null,
				principal: null,
				principalId: 'AROASTRANGERSTRANGER',
				reasons: ['unknown-query'],
			},
		]);
	});

	it('and its copy in the owner’s account tell of one bypass', async () => {
		const of = { requestParameters: request(audit('copied-query')) };
		const userIdentity = { type: 'AWSAccount', principalId: 'AROAEXAMPLEEXAMPLE01:x', accountId: RISK };
		const { grown, found } = await after(() => {
			tell(test.bank, { record: of });
			tell(test.bank, { account: LENDING, record: { ...of, userIdentity, additionalEventData: {} } });
		});
		expect(grown).toEqual({ bypassing: 2, bypasses: 1 });
		expect(new Set(found.map(({ query }) => query))).toEqual(new Set(['copied-query']));
		expect(found.at(-1)?.principal).toBe(`arn:aws:iam::${RISK}:role/analyst`);
	});
});

describe('AWS', () => {
	const lookups = { service: 'cloudtrail', operation: 'LookupEvents' } as const;
	beforeAll(() => void tell(test.bank));

	it('that is asked too often is asked again', async () => {
		test.bank.aws.faults.set([{ ...lookups, when: 'throttle', times: 6 }]);
		const platform = tomorrow(test.bank);
		expect((await again(platform))?.body).toMatchObject({ state: 'findings', unread: [], unreadAccounts: 0 });
	});

	it.each([
		['throttled', { ...lookups, when: 'throttle' as const }],
		['refused', { ...lookups, when: 'before' as const, error: DENIED }],
		[
			'refused',
			{ service: 'athena' as const, operation: 'ListQueryExecutions', when: 'before' as const, error: DENIED },
		],
		['unavailable', { ...lookups, when: 'before' as const }],
	])('%s: the day is incomplete and never clean, told aloud, and whole once it answers', async (why, rule) => {
		const told: string[] = [];
		const platform = tomorrow(test.bank, { warn: (message) => void told.push(message) });
		const entries = await entriesIn(test);
		test.bank.aws.faults.set([{ ...rule, match: (_: unknown, call) => call.caller.account === RISK }]);
		const checked = await again(platform);
		expect(checked?.body).toMatchObject({ state: 'incomplete', unread: [{ account: RISK, why }], unreadAccounts: 1 });
		expect(told).toContain('completeness: incomplete day');
		expect(told).toContain('completeness: an account cannot be read');
		test.bank.aws.faults.clear();
		// The schedule comes back to it by itself.
		expect(await check(platform)).toMatchObject({ checked: [today()], incomplete: 0, findings: 1 });
		expect((await checkedOn(platform))?.body.state).toBe('findings');
		expect(await entriesIn(test)).toBe(entries + 2);
		expect(await check(platform)).toMatchObject({ checked: [] });
	});

	it('a role that cannot be assumed is an account that cannot be read', async () => {
		const { cloudtrail } = test.bank.platform.aws;
		const aws = {
			...test.bank.platform.aws,
			cloudtrail: (account: string) => cloudtrail(account === LENDING ? STRANGER : account),
		};
		const checked = await again(tomorrow(test.bank, { aws }));
		expect(checked?.body).toMatchObject({ state: 'incomplete', unread: [{ account: LENDING, why: 'refused' }] });
		expect((await again(tomorrow(test.bank)))?.body.state).toBe('findings');
	});
});

describe('a flow', () => {
	it('whose execution nobody lived to note is known by the token that it was started with', async () => {
		const isNote = (input: unknown) => JSON.stringify(input).includes('hint#execution#');
		test.bank.aws.faults.set([{ service: 'dynamodb', operation: 'PutItem', when: 'before', match: isNote }]);
		const body = { sql: 'SELECT status FROM lending.loans', principal };
		const answer = await test.world.call(post('alice', '/queries', body));
		expect(answer.status).toBeGreaterThanOrEqual(500);
		test.bank.aws.faults.clear();
		const platform = tomorrow(test.bank);
		const known = await bypasses(platform);
		const checked = await again(platform);
		expect(await bypasses(platform)).toEqual(known);
		// Nobody saw its end either: that is what is left of it to explain.
		expect(checked?.body.counts.orphaned).toBe(1);
		const [flow] = checked?.body.orphaned ?? [];
		// What CloudTrail says is kept apart: whoever follows the flow finds its execution for himself.
		const ctx = systemContext(platform, '');
		expect(await Ledger.Listing.readHint(ctx, `execution#${flow}`)).toBeNull();
		expect(await Ledger.Listing.readHint(ctx, `completeness#started#${flow}`)).toContain(principal);
	});

	it('that may account for a record holds up no other one: what is certain is recorded, the rest once it can be judged', async () => {
		const platform = tomorrow(test.bank);
		const before = (await again(platform))?.body.counts.bypassing ?? 0;
		const seen = async () => new Set((await bypasses(platform)).map(({ entry }) => entry.stream)).size;
		const known = await seen();
		// Newest first, and by pages of fifty: some of them come after it.
		for (let n = 0; n < 55; n += 1) tell(test.bank, { account: LENDING, record: { userIdentity: stranger } });
		const { id } = (await startQuery(test.world, 'SELECT loan_id FROM lending.loans')).body as { id: string };
		const ctx = systemContext(test.bank.platform, '0'.repeat(32));
		await over(test.bank, principal, (await Lineage.startedNoted(ctx, { id })) ?? '');
		await Ledger.Listing.remove(ctx, `hint#execution#${id}`, '-');
		const silent = { service: 'cloudtrail', operation: 'LookupEvents', when: 'before', error: DENIED } as const;
		test.bank.aws.faults.set([{ ...silent, match: (_: unknown, call) => call.caller.account === RISK }]);
		const unread = [
			{ account: LENDING, why: 'unavailable' },
			{ account: RISK, why: 'refused' },
		];
		expect((await again(platform))?.body).toMatchObject({ state: 'incomplete', unread });
		expect(await seen()).toBe(known + 55);
		// Nothing is counted, and what was gone through in vain to find their flows is kept.
		const kept = await load(ctx, { day: today(), base: await baseOf(ctx, today()), account: LENDING });
		expect([kept.accesses.done, kept.tally.bypassing, Object.keys(kept.sought)]).toEqual([false, 0, ['lending.loans']]);

		const flow = await Lineage.get(ctx, id);
		const cancelled = { type: 'FlowCancelled', flow: id, execution: null, cause: 'grant-ended' } as const;
		const end = flow === null ? null : (await Lineage.conclude(ctx, flow, cancelled)).ended;
		const at = new Date(Date.parse(end?.entry.at ?? '') + 1000);
		const userIdentity = { type: 'AWSAccount', principalId: 'AROAEXAMPLEEXAMPLE09:x', accountId: RISK };
		tell(test.bank, { account: LENDING, at, record: { userIdentity, additionalEventData: {} } });
		expect((await again(platform))?.body).toMatchObject({ state: 'incomplete', unread });
		expect(await seen()).toBe(known + 56);

		test.bank.aws.faults.clear();
		const checked = await again(platform);
		expect(checked?.body).toMatchObject({ state: 'findings', unread: [] });
		expect([await seen(), checked?.body.counts.bypassing]).toEqual([known + 56, before + 56]);
	}, 60_000);

	it('whose listing was lost is found all the same', async () => {
		const { key } = Ledger.Listing;
		await Ledger.Listing.remove(test.bank.platform, key.execution(execution), (await flowOf(execution)) ?? '');
		const known = await bypasses(test.bank.platform);
		await again(tomorrow(test.bank));
		expect(await bypasses(test.bank.platform)).toEqual(known);
		expect(await flowOf(execution)).toMatch(/^qry_/);
	});
});

async function flowOf(id: string): Promise<string | undefined> {
	return (await Ledger.Listing.list(test.bank.platform, Ledger.Listing.key.execution(id), { limit: 1 })).keys[0];
}
