/** What a query reads is found in whatever corner; what is not understood is refused, with its place. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BrokerError } from '#core/error.ts';
import {
	functionNames,
	normalise,
	type Output,
	parseQuery,
	printTrino,
	type Read,
	type Resolved,
	resolve,
	tableNames,
	warm,
} from '#core/sql.ts';
import refused from './sql/refused.json' with { type: 'json' };
import { lookup, tables } from './sql/tables.ts';
import valid from './sql/valid.json' with { type: 'json' };

function run(sql: string): Resolved {
	return resolve(parseQuery(sql), lookup);
}

function refusalOf(sql: string): BrokerError {
	try {
		run(sql);
	} catch (error) {
		if (error instanceof BrokerError) return error;
		throw error;
	}
	throw new Error(`not refused: ${sql}`);
}

function words(set: readonly string[]): string {
	return set.toSorted().join(' ');
}

function readText({ table, column, granted, uses }: Read): string {
	return `${table}.${column}${granted ? '' : '!'}:${[...uses].toSorted().join(',')}`;
}

function outputText({ name, sources }: Output): string {
	const list = sources.map(({ table, column, kind }) => `${table}.${column}/${kind[0]}`);
	return `${name ?? '-'}=${list.toSorted().join(',')}`;
}

/** `a:x,y b:z` with the lists sorted too. Names with blanks stay whole by their last colon. */
function sorted(written: string, separator: ':' | '='): string {
	const parts = written.split(/ (?=[a-z0-9]+\.|-=)/).map((part) => {
		const [head = '', list = ''] = part.split(separator);
		return `${head}${separator}${list.split(',').toSorted().join(',')}`;
	});
	return words(parts.filter((part) => part !== separator));
}

describe('refused, with a code and a place', () => {
	test.each(refused.cases.map(([sql, code, line, column]) => [String(sql), code, line, column] as const))(
		'%j',
		(sql, code, line, column) => {
			const { code: got, extensions } = refusalOf(sql);
			expect([got, extensions.line, extensions.column]).toEqual([code, line, column]);
		},
	);

	test('a column that is not there is named with the table it was looked for in', () => {
		expect(refusalOf('SELECT nosuch FROM t').extensions).toMatchObject({ name: 'nosuch', table: 's.t' });
		expect(refusalOf('SELECT u.nosuch FROM t, u').extensions).toMatchObject({ name: 'nosuch', table: 's.u' });
		expect(refusalOf('SELECT nosuch FROM t, u').extensions).not.toHaveProperty('table');
	});

	test.each([
		["SELECT a,\n '\ud800' FROM t", 2, 3],
		['SELECT "\udc00" FROM t', 1, 9],
		["SELECT '\u{1f600}', '\ude00'", 1, 14],
	])('half of a surrogate pair: %j', (sql, line, column) => {
		expect(refusalOf(sql)).toMatchObject({ code: 'validation', extensions: { line, column } });
	});

	test('no refusal repeats a literal of the text', () => {
		for (const text of ["SELECT 'hush' FROM", "SELECT nosuch('hush')", "SELECT a FROM t WHERE 'hush' = 'hush' = 'x'"]) {
			expect(refusalOf(text).message).not.toContain('hush');
		}
	});
});

