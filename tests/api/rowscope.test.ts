/**
 * The rows that a contract leaves to other domains, over HTTP: forced into what is asked for, so that the approver sees
 * them, Lake Formation holds them, and a query gives no others.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type { RequestView } from '#core/access.ts';
import type { Handle } from '#local/people.ts';
import type { Answer, Call } from '#local/story/client.ts';
import { principalOf, rawRows } from '#local/story/world.ts';
import { inLakeFormation, type TestBank, testBank } from '#tests/fixtures.ts';
import { decision, file, get, grantTo, patch, post, refused, requestBody, rowsOf } from './harness.ts';
import { registered } from './registration.ts';

const ORDERS = 'payments.orders';
const COLUMNS = ['order_id', 'amount'];
const LINES = { risk: 'UVER', marketing: 'SIPO' } as const;
type Reader = { readonly who: Handle; readonly domain: keyof typeof LINES; readonly purpose: string };
const alice: Reader = { who: 'alice', domain: 'risk', purpose: 'fraud-detection' };
const mia: Reader = { who: 'mia', domain: 'marketing', purpose: 'service-improvement' };

let test: TestBank;
beforeAll(async () => {
	test = await testBank();
});
afterAll(() => test.close());

const asking = ({ domain, purpose }: Reader, rowFilter?: string) =>
	requestBody(test.world, {
		product: ORDERS,
		tables: [{ table: 'orders', columns: COLUMNS, ...(rowFilter === undefined ? {} : { rowFilter }) }],
		purpose,
		principal: principalOf(test.world, domain, purpose),
	});

/** Gives a domain of the sample bank these attributes. */
async function describeDomain(id: string, attributes?: Record<string, string>): Promise<void> {
	await registered(test, id, (body) => {
		if (attributes !== undefined) body.attributes = attributes;
	});
}

type Part = Record<string, unknown>;
type Document = Part & { schema: Part[]; customProperties: { property: string; value: unknown }[] };

/** Publishes the contract of a product after a change. */
function publishing(who: Handle, product: string, change: (d: Document) => unknown): Call {
	const text = test.world.contracts.find((c) => c.contract.product === product)?.text ?? '';
	const document = parse(text) as Document;
	change(document);
	return { who, method: 'PUT', path: `/api/v1/dataproducts/${product}`, body: stringify(document) };
}

const without = (d: Document) => (d.schema[0] = { ...d.schema[0], customProperties: locationOf(d) });
const locationOf = (d: Document) =>
	((d.schema[0]?.['customProperties'] ?? []) as { property: string }[]).filter((p) => p.property === 'location');

describe('refused', () => {
	it('is a request for a domain that has no such attribute, at its table', async () => {
		await describeDomain('marketing', { jurisdiction: 'CZ' });
		const { errors, detail } = await refused(test, post('mia', '/requests', asking(mia)), 422, 'request-refused');
		expect(errors).toEqual([
			{ pointer: '/tables/0', detail: 'a steward must register the attribute `line-of-business` of the domain' },
		]);
		expect(detail).toMatch(/domain marketing/);
		await describeDomain('marketing');
	});

	it('is a filter that has no room for the forced rows', async () => {
		const rowFilter = `bank_to <> '${'x'.repeat(2000)}' AND amount > 1`;
		const call = post('alice', '/requests', asking(alice, rowFilter));
		const { errors } = await refused(test, call, 422, 'row-filter-invalid');
		expect(errors?.[0]?.pointer).toBe('/tables/0/rowFilter');
	});

	it('is an approval of what the domain may no longer see', async () => {
		const asked = await file(test.world, 'mia', asking(mia));
		await describeDomain('marketing', { jurisdiction: 'CZ', 'line-of-business': 'LEASING' });
		await refused(test, decision('peter', asked), 412, 'stale');
		await describeDomain('marketing', { jurisdiction: 'CZ' });
		await refused(test, decision('peter', asked), 412, 'stale');
		await describeDomain('marketing');
		expect((await test.world.call(decision('peter', asked, 'reject'))).status).toBe(201);
	});

	it.each([
		['the row scope', ORDERS, 'peter', without, /rowScope of k_symbol by line-of-business is gone: /],
		[
			'the residency',
			'customers.clients',
			'peter',
			(d: Document) => (d.customProperties = d.customProperties.filter((p) => p.property !== 'residency')),
			/residency was CZ: /,
		],
		[
			'one jurisdiction more',
			'customers.clients',
			'peter',
			(d: Document) => d.customProperties.forEach((p) => p.property === 'residency' && (p.value = ['CZ', 'SK'])),
			/residency was CZ: /,
		],
	] as const)('is taking away %s by an owner alone', async (_, product, who, change, detail) => {
		const call = publishing(who, product, (d) => (change(d), (d['version'] = '1.1.0')));
		const problem = await refused(test, call, 422, 'contract-refused');
		expect(problem.errors).toEqual([
			expect.objectContaining({ rule: 'lowering-needs-officer', detail: expect.stringMatching(detail) }),
		]);
	});
});

