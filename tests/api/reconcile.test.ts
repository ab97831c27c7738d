/** Reconciling one product on demand, the rights that were never approved, and the lease that both sides share. */
import {
	CreateDataCellsFilterCommand,
	GrantPermissionsCommand,
	type Permission,
	type Resource,
	RevokePermissionsCommand,
} from '@aws-sdk/client-lakeformation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemContext } from '#core/context.ts';
import { LEASE_MS, take } from '#core/lease.ts';
import * as Ledger from '#core/ledger.ts';
import * as Reconcile from '#core/reconcile.ts';
import { run } from '#local/operate/run.ts';
import { principalOf } from '#local/story/world.ts';
import { administratorOf } from '#tests/administrator.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { expectRefusal, get, grantTo, post, refused, requestBody } from './harness.ts';

const ACCOUNT = '210000000001';
const at = { TableCatalogId: ACCOUNT, DatabaseName: 'lending', TableName: 'loans' };
const table: Resource = { Table: { CatalogId: ACCOUNT, DatabaseName: 'lending', Name: 'loans' } };

let test: TestBank;
let alice: string;
let other: string;
beforeAll(async () => {
	test = await testBank();
	alice = principalOf(test.world, 'risk', 'credit-risk');
	other = principalOf(test.world, 'risk', 'model-validation');
	await grantTo(test.world, 'alice', requestBody(test.world));
});
afterAll(() => test.close());

const lf = () => administratorOf(test.bank).lakeformation(ACCOUNT);
const right = (principal: string, Resource: Resource, Permissions: Permission[] = ['SELECT']) => ({
	Principal: { DataLakePrincipalIdentifier: principal },
	Resource,
	Permissions,
});
const reconcile = (who: 'olga' | 'oscar' | 'stella' | 'alice' | 'peter' | 'nick', product = 'lending.loans') =>
	post(who, '/reconciliations', { product });
const ours = () => {
	const [filter] = test.bank.aws.lakeFormationState().filters.filter((f) => f.name.startsWith('fl_'));
	return { DataCellsFilter: { ...at, Name: filter?.name ?? '' } };
};

describe('POST /reconciliations is refused', () => {
	it.each(['alice', 'peter'] as const)('to %s: neither governance nor owner of the product', async (who) => {
		await refused(test, reconcile(who), 403, 'not-permitted');
	});

	it('for a product that there is not, and alike to whom no domain registered', async () => {
		await refused(test, reconcile('oscar', 'lending.nosuch'), 404, 'not-found');
		await refused(test, reconcile('nick'), 404, 'not-found');
		await refused(test, reconcile('nick', 'lending.nosuch'), 404, 'not-found');
	});

	it('without a product, or with more than that', async () => {
		await refused(test, post('oscar', '/reconciliations', {}), 422, 'validation');
		await refused(test, post('oscar', '/reconciliations', { product: 'lending.loans', all: true }), 422, 'validation');
	});

	it('while the same product is looked at; the schedule has a lease of its own, and says when that is taken', async () => {
		const warned: unknown[][] = [];
		const platform = { ...test.bank.platform, warn: (...told: unknown[]) => void warned.push(told) };
		const ctx = systemContext(platform, '0'.repeat(32));
		const product = await take(ctx, 'reconcile#lending.loans');
		expectRefusal(await test.world.call(reconcile('oscar')), 409, 'conflict');
		expect((await test.world.call(reconcile('oscar', 'lending.accounts'))).status).toBe(200);
		expect(await Reconcile.scheduled(platform, '0'.repeat(32))).toMatchObject({ whole: true });
		await product?.release();
		const schedule = await take(ctx, 'reconcile');
		expect(warned).toEqual([]);
		expect(await Reconcile.scheduled(platform, '0'.repeat(32))).toBeNull();
		expect(warned).toEqual([['reconcile: another pass is under way', expect.objectContaining({ code: 'conflict' })]]);
		expect((await test.world.call(reconcile('oscar'))).status).toBe(200);
		await schedule?.release();
	});
});