describe('hostile sizes are refused, not suffered', () => {
	const repeat = (part: string, times: number) => part.repeat(times);
	test.each([
		['bytes', `SELECT '${repeat('x', 300_000)}'`, 'too-large'],
		['names', `SELECT ${repeat('a', 1_000_000)}`, 'too-large'],
		['items', `SELECT 1 FROM t WHERE a IN (${repeat("'x',", 100_000)}'x')`, 'too-large'],
		['commas', `SELECT ${repeat(',', 200_000)}`, 'too-large'],
		['conditions', `SELECT 1 FROM t WHERE ${repeat("a = 'x' AND ", 5000)}true`, 'too-large'],
		['parentheses', `SELECT ${repeat('(', 5000)}1${repeat(')', 5000)}`, 'unsupported'],
		['negations', `SELECT ${repeat('NOT ', 5000)}true`, 'unsupported'],
		['signs', `SELECT ${repeat('- ', 3000)}1`, 'unsupported'],
		['joins', `SELECT 1 FROM t ${repeat('JOIN u ON true ', 1500)}`, 'unsupported'],
		['lambdas', `SELECT ${repeat('x -> ', 1000)}1`, 'unsupported'],
		['types', `SELECT cast(a AS ${repeat('array<', 1000)}int${repeat('>', 1000)}) FROM t`, 'unsupported'],
		['listed sub-queries', `SELECT ${repeat('(SELECT ', 30)}1${repeat(')', 30)}`, 'unsupported'],
		[
			'hidden listed sub-queries',
			`SELECT 1 IS DISTINCT FROM 2, ${repeat('(SELECT 1 IS DISTINCT FROM 2, ', 30)}1${repeat(')', 30)}`,
			'unsupported',
		],
		['sub-queries in parentheses', `SELECT ${repeat('((((SELECT ', 3)}a${repeat('))))', 3)} FROM t`, 'unsupported'],
		['grouped', `SELECT 1 FROM t ${repeat('GROUP BY (SELECT 1 FROM t ', 4)}${repeat(')', 4)}`, 'unsupported'],
		['columns by stars', `SELECT * FROM ${repeat('(SELECT *, * FROM ', 10)}t${repeat(')', 10)}`, 'too-large'],
		['columns in a select list', `SELECT ${repeat('a, ', 1000)}a FROM t`, 'too-large'],
		['columns in all', `SELECT 1 FROM t${repeat(`, (SELECT ${repeat('*, ', 299)}* FROM t) AS q`, 6)}`, 'too-large'],
		['comma joins', `SELECT 1 FROM t${repeat(', t', 128)}`, 'unsupported'],
		['unions', repeat('SELECT 1 UNION ', 1000) + 'SELECT 1', 'unsupported'],
	])('%s', (_name, sql, code) => {
		expect(refusalOf(sql).code).toBe(code);
	});

	test('as many sub-queries, columns and rows as the bounds allow are read', () => {
		expect(run(`SELECT 1 FROM t${repeat(', t', 127)}`).sources.size).toBe(128);
		expect(run(`SELECT ${repeat('a, ', 999)}a FROM t`).outputs).toHaveLength(1000);
		expect(
			run('SELECT a FROM t WHERE ((SELECT max(x) FROM u) > coalesce((SELECT min(x) FROM u), b))').reads,
		).toHaveLength(3);
		expect(run('SELECT a FROM t LIMIT 9223372036854775807').query.limit).toBe(2n ** 63n - 1n);
		const grouped =
			'SELECT a FROM t GROUP BY a HAVING max(b) > (SELECT max(x) FROM u GROUP BY y HAVING max(x) > (SELECT';
		expect(run(`${grouped} a FROM t GROUP BY a HAVING a IN (SELECT x FROM u)))`).tables).toHaveLength(2);
	});

	test('what SLL cannot tell apart is refused, not read again', () => {
		expect(refusalOf('SELECT a FROM LATERAL (TABLE secret)').code).toBe('sql-syntax');
	});

	test('long chains that fit are read', () => {
		const conditions = Array.from({ length: 1500 }, (_, index) => `a = '${index}'`);
		expect(run(`SELECT 1 FROM t WHERE ${conditions.join(' OR ')}`).reads).toHaveLength(1);
		expect(printTrino(run(`SELECT ${Array.from({ length: 2000 }, () => '1').join(' + ')}`))).toContain('1 + 1');
		const nested = `SELECT a FROM t WHERE ${'a IN (SELECT a FROM u WHERE '.repeat(30)}true${')'.repeat(30)}`;
		expect(run(nested).tables).toEqual(['s.t', 's.u']);
	});
});

