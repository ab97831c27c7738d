/**
 * What a grant opens on one table: explicit columns and a row filter. Pure.
 *
 * In the ledger's leaf, constants compared with personal columns appear only as salted hashes; the filter that must be
 * enforced then lies in the payload. Once that is erased the filter is unreadable, and what it opened stays shut.
 */
import { createHash } from 'node:crypto';
import type { TableRef } from './ledger.ts';
import * as Row from './rowfilter.ts';

export { type Cells, surplus } from './scope/cells.ts';

export type Scope = { readonly columns: readonly string[]; readonly rowFilter: Row.RowFilter | null };

/** A row filter as an entry records it. */
export type StoredFilter = Readonly<Record<string, never>> | null;

export const tableKey = (t: TableRef) => `${t.account}.${t.database}.${t.table}`;

/** Tells of a column whether it is personal. */
export type Personal = Pick<ReadonlySet<string>, 'has'>;

/** Replaces each constant that is compared with a personal column. `clear` says that nothing had to be hidden. */
function conceal(
	filter: Row.RowFilter | null,
	personal: Personal,
	salt: Uint8Array,
): { stored: StoredFilter; clear: boolean } {
	const hidden = filter !== null && Row.columnsOf(filter).some((c) => personal.has(c));
	if (!hidden) return { stored: filter as StoredFilter, clear: true };
	return { stored: mask(filter, personal, salt) as StoredFilter, clear: false };
}

/** Collects what an entry must not show. `store` gives a scope as recorded; `pii` the payload needed to read it back. */
export function concealer(salt: Uint8Array) {
	const rowFilters: Record<string, unknown> = {};
	return {
		store(name: string, scope: Scope, personal: Personal): { columns: string[]; rowFilter: StoredFilter } {
			const { stored, clear } = conceal(scope.rowFilter, personal, salt);
			if (!clear) rowFilters[name] = scope.rowFilter;
			return { columns: [...scope.columns], rowFilter: stored };
		},
		pii(): { pii?: { salt: string; rowFilters: Record<string, unknown> } } {
			const needed = Object.keys(rowFilters).length > 0;
			return needed ? { pii: { salt: Buffer.from(salt).toString('hex'), rowFilters } } : {};
		},
	};
}

function mask(filter: Row.RowFilter, personal: Personal, salt: Uint8Array): unknown {
	switch (filter.op) {
		case 'and':
		case 'or':
			return { ...filter, operands: filter.operands.map((o) => mask(o, personal, salt)) };
		case 'not':
			return { ...filter, operand: mask(filter.operand, personal, salt) };
		case 'is-null':
			return filter;
		case 'compare':
			return personal.has(filter.column) ? { ...filter, value: hashed(filter.value, salt) } : filter;
		case 'between':
			if (!personal.has(filter.column)) return filter;
			return { ...filter, low: hashed(filter.low, salt), high: hashed(filter.high, salt) };
		case 'in':
			return personal.has(filter.column) ? { ...filter, values: filter.values.map((v) => hashed(v, salt)) } : filter;
		case 'like':
			return personal.has(filter.column) ? { ...filter, pattern: hashed(filter.pattern, salt) } : filter;
	}
}

function hashed(constant: unknown, salt: Uint8Array): { type: 'hashed'; value: string } {
	return { type: 'hashed', value: createHash('sha256').update(salt).update(JSON.stringify(constant)).digest('hex') };
}

/** A scope as read back. Not `readable`: its filter was erased; it must open nothing, and can only be ended. */
export type Recalled = Scope & { readonly readable: boolean };

/** The filter to enforce is the payload's where there is one, the entry's own otherwise. */
export function recall(stored: { columns: readonly string[]; rowFilter: unknown }, secret: unknown): Recalled {
	const { columns } = stored;
	const source = secret === undefined ? stored.rowFilter : secret;
	if (source === null) return { columns, rowFilter: null, readable: true };
	const parsed = Row.RowFilter.safeParse(source);
	return { columns, rowFilter: parsed.success ? parsed.data : null, readable: parsed.success };
}

/** Whether two scopes are certainly the same cells. */
export const sameScope = (a: Scope, b: Scope) => covers(a, b) && covers(b, a);

/** Whether every cell of `narrower` is certainly a cell of `wider`. Undecidable means no. */
export function covers(wider: Scope, narrower: Scope): boolean {
	return narrower.columns.every((c) => wider.columns.includes(c)) && Row.covers(wider.rowFilter, narrower.rowFilter);
}

/**
 * The union of scopes as one data cells filter, or null where no single filter is exactly it: one scope holds the
 * other, or the rows are the same (union of columns), or the columns are the same (OR of rows).
 */
export function union(scopes: readonly Scope[]): Scope | null {
	let sum: Scope | undefined;
	for (const scope of scopes) {
		const next: Scope | null = sum === undefined ? tidy(scope) : pair(sum, scope);
		if (next === null) return null;
		sum = next;
	}
	return sum ?? null;
}

/** Whether these scopes can be held together: their union is exact, and stays so when any of them ends. */
export function compatible(scopes: readonly Scope[]): boolean {
	const pairs = scopes.flatMap((a, i) => scopes.slice(i + 1).map((b) => [a, b]));
	return union(scopes) !== null && pairs.every((p) => union(p) !== null);
}

function pair(a: Scope, b: Scope): Scope | null {
	if (covers(a, b)) return a;
	if (covers(b, a)) return tidy(b);
	if (Row.covers(a.rowFilter, b.rowFilter) && Row.covers(b.rowFilter, a.rowFilter)) {
		return tidy({ columns: [...a.columns, ...b.columns], rowFilter: a.rowFilter });
	}
	const sameColumns = a.columns.length === b.columns.length && a.columns.every((c) => b.columns.includes(c));
	if (!sameColumns) return null;
	const rowFilter = Row.either([a.rowFilter, b.rowFilter]);
	const fits = rowFilter === null || Row.printRowFilter(rowFilter).length <= Row.MAX_EXPRESSION;
	return fits ? { columns: a.columns, rowFilter } : null;
}

const tidy = ({ columns, rowFilter }: Scope): Scope => ({ columns: [...new Set(columns)].toSorted(), rowFilter });
