/**
 * What a new contract, or another state of the consuming domain, means for a grant that was given before: why it could
 * not be given like this any more. Pure. Of the rules only what the change brought about is told: what they refused, or
 * required, before it is none of it. So no deployed rule and no lapse of somebody's role suspends a grant by the way.
 */
import * as z from 'zod';
import * as Catalog from '../catalog.ts';
import { type ContractTable, sameType } from '../contract.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import { columnsOf } from '../rowfilter.ts';
import { tableKey } from '../scope.ts';
import type { ReadScope } from './content.ts';
import { keepsRowScope } from './rowscope.ts';
import type { Asking, Ruled } from './rules.ts';
import { openRoles } from './state.ts';

export const Effect = Ledger.GrantEffect.extend({
	columns: z.array(z.string()).meta({ description: 'As `table.column`, where it is about columns' }),
	until: z.iso.datetime().nullable().meta({ description: 'When it ends, where the product retires before it would' }),
}).meta({ id: 'ContractEffect' });
export type Effect = z.infer<typeof Effect>;

/** A grant between what it was given under and what there is now. */
export type Bound = {
	readonly scopes: readonly ReadScope[];
	readonly until: string;
	/** By whom it was approved: the roles of its route, or a rule; null for what nobody approves beforehand. */
	readonly approved: { readonly route: readonly string[]; readonly byRule: boolean } | null;
	readonly given: { readonly product: Catalog.Product; readonly ruled: Ruled };
	readonly now: {
		readonly product: Catalog.Product;
		readonly ruled: Ruled;
		readonly consumer: Asking['serving']['domain'];
		/** The principal still reads for this domain and purpose. */
		readonly served: boolean;
	};
};

/** In the order of their codes; none where the grant stands as it is. */
export function effectsOf(bound: Bound): Effect[] {
	return [
		...columnEffects(bound),
		...(bound.now.served ? [] : [effect('principal')]),
		...rowEffects(bound),
		...ruleEffects(bound),
		...endEffects(bound),
	];
}

/** Whether the grant must be held back for it. What retires only ends sooner. */
export const isGrave = ({ code }: Effect) => code !== 'retires';

function effect(code: Effect['code'], more: Partial<Effect> = {}): Effect {
	return { code, rules: [], roles: [], columns: [], until: null, ...more };
}

function tableIn({ contract }: Catalog.Product, table: Ledger.TableRef): ContractTable | undefined {
	return contract.tables.find((t) => tableKey(Catalog.refOf(t)) === tableKey(table));
}

/** Columns that the grant shows or chooses rows by. */
function read({ columns, rowFilter }: ReadScope): string[] {
	return [...new Set([...columns, ...(rowFilter === null ? [] : columnsOf(rowFilter))])].toSorted();
}

function columnEffects({ scopes, given, now }: Bound): Effect[] {
	const gone: string[] = [];
	const retyped: string[] = [];
	const keys: string[] = [];
	for (const scope of scopes) {
		const [before, after] = [tableIn(given.product, scope.table), tableIn(now.product, scope.table)];
		const named = (columns: readonly string[]) => columns.map((c) => `${scope.table.table}.${c}`);
		const used = read(scope);
		gone.push(...named(used.filter((c) => after?.columns.every(({ name }) => name !== c) ?? true)));
		retyped.push(...named(used.filter((c) => isRetyped(c, before, after))));
		// Lake Formation cannot hide a partition key: whoever reads the table would see it.
		const open = after?.columns.filter((c) => c.partition && !scope.columns.includes(c.name)) ?? [];
		keys.push(...named(open.map(({ name }) => name)));
	}
	const told = { 'column-gone': gone, 'type-changed': retyped, 'partition-key': keys } as const;
	return Object.entries(told).flatMap(([code, columns]) =>
		columns.length === 0 ? [] : [effect(code as keyof typeof told, { columns })],
	);
}

