/**
 * What stands around the arguments of an aggregate or window call: its order, FILTER and OVER. Frames by
 * https://trino.io/docs/current/functions/window.html: an offset that is NULL or negative ends Trino's query and is
 * taken by DuckDB, so that offsets are constants here.
 */
import {
	type Call,
	type Expression,
	type Frame,
	type Print,
	printSort,
	printWindow,
	quoted,
	type Window,
} from '#core/sql.ts';
import { type Suffix } from './functions.ts';
import { arithmeticType, demandPlain } from './meet.ts';
import { athenaOnly, isInteger, mismatch, named, sameType, type Type } from './types.ts';
import type { TypeOf } from './typing.ts';

export function suffixOf(e: Call, print: Print): Suffix {
	const filter = e.filter === null ? '' : ` FILTER (WHERE ${print.expression(e.filter)})`;
	const over =
		e.over === null ? '' : ` OVER ${e.over.kind === 'window' ? printWindow(e.over, print) : quoted(e.over.name)}`;
	const keys = e.orderBy.map((item) => printSort(item, print.expression(item.expression)));
	return { orderBy: keys.length === 0 ? '' : ` ORDER BY ${keys.join(', ')}`, after: filter + over };
}

/** Demands what Trino does of a window, and that DuckDB gives the same rows. */
export function checkWindow(window: Window, typeOf: TypeOf): void {
	for (const key of window.partitionBy) demandPlain(key, typeOf(key), 'partitioning by');
	for (const { expression } of window.orderBy) demandPlain(expression, typeOf(expression), 'sorting by');
	const { frame } = window;
	if (frame === null) return;
	for (const bound of [frame.start, frame.end])
		if (bound !== null && 'value' in bound) checkOffset(window, frame.unit, bound.value, typeOf);
}

function checkOffset(window: Window, unit: Frame['unit'], offset: Expression, typeOf: TypeOf): void {
	const [key, ...more] = window.orderBy;
	if (unit !== 'rows' && key === undefined) {
		if (window.base !== null) throw athenaOnly(offset.at, `${unit.toUpperCase()} in the order of a named window`);
		throw mismatch(offset.at, `${unit.toUpperCase()} with an offset wants ORDER BY.`);
	}
	const type = typeOf(offset);
	const constant = offset.kind === 'integer' || (offset.kind === 'interval' && unit === 'range');
	if (!constant) throw athenaOnly(offset.at, 'a window frame whose offset is computed');
	if (offset.kind === 'integer' && offset.value < 0n) throw mismatch(offset.at, 'An offset is not negative.');
	if (unit !== 'range' || key === undefined) {
		if (offset.kind !== 'integer') throw mismatch(offset.at, 'An offset of rows is an integer.');
		return;
	}
	if (more.length > 0) throw mismatch(offset.at, 'RANGE with an offset wants one sort key.');
	checkRange(offset, typeOf(key.expression), type);
}

function checkRange(offset: Expression, key: Type, type: Type): void {
	if (isInteger(key) && isInteger(type)) return;
	if (key.kind !== 'date' && key.kind !== 'timestamp')
		throw athenaOnly(offset.at, `RANGE with an offset over ${named(key)}`);
	if (!sameType(arithmeticType(offset, '-', key, type), key))
		throw mismatch(offset.at, `There is no ${named(type)} before a ${named(key)}.`);
	if (offset.kind === 'interval' && (offset.negative || /[^0-9.: ]/.test(offset.value)))
		throw mismatch(offset.at, 'An offset is not negative.');
}
