/**
 * What a published contract does to grants in force: those that could not be given like this any more are shut in the very
 * call, none outlives the product, and no old grant shows what is new. Told beforehand, to the owner and to the holders.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as Grants from '#core/grants.ts';
import { sweep } from '#core/sweep.ts';
import { rawAthena } from '#local/story/aws.ts';
import type { Answer } from '#local/story/client.ts';
import { principalOf } from '#local/story/world.ts';
import { inLakeFormation, ledgerSize, type TestBank } from '#tests/fixtures.ts';
import { decision, expectRefusal, file, grantTo, post, refused, requestBody, rowsOf } from './harness.ts';
import {
	bankToPublish,
	CARDS,
	column,
	type Document,
	drop,
	type Effect,
	type Published,
	property,
	same,
} from './publishing.ts';

let bank: Awaited<ReturnType<typeof bankToPublish>>;
let test: TestBank;
beforeAll(async () => {
	bank = await bankToPublish();
	({ test } = bank);
});
afterAll(() => test.close());
afterEach(() => bank.clear());

const SQL = 'SELECT card_id FROM payments.cards';
const asking = () => post('mia', '/queries', { sql: SQL, principal: bank.marketing() });
const sweepAt = (now: Date) => sweep({ ...test.bank.platform, clock: () => now }, '0'.repeat(32));
const told = ({ code, rules, roles, columns }: Effect) => ({ code, rules, roles, columns });

const changes: [string, (d: Document) => unknown, Partial<Effect>][] = [
	['a column is gone', (d) => drop(d, 'type'), { code: 'column-gone', columns: ['cards.type'] }],
	[
		'its purpose is allowed no more',
		(d) => property(d, 'purposes', ['fraud-detection']),
		{ code: 'rules-forbid', rules: ['purpose-allowed-by-contract'] },
	],
	['the data stays elsewhere', (d) => property(d, 'residency', ['SK']), { code: 'rules-forbid', rules: ['residency'] }],
	[
		'two owners would have to approve',
		(d) => (column(d, 'card_id')['classification'] = 'restricted'),
		{ code: 'route-grew', roles: ['owner'] },
	],
	[
		'fewer rows are left to the domain',
		(d) =>
			d.schema[0].customProperties.push({
				property: 'rowScope',
				value: [{ column: 'type', attribute: 'line-of-business' }],
			}),
		{ code: 'row-scope' },
	],
];

describe('once the contract is another', () => {
	it.each(changes)(
		'a grant is shut in the call that publishes it: %s',
		{ timeout: 120_000 },
		async (_, change, effect) => {
			const { id } = await grantTo(test.world, 'mia', bank.mias(), ['peter']);
			expect(await rowsOf(test.world, 'mia', SQL, bank.marketing())).not.toEqual([]);
			const expected = [{ code: '', rules: [], roles: [], columns: [], ...effect }];
			const entries = await ledgerSize(test.world);
			const tried = await test.world.call(bank.put('peter', CARDS, bank.contractOf(CARDS, change), true));
			expect(tried.status).toBe(200);
			expect((tried.body as Published).affected.map((a) => [a.grant, a.action, a.effects.map(told)])).toEqual([
				[id, 'suspend', expected],
			]);
			expect([await ledgerSize(test.world), (await bank.read('mia', id)).state]).toEqual([entries, 'granted']);

			const { affected } = await bank.publish('peter', CARDS, change);
			expect(affected.map((a) => [a.grant, a.action, a.effects.map(told)])).toEqual([[id, 'suspend', expected]]);
			await refused(test, asking(), 403, 'grant-suspended');
			const { code, rules = [], roles = [] } = effect;
			expect((await bank.read('mia', id)).notices).toEqual([
				{ at: expect.any(String), kind: 'suspended', until: null, reasons: [{ code, rules, roles }] },
			]);
		},
	);

	it('a grant is not taken up until it could be given like this again', { timeout: 120_000 }, async () => {
		const { id } = await grantTo(test.world, 'mia', bank.mias(), ['peter']);
		await bank.publish('peter', CARDS, (d) => drop(d, 'type'));
		await test.bank.sweep();
		expect((await bank.read('mia', id)).state).toBe('suspended');
		expect(inLakeFormation(test.bank).filters).toEqual([]);
		const problem = await refused(test, bank.resume(id), 409, 'conflict');
		expect((problem['effects'] as Effect[]).map(told)).toEqual([
			{ code: 'column-gone', rules: [], roles: [], columns: ['cards.type'] },
		]);
		expect(problem.detail).toContain(`/grants/${id}/renew`);
		expect((await bank.publish('paula', CARDS, same)).affected).toEqual([]);
		expect((await test.world.call(bank.resume(id))).status).toBe(202);
		expect(await rowsOf(test.world, 'mia', SQL, bank.marketing())).not.toEqual([]);
	});

	it('a grant that a rule approved is shut where people would have to', async () => {
		const body = bank.mias({
			product: 'customers.districts',
			tables: [{ table: 'districts', columns: ['district_id'] }],
		});
		const { view } = await file(test.world, 'mia', body);
		const id = view.grant ?? '';
		expect((await bank.read('mia', id)).state).toBe('granted');
		const { affected } = await bank.publish('peter', 'customers.districts', (d) => {
			for (const c of d.schema[0].properties) c['classification'] = 'internal';
		});
		expect(affected.map((a) => [a.grant, a.action, a.effects.map(told)])).toEqual([
			[id, 'suspend', [{ code: 'route-grew', rules: [], roles: ['owner'], columns: [] }]],
		]);
		await refused(test, bank.resume(id), 409, 'conflict');
	});

	it('a grant that it does not concern goes on', async () => {
		const { id } = await grantTo(test.world, 'mia', bank.mias(), ['peter']);
		const { affected } = await bank.publish('peter', CARDS, (d) => {
			column(d, 'blocked')['classification'] = 'confidential';
			d['name'] = 'Cards of clients';
		});
		expect(affected).toEqual([]);
		expect(await rowsOf(test.world, 'mia', SQL, bank.marketing())).not.toEqual([]);
		expect((await bank.read('mia', id)).notices).toEqual([]);
	});

	it('nobody but an owner tries it out, and a dry run refuses what publishing would', async () => {
		const text = bank.contractOf(CARDS, (d) => drop(d, 'type'));
		await refused(test, bank.put('olga', CARDS, text, true), 403, 'not-permitted');
		const minor = text.replace(/^version: .*$/m, `version: ${bank.version(CARDS)}.1.0`);
		await refused(test, bank.put('peter', CARDS, minor, true), 422, 'contract-refused');
		await refused(
			test,
			{ ...bank.put('peter', CARDS, text), path: `/api/v1/dataproducts/${CARDS}?dryRun=1` },
			422,
			'validation',
		);
	});
});

describe('a grant that was shut so', () => {
	it('goes by the new route when it is renewed, and the new one takes its place', async () => {
		const { id } = await grantTo(test.world, 'mia', bank.mias(), ['peter']);
		// What was personal once stays so: this grant cannot be taken up again.
		await bank.publish('peter', CARDS, (d) => {
			column(d, 'card_id').customProperties = [{ property: 'regulatoryClass', value: 'personal-data' }];
			column(d, 'card_id')['classification'] = 'confidential';
			drop(d, 'type');
		});
		await refused(test, asking(), 403, 'grant-suspended');
		const answer = await test.world.call(
			post('mia', `/grants/${id}/renew`, { duration: 'P1D', justification: 'Still' }),
		);
		expect({ status: answer.status, body: answer.body }).toMatchObject({
			status: 201,
			body: { renews: id, route: ['owner', 'privacy-officer'], tables: [{ columns: ['card_id'] }] },
		});
		const asked = { view: answer.body as { id: string }, etag: answer.headers.get('etag') ?? '' } as never;
		await test.world.call(decision('peter', asked));
		await refused(test, asking(), 403, 'grant-suspended');
		const last = await test.world.call(decision('paula', asked));
		expect(last.body).toMatchObject({ grant: { state: 'granted' } });
		expect(await rowsOf(test.world, 'mia', SQL, bank.marketing())).not.toEqual([]);
		expect((await bank.read('mia', id)).state).toBe('revoked');
	});

	it('is not asked for again where nothing of it is left', async () => {
		const { id } = await grantTo(test.world, 'alice', requestBody(test.world));
		await bank.publish('olga', 'lending.loans', (d) => {
			drop(d, 'status');
			drop(d, 'loan_id');
		});
		const body = { duration: 'P1D', justification: 'Still' };
		await refused(test, post('alice', `/grants/${id}/renew`, body), 409, 'conflict');
		await bank.publish('olga', 'lending.loans', (d) => drop(d, 'status'));
		// Without its filter it would be another one.
		await refused(test, post('alice', `/grants/${id}/renew`, body), 422, 'column-not-found');
	});
});

describe('a product that retires', () => {
	const accounts = (duration: string) =>
		requestBody(test.world, {
			product: 'lending.accounts',
			tables: [{ table: 'accounts', columns: ['account_id'] }],
			duration,
		});
	const retiring = (at: Date) => (d: Document) => property(d, 'retiresAt', at.toISOString());
	const query = post('alice', '/queries', { sql: 'SELECT account_id FROM lending.accounts', principal: '' });
	const asked = () => ({
		...query,
		body: { ...(query.body as object), principal: principalOf(test.world, 'risk', 'credit-risk') },
	});

	it('ends its grants at that instant, with nobody there to do it', { timeout: 120_000 }, async () => {
		const { id, until } = await grantTo(test.world, 'alice', accounts('P30D'));
		const at = new Date(Date.now() + 5 * 86_400_000);
		const { affected } = await bank.publish('olga', 'lending.accounts', retiring(at));
		expect(affected).toEqual([
			{
				grant: id,
				action: 'shorten',
				effects: [{ code: 'retires', rules: [], roles: [], columns: [], until: at.toISOString() }],
			},
		]);
		const view = await bank.read('alice', id);
		expect([view.state, view.until, at.toISOString() < until]).toEqual(['granted', at.toISOString(), true]);
		expect(view.notices).toMatchObject([
			{ kind: 'shortened', until: at.toISOString(), reasons: [{ code: 'retires' }] },
		]);
		const grant = await Grants.get(test.bank.platform, id);
		const table = grant?.scopes[0]?.table;
		if (grant === null || table === undefined) throw new Error('no grant');
		const { principal, purpose, beneficiaries } = grant.opened.body;
		const who = { principal, purpose, person: beneficiaries[0] ?? '' };
		const gate = (ms: number) => Grants.gate(test.bank.platform, who, table, new Date(at.getTime() + ms));
		expect(await gate(-1)).toMatchObject({ open: true });
		expect(await gate(0)).toEqual({ open: false, code: 'grant-expired' });
		await sweepAt(new Date(at.getTime() - 1));
		expect((await bank.read('alice', id)).state).toBe('granted');
		await sweepAt(at);
		expect((await bank.read('alice', id)).state).toBe('expired');
	});

	it('bounds what is approved late and what is renewed, too', async () => {
		const at = new Date(Date.now() + 2 * 86_400_000);
		const { id } = await grantTo(test.world, 'alice', accounts('P1D'));
		expect((await bank.publish('olga', 'lending.accounts', retiring(at))).affected).toEqual([]);
		const body = { duration: 'P3D', justification: 'Still' };
		await refused(test, post('alice', `/grants/${id}/renew`, body), 422, 'validation');
	});

	it('shuts its grants at once where that has come', async () => {
		const { id } = await grantTo(test.world, 'alice', accounts('P1D'));
		await bank.publish('olga', 'lending.accounts', retiring(new Date(Date.now() - 1000)));
		expectRefusal(await test.world.call(asked()), 403, 'grant-expired');
		await test.bank.sweep();
		expect((await bank.read('alice', id)).state).toBe('expired');
	});
});

describe('a column that is new', () => {
	it('is shown by no old grant: not by a star, by its name, or in Athena', async () => {
		const product = 'payments.transactions';
		const sent = (name: string) => test.world.contracts.find((c) => c.contract.product === name)?.contract.tables[0];
		const names = sent(product)?.columns.map((c) => c.name) ?? [];
		await bank.publish('peter', product, (d) => drop(d, 'bank'));
		const columns = names.filter((c) => c !== 'bank');
		const purpose = 'fraud-detection';
		const principal = principalOf(test.world, 'risk', purpose);
		const body = requestBody(test.world, { product, tables: [{ table: 'transactions', columns }], purpose, principal });
		const asked = await file(test.world, 'alice', body);
		for (const who of ['peter', 'paula'] as const) await test.world.call(decision(who, asked));
		expect((await bank.publish('peter', product, same)).affected).toEqual([]);
		const page = async (sql: string): Promise<Answer> => test.world.call(post('alice', '/queries', { sql, principal }));
		expectRefusal(await page(`SELECT bank FROM ${product}`), 403, 'column-not-granted');
		expect((await rowsOf(test.world, 'alice', `SELECT * FROM ${product} LIMIT 1`, principal))[0]).toHaveLength(
			columns.length,
		);
		expect(inLakeFormation(test.bank).filters.find((f) => f.table === 'transactions')?.columns).toEqual(
			columns.toSorted(),
		);
		const link = test.bank.aws
			.lakeFormationState()
			.permissions.find((p) => p.principal === principal && p.resource.kind === 'database');
		const database = (link?.resource as { database?: string } | undefined)?.database ?? 'payments';
		const raw = (sql: string) => rawAthena(test.bank, principal, 'fairlead-risk', sql);
		expect(await raw(`SELECT bank FROM "${database}".transactions`)).toMatchObject({ state: 'FAILED' });
		expect((await raw(`SELECT * FROM "${database}".transactions LIMIT 1`)).table?.columns.toSorted()).toEqual(
			columns.toSorted(),
		);
	});
});
