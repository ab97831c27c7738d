/**
 * What changed between two versions of a contract, told as its consumers would meet it. A change is breaking when a
 * query that ran may no longer run, or may give something else, or when a reason to read is withdrawn. Pure.
 *
 * A row scope that is added breaks no query, and needs no major version: it is told as what raises the bar, as a raised
 * classification is. Grants that such a change leaves without ground are held back (core/access/affected.ts).
 */
import * as z from 'zod';
import { classifications } from './schema.ts';
import type { AccessTemplate } from './templates.ts';
import { sameType } from './type.ts';
import { type Bump, bumpOf, bumps } from './version.ts';
import type { Column, ContractTable, ContractView, RowScope } from './view.ts';

const kinds = [
	'table-added',
	'table-removed',
	'table-moved',
	'table-retyped',
	'column-added',
	'column-removed',
	'column-retyped',
	'column-reclassified',
	'column-personal',
	'column-partitioned',
	'column-required',
	'column-token',
	'row-scope-added',
	'row-scope-removed',
	'purpose-added',
	'purpose-removed',
	'template-added',
	'template-removed',
	'template-changed',
	'residency-changed',
	'owner-changed',
	'status-changed',
	'deprecation-changed',
	'retirement-changed',
] as const;

const Side = z.string().nullable();

export const Change = z
	.object({
		kind: z.enum(kinds),
		table: z.string().optional(),
		column: z.string().optional(),
		from: Side.meta({ description: 'What it was; null where there was nothing' }),
		to: Side.meta({ description: 'What it is; null where there is nothing' }),
		breaking: z.boolean(),
	})
	.meta({ id: 'ContractChange' });
export type Change = z.infer<typeof Change>;

export const Changes = z
	.object({
		since: z.string().meta({ description: 'The version compared with' }),
		version: z.string(),
		bump: z.enum(bumps).meta({ description: 'The highest part of the version number that is higher' }),
		breaking: z.boolean().meta({ description: 'Whether any change is breaking' }),
		raised: z.boolean().meta({
			description: 'Whether any column became more confidential, or personal, or other domains may see fewer rows',
		}),
		lowered: z.boolean().meta({
			description:
				'Whether any column became less confidential, or is no longer personal, or other domains may see more rows, or more domains may ask',
		}),
		changes: z.array(Change),
	})
	.meta({ id: 'ContractChanges' });
export type Changes = z.infer<typeof Changes>;

/** What a consumer of `before` meets in `after`, in the order of the tables and columns. */
export function compare(before: ContractView, after: ContractView): Changes {
	const changes = [
		...pairs(before.tables, after.tables).flatMap(([old, now]) => tableChanges(old, now)),
		...setChanges('purpose', before.purposes, after.purposes),
		...templateChanges(before.accessTemplates, after.accessTemplates),
		...residencyChanges(before.residency, after.residency),
		...termChanges(before, after),
	];
	const bump: Bump = bumpOf(before.version, after.version);
	return {
		since: before.version,
		version: after.version,
		bump,
		breaking: changes.some((c) => c.breaking),
		raised: changes.some(isRaise),
		lowered: changes.some(isLowering) || isWider(after.residency, before.residency),
		changes,
	};
}

function isRaise({ kind, from, to }: Change): boolean {
	if (kind === 'column-personal') return to === 'true';
	if (kind === 'row-scope-added') return true;
	return kind === 'column-reclassified' && level(to) > level(from);
}

/** Fewer may have to agree before somebody reads the column. */
function isLowering({ kind, from, to }: Change): boolean {
	if (kind === 'column-personal') return to === 'false';
	if (kind === 'row-scope-removed') return true;
	return kind === 'column-reclassified' && level(to) < level(from);
}

/** Whether some jurisdiction may ask that might not before; no list names all of them. */
export function isWider(now: readonly string[], was: readonly string[]): boolean {
	return was.length > 0 && (now.length === 0 || now.some((place) => !was.includes(place)));
}

/** Parts of the row scope that were there and are not: rows that were closed to other domains. */
export function droppedScopes(was: Pick<ContractTable, 'rowScope'>, now: Pick<ContractTable, 'rowScope'>): RowScope[] {
	return was.rowScope.filter(
		(one) => !now.rowScope.some((r) => r.column === one.column && r.attribute === one.attribute),
	);
}

/** Whether fewer may have to agree before somebody reads `now` than before somebody read `was`. */
export function isLower(now: Classified, was: Classified): boolean {
	return level(now.classification) < level(was.classification) || (was.personal && !now.personal);
}

type Classified = { readonly classification: string; readonly personal: boolean };

const level = (name: string | null) => classifications.findIndex((c) => c === name);

/** Parts of one name on both sides: first those that were, in their order, then what is new. */
function pairs<T extends { readonly name: string }>(
	before: readonly T[],
	after: readonly T[],
): (readonly [T | null, T | null])[] {
	const found = (list: readonly T[], name: string) => list.find((part) => part.name === name) ?? null;
	const added = after.filter((part) => found(before, part.name) === null);
	return [
		...before.map((part) => [part, found(after, part.name)] as const),
		...added.map((part) => [null, part] as const),
	];
}