describe('what other domains are granted', () => {
	it.each([
		[alice, undefined, `"k_symbol" = 'UVER'`, () => true],
		[mia, 'amount > 5000', `("amount" > 5000) AND ("k_symbol" = 'SIPO')`, (amount: number) => amount > 5000],
		[alice, "k_symbol IN ('SIPO', 'UVER')", `"k_symbol" = 'UVER'`, () => true],
		[mia, "k_symbol = 'UVER'", `("k_symbol" = 'SIPO') AND ("k_symbol" = 'UVER')`, () => false],
	] as const)('%j asking for %s', async (reader, rowFilter, forced, passes) => {
		const { who, domain } = reader;
		const body = asking(reader, rowFilter);
		const principal = body['principal'] as string;
		const grant = await grantTo(test.world, who, body, ['peter']);
		expect(grant.tables.map((t) => t.rowFilter)).toEqual([forced]);
		const { filters } = inLakeFormation(test.bank);
		const held = filters.find((f) => f.name === grant.tables[0]?.filter);
		expect(held).toMatchObject({ table: 'orders', columns: COLUMNS.toSorted(), expression: forced });
		const rows = await rawRows(test.world, ORDERS);
		const left = rows.filter((r) => r['k_symbol'] === LINES[domain] && passes(Number(r['amount'])));
		const found = await rowsOf(test.world, who, `SELECT order_id FROM ${ORDERS}`, principal);
		expect(found).toHaveLength(left.length);
		expect(new Set(found.map(([id]) => id))).toEqual(new Set(left.map((r) => r['order_id'])));
		await test.world.call(post('peter', `/grants/${grant.id}/revoke`, { reason: 'over' }));
	});

	it('is on screen before it is approved, and after an edit', async () => {
		const { view, etag } = await file(test.world, 'mia', asking(mia));
		const [shown] = ((await test.world.call(get('peter', `/requests/${view.id}`))).body as RequestView).tables;
		expect(shown?.rowFilter).toBe(`"k_symbol" = 'SIPO'`);
		const edited: Answer = await test.world.call({
			who: 'mia',
			method: 'PATCH',
			path: `/api/v1/requests/${view.id}`,
			body: { tables: [{ table: 'orders', columns: ['order_id'] }] },
			headers: { 'if-match': etag },
		});
		expect(edited.status).toBe(200);
		expect((edited.body as RequestView).tables[0]?.rowFilter).toBe(`"k_symbol" = 'SIPO'`);
	});
});

describe('once the attribute of the domain changed', () => {
	const LEASING = { jurisdiction: 'CZ', 'line-of-business': 'LEASING' };
	afterEach(() => describeDomain('marketing'));

	it.each([
		[undefined, `"k_symbol" = 'LEASING'`],
		['amount > 5000', `("amount" > 5000) AND ("k_symbol" = 'LEASING')`],
		["amount > 5000 OR k_symbol = 'UVER'", `("k_symbol" = 'LEASING') AND (("amount" > 5000) OR ("k_symbol" = 'UVER'))`],
	])('an edit of what stands, %s, forces the present one and no other', async (rowFilter, left) => {
		const { view, etag } = await file(test.world, 'mia', asking(mia, rowFilter));
		await describeDomain('marketing', LEASING);
		await refused(test, decision('peter', { view, etag }), 412, 'stale');
		const call = patch('mia', `/requests/${view.id}`, { duration: 'P2D' }, { 'if-match': etag });
		const edited = await test.world.call(call);
		expect({ status: edited.status, body: edited.body }).toMatchObject({
			status: 200,
			body: { tables: [{ rowFilter: left }] },
		});
		const again = { view: edited.body as RequestView, etag: edited.headers.get('etag') ?? '' };
		expect((await test.world.call(decision('peter', again, 'reject'))).status).toBe(201);
	});

	it('so does a renewal', async () => {
		const grant = await grantTo(test.world, 'mia', asking(mia, 'amount > 5000'), ['peter']);
		await describeDomain('marketing', LEASING);
		const body = { duration: 'P2D', justification: 'It goes on' };
		const answer = await test.world.call(post('mia', `/grants/${grant.id}/renew`, body));
		expect({ status: answer.status, body: answer.body }).toMatchObject({
			status: 201,
			body: { tables: [{ rowFilter: `("amount" > 5000) AND ("k_symbol" = 'LEASING')` }] },
		});
		await test.world.call(post('peter', `/grants/${grant.id}/revoke`, { reason: 'over' }));
	});
});

describe('a contract', () => {
	it('shows the row scope of its tables and where its readers must be', async () => {
		const contractOf = async (id: string) =>
			((await test.world.call(get('alice', `/dataproducts/${id}`))).body as { contract: Part }).contract;
		expect(await contractOf(ORDERS)).toMatchObject({
			residency: [],
			tables: [{ rowScope: [{ column: 'k_symbol', attribute: 'line-of-business' }] }],
		});
		expect(await contractOf('customers.clients')).toMatchObject({ residency: ['CZ'], tables: [{ rowScope: [] }] });
	});

	it('is tightened in a minor version, and the change is told', async () => {
		const rowScope = { property: 'rowScope', value: [{ column: 'status', attribute: 'line-of-business' }] };
		const call = publishing('olga', 'lending.loans', (d) => {
			d['version'] = '1.1.0';
			d.schema[0] = { ...d.schema[0], customProperties: [...locationOf(d), rowScope] };
		});
		expect((await test.world.call(call)).status).toBe(201);
		const changes = await test.world.call(get('alice', '/dataproducts/lending.loans/versions/1.1.0/changes'));
		expect(changes.body).toMatchObject({
			breaking: false,
			raised: true,
			changes: [{ kind: 'row-scope-added', table: 'loans', column: 'status', to: 'line-of-business' }],
		});
		const { view } = await file(test.world, 'alice', requestBody(test.world));
		expect(view.tables[0]?.rowFilter).toBe(`("status" = 'D') AND ("status" = 'UVER')`);
	});
});
