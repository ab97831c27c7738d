/**
 * Asking by a template of the contract: it is the request that it spells out and nothing else. It is checked, hashed and
 * decided on like any other, and no later version of the contract changes anything in it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type { DryRunView, RequestView } from '#core/access.ts';
import type { GrantView } from '#core/grants.ts';
import { principalOf } from '#local/story/world.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { decision, file, get, patch, post, refused, requestBody, send } from './harness.ts';

let test: TestBank;

beforeAll(async () => {
	test = await testBank();
});
afterAll(() => test.close());

const PRODUCT = 'lending.accounts';
const columns = ['account_id', 'district_id', 'opened_on'];
const branches = { tables: [{ table: 'accounts', columns }], purpose: 'credit-risk', duration: 'P90D' };

/** As a template is asked for; `more` replaces members, and undefined takes them away. */
const byTemplate = (more: Record<string, unknown> = {}) => ({
	product: PRODUCT,
	template: 'branches',
	principal: principalOf(test.world, 'risk', 'credit-risk'),
	justification: 'Accounts by district',
	...more,
});
const spelledOut = (more: Record<string, unknown> = {}) => byTemplate({ template: undefined, ...branches, ...more });
const rulesOf = (problem: object) => (problem as { errors: { rule: string }[] }).errors.map((e) => e.rule);
const pointers = (problem: { errors?: readonly { pointer: string }[] }) => problem.errors?.map((e) => e.pointer);

/** Sends a contract with these templates, of this version. */
function publishing(product: string, version: string, templates: unknown, more: Record<string, unknown> = {}) {
	const found = test.world.contracts.find((c) => c.contract.product === product);
	const document = parse(found?.text ?? '') as { customProperties: { property: string; value: unknown }[] };
	const own = document.customProperties.filter(
		(p) => p.property !== 'accessTemplates' && more[p.property] === undefined,
	);
	const added = Object.entries({ ...more, ...(templates === null ? {} : { accessTemplates: templates }) });
	const customProperties = [...own, ...added.map(([property, value]) => ({ property, value }))];
	const body = stringify({ ...document, version, customProperties });
	return { who: 'olga' as const, method: 'PUT' as const, path: `/api/v1/dataproducts/${product}`, body };
}

/** A template that chooses rows so; and the column that it may do that by, of this class. */
const holders = (rowFilter: string) => [
	{ id: 'x', name: 'X', tables: [{ table: 'accounts', columns, rowFilter: `district_id = 1 AND ${rowFilter}` }] },
];
const personally = (call: ReturnType<typeof publishing>, value: string) => {
	const document = parse(call.body) as { schema: { properties: { name: string; customProperties: unknown[] }[] }[] };
	for (const c of document.schema[0]?.properties ?? [])
		if (c.name === 'frequency') c.customProperties = [{ property: 'regulatoryClass', value }];
	return { ...call, body: stringify(document) };
};

describe('a contract is refused, and nothing stored', () => {
	const template = (more: object) => [{ id: 'x', name: 'X', tables: [{ table: 'accounts', columns }], ...more }];
	const filtered = (rowFilter: string) => template({ tables: [{ table: 'accounts', columns, rowFilter }] });

	it.each([
		['a function', "lower(frequency) = 'x'"],
		['a column that is none', 'iban = 1'],
		['text for a number', "district_id = 'x'"],
		['what is no predicate', 'district_id ='],
	])('for a row filter with %s', async (_, rowFilter) => {
		const call = publishing(PRODUCT, '1.0.1', [...template({}), { ...filtered(rowFilter)[0], id: 'y' }]);
		const problem = await refused(test, call, 422, 'contract-invalid');
		expect(pointers(problem)).toEqual(['/customProperties/1/value/1/tables/0/rowFilter']);
		expect(rulesOf(problem)).toEqual(['template-filter']);
	});

	it.each([
		['=', "frequency = 'Jana'"],
		['IN', "NOT frequency IN ('Jana', 'Petr')"],
		['LIKE', "(district_id = 2 OR frequency LIKE 'Jana%')"],
		['a part that means nothing', "(district_id = 1 OR (district_id = 1 AND frequency = 'Jana'))"],
	])(
		'for a value of a personal column in a row filter, which everybody could read for good: %s',
		async (_, rowFilter) => {
			const call = personally(publishing(PRODUCT, '1.0.1', holders(rowFilter)), 'personal-data');
			const problem = await refused(test, call, 422, 'contract-invalid');
			expect(pointers(problem)).toEqual(['/customProperties/1/value/0/tables/0/rowFilter']);
			expect(rulesOf(problem)).toEqual(['template-personal']);
			expect(JSON.stringify(problem)).not.toContain('Jana');
		},
	);

	it('for a purpose that the contract allows and nobody governs', async () => {
		const purposes = ['credit-risk', 'made-up'];
		const call = publishing(PRODUCT, '1.0.1', template({ purpose: 'made-up' }), { purposes });
		const problem = await refused(test, call, 422, 'contract-invalid');
		expect(pointers(problem)).toEqual(['/customProperties/1/value/0/purpose']);
	});

	it('for a table that it does not have, with the line', async () => {
		const call = publishing(PRODUCT, '1.0.1', template({ tables: [{ table: 'loans', columns: ['loan_id'] }] }));
		const { errors } = await refused(test, call, 422, 'contract-invalid');
		expect(errors).toMatchObject([{ pointer: '/customProperties/1/value/0/tables/0/table', line: expect.any(Number) }]);
	});
});