describe('POST /reconciliations', () => {
	it.each(['olga', 'oscar', 'stella'] as const)('mends what is missing and tells it, for %s', async (who) => {
		await lf().send(new RevokePermissionsCommand(right(alice, ours())));
		const answer = await test.world.call(reconcile(who));
		expect(answer.status).toBe(200);
		expect(answer.body).toMatchObject({
			whole: true,
			tally: { tables: 1, checked: 1, repaired: 1, alerted: 0, failed: 0 },
			findings: [{ account: ACCOUNT, table: 'lending.loans', kind: 'missing-permission', principal: alice }],
		});
		const [last] = (await Ledger.read(test.bank.platform, Ledger.stream.table(tableRef))).toReversed();
		expect(last?.entry.actor).toMatch(/^per_/);
		expect((await test.world.call(reconcile(who))).body).toMatchObject({ findings: [] });
	});

	it('looks at that product alone', async () => {
		const answer = await test.world.call(reconcile('oscar', 'lending.accounts'));
		expect(answer.body).toMatchObject({ tally: { tables: 1, checked: 0 }, findings: [] });
	});
});

const denied = { name: 'AccessDeniedException', message: 'User is not authorized' };
const isOnLoans = (input: unknown) => JSON.stringify(input).includes('"loans"');
const tableRef = { account: ACCOUNT, database: 'lending', table: 'loans' };

describe('a lease', () => {
	const later = (ms: number) => {
		const clock = () => new Date(Date.now() + ms);
		return systemContext({ ...test.bank.platform, clock }, '0'.repeat(32));
	};

	it("is nobody else's until it runs out, and lost from then on", async () => {
		const one = await take(later(0), 'a');
		expect(one).not.toBeNull();
		expect(await take(later(LEASE_MS - 5_000), 'a')).toBeNull();
		expect(await take(later(0), 'b')).not.toBeNull();
		const two = await take(later(LEASE_MS + 5_000), 'a');
		expect(two).not.toBeNull();
		expect(await two?.held()).toBe(true);
	});

	it('is held on to by renewing; who lost it learns that, and takes nothing away by letting go', async () => {
		let ms = 0;
		const clock = () => new Date(Date.now() + ms);
		const mine = systemContext({ ...test.bank.platform, clock }, '0'.repeat(32));
		const one = await take(mine, 'c');
		ms = LEASE_MS * 0.75;
		expect(await one?.held()).toBe(true);
		expect(await take(later(LEASE_MS * 1.25), 'c')).toBeNull();
		ms = LEASE_MS * 2;
		const two = await take(later(LEASE_MS * 2), 'c');
		expect(two).not.toBeNull();
		expect(await one?.held()).toBe(false);
		await one?.release();
		expect(await take(later(LEASE_MS * 2), 'c')).toBeNull();
		await two?.release();
		expect(await take(later(LEASE_MS * 2), 'c')).not.toBeNull();
	});

	it('that was taken over ends the pass at the next table', async () => {
		let ms = 0;
		const clock = () => new Date(Date.now() + ms);
		const ctx = systemContext({ ...test.bank.platform, clock }, '0'.repeat(32));
		let thief: Awaited<ReturnType<typeof take>> = null;
		const dynamodb = test.bank.platform.aws.dynamodb;
		dynamodb.middlewareStack.add(
			(next, { commandName }) =>
				async (args) => {
					const { ExpressionAttributeValues: values = {} } = args.input as {
						ExpressionAttributeValues?: Record<string, { S?: string }>;
					};
					if (thief === null && commandName === 'QueryCommand' && values[':pk']?.S === 'held') {
						ms = LEASE_MS * 2;
						thief = await take(ctx, 'reconcile');
					}
					return next(args);
				},
			{ step: 'initialize', name: 'thief' },
		);
		expect(await Reconcile.reconcile(ctx)).toMatchObject({ whole: false, tally: { tables: 0 } });
		dynamodb.middlewareStack.remove('thief');
		expect(thief).not.toBeNull();
		await (thief as Awaited<ReturnType<typeof take>>)?.release();
		expect(await Reconcile.reconcile(ctx)).toMatchObject({ whole: true, tally: { checked: 1 } });
	});
});

