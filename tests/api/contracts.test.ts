/** Contracts over HTTP: what is refused and why, given back as it was sent, compared, and at the end of its life. */
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { sha256 } from '#core/ledger.ts';
import type { Handle } from '#local/people.ts';
import type { Answer } from '#local/story/client.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { get, grantTo, type Problem, post, refused, requestBody, send } from './harness.ts';

type Part = Record<string, unknown>;
type Column = Part & { name: string };
type Document = Part & {
	version: string;
	schema: [{ name: string; properties: Column[] }];
	customProperties: { property: string; value: unknown }[];
};

let test: TestBank;
beforeAll(async () => void (test = await testBank()));
afterAll(() => test.close());

const textOf = (product: string) => test.world.contracts.find((c) => c.contract.product === product)?.text ?? '';

function changed(product: string, change: (d: Document) => void): Document {
	const document = parse(textOf(product)) as Document;
	change(document);
	return document;
}

async function put(who: Handle, product: string, body: string, type = 'application/yaml'): Promise<Answer> {
	const headers = { authorization: `Bearer ${await test.bank.issuer.token(who)}`, 'content-type': type };
	return send(test, `/api/v1/dataproducts/${product}`, { method: 'PUT', headers, body });
}

const told = (problem: Problem) =>
	(problem.errors ?? []) as readonly { pointer: string; detail: string; line: number; rule: string }[];

describe('a contract that breaks rules of publication', () => {
	it('is refused with each rule, its advice, and pointer and line of each place', async () => {
		const document = changed('lending.loans', (d) => {
			d.version = '1.1.0';
			delete d['team'];
			delete d.schema[0].properties[1]?.['customProperties'];
			delete d.schema[0].properties[2]?.['classification'];
			d['slaProperties'] = [{ property: 'retention', value: 10 }];
		});
		const text = stringify(document);
		const problem = await refused(test, () => put('olga', 'lending.loans', text), 422, 'contract-refused');
		const line = (name: string) => text.split('\n').findIndex((l) => l.includes(`- name: ${name}`)) + 1;
		expect(problem['policies']).toEqual([
			'columns-classified',
			'columns-have-regulatory-class',
			'contract-names-owner',
			'sla-freshness-promised',
		]);
		expect(told(problem).map((f) => [f.rule, f.pointer, f.line])).toEqual([
			['columns-classified', '/schema/0/properties/2', line('granted_on')],
			['columns-have-regulatory-class', '/schema/0/properties/1', line('account_id')],
			['contract-names-owner', '/team', 1],
			['sla-freshness-promised', '/slaProperties', text.split('\n').indexOf('slaProperties:') + 1],
		]);
		expect(told(problem).every((f) => /^[A-Z].+\.$/.test(f.detail))).toBe(true);
	});

	it('is told to its owner alone: nobody else learns what is wrong with it', async () => {
		const broken = textOf('lending.loans').replace(/^team:\n {2}name: .*$/m, 'team:');
		for (const text of [broken, 'no: contract', '{', '[]', '\u0000']) {
			for (const type of ['application/yaml', 'application/json']) {
				await refused(test, () => put('peter', 'lending.loans', text, type), 403, 'not-permitted');
			}
		}
	});

	it('is refused for a break in a minor version, and published as a major one', async () => {
		const breaking = (version: string) =>
			stringify(
				changed('payments.cards', (d) => {
					d.version = version;
					d.customProperties = [{ property: 'purposes', value: ['service-improvement'] }];
				}),
			);
		const problem = await refused(
			test,
			() => put('peter', 'payments.cards', breaking('1.1.0')),
			422,
			'contract-refused',
		);
		expect(told(problem)[0]).toMatchObject({ rule: 'breaking-needs-major', pointer: '/version' });
		expect(told(problem)[0]?.detail).toMatch(/^purpose-removed [a-z-]+: This breaks/);
		expect((await put('peter', 'payments.cards', breaking('2.0.0'))).status).toBe(201);
	});

	it('is refused to an owner who makes a column less confidential, with each such column', async () => {
		const problem = await refused(
			test,
			() =>
				put(
					'olga',
					'lending.loans',
					stringify(
						changed('lending.loans', (d) => {
							d.version = '1.0.1';
							for (const column of d.schema[0].properties) column['classification'] = 'public';
						}),
					),
				),
			422,
			'contract-refused',
		);
		expect(problem['policies']).toEqual(['lowering-needs-officer']);
		expect(told(problem)[0]).toMatchObject({ pointer: expect.stringMatching(/^\/schema\/0\/properties\/\d+$/) });
	});

	it('is recorded, when it breaks none, with the rule that permits it', async () => {
		const { entries } = (await test.world.call(get('rita', '/ledger/entries?pageSize=100'))).body as {
			entries: { stream: string; bytes: string }[];
		};
		const published = entries.filter((e) => e.stream === 'A#product#lending.loans');
		const recorded = published.map((e) => JSON.parse(Buffer.from(e.bytes, 'base64').toString('utf8')) as Part);
		expect(recorded).toMatchObject([{ type: 'ContractPublished', rules: { policies: ['owners-publish'] } }]);
	});
});

