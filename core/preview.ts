/**
 * Exactly what a principal would see: before and after a request or a grant, cell by cell as filters tell it. Computed by
 * the same union that decides whether a grant can be held, so what is shown is what Lake Formation would be given.
 *
 * Promise: only reads. Of other people's grants that the reader may not see, no id is shown. Where one of them compares a
 * personal column with a constant, the reader is shown columns and no rows: nothing then depends on that constant but
 * whether the whole can be held, so that trying filters against it finds nothing more. Rows are never counted here.
 */
import pMap from 'p-map';
import * as Catalog from './catalog.ts';
import type { Context } from './context.ts';
import { type Classification, classifications } from './contract.ts';
import * as Domains from './domains.ts';
import { BrokerError } from './error.ts';
import * as Grants from './grants.ts';
import type { TableRef } from './ledger.ts';
import { authorize } from './policy.ts';
import { knownOf } from './preview/known.ts';
import type { PreviewView, TablePreview } from './preview/view.ts';
import { covers as coversRows, inWords, printRowFilter, vacuous } from './rowfilter.ts';
import { type Scope, union } from './scope.ts';

export { PreviewView, TablePreview } from './preview/view.ts';

type TableScope = Scope & { readonly table: TableRef };

/** What might be granted. */
export type Hypothesis = {
	readonly principal: string;
	readonly product: Catalog.Product;
	readonly scopes: readonly TableScope[];
	/** A grant that it would take the place of. */
	readonly instead?: string | null;
};

type Scene = {
	readonly ctx: Context;
	readonly product: Catalog.Product;
	readonly principal: string;
	readonly serving: Awaited<ReturnType<typeof Domains.principal>>;
	readonly sight: Grants.Sight;
};

/** Tables that are looked at at once. */
const AT_ONCE = 4;

/** What the principal holds now, and what it would hold with these scopes. */
export async function preview(ctx: Context, hypothesis: Hypothesis): Promise<PreviewView> {
	const { principal, product, scopes, instead = null } = hypothesis;
	const scene = await sceneOf(ctx, principal, product);
	return whole(scene, await pMap(scopes, (scope) => tableWith(scene, scope, instead), { concurrency: AT_ONCE }));
}

/** What the principal sees on the tables of a grant, with it (`before`) and without it (`after`). */
export async function previewGrant(ctx: Context, id: string): Promise<PreviewView> {
	const grant = await Grants.find(ctx, id);
	const product = await Catalog.get(ctx, grant.opened.body.product);
	if (product === null) throw new BrokerError('record-corrupt', 'A grant names a product without entries.');
	authorize(ctx, 'previewGrant', await Grants.resourceOf(ctx, grant, product));
	const scene = await sceneOf(ctx, grant.opened.body.principal, product);
	return whole(
		scene,
		await pMap(grant.scopes, ({ table }) => tableWithout(scene, table, id), { concurrency: AT_ONCE }),
	);
}

async function sceneOf(ctx: Context, principal: string, product: Catalog.Product): Promise<Scene> {
	const [serving, personalOf] = await Promise.all([
		Domains.principal(ctx, principal),
		Catalog.personalColumns(ctx, product.id),
	]);
	return { ctx, product, principal, serving, sight: Grants.sightOf(ctx, product, personalOf) };
}

function whole({ principal, product }: Scene, tables: TablePreview[]): PreviewView {
	return { principal, product: product.id, exact: tables.every((t) => t.clash === null), tables };
}

/** What is held on a table, and how the caller may read that. */
async function standingOn({ ctx, principal, sight }: Scene, table: TableRef) {
	const live = await Grants.liveHoldings(ctx, principal, table);
	return { live, reading: await Grants.readingOf(sight, table, live) };
}

async function tableWith(
	scene: Scene,
	{ table, columns, rowFilter }: TableScope,
	instead: string | null,
): Promise<TablePreview> {
	const { live, reading } = await standingOn(scene, table);
	const others = live.filter((h) => h.grant !== instead);
	const scope = { columns, rowFilter };
	const before = union(live);
	const after = Grants.beside(others)(scope);
	const { ctx, serving, sight, principal, product } = scene;
	const about = { of: { principal, product: product.id, table }, serving, sight, reading };
	// What cannot be granted takes nothing away; what it would add is shown all the same.
	const [then, left] = [after ?? scope, after ?? before];
	const rows = reading.whole
		? { gained: rowsGained(before, then), lost: rowsLost(before, left) }
		: { gained: 'some' as const, lost: others.length < live.length ? ('some' as const) : ('none' as const) };
	const of = describer(scene, table);
	return {
		table: nameOf(table),
		before: seen(reading, before),
		after: seen(reading, after),
		gains: change(of, rows.gained, then, before),
		loses: change(of, rows.lost, before, left),
		...addsUpWith(reading, others),
		clash: after === null ? await Grants.clash(ctx, about, others, scope) : null,
		flags: flagsOf(scene, table, scope, reading.whole ? after : null),
	};
}

