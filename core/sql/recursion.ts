/**
 * The lineage of a recursive common table: the step is resolved once, over columns that stand for the table's own. What
 * they hold is then the least solution: each column has what the anchor gives it and what the step makes of the columns.
 */
import { type Analysis, recordUse } from './analysis.ts';
import type { Query, QueryBody, SetOperation, SetStep } from './ast.ts';
import { bounds } from './bounds.ts';
import type { Item, Place, Result } from './context.ts';
import { baseColumn, influence, influences, keyOf, type Lineage, merge, nothing, raise, strength } from './lineage.ts';
import { tooLarge, wrongWidth } from './refuse.ts';
import { combine } from './set-operation.ts';

export type StepOf = { readonly anchor: QueryBody; readonly step: SetStep };

/** The parts of `anchor UNION [ALL] step`; null: the query has another form. */
export function stepOf({ body, commons, orderBy, offset, limit }: Query): StepOf | null {
	const plain = commons.length === 0 && orderBy.length === 0 && offset === null && limit === null;
	if (!plain || body.kind !== 'set') return null;
	const step = body.rest.at(-1);
	if (step?.operator !== 'union') return null;
	const before = body.rest.slice(0, -1);
	const anchor: SetOperation = { ...body, rest: before };
	return { anchor: before.length === 0 ? body.first : anchor, step };
}

type Places = { readonly anchor: Place; readonly step: (self: Result) => Place };

export function recursiveResult(a: Analysis, { anchor, step }: StepOf, places: Places): Result {
	const start = a.body(anchor, places.anchor);
	if (start.items.length > bounds.recursiveColumns) {
		throw tooLarge(step.at, `A recursive table may have at most ${bounds.recursiveColumns} columns.`);
	}
	// No table of a catalog has such an id.
	const self = `\0${a.recursions}`;
	a.recursions += 1;
	const own = start.items.map((item, index): Item => ({ ...item, lineage: baseColumn(self, String(index)) }));
	const next = a.body(step.body, places.step({ items: own, rows: nothing }));
	if (next.items.length !== start.items.length) {
		throw wrongWidth(step.at, start.items.length, next.items.length);
	}
	const solved = solve(self, start.items, next.items);
	replaceReads(a, self, solved);
	const items = next.items.map((item) => ({ ...item, lineage: replace(self, item.lineage, solved) }));
	const rows = replace(self, next.rows, solved);
	return combine({ items: start.items, rows: start.rows }, { items, rows }, step);
}

/** What the columns hold, from nothing but the anchor, until nothing more comes in. */
function solve(self: string, anchor: readonly Item[], step: readonly Item[]): readonly Lineage[] {
	const known = anchor.map(({ lineage }) => lineage);
	for (let changed = true; changed; ) {
		changed = false;
		for (const [index, { lineage }] of step.entries()) {
			const before = known[index] ?? nothing;
			const after = merge([before, replace(self, lineage, known)]);
			if (weight(after) === weight(before)) continue;
			known[index] = after;
			changed = true;
		}
	}
	return known;
}

/** Grows with every column that comes in, and with every kind that gets stronger. */
function weight({ direct, indirect }: Lineage): number {
	let sum = indirect.size;
	for (const { kind } of direct.values()) sum += 1 + strength[kind];
	return sum;
}

/** The same lineage, with what the table's own columns hold in their place. */
function replace(self: string, lineage: Lineage, known: readonly Lineage[]): Lineage {
	const parts: Lineage[] = [];
	const direct = new Map(lineage.direct);
	const indirect = new Map(lineage.indirect);
	for (const [id, { table, column, kind }] of lineage.direct) {
		if (table !== self) continue;
		direct.delete(id);
		parts.push(raise(known[Number(column)] ?? nothing, kind));
	}
	for (const [id, { table, column, use, by }] of lineage.indirect) {
		if (table !== self) continue;
		indirect.delete(id);
		const part = influence(known[Number(column)] ?? nothing, use);
		parts.push(by === 'rows' ? influences(part) : part);
	}
	return merge([{ direct, indirect }, ...parts]);
}

/** Uses of the table's own columns are uses of what they hold. */
function replaceReads(a: Analysis, self: string, known: readonly Lineage[]): void {
	for (const [index, lineage] of known.entries()) {
		const id = keyOf(self, String(index));
		const read = a.reads.get(id);
		a.reads.delete(id);
		for (const use of read?.uses ?? []) if (read !== undefined) recordUse(a, lineage, use, read.at);
	}
}
