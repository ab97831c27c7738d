import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import * as z from 'zod';
import { type ContractFault, ContractView, classifications, contractView, parseContract } from '#core/contract.ts';
import { BrokerError } from '#core/error.ts';
import { readContracts, sampleContracts } from '#local/lake.ts';
import { samples, whole } from '#tests/conformance/odcs/corpus.ts';
import { alone, apart, changed, text } from './contract/cases.ts';

function refusal(input: string, format: 'yaml' | 'json' = 'yaml'): BrokerError {
	try {
		parseContract(input, format);
	} catch (error) {
		if (error instanceof BrokerError) return error;
		throw error;
	}
	throw new Error('was not refused');
}

function faults(input: string, format: 'yaml' | 'json' = 'yaml'): readonly ContractFault[] {
	const error = refusal(input, format);
	expect(error.code).toBe('contract-invalid');
	return error.extensions.errors ?? [];
}

describe('a contract is refused with the pointer of the fault', () => {
	test.each([...apart, ...alone])('$title', ({ pointer, detail, change }) => {
		const found = faults(stringify(changed(change)));
		expect(found.map((f) => f.pointer)).toEqual([pointer]);
		expect(found[0]?.detail).toMatch(detail);
	});

	test('any set of mistakes is told at once, in YAML as in JSON', () => {
		fc.assert(
			fc.property(
				fc.subarray(apart, { minLength: 1 }),
				fc.constantFrom('yaml' as const, 'json' as const),
				(cases, format) => {
					const document = changed((d) => {
						for (const { change } of cases) change(d);
					});
					const input = format === 'yaml' ? stringify(document) : JSON.stringify(document, null, 2);
					const pointers = faults(input, format).map((f) => f.pointer);
					expect(new Set(pointers)).toEqual(new Set(cases.map((c) => c.pointer)));
				},
			),
			{ numRuns: 60 },
		);
	});

	test('with the line where it stands', () => {
		const lines = text.split('\n');
		const places = lines.flatMap((line, i) => (line.includes('classification:') ? [i] : []));
		fc.assert(
			fc.property(fc.subarray(places, { minLength: 1 }), fc.nat(5), (broken, blank) => {
				const edited = lines.map((line, i) => (broken.includes(i) ? line.replace(/: .*/, ': secret') : line));
				const found = faults(`${'\n'.repeat(blank)}${edited.join('\n')}`);
				expect(found.map((f) => f.line)).toEqual(broken.map((i) => i + 1 + blank));
			}),
			{ numRuns: 30 },
		);
	});

	test('and where a member is missing, with the line of what should hold it', () => {
		const without = text.replace(/^ {8}physicalType: bigint\n/m, '');
		const line = text.split('\n').findIndex((l) => l.includes('- name: loan_id')) + 1;
		expect(faults(without)).toEqual([
			{ pointer: '/schema/0/properties/0/physicalType', detail: 'is required', line, rule: 'required' },
		]);
	});

	test.each([
		['two spaces', JSON.stringify(parse(text), null, 2)],
		['tabs', JSON.stringify(parse(text), null, '\t')],
		['carriage returns', JSON.stringify(parse(text), null, 2).replaceAll('\n', '\r\n')],
	])('in JSON with %s, too', (_, json) => {
		const lines = json.split('\n');
		const places = lines.flatMap((line, i) => (line.includes('"classification":') ? [i] : []));
		for (const place of places) {
			const edited = lines.map((line, i) => (i === place ? line.replace(/: ".*"/, ': "secret"') : line));
			expect(faults(edited.join('\n'), 'json').map((f) => f.line)).toEqual([place + 1]);
		}
	});

	test('every fault has a line of the text and a rule, whatever broke', () => {
		const lines = text.split('\n');
		const json = JSON.stringify(parse(text), null, 2).split('\n');
		const junk = fc.constantFrom('*a', '[', '}', '"', ': :', '- -', '!!x y', '? [a]', '---', '\u0000', '1e999', 'a: 1');
		fc.assert(
			fc.property(junk, fc.nat(), fc.boolean(), (line, at, yaml) => {
				const broken = (yaml ? lines : json).toSpliced(at % lines.length, 1, line);
				try {
					parseContract(broken.join('\n'), yaml ? 'yaml' : 'json');
				} catch (error) {
					if (!(error instanceof BrokerError)) throw error;
					const told: readonly ContractFault[] = error.extensions.errors ?? [];
					for (const fault of told) {
						expect(fault.line).toBeGreaterThanOrEqual(1);
						expect(fault.line).toBeLessThanOrEqual(broken.length);
						expect(fault.rule).toMatch(/^[a-z0-9-]+$/);
					}
				}
			}),
			{ numRuns: 150 },
		);
	});

	test('what the standard refuses is told as its rule, what only Fairlead needs by the name of the need', () => {
		const document = changed((d) => {
			d['unknown'] = 1;
			d['version'] = 'v1';
			d.servers[0] = { ...d.servers[0], account: 'x', host: 'y' };
		});
		expect(faults(stringify(document)).map((f) => [f.rule, f.pointer])).toEqual([
			['semantic-version', '/version'],
			['account-id', '/servers/0/account'],
			['odcs', '/servers/0/host'],
			['odcs', '/unknown'],
		]);
	});
});

