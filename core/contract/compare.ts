/**
 * What changed between two versions of a contract, told as its consumers would meet it. A change is breaking when a
 * query that ran may no longer run, or may give something else, or when a reason to read is withdrawn. Pure.
 */
import * as z from 'zod';
import { classifications } from './schema.ts';
import { sameType } from './type.ts';
import { type Bump, bumpOf, bumps } from './version.ts';
import type { Column, ContractTable, ContractView } from './view.ts';

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
	'purpose-added',
	'purpose-removed',
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
		raised: z.boolean().meta({ description: 'Whether any column became more confidential, or personal' }),
		lowered: z.boolean().meta({ description: 'Whether any column became less confidential, or is no longer personal' }),
		changes: z.array(Change),
	})
	.meta({ id: 'ContractChanges' });
export type Changes = z.infer<typeof Changes>;

/** What a consumer of `before` meets in `after`, in the order of the tables and columns. */
export function compare(before: ContractView, after: ContractView): Changes {
	const changes = [
		...pairs(before.tables, after.tables).flatMap(([old, now]) => tableChanges(old, now)),
		...setChanges('purpose', before.purposes, after.purposes),
		...termChanges(before, after),
	];
	const bump: Bump = bumpOf(before.version, after.version);
	return {
		since: before.version,
		version: after.version,
		bump,
		breaking: changes.some((c) => c.breaking),
		raised: changes.some(isRaise),
		lowered: changes.some(isLowering),
		changes,
	};
}

function isRaise({ kind, from, to }: Change): boolean {
	if (kind === 'column-personal') return to === 'true';
	return kind === 'column-reclassified' && level(to) > level(from);
}

/** Fewer may have to agree before somebody reads the column. */
function isLowering({ kind, from, to }: Change): boolean {
	if (kind === 'column-personal') return to === 'false';
	return kind === 'column-reclassified' && level(to) < level(from);
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
	return [...moved, ...retyped, ...pairs(old.columns, now.columns).flatMap(([o, n]) => columnChanges(now.name, o, n))];
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
