/** Domains whose tables are in a shared catalog: what may be registered and published, and what may not. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Domain } from '#core/domains.ts';
import type { Handle } from '#local/people.ts';
import type { Answer, Call } from '#local/story/client.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { registrationOf } from '#tests/roles/things.ts';
import { get, refused, seen } from './harness.ts';

const CENTRAL = '210000000009';
const OWN = '210000000077';

let test: TestBank;
beforeAll(async () => void (test = await testBank()));
afterAll(() => test.close());

type Catalog = { readonly account: string; readonly databases: readonly string[] };

const put = (id: string, body: object, headers: Record<string, string> = {}): Call => ({
	who: 'stella',
	method: 'PUT',
	path: `/api/v1/domains/${id}`,
	body,
	headers,
});
const treasury = (catalogs: readonly Catalog[], account = OWN) =>
	put('treasury', { name: 'Treasury', account, members: [], principals: [], catalogs });

/** As the domains file has it, with these catalogs. */
async function payments(catalogs: readonly Catalog[]): Promise<Call> {
	const registered = registrationOf(test.world, 'payments');
	return put('payments', { ...registered, catalogs }, await seen(test, '/api/v1/domains/payments'));
}

describe('a domain is not registered with', () => {
	const central = (...databases: string[]) => ({ account: CENTRAL, databases });
	it.each([
		['its own account as a catalog', [{ account: OWN, databases: ['x'] }], '/catalogs/0/account', /own account/],
		[
			"another domain's account as a catalog",
			[{ account: '210000000001', databases: ['x'] }],
			'/catalogs/0/account',
			/another domain's own account/,
		],
		["another domain's database", [central('treasury', 'payments')], '/catalogs/0/databases/1', /domain payments/],
		['a catalog twice', [central('x'), central('y')], '/catalogs/1/account', /twice/],
		['a database twice', [central('x', 'y', 'x')], '/catalogs/0/databases/2', /twice/],
		['a catalog without a database', [central()], '/catalogs/0/databases', /./],
		['a name that Glue would fold', [central('Treasury')], '/catalogs/0/databases/0', /lower-case/],
		['a pattern for a name', [central('*')], '/catalogs/0/databases/0', /lower-case/],
		['half an account', [{ account: '2100', databases: ['x'] }], '/catalogs/0/account', /12-digit/],
	] as const)('%s', async (_, catalogs, pointer, detail) => {
		const { errors } = await refused(test, treasury(catalogs), 422, 'validation');
		expect(errors).toEqual([{ pointer, detail: expect.stringMatching(detail) }]);
	});

	it("a shared catalog's account as its own, nor with a member that catalogs do not have", async () => {
		const { errors } = await refused(test, treasury([], CENTRAL), 422, 'validation');
		expect(errors).toEqual([{ pointer: '/account', detail: expect.stringMatching(/shared catalog/) }]);
		const more = { account: CENTRAL, databases: ['x'], region: 'eu-west-1' };
		await refused(test, treasury([more]), 422, 'validation');
	});
});

describe('a catalog of a domain', () => {
	const catalogsOf = async (id: string) =>
		((await test.world.call(get('alice', `/domains/${id}`))).body as Domain).catalogs;

	it('is in its view, and none is where none was registered', async () => {
		expect(await catalogsOf('payments')).toEqual([{ account: CENTRAL, databases: ['payments'] }]);
		expect(await catalogsOf('lending')).toEqual([]);
	});

	it('is added, named again without effect, and given up as long as no product stands on it', async () => {
		const wider = [{ account: CENTRAL, databases: ['payments', 'payments_archive'] }];
		const version = async (call: Call): Promise<number> => {
			const { status, body } = await test.world.call(call);
			expect({ status, body }).toMatchObject({ status: 200 });
			return (body as Domain).version;
		};
		const added = await version(await payments(wider));
		expect(await version(await payments(wider))).toBe(added);
		expect(await version(await payments([{ account: CENTRAL, databases: ['payments'] }]))).toBe(added + 1);
		expect(await catalogsOf('payments')).toEqual([{ account: CENTRAL, databases: ['payments'] }]);
	});

	it('is not given up while products have tables in it, and each is named', async () => {
		for (const catalogs of [[], [{ account: CENTRAL, databases: ['other'] }]]) {
			const call = await payments(catalogs);
			const { errors } = await refused(test, call, 422, 'validation');
			expect(errors?.map((e) => [e.pointer, /product (\S+) has table (\S+)/.exec(e.detail)?.slice(1)])).toEqual(
				['cards', 'orders', 'transactions'].map((name) => ['/catalogs', [`payments.${name}`, `payments.${name}`]]),
			);
		}
	});

	it("nor is the domain's own account, which another one could take", async () => {
		const path = '/api/v1/domains/lending';
		const headers = await seen(test, path);
		const body = { name: 'Lending', account: '210000000077', members: [], principals: [] };
		const { errors } = await refused(test, { who: 'stella', method: 'PUT', path, body, headers }, 422, 'validation');
		expect(errors?.map((e) => e.pointer)).toContain('/account');
		expect(errors?.map((e) => e.detail)).toContain(
			'product lending.loans has table lending.loans in catalog 210000000001',
		);
	});

	it('shares its account with other domains, each with databases of its own', async () => {
		const answer = await test.world.call(treasury([{ account: CENTRAL, databases: ['treasury'] }]));
		expect(answer.status).toBe(201);
		expect(await catalogsOf('treasury')).toEqual([{ account: CENTRAL, databases: ['treasury'] }]);
	});
});

describe('a contract whose tables are elsewhere than its domain has any', () => {
	/** The product's contract, its glue server changed. */
	async function publish(who: Handle, product: string, change: Record<string, string>): Promise<Answer> {
		const text = test.world.contracts.find((c) => c.contract.product === product)?.text ?? '';
		const document = parse(text) as { version: string; servers: Record<string, string>[] };
		Object.assign(document.servers[0] ?? {}, change);
		const body = stringify({ ...document, version: '1.1.0' });
		return test.world.call({ who, method: 'PUT', path: `/api/v1/dataproducts/${product}`, body });
	}

	it.each([
		['olga', 'lending.loans', { account: CENTRAL }, 'account', /must be the domain's account 210000000001$/],
		['olga', 'lending.loans', { account: CENTRAL, database: 'payments' }, 'account', /210000000001$/],
		['peter', 'payments.orders', { database: 'lending' }, 'database', /has the databases payments, not lending/],
		[
			'peter',
			'payments.orders',
			{ account: '210000000001' },
			'account',
			/210000000003 or a catalog of it: 210000000009/,
		],
	] as const)('%s publishing %s with %j is refused at its %s', async (who, product, change, member, detail) => {
		const { errors } = await refused(test, () => publish(who, product, change), 422, 'contract-invalid');
		expect(errors).toEqual([
			expect.objectContaining({ pointer: `/servers/0/${member}`, detail: expect.stringMatching(detail) }),
		]);
	});

	it('is looked for in the domain’s own account where that is named: Glue has no such table there', async () => {
		const call = () => publish('peter', 'payments.orders', { account: '210000000003' });
		const { errors } = await refused(test, call, 422, 'contract-invalid');
		expect(errors?.[0]?.detail).toBe('Glue has no table payments.orders in account 210000000003');
	});
});
