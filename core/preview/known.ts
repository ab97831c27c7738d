/**
 * What a contract knows of the values of its columns, beyond what Fairlead needs of it: the valid values of a quality
 * rule that lets none fail, a pattern that is a list, bounds of a number, and whether each row has a value. Anything that
 * is written otherwise says nothing.
 */
import type { Product } from '../catalog.ts';
import type { TableRef } from '../ledger.ts';
import { type ColumnFacts, type Constant, equal } from '../rowfilter.ts';

/** Facts of each column of the table that the contract names. */
export function knownOf({ contract }: Product, { database, table }: TableRef): ColumnFacts[] {
	const found = contract.tables.find((t) => t.database === database && t.name === table);
	const described = list(contract.document['schema']).find((t) => nameOf(t) === table);
	const properties = list(member(described, 'properties'));
	return (found?.columns ?? []).map(({ name, type, required }) => {
		const property = properties.find((p) => nameOf(p) === name);
		return { name, type, required, ...domainOf(property, type) };
	});
}

function domainOf(property: unknown, type: string): Pick<ColumnFacts, 'values' | 'limits'> {
	const options = member(property, 'logicalTypeOptions');
	return {
		values: validValues(property, type) ?? listed(member(options, 'pattern'), type),
		limits: BOUNDS.flatMap(({ name, ...bound }) => {
			const value = numberOf(member(options, name), type);
			return value === null ? [] : [{ ...bound, value }];
		}),
	};
}

/** ODCS v3.1, logical type options of numbers. */
const BOUNDS = [
	{ name: 'minimum', side: 'low', strict: false },
	{ name: 'exclusiveMinimum', side: 'low', strict: true },
	{ name: 'maximum', side: 'high', strict: false },
	{ name: 'exclusiveMaximum', side: 'high', strict: true },
] as const;

function numberOf(value: unknown, type: string): string | null {
	if (typeof value !== 'number') return null;
	const constant = constantOf(value, type);
	return constant?.type === 'number' ? constant.value : null;
}

/** ODCS v3.1, data quality library: no value may be another than these. */
function validValues(property: unknown, type: string): Constant[] | null {
	for (const rule of list(member(property, 'quality'))) {
		if (member(rule, 'metric') !== 'invalidValues' || member(rule, 'mustBe') !== 0) continue;
		const values = constants(list(member(member(rule, 'arguments'), 'validValues')), type);
		if (values !== null) return values;
	}
	return null;
}

/** `^(A|B)$`, `^(?:A|B)$` and `^[AB]$`, of letters, digits, blanks, `-` and `_`. */
function listed(pattern: unknown, type: string): Constant[] | null {
	if (typeof pattern !== 'string') return null;
	const words = /^\^\((?:\?:)?([\w -]+(?:\|[\w -]+)*)\)\$$/.exec(pattern)?.[1]?.split('|');
	return constants(words ?? Array.from(/^\^\[(\w+)\]\$$/.exec(pattern)?.[1] ?? ''), type);
}

function constants(values: readonly unknown[], type: string): Constant[] | null {
	const read = values.map((value) => constantOf(value, type));
	return read.length > 0 && read.every((value) => value !== null) ? read : null;
}

/** As a row filter would compare a column of this type with it. */
function constantOf(value: unknown, type: string): Constant | null {
	if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return null;
	const filter = equal({ name: 'value', type, partition: false }, String(value));
	return filter?.op === 'compare' ? filter.value : null;
}

const nameOf = (part: unknown) => member(part, 'physicalName') ?? member(part, 'name');
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function member(value: unknown, name: string): unknown {
	const is = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
	return is ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