describe('GET /unapproved', () => {
	it.each(['olga', 'alice', 'rita'] as const)('is refused to %s', async (who) => {
		await refused(test, get(who, '/unapproved'), 403, 'not-permitted');
	});

	it('is refused for a domain that there is not', async () => {
		await refused(test, get('oscar', '/unapproved?domain=nowhere'), 404, 'not-found');
	});

	it('lists what is held on published tables and was never approved here, page by page; not what was', async () => {
		expect((await test.world.call(get('oscar', '/unapproved'))).body).toEqual({
			rights: [],
			unread: [],
			nextPageToken: null,
		});
		await lf().send(new GrantPermissionsCommand(right(other, table, ['SELECT', 'DESCRIBE'])));
		const filter = { ...at, Name: 'by_hand' };
		const RowFilter = { FilterExpression: "status = 'A'" };
		const TableData = { ...filter, ColumnNames: ['loan_id', 'status'], RowFilter };
		await lf().send(new CreateDataCellsFilterCommand({ TableData }));
		await lf().send(new GrantPermissionsCommand(right(alice, { DataCellsFilter: filter })));
		await lf().send(new GrantPermissionsCommand(right(other, ours())));
		const grantor = test.bank.platform.aws.roleIn.grantor(ACCOUNT);
		await lf().send(new GrantPermissionsCommand({ ...right(grantor, table), PermissionsWithGrantOption: ['SELECT'] }));
		const answer = await test.world.call(get('stella', '/unapproved?domain=lending'));
		const common = { product: 'lending.loans', account: ACCOUNT, table: 'lending.loans' };
		const { rights } = answer.body as { rights: object[] };
		expect(rights).toHaveLength(4);
		expect(rights).toEqual(
			expect.arrayContaining([
				expect.objectContaining({ ...common, principal: other, permissions: ['DESCRIBE'], on: 'table' }),
				expect.objectContaining({ ...common, principal: other, permissions: ['SELECT'], columns: null, rows: null }),
				expect.objectContaining({
					principal: alice,
					columns: ['loan_id', 'status'],
					rows: "status = 'A'",
					on: 'filter',
				}),
				expect.objectContaining({ principal: other, on: 'filter', since: expect.any(String), by: expect.any(String) }),
			]),
		);
		expect((await test.world.call(get('stella', '/unapproved?domain=payments'))).body).toMatchObject({ rights: [] });
		const paged: object[] = [];
		let token: string | null = null;
		let pages = 0;
		do {
			const more: string = token === null ? '' : `&pageToken=${encodeURIComponent(token)}`;
			const page = await test.world.call(get('stella', `/unapproved?domain=lending&pageSize=1${more}`));
			const body = page.body as { rights: object[]; nextPageToken: string | null };
			paged.push(...body.rights);
			token = body.nextPageToken;
			pages += 1;
		} while (token !== null);
		expect(paged).toEqual(rights);
		expect(pages).toBe(2);
	});

	it('is what `adopt --dry-run` prints; without it nothing is done, and it says what to do instead', async () => {
		const lines: string[] = [];
		const output = { out: (text: string) => void lines.push(text), err: (text: string) => void lines.push(text) };
		const token = await test.bank.issuer.token('stella');
		const to = ['--url', test.bank.api, '--token', token];
		expect(await run(['adopt', '--dry-run', '--json', ...to], output, {})).toBe(0);
		expect(lines.map((l) => (JSON.parse(l) as { table: string }).table)).toEqual(Array(4).fill('lending.loans'));
		lines.length = 0;
		test.bank.aws.faults.set([
			{ service: 'lakeformation', operation: 'ListPermissions', when: 'before', match: isOnLoans, error: denied },
		]);
		const answer = await test.world.call(get('stella', '/unapproved?domain=lending'));
		const unread = [{ product: 'lending.loans', account: ACCOUNT, table: 'lending.loans' }];
		expect([answer.status, answer.body]).toEqual([200, { rights: [], unread, nextPageToken: null }]);
		expect(await run(['adopt', '--dry-run', ...to], output, {})).toBe(1);
		expect(lines.join('\n')).toContain(`${ACCOUNT} lending.loans: its rights could not be read`);
		test.bank.aws.faults.clear();
		lines.length = 0;
		expect(await run(['adopt', ...to], output, {})).toBe(2);
		expect(lines.join('\n')).toMatch(/--dry-run.*POST \/api\/v1\/requests/s);
		lines.length = 0;
		expect(await run(['reconcile', '--product', 'lending.loans', ...to], output, {})).toBe(1);
		expect(lines.join('\n')).toMatch(/repaired.*extra-permission/s);
		expect(lines.at(-1)).toMatch(/1 tables, 1 entitlements: 1 repaired, 2 told, 0 left/);
	});
});
