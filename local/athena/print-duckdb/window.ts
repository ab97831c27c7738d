/**
 * What stands around the arguments of an aggregate or window call: its order, FILTER and OVER. Frames by
 * https://trino.io/docs/current/functions/window.html: an offset that is NULL or negative ends Trino's query and is
 * taken by DuckDB, so that offsets are constants here.
 */
import {
	type Call,
	type Expression,
	type Frame,
	type FrameBound,
	type NamedWindow,
	type Print,
	printFrame,
	quoted,
	type SortItem,
	type Window,
} from '#core/sql.ts';
import { type Suffix } from './functions.ts';
import { arithmeticType, demandPlain } from './meet.ts';
import { athenaOnly, isInteger, mismatch, named, sameType, type Type } from './types.ts';
import type { TypeOf } from './typing.ts';

export function suffixOf(e: Call, print: Print): Suffix {
	const filter = e.filter === null ? '' : ` FILTER (WHERE ${print.expression(e.filter)})`;
	const over = e.over === null ? '' : ` OVER ${overText(e.over, print)}`;
	return { orderBy: e.orderBy.length === 0 ? '' : ` ${orderText(e.orderBy, print)}`, after: filter + over };
}

function orderText(items: readonly SortItem[], print: Print): string {
	const keys = items.map(({ expression, descending, nulls }) => {
		const direction = descending ? 'DESC' : 'ASC';
		return `${print.expression(expression)} ${direction} NULLS ${nulls === 'first' ? 'FIRST' : 'LAST'}`;
	});
	return `ORDER BY ${keys.join(', ')}`;
}

function overText(window: Window | NamedWindow, print: Print): string {
	if (window.kind === 'named-window') return quoted(window.name);
	const { base, partitionBy, orderBy, frame } = window;
	const parts = [
		...(base === null ? [] : [quoted(base.text)]),
		...(partitionBy.length === 0 ? [] : [`PARTITION BY ${partitionBy.map(print.expression).join(', ')}`]),
		...(orderBy.length === 0 ? [] : [orderText(orderBy, print)]),
		...(frame === null ? [] : [printFrame(frame, print)]),
	];
	return `(${parts.join(' ')})`;
}

/** The places a bound can be at, from the first row of the partition to the last. */
const places: readonly FrameBound['kind'][] = [
	'unbounded-preceding',
	'preceding',
	'current-row',
	'following',
	'unbounded-following',
];

/** Demands what Trino does of a window, and that DuckDB gives the same rows. */
export function checkWindow(window: Window, typeOf: TypeOf): void {
	for (const key of window.partitionBy) demandPlain(key, typeOf(key), 'partitioning by');
	for (const { expression } of window.orderBy) demandPlain(expression, typeOf(expression), 'sorting by');
	const { frame } = window;
	if (frame === null) return;
	const [start, end] = [frame.start, frame.end ?? { kind: 'current-row' as const }];
	const [from, to] = [places.indexOf(start.kind), places.indexOf(end.kind)];
	if (from > to || start.kind === 'unbounded-following' || end.kind === 'unbounded-preceding')
		throw mismatch(window.at, 'A window frame ends where it starts or later.');
	for (const bound of [start, end]) if ('value' in bound) checkOffset(window, frame.unit, bound.value, typeOf);
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