describe('reads and lineage', () => {
	const cases = valid.cases.map(([, sql, ...rest]) => [String(sql), rest.map(String)] as const);

	test.each(cases)('%j', (sql, [names = '', reads = '', outputs = '', indirect = '']) => {
		expect(words(tableNames(parseQuery(sql)).map((name) => lookup(name)?.id ?? '?'))).toBe(words(names.split(' ')));
		if (indirect.startsWith('error:')) {
			expect(refusalOf(sql).code).toBe(indirect.slice('error:'.length));
			return;
		}
		const resolved = run(sql);
		expect(words([...resolved.tables])).toBe(words(names === '' ? [] : names.split(' ')));
		expect(words(resolved.reads.map(readText))).toBe(sorted(reads, ':'));
		expect(resolved.outputs.map(outputText).join(' ')).toBe(outputs);
		const first = resolved.outputs[0]?.indirect.map(({ table, column, use }) => `${table}.${column}:${use}`) ?? [];
		expect(words(first)).toBe(words(indirect === '' ? [] : indirect.split(' ')));
	});

	test('a read says where it is first written', () => {
		const [, read] = run('SELECT a,\n  b FROM t').reads;
		expect(read).toMatchObject({ column: 'b', at: { line: 2, column: 3 } });
	});
});

describe('the printed text', () => {
	const printable = valid.cases
		.map(([group, sql, , , , indirect]) => ({ group, sql: String(sql), indirect: String(indirect) }))
		.filter(({ group, indirect }) => group !== 'not granted' && !indirect.startsWith('error:'))
		.map(({ sql }) => sql);

	test.each(printable)('of %j reads the same and means the same', (sql) => {
		const first = run(sql);
		const text = printTrino(first);
		const second = run(text);
		expect(words([...second.tables])).toBe(words([...first.tables]));
		const columns = ({ reads }: Resolved) => new Set(reads.map(({ table, column }) => `${table}.${column}`));
		for (const read of columns(first)) expect([...columns(second)]).toContain(read);
		const sources = ({ outputs }: Resolved) =>
			outputs.map((output) => outputText({ ...output, name: null }).replaceAll('/t', '/i'));
		if (!/USING/.test(sql)) expect(sources(second)).toEqual(sources(first));
		expect(run(printTrino(second)).outputs.map(({ name }) => name)).toEqual(second.outputs.map(({ name }) => name));
	});

	test('reads each table through a sub-query of the columns read, in table order, with the row filter', () => {
		expect(printTrino(run("SELECT l.status, l.loan_id FROM lending.loans AS l WHERE l.status <> 'x'"))).toBe(
			'SELECT "l"."status" AS "status", "l"."loan_id" AS "loan_id" FROM (SELECT "loan_id", "status" FROM ' +
				'"lending"."loans" WHERE "status" = \'it\'\'s\') AS "l" WHERE ("l"."status" <> \'x\')',
		);
	});

	test('reads the first granted column where the query names none', () => {
		expect(printTrino(run('SELECT count(*) FROM loans'))).toContain('(SELECT "loan_id" FROM "lending"."loans"');
	});

	test('has no row filter whose column is not granted', () => {
		const loans = lookup({ catalog: null, database: null, table: 'loans' });
		const hidden = loans?.columns.map((column) => ({ ...column, granted: column.name === 'loan_id' })) ?? [];
		const query = parseQuery('SELECT loan_id FROM loans');
		expect(
			printTrino(resolve(query, () => (loans === undefined ? loans : { ...loans, columns: hidden }))),
		).not.toContain('WHERE');
	});

	test.each([
		['SELECT duration FROM loans', 'column-not-granted'],
		['SELECT 1 FROM loans WHERE duration = 1', 'column-not-granted'],
		['SELECT count(*) FROM hidden', 'table-not-granted'],
	])('never has a column that is not granted: %s', (sql, code) => {
		const resolved = run(sql);
		expect(() => printTrino(resolved)).toThrow(expect.objectContaining({ code }));
	});

	test('keeps apart tables of the same name, and inner from outer ones', () => {
		const text = printTrino(run("SELECT t.a FROM t WHERE EXISTS (SELECT 1 FROM s2.t AS t WHERE t.a = 'x')"));
		expect(text).toContain('"s2"."t") AS "t_2" WHERE ("t_2"."a" = \'x\')');
	});

	test('gives each of many like names one of its own', () => {
		const text = printTrino(run('SELECT * FROM (SELECT a, a, a, 1 AS a_2, a FROM t) AS d (p, q, r, s, z)'));
		const names = [...(/\(SELECT (.*?) FROM \(/.exec(text)?.[1] ?? '').matchAll(/ AS ("[a-z0-9_]+")/g)].map(
			([, name]) => name,
		);
		expect(names).toHaveLength(5);
		expect(new Set(names).size).toBe(5);
	});

	test('has decimals with their type, since Athena takes a bare one as a double', () => {
		const text = printTrino(run('SELECT 1.50 AS p, -.5 AS q, 1e0 AS r FROM t'));
		expect(text).toContain(`SELECT DECIMAL '1.50' AS "p", DECIMAL '-0.5' AS "q", 1E0 AS "r"`);
		expect(printTrino(run(text))).toContain(`DECIMAL '-0.5'`);
	});

	test('sorts by places and by what names stand for', () => {
		const text = printTrino(run('SELECT b AS a FROM t ORDER BY a, lower(a) DESC NULLS FIRST'));
		expect(text).toMatch(/ORDER BY 1 ASC NULLS LAST, lower\("t"\."b"\) DESC NULLS FIRST$/);
	});

	test.each(["'", "''", "\\'", '"', '--', '/*', "it's", '\n', '\r', 'ü', '; DROP TABLE t'])(
		'holds the string %j as the value it is',
		(value) => {
			const text = printTrino(run(`SELECT '${value.replaceAll("'", "''")}' AS k`));
			const [item] = parseQuery(text).items;
			expect(item).toMatchObject({ expression: { kind: 'string', value } });
		},
	);
});

test('a normalised text has no literal and folds names, comments and spacing', () => {
	const one = normalise(parseQuery("SELECT A FROM T WHERE b = 'secret' AND c IN (1, 2.5) -- x\nLIMIT 5"));
	const two = normalise(parseQuery("select a\nfrom t where b = 'other' and c in (3, 4e0) limit 9"));
	expect(one).toBe(two);
	expect(one).not.toMatch(/secret|2\.5|5/);
	expect(normalise(parseQuery('SELECT a FROM t WHERE c = 1'))).not.toBe(one);
});

test('warming leaves the parser as it was', () => {
	warm();
	expect(run('SELECT a FROM t').reads).toHaveLength(1);
});

const column = fc.constantFrom('a', 'b', 'c', 't.a', 'T.B', '"c"');
const literal = fc.oneof(
	fc.integer().map(String),
	fc.string().map((value) => `'${value.replaceAll("'", "''").replaceAll('\0', '')}'`),
	fc.constantFrom('NULL', 'TRUE', '1.5', '2e3', "DATE '2024-01-31'"),
);
const { expression } = fc.letrec<{ expression: string }>((tie) => {
	const e = tie('expression');
	return {
		expression: fc.oneof(
			{ maxDepth: 3, depthSize: 'small' },
			column,
			literal,
			fc.tuple(e, fc.constantFrom('+', '-', '*', '/', '%', '||'), e).map(([a, op, b]) => `(${a}) ${op} (${b})`),
			fc.tuple(e, fc.constantFrom('=', '<>', '<', '>='), e).map(([a, op, b]) => `(${a}) ${op} (${b})`),
			fc.tuple(e, fc.constantFrom('AND', 'OR'), e).map(([a, op, b]) => `(${a}) ${op} (${b})`),
			e.map((a) => `NOT (${a})`),
			e.map((a) => `coalesce(${a}, 'x')`),
			fc.tuple(e, e).map(([a, b]) => `CASE WHEN ${a} THEN ${b} END`),
			fc.tuple(e, e).map(([a, b]) => `(${a}) NOT IN (${b}, 1)`),
			fc.tuple(e, e).map(([a, b]) => `(${a}) BETWEEN (${b}) AND 3`),
			e.map((a) => `(${a}) IN (SELECT x FROM u WHERE y = (${a}))`),
			e.map((a) => `CAST(${a} AS varchar(3))`),
		),
	};
});

describe('for any expression', () => {
	test('printing keeps what is read and where values come from', () => {
		fc.assert(
			fc.property(expression, (text) => {
				const first = run(`SELECT ${text} AS k FROM t`);
				const second = run(printTrino(first));
				expect(second.outputs.map(outputText)).toEqual(first.outputs.map(outputText));
				const columns = ({ reads }: Resolved) => reads.map((read) => `${read.table}.${read.column}`);
				expect(columns(second)).toEqual(expect.arrayContaining(columns(first)));
			}),
			{ numRuns: 60 },
		);
	});

	test('printing and reading again gives the same expression', () => {
		const simple = expression.filter((text) => !text.includes('SELECT'));
		const printed = (text: string) => printTrino(run(`SELECT ${text} AS k FROM t`)).split(' AS "k" FROM')[0] ?? '';
		fc.assert(
			fc.property(simple, (text) => {
				const once = printed(text);
				expect(printed(once.replace('SELECT ', ''))).toBe(once);
			}),
			{ numRuns: 60 },
		);
	});

	test('an alias changes no read', () => {
		fc.assert(
			fc.property(expression, (text) => {
				const plain = run(`SELECT ${text} AS k FROM t`).reads.map(readText);
				const aliased = run(`SELECT ${text.replaceAll(/t\.(?=a)|T\.(?=B)/g, 'z.')} AS k FROM t AS z`).reads.map(
					readText,
				);
				expect(aliased).toEqual(plain);
			}),
			{ numRuns: 60 },
		);
	});

	test('a derived table that nothing uses adds reads and removes none', () => {
		fc.assert(
			fc.property(expression, (text) => {
				const plain = run(`SELECT ${text} AS k FROM t`).reads.map(readText);
				const more = run(`SELECT ${text} AS k FROM t, (SELECT k AS unused FROM secret) AS dead`).reads.map(readText);
				expect(more).toEqual(expect.arrayContaining(plain));
				expect(more).toContain('s.secret.k:select');
			}),
			{ numRuns: 60 },
		);
	});
});

test('any text is read or refused, never anything else', () => {
	const tokens =
		'SELECT FROM t u a , ( ) * . WHERE = 1 JOIN ON AS GROUP BY ORDER IN NOT CASE END -- /* count OVER UNNEST ; "q"'.split(
			' ',
		);
	const pieces = fc.constantFrom(...tokens, "'x'", '\n');
	const text = fc.oneof(
		fc.array(pieces, { maxLength: 25 }).map((list) => list.join(' ')),
		fc.string({ maxLength: 60 }),
	);
	fc.assert(
		fc.property(text, (sql) => {
			try {
				printTrino(run(sql));
			} catch (error) {
				expect(error).toBeInstanceOf(BrokerError);
				expect(error).not.toMatchObject({ code: 'internal' });
			}
		}),
		{ numRuns: 400 },
	);
});

test('each function is accepted as a call or by its bare name', () => {
	for (const name of functionNames()) {
		const texts = [`${name}()`, `${name}(a)`, `${name}(a, b)`, `${name}(a, b, c)`, name].map(
			(call) => `SELECT ${call} FROM t`,
		);
		const accepted = texts.filter((sql) => {
			try {
				return run(sql).outputs.length === 1;
			} catch {
				return false;
			}
		});
		expect(accepted, name).not.toEqual([]);
	}
	expect(tables.length).toBeGreaterThan(0);
});
