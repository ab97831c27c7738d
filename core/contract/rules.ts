/**
 * What must hold between the parts of a contract document. Read from the raw value with tolerance, so that these
 * faults are told together with those of the single parts.
 */
import { type ContractFault, faultAt, type Path, type Source } from './text.ts';

export function ruleFaults(source: Source): ContractFault[] {
	const document = source.value;
	const tables = list(document['schema']);
	return [
		...ownerFaults(source),
		...periodFaults(source),
		...distinct(source, tables, ['schema'], 'table'),
		...tables.flatMap((table, i) => tableFaults(source, table, ['schema', i, 'properties'])),
	];
}

/** The physical name of a schema object or property: what Glue calls it. */
export function physicalName(part: unknown): unknown {
	return at(part, ['physicalName']) ?? at(part, ['name']);
}

export function at(value: unknown, path: Path): unknown {
	return path.reduce<unknown>((v, key) => (v as Record<PropertyKey, unknown> | null | undefined)?.[key], value);
}

function list(value: unknown): readonly unknown[] {
	return Array.isArray(value) ? value : [];
}

function custom(part: unknown, property: string): unknown {
	const found = list(at(part, ['customProperties'])).find((p) => at(p, ['property']) === property);
	return at(found, ['value']);
}

function ownerFaults(source: Source): ContractFault[] {
	const { value } = source;
	if (at(value, ['team', 'name']) !== undefined || custom(value, 'owner') !== undefined) return [];
	return [faultAt(source, ['team'], 'the owner team is required: `team.name`, or `owner` in customProperties')];
}

function periodFaults(source: Source): ContractFault[] {
	const [from, to] = ['deprecatedFrom', 'retiresAt'].map((name) => custom(source.value, name));
	if (typeof from !== 'string' || typeof to !== 'string' || !(Date.parse(to) <= Date.parse(from))) return [];
	return [faultAt(source, ['customProperties'], 'retiresAt must come after deprecatedFrom')];
}

function tableFaults(source: Source, table: unknown, path: Path): ContractFault[] {
	const columns = list(at(table, ['properties']));
	const found = distinct(source, columns, path, 'column');
	if (columns.length > 0 && columns.every((c) => at(c, ['partitioned']) === true)) {
		found.push(faultAt(source, path, 'at least one column must not be a partition key'));
	}
	const names = columns.map(physicalName);
	for (const [i, column] of columns.entries()) {
		const raw = custom(column, 'tokenOf');
		if (raw !== undefined && (raw === names[i] || !names.includes(raw))) {
			found.push(faultAt(source, [...path, i, 'customProperties'], 'tokenOf must name another column of this table'));
		}
	}
	return found;
}

/** Each name as Glue writes it, and once. */
function distinct(source: Source, parts: readonly unknown[], path: Path, kind: string): ContractFault[] {
	const seen = new Set<unknown>();
	return parts.flatMap((part, i) => {
		const name = physicalName(part);
		const found: ContractFault[] = [];
		if (typeof name === 'string' && at(part, ['physicalName']) === undefined && !/^[a-z0-9_]{1,255}$/.test(name)) {
			const detail = 'must be lower-case letters, digits and _, as Glue has it; or give a physicalName';
			found.push(faultAt(source, [...path, i, 'name'], detail));
		}
		if (typeof name === 'string' && seen.has(name)) {
			found.push(faultAt(source, [...path, i], `another ${kind} has this name`));
		}
		seen.add(name);
		return found;
	});
}
