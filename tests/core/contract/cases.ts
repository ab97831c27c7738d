/** A valid contract, and the mistakes that make it invalid: one each, with the pointer and detail of its fault. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { sampleContracts } from '#local/lake.ts';

export const text = readFileSync(`${sampleContracts}/contracts/lending.loans.yaml`, 'utf8');

export type Part = Record<string, unknown>;
export type Column = Part & { name: string; customProperties?: unknown[] };
export type Document = Part & {
	servers: Part[];
	schema: [Part & { properties: [Column, Column, Column, ...Column[]] }];
	customProperties: { property: string; value: unknown }[];
};

/** The valid contract after a change. */
export function changed(change: (document: Document) => void): Document {
	const document = parse(text) as Document;
	change(document);
	return document;
}

export type Case = { title: string; pointer: string; detail: RegExp; change: (d: Document) => void };

/** One mistake each; together they do not touch each other. */
export const apart: Case[] = [
	{
		title: 'another standard version',
		pointer: '/apiVersion',
		detail: /v3/,
		change: (d) => (d['apiVersion'] = 'v2.2.2'),
	},
	{ title: 'another kind', pointer: '/kind', detail: /DataContract/, change: (d) => (d['kind'] = 'DataProduct') },
	{ title: 'no id', pointer: '/id', detail: /required/, change: (d) => delete d['id'] },
	{ title: 'a blank name', pointer: '/name', detail: /blank/, change: (d) => (d['name'] = '  ') },
	{ title: 'a version of two parts', pointer: '/version', detail: /semantic/, change: (d) => (d['version'] = '1.0') },
	{ title: 'a status that is a list', pointer: '/status', detail: /text/, change: (d) => (d['status'] = []) },
	{ title: 'a domain in capitals', pointer: '/domain', detail: /lower-case/, change: (d) => (d['domain'] = 'Lending') },
	{ title: 'no data product', pointer: '/dataProduct', detail: /required/, change: (d) => delete d['dataProduct'] },
	{
		title: 'a member that the standard does not have',
		pointer: '/owner',
		detail: /no such member/,
		change: (d) => (d['owner'] = 'Lending'),
	},
	{
		title: 'a service level without a value',
		pointer: '/slaProperties/0/value',
		detail: /required/,
		change: (d) => (d['slaProperties'] = [{ property: 'frequency' }]),
	},
	{
		title: 'an account of eleven digits',
		pointer: '/servers/0/account',
		detail: /12-digit/,
		change: (d) => (d.servers[0] = { ...d.servers[0], account: '21000000000' }),
	},
	{
		title: 'a purpose that is no id',
		pointer: '/customProperties/0/value/1',
		detail: /lower-case/,
		change: (d) => (d.customProperties[0] = { property: 'purposes', value: ['credit-risk', 'Any purpose!'] }),
	},
	{
		title: 'no physical type',
		pointer: '/schema/0/properties/0/physicalType',
		detail: /required/,
		change: (d) => delete d.schema[0].properties[0]['physicalType'],
	},
	{
		title: 'a type that Athena does not have',
		pointer: '/schema/0/properties/1/physicalType',
		detail: /Athena/,
		change: (d) => (d.schema[0].properties[1]['physicalType'] = 'decimal(39,2)'),
	},
	{
		title: 'a classification that is not in the list',
		pointer: '/schema/0/properties/2/classification',
		detail: /one of public, internal, confidential, restricted/,
		change: (d) => (d.schema[0].properties[2]['classification'] = 'secret'),
	},
	{
		title: 'a column name in capitals',
		pointer: '/schema/0/properties/3/name',
		detail: /lower-case/,
		change: (d) => (d.schema[0].properties[3] = { ...d.schema[0].properties[3], name: 'Amount' }),
	},
	{
		title: 'a column name twice',
		pointer: '/schema/0/properties/5',
		detail: /another column/,
		change: (d) => (d.schema[0].properties[5] = { ...d.schema[0].properties[5], name: 'duration' }),
	},
	{
		title: 'a token of a column that is not there',
		pointer: '/schema/0/properties/6/customProperties/0/value',
		detail: /another column/,
		change: (d) =>
			(d.schema[0].properties[6] = {
				...(d.schema[0].properties[6] as Column),
				customProperties: [{ property: 'tokenOf', value: 'nosuch' }],
			}),
	},
	{
		title: 'a misspelt regulatory class, which must not pass for none',
		pointer: '/schema/0/properties/7/customProperties/0/value',
		detail: /personal-data/,
		change: (d) =>
			(d.schema[0].properties[7] = {
				...(d.schema[0].properties[7] as Column),
				customProperties: [{ property: 'regulatoryClass', value: 'personal_data' }],
			}),
	},
];

/** Makes the table's row scope this. */
const scoped = (value: unknown) => (d: Document) =>
	(d.schema[0]['customProperties'] = [{ property: 'rowScope', value }]);
const SCOPE = '/schema/0/customProperties/0/value';

