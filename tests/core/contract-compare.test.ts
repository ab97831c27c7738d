/** Versions of a contract: their order, and what changed between two of them for those who read by it. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { bumpOf, type Change, Changes, type Contract, compare, isHigher, parseContract } from '#core/contract.ts';
import { type Column, changed, type Document } from './contract/cases.ts';

const read = (change: (d: Document) => void): Contract => parseContract(stringify(changed(change)), 'yaml');
const before = read(() => {});
const column = (d: Document, i: number): Column => d.schema[0].properties[i] as Column;

type Edit = { readonly change: (d: Document) => void; readonly told: Partial<Change> };

/** Edits that do not touch each other, and what each is told as. */
const edits: readonly Edit[] = [
	{
		change: (d) => (column(d, 1)['physicalType'] = 'varchar'),
		told: {
			kind: 'column-retyped',
			table: 'loans',
			column: 'account_id',
			from: 'bigint',
			to: 'varchar',
			breaking: true,
		},
	},
	{
		change: (d) => (column(d, 0)['classification'] = 'restricted'),
		told: { kind: 'column-reclassified', column: 'loan_id', from: 'internal', to: 'restricted', breaking: false },
	},
	{
		change: (d) => (column(d, 2)['customProperties'] = [{ property: 'regulatoryClass', value: 'personal-data' }]),
		told: { kind: 'column-personal', column: 'granted_on', from: 'false', to: 'true', breaking: false },
	},
	{
		change: (d) => (column(d, 3)['required'] = false),
		told: { kind: 'column-required', column: 'amount', from: 'true', to: 'false', breaking: true },
	},
	{
		change: (d) => (column(d, 7)['required'] = true),
		told: { kind: 'column-required', column: 'collateral', from: 'false', to: 'true', breaking: false },
	},
	{
		change: (d) => (column(d, 4)['partitioned'] = true),
		told: { kind: 'column-partitioned', column: 'duration', from: 'false', to: 'true', breaking: true },
	},
	{
		change: (d) => d.schema[0].properties.push({ name: 'added', physicalType: 'int', classification: 'public' }),
		told: { kind: 'column-added', column: 'added', from: null, to: 'added', breaking: false },
	},
	{
		change: (d) => {
			(d.schema as unknown[]).push({ name: 'other', properties: [{ name: 'a', physicalType: 'int' }] });
		},
		told: { kind: 'table-added', table: 'other', from: null, to: 'other', breaking: false },
	},
	{
		change: (d) => (d.servers[0] = { ...d.servers[0], database: 'elsewhere' }),
		told: {
			kind: 'table-moved',
			from: '210000000001.lending.loans',
			to: '210000000001.elsewhere.loans',
			breaking: true,
		},
	},
	{
		change: (d) => Object.assign(d.schema[0], { physicalType: 'view' }),
		told: { kind: 'table-retyped', table: 'loans', from: 'table', to: 'view', breaking: true },
	},
	{
		change: (d) => (d.customProperties[0] = { property: 'purposes', value: ['credit-risk', 'model-validation'] }),
		told: { kind: 'purpose-removed', from: 'regulatory-reporting', to: null, breaking: true },
	},
	{
		change: (d) => (d['team'] = { name: 'Others' }),
		told: { kind: 'owner-changed', from: 'Lending data', to: 'Others', breaking: false },
	},
	{
		change: (d) => d.customProperties.push({ property: 'retiresAt', value: '2027-01-01' }),
		told: { kind: 'retirement-changed', from: null, to: '2027-01-01', breaking: false },
	},
	{
		change: (d) => (d['status'] = 'deprecated'),
		told: { kind: 'status-changed', from: 'active', to: 'deprecated', breaking: false },
	},
];

