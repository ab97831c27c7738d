/** What the rules of publication are told of a contract, and where each fact stands. */
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Contract, factsOf, parseContract } from '#core/contract.ts';
import { type Column, changed, type Document } from './contract/cases.ts';

const read = (change: (d: Document) => void): Contract => parseContract(stringify(changed(change)), 'yaml');
const column = (d: Document, i: number): Column => d.schema[0].properties[i] as Column;
const sound = read(() => {});

type Case = readonly [string, (d: Document) => void, object, Record<string, (string | number)[][]>];

describe('facts of a contract', () => {
	it('of a sound one give no rule a reason', () => {
		expect(factsOf(sound, null).facts).toEqual({
			owner: 'Lending data',
			id: 'urn',
			status: 'active',
			classification: 'confidential',
			personal: false,
			unclassified: [],
			unregulated: [],
			misnamed: [],
			promises: ['frequency', 'retention'],
			bump: 'first',
			breaking: false,
			lowered: [],
		});
	});

	it.each<Case>([
		[
			'a column without a classification',
			(d) => delete column(d, 0)['classification'],
			{ unclassified: ['loans.loan_id'], classification: 'restricted' },
			{ unclassified: [['schema', 0, 'properties', 0]] },
		],
		[
			'columns without a regulatory class',
			(d) => {
				delete column(d, 1)['customProperties'];
				column(d, 2)['customProperties'] = [{ property: 'other', value: 'none' }];
			},
			{ unregulated: ['loans.account_id', 'loans.granted_on'], personal: true },
			{
				unregulated: [
					['schema', 0, 'properties', 1],
					['schema', 0, 'properties', 2],
				],
			},
		],
		[
			'names of product, table and column',
			(d) => {
				d['dataProduct'] = 'loan-book';
				d.schema[0]['name'] = 'loans__all';
				column(d, 0)['physicalName'] = '_id';
			},
			{ misnamed: ['loan-book', 'loans__all', '_id'] },
			{ misnamed: [['dataProduct'], ['schema', 0], ['schema', 0, 'properties', 0]] },
		],
		['no service level', (d) => delete d['slaProperties'], { promises: [] }, { promises: [['slaProperties']] }],
		[
			'service levels without a value promise nothing',
			(d) =>
				(d['slaProperties'] = [
					{ property: 'frequency', value: null },
					{ property: 'retention', value: '' },
					{ property: 'availability', value: ' ' },
				]),
			{ promises: [] },
			{},
		],
		['a status', (d) => (d['status'] = 'draft'), { status: 'draft' }, { status: [['status']] }],
	])('%s', (_, change, facts, places) => {
		const found = factsOf(read(change), null);
		expect(found.facts).toMatchObject(facts);
		for (const [name, paths] of Object.entries(places)) expect(found.places[name]?.map((p) => p.path)).toEqual(paths);
	});

	it.each([
		[1, true],
		[0.5, true],
		['10', true],
		[' 1.5 ', true],
		[0, false],
		[-1, false],
		['0', false],
		['-1', false],
		['soon', false],
		['  ', false],
		[false, false],
		[true, false],
		[null, false],
	])('freshness and retention of %j are promised: %s', (value, promised) => {
		const names = ['frequency', 'latency', 'retention'];
		const contract = read((d) => (d['slaProperties'] = names.map((property) => ({ property, value }))));
		expect(factsOf(contract, null).facts.promises).toEqual(promised ? names : []);
	});

	it.each([
		[(d: Document) => delete d['team'], false],
		[(d: Document) => (d['team'] = { name: '  ' }), false],
		[(d: Document) => (d['team'] = [{ username: 'olga' }]), false],
		[
			(d: Document) => {
				delete d['team'];
				d.customProperties.push({ property: 'owner', value: 'Lending' });
			},
			true,
		],
	])('an owner is one with a name (%#)', (change, named) => {
		expect('owner' in factsOf(read(change), null).facts).toBe(named);
	});

	it.each([
		['urn:bank:lending:loans', 'urn'],
		['URN:ISBN:0451450523', 'urn'],
		['53581432-6c55-4ba2-a65f-72344a91553a', 'uuid'],
		['urn:uuid:53581432-6c55-4ba2-a65f-72344a91553a', 'uuid'],
		['loans', 'other'],
		['urn:x', 'other'],
		['urn:x:', 'other'],
		['https://bank.example/loans', 'other'],
		['', 'other'],
		[' urn:bank:loans', 'other'],
	])('the id %j has the form %s', (id, form) => {
		expect(
			factsOf(
				read((d) => (d['id'] = id)),
				null,
			).facts.id,
		).toBe(form);
	});

	it('against the version before tell how far it is above, and each change that breaks', () => {
		const after = read((d) => {
			d['version'] = '1.1.0';
			d.schema[0].properties.splice(6, 1);
			column(d, 1)['physicalType'] = 'int';
		});
		const { facts, places } = factsOf(after, sound);
		expect(facts).toMatchObject({ bump: 'minor', breaking: true });
		expect(places['breaking']).toEqual([
			{ path: ['version'], says: 'column-retyped loans.account_id' },
			{ path: ['version'], says: 'column-removed loans.status' },
		]);
	});

	it('against the version before name each column that fewer would have to agree to', () => {
		const personal = (value: string) => [{ property: 'regulatoryClass', value }];
		const level = (name: string, of: string) => (d: Document) => {
			column(d, 0)['classification'] = name;
			column(d, 1)['customProperties'] = personal(of);
		};
		const [high, low] = [read(level('confidential', 'personal-data')), read(level('public', 'none'))];
		const { facts, places } = factsOf(low, high);
		expect(facts.lowered).toEqual(['loans.loan_id', 'loans.account_id']);
		expect(places['lowered']).toEqual([0, 1].map((k) => ({ path: ['schema', 0, 'properties', k] })));
		expect(factsOf(high, low).facts.lowered).toEqual([]);
		expect(factsOf(high, high).facts.lowered).toEqual([]);
		// Taken away and brought back: held against what it was last.
		const without = read((d) => d.schema[0]?.properties.splice(0, 1));
		expect(factsOf(low, without).facts.lowered).not.toContain('loans.loan_id');
		expect(factsOf(low, without, [high]).facts.lowered).toContain('loans.loan_id');
		expect(factsOf(low, without, [high, low]).facts.lowered).not.toContain('loans.loan_id');
	});

	it('against any version before name rows and places that were closed to other domains', () => {
		const closed = read((d) => {
			const value = [{ column: 'status', attribute: 'line-of-business' }];
			d.schema[0]['customProperties'] = [{ property: 'rowScope', value }];
			d.customProperties.push({ property: 'residency', value: ['CZ'] });
		});
		const { facts, places } = factsOf(sound, closed);
		expect(facts.lowered).toEqual(['loans.status', 'residency']);
		expect(places['lowered']).toEqual([
			{ path: ['schema', 0], says: 'rowScope of status by line-of-business is gone' },
			{ path: ['customProperties'], says: 'residency was CZ' },
		]);
		expect(factsOf(closed, sound).facts.lowered).toEqual([]);
		expect(factsOf(closed, closed).facts.lowered).toEqual([]);
		// Taken away and brought back: held against what it was last.
		const without = read((d) => (d.schema[0]['name'] = 'others'));
		expect(factsOf(sound, without, [closed]).facts.lowered).toEqual(['loans.status']);
	});

	it('count what lies within a column as the column', () => {
		const nested = (name: string, value: string) =>
			read((d) => {
				const leaf = { name: 'leaf', classification: name, customProperties: [{ property: 'regulatoryClass', value }] };
				const items = { name: 'item', properties: [leaf, { name: 'plain' }] };
				delete column(d, 0)['logicalTypeOptions'];
				Object.assign(column(d, 0), {
					logicalType: 'array',
					classification: 'public',
					physicalType: 'array<struct<leaf:int,plain:int>>',
					items,
				});
			});
		const [high, low] = [nested('restricted', 'personal-data'), nested('public', 'none')];
		expect(high.tables[0]?.columns[0]).toMatchObject({ classification: 'restricted', personal: true });
		expect(low.tables[0]?.columns[0]).toMatchObject({ classification: 'public', personal: false });
		expect(factsOf(low, high).facts).toMatchObject({ lowered: ['loans.loan_id'], unclassified: [], unregulated: [] });
		const fault = { pointer: '/schema/0/properties/0/items/properties/0/classification', rule: 'classification' };
		expect(() => nested('secret', 'none')).toThrow(
			expect.objectContaining({ code: 'contract-invalid', extensions: { errors: [expect.objectContaining(fault)] } }),
		);
	});
});
