/**
 * The Trino type of every expression, which DuckDB's text depends on. What Trino refuses for its types is refused here as
 * `validation`; DuckDB would often convert silently instead.
 */
import {
	type ColumnReference,
	children,
	type Expression,
	isLiteral,
	itemsOf,
	type Literal,
	type Query,
	type Resolved,
	type Source,
	type Target,
	targetOf,
	unreachable,
} from '#core/sql.ts';
import { castType } from './cast.ts';
import { functionType } from './functions.ts';
import { asDecimal, athenaOnly, columnType, common, isNumeric, mismatch, named, type Type } from './types.ts';

export type TypeOf = (e: Expression) => Type;

const boolean: Type = { kind: 'boolean' };

export function typing(resolved: Resolved): TypeOf {
	const known = new Map<Expression, Type>();
	const typeOf: TypeOf = (e) => {
		const found = known.get(e) ?? infer(resolved, e, typeOf);
		known.set(e, found);
		return found;
	};
	return typeOf;
}

function infer(resolved: Resolved, e: Expression, typeOf: TypeOf): Type {
	if (isLiteral(e)) return literalType(e);
	switch (e.kind) {
		case 'column':
			return columnOf(resolved, e, typeOf);
		case 'and':
		case 'or':
		case 'not':
			for (const operand of children(e)) demandBoolean(operand, typeOf);
			return boolean;
		case 'exists':
		case 'is-null':
			for (const operand of children(e)) typeOf(operand);
			return boolean;
		case 'in-query':
			demandComparable(e, typeOf(e.operand), onlyColumn(resolved, e.query, typeOf));
			return boolean;
		case 'scalar-query':
			return onlyColumn(resolved, e.query, typeOf);
		case 'compare':
		case 'distinct-from':
		case 'between':
		case 'in-list':
			meet(e, children(e).map(typeOf));
			return boolean;
		case 'like':
			for (const part of children(e)) demandText(part, typeOf);
			return boolean;
		case 'concat':
			for (const part of e.operands) demandText(part, typeOf);
			return { kind: 'varchar' };
		case 'negate':
			return demandNumber(e.operand, typeOf);
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
		case 'call':
			return functionType(e, e.arguments.map(typeOf));
	}
	return unreachable(e);
}

function columnOf(resolved: Resolved, e: ColumnReference, typeOf: TypeOf): Type {
	return targetType(e, targetOf(resolved, e), typeOf);
}

export function targetType(e: ColumnReference, target: Target, typeOf: TypeOf): Type {
	if (target.kind === 'output') return typeOf(target.expression);
	if (target.kind === 'merged')
		return meet(e, [targetType(e, target.left, typeOf), targetType(e, target.right, typeOf)]);
	const { origin } = target.field;
	return origin.kind === 'base' ? columnType(origin.type) : typeOf(origin.expression);
}

function onlyColumn(resolved: Resolved, query: Query, typeOf: TypeOf): Type {
	const [item] = itemsOf(resolved, query);
	return item === undefined ? { kind: 'null' } : typeOf(item.expression);
}

/** The type that all of them meet in; refuses where Trino has none, and where we know too little. */
export function meet(e: Expression, types: readonly Type[]): Type {
	const strange = types.find((type) => type.kind === 'other' || type.kind === 'interval');
	if (strange !== undefined) throw athenaOnly(e.at, `computing with values of type ${named(strange)}`);
	return types.reduce((a, b) => {
		const both = common(a, b);
		if (both === null) throw mismatch(e.at, `Values of type ${named(a)} and ${named(b)} do not go together.`);
		return both;
	});
}

/** The two sides of IN (SELECT ..) are compared as they are: types that DuckDB would meet elsewhere are refused. */
function demandComparable(e: Expression, a: Type, b: Type): void {
	const both = meet(e, [a, b]);
	const exact = asDecimal(a) !== null && asDecimal(b) !== null;
	if (!exact && ![a, b].every((type) => type.kind === both.kind || type.kind === 'null')) {
		throw athenaOnly(e.at, `${named(a)} IN a sub-query of ${named(b)}`);
	}
}

export function demandBoolean(e: Expression, typeOf: TypeOf): void {
	const type = typeOf(e);
	if (type.kind !== 'boolean' && type.kind !== 'null')
		throw mismatch(e.at, `A condition is a boolean, not a ${named(type)}.`);
}

