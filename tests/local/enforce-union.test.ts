/**
 * SELECT * against a second reading of aws-facts, "Several filters on one principal = UNION": random tables with NULLs,
 * random grants of every kind, found as Athena finds them and run in the instance that queries run in. The evaluator
 * below shares nothing with the code: three-valued logic over JavaScript values.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { materialise, visibleColumns } from '#local/athena/enforce.ts';
import { openInstance } from '#local/athena/execute.ts';
import { findForQuery } from '#local/aws/lookup.ts';
import { fromFile, StateFile } from '#local/aws/state.ts';

const OWNER = '210000000001';
const PRINCIPAL = `arn:aws:iam::${OWNER}:role/reader`;
const NAMES = ['id', 'kind', 'size', 'open'] as const;
type Name = (typeof NAMES)[number];
type Cell = number | string | boolean | null;
type Row = Record<Name, Cell>;
const TYPES: Record<Name, string> = { id: 'int', kind: 'string', size: 'int', open: 'boolean' };

type Truth = boolean | null;
type Predicate = { readonly text: string; readonly holds: (row: Row) => Truth };

const not = (a: Truth): Truth => (a === null ? null : !a);
const and = (a: Truth, b: Truth): Truth =>
	a === false || b === false ? false : a === null || b === null ? null : true;
const or = (a: Truth, b: Truth): Truth => not(and(not(a), not(b)));
const known = (value: Cell, holds: (value: Exclude<Cell, null>) => boolean): Truth =>
	value === null ? null : holds(value);

const small = fc.integer({ min: -2, max: 3 });
const word = fc.constantFrom('', 'a', 'b', 'ab', "it's", 'A');
const quotedText = (text: string) => `'${text.replaceAll("'", "''")}'`;
const numeric = fc.constantFrom<Name>('id', 'size');
const compare = fc.constantFrom<[string, (a: number, b: number) => boolean]>(
	['=', (a, b) => a === b],
	['<>', (a, b) => a !== b],
	['<', (a, b) => a < b],
	['>=', (a, b) => a >= b],
);

const leaf: fc.Arbitrary<Predicate> = fc.oneof(
	fc.tuple(numeric, compare, small).map(([name, [sign, holds], value]) => ({
		text: `${name} ${sign} ${value}`,
		holds: (row: Row) => known(row[name], (cell) => holds(Number(cell), value)),
	})),
	fc.tuple(numeric, small, small).map(([name, low, high]) => ({
		text: `${name} BETWEEN ${low} AND ${high}`,
		holds: (row: Row) => known(row[name], (cell) => Number(cell) >= low && Number(cell) <= high),
	})),
	fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => ({
		text: `kind IN (${words.map(quotedText).join(', ')})`,
		holds: (row: Row) => known(row.kind, (cell) => words.some((one) => one === cell)),
	})),
	fc.constantFrom('a%', '%b', 'A_').map((pattern) => ({
		text: `kind LIKE '${pattern}'`,
		holds: (row: Row) =>
			known(row.kind, (cell) => {
				if (pattern === 'a%') return String(cell).startsWith('a');
				return pattern === '%b' ? String(cell).endsWith('b') : /^A.$/.test(String(cell));
			}),
	})),
	fc.tuple(fc.constantFrom(...NAMES), fc.boolean()).map(([name, negated]) => ({
		text: `${name} IS ${negated ? 'NOT ' : ''}NULL`,
		holds: (row: Row) => (row[name] === null) !== negated,
	})),
	fc
		.boolean()
		.map((value) => ({ text: `open = ${value}`, holds: (row: Row) => known(row.open, (cell) => cell === value) })),
);
const { predicate } = fc.letrec<{ predicate: Predicate }>((tie) => ({
	predicate: fc.oneof(
		{ maxDepth: 2 },
		leaf,
		tie('predicate').map(({ text, holds }) => ({ text: `NOT (${text})`, holds: (row: Row) => not(holds(row)) })),
		fc.tuple(tie('predicate'), tie('predicate'), fc.boolean()).map(([a, b, both]) => ({
			text: `(${a.text}) ${both ? 'AND' : 'OR'} (${b.text})`,
			holds: (row: Row) => (both ? and : or)(a.holds(row), b.holds(row)),
		})),
	),
}));

/** One grant as somebody made it: which columns it lists or excludes, which rows it takes; null: all. */
type Given = {
	readonly kind: 'table' | 'all-tables' | 'columns' | 'filter';
	readonly listed: readonly Name[] | null;
	readonly excluded: readonly Name[];
	readonly rows: Predicate | null;
};
const someNames = fc.subarray([...NAMES], { minLength: 1 });
const scope = fc.oneof(
	someNames.map((listed) => ({ listed, excluded: [] })),
	fc.subarray([...NAMES], { maxLength: 3 }).map((excluded) => ({ listed: null, excluded })),
);
const given: fc.Arbitrary<Given> = fc.oneof(
	{
		weight: 1,
		arbitrary: fc
			.constantFrom<'table' | 'all-tables'>('table', 'all-tables')
			.map((kind) => ({ kind, listed: null, excluded: [], rows: null })),
	},
	{ weight: 3, arbitrary: scope.map((columns) => ({ kind: 'columns' as const, ...columns, rows: null })) },
	{
		weight: 8,
		arbitrary: fc
			.tuple(scope, fc.option(predicate))
			.map(([columns, rows]) => ({ kind: 'filter' as const, ...columns, rows })),
	},
);
const row: fc.Arbitrary<Row> = fc.record({
	id: fc.option(small),
	kind: fc.option(word),
	size: fc.option(small),
	open: fc.option(fc.boolean()),
});

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(path.join(tmpdir(), 'fairlead-union-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function stateWith(grants: readonly Given[], file: string) {
	const table = { account: OWNER, database: 'db', table: 't' };
	const permission = (resource: object) => ({
		principal: PRINCIPAL,
		resource,
		permissions: ['SELECT'],
		grantable: [],
		updated: 0,
		updatedBy: PRINCIPAL,
	});
	const resources = grants.map(({ kind, listed, excluded }, index) => {
		if (kind === 'all-tables') return { kind, account: OWNER, database: 'db' };
		if (kind === 'table') return { kind, ...table };
		return kind === 'columns' ? { kind, ...table, columns: listed, excluded } : { kind, ...table, name: `f${index}` };
	});
	const filters = grants.flatMap(({ kind, listed, excluded, rows }, index) =>
		kind === 'filter'
			? [{ ...table, name: `f${index}`, columns: listed, excluded, expression: rows?.text ?? null, version: '1' }]
			: [],
	);
	const location = 's3://lake/t';
	return fromFile(
		StateFile.parse({
			landing: {
				region: 'eu-central-1',
				accounts: [],
				roles: [],
				databases: [{ account: OWNER, name: 'db' }],
				links: [],
				workGroups: [],
				tables: [
					{
						account: OWNER,
						database: 'db',
						name: 't',
						location,
						columns: NAMES.map((name) => ({ name, type: TYPES[name] })),
						format: { kind: 'csv', delimiter: ',', header: true, quote: '"' },
						files: [file],
						registered: true,
					},
				],
			},
			settings: [],
			registrations: [{ account: OWNER, arn: 'arn:aws:s3:::lake/t', roleArn: PRINCIPAL, modified: 0 }],
			filters,
			permissions: resources.map(permission),
			versions: 1,
		}),
	);
}

function csvText(rows: readonly Row[]): string {
	const field = (cell: Cell) => (cell === null ? '' : typeof cell === 'string' ? `"${cell}"` : String(cell));
	return [NAMES.join(','), ...rows.map((one) => NAMES.map((name) => field(one[name])).join(',')), ''].join('\n');
}

/** What AWS's union says, grant by grant, cell by cell. */
function bruteForce(grants: readonly Given[], rows: readonly Row[]) {
	const opens = ({ listed, excluded }: Given, name: Name) => listed?.includes(name) ?? !excluded.includes(name);
	const takes = ({ rows: filter }: Given, one: Row) => filter === null || filter.holds(one) === true;
	const columns = NAMES.filter((name) => grants.some((grant) => opens(grant, name)));
	const cells = rows
		.filter((one) => grants.some((grant) => takes(grant, one)))
		.map((one) =>
			columns.map((name) => (grants.some((grant) => opens(grant, name) && takes(grant, one)) ? one[name] : null)),
		);
	return { columns, cells };
}

test('SELECT * gives the union of all grants, cell by cell, and the instance holds nothing else', async () => {
	const tables = fc.array(row, { minLength: 1, maxLength: 8 });
	await fc.assert(
		fc.asyncProperty(tables, fc.array(given, { minLength: 1, maxLength: 4 }), async (rows, grants) => {
			const file = path.join(folder, 't.csv');
			writeFileSync(file, csvText(rows));
			const caller = { account: OWNER, arn: PRINCIPAL, principal: PRINCIPAL, userId: 'A', longLived: false };
			const found = findForQuery(stateWith(grants, file), caller, 'db', 't');
			if (found.kind !== 'table') throw new Error(found.kind);
			const expected = bruteForce(grants, rows);
			expect(visibleColumns(found.source, found.grants).map(({ name }) => name)).toEqual(expected.columns);
			const { connection, close } = await openInstance(
				materialise({ database: 'db', table: 't' }, found.source, found.grants),
			);
			try {
				const reader = await connection.runAndReadAll('SELECT * FROM db.t');
				expect(reader.columnNames()).toEqual(expected.columns);
				expect(reader.getRowsJson()).toEqual(expected.cells);
				const held = await connection.runAndReadAll(
					'SELECT table_name, column_count, estimated_size FROM duckdb_tables()',
				);
				expect(held.getRowsJson()).toEqual([['t', String(expected.columns.length), String(expected.cells.length)]]);
			} finally {
				close();
			}
		}),
		{ numRuns: 40 },
	);
});