function isRetyped(name: string, before: ContractTable | undefined, after: ContractTable | undefined): boolean {
	if (before === undefined || after === undefined) return false;
	const find = (table: ContractTable) => table.columns.find((c) => c.name === name);
	const [old, present] = [find(before), find(after)];
	if (old === undefined || present === undefined) return false;
	// A filter does not reach through a view, so one that took the place of a table is another thing.
	return before.view !== after.view || !sameType(old.type, present.type);
}

/** The rows that the contract leaves to the domain, by what the domain is now. What is gone is told as such. */
function rowEffects({ scopes, now }: Bound): Effect[] {
	const there = scopes.filter(({ table }) => tableIn(now.product, table) !== undefined);
	return isWithin(() => keepsRowScope(now.product, now.consumer, there)) ? [] : [effect('row-scope')];
}

/** Forced rows for which the filter has no room are not in it. */
function isWithin(keeps: () => boolean): boolean {
	try {
		return keeps();
	} catch (error) {
		if (error instanceof BrokerError && error.code === 'row-filter-invalid') return false;
		throw error;
	}
}

function ruleEffects({ approved, given, now }: Bound): Effect[] {
	const [was, is] = [given.ruled, now.ruled];
	// Nothing can be told from a rule that could not be evaluated, so that alone is an effect.
	const unsure = [was, is].flatMap((r) => (r.unsure ? r.refusing : []));
	const rules = [...new Set([...unsure, ...is.refusing.filter((id) => was.allowed || !was.refusing.includes(id))])];
	const forbidden = unsure.length > 0 || (!is.allowed && (was.allowed || rules.length > 0));
	// Whatever refuses it before and after hides none of those who would have to approve.
	const roles = approved === null || is.unsure ? [] : missing(approved, was, is);
	return [
		...(forbidden ? [effect('rules-forbid', { rules: rules.toSorted() })] : []),
		...(roles.length === 0 ? [] : [effect('route-grew', { roles })]),
	];
}

/** Roles that would have to approve, and neither did nor would have had to before. */
function missing({ route, byRule }: NonNullable<Bound['approved']>, was: Ruled, is: Ruled): string[] {
	const count = (roles: readonly string[]) => roles.map((as) => ({ person: '', as }));
	// What a rule approved, nobody did: where it no longer does, all of the route is missing.
	if (byRule && was.auto && !is.auto) return [...is.route];
	const before = [...route, ...openRoles(was.route, count(route))];
	return openRoles(is.route, count(before));
}

function endEffects({ until, now }: Bound): Effect[] {
	const { retires } = Catalog.lifeOf(now.product.contract);
	const at = retires?.toISOString();
	return at === undefined || at >= until ? [] : [effect('retires', { until: at })];
}

/**
 * What there is to judge of a grant: what the contract still has. What it has not is told as gone, and would be judged as
 * the strictest.
 */
export function judged(product: Catalog.Product, scopes: readonly ReadScope[]): ReadScope[] {
	return leftOf(product, scopes).map((scope) => {
		const table = tableIn(product, scope.table);
		const known = (name: string) => table?.columns.some((c) => c.name === name) === true;
		const rowFilter = scope.rowFilter !== null && columnsOf(scope.rowFilter).every(known) ? scope.rowFilter : null;
		return { ...scope, rowFilter };
	});
}

/**
 * Of what a grant opens, what the contract still has: for asking for it again. A filter stays as it is, for without one
 * of its columns it would be another one.
 */
export function leftOf<S extends ReadScope>(product: Catalog.Product, scopes: readonly S[]): S[] {
	return scopes.flatMap((scope) => {
		const table = tableIn(product, scope.table);
		const columns = scope.columns.filter((c) => table?.columns.some(({ name }) => name === c) === true);
		return columns.length === 0 ? [] : [{ ...scope, columns }];
	});
}

/** The first of these, as long as those before have not reached `most` by themselves; one of them at least. */
export function firstOf<T>(all: readonly T[], size: (one: T) => number, most: number): T[] {
	let before = 0;
	const end = all.findIndex((one) => {
		if (before >= most) return true;
		before += size(one);
		return false;
	});
	return end === -1 ? [...all] : all.slice(0, end);
}