describe('a request by template is refused', () => {
	it.each<readonly [string, Record<string, unknown>, string[]]>([
		['that names tables, too', branches, ['/template']],
		['by one that there is not', { template: 'everything' }, ['/template']],
		['by one of a product that has none', { product: 'lending.loans' }, ['/template']],
		['for longer', { duration: 'P91D' }, ['/duration']],
		['for another purpose', { purpose: 'model-validation' }, ['/purpose']],
		['of another version', { version: '0.9.0' }, ['/version']],
		['by what is no id', { template: 'A B' }, ['/template']],
		['by nothing at all', { template: undefined }, ['/tables', '/purpose', '/duration']],
		['by nothing, said', { template: null, purpose: 'credit-risk' }, ['/tables', '/duration']],
	])('%s', async (_, more, places) => {
		const body = byTemplate(more);
		for (const query of ['', '?dryRun=true']) {
			const problem = await refused(test, post('alice', `/requests${query}`, body), 422, 'validation');
			expect(pointers(problem)).toEqual(places);
		}
		const problem = await refused(
			test,
			post('alice', '/requests/batch', { requests: [spelledOut(), body] }),
			422,
			'validation',
		);
		expect(pointers(problem)).toEqual(places.map((place) => `/requests/1${place}`));
	});

	it('by one that there is not, naming those that there are', async () => {
		const call = post('alice', '/requests', byTemplate({ template: 'everything' }));
		expect((await refused(test, call, 422, 'validation')).errors?.[0]?.detail).toBe('one of: branches');
	});

	it('of a product that is not there, or by who is nobody here, without a word on templates', async () => {
		await refused(test, post('alice', '/requests', byTemplate({ product: 'lending.nosuch' })), 404, 'not-found');
		await refused(test, post('nick', '/requests', byTemplate()), 404, 'not-found');
		const init = {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify(byTemplate()),
		};
		await refused(test, () => send(test, '/api/v1/requests', init), 401, 'invalid-token');
	});

	it('by every rule that would refuse what it spells out', async () => {
		const principal = principalOf(test.world, 'risk', 'model-validation');
		await refused(test, post('alice', '/requests', byTemplate({ principal })), 422, 'validation');
		await refused(test, post('olga', '/requests', byTemplate()), 403, 'not-permitted');
		const long = { id: 'long', name: 'Long', tables: [{ table: 'loans', columns: ['loan_id', 'status'] }] };
		const call = publishing('lending.loans', '1.1.0', [{ ...long, purpose: 'credit-risk', duration: 'P300D' }]);
		expect((await test.world.call(call)).status).toBe(201);
		const asking = (more: object = {}) =>
			post('alice', '/requests', byTemplate({ product: 'lending.loans', template: 'long', ...more }));
		// Of a place that the body does not have, it is the template that is told.
		const problem = await refused(test, asking(), 422, 'request-refused');
		expect(problem.errors).toMatchObject([{ pointer: '/template', rule: 'confidential-data-for-half-a-year' }]);
		const sent = await refused(test, asking({ duration: 'P200D' }), 422, 'request-refused');
		expect(pointers(sent)).toEqual(['/duration']);
	});
});

