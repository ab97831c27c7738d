/** What is shown before a decision is what Lake Formation would be given; and what a refused union tells. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as Catalog from '#core/catalog.ts';
import { systemContext } from '#core/context.ts';
import type { GrantView } from '#core/grants.ts';
import { type PreviewView, preview, type TablePreview } from '#core/preview.ts';
import { type Handle, people } from '#local/people.ts';
import { principalOf } from '#local/story/world.ts';
import { type TestBank, testBank } from '../fixtures.ts';
import { decision, file, get, grantTo, type Problem, post, refused, requestBody, seen } from './harness.ts';
import { enrol } from './registration.ts';

let test: TestBank;

beforeAll(async () => {
	test = await testBank();
	await enrol(test, 'risk', { alice: ['consumer'], carl: ['consumer'] });
	await enrol(test, 'marketing', { mia: ['consumer'], nick: ['consumer'] });
});

afterAll(() => test.close());

/** Loans for alice; each test has a purpose of its own, and so a principal. */
function loans(columns: string[], rowFilter: string | null, purpose = 'credit-risk') {
	const principal = principalOf(test.world, 'risk', purpose);
	return requestBody(test.world, { tables: [{ table: 'loans', columns, rowFilter }], purpose, principal });
}

async function shown(who: Handle, path: string): Promise<TablePreview> {
	const { status, body } = await test.world.call(get(who, path));
	expect({ status, body }).toMatchObject({ status: 200 });
	const { tables } = body as PreviewView;
	expect(tables).toHaveLength(1);
	return tables[0] as TablePreview;
}

const ofRequest = (who: Handle, { view }: { view: { id: string } }) => shown(who, `/requests/${view.id}/preview`);
const names = (columns: TablePreview['gains']['columns']) => columns.map((c) => c.name);
const inDebt = `"status" = 'D'`;

