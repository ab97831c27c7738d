/** What views read and stand for, told without writing them out: it is what the resolver finds when they are. */
import { describe, expect, it } from 'vitest';
import { demandExtent } from '#core/catalog/extent.ts';
import { keyOf, mentions } from '#core/catalog/mentions.ts';
import type { FoundTable, FoundView } from '#core/catalog.ts';
import type { ContractTable } from '#core/contract.ts';
import { lookupOf, readThrough, wholeRelation } from '#core/query/lookup.ts';
import { resolve } from '#core/sql.ts';
import { parseQuery } from '#core/syntax.ts';

const product = { id: 'd.p' } as FoundTable['product'];

function contract(name: string, columns: readonly string[], view: boolean): ContractTable {
	const typed = columns.map((column) => ({ name: column, type: 'bigint' }));
	return { name, database: 's', account: '1', view, columns: typed } as unknown as ContractTable;
}

function table(name: string, columns: readonly string[]): FoundTable {
	const ref = { account: '1', database: 's', table: name };
	const at = { line: 1, column: 1 };
	return { id: `d.p/${name}`, product, table: contract(name, columns, false), ref, via: null, at };
}

function view(name: string, sql: string, columns: readonly string[], bytes = sql.length): FoundView {
	const query = parseQuery(sql);
	return {
		product,
		table: contract(name, columns, true),
		ref: { account: '1', database: 's', table: name },
		definition: { query, columns, bytes },
		reads: mentions(query),
		query,
		columns,
		via: { view: `s.${name}`, at: { line: 1, column: 15 } },
	};
}

const tables = [table('t', ['a', 'b', 'c']), table('u', ['a', 'd'])];

describe('what views read', () => {
	const cases = [
		view('v', 'SELECT a FROM s.t WHERE b = 1', ['a']),
		view('w', 'SELECT x.a, u.d FROM s.v AS x JOIN s.u AS u ON u.a = x.a', ['a', 'd']),
		view('star', 'SELECT * FROM s.w', ['a', 'd']),
		view('unused', 'WITH dead AS (SELECT c FROM s.t) SELECT d FROM s.star', ['d']),
		view('again', 'SELECT l.a FROM s.v AS l, s.v AS r, s.star WHERE EXISTS (SELECT 1 FROM s.unused)', ['a']),
	];

	it.each(cases.map((v, i) => [v.ref.table, v, cases.slice(0, i + 1)] as const))('%s', (name, _, views) => {
		const through = readThrough({ tables, views });
		const { reads } = resolve(
			parseQuery(views.map((v) => `SELECT 1 FROM s.${v.ref.table}`).join(' UNION ALL ')),
			lookupOf({ tables, views }, wholeRelation),
		);
		const columns = (all: readonly { table: string; column: string }[]) =>
			[...new Set(all.map((r) => `${r.table}.${r.column}`))].toSorted();
		expect(columns(through)).toEqual(columns(reads));
		expect(through.some(({ via }) => via.view === 's.v')).toBe(true);
		expect(name).toBe(views.at(-1)?.ref.table);
	});

	it('a column that an inner view does not offer is no column of it', () => {
		const views = [view('v', 'SELECT a FROM s.t', ['a']), view('w', 'SELECT b FROM s.v', ['b'])];
		expect(() => readThrough({ tables, views })).toThrow(
			expect.objectContaining({ code: 'unsupported', extensions: { view: 's.w', line: 1, column: 15 } }),
		);
	});
});

describe('how much a query stands for', () => {
	const extent =
		(named: string, views: readonly FoundView[], of: readonly FoundTable[] = tables) =>
		() => {
			const keyed = <T extends Pick<FoundTable, 'ref'>>(all: readonly T[]) =>
				new Map(all.map((x) => [keyOf(x.ref), x]));
			demandExtent(mentions(parseQuery(named)), { tables: keyed(of), views: keyed(views) });
		};
	const refused = (code: string) => expect.objectContaining({ code, extensions: expect.objectContaining({ line: 1 }) });
	const stack = (levels: number, bytes: number) => [
		view('v0', 'SELECT a FROM s.t', ['a'], bytes),
		...Array.from({ length: levels }, (_, i) =>
			view(`v${i + 1}`, `SELECT l.a FROM s.v${i} AS l, s.v${i} AS r`, ['a'], bytes),
		),
	];

	it('views that double what they read count twice each time', () => {
		expect(extent('SELECT a FROM s.v6', stack(6, 314))).not.toThrow();
		expect(extent('SELECT a FROM s.v6', stack(6, 315))).toThrow(refused('too-large'));
		expect(extent('SELECT a FROM s.v5 UNION SELECT a FROM s.v5', stack(5, 318))).toThrow(refused('too-large'));
		expect(extent('SELECT a FROM s.v7', stack(7, 1))).toThrow(refused('too-large'));
	});

	it('columns of the tables in views, too', () => {
		const wide = table(
			'wide',
			Array.from({ length: 1000 }, (_, i) => `c${i}`),
		);
		const five = `SELECT 1 AS a FROM ${Array.from({ length: 5 }, (_, i) => `s.wide AS w${i}`).join(', ')}`;
		expect(extent('SELECT a FROM s.v', [view('v', five, ['a'])], [wide])).not.toThrow();
		expect(extent('SELECT a FROM s.v', [view('v', `${five}, s.wide`, ['a'])], [wide])).toThrow(refused('too-large'));
	});

	it('a view that reads itself through another ends nowhere', () => {
		const views = [view('v', 'SELECT a FROM s.w', ['a']), view('w', 'SELECT a FROM s.v', ['a'])];
		expect(extent('SELECT a FROM s.v', views)).toThrow(refused('unsupported'));
	});

	it('views lie at most sixteen deep', () => {
		const deep = (levels: number) =>
			Array.from({ length: levels }, (_, i) =>
				view(`d${i}`, i === 0 ? 'SELECT a FROM s.t' : `SELECT a FROM s.d${i - 1}`, ['a']),
			);
		expect(extent('SELECT a FROM s.d15', deep(16))).not.toThrow();
		expect(extent('SELECT a FROM s.d16', deep(17))).toThrow(refused('too-large'));
	});
});
