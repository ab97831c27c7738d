/** The tables that the SQL tests query. */
import type { Relation, TableName } from '#core/sql.ts';

function table(id: string, columns: Readonly<Record<string, string>>, hidden: readonly string[] = []): Relation {
	return {
		id,
		printed: id.split('.'),
		columns: Object.entries(columns).map(([name, type]) => ({ name, type, granted: !hidden.includes(name) })),
		rowFilter: null,
	};
}

const text = (...names: string[]) => Object.fromEntries(names.map((name) => [name, 'string']));

export const tables: readonly Relation[] = [
	table('s.t', text('a', 'b', 'c')),
	table('s2.t', text('a', 'b', 'c')),
	table('s.u', text('a', 'x', 'y')),
	table('s.secret', text('a', 'k')),
	table('s.odd', text('odd "name')),
	table('s.numbers', { a: 'string', n: 'int', d: 'date' }),
	table('s.nested', { r: 'struct<f:int>' }),
	table('s.deep', {
		id: 'string',
		tags: 'array<string>',
		nums: 'array<int>',
		attrs: 'map<string,int>',
		items: 'array<struct<sku:string,qty:int>>',
		who: 'struct<name:string,home:struct<city:string,zip:string>>',
		matrix: 'array<array<int>>',
	}),
	table('s.pair', { a: 'struct<b:int>', b: 'string' }),
	table('s.shade', { t: 'struct<a:int>', k: 'string' }),
	table('s.events', {
		id: 'varchar',
		spans: 'array(row(p varchar(10), q bigint))',
		m: 'map(varchar, array(bigint))',
		rr: 'row(x bigint, "y z" varchar)',
	}),
	table('s.hidden', text('a'), ['a']),
	{
		...table('lending.loans', text('loan_id', 'status', 'duration'), ['duration']),
		rowFilter: { op: 'compare', column: 'status', operator: '=', value: { type: 'string', value: "it's" } },
	},
];

/** A table without a database is in `s`, or in `lending`. */
export function lookup({ database, table: name }: TableName): Relation | undefined {
	const places = database === null ? ['s', 'lending'] : [database];
	return tables.find(({ id }) => places.some((place) => id === `${place}.${name}`));
}
