/**
 * The Trino type of every expression and of every column of a query, which DuckDB's text depends on. What Trino refuses
 * for its types is refused here as `validation`; DuckDB would often convert silently instead.
 */
import {
	type Call,
	children,
	type Expression,
	isLiteral,
	type Lambda,
	type Literal,
	type Query,
	type QueryBody,
	type Resolved,
	targetOf,
	unreachable,
} from '#core/sql.ts';
import { castType } from './cast.ts';
import { functionType, lambdaTypes } from './functions.ts';
import { arithmeticType, demandBoolean, demandNumber, demandText, meet, meetCompared } from './meet.ts';
import { bodyTypes, fieldOf, targetType } from './relation.ts';
import { athenaOnly, isInteger, mismatch, named, sameType, type Type } from './types.ts';

export type TypeOf = (e: Expression) => Type;

export type Typing = {
	readonly of: TypeOf;
	/** Of the columns of a query or a part of one. */
	readonly columns: (body: QueryBody) => readonly Type[];
	/** Of the parameters of a lambda whose call has its type. */
	readonly parameters: (lambda: Lambda) => readonly Type[];
};

const boolean: Type = { kind: 'boolean' };

export function typing(resolved: Resolved): Typing {
	const known = new Map<Expression, Type>();
	const bodies = new Map<QueryBody, readonly Type[]>();
	const lambdas = new Map<Lambda, readonly Type[]>();
	const types: Typing = {
		of: (e) => {
			const found = known.get(e) ?? infer(resolved, e, types, lambdas);
			known.set(e, found);
			return found;
		},
		columns: (body) => {
			const found = bodies.get(body) ?? bodyTypes(resolved, body, types);
			bodies.set(body, found);
			return found;
		},
		parameters: (lambda) => lambdas.get(lambda) ?? [],
	};
	return types;
}

function infer(resolved: Resolved, e: Expression, types: Typing, lambdas: Map<Lambda, readonly Type[]>): Type {
	if (isLiteral(e)) return literalType(e);
	const typeOf = types.of;
	switch (e.kind) {
		case 'column':
			return targetType(e, targetOf(resolved, e), types);
		case 'and':
		case 'or':
		case 'not':
			for (const operand of children(e)) demandBoolean(operand, typeOf(operand));
			return boolean;
		case 'exists':
		case 'is-null':
			for (const operand of children(e)) typeOf(operand);
			return boolean;
		case 'in-query':
		case 'quantified':
			meetCompared(e, [typeOf(e.operand), onlyColumn(e, types)]);
			return boolean;
		case 'scalar-query':
			return onlyColumn(e, types);
		case 'compare':
		case 'distinct-from':
		case 'between':
		case 'in-list':
			meetCompared(e, children(e).map(typeOf));
			return boolean;
		case 'like':
			for (const part of children(e)) demandText(part, typeOf(part));
			return boolean;
		case 'concat':
			for (const part of e.operands) demandText(part, typeOf(part));
			return { kind: 'varchar' };
		case 'negate':
			return demandNumber(e.operand, typeOf(e.operand));
		case 'arithmetic':
			return e.rest.reduce<Type>(
				(left, { operator, operand }) => arithmeticType(operand, operator, left, typeOf(operand)),
				typeOf(e.first),
			);
		case 'case':
			return caseType(e, typeOf);
		case 'cast':
			return castType(e, typeOf(e.operand));
		case 'extract':
			typeOf(e.operand);
			return { kind: 'bigint' };
		case 'row':
			return { kind: 'row', fields: e.items.map((item) => ({ name: null, type: meet(item, [typeOf(item)]) })) };
		case 'array':
			return { kind: 'array', element: meet(e, [{ kind: 'null' }, ...e.items.map(typeOf)]) };
		case 'subscript':
			return subscriptType(e, typeOf);
		case 'field':
			return fieldOf(e.name.at, typeOf(e.operand), e.name.text);
		case 'lambda':
			return typeOf(e.body);
		case 'at-zone':
			return zonedType(e, typeOf);
		case 'grouping':
			// Up to 31 bits are an integer.
			return { kind: e.columns.length > 31 ? 'bigint' : 'integer' };
		case 'json-path':
			throw athenaOnly(e.at, e.name);
		case 'call':
			return callType(e, typeOf, lambdas);
	}
	return unreachable(e);
}

