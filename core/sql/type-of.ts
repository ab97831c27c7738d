/**
 * The shape of a value, as far as it follows from columns, casts and constructors: how many columns UNNEST makes of it and
 * which fields it has. null: not known, which is never wrong.
 */
import type { Analysis } from './analysis.ts';
import type { Call, Expression, Lambda, TypeName } from './ast.ts';
import { isConditional } from './functions.ts';
import { arrayOf, fieldType, inside, rowOf, scalar, shapeOf, unknown } from './types.ts';
import { isLiteral } from './walk.ts';

type Types = Pick<Analysis, 'types'>;

export function typeOf(a: Types, e: Expression): TypeName | null {
	if (isLiteral(e)) return e.kind === 'null' ? null : scalar;
	const of = (part: Expression) => typeOf(a, part);
	if (e.kind === 'column' || e.kind === 'scalar-query') return shapeOf(a.types.get(e) ?? null);
	if (e.kind === 'cast') return e.type;
	if (e.kind === 'array') return arrayOf(firstKnown(a, e.items));
	if (e.kind === 'row') return rowOf(e.items.map((item) => ({ name: null, type: of(item) ?? unknown })));
	if (e.kind === 'subscript') return partOf(of(e.operand), e.index);
	if (e.kind === 'field') return fieldType(of(e.operand), e.name.text) ?? null;
	if (e.kind === 'concat') return concatType(a, e.operands);
	if (e.kind === 'call') return callType(a, e);
	if (e.kind !== 'case') return null;
	return firstKnown(a, [...e.branches.map(({ value }) => value), ...(e.otherwise === null ? [] : [e.otherwise])]);
}

/** Of an array its element, of a map its value. */
function elementOf(type: TypeName | null): TypeName | null {
	return inside(type, type?.name === 'map' ? 1 : 0);
}

/** Of a row the field that is named by its number. */
function partOf(type: TypeName | null, index: Expression): TypeName | null {
	if (type?.name !== 'row') return elementOf(type);
	return index.kind === 'integer' ? inside(type, Number(index.value) - 1) : null;
}

/** An array with elements put before or after it is an array; which of several is the element is not told here. */
function concatType(a: Types, list: readonly Expression[]): TypeName | null {
	const types = list.map((e) => typeOf(a, e));
	const [array = null, ...others] = types.filter((type) => type?.name === 'array');
	if (array === null) return types.includes(null) ? null : scalar;
	return others.every((other) => JSON.stringify(other) === JSON.stringify(array)) ? array : null;
}

/** With a number of values wanted, these give an array of them. */
const severalFrom: Readonly<Record<string, number>> = { max: 2, min: 2, max_by: 3, min_by: 3 };

function firstKnown(a: Types, list: readonly Expression[]): TypeName | null {
	return list.map((e) => typeOf(a, e)).find((type) => type !== null) ?? null;
}

/** Those whose value is one of the first argument's type. */
const likeFirst: ReadonlySet<string> = new Set(
	(
		'array_distinct array_except array_intersect array_remove array_sort array_union filter map_concat map_filter ' +
		'nullif reverse slice try arbitrary any_value max min max_by min_by first_value last_value nth_value lag lead'
	).split(' '),
);

function mapOf(key: TypeName | null, value: TypeName | null): TypeName | null {
	if (key === null || value === null) return null;
	return { name: 'map', parameters: [], of: [key, value].map((type) => ({ name: null, type })) };
}

function callType(a: Types, e: Call): TypeName | null {
	const [first, second, third] = e.arguments;
	if (first === undefined) return null;
	if (e.arguments.length === severalFrom[e.name]) return arrayOf(typeOf(a, first));
	if (likeFirst.has(e.name)) return typeOf(a, first);
	if (isConditional(e.name)) return firstKnown(a, e.arguments.slice(1));
	const body = (lambda: Expression | undefined) => (lambda?.kind === 'lambda' ? typeOf(a, lambda.body) : null);
	const type = typeOf(a, first);
	switch (e.name) {
		case 'concat':
			return concatType(a, e.arguments);
		case 'coalesce':
			return firstKnown(a, e.arguments);
		case 'element_at':
			return elementOf(type);
		case 'array_agg':
			return arrayOf(type);
		case 'split':
		case 'sequence':
		case 'regexp_extract_all':
		case 'regexp_split':
			return arrayOf(scalar);
		case 'repeat':
			return arrayOf(type);
		case 'flatten':
			return inside(type, 0);
		case 'map_keys':
			return arrayOf(inside(type, 0));
		case 'map_values':
			return arrayOf(inside(type, 1));
		case 'map_agg':
			return mapOf(type ?? unknown, (second === undefined ? null : typeOf(a, second)) ?? unknown);
		case 'map':
			return mapOf(inside(type, 0) ?? unknown, inside(second === undefined ? null : typeOf(a, second), 0) ?? unknown);
		case 'transform':
			return arrayOf(body(second));
		case 'zip_with':
			return arrayOf(body(third));
		case 'zip':
			return arrayOf(rowOf(e.arguments.map((part) => ({ name: null, type: inside(typeOf(a, part), 0) ?? unknown }))));
		case 'map_entries':
			return type === null ? null : arrayOf(rowOf(type.of));
		case 'histogram':
			return mapOf(type ?? unknown, scalar);
		default:
			return null;
	}
}

/** What the parameters of a lambda stand for. */
export function parameterTypes(a: Types, call: Call, lambda: Lambda): readonly (TypeName | null)[] {
	const [first, second] = call.arguments.map((argument) => (argument.kind === 'lambda' ? null : typeOf(a, argument)));
	const key = inside(first ?? null, 0);
	switch (call.name) {
		case 'transform':
		case 'filter':
		case 'any_match':
		case 'all_match':
		case 'none_match':
			return [key];
		case 'zip_with':
			return [key, inside(second ?? null, 0)];
		case 'reduce':
			return lambda.parameters.length === 2 ? [null, key] : [null];
		case 'map_filter':
		case 'transform_keys':
		case 'transform_values':
			return [key, inside(first ?? null, 1)];
		default:
			return [];
	}
}
