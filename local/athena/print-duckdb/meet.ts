/** How values of different types meet in one place, and what a place demands of a type. */
import type { Expression, Position } from '#core/sql.ts';
import { divided } from './decimal.ts';
import { isInexact } from './double.ts';
import {
	asDecimal,
	athenaOnly,
	common,
	fieldName,
	isInteger,
	isNumeric,
	isPlain,
	mismatch,
	named,
	sameType,
	type Type,
} from './types.ts';

type Placed = { readonly at: Position };

/** The type that all of them meet in; refuses where Trino has none, and where we know too little. */
export function meet(e: Placed, types: readonly Type[]): Type {
	const strange = types.find(isStrange);
	if (strange !== undefined) throw athenaOnly(e.at, `computing with values of type ${named(strange)}`);
	const all = types.reduce((a, b) => {
		const both = common(a, b);
		if (both === null) throw mismatch(e.at, `Values of type ${named(a)} and ${named(b)} do not go together.`);
		return both;
	});
	const inexact = types.find((type) => isInexact(type, all));
	if (inexact !== undefined) throw athenaOnly(e.at, `${named(inexact)} as ${named(all)}`);
	if (!types.every((type) => keepsNames(type, all))) throw athenaOnly(e.at, 'rows whose fields have other names');
	return all;
}

/** As `meet`, of values that are compared: the engines agree on plain ones only. */
export function meetCompared(e: Placed, types: readonly Type[]): Type {
	const all = meet(e, types);
	demandPlain(e, all, 'comparing');
	return all;
}

/** Lists of types, column by column. */
export function meetColumns(e: Placed, lists: readonly (readonly Type[])[]): readonly Type[] {
	const [first = []] = lists;
	if (lists.some((types) => types.length !== first.length))
		throw mismatch(e.at, 'The parts have different numbers of columns.');
	return first.map((_, index) =>
		meet(
			e,
			lists.flatMap((types) => types.slice(index, index + 1)),
		),
	);
}

function isStrange(type: Type): boolean {
	return type.kind === 'other' || type.kind === 'interval';
}

/** DuckDB converts rows by the names of their fields, Trino by their places. */
function keepsNames(from: Type, to: Type): boolean {
	if (from.kind === 'array' && to.kind === 'array') return keepsNames(from.element, to.element);
	if (from.kind === 'map' && to.kind === 'map') return keepsNames(from.key, to.key) && keepsNames(from.value, to.value);
	if (from.kind !== 'row' || to.kind !== 'row') return true;
	return from.fields.every((field, index) => {
		const other = to.fields[index];
		return (
			other !== undefined && fieldName(field, index) === fieldName(other, index) && keepsNames(field.type, other.type)
		);
	});
}

/** Whether different values can become equal by the conversion. */
export function isLossy(from: Type, to: Type): boolean {
	if (from.kind === 'null' || sameType(from, to)) return false;
	if (to.kind === 'double') return from.kind === 'bigint' || from.kind === 'decimal';
	if (to.kind === 'real') return from.kind !== 'tinyint' && from.kind !== 'smallint';
	return !isPlain(to);
}

/** Whether DuckDB brings the two to one type as Trino does, where no text of ours can. */
export function meetAlike(a: Type, b: Type): boolean {
	return sameType(a, b) || (isInteger(a) && isInteger(b)) || a.kind === 'null' || b.kind === 'null';
}

export function demandPlain(e: Placed, type: Type, what: string): void {
	if (!isPlain(type)) throw athenaOnly(e.at, `${what} values of type ${named(type)}`);
}

export function demandBoolean(e: Expression, type: Type): void {
	if (type.kind !== 'boolean' && type.kind !== 'null')
		throw mismatch(e.at, `A condition is a boolean, not a ${named(type)}.`);
}

export function demandText(e: Expression, type: Type): void {
	// Arrays and binaries are joined by || too.
	if (['other', 'array', 'varbinary'].includes(type.kind)) throw athenaOnly(e.at, `text of type ${named(type)}`);
	if (type.kind !== 'varchar' && type.kind !== 'null') throw mismatch(e.at, `A ${named(type)} is no text; cast it.`);
}

export function demandNumber(e: Expression, type: Type): Type {
	if (!isNumeric(type)) throw mismatch(e.at, `A ${named(type)} is no number.`);
	return type;
}

export function arithmeticType(e: Expression, operator: string, left: Type, right: Type): Type {
	const moment = [left, right].find(isMoment);
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

function isMoment({ kind }: Type): boolean {
	return kind === 'date' || kind === 'timestamp' || kind === 'timestamp-zone';
}

/** https://trino.io/docs/current/functions/decimal.html */
function decimalResult(e: Expression, operator: string, left: Type, right: Type): Type {
	const [a, b] = [asDecimal(left), asDecimal(right)];
	if (a === null || b === null) throw athenaOnly(e.at, `${operator} of decimals`);
	if (operator === '/' || operator === '%') return divided(operator, a, b);
	if (operator === '*') {
		const scale = a.scale + b.scale;
		if (scale > 38) throw mismatch(e.at, 'The product has more than 38 decimal places.');
		return { kind: 'decimal', precision: Math.min(38, a.precision + b.precision), scale };
	}
	const scale = Math.max(a.scale, b.scale);
	const whole = Math.max(a.precision - a.scale, b.precision - b.scale);
	return { kind: 'decimal', precision: Math.min(38, whole + scale + 1), scale };
}
