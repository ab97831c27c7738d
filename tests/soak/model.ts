/**
 * What every grant may open and must open, as far as somebody outside can know: from when on it may be in force, from
 * when on it is, until when it surely is, until when it may be. A cell of a result is allowed by a window that may have
 * been open while the query was under way; a window that surely was open all that time must be seen whole.
 */
import type { Row } from '#local/lake.ts';
import type { Handle } from '#local/people.ts';

export type Predicate = { readonly text: string | null; readonly holds: (row: Row) => boolean };

/** A table, and the principal that may be granted something on it. */
export type Place = {
	readonly product: string;
	readonly table: string;
	readonly sql: string;
	readonly ref: { readonly account: string; readonly database: string; readonly table: string };
	readonly owner: Handle;
	readonly purpose: string;
	readonly principal: string;
	/** Tells the rows apart; every request asks for it, and for the columns of its filter. */
	readonly key: string;
	readonly rows: readonly Row[];
	readonly columns: readonly (readonly string[])[];
	readonly predicates: readonly Predicate[];
};

export type Scope = { readonly columns: readonly string[]; readonly predicate: Predicate };

type Window = {
	/** What it opens at most, and at least: they differ where nobody said whether it was made narrower. */
	readonly scope: Scope;
	readonly sure: Scope;
	readonly maybeFrom: number;
	surelyFrom: number;
	surelyUntil: number;
	maybeUntil: number;
};

/** A request, and the grant it became. */
export type Tracked = {
	readonly place: Place;
	readonly person: Handle;
	readonly request: string;
	readonly etag: string;
	scope: Scope;
	sure: Scope;
	grant: string | null;
	/** Somebody changes it now; a revocation may come in between all the same. */
	busy: boolean;
	/** What somebody was told that it is, or is on its way to. */
	told: 'asked' | 'approved' | 'rejected' | 'revoked' | 'suspended';
	readonly windows: Window[];
};

export function opens(tracked: Tracked, at: number): void {
	const { scope, sure } = tracked;
	const never = Number.POSITIVE_INFINITY;
	tracked.windows.push({ scope, sure, maybeFrom: at, surelyFrom: never, surelyUntil: never, maybeUntil: never });
}

/** Its last window is open now. */
export function isOpen(tracked: Tracked, at: number, until: number): void {
	const last = tracked.windows.at(-1);
	if (last === undefined) return;
	last.surelyFrom = Math.min(last.surelyFrom, at);
	for (const window of tracked.windows) {
		window.surelyUntil = Math.min(window.surelyUntil, until);
		window.maybeUntil = Math.min(window.maybeUntil, until);
	}
}

/** Somebody asks for it to be closed. */
export function mayClose(tracked: Tracked, at: number): void {
	for (const window of tracked.windows) window.surelyUntil = Math.min(window.surelyUntil, at);
}

/** Somebody was told that it is closed. */
export function isClosed(tracked: Tracked, at: number): void {
	for (const window of tracked.windows) window.maybeUntil = Math.min(window.maybeUntil, at);
}

export type Asked = {
	readonly place: Place;
	readonly person: Handle;
	readonly columns: readonly string[];
	readonly from: number;
	readonly to: number;
};

/** What is wrong with this result: cells beyond what may have been open, rows missing of what surely was. */
export function judge(
	all: readonly Tracked[],
	asked: Asked,
	result: readonly (readonly (string | null)[])[],
): string[] {
	const { place, person, columns, from, to } = asked;
	const windows = all
		.filter((tracked) => tracked.place === place && tracked.person === person)
		.flatMap((tracked) => tracked.windows);
	const possible = windows.filter((window) => window.maybeFrom <= to && window.maybeUntil >= from);
	const certain = windows.filter(
		(window) =>
			window.surelyFrom <= from &&
			window.surelyUntil >= to &&
			columns.every((column) => window.sure.columns.includes(column)),
	);
	const raw = new Map(place.rows.map((row) => [row[place.key] ?? '', row]));
	const seen = new Set<string>();
	const wrong: string[] = [];
	for (const cells of result) {
		const id = cells[columns.indexOf(place.key)] ?? '';
		const row = raw.get(id);
		if (row === undefined || seen.has(id)) {
			wrong.push(`${id} is no row, or comes twice`);
			continue;
		}
		seen.add(id);
		for (const [i, column] of columns.entries()) {
			if (cells[i] !== row[column]) wrong.push(`${id}.${column} is ${cells[i]} instead of ${row[column]}`);
			const open = possible.some(({ scope }) => scope.columns.includes(column) && scope.predicate.holds(row));
			if (!open) wrong.push(`${id}.${column} was open to nobody`);
		}
	}
	for (const row of place.rows) {
		const must = certain.some(({ sure }) => sure.predicate.holds(row));
		if (must && !seen.has(row[place.key] ?? '')) wrong.push(`${row[place.key]} is missing`);
	}
	return wrong;
}
