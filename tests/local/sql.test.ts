/** The bulk tool: one answer a line, whatever the line; a schema that is not understood ends it before the first line. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { answer } from '#local/sql/answer.ts';
import { linesOf } from '#local/sql/lines.ts';
import { lookupIn, readSchema } from '#local/sql/schema.ts';

const home = mkdtempSync(path.join(tmpdir(), 'fairlead-sql-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const schema = {
	loan: { loan_id: 'bigint', Customer_Id: 'bigint', amount: 'decimal(12,2)', status: 'varchar', opened: 'date' },
	'Crm.Customer': { customer_id: 'bigint', name: 'varchar', region: 'varchar' },
};
const lookup = lookupIn(schema);
const unexpected = (cause: unknown) => {
	throw cause;
};
const ask = (sql: unknown, id: unknown = 1) => answer(JSON.stringify({ id, sql }), lookup, unexpected);

const throwing = (error: Error) => () => {
	throw error;
};

function file(name: string, text: string): string {
	const place = path.join(home, name);
	writeFileSync(place, text);
	return place;
}

describe('a schema that is not understood', () => {
	it.each([
		['[]', /an object of tables/],
		['{}', /no table/],
		['{"t": []}', /"t" must be an object of columns/],
		['{"t": {}}', /"t" has no column/],
		['{"t": {"a": 1}}', /"a" of table "t" must have a name and a type/],
		['{"t": {"": "int"}}', /a name and a type/],
		['{"t": {"a": " "}}', /a name and a type/],
		['{"t": {"a": "int", "A": "int"}}', /"A" of table "t" is there twice/],
		['{"t": {"a": "int"}, "T": {"a": "int"}}', /"T" is there twice/],
		['{"c.d.t": {"a": "int"}}', /neither database.table nor a plain name/],
		['{"d.": {"a": "int"}}', /neither/],
		['{"": {"a": "int"}}', /neither/],
		['{"t": ', /not JSON/],
	])('is refused: %s', (text, why) => {
		expect(() => readSchema(file('odd.json', text))).toThrow(why);
	});

	it('names the file that is not there', () => {
		expect(() => readSchema(path.join(home, 'nowhere.json'))).toThrow(/nowhere\.json cannot be read/);
	});
});

describe('a name in a statement', () => {
	const tablesOf = (sql: string) => {
		const found = ask(sql);
		return found.ok ? found.tables : found.code;
	};

	it.each([
		['SELECT amount FROM loan', ['loan']],
		['SELECT amount FROM LOAN', ['loan']],
		['SELECT name FROM crm.customer', ['crm.customer']],
		['SELECT name FROM awsdatacatalog.crm.customer', ['crm.customer']],
	])('leads to its table: %s', (sql, tables) => expect(tablesOf(sql)).toEqual(tables));

	it.each([
		['SELECT name FROM customer'],
		['SELECT amount FROM other.loan'],
		['SELECT name FROM "crm.customer"'],
		['SELECT x FROM __proto__'],
	])('leads nowhere: %s', (sql) => expect(tablesOf(sql)).toBe('table-not-found'));
});

describe('an answer', () => {
	it('has reads, uses, outputs and both printed texts', () => {
		const found = ask(`SELECT c.name, sum(l.amount) AS total, CASE WHEN max(l.status) = 'B' THEN 1 END AS bad
			FROM loan AS l JOIN crm.customer AS c ON c.customer_id = l.customer_id
			WHERE c.region = 'N' GROUP BY c.name ORDER BY total`);
		if (!found.ok) throw new Error(found.message);
		const rows = {
			'crm.customer.customer_id': ['join'],
			'crm.customer.name': ['group'],
			'crm.customer.region': ['filter'],
			'loan.amount': ['sort'],
			'loan.customer_id': ['join'],
		};
		expect(found).toEqual({
			id: 1,
			ok: true,
			tables: ['crm.customer', 'loan'],
			reads: [
				'crm.customer.customer_id',
				'crm.customer.name',
				'crm.customer.region',
				'loan.amount',
				'loan.customer_id',
				'loan.status',
			],
			uses: {
				'crm.customer.customer_id': ['join'],
				'crm.customer.name': ['select', 'group'],
				'crm.customer.region': ['filter'],
				'loan.amount': ['select', 'sort'],
				'loan.customer_id': ['join'],
				'loan.status': ['select'],
			},
			outputs: [
				{ name: 'name', sources: ['crm.customer.name'], direct: { 'crm.customer.name': 'identity' }, indirect: rows },
				{ name: 'total', sources: ['loan.amount'], direct: { 'loan.amount': 'aggregation' }, indirect: rows },
				{
					name: 'bad',
					sources: ['loan.status'],
					direct: {},
					indirect: { ...rows, 'loan.status': ['conditional'] },
				},
			],
			trino: expect.stringContaining('FROM "loan"'),
			duckdb: expect.stringContaining('"crm"."customer"'),
		});
		expect(Object.keys(found.outputs[0]?.indirect ?? {})).toEqual(Object.keys(rows));
	});

	it('says what runs on Athena only, with the reason and the place', () => {
		const found = ask('SELECT approx_percentile(amount, 0.5) AS middle\nFROM loan');
		expect(found).toMatchObject({
			ok: true,
			duckdb: null,
			duckdbRefusal: { code: 'unsupported', message: expect.stringMatching(/Athena only/), line: 1, column: 8 },
		});
	});

	it('keeps the id that it was given', () => {
		expect(ask('SELECT 1', 'q7')).toMatchObject({ id: 'q7', ok: true });
		expect(ask('SELECT 1', 7)).toMatchObject({ id: 7, ok: true });
		expect(ask('SELECT FROM', 'q8')).toMatchObject({ id: 'q8', ok: false });
	});

	it.each([
		['SELECT amount FROM loan; DROP TABLE loan', 'sql-syntax', 1],
		['SELECT amount,\n  missing FROM loan', 'column-not-found', 2],
		['SELECT amount\nFROM "loan$files"', 'unsupported', 2],
	])('refuses with a code and a place: %s', (sql, code, line) => {
		expect(ask(sql)).toMatchObject({ ok: false, code, line, column: expect.any(Number), message: expect.any(String) });
	});

	it.each([
		['', 'bad-request'],
		['not JSON at all: topsecret', 'bad-request'],
		['[1]', 'bad-request'],
		['null', 'bad-request'],
		['{"sql": "SELECT 1"}', 'bad-request'],
		['{"id": {}, "sql": "SELECT 1"}', 'bad-request'],
		['{"id": 1}', 'bad-request'],
		['{"id": 1, "sql": ["topsecret"]}', 'bad-request'],
	])('is given to a line that holds no statement: %s', (line, code) => {
		const found = answer(line, lookup, unexpected);
		expect(found).toMatchObject({ ok: false, code, line: null, column: null });
		expect(JSON.stringify(found)).not.toContain('topsecret');
	});

	it('to a statement that shows a fault of the tool says so; the cause is told apart from it', () => {
		const broken = new TypeError('topsecret');
		const told: unknown[] = [];
		const found = answer('{"id": 1, "sql": "SELECT 1 FROM t"}', throwing(broken), (cause) => told.push(cause));
		expect(found).toMatchObject({ id: 1, ok: false, code: 'internal' });
		expect(JSON.stringify(found)).not.toContain('topsecret');
		expect(told).toEqual([broken]);
	});

	it('is given to whatever text stands in a line', () => {
		const word = fc.constantFrom(
			'SELECT',
			'FROM',
			'loan',
			'amount',
			'(',
			')',
			',',
			'*',
			"'",
			'"',
			'--',
			'\r',
			'1',
			'WITH',
		);
		fc.assert(
			fc.property(fc.array(fc.oneof(word, fc.string({ maxLength: 4 })), { maxLength: 12 }), (words) => {
				const found = ask(words.join(' '));
				expect(found.ok || (found.code !== 'internal' && found.message.length > 0)).toBe(true);
			}),
			{ numRuns: 200 },
		);
	});
});

describe('lines', () => {
	async function* chunked(bytes: Uint8Array, cuts: readonly number[]) {
		const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
		for (const [i, place] of places.entries()) yield bytes.subarray(place, places[i + 1] ?? bytes.length);
	}

	async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
		const found: T[] = [];
		for await (const item of items) found.push(item);
		return found;
	}

	it('end at a line feed and nowhere else, however the bytes arrive', async () => {
		const line = fc
			.array(fc.oneof(fc.constantFrom('\u2028', '\u2029', '\r', 'é', '😀', '{'), fc.string({ unit: 'grapheme' })))
			.map((parts) => `${parts.join('').replaceAll('\n', '')}.`);
		await fc.assert(
			fc.asyncProperty(fc.array(line), fc.array(fc.nat()), fc.constantFrom('\n', '\r\n'), async (lines, cuts, end) => {
				const bytes = new TextEncoder().encode(lines.map((l) => l + end).join(''));
				expect(await all(linesOf(chunked(bytes, cuts)))).toEqual(
					lines.map((l) => new TextDecoder().decode(new TextEncoder().encode(l))),
				);
			}),
		);
	});

	it('that are too long are told apart, and those after them are read', async () => {
		const bytes = new TextEncoder().encode(`short\n${'x'.repeat(100)}\nlast`);
		expect(await all(linesOf(chunked(bytes, [3, 20, 60]), 50))).toEqual(['short', null, 'last']);
	});
});

describe('npm run sql', () => {
	const start = (...args: string[]) =>
		spawn(process.execPath, ['--import', 'tsx', 'local/sql.ts', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });

	it.each([
		[[], /--schema FILE/],
		[['--schema', path.join(home, 'nowhere.json')], /cannot be read/],
		[['--schema'], /schema/],
		[['--other'], /other/],
	])('ends with 2 and says why: %j', async (args, why) => {
		const tool = start(...args);
		tool.stdin.end();
		let said = '';
		tool.stderr.on('data', (part: Buffer) => {
			said += part.toString();
		});
		const [code] = (await once(tool, 'close')) as [number];
		expect([code, said]).toEqual([2, expect.stringMatching(why)]);
	});

	it('answers each line before the next one comes, in order, and ends with 0', async () => {
		const tool = start('--schema', file('schema.json', JSON.stringify(schema)));
		const answers = createInterface({ input: tool.stdout })[Symbol.asyncIterator]();
		const next = async (line: string): Promise<unknown> => {
			tool.stdin.write(`${line}\n`);
			return JSON.parse((await answers.next()).value as string);
		};
		expect(await next('{"id": "a", "sql": "SELECT amount FROM loan"}')).toMatchObject({
			id: 'a',
			reads: ['loan.amount'],
		});
		expect(await next('oops')).toMatchObject({ id: null, ok: false });
		expect(await next('{"id": "b", "sql": "SELECT \'\u2028\' AS x FROM loan"}')).toMatchObject({ id: 'b', ok: true });
		tool.stdin.end('{"id": "c", "sql": "SELECT"}');
		expect(JSON.parse((await answers.next()).value as string)).toMatchObject({
			id: 'c',
			ok: false,
			code: 'sql-syntax',
		});
		expect(await once(tool, 'close')).toEqual([0, null]);
	});

	it('ends quietly when nobody reads on', async () => {
		const tool = start('--schema', file('schema.json', JSON.stringify(schema)));
		tool.stdin.on('error', () => {});
		tool.stdout.destroy();
		tool.stdin.end('{"id": 1, "sql": "SELECT amount FROM loan"}\n'.repeat(50));
		expect(await once(tool, 'close')).toEqual([0, null]);
	});
});
