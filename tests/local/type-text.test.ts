/** A type means the same wherever it is read: in a contract, in Glue, in the bulk tool's schema, in a CAST, in DuckDB. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sameType } from '#core/contract.ts';
import { parseType, type Relation, resolve } from '#core/sql.ts';
import { parseExpression, parseQuery } from '#core/syntax.ts';
import { duckType } from '#local/athena/enforce.ts';
import { columnType, typeText } from '#local/athena/print-duckdb/types.ts';
import { printDuckDB } from '#local/athena/print-duckdb.ts';

/** A type as Glue has it and as Trino tells it. */
type Spelled = { readonly glue: string; readonly trino: string };

const both = (glue: string, trino = glue): Spelled => ({ glue, trino });

const plain = fc.constantFrom(
	...['boolean', 'tinyint', 'smallint', 'bigint', 'double', 'date', 'timestamp'].map((name) => both(name)),
	both('int', 'integer'),
	both('float', 'real'),
	both('string', 'varchar'),
	both('binary', 'varbinary'),
	both('varchar(20)'),
	both('decimal(10,2)', 'decimal(10, 2)'),
	both('decimal(38)', 'decimal(38, 0)'),
	both('double', 'double precision'),
);

/** Some are names of types, too. */
const field = fc.constantFrom('a', 'b_2', 'name', 'date', 'time', 'zone', 'real', 'decimal');

const { type } = fc.letrec<{ type: Spelled }>((tie) => ({
	type: fc.oneof(
		{ maxDepth: 3, withCrossShrink: true },
		plain,
		tie('type').map((t) => both(`array<${t.glue}>`, `array(${t.trino})`)),
		fc.tuple(plain, tie('type')).map(([k, t]) => both(`map<${k.glue},${t.glue}>`, `map(${k.trino}, ${t.trino})`)),
		fc
			.uniqueArray(fc.tuple(field, tie('type')), { minLength: 1, maxLength: 3, selector: ([name]) => name })
			.map((list) =>
				both(
					`struct<${list.map(([name, t]) => `${name}:${t.glue}`).join(',')}>`,
					`row(${list.map(([name, t]) => `${name} ${t.trino}`).join(', ')})`,
				),
			),
	),
}));

test("a type is one type in Glue's spelling and in Trino's, to the contract, to CAST and to DuckDB", () => {
	fc.assert(
		fc.property(type, ({ glue, trino }) => {
			const read = parseType(glue);
			expect(parseType(trino)).toEqual(read);
			expect(parseExpression(`CAST(x AS ${trino})`)).toMatchObject({ kind: 'cast', type: read });
			expect(sameType(glue, trino)).toBe(true);
			expect(columnType(trino)).toEqual(columnType(glue));
			expect(duckType(glue)).toBe(typeText(columnType(glue)));
			expect(duckType(trino)).toBe(duckType(glue));
		}),
	);
});

test.each([
	['row("a b" integer, "c:d" varchar, "e""f" date)', ['a b', 'c:d', 'e"f']],
	['row(double precision, a integer)', [null, 'a']],
	['row(timestamp(3) with time zone, time time, at timestamp with time zone)', [null, 'time', 'at']],
	['struct<a:int,date:date>', ['a', 'date']],
])('%s has the fields %j', (text, names) => {
	expect(parseType(text)?.of.map(({ name }) => name)).toEqual(names);
});

test.each([
	'wibble',
	'row(a)',
	'int int',
	'decimal(1,2,3)',
	'boolean(1)',
	'timestamp with',
	'array(int',
	'map(int)',
	'',
])('%j is no type', (text) => {
	expect(parseType(text)).toBeNull();
});

describe('a field of a row', () => {
	const relation = (type: string): Relation => ({
		id: 't',
		printed: ['t'],
		columns: [{ name: 'r', type, granted: true }],
		rowFilter: null,
	});

	test.each([
		'row(a decimal(10, 2), b varchar)',
		'row(a integer, b double precision)',
		'row(a row(c integer, d decimal(10, 2)), b varchar)',
		'struct<a:decimal(10,2),b:map<string,int>>',
	])('of type %s is read in DuckDB, too', (type) => {
		const text = printDuckDB(resolve(parseQuery('SELECT r.a AS x, r.b AS y FROM t'), () => relation(type)));
		expect(text).toMatch(/"a".*"b"/);
	});
});
