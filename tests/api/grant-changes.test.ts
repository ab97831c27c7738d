/**
 * What may become of a grant while it is in force: held back and taken up again, made to open less, followed by another
 * one of the same scope. Refused at our gate at once, exact in Lake Formation after that, never wider.
 */
import { EntityNotFoundException, GetDatabaseCommand } from '@aws-sdk/client-glue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type * as Grants from '#core/grants.ts';
import { type Handle, people } from '#local/people.ts';
import { principalOf, startQuery } from '#local/story/world.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { get, grantTo, post, refused, requestBody, rowsOf } from './harness.ts';
import { enrol } from './registration.ts';

let test: TestBank;

beforeAll(async () => {
	test = await testBank();
});

afterAll(() => test.close());

const inArrears = (columns: string[], rowFilter = "status IN ('B', 'D')") =>
	requestBody(test.world, { tables: [{ table: 'loans', columns, rowFilter }] });
const granted = (columns = ['amount', 'loan_id', 'status']) => grantTo(test.world, 'alice', inArrears(columns));
const read = async (id: string) => (await test.world.call(get('alice', `/grants/${id}`))).body as Grants.GrantView;
const revoke = (id: string) => test.world.call(post('olga', `/grants/${id}/revoke`, { reason: 'over' }));
const change = async (id: string, verb: string, body: object) => {
	const answer = await test.world.call(post('olga', `/grants/${id}/${verb}`, { reason: 'An incident', ...body }));
	expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 202 });
	return answer.body as Grants.GrantView;
};
const filters = () =>
	test.bank.aws.lakeFormationState().filters.map(({ name, columns, expression }) => ({ name, columns, expression }));
const links = () =>
	test.bank.aws
		.lakeFormationState()
		.permissions.filter((p) => p.resource.kind === 'database' && p.resource.database.startsWith('fl_'))
		.filter((p) => p.principal.includes('fairlead-risk-'));
const SQL = 'SELECT loan_id, amount, status FROM lending.loans';

describe('a grant held back', () => {
	it('is refused at once, gone from Lake Formation, and open again once it is resumed', async () => {
		const { id } = await granted();
		const before = await rowsOf(test.world, 'alice', SQL);
		expect((await change(id, 'suspend', {})).state).toBe('suspended');
		expect(await startQuery(test.world, SQL)).toMatchObject({ status: 403, body: { code: 'grant-suspended' } });
		expect([filters(), links()]).toEqual([[], []]);
		expect((await change(id, 'resume', {})).state).toBe('granted');
		expect(await rowsOf(test.world, 'alice', SQL)).toEqual(before);
		await revoke(id);
	});

	it('can be ended without being resumed', async () => {
		const { id } = await granted();
		await change(id, 'suspend', {});
		expect((await revoke(id)).status).toBe(202);
		expect((await read(id)).state).toBe('revoked');
		await refused(test, post('olga', `/grants/${id}/resume`, { reason: 'no' }), 409, 'conflict');
		await refused(test, post('olga', `/grants/${id}/suspend`, { reason: 'no' }), 409, 'conflict');
	});

	it("is the owner's to hold back and to resume, not the beneficiary's, and nothing to others", async () => {
		const { id } = await granted();
		for (const verb of ['suspend', 'resume']) {
			const code = verb === 'resume' ? 'self-approval' : 'not-permitted';
			await refused(test, post('alice', `/grants/${id}/${verb}`, { reason: 'x' }), 403, code);
			await refused(test, post('mia', `/grants/${id}/${verb}`, { reason: 'x' }), 404, 'not-found');
			await refused(test, post('olga', `/grants/${id}/${verb}`, {}), 422, 'validation');
		}
		await refused(test, post('olga', `/grants/${id}/resume`, { reason: 'it is open' }), 409, 'conflict');
		await revoke(id);
	});
});

