/**
 * Array functions without lambdas: https://trino.io/docs/current/functions/array.html. Both engines count from 1. Elements
 * are compared only where both compare them alike. Names that begin with fl_ are ours: printed names are quoted ones.
 */
import { comparableElements } from './double.ts';
import { arrays, bigint, integers, type Named, type Rule, takes, text, varchar, wholeNumber } from './rule.ts';
import { coerced, common, fieldName, isInteger, isPlain, sameType, type Type, typeText } from './types.ts';

export function elementOf(type: Type | undefined): Type | null {
	return type?.kind === 'array' ? type.element : null;
}

/** The element type if both engines compare its values alike. */
export function plainElement(type: Type | undefined): Type | null {
	const element = elementOf(type);
	return element !== null && isPlain(element) ? element : null;
}

export function hasNull(array: string): string {
	return `list_count(${array}) <> len(${array})`;
}

/** Results that keep the array's own type. */
function kept(text: (array: string) => string, element: (type: Type | undefined) => Type | null): Rule {
	return {
		type: ([type]) => (type !== undefined && element(type) !== null ? type : null),
		text: ([array = '']) => text(array),
	};
}

/** The first of those that are alike, NULLs too. */
export function distinct(array: string): string {
	return `list_filter(${array}, lambda fl_e, fl_i: list_position(${array}, fl_e) = fl_i)`;
}

/** NULL as soon as one element is; DuckDB's own would pass it by. */
function extreme(name: string): Rule {
	return {
		type: ([type]) => plainElement(type),
		text: ([array = ''], [type]) => {
			const compared = comparableElements(array, elementOf(type) ?? varchar);
			return `(CASE WHEN NOT (${hasNull(array)}) THEN ${name}(${compared}) END)`;
		},
	};
}

/** Elements as the text a CAST to varchar gives; those that are NULL are left out unless a text stands for them. */
const join: Rule = {
	type: ([array, ...rest]) => {
		const element = elementOf(array);
		const written = element !== null && (isInteger(element) || ['varchar', 'boolean', 'date'].includes(element.kind));
		return written && takes(rest, text) ? varchar : null;
	},
	text: ([array, separator, missing]) => {
		const texts = `list_transform(${array}, lambda fl_e: CAST(fl_e AS VARCHAR))`;
		const all = missing === undefined ? texts : `list_transform(${texts}, lambda fl_e: coalesce(fl_e, ${missing}))`;
		const known = missing === undefined ? '' : ` AND ${missing} IS NOT NULL`;
		return `(CASE WHEN ${array} IS NOT NULL AND ${separator} IS NOT NULL${known} THEN array_to_string(${all}, ${separator}) END)`;
	},
};

const flatten: Rule = {
	type: ([type]) => {
		const inner = elementOf(type);
		return inner?.kind === 'array' ? inner : null;
	},
	text: ([array]) => `flatten(${array})`,
};

/** From the start, or from the end if negative; behind either end there is nothing. */
const slice: Rule = {
	type: (types) => (elementOf(types[0]) !== null && takes(types.slice(1), integers) ? (types[0] ?? null) : null),
	text: ([array, start, length], [type = varchar]) => {
		const none = `CAST([] AS ${typeText(type)})`;
		const from = `(CASE WHEN ${start} < 0 THEN len(${array}) + ${start} + 1 ELSE ${start} END)`;
		return (
			`(CASE WHEN ${array} IS NULL OR ${start} IS NULL OR ${length} IS NULL THEN NULL ` +
			`WHEN ${start} = 0 OR ${length} < 0 THEN error('slice starts at 1 and has no negative length') ` +
			`WHEN ${from} < 1 OR ${length} = 0 THEN ${none} ELSE list_slice(${array}, ${from}, ${from} + ${length} - 1) END)`
		);
	},
};

const trim: Rule = {
	type: (types) => (elementOf(types[0]) !== null && takes(types.slice(1), integers) ? (types[0] ?? null) : null),
	text: ([array, count]) =>
		`(CASE WHEN ${count} < 0 OR ${count} > len(${array}) THEN error('trim_array takes away what is not there') ` +
		`WHEN ${count} IS NOT NULL THEN list_slice(${array}, 1, len(${array}) - ${count}) END)`,
};

const repeat: Rule = {
	type: ([element], e) => {
		const count = wholeNumber(e.arguments[1]) ?? -1n;
		const bounded = count >= 0n && count <= 10_000n;
		return bounded && element !== undefined && element.kind !== 'interval' ? { kind: 'array', element } : null;
	},
	text: ([value], _types, e) => `list_transform(range(${wholeNumber(e.arguments[1])}), lambda fl_e: ${value})`,
};

/** Arrays side by side, the shorter ones filled up with NULLs; rows have no field names. */
const zip: Rule = {
	type: (types) => {
		const fields = types.map((type) => ({ name: null, type: elementOf(type) ?? type }));
		return takes(types, arrays) && types.every(({ kind }) => kind !== 'null')
			? { kind: 'array', element: { kind: 'row', fields } }
			: null;
	},
	text: (texts, types) => {
		const fields = types.map((type, index) => `"${fieldName({ name: null, type }, index)}" := fl_e[${index + 1}]`);
		const known = texts.map((array) => `${array} IS NOT NULL`).join(' AND ');
		const rows = `list_transform(list_zip(${texts.join(', ')}), lambda fl_e: struct_pack(${fields.join(', ')}))`;
		return `(CASE WHEN ${known} THEN ${rows} END)`;
	},
};

/** Of an array or a map. A place below 1 counts from the end, place 0 ends the query, one behind the end is NULL. */
const elementAt: Rule = {
	type: ([of, at]) => {
		if (of?.kind === 'array') return at !== undefined && isInteger(at) ? of.element : null;
		if (of?.kind !== 'map' || at === undefined || !isPlain(of.key)) return null;
		const met = common(of.key, at);
		return met !== null && sameType(met, of.key) ? of.value : null;
	},
	text: ([of, at = ''], [type, key = varchar], e) => {
		if (type?.kind === 'map') return `(${of}[${coerced(at, key, type.key)}])`;
		const place = wholeNumber(e.arguments[1]);
		if (place !== null && place !== 0n) return `(${of}[${place}])`;
		return `(CASE WHEN ${at} = 0 THEN error('places in an array start at 1') ELSE ${of}[${at}] END)`;
	},
};

const cardinality: Rule = {
	type: ([type]) => (type?.kind === 'array' || type?.kind === 'map' ? bigint : null),
	text: ([value], [type]) => `CAST(${type?.kind === 'map' ? 'cardinality' : 'len'}(${value}) AS BIGINT)`,
};

export const arrayFunctions: Named = [
	['cardinality', cardinality],
	['element_at', elementAt],
	['array_distinct', kept(distinct, plainElement)],
	['array_sort', kept((array) => `list_sort(${array}, 'ASC', 'NULLS LAST')`, plainElement)],
	['array_max', extreme('list_max')],
	['array_min', extreme('list_min')],
	['array_join', join],
	['flatten', flatten],
	['slice', slice],
	['trim_array', trim],
	['repeat', repeat],
	['zip', zip],
];