describe('a pending request', () => {
	const purpose = 'model-validation';
	let first: GrantView;

	it('is hidden from whom it does not concern; the regulator reads it, but is told no more than it says', async () => {
		const asked = await file(test.world, 'alice', loans(['loan_id'], "status = 'D'", purpose));
		const path = `/requests/${asked.view.id}/preview`;
		await refused(test, get('carl', path), 404, 'not-found');
		await refused(test, get('peter', path), 404, 'not-found');
		await refused(test, get('rita', path), 403, 'not-permitted');
		await test.world.call(post('alice', `/requests/${asked.view.id}/cancel`));
		await refused(test, get('olga', path), 409, 'already-decided');
	});

	it('shows everything it opens where nothing is held, under the ETag that a decision binds', async () => {
		const asked = await file(test.world, 'alice', loans(['loan_id', 'status'], "status = 'D'", purpose));
		const answer = await test.world.call(get('olga', `/requests/${asked.view.id}/preview`));
		expect(answer.headers.get('etag')).toBe(asked.etag);
		expect(answer.body).toMatchObject({ principal: principalOf(test.world, 'risk', purpose), exact: true });
		const table = await ofRequest('olga', asked);
		expect(table).toEqual({
			table: 'lending.loans',
			before: null,
			after: { columns: ['loan_id', 'status'], rowFilter: inDebt },
			gains: {
				columns: [
					{ name: 'loan_id', classification: 'internal', personal: false },
					{ name: 'status', classification: 'confidential', personal: false },
				],
				rows: 'some',
				classification: 'confidential',
				personal: false,
			},
			loses: { columns: [], rows: 'none', classification: null, personal: false },
			with: [],
			hidden: 0,
			clash: null,
			flags: [],
		});
		expect(await ofRequest('alice', asked)).toEqual(table);
		const { body } = await test.world.call(decision('olga', asked));
		first = (body as { grant: GrantView }).grant;
		expect(first.state).toBe('granted');
		await refused(test, get('olga', `/requests/${asked.view.id}/preview`), 409, 'already-decided');
	});

	it('adds up with what is held: more columns of the same rows, more rows of the same columns, or nothing new', async () => {
		const more = await ofRequest('olga', await file(test.world, 'alice', loans(['amount'], "status = 'D'", purpose)));
		expect(more).toMatchObject({
			before: { columns: ['loan_id', 'status'], rowFilter: inDebt },
			after: { columns: ['amount', 'loan_id', 'status'], rowFilter: inDebt },
			gains: { rows: 'none', classification: 'confidential' },
			with: [first.id],
		});
		expect(names(more.gains.columns)).toEqual(['amount']);

		const all = await ofRequest('olga', await file(test.world, 'alice', loans(['loan_id', 'status'], null, purpose)));
		expect(all).toMatchObject({
			after: { columns: ['loan_id', 'status'], rowFilter: null },
			gains: { columns: [], rows: 'all', classification: 'confidential' },
		});

		const same = await ofRequest('olga', await file(test.world, 'alice', loans(['status'], "status = 'D'", purpose)));
		expect(same.after).toEqual(same.before);
		expect(same.gains).toEqual({ columns: [], rows: 'none', classification: null, personal: false });
	});

	it('flags to the approver what restricts nothing, asked alone or together with what is held', async () => {
		const free = await file(test.world, 'alice', loans(['loan_id', 'status'], "status LIKE '%'", purpose));
		expect((await ofRequest('olga', free)).flags).toEqual([
			{
				of: 'asked',
				part: `"status" LIKE '%'`,
				detail: 'Going by the contract on `status`, this filter lets every row through: it restricts nothing.',
			},
		]);
		const rest = await file(test.world, 'alice', loans(['loan_id', 'status'], "status <> 'D'", purpose));
		expect((await ofRequest('olga', rest)).flags).toMatchObject([
			{
				of: 'after',
				part: `("status" <> 'D') OR ("status" = 'D')`,
				detail:
					'Going by the contract on `status`, the one filter of all its grants lets every row through: it restricts nothing.',
			},
		]);
	});

	it('shows of a grant what is seen with it and without it', async () => {
		const second = await grantTo(test.world, 'alice', loans(['loan_id', 'amount'], "status = 'D'", purpose));
		const path = `/grants/${second.id}/preview`;
		const table = await shown('alice', path);
		expect(table).toMatchObject({
			before: { columns: ['amount', 'loan_id', 'status'], rowFilter: inDebt },
			after: { columns: ['loan_id', 'status'], rowFilter: inDebt },
			loses: { columns: [{ name: 'amount' }], rows: 'none', classification: 'confidential' },
			with: [first.id],
			clash: null,
		});
		expect(await shown('olga', path)).toEqual(table);
		await refused(test, get('carl', path), 404, 'not-found');
		await refused(test, get('rita', path), 403, 'not-permitted');
		await test.world.call(post('olga', `/grants/${second.id}/revoke`, { reason: 'over' }));
		const over = await shown('olga', path);
		expect(over.before).toEqual(table.after);
		expect(over.after).toEqual(table.after);
	});
});