const typeOf = ({ view }: ContractTable) => (view ? 'view' : 'table');

function tableChanges(old: ContractTable | null, now: ContractTable | null): Change[] {
	const address = ({ account, database, name }: ContractTable) => `${account}.${database}.${name}`;
	if (now === null) return old === null ? [] : [change('table-removed', { table: old.name }, old.name, null, true)];
	if (old === null) return [change('table-added', { table: now.name }, null, now.name, false)];
	const moved = changed('table-moved', { table: now.name }, address(old), address(now), true);
	const retyped = changed('table-retyped', { table: now.name }, typeOf(old), typeOf(now), true);
	const scoped = rowScopeChanges(old, now);
	return [
		...moved,
		...retyped,
		...scoped,
		...pairs(old.columns, now.columns).flatMap(([o, n]) => columnChanges(now.name, o, n)),
	];
}

function rowScopeChanges(old: ContractTable, now: ContractTable): Change[] {
	const table = now.name;
	return [
		...droppedScopes(old, now).map((r) =>
			change('row-scope-removed', { table, column: r.column }, r.attribute, null, false),
		),
		...droppedScopes(now, old).map((r) =>
			change('row-scope-added', { table, column: r.column }, null, r.attribute, false),
		),
	];
}

/** Templates give no access, so whatever becomes of one breaks nothing. */
function templateChanges(before: readonly AccessTemplate[], after: readonly AccessTemplate[]): Change[] {
	const named = (list: readonly AccessTemplate[]) => list.map((t) => ({ ...t, name: t.id }));
	return pairs(named(before), named(after)).flatMap(([old, now]) => {
		if (old === null) return now === null ? [] : [change('template-added', {}, null, now.id, false)];
		if (now === null) return [change('template-removed', {}, old.id, null, false)];
		return changed('template-changed', {}, templateInWords(old), templateInWords(now), false);
	});
}

function templateInWords({ id, tables, purpose, duration }: AccessTemplate): string {
	const cells = tables.map(({ table, columns, rowFilter }) => {
		const rows = rowFilter === undefined ? '' : ` where ${rowFilter}`;
		return `${table} (${columns.join(', ')})${rows}`;
	});
	return [`${id}: ${cells.join('; ')}`, purpose, duration].filter((part) => part !== undefined).join(', ');
}

/** Breaking where a domain that might ask may no longer. */
function residencyChanges(before: readonly string[], after: readonly string[]): Change[] {
	const name = (list: readonly string[]) => (list.length === 0 ? null : list.toSorted().join(', '));
	return changed('residency-changed', {}, name(before), name(after), isWider(before, after));
}

function columnChanges(table: string, old: Column | null, now: Column | null): Change[] {
	if (now === null) {
		return old === null ? [] : [change('column-removed', { table, column: old.name }, old.name, null, true)];
	}
	const at = { table, column: now.name };
	// Lake Formation cannot hide a partition key, so a new one stands in the way of every grant without it.
	if (old === null) return [change('column-added', at, null, now.name, now.partition)];
	return [
		...(sameType(old.type, now.type) ? [] : changed('column-retyped', at, old.type, now.type, true)),
		...changed('column-reclassified', at, old.classification, now.classification, false),
		...changed('column-personal', at, String(old.personal), String(now.personal), false),
		...changed('column-partitioned', at, String(old.partition), String(now.partition), now.partition),
		// Where values were promised, readers meet nulls that they had no reason to expect.
		...changed('column-required', at, String(old.required), String(now.required), old.required),
		...changed('column-token', at, old.tokenOf ?? null, now.tokenOf ?? null, old.tokenOf !== undefined),
	];
}

function setChanges(what: 'purpose', before: readonly string[], after: readonly string[]): Change[] {
	const removed = before.filter((id) => !after.includes(id));
	const added = after.filter((id) => !before.includes(id));
	return [
		...removed.map((id) => change(`${what}-removed`, {}, id, null, true)),
		...added.map((id) => change(`${what}-added`, {}, null, id, false)),
	];
}

function termChanges(before: ContractView, after: ContractView): Change[] {
	return [
		...changed('owner-changed', {}, before.owner, after.owner, false),
		...changed('status-changed', {}, before.status, after.status, false),
		...changed('deprecation-changed', {}, before.deprecatedFrom ?? null, after.deprecatedFrom ?? null, false),
		...changed('retirement-changed', {}, before.retiresAt ?? null, after.retiresAt ?? null, false),
	];
}

type At = { readonly table?: string; readonly column?: string };

function change(kind: Change['kind'], at: At, from: string | null, to: string | null, breaking: boolean): Change {
	return { kind, ...at, from, to, breaking };
}

function changed(kind: Change['kind'], at: At, from: string | null, to: string | null, breaking: boolean): Change[] {
	return from === to ? [] : [change(kind, at, from, to, breaking)];
}