/** Mistakes that would hide or cause others. */
export const alone: Case[] = [
	...(
		[
			['', []],
			['', 'jurisdiction'],
			['', { column: 'status', attribute: 'x' }],
			['/0', [null]],
			['/0/column', [{ attribute: 'x' }]],
			['/0/value', [{ column: 'status', attribute: 'x', value: 'A' }]],
		] as const
	).map(([below, value]) => ({
		title: `a row scope that is ${JSON.stringify(value)}`,
		pointer: `${SCOPE}${below}`,
		detail: /column, attribute/,
		change: scoped(value),
	})),
	{
		title: 'a row scope by a column that is not there',
		pointer: `${SCOPE}/0/column`,
		detail: /column of this table/,
		change: scoped([{ column: 'nosuch', attribute: 'jurisdiction' }]),
	},
	{
		title: 'a row scope by one column twice',
		pointer: `${SCOPE}/1/column`,
		detail: /each once/,
		change: scoped([
			{ column: 'status', attribute: 'jurisdiction' },
			{ column: 'status', attribute: 'line-of-business' },
		]),
	},
	{
		title: 'a row scope by a date, which Lake Formation does not filter by',
		pointer: `${SCOPE}/0/column`,
		detail: /Lake Formation/,
		change: scoped([{ column: 'granted_on', attribute: 'jurisdiction' }]),
	},
	{
		title: 'a row scope by a column whose name Lake Formation does not filter by',
		pointer: `${SCOPE}/0/column`,
		detail: /Lake Formation/,
		change(d) {
			scoped([{ column: 'oid', attribute: 'jurisdiction' }])(d);
			d.schema[0].properties[6] = { ...(d.schema[0].properties[6] as Column), name: 'oid' };
		},
	},
	{
		title: 'a row scope by an attribute in capitals',
		pointer: `${SCOPE}/0/attribute`,
		detail: /lower-case/,
		change: scoped([{ column: 'status', attribute: 'lineOfBusiness' }]),
	},
	{
		title: 'a row scope of a view, which would bind nobody',
		pointer: SCOPE,
		detail: /no grant opens/,
		change(d) {
			scoped([{ column: 'status', attribute: 'jurisdiction' }])(d);
			d.schema[0]['physicalType'] = ' View';
		},
	},
	...(
		[
			['', []],
			['', 'CZ'],
			['', ['CZ', 'CZ']],
			['/0', ['']],
			['/0', [null]],
			['/1', ['CZ', 'the Slovak Republic']],
		] as const
	).map(([below, value]) => ({
		title: `a residency that is ${JSON.stringify(value)}`,
		pointer: `/customProperties/1/value${below}`,
		detail: /jurisdiction/,
		change: (d: Document) => d.customProperties.push({ property: 'residency', value }),
	})),
	{ title: 'no purposes', pointer: '/customProperties', detail: /purposes/, change: (d) => (d.customProperties = []) },
	{
		title: 'an empty list of purposes',
		pointer: '/customProperties/0/value',
		detail: /at least one/,
		change: (d) => (d.customProperties = [{ property: 'purposes', value: [] }]),
	},
	{
		title: 'a custom property twice',
		pointer: '/customProperties/1/property',
		detail: /twice/,
		change: (d) => d.customProperties.push({ property: 'purposes', value: ['credit-risk'] }),
	},
	{
		title: 'retirement before deprecation',
		pointer: '/customProperties/2/value',
		detail: /after deprecatedFrom/,
		change: (d) =>
			d.customProperties.push(
				{ property: 'deprecatedFrom', value: '2027-01-01' },
				{ property: 'retiresAt', value: '2026-12-31' },
			),
	},
	{ title: 'no table', pointer: '/schema', detail: /at least one table/, change: (d) => (d['schema'] = [] as never) },
	{
		title: 'a table without columns',
		pointer: '/schema/0/properties',
		detail: /at least one column/,
		change: (d) => (d.schema[0]['properties'] = [] as never),
	},
	{
		title: 'a table of partition keys alone',
		pointer: '/schema/0/properties',
		detail: /partition key/,
		change: (d) => {
			for (const property of d.schema[0].properties) property['partitioned'] = true;
		},
	},
	{
		title: 'two tables of one name',
		pointer: '/schema/1',
		detail: /another table/,
		change: (d) => (d.schema as Part[]).push({ ...d.schema[0] }),
	},
	{ title: 'no server', pointer: '/servers', detail: /exactly one/, change: (d) => (d.servers = []) },
	{
		title: 'no server of type glue',
		pointer: '/servers',
		detail: /exactly one/,
		change: (d) => (d.servers = [{ server: 'a', type: 's3', location: 's3://x' }]),
	},
	{
		title: 'two servers of type glue',
		pointer: '/servers/1',
		detail: /exactly one/,
		change: (d) => d.servers.push({ ...d.servers[0], server: 'test' }),
	},
	{
		title: 'a glue server without database',
		pointer: '/servers/0/database',
		detail: /required/,
		change: (d) => delete d.servers[0]?.['database'],
	},
	{
		title: 'a location that is not in S3',
		pointer: '/servers/0/location',
		detail: /s3:/,
		change: (d) => (d.servers[0] = { ...d.servers[0], location: 'https://bank.example/loans' }),
	},
	{
		title: 'a column that is its own token',
		pointer: '/schema/0/properties/6/customProperties/0/value',
		detail: /another column/,
		change: (d) =>
			(d.schema[0].properties[6] = {
				...(d.schema[0].properties[6] as Column),
				customProperties: [{ property: 'tokenOf', value: 'status' }],
			}),
	},
];