describe('a text that is no contract', () => {
	it.each([
		['application/yaml', 'name: [', 1],
		['application/yaml', 'id: a\nid: b\n', 2],
		['application/json', '{\n"id": 1,\n}', 3],
		['application/json', '[]', 1],
		['application/json', '', 1],
		['application/yaml', '\uFEFFid: a', 1],
	])('%s %j is refused with its line', async (type, text, line) => {
		const problem = await refused(test, () => put('olga', 'lending.loans', text, type), 422, 'contract-invalid');
		expect(told(problem)[0]).toMatchObject({ pointer: '', line, rule: 'text' });
	});

	it('nor what is not UTF-8', async () => {
		const call = async () => {
			const headers = {
				authorization: `Bearer ${await test.bank.issuer.token('olga')}`,
				'content-type': 'application/yaml',
			};
			const body = new Uint8Array([0x69, 0x64, 0x3a, 0xff]);
			const answer = await fetch(`${test.bank.api}/api/v1/dataproducts/lending.loans`, {
				method: 'PUT',
				headers,
				body,
			});
			return { status: answer.status, headers: answer.headers, body: await answer.json(), curl: '' };
		};
		await refused(test, call, 400, 'bad-request');
	});

	it('is told what does not fit the product and Glue, with lines', async () => {
		const document = changed('lending.loans', (d) => {
			d['dataProduct'] = 'other';
			d['servers'] = [{ server: 'x', type: 'local', path: '.', format: 'csv' }, ...(d['servers'] as object[])];
			Object.assign((d['servers'] as Part[])[1] ?? {}, { account: '210000000002' });
		});
		const text = stringify(document);
		const problem = await refused(test, () => put('olga', 'lending.loans', text), 422, 'contract-invalid');
		expect(told(problem).map((f) => [f.pointer, f.line])).toEqual([
			['/dataProduct', text.split('\n').indexOf('dataProduct: other') + 1],
			['/servers/1/account', text.split('\n').findIndex((l) => l.includes('210000000002')) + 1],
		]);
	});
});

