/** Queries that are refused: by grant, by purpose, by person, by what the SQL is. Nothing of them is stored or run. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Code } from '#core/error.ts';
import { bounds } from '#core/sql.ts';
import { people } from '#local/people.ts';
import { principalOf } from '#local/story/world.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { columnsOf } from '#verifier/columns.ts';
import { finished, get, grantTo, post, refused, requestBody, rowsOf } from './harness.ts';
import { enrol } from './registration.ts';

let test: TestBank;

beforeAll(async () => {
	test = await testBank();
	const { world } = test;
	await enrol(test, 'risk', { alice: ['consumer'], nick: ['consumer'] });
	const tables = [{ table: 'loans', columns: ['loan_id', 'account_id', 'status'], rowFilter: "status IN ('B','D')" }];
	await grantTo(world, 'alice', requestBody(world, { tables }));
	const accounts = [{ table: 'accounts', columns: ['account_id', 'district_id'] }];
	await grantTo(world, 'alice', requestBody(world, { product: 'lending.accounts', tables: accounts }));
});

afterAll(() => test.close());

const principal = (purpose = 'credit-risk', domain = 'risk') => principalOf(test.world, domain, purpose);
const running = (sql: unknown, more: Record<string, unknown> = {}) =>
	post('alice', '/queries', { sql, principal: principal(), ...more });
const LOANS = 'lending.loans';

describe('403 column-not-granted, wherever the column stands', () => {
	it.each([
		['select list', `SELECT duration FROM ${LOANS}`],
		['an alias', `SELECT duration AS loan_id FROM ${LOANS}`],
		['other case and quotes', `SELECT "duration", DURATION FROM ${LOANS}`],
		['a qualified name', `SELECT l.duration FROM ${LOANS} l`],
		['a function', `SELECT coalesce(duration, 1) FROM ${LOANS}`],
		['an aggregate', `SELECT sum(duration) FROM ${LOANS}`],
		['count of it', `SELECT count(duration) FROM ${LOANS}`],
		['CASE', `SELECT CASE WHEN duration > 1 THEN 1 ELSE 0 END FROM ${LOANS}`],
		['WHERE', `SELECT loan_id FROM ${LOANS} WHERE duration = 12`],
		['WHERE that is never true', `SELECT loan_id FROM ${LOANS} WHERE 1 = 0 AND duration = 12`],
		['GROUP BY', `SELECT count(*) FROM ${LOANS} GROUP BY duration`],
		['HAVING', `SELECT status FROM ${LOANS} GROUP BY status HAVING max(duration) > 1`],
		['ORDER BY', `SELECT loan_id FROM ${LOANS} ORDER BY duration`],
		['ON', `SELECT l.loan_id FROM ${LOANS} l JOIN lending.accounts a ON l.duration = a.account_id`],
		['the other side of ON', `SELECT l.loan_id FROM ${LOANS} l JOIN lending.accounts a ON a.frequency = l.status`],
		['USING', `SELECT 1 FROM ${LOANS} l JOIN ${LOANS} m USING (duration)`],
		['a derived table', `SELECT x FROM (SELECT duration AS x FROM ${LOANS}) t`],
		['a derived table that is not read', `SELECT loan_id FROM (SELECT loan_id, duration FROM ${LOANS}) t`],
		['an IN sub-query', `SELECT loan_id FROM ${LOANS} WHERE loan_id IN (SELECT duration FROM ${LOANS})`],
		['a scalar sub-query', `SELECT (SELECT max(duration) FROM ${LOANS}) FROM ${LOANS}`],
		[
			'a correlated sub-query',
			`SELECT loan_id FROM ${LOANS} l WHERE EXISTS (SELECT 1 FROM lending.accounts WHERE account_id = l.duration)`,
		],
		['a star of granted ones beside it', `SELECT *, duration FROM ${LOANS}`],
		['WITH', `WITH t AS (SELECT duration AS x FROM ${LOANS}) SELECT x FROM t`],
		['WITH that nobody uses', `WITH t AS (SELECT duration FROM ${LOANS}) SELECT loan_id FROM ${LOANS}`],
		['a branch of UNION', `SELECT loan_id FROM ${LOANS} UNION ALL SELECT duration FROM ${LOANS}`],
		['the right side of EXCEPT', `SELECT loan_id FROM ${LOANS} EXCEPT SELECT duration FROM ${LOANS}`],
		['a window', `SELECT loan_id, rank() OVER (ORDER BY duration) FROM ${LOANS}`],
		['a named window that nobody uses', `SELECT loan_id FROM ${LOANS} WINDOW w AS (PARTITION BY duration)`],
		['FILTER', `SELECT count(*) FILTER (WHERE duration > 1) FROM ${LOANS}`],
		['an aggregate in order', `SELECT array_agg(loan_id ORDER BY duration) FROM ${LOANS}`],
		['GROUPING SETS', `SELECT count(*) FROM ${LOANS} GROUP BY GROUPING SETS ((duration), ())`],
		['LATERAL', `SELECT x FROM ${LOANS} l, LATERAL (SELECT l.duration AS x)`],
		['UNNEST', `SELECT x FROM ${LOANS}, UNNEST(ARRAY[duration]) AS u (x)`],
		['VALUES', `SELECT x FROM ${LOANS} l, LATERAL (VALUES l.duration) AS v (x)`],
		['a lambda', `SELECT transform(ARRAY[1], x -> x + duration) FROM ${LOANS}`],
		['> ALL', `SELECT loan_id FROM ${LOANS} WHERE loan_id > ALL (SELECT duration FROM ${LOANS})`],
	])('%s', async (_, sql) => {
		const problem = await refused(test, running(sql), 403, 'column-not-granted');
		const known = { duration: ['lending.loans', 'Lending data'], frequency: ['lending.accounts', 'Lending data'] };
		expect([problem['product'], problem['owner']]).toEqual(known[problem['name'] as keyof typeof known]);
		expect(problem).toMatchObject({ line: 1, column: expect.any(Number) });
	});
});

describe('403 table-not-granted, and who could grant it', () => {
	it.each([
		['alone', 'SELECT card_id FROM payments.cards'],
		['without a column', 'SELECT count(*) FROM payments.cards'],
		['in a join', `SELECT l.loan_id FROM ${LOANS} l JOIN payments.orders o ON o.account_id = l.account_id`],
		['in a join with a comma', `SELECT 1 FROM ${LOANS}, payments.orders`],
		['in a sub-query', `SELECT loan_id FROM ${LOANS} WHERE account_id IN (SELECT account_id FROM payments.orders)`],
		['in EXISTS', `SELECT loan_id FROM ${LOANS} WHERE EXISTS (SELECT 1 FROM payments.orders)`],
		['with a column that is not there', 'SELECT nosuch FROM payments.cards'],
	])('%s', async (_, sql) => {
		const problem = await refused(test, running(sql), 403, 'table-not-granted');
		expect(problem['product']).toMatch(/^payments\./);
		expect(problem.detail).toContain(String(problem['product']));
		expect(problem['owner']).toEqual(expect.stringMatching(/./));
	});

	it('on another principal of the same person', async () => {
		const call = running(`SELECT loan_id FROM ${LOANS}`, { principal: principal('model-validation') });
		await refused(test, call, 403, 'table-not-granted');
	});

	it('for a colleague: the grant names somebody else', async () => {
		const sql = `SELECT loan_id FROM ${LOANS}`;
		await refused(test, post('nick', '/queries', { sql, principal: principal() }), 403, 'table-not-granted');
	});

	it('for the requester, where the grant names somebody else alone', async () => {
		const purpose = 'model-validation';
		const beneficiaries = [{ issuer: test.bank.issuer.issuer, subject: people.nick.subject }];
		const body = requestBody(test.world, { purpose, principal: principal(purpose), beneficiaries });
		await grantTo(test.world, 'alice', body);
		const call = running(`SELECT loan_id FROM ${LOANS}`, { principal: principal(purpose) });
		await refused(test, call, 403, 'table-not-granted');
		await finished(test.world, 'nick', `SELECT loan_id FROM ${LOANS}`, principal(purpose));
	});
});

describe('403 and 422 for principal and purpose', () => {
	it("403 another domain's principal", async () => {
		const foreign = principal('campaign-planning', 'marketing');
		await refused(test, running(`SELECT loan_id FROM ${LOANS}`, { principal: foreign }), 403, 'not-permitted');
		const call = post('mia', '/queries', { sql: `SELECT loan_id FROM ${LOANS}`, principal: principal() });
		await refused(test, call, 403, 'not-permitted');
	});

	it('403 who is no consumer: owner, regulator, steward', async () => {
		for (const who of ['olga', 'rita', 'stella'] as const) {
			const call = post(who, '/queries', { sql: `SELECT loan_id FROM ${LOANS}`, principal: principal() });
			await refused(test, call, 403, 'not-permitted');
		}
	});

	it('403 a purpose that the principal does not serve', async () => {
		for (const purpose of ['model-validation', 'campaign-planning', 'nosuch']) {
			await refused(test, running(`SELECT loan_id FROM ${LOANS}`, { purpose }), 403, 'purpose-mismatch');
		}
	});

	it('422 a principal that nobody registered', async () => {
		const unknown = 'arn:aws:iam::210000000004:role/nosuch';
		await refused(test, running(`SELECT loan_id FROM ${LOANS}`, { principal: unknown }), 422, 'validation');
	});

	it.each('workGroup outputLocation grant database catalog executionRole resultReuse asOf'.split(' '))(
		'422 the member %s',
		async (name) => {
			const problem = await refused(test, running(`SELECT loan_id FROM ${LOANS}`, { [name]: 'x' }), 422, 'validation');
			expect(problem.errors?.map((e) => e.pointer)).toEqual([`/${name}`]);
		},
	);

	it.each([null, '', 7, [], 'x'.repeat(262_145)])('422 sql that is none', async (sql) => {
		await refused(test, running(sql), 422, 'validation');
	});
});

describe('422 with a position for what is not one query over data products', () => {
	it.each([
		['column-not-found', `SELECT nosuch FROM ${LOANS}`],
		['column-not-found', `SELECT loan_id FROM ${LOANS} WHERE nosuch = 1`],
		['column-not-found', `SELECT loan_id FROM ${LOANS} ORDER BY nosuch`],
		['unsupported', `SELECT "$path" FROM ${LOANS}`],
		['table-not-found', 'SELECT x FROM lending.nosuch'],
		['table-not-found', 'SELECT loan_id FROM nosuch.loans'],
		['unsupported', 'SELECT table_name FROM information_schema.tables'],
		['unsupported', 'SELECT x FROM lending."loans$partitions"'],
		['sql-syntax', `SELECT loan_id FROM ${LOANS} WHERE`],
		['sql-syntax', 'SELEC loan_id'],
		['sql-syntax', `SELECT loan_id FROM ${LOANS} WHERE status = 'B`],
		['unsupported', 'SELECT 1'],
		['unsupported', `SELECT loan_id FROM ${LOANS} FOR TIMESTAMP AS OF TIMESTAMP '2024-01-01 00:00:00'`],
		['unsupported', `SELECT loan_id FROM ${LOANS} TABLESAMPLE SYSTEM (10)`],
		['unsupported', 'VALUES 1'],
		['unsupported', `EXPLAIN ANALYZE SELECT loan_id FROM ${LOANS}`],
		['unsupported', `DESCRIBE ${LOANS}`],
		['unsupported', 'SHOW TABLES'],
		['unsupported', `SHOW CREATE TABLE ${LOANS}`],
		['unsupported', `DROP TABLE ${LOANS}`],
		['unsupported', `DELETE FROM ${LOANS}`],
		['unsupported', `INSERT INTO ${LOANS} SELECT * FROM ${LOANS}`],
		['unsupported', `UPDATE ${LOANS} SET status = 'A'`],
		['unsupported', `CREATE TABLE t AS SELECT * FROM ${LOANS}`],
		['unsupported', `CREATE VIEW v AS SELECT * FROM ${LOANS}`],
		['unsupported', `PREPARE p FROM SELECT * FROM ${LOANS}`],
		['unsupported', 'EXECUTE p'],
		['unsupported', 'SET SESSION x = 1'],
		['unsupported', `SELECT read_csv('/etc/passwd') FROM ${LOANS}`],
		['unsupported', `SELECT current_user FROM ${LOANS}`],
		['unsupported', `SELECT "$path"(1) FROM ${LOANS}`],
	] as const)('%s: %s', async (code, sql) => {
		const problem = await refused(test, running(sql), 422, code);
		expect(problem).toMatchObject({ line: expect.any(Number), column: expect.any(Number) });
	});

	it.each([
		`SELECT loan_id FROM ${LOANS}; DROP TABLE ${LOANS}`,
		`SELECT loan_id FROM ${LOANS}; SELECT duration FROM ${LOANS}`,
		`SELECT loan_id FROM awsdatacatalog.${LOANS}x`,
		`SELECT loan_id FROM "lambda:evil".${LOANS}`,
		"SELECT * FROM read_csv('/etc/passwd')",
		"SELECT * FROM '/etc/passwd'",
		`UNLOAD (SELECT * FROM ${LOANS}) TO 's3://x' WITH (format = 'CSV')`,
		"COPY loans TO '/tmp/x'",
		"ATTACH '/tmp/x.db'",
		'',
		';',
		'--',
	])('%s', async (sql) => {
		const { code } = (await test.world.call(running(sql))).body as { code: Code };
		expect(['unsupported', 'sql-syntax', 'validation', 'table-not-found']).toContain(code);
		await refused(test, running(sql), 422, code);
	});
});

describe('whatever it is written with, a query gives the granted rows', () => {
	it.each([
		['WITH and UNION', `WITH t AS (SELECT status FROM ${LOANS}) SELECT status FROM t UNION SELECT status FROM t`],
		['TABLE', `SELECT DISTINCT status FROM (TABLE ${LOANS})`],
		[
			'a window',
			`SELECT status FROM (SELECT status, row_number() OVER (PARTITION BY status) AS n FROM ${LOANS}) WHERE n = 1`,
		],
		['INTERSECT', `SELECT status FROM ${LOANS} INTERSECT SELECT status FROM ${LOANS}`],
		['GROUPING SETS', `SELECT status FROM ${LOANS} GROUP BY GROUPING SETS ((status))`],
		['UNNEST', `SELECT DISTINCT s FROM ${LOANS}, UNNEST(ARRAY[status]) AS u (s)`],
		['LATERAL', `SELECT DISTINCT s FROM ${LOANS} l, LATERAL (SELECT l.status AS s)`],
		['a name of WITH that hides nothing', `WITH loans AS (SELECT 'A' AS status) SELECT DISTINCT status FROM ${LOANS}`],
	])('%s', async (_, sql) => {
		const rows = await rowsOf(test.world, 'alice', sql);
		expect(new Set(rows.map(([status]) => status))).toEqual(new Set(['B', 'D']));
		expect(rows).toHaveLength(2);
	});
});

describe('what one record cannot hold', () => {
	const compared = (literal: string) => running(`SELECT loan_id FROM ${LOANS} WHERE status = '${literal}'`);

	it('but SQL at its bound is recorded, deflated', async () => {
		expect((await test.world.call(compared('x'.repeat(250_000)))).status).toBe(202);
	});

	it('413: SQL that nests deeper than is read', async () => {
		const sql = `${'('.repeat(5000)}SELECT 1${')'.repeat(5000)}`;
		const problem = await refused(test, running(sql), 413, 'too-large');
		expect(problem).toMatchObject({ detail: expect.stringContaining(String(bounds.nesting)), line: 1 });
	});

	it('but more outputs than that are recorded beside it, and whoever reads the query or a report has them', async () => {
		const { id, tables } = await finished(
			test.world,
			'alice',
			`SELECT ${Array(900).fill('loan_id').join(', ')} FROM ${LOANS}`,
		);
		expect(tables).toEqual([{ product: LOANS, table: LOANS, columns: ['loan_id'] }]);
		const entriesOf = async (stream: string) => {
			const { body } = await test.world.call(get('rita', `/ledger/entries?stream=${encodeURIComponent(stream)}`));
			const { entries } = body as { entries: { bytes: string }[] };
			return entries.map(({ bytes }) => Buffer.from(bytes, 'base64'));
		};
		const [intended] = (await entriesOf(`F#${id}`)).map((bytes) => JSON.parse(bytes.toString()) as object);
		expect(intended).toMatchObject({ to: { domain: 'risk' }, columns: { read: 1, outputs: 900 } });
		const { hash } = (intended as { columns: { hash: string } }).columns;
		const map = JSON.parse(columnsOf(hash, await entriesOf(`A#columns#${hash}`))) as { to: { columns: unknown[] } };
		expect(map.to.columns).toHaveLength(900);
		const asked = await test.world.call(post('rita', '/reports', { kind: 'flows', product: LOANS }));
		const path = `/reports/${(asked.body as { id: string }).id}/content`;
		const { rows } = (await test.world.call(get('rita', path))).body as {
			rows: { flow: string; outputs: { sources: string[] }[]; unknown: string[] }[];
		};
		const row = rows.find(({ flow }) => flow === id);
		expect(row?.outputs).toHaveLength(900);
		expect(row?.outputs.at(-1)?.sources).toEqual(['lending.loans/loans.loan_id']);
		expect(row?.unknown).toEqual([]);
	});

	it('422: text that is no Unicode', async () => {
		await refused(test, compared('\ud800'), 422, 'validation');
		await refused(test, running(`SELECT loan_id AS "\ud800" FROM ${LOANS}`), 422, 'validation');
	});
});

describe('a query is nobody else’s', () => {
	it('404 for view, results and cancellation, as for an unknown id', async () => {
		const { id } = await finished(test.world, 'alice', `SELECT loan_id FROM ${LOANS}`);
		const calls = (query: string) =>
			(['nick', 'mia', 'olga', 'rita', 'stella'] as const).flatMap((who) => [
				get(who, `/queries/${query}`),
				get(who, `/queries/${query}/results`),
				get(who, `/queries/${query}/results?format=csv`),
				post(who, `/queries/${query}/cancel`),
			]);
		const absent = calls(`qry_${'0'.repeat(26)}`);
		for (const [i, call] of calls(id).entries()) {
			const hidden = await refused(test, call, 404, 'not-found');
			const unknown = await refused(test, absent[i] ?? call, 404, 'not-found');
			expect({ ...hidden, instance: '', traceId: '' }).toEqual({ ...unknown, instance: '', traceId: '' });
		}
	});
});
