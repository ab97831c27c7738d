/**
 * The data products behind the tables that a query names: views are followed to the tables they read, as Glue defines
 * them at this moment. Nobody's access is asked here; a table of a view that no product publishes is never named.
 */
import type { Context } from '../context.ts';
import type { ContractTable } from '../contract.ts';
import { isRefusal } from '../error.ts';
import type { TableRef } from '../ledger.ts';
import {
	bounds,
	newQuery,
	newSelect,
	type Position,
	type Query,
	refusal,
	type SelectItem,
	type Source,
	tooLarge,
} from '../sql.ts';
import { type Definition, readDefinition } from './definition.ts';
import { demandExtent } from './extent.ts';
import { glueTable } from './glue.ts';
import { keyOf, type Mention, mentions } from './mentions.ts';
import { byTable, type Product } from './read.ts';
import { misfit, tooDeep, tooLong, type Via } from './via.ts';
import { refOf } from './view.ts';

export type FoundTable = {
	/** Stands in lineage and in the ledger. */
	readonly id: string;
	readonly product: Product;
	readonly table: ContractTable;
	readonly ref: TableRef;
	/** null: the query names it itself. */
	readonly via: Via | null;
	/** Where the query first names it, or the view through which it is read. */
	readonly at: Position;
};

export type FoundView = {
	readonly product: Product;
	readonly table: ContractTable;
	readonly ref: TableRef;
	/** As it was made. */
	readonly definition: Definition;
	/** The tables and views that it names, each time it does. */
	readonly reads: readonly Mention[];
	/** What it offers: the columns that its contract names, in that order. */
	readonly query: Query;
	readonly columns: readonly string[];
	/** The view that the query names: this one, or one that reads it. */
	readonly via: Via;
};

/** Each table and view once, however often it is named; those the query names first, in its order. */
export type Expansion = { readonly tables: readonly FoundTable[]; readonly views: readonly FoundView[] };

type Ctx = Pick<Context, 'aws' | 'config' | 'parser'>;
type Known = { readonly product: Product; readonly table: ContractTable };
/** `account`: that of the view that names it, whose account alone it may read; null in the query itself. */
type Wanted = Mention & { readonly via: Via | null; readonly account: string | null };

/**
 * Names that no product stands for are left out. Throws `table-not-granted` for a view that reads such a one, and
 * `unsupported` or `too-large` for a view that cannot be followed, each at the place of the view that the query names.
 */
export async function expand(ctx: Ctx, named: readonly Mention[]): Promise<Expansion> {
	const tables = new Map<string, FoundTable>();
	const views = new Map<string, FoundView>();
	let bytes = 0;
	let wanted: readonly Wanted[] = named.map((mention) => ({ ...mention, via: null, account: null }));
	for (let depth = 0; wanted.length > 0; depth += 1) {
		const fresh = distinct(wanted).filter((w) => !tables.has(keyOf(w)) && !views.has(keyOf(w)));
		mustBeFew(tables.size + views.size + fresh.length, depth, wanted[0]);
		const below: Wanted[] = [];
		for (const [wish, known] of await Promise.all(fresh.map(async (w) => [w, await find(ctx, w)] as const))) {
			if (known === null) continue;
			const { via } = wish;
			if (!known.table.view) tables.set(keyOf(wish), tableOf(known, wish));
			else {
				// One after another: however many they are, each waits its turn, and those beyond the bound are never read.
				const view = await follow(ctx, known, via ?? viaOf(wish), bytes);
				bytes += view.definition.bytes;
				views.set(keyOf(wish), view);
				below.push(...view.reads.map((mention) => ({ ...mention, via: view.via, account: view.ref.account })));
			}
		}
		for (const one of wanted) mustBeOwn(one, tables.get(keyOf(one)) ?? views.get(keyOf(one)));
		wanted = below;
	}
	demandExtent(named, { tables, views });
	return { tables: [...tables.values()], views: [...views.values()] };
}

/** The first of each name. */
function distinct(wanted: readonly Wanted[]): Wanted[] {
	const first = new Map<string, Wanted>();
	for (const one of wanted) if (!first.has(keyOf(one))) first.set(keyOf(one), one);
	return [...first.values()];
}

async function find(ctx: Ctx, wish: Wanted): Promise<Known | null> {
	const { database, table, via } = wish;
	const known = await byTable(ctx, database, table);
	if (known !== null) mustBeOwn(wish, { ref: refOf(known.table) });
	if (known !== null || via === null) return known;
	throw refusal(
		'table-not-granted',
		via.at,
		`The view \`${via.view}\` cannot be read through Fairlead: it reads a table that no data product publishes.`,
		{ view: via.view },
	);
}

const viaOf = ({ database, table, at }: Mention): Via => ({ view: `${database}.${table}`, at });

function tableOf(known: Known, { via, at }: Wanted): FoundTable {
	const id = `${known.product.id}/${known.table.name}`;
	return { ...known, id, ref: refOf(known.table), via, at: via?.at ?? at };
}

/** In a view, a name means what it means in the view's own account; the mesh's table of that name may be another's. */
function mustBeOwn({ account, via }: Wanted, found: Pick<FoundTable, 'ref'> | undefined): void {
	if (via === null || found === undefined || found.ref.account === account) return;
	throw misfit(via, 'it reads a table or view of another account than its own');
}

/** `sofar`: bytes of the definitions that were read before it. */
async function follow(ctx: Ctx, known: Known, via: Via, sofar: number): Promise<FoundView> {
	const ref = refOf(known.table);
	const glue = await glueTable(ctx, ref);
	if (glue?.view == null) throw misfit(via, 'the catalog has no such view any more');
	const room = bounds.viewBytes - sofar;
	const definition = await readDefinition(ctx, glue.view, ref.database, room).catch((cause: unknown) => {
		if (!isRefusal(cause)) throw cause;
		if (cause.code === 'too-large') throw tooLong(via);
		throw misfit(via, 'it is not defined by a query that Fairlead reads', cause);
	});
	const columns = known.table.columns.map(({ name }) => name);
	if (!columns.every((name) => definition.columns.includes(name))) {
		throw misfit(via, 'it has no longer every column that its contract names');
	}
	const whole = columns.length === definition.columns.length && columns.every((c, i) => c === definition.columns[i]);
	const query = whole ? definition.query : selected(definition, columns);
	return { ...known, ref, definition, reads: mentions(definition.query), query, columns, via };
}

/** Some columns of a view, by name. */
function selected({ query, columns }: Definition, wanted: readonly string[]): Query {
	const { at } = query;
	const alias = 'view';
	const names = columns.map((text) => ({ text, at }));
	const items = wanted.map((name): SelectItem => {
		return { kind: 'expression', expression: { kind: 'column', parts: [alias, name], at }, alias: name, at };
	});
	const from: Source = { kind: 'derived', query, lateral: false, alias, columns: names, sample: null, at };
	return newQuery(newSelect(items, [from], at), at);
}

function mustBeFew(count: number, depth: number, first: Wanted | undefined): void {
	if (first?.via != null && depth > bounds.viewDepth) throw tooDeep(first.via);
	if (count <= bounds.tables) return;
	const at = first?.via?.at ?? first?.at ?? { line: 1, column: 1 };
	throw tooLarge(at, `A query may read at most ${bounds.tables} tables and views, those inside views too.`);
}