describe('a union that is not exact', () => {
	const held = () => loans(['loan_id', 'status'], "status IN ('B','D')");
	const other = () => loans(['loan_id', 'amount'], "status = 'A'");
	const unapproved = [
		{ columns: ['amount'], rowFilter: `"status" IN ('B', 'D')` },
		{ columns: ['status'], rowFilter: `"status" = 'A'` },
	];
	const ways = (told: unknown) => new Map((told as { way: string; detail: string }[]).map((w) => [w.way, w]));
	let grant: GrantView;

	it('is shown to the approver with the cells that nobody approved, and refused to him with the same', async () => {
		const asked = await file(test.world, 'alice', other());
		grant = await grantTo(test.world, 'alice', held());
		const answer = await test.world.call(get('olga', `/requests/${asked.view.id}/preview`));
		expect(answer.body).toMatchObject({ exact: false });
		const table = await ofRequest('olga', asked);
		expect(table).toMatchObject({
			before: { columns: ['loan_id', 'status'], rowFilter: `"status" IN ('B', 'D')` },
			after: null,
			gains: { columns: [{ name: 'amount' }], rows: 'some' },
			loses: { columns: [], rows: 'none' },
			clash: { reason: 'unapproved-cells', unapproved },
		});
		const problem = await refused(test, decision('olga', asked), 409, 'union-not-exact');
		expect(problem).toMatchObject({ table: 'lending.loans', ...table.clash });
		expect(ways(problem['waysOut']).get('replace-grant')).toMatchObject({ grants: [grant.id] });
		await test.world.call(decision('olga', asked, 'reject'));
	});

	it('is refused to who asks, with ways out that are open', async () => {
		const problem = await refused(test, post('alice', '/requests', other()), 409, 'union-not-exact');
		expect(problem).toMatchObject({ reason: 'unapproved-cells', unapproved });
		const told = ways(problem['waysOut']);
		expect([...told.keys()]).toEqual(['other-principal', 'replace-grant', 'same-rows', 'same-columns']);
		expect(told.get('other-principal')).toMatchObject({ principals: [], detail: expect.stringContaining('steward') });
		expect(told.get('replace-grant')).toMatchObject({ grants: [grant.id] });
		for (const way of ['same-rows', 'same-columns'] as const) {
			const { columns, rowFilter } = told.get(way) as unknown as { columns: string[]; rowFilter: string };
			const { view } = await file(test.world, 'alice', loans(columns, rowFilter));
			await test.world.call(post('alice', `/requests/${view.id}/cancel`));
		}
	});

	it('is one again where the new grant takes the place of the old one, whose other columns are then lost', async () => {
		const { platform } = test.bank;
		const ctx = systemContext(platform, '0'.repeat(32));
		const product = await Catalog.get(ctx, 'lending.loans');
		if (product === null) throw new Error('no such product');
		const { principal } = grant;
		const table = { account: '210000000001', database: 'lending', table: 'loans' };
		const scopes = [{ table, columns: ['amount', 'loan_id'], rowFilter: null }];
		const { exact, tables } = await preview(ctx, { principal, product, scopes, instead: grant.id });
		expect([exact, tables[0]]).toMatchObject([
			true,
			{
				after: { columns: ['amount', 'loan_id'], rowFilter: null },
				gains: { columns: [{ name: 'amount' }], rows: 'all' },
				loses: { columns: [{ name: 'status' }], rows: 'none' },
				with: [],
			},
		]);
	});

	it('names no grant of others to a colleague who may not see it', async () => {
		const problem = await refused(test, post('carl', '/requests', other()), 409, 'union-not-exact');
		expect(JSON.stringify(problem)).not.toContain(grant.id);
		expect(ways(problem['waysOut']).get('replace-grant')).toMatchObject({
			grants: [],
			detail: expect.stringMatching(/^A grant of others/),
		});
		const exact = await file(test.world, 'carl', loans(['loan_id', 'status'], "status = 'A'"));
		expect(await ofRequest('carl', exact)).toMatchObject({ with: [], hidden: 1 });
		expect(await ofRequest('olga', exact)).toMatchObject({ with: [grant.id], hidden: 0 });
	});

	it('names the principals of the domain that could take it', async () => {
		const arn = 'arn:aws:iam::210000000004:role/fairlead-risk-credit-risk-2';
		const { body, headers } = await test.world.call({ who: 'stella', path: '/api/v1/domains/risk' });
		expect(headers.get('etag')).not.toBeNull();
		await withPrincipals((body as { principals: object[] }).principals.concat({ arn, purpose: 'credit-risk' }));
		const problem = await refused(test, post('alice', '/requests', other()), 409, 'union-not-exact');
		expect(ways(problem['waysOut']).get('other-principal')).toMatchObject({ principals: [arn] });
	});

	/** The domain risk as it is enrolled here, with these principals. */
	async function withPrincipals(principals: object[]): Promise<void> {
		const found = test.world.domains.find((d) => d.id === 'risk');
		const known = { issuer: test.bank.issuer.issuer, roles: ['consumer'] };
		const members = ['u-7f3a91c4', 'u-c3917e5b'].map((subject) => ({ ...known, subject }));
		const path = '/api/v1/domains/risk';
		const body = { ...found, id: undefined, members, principals };
		const headers = await seen(test, path);
		expect((await test.world.call({ who: 'stella', method: 'PUT', path, body, headers })).status).toBe(200);
	}
});