describe('a published version', () => {
	const raw = async (path: string) => {
		const headers = { authorization: `Bearer ${await test.bank.issuer.token('alice')}` };
		const answer = await fetch(`${test.bank.api}/api/v1${path}`, { headers });
		return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
	};

	it('is given back byte for byte, and member for member, whatever else it says', { timeout: 120_000 }, async () => {
		let patch = 0;
		const value = fc
			.jsonValue({ maxDepth: 3 })
			.map((v) => JSON.parse(JSON.stringify(v, (_, n) => (typeof n === 'number' ? Math.trunc(n % 2 ** 50) : n))));
		const layout = fc.constantFrom(
			(d: Document) => stringify(d, { aliasDuplicateObjects: false }),
			(d: Document) => `# A comment, Příjmení\n${stringify(d, { indent: 4, aliasDuplicateObjects: false })}\n\n`,
			(d: Document) => stringify(d, { aliasDuplicateObjects: false }).replaceAll('\n', '\r\n'),
			(d: Document) => JSON.stringify(d, null, '\t'),
			(d: Document) => ` ${JSON.stringify(d)}\n`,
		);
		await fc.assert(
			fc.asyncProperty(value, layout, async (extra, write) => {
				patch += 1;
				const document = changed('customers.districts', (d) => {
					d.version = `1.0.${patch}`;
					d['price'] = { priceAmount: 1.5, priceCurrency: 'CZK' };
					d['roles'] = [{ role: 'reader', customProperties: [{ property: 'x', value: extra }] }];
					d['description'] = { purpose: 'Districts', more: extra };
					d.customProperties.push({ property: 'anything', value: extra });
				});
				const text = write(document);
				const json = /^\s*\{/.test(text);
				const answer = await put('peter', 'customers.districts', text, `application/${json ? 'json' : 'yaml'}`);
				expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 201 });
				const at = `/dataproducts/customers.districts/versions/${document.version}`;
				const view = (await test.world.call(get('alice', at))).body as Part;
				expect(view['document']).toEqual(JSON.parse(JSON.stringify(document)));
				expect(view).toMatchObject({ hash: sha256(text), format: json ? 'json' : 'yaml', version: document.version });
				const contract = await raw(`${at}/contract`);
				expect(contract).toEqual({ status: 200, type: `application/${json ? 'json' : 'yaml'}`, text });
				const again = await put('peter', 'customers.districts', text, `application/${json ? 'json' : 'yaml'}`);
				expect(again.status).toBe(200);
			}),
			{ numRuns: 12 },
		);
		const { versions } = (await test.world.call(get('alice', '/dataproducts/customers.districts/versions'))).body as {
			versions: Part[];
		};
		expect(versions).toHaveLength(patch + 1);
	});

	it('is compared with the one before, or with any other', async () => {
		const next = (version: string, change: (d: Document) => void) =>
			put(
				'peter',
				'payments.orders',
				stringify(changed('payments.orders', (d) => void (change(d), (d.version = version)))),
			);
		expect((await next('1.1.0', (d) => (d['status'] = 'deprecated'))).status).toBe(201);
		const retyped = (d: Document) =>
			(d.schema[0].properties[0] = { ...(d.schema[0].properties[0] as Column), required: false });
		expect((await next('2.0.0', retyped)).status).toBe(201);
		const at = '/dataproducts/payments.orders/versions/2.0.0/changes';
		expect((await test.world.call(get('alice', at))).body).toMatchObject({
			since: '1.1.0',
			version: '2.0.0',
			bump: 'major',
			breaking: true,
			changes: [
				{ kind: 'column-required', breaking: true },
				{ kind: 'status-changed', from: 'deprecated', to: 'active' },
			],
		});
		const sinceFirst = (await test.world.call(get('alice', `${at}?since=1.0.0`))).body as { changes: Part[] };
		expect(sinceFirst.changes.map((c) => c['kind'])).toEqual(['column-required']);
	});

	it('that is not there is not found; one that has none before it is compared with nothing', async () => {
		const at = '/dataproducts/lending.accounts/versions';
		for (const path of [
			`${at}/9.9.9`,
			`${at}/9.9.9/contract`,
			`${at}/9.9.9/changes`,
			'/dataproducts/lending.nosuch/versions/1.0.0',
		]) {
			await refused(test, get('alice', path), 404, 'not-found');
		}
		await refused(test, get('alice', `${at}/1.0.0/changes`), 422, 'validation');
		await refused(test, get('alice', `${at}/1.0.0/changes?since=9.9.9`), 422, 'validation');
	});
});

describe('the end of a product', () => {
	const ending = (version: string, from: Date, to: Date) =>
		stringify(
			changed('lending.accounts', (d) => {
				d.version = version;
				d.customProperties.push(
					{ property: 'deprecatedFrom', value: from.toISOString() },
					{ property: 'retiresAt', value: to.toISOString() },
				);
			}),
		);
	const day = 86_400_000;
	const asking = (duration: string) =>
		requestBody(test.world, {
			product: 'lending.accounts',
			tables: [{ table: 'accounts', columns: ['account_id'] }],
			duration,
		});

	it('is announced in its view and headers, bounds what is granted, and then nothing more is', async () => {
		const from = new Date(Date.now() - day);
		const to = new Date(Date.now() + 10 * day);
		expect((await put('olga', 'lending.accounts', ending('1.0.1', from, to))).status).toBe(201);
		const answer = await test.world.call(get('alice', '/dataproducts/lending.accounts'));
		const dates = { deprecatedFrom: from.toISOString(), retiresAt: to.toISOString() };
		expect(answer.body).toMatchObject({ ...dates, contract: dates });
		expect(answer.headers.get('deprecation')).toBe(`@${Math.floor(from.getTime() / 1000)}`);
		expect(Date.parse(answer.headers.get('sunset') ?? '')).toBe(Math.floor(to.getTime() / 1000) * 1000);
		const long = await refused(test, post('alice', '/requests', asking('P11D')), 422, 'validation');
		expect(long.errors?.[0]).toMatchObject({ pointer: '/duration', detail: expect.stringMatching(/retires at/) });
		await grantTo(test.world, 'alice', asking('P1D'));
		const passed = new Date(Date.now() - 1000);
		expect((await put('olga', 'lending.accounts', ending('1.0.2', from, passed))).status).toBe(201);
		await refused(test, post('alice', '/requests', asking('P1D')), 422, 'product-retired');
	});
});