describe('a request by template', () => {
	it('is what the template spells out, tried or filed', async () => {
		const [named, plain] = await Promise.all(
			[byTemplate(), spelledOut()].map(async (body) => {
				const answer = await test.world.call(post('alice', '/requests?dryRun=true', body));
				expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 200 });
				return answer.body as DryRunView;
			}),
		);
		expect(named).toEqual({ ...plain, template: 'branches' });
		expect(plain?.template).toBeNull();
		const { view } = await file(test.world, 'alice', byTemplate({ duration: 'P5D' }));
		expect(view).toMatchObject({
			template: 'branches',
			tables: [{ table: 'lending.accounts', columns, rowFilter: null }],
			purpose: 'credit-risk',
			duration: 'P5D',
			state: 'pending',
			route: ['owner'],
			awaiting: ['owner'],
		});
	});

	it('opens what stood on screen, once its approvers say so', async () => {
		const asked = await file(test.world, 'alice', byTemplate());
		const stale = { ...asked, etag: `"${'0'.repeat(64)}"` };
		await refused(test, decision('olga', stale), 412, 'stale');
		const { body } = await test.world.call(decision('olga', asked));
		const { grant } = body as { grant: GrantView };
		expect(grant).toMatchObject({
			state: 'granted',
			tables: [{ table: 'lending.accounts', columns, rowFilter: null }],
		});
		expect(Date.parse(grant.until) - Date.parse(grant.from)).toBe(90 * 86_400_000);
		await test.world.call(post('olga', `/grants/${grant.id}/revoke`, { reason: 'over' }));
	});

	it('may stand in a batch beside others', async () => {
		const requests = [byTemplate(), requestBody(test.world)];
		const { status, body } = await test.world.call(post('alice', '/requests/batch', { requests }));
		expect(status).toBe(200);
		expect((body as { requests: RequestView[] }).requests.map((r) => r.template)).toEqual(['branches', null]);
	});

	it('is what an edit makes of it, and no longer by template once its tables are others', async () => {
		const plain = await file(
			test.world,
			'alice',
			spelledOut({ tables: [{ table: 'accounts', columns: ['account_id'] }] }),
		);
		let { etag } = plain;
		const path = `/requests/${plain.view.id}`;
		const edited = async (body: object) => {
			const answer = await test.world.call(patch('alice', path, body, { 'if-match': etag }));
			expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 200 });
			etag = answer.headers.get('etag') ?? '';
			return answer.body as RequestView;
		};
		const both = patch('alice', path, { template: 'branches', tables: branches.tables }, { 'if-match': etag });
		expect(pointers(await refused(test, both, 422, 'validation'))).toEqual(['/template']);
		const none = patch('alice', path, { template: 'none' }, { 'if-match': etag });
		expect(pointers(await refused(test, none, 422, 'validation'))).toEqual(['/template']);
		const long = patch('alice', path, { template: 'branches', duration: 'P91D' }, { 'if-match': etag });
		expect(pointers(await refused(test, long, 422, 'validation'))).toEqual(['/duration']);
		const by = { template: 'branches', duration: 'P90D', tables: [{ columns }] };
		expect(await edited({ template: 'branches' })).toMatchObject(by);
		expect(await edited({ duration: 'P4D' })).toMatchObject({ ...by, duration: 'P4D' });
		const less = [{ table: 'accounts', columns: ['account_id'] }];
		expect(await edited({ tables: less })).toMatchObject({ template: null, tables: [{ columns: ['account_id'] }] });
	});
});

describe('templates of a contract', () => {
	const product = async () =>
		(await test.world.call(get('alice', `/dataproducts/${PRODUCT}`))).body as {
			version: string;
			contract: { accessTemplates: { id: string }[] };
		};

	it('are shown, may go with any version, and take nothing from what was asked by them', async () => {
		expect((await product()).contract.accessTemplates).toMatchObject([{ id: 'branches', ...branches }]);
		const asked = await file(test.world, 'alice', byTemplate());
		expect((await test.world.call(publishing(PRODUCT, '1.0.1', null))).status).toBe(201);
		expect((await product()).contract.accessTemplates).toEqual([]);
		const changes = await test.world.call(get('alice', `/dataproducts/${PRODUCT}/versions/1.0.1/changes`));
		expect(changes.body).toMatchObject({
			breaking: false,
			changes: [{ kind: 'template-removed', from: 'branches', to: null, breaking: false }],
		});
		await refused(test, post('alice', '/requests', byTemplate()), 422, 'validation');
		const wide = [
			{ id: 'branches', name: 'Wider', tables: [{ table: 'accounts', columns: [...columns, 'frequency'] }] },
		];
		expect((await test.world.call(publishing(PRODUCT, '1.0.2', wide))).status).toBe(201);
		const { status, body, headers } = await test.world.call(get('alice', `/requests/${asked.view.id}`));
		expect({ status, body }).toEqual({ status: 200, body: asked.view });
		expect(headers.get('etag')).toBe(asked.etag);
		// What it is now has no purpose and no duration: who asks says them.
		const missing = await refused(test, post('alice', '/requests', byTemplate()), 422, 'validation');
		expect(pointers(missing)).toEqual(['/purpose', '/duration']);
		const { view } = await file(test.world, 'alice', byTemplate({ purpose: 'credit-risk', duration: 'P1D' }));
		expect(view).toMatchObject({
			contractVersion: '1.0.2',
			tables: [{ columns: [...columns, 'frequency'].toSorted() }],
		});
		const version = await test.world.call(get('alice', `/dataproducts/${PRODUCT}/versions/1.0.0`));
		expect(JSON.stringify(version.body)).toContain('branches');
	});

	it('choose no rows by what was personal in any version', async () => {
		const personal = personally(publishing(PRODUCT, '2.0.0', null), 'personal-data');
		expect((await test.world.call(personal)).status).toBe(201);
		const call = publishing(PRODUCT, '3.0.0', holders("frequency = 'Jana'"));
		const problem = await refused(test, call, 422, 'contract-invalid');
		expect(rulesOf(problem)).toEqual(['template-personal']);
		const other = publishing(PRODUCT, '3.0.0', holders('frequency IS NULL'));
		expect(await test.world.call(personally(other, 'personal-data'))).toMatchObject({ status: 201 });
	});
});
