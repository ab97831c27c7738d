/** A folder without contracts gets drafts that refuse to be published until somebody has said what only people know. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { factsOf, parseContract } from '#core/contract.ts';
import { startBank } from '#local/bank.ts';
import { draftContracts } from '#local/draft.ts';
import { sampleContracts } from '#local/lake.ts';
import { makeWorld, principalOf } from '#local/story/world.ts';
import { grantTo, rowsOf } from '#tests/api/harness.ts';
import { enrol } from '#tests/api/registration.ts';
import { makeLake } from '#tests/conformance/odcs/lake.ts';

const home = mkdtempSync(path.join(tmpdir(), 'fairlead-draft-'));
const lake = path.join(home, 'lake');

beforeAll(() => makeLake(lake));
afterAll(() => rmSync(home, { recursive: true, force: true }));

async function drafted(name: string) {
	const found = (await draftContracts({ lake, domain: 'lending', account: '210000000001' })).find(
		(d) => d.file === `lending.${name}.yaml`,
	);
	if (found === undefined) throw new Error(`no draft ${name}`);
	return { ...found, contract: parseContract(found.text, 'yaml') };
}

describe('drafting', () => {
	it('gives each file, folder and set of folders one contract', async () => {
		const drafts = await draftContracts({ lake });
		expect(drafts.map((d) => d.file)).toEqual(['bookings', 'cards', 'loans', 'wide'].map((n) => `lake.${n}.yaml`));
		expect((await drafted('cards')).contract.tables.map((t) => [t.name, t.location])).toEqual([
			['blocked', 's3://lake/cards/blocked'],
			['issued', 's3://lake/cards/issued'],
		]);
	});

	it('has every type as Athena has it', async () => {
		const { contract } = await drafted('wide');
		expect(contract.tables[0]?.columns.map((c) => `${c.name} ${c.type}`)).toEqual([
			'flag boolean',
			'i8 tinyint',
			'i16 smallint',
			'i32 int',
			'i64 bigint',
			'i128 double',
			'u8 smallint',
			'u16 int',
			'u32 bigint',
			'u64 decimal(20,0)',
			'f32 float',
			'f64 double',
			'amount_czk decimal(12,2)',
			'prijmeni varchar',
			'kind varchar',
			'id varchar',
			'bytes binary',
			'day date',
			'time varchar',
			'at timestamp',
			'at_ns timestamp',
			'at_tz timestamp',
			'list array<int>',
			'lists array<array<int>>',
			'nested struct<a:int,b_c:struct<d:array<double>>>',
			'map map<varchar,int>',
			'span varchar',
			'c_1st int',
			'c_1st_2 int',
			'loan_id int',
		]);
	});

	it('makes partition folders the last columns, in their order', async () => {
		const { contract } = await drafted('bookings');
		expect(contract.tables[0]?.columns.map((c) => [c.name, c.partition])).toEqual([
			['id', false],
			['year', true],
			['region', true],
		]);
	});

	it('is at its strictest, and open where a person must speak: the rules of publication refuse it', async () => {
		const { contract, text } = await drafted('loans');
		expect(contract.tables[0]?.columns.every((c) => c.classification === 'restricted' && c.personal)).toBe(true);
		const { facts } = factsOf(contract, null);
		expect(facts).toMatchObject({ id: 'urn', unclassified: [], unregulated: [], misnamed: [], promises: [] });
		expect(facts.owner).toBeUndefined();
		expect(text.match(/FILL IN/g)?.length).toBeGreaterThanOrEqual(5);
	});

	it.each([
		[{ lake: '/nowhere/at/all' }, /no folder/],
		[{ lake, account: '12' }, /--account .*12-digit/],
		[{ lake, domain: 'No Domain' }, /--domain must be lower-case/],
		[{ lake, name: 'everything' }, /more than one way/],
		[{ lake: path.join(home, 'empty') }, /no \.csv or \.parquet/],
	])('refuses %j', async (options, why) => {
		mkdirSync(path.join(home, 'empty'), { recursive: true });
		await expect(draftContracts(options)).rejects.toThrow(why);
	});
});

describe('a draft that was filled in', () => {
	it('is published, and its rows can be read', { timeout: 120_000 }, async () => {
		const { text, contract } = await drafted('loans');
		const document = parse(text) as Record<string, unknown> & {
			schema: { properties: { classification: string; customProperties: { value: string }[] }[] }[];
		};
		for (const column of document.schema[0]?.properties ?? []) {
			column.classification = 'internal';
			for (const property of column.customProperties) property.value = 'none';
		}
		document['team'] = { name: 'Lending data' };
		document['slaProperties'] = [
			{ property: 'latency', value: 1, unit: 'd' },
			{ property: 'retention', value: 10, unit: 'y' },
		];
		document['customProperties'] = [{ property: 'purposes', value: ['credit-risk'] }];
		const contractsDir = path.join(home, 'described');
		mkdirSync(path.join(contractsDir, 'contracts'), { recursive: true });
		writeFileSync(path.join(contractsDir, 'contracts', 'loans.yaml'), stringify(document));
		writeFileSync(path.join(contractsDir, 'domains.yaml'), readFileSync(path.join(sampleContracts, 'domains.yaml')));
		const ports = { api: 0, aws: 0, issuer: 0 };
		const bank = await startBank({ dataDir: path.join(home, 'bank'), lakeDir: lake, contractsDir, ports });
		try {
			const world = makeWorld(bank);
			const put = (body: string) =>
				world.call({ who: 'olga', method: 'PUT', path: '/api/v1/dataproducts/lending.loans', body });
			const test = { bank, world, close: () => bank.close() };
			await enrol(test, 'lending', { olga: ['owner'] });
			await enrol(test, 'risk', { alice: ['consumer'] });
			const refused = await put(text);
			expect(refused.status).toBe(422);
			expect(refused.body).toMatchObject({
				code: 'contract-refused',
				policies: ['contract-names-owner', 'sla-freshness-promised', 'sla-retention-promised'],
			});
			expect((await put(stringify(document))).status).toBe(201);
			expect(contract.product).toBe('lending.loans');
			const columns = ['loan_id', 'amount', 'granted_on', 'status'];
			await grantTo(world, 'alice', {
				product: 'lending.loans',
				tables: [{ table: 'loans', columns, rowFilter: "status = 'B'" }],
				purpose: 'credit-risk',
				principal: principalOf(world, 'risk', 'credit-risk'),
				duration: 'P1D',
				justification: 'To see that it works',
			});
			const sql = 'SELECT loan_id, amount, granted_on, status FROM lending.loans ORDER BY loan_id';
			const rows = await rowsOf(world, 'alice', sql);
			expect(rows).toHaveLength(10);
			expect(rows[0]).toEqual(['1', '100.00', '2026-01-02', 'B']);
		} finally {
			await bank.close();
		}
	});
});