function demandText(e: Expression, typeOf: TypeOf): void {
	const type = typeOf(e);
	if (type.kind === 'other') throw athenaOnly(e.at, `text of type ${type.name}`);
	if (type.kind !== 'varchar' && type.kind !== 'null') throw mismatch(e.at, `A ${named(type)} is no text; cast it.`);
}

function demandNumber(e: Expression, typeOf: TypeOf): Type {
	const type = typeOf(e);
	if (!isNumeric(type)) throw mismatch(e.at, `A ${named(type)} is no number.`);
	return type;
}

export function arithmeticType(e: Expression, operator: string, left: Type, right: Type): Type {
	const moment = [left, right].find((type) => type.kind === 'date' || type.kind === 'timestamp');
	const interval = [left, right].find((type) => type.kind === 'interval');
	if (moment !== undefined && interval?.kind === 'interval') {
		if (operator !== '+' && !(operator === '-' && left === moment))
			throw mismatch(e.at, 'Dates and intervals only add up.');
		if (moment.kind === 'date' && interval.span === 'time') throw mismatch(e.at, 'A date has no time of day.');
		return moment;
	}
	const both = meet(e, [left, right]);
	if (!isNumeric(both)) {
		const operands = `${named(left)} and ${named(right)}`;
		throw moment === undefined ? mismatch(e.at, `There is no ${operator} of ${operands}.`) : athenaOnly(e.at, operands);
	}
	return both.kind === 'decimal' ? decimalResult(e, operator, left, right) : both;
}

/** https://trino.io/docs/current/functions/decimal.html, the operators whose results DuckDB shares. */
function decimalResult(e: Expression, operator: string, left: Type, right: Type): Type {
	const [a, b] = [asDecimal(left), asDecimal(right)];
	if (a === null || b === null || operator === '/' || operator === '%') {
		throw athenaOnly(e.at, `${operator} of decimals`);
	}
	if (operator === '*') {
		const scale = a.scale + b.scale;
		if (scale > 38) throw mismatch(e.at, 'The product has more than 38 decimal places.');
		return { kind: 'decimal', precision: Math.min(38, a.precision + b.precision), scale };
	}
	const scale = Math.max(a.scale, b.scale);
	const whole = Math.max(a.precision - a.scale, b.precision - b.scale);
	return { kind: 'decimal', precision: Math.min(38, whole + scale + 1), scale };
}

function caseType(e: Extract<Expression, { kind: 'case' }>, typeOf: TypeOf): Type {
	for (const { when } of e.branches) {
		if (e.operand === null) demandBoolean(when, typeOf);
		else meet(when, [typeOf(e.operand), typeOf(when)]);
	}
	return meet(e, [
		...e.branches.map(({ value }) => typeOf(value)),
		...(e.otherwise === null ? [] : [typeOf(e.otherwise)]),
	]);
}

const spans = { year: 'months', month: 'months', day: 'days', hour: 'time', minute: 'time', second: 'time' } as const;

function literalType(e: Literal): Type {
	if (e.kind === 'string') return { kind: 'varchar' };
	if (e.kind === 'interval') return { kind: 'interval', span: spans[e.unit] };
	if (e.kind === 'integer') return { kind: BigInt.asIntN(32, e.value) === e.value ? 'integer' : 'bigint' };
	if (e.kind !== 'decimal') return { kind: e.kind };
	const [whole = '', fraction = ''] = e.text.replace('-', '').split('.');
	const precision = Math.max(1, whole.replace(/^0+/, '').length + fraction.length);
	return { kind: 'decimal', precision, scale: fraction.length };
}

/** Checks the places whose type no expression around them checks. */
export function checkClauses(resolved: Resolved, typeOf: TypeOf): void {
	for (const [query, items] of resolved.items) {
		for (const { expression } of items) {
			if (typeOf(expression).kind === 'interval') throw athenaOnly(expression.at, 'an interval as a result');
		}
		for (const condition of [query.where, query.having, ...query.from.flatMap(conditionsOf)]) {
			if (condition !== null) demandBoolean(condition, typeOf);
		}
		for (const key of [...query.groupBy, ...query.orderBy.map(({ expression }) => expression)]) {
			const type = typeOf(key);
			if (type.kind === 'other') throw athenaOnly(key.at, `grouping or sorting by ${type.name}`);
		}
	}
}

function conditionsOf(source: Source): readonly (Expression | null)[] {
	if (source.kind !== 'joins') return [];
	return [...conditionsOf(source.first), ...source.rest.flatMap((join) => [...conditionsOf(join.right), join.on])];
}