describe('constants that others compare with personal columns', () => {
	const clients = (columns: string[], rowFilter: string) => {
		const principal = principalOf(test.world, 'marketing', 'service-improvement');
		const tables = [{ table: 'clients', columns, rowFilter }];
		return requestBody(test.world, {
			product: 'customers.clients',
			tables,
			purpose: 'service-improvement',
			principal,
		});
	};

	const both = ['client_id', 'district_id'];
	const tried = async (rowFilter: string) => {
		const body = clients(both, rowFilter);
		const { status, body: told } = await test.world.call(post('nick', '/requests?dryRun=true', body));
		expect({ status, told }).toMatchObject({ status: 200 });
		return (told as { preview: PreviewView }).preview;
	};

	it('are shown to those who may see the grant, and hidden from a colleague', async () => {
		const held = await grantTo(test.world, 'mia', clients(both, 'client_id = 4711'), ['peter', 'paula']);
		const ask = clients(['district_id'], 'district_id = 1');
		const own = await refused(test, post('mia', '/requests', ask), 409, 'union-not-exact');
		expect(own).toMatchObject({ unapproved: [{ columns: ['client_id'], rowFilter: expect.any(String) }] });
		expect(JSON.stringify(own)).toContain('4711');
		const foreign: Problem = await refused(test, post('nick', '/requests', ask), 409, 'union-not-exact');
		expect(foreign).toMatchObject({ reason: 'not-told', unapproved: [] });
		expect((foreign['waysOut'] as { way: string }[]).map((w) => w.way)).toEqual(['other-principal', 'replace-grant']);
		expect(JSON.stringify(foreign)).not.toMatch(new RegExp(`4711|${held.id}`));

		const all = await file(test.world, 'nick', clients(both, 'district_id = 1'));
		const table = await ofRequest('nick', all);
		expect(table).toMatchObject({ gains: { rows: 'some', columns: [] }, loses: { rows: 'none' }, hidden: 1 });
		expect([table.before, table.after]).toEqual([{ columns: both }, { columns: both }]);
		const whole = await ofRequest('paula', all);
		expect(whole).toMatchObject({ before: { columns: both, rowFilter: '"client_id" = 4711' }, with: [held.id] });
		expect(whole.after?.rowFilter).toContain('4711');
		await test.world.call(post('nick', `/requests/${all.view.id}/cancel`));
	});

	it.each([
		['a search', ['client_id <= 1', 'client_id <= 4710', 'client_id <= 4711', 'client_id <= 9999']],
		['a guess', ['client_id = 4710', 'client_id = 4711', 'client_id IN (4710, 4711)']],
		['what is left of all', ['client_id <> 4710', 'client_id <> 4711', 'NOT (client_id = 4711)']],
		['all rows, nearly', ['client_id < 4711 OR client_id > 4711', 'client_id < 4710 OR client_id > 4710']],
	])('are not found by trying filters against them: %s sees one view', async (_, filters) => {
		const views: PreviewView[] = [];
		for (const rowFilter of filters) views.push(await tried(rowFilter));
		for (const view of views) expect(view).toEqual(views[0]);
		expect(views[0]).toMatchObject({ exact: true, tables: [{ clash: null, flags: [], gains: { rows: 'some' } }] });
	});

	it('tell no more than the refusal, where what is tried cannot be held', async () => {
		const told = async (n: number) => {
			const request = post('nick', '/requests?dryRun=true', clients(['client_id'], `client_id <= ${n}`));
			const { detail, reason, unapproved, waysOut } = await refused(test, request, 409, 'union-not-exact');
			return { detail, reason, unapproved, waysOut };
		};
		expect(await told(4710)).toEqual(await told(4711));
	});

	it('are shown to an approver, whoever has the role no more that the principal belonged to', async () => {
		const asked = await file(test.world, 'nick', clients(both, 'district_id = 2'));
		const { body } = await test.world.call({ who: 'stella', path: '/api/v1/domains/marketing' });
		const { principals } = body as { principals: { arn: string }[] };
		const gone = principalOf(test.world, 'marketing', 'service-improvement');
		const known = { issuer: test.bank.issuer.issuer, roles: ['consumer'] };
		const found = test.world.domains.find((d) => d.id === 'marketing');
		const left = { ...found, id: undefined, principals: principals.filter((p) => p.arn !== gone) };
		const members = [people.mia, people.nick].map(({ subject }) => ({ ...known, subject }));
		const path = '/api/v1/domains/marketing';
		const headers = await seen(test, path);
		const { status } = await test.world.call({
			who: 'stella',
			method: 'PUT',
			path,
			body: { ...left, members },
			headers,
		});
		expect(status).toBe(200);
		const table = await ofRequest('paula', asked);
		expect(table).toMatchObject({ before: { rowFilter: '"client_id" = 4711' }, hidden: 0 });
	});
});