describe('text that is no contract is refused before it costs anything', () => {
	const bomb = `a0: &a0 [${'x,'.repeat(9)}x]\n${Array.from(
		{ length: 7 },
		(_, i) => `a${i + 1}: &a${i + 1} [${Array.from({ length: 9 }, () => `*a${i}`).join(', ')}]\n`,
	).join('')}`;

	test.each([
		['an alias for an alias for an alias', bomb, 'yaml', /alias/],
		['an anchor that holds itself', 'a: &a [*a]', 'yaml', /too large/],
		[
			'a long text that many aliases repeat',
			`a: &a ${'x'.repeat(60_000)}\nb: [${'*a, '.repeat(50)}]`,
			'yaml',
			/too large/,
		],
		['an alias without an anchor', 'a: *a', 'yaml', /alias/],
		['a key twice', 'name: a\nname: b', 'yaml', /`name` twice/],
		['a key twice below', 'schema:\n  - { name: a, name: b }', 'yaml', /`name` twice/],
		['a key twice in JSON', '{"name": "a", "name": "b"}', 'json', /`name` twice/],
		['a custom tag', 'name: !!js/function "x"', 'yaml', /tag/i],
		['a byte order mark', '\uFEFFname: a', 'yaml', /byte order mark/],
		['a byte order mark before JSON', '\uFEFF{}', 'json', /byte order mark/],
		['a comma too many in JSON', '{"a": [1,\n2,]}', 'json', /not JSON/],
		['a tab inside of a JSON text', '{"a": "\t"}', 'json', /not JSON/],
		['something after JSON', '{}\n}', 'json', /not JSON/],
		['binary', 'name: !!binary aGVsbG8=', 'yaml', /tag/i],
		['a key that is a list', '? [a, b]\n: c', 'yaml', /keys must be strings/],
		['two documents', 'name: a\n---\nname: b', 'yaml', /second document/],
		['an open bracket', 'schema: [', 'yaml', /end with/],
		['half of JSON', '{"name": ', 'json', /not JSON/],
		['YAML sent as JSON', 'name: a', 'json', /not JSON/],
		['a list', '- a', 'yaml', /mapping/],
		['nothing', '', 'yaml', /mapping/],
		['a number without end', 'version: .inf', 'yaml', /exact number/],
		['a number that a double cannot hold', 'account: 9007199254740993', 'yaml', /exact number/],
		['half of a surrogate pair', '{"a": ["\\ud800"]}', 'json', /surrogate/],
		['half of a surrogate pair in a name', '{"a\\udc00": 1}', 'json', /surrogate/],
		['a number that overflows in JSON', '{"a": 1e999}', 'json', /exact number/],
		['nested lists', '['.repeat(200_000), 'yaml', /nested/],
		['nested objects in JSON', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`, 'json', /nested/],
		['nested dashes', '- '.repeat(200_000), 'yaml', /nested/],
		['nested question marks', '? '.repeat(200_000), 'yaml', /nested/],
	] as const)('%s', (_, input, format, detail) => {
		expect(faults(input, format)[0]?.detail).toMatch(detail);
	});

	test('over 512 KiB, counted in bytes', () => {
		const padding = (bytes: number) => `# ${'é'.repeat((bytes - Buffer.byteLength(text)) / 2)}`;
		expect(refusal(`${text}${padding(512 * 1024)}`).code).toBe('too-large');
		expect(parseContract(`${text}${padding(512 * 1024 - 4)}`, 'yaml').product).toBe('lending.loans');
	});

	test('the one repeated key among 40,000 is found', () => {
		const many = Array.from({ length: 40_000 }, (_, i) => `k${i}: 1`).join('\n');
		expect(faults(`${many}\nk39999: 2`)).toEqual([
			{ pointer: '', detail: 'key `k39999` twice', line: 40_001, rule: 'text' },
		]);
	});

	test('with any text at all it answers with a contract or a refusal', () => {
		const noise = fc.oneof(
			fc.string({ unit: 'binary', maxLength: 200 }),
			fc.stringMatching(/^[\s&*!|>'"%@`{}[\],:?a#-]{0,80}$/),
		);
		fc.assert(
			fc.property(noise, fc.nat(text.length), fc.constantFrom('yaml' as const, 'json' as const), (junk, at, format) => {
				for (const input of [junk, text.slice(0, at) + junk + text.slice(at)]) {
					try {
						expect(parseContract(input, format).product).toMatch(/^[^.]+\.[^.]+$/);
					} catch (error) {
						expect(error).toBeInstanceOf(BrokerError);
					}
				}
			}),
			{ numRuns: 300 },
		);
	});
});

describe('a contract is read', () => {
	test('into product, tables, columns, purposes and owner', () => {
		const contract = parseContract(text, 'yaml');
		expect(contractView(contract)).toMatchObject({
			product: 'lending.loans',
			version: '1.0.0',
			title: 'Loans',
			owner: 'Lending data',
			purposes: ['credit-risk', 'model-validation', 'regulatory-reporting'],
			sourceCodeLocation: 'https://git.bank.example/lending/loans',
			classification: 'confidential',
			personal: false,
		});
		expect(contract.tables).toMatchObject([
			{ name: 'loans', account: '210000000001', database: 'lending', location: 's3://sample-bank/loans.csv' },
		]);
		expect(contract.tables[0]?.columns.map((c) => `${c.name} ${c.type}`)).toEqual([
			'loan_id bigint',
			'account_id bigint',
			'granted_on date',
			'amount decimal(12,2)',
			'duration int',
			'payments decimal(10,2)',
			'status varchar',
			'collateral varchar',
		]);
	});

	test('personal data and tokens are told by custom properties of the column', () => {
		const clients = readFileSync(`${sampleContracts}/contracts/customers.clients.yaml`, 'utf8');
		const contract = parseContract(clients, 'yaml');
		const columns = contract.tables[0]?.columns ?? [];
		expect(contract.personal).toBe(true);
		expect(columns.filter((c) => !c.personal).map((c) => c.name)).toEqual(['district_id']);
		expect(columns.flatMap((c) => (c.tokenOf === undefined ? [] : [[c.name, c.tokenOf]]))).toEqual([
			['birth_token', 'birth_number'],
		]);
	});

	test('its classification is the highest of its columns', () => {
		fc.assert(
			fc.property(fc.array(fc.constantFrom(...classifications), { minLength: 8, maxLength: 8 }), (levels) => {
				const document = changed((d) => {
					for (const [i, p] of d.schema[0].properties.entries()) p['classification'] = levels[i];
				});
				const most = Math.max(...levels.map((level) => classifications.indexOf(level)));
				expect(parseContract(stringify(document), 'yaml').classification).toBe(classifications[most]);
			}),
			{ numRuns: 40 },
		);
	});

	test('physical names, a team of v3.0 and a location pattern are the standard’s other spellings', () => {
		const document = changed((d) => {
			d['apiVersion'] = 'v3.0.2';
			d['team'] = [{ username: 'olga', role: 'owner' }];
			d.customProperties.push({ property: 'owner', value: 'Lending' });
			d.servers = [
				{ server: 'a', type: 'local', path: '.', format: 'csv' },
				{ ...d.servers[0], location: 's3://lake/data/{model}' },
			];
			const table = d.schema[0];
			delete table['customProperties'];
			Object.assign(table, { name: 'Loans of the bank', physicalName: 'loans_v1' });
			Object.assign(table.properties[0], {
				name: 'Loan number',
				physicalName: 'loan_no',
				physicalType: 'DECIMAL (12, 0)',
			});
		});
		const contract = parseContract(stringify(document), 'yaml');
		expect(contract.owner).toBe('Lending');
		expect(contract.tables[0]).toMatchObject({ name: 'loans_v1', location: 's3://lake/data/loans_v1' });
		expect(contract.tables[0]?.columns[0]).toMatchObject({ name: 'loan_no', type: 'decimal(12,0)' });
	});

	test.each([
		['view', true],
		[' View ', true],
		['table', false],
		['materialized view', false],
		[undefined, false],
	])('a schema object of physicalType %s: whether it is a view is %s', (physicalType, view) => {
		const document = changed((d) => {
			delete d.schema[0]['customProperties'];
			Object.assign(d.schema[0], { physicalType });
		});
		const [table] = parseContract(stringify(document), 'yaml').tables;
		expect(table).toMatchObject({ view });
		// Its server has a location, which is none of a view's.
		expect(table?.location).toBe(view ? undefined : 's3://sample-bank/loans');
	});

	test('what it does not know stays in the document as it was', () => {
		const json = fc.jsonValue({ maxDepth: 4, noUnicodeString: false }).filter((v) => JSON.stringify(v) !== undefined);
		fc.assert(
			fc.property(json, fc.constantFrom('yaml' as const, 'json' as const), (extra, format) => {
				// Numbers that a double cannot tell apart are refused, and JSON has no minus zero.
				const value: unknown = JSON.parse(
					JSON.stringify(extra, (_, v) => (typeof v === 'number' ? Math.trunc(v % 2 ** 50) : v)),
				);
				const document = changed((d) => {
					d['tenant'] = 'bank';
					d['description'] = { purpose: 'x', more: value };
					d.customProperties.push({ property: 'x', value });
					d.schema[0].properties[0]['quality'] = [{ metric: 'rowCount', mustBe: value, arguments: { of: value } }];
				});
				const input =
					format === 'json' ? JSON.stringify(document) : stringify(document, { aliasDuplicateObjects: false });
				expect(parseContract(input, format).document).toEqual(JSON.parse(JSON.stringify(document)));
			}),
			{ numRuns: 100 },
		);
	});

	test('every member of the standard is taken, alone and with all others, and none is lost', () => {
		for (const { document } of [...samples(), { document: whole() }]) {
			expect(parseContract(stringify(document, { aliasDuplicateObjects: false }), 'yaml').document).toEqual(document);
			expect(parseContract(JSON.stringify(document), 'json').document).toEqual(document);
		}
	});

	test('aliases within bounds stand for what they name', () => {
		const shared = `${text}roles: [&r { role: a }, *r]\n`;
		expect(parseContract(shared, 'yaml').document).toMatchObject({ roles: [{ role: 'a' }, { role: 'a' }] });
	});

	test('dates and booleans of YAML 1.1 are text in a contract', () => {
		const examples = '{ description: x, mustBe: [2027-01-01, yes, off, 0o17, 1_000], metric: rowCount }';
		const { document } = parseContract(
			text.replace(/^schema:\n {2}-/m, `schema:\n  - quality: [${examples}]\n   `),
			'yaml',
		);
		const [table] = document['schema'] as { quality: { mustBe: unknown }[] }[];
		expect(table?.quality[0]?.mustBe).toEqual(['2027-01-01', 'yes', 'off', 15, '1_000']);
	});

	test('the API shows of it what the schema says, and not the document', () => {
		const shown = contractView(parseContract(text, 'yaml'));
		expect(z.strictObject(ContractView.shape).parse(shown)).toEqual(shown);
	});
});

test('every contract of the sample bank and of the real bank is valid', () => {
	const products = ['local/sample', 'tests/fixtures/berka'].map((dir) =>
		readContracts(`${dir}/contracts`).map(({ file, contract }) => {
			expect(file).toContain(`${contract.product}.yaml`);
			return contract.product;
		}),
	);
	expect(products[0]).toEqual(products[1]);
	expect(products[0]).toContain('lending.loans');
});