/** A lambda is typed after the arguments before it, which its parameters come from. */
function callType(e: Call, typeOf: TypeOf, lambdas: Map<Lambda, readonly Type[]>): Type {
	const known: Type[] = [];
	for (const [place, argument] of e.arguments.entries()) {
		if (argument.kind === 'lambda') lambdas.set(argument, lambdaTypes(e, known, place));
		known.push(typeOf(argument));
	}
	if (e.filter !== null) demandBoolean(e.filter, typeOf(e.filter));
	return functionType(e, known);
}

type Queried = Extract<Expression, { readonly query: Query }>;

function onlyColumn(e: Queried, types: Typing): Type {
	const [type, ...more] = types.columns(e.query);
	if (type === undefined || more.length > 0) throw athenaOnly(e.at, 'a sub-query of several columns as one value');
	return type;
}

function subscriptType(e: Extract<Expression, { kind: 'subscript' }>, typeOf: TypeOf): Type {
	const [operand, index] = [typeOf(e.operand), typeOf(e.index)];
	if (operand.kind === 'map') {
		const both = meetCompared(e, [operand.key, index]);
		if (both.kind !== operand.key.kind) throw mismatch(e.at, `The keys are ${named(operand.key)}.`);
		if (!sameType(both, operand.key)) throw athenaOnly(e.index.at, 'a key of more digits than the map has');
		return operand.value;
	}
	if (operand.kind === 'array') {
		if (!isInteger(index)) throw mismatch(e.index.at, `An index is an integer, not a ${named(index)}.`);
		return operand.element;
	}
	if (operand.kind !== 'row') throw mismatch(e.at, `A ${named(operand)} has no elements.`);
	const field = e.index.kind === 'integer' ? operand.fields[Number(e.index.value) - 1] : undefined;
	if (field === undefined) throw mismatch(e.index.at, 'A row is subscripted by the place of a field.');
	return field.type;
}

/** Points in time are shown in UTC here, so that is the one zone to convert to. */
function zonedType(e: Extract<Expression, { kind: 'at-zone' }>, typeOf: TypeOf): Type {
	const type = typeOf(e.operand);
	if (type.kind !== 'timestamp' && type.kind !== 'timestamp-zone')
		throw athenaOnly(e.at, `AT TIME ZONE of ${named(type)}`);
	if (e.zone.kind !== 'string' || e.zone.value !== 'UTC') throw athenaOnly(e.at, 'a time zone other than UTC');
	return { kind: 'timestamp-zone' };
}

function caseType(e: Extract<Expression, { kind: 'case' }>, typeOf: TypeOf): Type {
	for (const { when } of e.branches) {
		if (e.operand === null) demandBoolean(when, typeOf(when));
		else meetCompared(when, [typeOf(e.operand), typeOf(when)]);
	}
	return meet(e, [
		...e.branches.map(({ value }) => typeOf(value)),
		...(e.otherwise === null ? [] : [typeOf(e.otherwise)]),
	]);
}

const spans = { year: 'months', month: 'months', day: 'days', hour: 'time', minute: 'time', second: 'time' } as const;

function literalType(e: Literal): Type {
	switch (e.kind) {
		case 'string':
			return { kind: 'varchar' };
		case 'binary':
			return { kind: 'varbinary' };
		case 'integer':
			return { kind: BigInt.asIntN(32, e.value) === e.value ? 'integer' : 'bigint' };
		case 'interval':
			if (e.to !== null) throw athenaOnly(e.at, 'an interval from one unit to another');
			return { kind: 'interval', span: spans[e.unit] };
		case 'decimal': {
			const [whole = '', fraction = ''] = e.text.replace('-', '').split('.');
			const precision = Math.max(1, whole.replace(/^0+/, '').length + fraction.length);
			return { kind: 'decimal', precision, scale: fraction.length };
		}
		case 'boolean':
		case 'null':
		case 'double':
		case 'date':
		case 'time':
		case 'timestamp':
		case 'timestamp-zone':
			return { kind: e.kind };
	}
}