describe('comparing two versions', () => {
	it('tells each of any set of changes, and nothing else', () => {
		fc.assert(
			fc.property(fc.subarray([...edits]), (chosen) => {
				const after = read((d) => {
					for (const { change } of chosen) change(d);
				});
				const found = compare(before, after);
				expect(z(found)).toEqual(found);
				expect(found.changes).toHaveLength(chosen.length);
				for (const { told } of chosen) expect(found.changes).toContainEqual(expect.objectContaining(told));
				expect(found.breaking).toBe(chosen.some(({ told }) => told.breaking));
			}),
			{ numRuns: 60 },
		);
	});

	it('tells what is gone, and that it breaks', () => {
		const after = read((d) => d.schema[0].properties.splice(6, 1));
		expect(compare(before, after)).toMatchObject({
			breaking: true,
			changes: [{ kind: 'column-removed', table: 'loans', column: 'status', from: 'status', to: null, breaking: true }],
		});
		const renamed = read((d) => (d.schema[0]['physicalName'] = 'others'));
		expect(compare(before, renamed).changes.map((c) => [c.kind, c.breaking])).toEqual([
			['table-removed', true],
			['table-added', false],
		]);
	});

	it('takes two names of one type for no change', () => {
		const spelled = (type: string) => read((d) => (column(d, 6)['physicalType'] = type));
		expect(compare(spelled('string'), spelled('varchar')).changes).toEqual([]);
		expect(compare(spelled('array<struct<a: integer>>'), spelled('array<struct<a:int>>')).changes).toEqual([]);
		expect(compare(spelled('binary'), spelled('varbinary')).changes).toEqual([]);
		expect(compare(spelled('map<int,decimal(10)>'), spelled('map<int,decimal(10,0)>')).changes).toEqual([]);
		expect(compare(spelled('decimal(10)'), spelled('decimal(10,1)')).changes).toHaveLength(1);
		expect(compare(spelled('struct<real:int>'), spelled('struct<float:int>')).changes).toHaveLength(1);
	});

	it('breaks when a token comes to stand for something else, or a new column is a partition key', () => {
		const token = (raw: string) =>
			read((d) => (column(d, 6)['customProperties'] = [{ property: 'tokenOf', value: raw }]));
		expect(compare(token('amount'), token('payments')).changes).toMatchObject([
			{ kind: 'column-token', from: 'amount', to: 'payments', breaking: true },
		]);
		const key = read((d) => d.schema[0].properties.push({ name: 'k', physicalType: 'date', partitioned: true }));
		expect(compare(before, key).changes).toMatchObject([{ kind: 'column-added', breaking: true }]);
	});

	it('tells rows that are closed to other domains, or opened: nothing that ran stops to run', () => {
		const scoped = (...value: { column: string; attribute: string }[]) =>
			read((d) => (d.schema[0]['customProperties'] = [{ property: 'rowScope', value }]));
		const [one, other] = ['line-of-business', 'jurisdiction'].map((attribute) =>
			scoped({ column: 'status', attribute }),
		);
		const at = { table: 'loans', column: 'status', breaking: false };
		const added = { ...at, kind: 'row-scope-added', from: null, to: 'line-of-business' };
		const removed = { ...at, kind: 'row-scope-removed', from: 'line-of-business', to: null };
		const told = (a: Contract = before, b: Contract = before) => {
			const { changes, raised, lowered, breaking } = compare(a, b);
			return { changes, raised, lowered, breaking };
		};
		expect(told(before, one)).toEqual({ changes: [added], raised: true, lowered: false, breaking: false });
		expect(told(one, before)).toEqual({ changes: [removed], raised: false, lowered: true, breaking: false });
		const changes = [removed, { ...added, to: 'jurisdiction' }];
		expect(told(one, other)).toEqual({ changes, raised: true, lowered: true, breaking: false });
	});

	it.each([
		[[], ['CZ'], null, 'CZ', { breaking: true, lowered: false }],
		[['CZ'], [], 'CZ', null, { breaking: false, lowered: true }],
		[['CZ'], ['SK', 'CZ'], 'CZ', 'CZ, SK', { breaking: false, lowered: true }],
		[['CZ', 'SK'], ['CZ'], 'CZ, SK', 'CZ', { breaking: true, lowered: false }],
		[['CZ'], ['SK'], 'CZ', 'SK', { breaking: true, lowered: true }],
	])('from %j to %j says whether any domain may no longer ask, or may now', (was, is, from, to, told) => {
		const at = (value: string[]) =>
			read((d) => value.length > 0 && d.customProperties.push({ property: 'residency', value }));
		expect(compare(at(was), at(is))).toMatchObject({ ...told, changes: [{ kind: 'residency-changed', from, to }] });
		expect(compare(at(is), at(is.toReversed())).changes).toEqual([]);
	});

	it.each([
		['internal', 'restricted', { raised: true, lowered: false }],
		['restricted', 'internal', { raised: false, lowered: true }],
		['internal', 'internal', { raised: false, lowered: false }],
	])('from %s to %s says whether anything is more confidential, or less', (from, to, told) => {
		const at = (level: string) => read((d) => (column(d, 0)['classification'] = level));
		expect(compare(at(from), at(to))).toMatchObject(told);
	});
});

const z = (found: unknown) => Changes.parse(found);

describe('versions are ordered as Semantic Versioning orders them', () => {
	// https://semver.org/#spec-item-11
	const ascending = [
		'0.9.9',
		'1.0.0-alpha',
		'1.0.0-alpha.1',
		'1.0.0-alpha.beta',
		'1.0.0-beta',
		'1.0.0-beta.2',
		'1.0.0-beta.11',
		'1.0.0-rc.1',
		'1.0.0',
		'1.0.1-0',
		'1.0.1',
		'1.2.0',
		'1.10.0',
		'2.0.0-x-y',
		'2.0.0',
	];

	it('each above all before it', () => {
		const wrong = ascending.flatMap((a, i) => ascending.filter((b, j) => isHigher(a, b) !== i > j).map((b) => [a, b]));
		expect(wrong).toEqual([]);
	});

	it('build metadata has no say', () => {
		expect([isHigher('1.0.0+b', '1.0.0+a'), isHigher('1.0.0+a', '1.0.0+b'), isHigher('1.0.1+a', '1.0.0+b')]).toEqual([
			false,
			false,
			true,
		]);
	});

	it.each([
		['1.2.3', '2.0.0', 'major'],
		['1.2.3', '1.3.0', 'minor'],
		['1.2.3', '1.2.4', 'patch'],
		['1.2.3-a', '1.2.3', 'patch'],
		['1.2.3', '1.2.3', 'none'],
		['2.0.0', '1.9.9', 'none'],
	])('%s to %s is %s', (from, to, bump) => {
		expect(bumpOf(from, to)).toBe(bump);
	});
});