async function tableWithout(scene: Scene, table: TableRef, grant: string): Promise<TablePreview> {
	const { live, reading } = await standingOn(scene, table);
	const own = live.find((h) => h.grant === grant);
	const others = live.filter((h) => h !== own);
	const [before, after] = [union(live), union(others)];
	const rows = reading.whole
		? { gained: rowsGained(before, after), lost: rowsLost(before, after) }
		: { gained: 'none' as const, lost: own === undefined ? ('none' as const) : ('some' as const) };
	const of = describer(scene, table);
	return {
		table: nameOf(table),
		before: seen(reading, before),
		after: seen(reading, after),
		gains: change(of, rows.gained, after, before),
		loses: change(of, rows.lost, before, after),
		...addsUpWith(reading, others),
		clash: others.length === 0 || after !== null ? null : Grants.clashAmong(reading, others),
		flags: own === undefined ? [] : flagsOf(scene, table, own, null),
	};
}

const nameOf = (table: TableRef) => `${table.database}.${table.table}`;

function addsUpWith(reading: Grants.Reading, others: readonly Grants.Holding[]) {
	const named = others.filter(reading.mayName).map((h) => h.grant);
	return { with: named, hidden: others.length - named.length };
}

function seen({ whole: told }: Grants.Reading, scope: Scope | null): TablePreview['after'] {
	if (scope === null) return null;
	const { columns, rowFilter } = scope;
	if (!told) return { columns: [...columns] };
	return { columns: [...columns], rowFilter: rowFilter === null ? null : printRowFilter(rowFilter) };
}

type Change = TablePreview['gains'];

/** What is in `more` and not in `less`. */
function change(
	of: (column: string) => Change['columns'][number],
	rows: Change['rows'],
	more: Scope | null,
	less: Scope | null,
): Change {
	const columns = (more?.columns ?? []).filter((c) => less?.columns.includes(c) !== true).map(of);
	// With more rows, more is seen of every column.
	const touched = rows === 'none' ? columns : (more?.columns ?? []).map(of);
	const ranks = touched.map((c) => classifications.indexOf(c.classification));
	return {
		columns,
		rows,
		classification: touched.length === 0 ? null : (classifications[Math.max(...ranks)] ?? 'restricted'),
		personal: touched.some((c) => c.personal),
	};
}

function rowsGained(before: Scope | null, after: Scope | null): Change['rows'] {
	if (after === null || (before !== null && coversRows(before.rowFilter, after.rowFilter))) return 'none';
	return after.rowFilter === null ? 'all' : 'some';
}

function rowsLost(before: Scope | null, after: Scope | null): Change['rows'] {
	if (before === null) return 'none';
	if (after === null) return 'all';
	return coversRows(after.rowFilter, before.rowFilter) ? 'none' : 'some';
}

/** A column that the contract names no more counts as what it could have been at most. */
function describer({ product, sight }: Scene, table: TableRef): (column: string) => Change['columns'][number] {
	const described = product.contract.tables.find((t) => t.database === table.database && t.name === table.table);
	const personal = sight.personalOf(table);
	return (name) => {
		const column = described?.columns.find((c) => c.name === name);
		const classification: Classification = column?.classification ?? 'restricted';
		return { name, classification, personal: (column?.personal ?? true) || personal.has(name) };
	};
}

/** Of the filter that is asked for; and of all together, where that alone says it. */
function flagsOf({ product }: Scene, table: TableRef, asked: Scope, after: Scope | null): TablePreview['flags'] {
	const known = knownOf(product, table);
	const own = vacuous(asked.rowFilter, known);
	const flags = own.map((v) => ({
		of: 'asked' as const,
		part: printRowFilter(v.part),
		detail: inWords(v, printRowFilter),
	}));
	// Nothing can be made of a filter that lets everything through by itself; one and the same is looked at once.
	if (after === null || own.some((v) => v.whole) || same(asked, after)) return flags;
	const together = vacuous(after.rowFilter, known).map((v) => ({
		of: 'after' as const,
		part: printRowFilter(v.part),
		detail: inWords(v, printRowFilter, 'the one filter of all its grants'),
	}));
	return [...flags, ...together.filter(({ part }) => !flags.some((flag) => flag.part === part))];
}

const same = (a: Scope, b: Scope) => JSON.stringify(a.rowFilter) === JSON.stringify(b.rowFilter);
