/**
 * What must hold between the parts of a contract document. Read from the raw value with tolerance, so that these
 * faults are told together with those of the single parts.
 */
import { filterable } from '../rowfilter.ts';
import { type Need, needs } from './needs.ts';
import { type ContractFault, faultAt, type Path, type Source } from './text.ts';
import { athenaType } from './type.ts';

export function ruleFaults(source: Source): ContractFault[] {
	const tables = list(source.value['schema']);
	return [
		...periodFaults(source),
		...distinct(source, tables, ['schema'], 'distinct-table'),
		...tables.flatMap((table, i) => [
			...tableFaults(source, table, ['schema', i, 'properties']),
			...rowScopeFaults(source, table, ['schema', i]),
		]),
	];
}

/** The physical name of a schema object or property: what Glue calls it. */
export function physicalName(part: unknown): unknown {
	return at(part, ['physicalName']) ?? at(part, ['name']);
}

export function at(value: unknown, path: Path): unknown {
	return path.reduce<unknown>((v, key) => (v as Record<PropertyKey, unknown> | null | undefined)?.[key], value);
}

export function list(value: unknown): readonly unknown[] {
	return Array.isArray(value) ? value : [];
}

/** Where the value of a custom property stands, below the part that has it; undefined when it is not there. */
export function customPath(part: unknown, property: string): Path | undefined {
	const index = list(at(part, ['customProperties'])).findIndex((p) => at(p, ['property']) === property);
	return index === -1 ? undefined : ['customProperties', index, 'value'];
}

export function custom(part: unknown, property: string): unknown {
	const path = customPath(part, property);
	return path === undefined ? undefined : at(part, path);
}

/** A fault for want of what the need says. */
export function needed(source: Pick<Source, 'lineOf'>, path: Path, need: Need): ContractFault {
	return faultAt(source, path, { rule: need, detail: needs[need] });
}

function periodFaults(source: Source): ContractFault[] {
	const { value } = source;
	const [from, to] = ['deprecatedFrom', 'retiresAt'].map((name) => custom(value, name));
	if (typeof from !== 'string' || typeof to !== 'string' || !(Date.parse(to) <= Date.parse(from))) return [];
	return [needed(source, customPath(value, 'retiresAt') ?? [], 'retires-after-deprecation')];
}

function tableFaults(source: Source, table: unknown, path: Path): ContractFault[] {
	const columns = list(at(table, ['properties']));
	const found = distinct(source, columns, path, 'distinct-column');
	if (columns.length > 0 && columns.every((c) => at(c, ['partitioned']) === true)) {
		found.push(needed(source, path, 'unpartitioned-column'));
	}
	const names = columns.map(physicalName);
	for (const [i, column] of columns.entries()) {
		const raw = custom(column, 'tokenOf');
		if (raw !== undefined && (raw === names[i] || !names.includes(raw))) {
			found.push(needed(source, [...path, i, ...(customPath(column, 'tokenOf') ?? [])], 'token-of'));
		}
	}
	return found;
}

/** A row scope that could not be enforced is refused here: left out of a grant, it would open what it should close. */
function rowScopeFaults(source: Source, table: unknown, path: Path): ContractFault[] {
	const place = customPath(table, 'rowScope');
	if (place === undefined) return [];
	if (isView(table)) return [needed(source, [...path, ...place], 'row-scope-view')];
	const columns = list(at(table, ['properties']));
	const seen = new Set<unknown>();
	return list(custom(table, 'rowScope')).flatMap((part, i) => {
		const name = at(part, ['column']);
		const type = at(
			columns.find((c) => physicalName(c) === name),
			['physicalType'],
		);
		const again = seen.has(name);
		seen.add(name);
		const here = [...path, ...place, i, 'column'];
		if (typeof name !== 'string') return [];
		if (again || !columns.some((c) => physicalName(c) === name)) return [needed(source, here, 'row-scope-column')];
		const known = typeof type === 'string' ? athenaType(type) : null;
		return known === null || filterable(known, name) ? [] : [needed(source, here, 'row-scope-type')];
	});
}

/** Whether a schema object is a view; everything else is a table. */
export function isView(table: unknown): boolean {
	const type = at(table, ['physicalType']);
	return typeof type === 'string' && type.trim().toLowerCase() === 'view';
}

/** Each name as Glue writes it, and once. */
function distinct(source: Source, parts: readonly unknown[], path: Path, twice: Need): ContractFault[] {
	const seen = new Set<unknown>();
	return parts.flatMap((part, i) => {
		const name = physicalName(part);
		const found: ContractFault[] = [];
		if (typeof name === 'string' && at(part, ['physicalName']) === undefined && !/^[a-z0-9_]{1,255}$/.test(name)) {
			found.push(needed(source, [...path, i, 'name'], 'glue-name-or-physical-name'));
		}
		if (typeof name === 'string' && seen.has(name)) found.push(needed(source, [...path, i], twice));
		seen.add(name);
		return found;
	});
}