describe('a grant made narrower', () => {
	it('opens what is left of columns and rows, under a filter of another name', async () => {
		const { id } = await granted();
		const [wide] = filters();
		const tables = [{ table: 'loans', columns: ['loan_id', 'status'], rowFilter: "status = 'D'" }];
		const narrowed = await change(id, 'narrow', { tables });
		expect(narrowed.state).toBe('granted');
		expect(narrowed.tables[0]).toMatchObject({ columns: ['loan_id', 'status'], rowFilter: `"status" = 'D'` });
		const standing = filters();
		expect(standing).toHaveLength(1);
		expect(standing[0]).toMatchObject({ columns: ['loan_id', 'status'] });
		expect(standing[0]?.name).not.toBe(wide?.name);
		const rows = await rowsOf(test.world, 'alice', 'SELECT loan_id, status FROM lending.loans');
		expect(new Set(rows.map(([, status]) => status))).toEqual(new Set(['D']));
		expect(await startQuery(test.world, SQL)).toMatchObject({ status: 403, body: { code: 'column-not-granted' } });
		await revoke(id);
	});

	it('is never made wider, and never for nothing', async () => {
		const { id } = await granted(['loan_id', 'status']);
		const narrow = (table: object) => post('olga', `/grants/${id}/narrow`, { tables: [table], reason: 'x' });
		await refused(test, narrow({ table: 'loans', columns: ['loan_id', 'amount'] }), 422, 'validation');
		await refused(test, narrow({ table: 'loans', columns: ['loan_id', 'nosuch'] }), 422, 'validation');
		await refused(test, narrow({ table: 'accounts', columns: ['loan_id'] }), 422, 'validation');
		await refused(test, narrow({ table: 'loans' }), 422, 'validation');
		await refused(test, narrow({ table: 'loans', rowFilter: 'lower(status)' }), 422, 'row-filter-invalid');
		await refused(test, post('alice', `/grants/${id}/narrow`, { tables: [{ table: 'loans' }] }), 422, 'validation');
		const body = { tables: [{ table: 'loans', columns: ['loan_id'] }], reason: 'x' };
		await refused(test, post('alice', `/grants/${id}/narrow`, body), 403, 'not-permitted');
		// Any filter is added to the one there is: what it would let through alone does not come in.
		const other = await change(id, 'narrow', { tables: [{ table: 'loans', rowFilter: "status = 'A'" }] });
		expect(other.state).toBe('granted');
		expect(await rowsOf(test.world, 'alice', 'SELECT loan_id FROM lending.loans')).toEqual([]);
		await revoke(id);
	});
});

describe('a grant renewed', () => {
	it('goes on without a gap when the first one ends: the filter stays', async () => {
		const first = await granted();
		const [standing] = filters();
		const second = await granted();
		expect(filters()).toEqual([standing]);
		expect((await revoke(first.id)).status).toBe(202);
		expect((await startQuery(test.world, SQL)).status).toBe(202);
		expect(filters()).toEqual([standing]);
		await revoke(second.id);
		expect(filters()).toEqual([]);
	});
});

describe('several grants in one entitlement', () => {
	it('are carried by one filter, which shrinks as they end', async () => {
		const some = await granted(['loan_id', 'status']);
		const more = await granted(['amount', 'loan_id']);
		expect(filters().map((f) => f.columns)).toEqual([['amount', 'loan_id', 'status']]);
		await revoke(more.id);
		expect(filters().map((f) => f.columns)).toEqual([['loan_id', 'status']]);
		expect((await read(some.id)).state).toBe('granted');
		await revoke(some.id);
		expect([filters(), links()]).toEqual([[], []]);
	});
});

it('a link that cannot be taken away with the last grant goes with the next sweep', async () => {
	const { id } = await granted();
	const glue = test.bank.platform.aws.consumer.glue('210000000004');
	const link = new GetDatabaseCommand({ CatalogId: '210000000004', Name: 'fl_210000000001_lending' });
	test.bank.aws.faults.set([{ service: 'glue', operation: 'DeleteDatabase', when: 'before' }]);
	expect((await revoke(id)).status).toBe(202);
	test.bank.aws.faults.clear();
	expect((await read(id)).state).toBe('revoked');
	expect((await glue.send(link)).Database?.TargetDatabase).toMatchObject({ DatabaseName: 'lending' });
	await test.bank.sweep();
	await expect(glue.send(link)).rejects.toThrow(EntityNotFoundException);
});

