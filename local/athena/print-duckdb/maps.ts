/** Map functions: https://trino.io/docs/current/functions/map.html. A key that is NULL or comes twice ends the query. */
import { elementOf } from './arrays.ts';
import { applied, isTruth } from './lambdas.ts';
import { boolean, type Named, type Rule } from './rule.ts';
import { fieldName, isPlain, type RowField, sameType, type Type } from './types.ts';

const ofEntry: NonNullable<Rule['lambda']> = ([map]) => (map?.kind === 'map' ? [map.key, map.value] : null);

const entry: readonly string[] = ['fl_m.key', 'fl_m.value'];

const mapFilter: Rule = {
	lambda: ofEntry,
	type: ([map, truth]) => (map !== undefined && isTruth(truth) ? map : null),
	text: ([map, lambda = '']) =>
		`map_from_entries(list_filter(map_entries(${map}), lambda fl_m: ${applied(lambda, entry)}))`,
};

/** Each entry anew: a key that is NULL or comes twice ends the query, as in Trino. */
function rewritten(key: (lambda: string) => string, value: (lambda: string) => string): Rule['text'] {
	return ([map, lambda = '']) =>
		`map_from_entries(list_transform(map_entries(${map}), ` +
		`lambda fl_m: struct_pack(k := ${key(lambda)}, v := ${value(lambda)})))`;
}

const transformValues: Rule = {
	lambda: ofEntry,
	type: ([map, value]) =>
		map?.kind === 'map' && value !== undefined && value.kind !== 'interval' ? { ...map, value } : null,
	text: rewritten(
		() => 'fl_m.key',
		(lambda) => applied(lambda, entry),
	),
};

const transformKeys: Rule = {
	lambda: ofEntry,
	type: ([map, key]) => (map?.kind === 'map' && key !== undefined && isPlain(key) ? { ...map, key } : null),
	text: rewritten(
		(lambda) => applied(lambda, entry),
		() => 'fl_m.value',
	),
};

function pairType(map: Type | undefined): Type | null {
	if (map?.kind !== 'map') return null;
	const fields: readonly RowField[] = [map.key, map.value].map((type) => ({ name: null, type }));
	return { kind: 'array', element: { kind: 'row', fields } };
}

const mapEntries: Rule = {
	type: ([map]) => pairType(map),
	text: ([map], [type]) => {
		const names = [0, 1].map((index) => fieldName({ name: null, type: type ?? boolean }, index));
		const row = `struct_pack("${names[0]}" := fl_m.key, "${names[1]}" := fl_m.value)`;
		return `list_transform(map_entries(${map}), lambda fl_m: ${row})`;
	},
};

const mapFromEntries: Rule = {
	type: ([array]) => {
		const row = elementOf(array);
		const [key, value, more] = row?.kind === 'row' ? row.fields : [];
		if (key === undefined || value === undefined || more !== undefined || !isPlain(key.type)) return null;
		return { kind: 'map', key: key.type, value: value.type };
	},
	text: ([array]) => `map_from_entries(${array})`,
};

const map: Rule = {
	type: ([keys, values]) => {
		const [key, value] = [elementOf(keys), elementOf(values)];
		return key === null || value === null || !isPlain(key) ? null : { kind: 'map', key, value };
	},
	text: ([keys, values]) => `map(${keys}, ${values})`,
};

const mapConcat: Rule = {
	type: ([first, ...rest]) => (first?.kind === 'map' && rest.every((type) => sameType(first, type)) ? first : null),
	text: (texts) => {
		const known = texts.map((one) => `${one} IS NOT NULL`).join(' AND ');
		return `(CASE WHEN ${known} THEN map_concat(${texts.join(', ')}) END)`;
	},
};

function partOfMap(part: 'key' | 'value'): Rule {
	return {
		type: ([type]) => (type?.kind === 'map' ? { kind: 'array', element: type[part] } : null),
		text: ([value], _types, e) => `${e.name}(${value})`,
	};
}

export const mapFunctions: Named = [
	['map', map],
	['map_keys', partOfMap('key')],
	['map_values', partOfMap('value')],
	['map_entries', mapEntries],
	['map_from_entries', mapFromEntries],
	['map_concat', mapConcat],
	['map_filter', mapFilter],
	['transform_keys', transformKeys],
	['transform_values', transformValues],
];
