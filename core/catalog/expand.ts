/**
 * The data products behind the tables that a query names: views are followed to the tables they read, as Glue defines
 * them at this moment. Nobody's access is asked here; a table of a view that no product publishes is never named.
 */
import type { Context } from '../context.ts';
import type { ContractTable } from '../contract.ts';
import { BrokerError } from '../error.ts';
import type { TableRef } from '../ledger.ts';
import { MAX_BYTES } from '../parser.ts';
import { type Position, type Query, refusal } from '../sql.ts';
import { type Definition, isRefusal, readDefinition } from './definition.ts';
import { glueTable } from './glue.ts';
import { type Mention, mentions } from './mentions.ts';
import { byTable, type Product } from './read.ts';
import { refOf } from './view.ts';

/** A view, as the query names it, and where it first does: a place inside a view means nothing to who wrote the query. */
export type Via = { readonly view: string; readonly at: Position };

export type FoundTable = {
	/** Stands in lineage and in the ledger. */
	readonly id: string;
	readonly product: Product;
	readonly table: ContractTable;
	readonly ref: TableRef;
	/** null: the query names it itself. */
	readonly via: Via | null;
};

export type FoundView = {
	readonly product: Product;
	readonly table: ContractTable;
	readonly ref: TableRef;
	/** As it was made. */
	readonly definition: Definition;
	/** What it offers: the columns that its contract names, in that order. */
	readonly query: Query;
	readonly columns: readonly string[];
	/** The view that the query names: this one, or one that reads it. */
	readonly via: Via;
};

/** Each table and view once, however often it is named; those the query names first, in its order. */
export type Expansion = { readonly tables: readonly FoundTable[]; readonly views: readonly FoundView[] };

type Ctx = Pick<Context, 'aws' | 'config' | 'parser'>;
type Wanted = Mention & { readonly via: Via | null };

const MAX_DEPTH = 16;
/** Tables and views in all. */
const MAX_FOUND = 256;

const keyOf = ({ database, table }: Pick<Mention, 'database' | 'table'>) => JSON.stringify([database, table]);

/**
 * Names that no product stands for are left out. Throws `table-not-granted` for a view that reads such a one, and
 * `unsupported` or `too-large` for a view that cannot be followed, each at the place of the view that the query names.
 */
export async function expand(ctx: Ctx, named: readonly Mention[]): Promise<Expansion> {
	const tables = new Map<string, FoundTable>();
	const views = new Map<string, FoundView>();
	let wanted: readonly Wanted[] = named.map((mention) => ({ ...mention, via: null }));
	for (let depth = 0; wanted.length > 0; depth += 1) {
		const fresh = distinct(wanted).filter((w) => !tables.has(keyOf(w)) && !views.has(keyOf(w)));
		mustBeFew(tables.size + views.size + fresh.length, depth, wanted[0]);
		const below: Wanted[] = [];
		for (const found of await Promise.all(fresh.map((w) => find(ctx, w)))) {
			if (found === null) continue;
			const key = keyOf(found.ref);
			if ('query' in found) {
				views.set(key, found);
				below.push(...mentions(found.query).map((mention) => ({ ...mention, via: found.via })));
			} else tables.set(key, found);
		}
		wanted = below;
	}
	mustEnd(named, views);
	return { tables: [...tables.values()], views: [...views.values()] };
}

/** The first of each name. */
function distinct(wanted: readonly Wanted[]): Wanted[] {
	const first = new Map<string, Wanted>();
	for (const one of wanted) if (!first.has(keyOf(one))) first.set(keyOf(one), one);
	return [...first.values()];
}

async function find(ctx: Ctx, { database, table, at, via }: Wanted): Promise<FoundTable | FoundView | null> {
	const known = await byTable(ctx, database, table);
	if (known === null) {
		if (via === null) return null;
		throw refusal(
			'table-not-granted',
			via.at,
			`The view ${via.view} cannot be read through Fairlead: it reads a table that no data product publishes.`,
			{ view: via.view },
		);
	}
	const ref = refOf(known.table);
	if (known.table.view) return follow(ctx, known, via ?? { view: `${database}.${table}`, at });
	return { ...known, id: `${known.product.id}/${known.table.name}`, ref, via };
}

