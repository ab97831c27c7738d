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
					{ property: 'latency', value: 0 },
				]),
			{ promises: ['latency'] },
			{},
		],
		['a status', (d) => (d['status'] = 'draft'), { status: 'draft' }, { status: [['status']] }],
	])('%s', (_, change, facts, places) => {
		const found = factsOf(read(change), null);
		expect(found.facts).toMatchObject(facts);
		for (const [name, paths] of Object.entries(places)) expect(found.places[name]?.map((p) => p.path)).toEqual(paths);
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
});