describe('a narrowing is judged by the rules like what is asked for', () => {
	const clients = () =>
		requestBody(test.world, {
			product: 'customers.clients',
			tables: [{ table: 'clients', columns: ['district_id'] }],
			purpose: 'service-improvement',
			principal: principalOf(test.world, 'marketing', 'service-improvement'),
		});
	const narrowing = (who: Handle, { id }: Grants.GrantView, table: string, rowFilter: string) =>
		post(who, `/grants/${id}/narrow`, { tables: [{ table, rowFilter }], reason: 'Less will do' });
	const end = (who: Handle, { id }: Grants.GrantView) =>
		test.world.call(post(who, `/grants/${id}/revoke`, { reason: 'over' }));

	it('no rows are chosen for another domain by what a rule keeps from it', async () => {
		const grant = await grantTo(test.world, 'mia', clients(), ['peter']);
		const call = narrowing('peter', grant, 'clients', "birth_number LIKE '70%'");
		const problem = await refused(test, call, 422, 'request-refused');
		expect(problem['policies']).toEqual(['raw-column-stays-home']);
		expect(problem.errors).toEqual([
			{
				pointer: '/tables/0/rowFilter',
				detail: expect.stringMatching(/^clients\.birth_number: /),
				rule: 'raw-column-stays-home',
			},
		]);
		await end('peter', grant);
	});

	it('nor by what more people would have had to approve', async () => {
		const grant = await grantTo(test.world, 'mia', clients(), ['peter']);
		for (const filter of ["full_name LIKE 'A%'", "birth_token = 'x'", 'client_id < 10 AND district_id = 1']) {
			const problem = await refused(test, narrowing('peter', grant, 'clients', filter), 422, 'request-refused');
			expect(problem.detail).toMatch(/privacy-officer/);
		}
		await refused(test, narrowing('peter', grant, 'clients', 'nosuch = 1'), 422, 'column-not-found');
		const answer = await test.world.call(narrowing('peter', grant, 'clients', 'district_id = 1'));
		expect(answer).toMatchObject({ status: 202, body: { tables: [{ rowFilter: '"district_id" = 1' }] } });
		await end('peter', grant);
	});

	it('of a grant that could not be asked for any more, what is new decides', async () => {
		await enrol(test, 'risk', { alice: ['consumer'], carl: ['consumer'] });
		const { issuer } = test.bank.issuer;
		const beneficiaries = [{ issuer, subject: people.carl.subject }];
		const grant = await grantTo(test.world, 'alice', { ...inArrears(['loan_id', 'status']), beneficiaries });
		await enrol(test, 'risk', { carl: ['consumer'] });
		const contract = test.world.contracts.find((c) => c.contract.product === 'lending.loans')?.text ?? '';
		const document = parse(contract) as {
			version: string;
			schema: { properties: { name: string; classification: string }[] }[];
		};
		document.version = '2.0.0';
		for (const p of document.schema[0]?.properties ?? []) if (p.name === 'duration') p.classification = 'restricted';
		const path = '/api/v1/dataproducts/lending.loans';
		const published = await test.world.call({ who: 'olga', method: 'PUT', path, body: stringify(document) });
		expect(published.status).toBe(201);
		// It is forbidden already; what would be read besides is of a higher class, and nobody said yes to that.
		const call = narrowing('olga', grant, 'loans', 'duration > 12');
		await refused(test, call, 422, 'request-refused');
		const answer = await test.world.call(narrowing('olga', grant, 'loans', 'amount > 1000'));
		expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 202 });
		expect((await change(grant.id, 'narrow', { tables: [{ table: 'loans', columns: ['loan_id'] }] })).state).toBe(
			'granted',
		);
		await revoke(grant.id);
		await enrol(test, 'risk', { alice: ['consumer'] });
	});
});