async function follow(ctx: Ctx, known: Pick<FoundView, 'product' | 'table'>, via: Via): Promise<FoundView> {
	const ref = refOf(known.table);
	const glue = await glueTable(ctx, ref);
	if (glue?.view == null) throw misfit(via, 'the catalog has no such view any more');
	const definition = await readDefinition(ctx, glue.view, ref.database).catch((cause: unknown) => {
		if (!isRefusal(cause)) throw cause;
		throw misfit(via, 'it is not defined by a query that Fairlead reads', cause);
	});
	const columns = known.table.columns.map(({ name }) => name);
	if (!columns.every((name) => definition.columns.includes(name))) {
		throw misfit(via, 'it has no longer every column that its contract names');
	}
	const whole = columns.length === definition.columns.length && columns.every((c, i) => c === definition.columns[i]);
	return { ...known, ref, definition, query: whole ? definition.query : selected(definition, columns), columns, via };
}

/** Some columns of a view, by name. */
function selected({ query, columns }: Definition, wanted: readonly string[]): Query {
	const { at } = query;
	const alias = 'view';
	const names = columns.map((text) => ({ text, at }));
	return {
		kind: 'query',
		recursive: false,
		commons: [],
		body: {
			kind: 'select',
			distinct: false,
			items: wanted.map((name) => ({
				kind: 'expression',
				expression: { kind: 'column', parts: [alias, name], at },
				alias: name,
				at,
			})),
			from: [{ kind: 'derived', query, lateral: false, alias, columns: names, sample: null, at }],
			where: null,
			groupBy: null,
			having: null,
			windows: [],
			at,
		},
		orderBy: [],
		offset: null,
		limit: null,
		ties: false,
		at,
	};
}

/** A view whose definition and what it reads do not fit together; the reason names nothing that stands inside. */
export function misfit(via: Via, reason: string, cause?: unknown): BrokerError {
	const members = { view: via.view, ...via.at };
	return new BrokerError('unsupported', `The view ${via.view} cannot be read: ${reason}.`, members, { cause });
}

function mustBeFew(count: number, depth: number, first: Wanted | undefined): void {
	if (first?.via != null && depth > MAX_DEPTH) throw tooDeep(first.via);
	if (count <= MAX_FOUND) return;
	const at = first?.via?.at ?? first?.at ?? { line: 1, column: 1 };
	throw refusal('too-large', at, `A query may read at most ${MAX_FOUND} tables and views, those inside views too.`);
}

const tooDeep = (via: Via) => misfit(via, `views inside views go at most ${MAX_DEPTH} deep`);

type Size = { readonly depth: number; readonly bytes: number };

/** Refuses views that read themselves, lie too deep, or make the query longer, written out, than a query may be. */
function mustEnd(named: readonly Mention[], views: ReadonlyMap<string, FoundView>): void {
	const sizes = new Map<string, Size>();
	const open = new Set<string>();
	const sizesOf = (mentioned: readonly Mention[]): Size[] =>
		mentioned.flatMap((mention) => {
			const key = keyOf(mention);
			const view = views.get(key);
			return view === undefined ? [] : [sizes.get(key) ?? sizeOf(key, view)];
		});
	const sizeOf = (key: string, view: FoundView): Size => {
		if (open.has(key)) throw misfit(view.via, 'it reads itself');
		open.add(key);
		const inside = sizesOf(mentions(view.query));
		open.delete(key);
		const size = { depth: 1 + Math.max(0, ...inside.map((s) => s.depth)), bytes: view.definition.bytes + sum(inside) };
		if (size.depth > MAX_DEPTH) throw tooDeep(view.via);
		if (size.bytes > MAX_BYTES) throw tooLong(view.via);
		sizes.set(key, size);
		return size;
	};
	const [first] = views.values();
	if (sum(sizesOf(named)) > MAX_BYTES && first !== undefined) throw tooLong(first.via);
}

const sum = (sizes: readonly Size[]) => sizes.reduce((total, { bytes }) => total + bytes, 0);

function tooLong({ view, at }: Via): BrokerError {
	return refusal('too-large', at, `With ${view} written out, the query has more than ${MAX_BYTES} bytes.`, { view });
}
