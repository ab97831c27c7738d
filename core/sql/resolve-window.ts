/**
 * Windows: what partitions and orders them decides on the values computed over them. A window that goes on from another
 * follows Trino's rules (https://trino.io/docs/current/sql/select.html#window-clause).
 */
import type { Expression, NamedWindow, Select, Window } from './ast.ts';
import type { Context, NamedWindowInfo } from './context.ts';
import { influence, type Lineage, merge } from './lineage.ts';
import { invalid, ticked } from './refuse.ts';
import { windowParts } from './walk.ts';

type Resolve = (e: Expression, context: Context) => Lineage;

export function resolveWindow(window: Window | NamedWindow, context: Context, resolve: Resolve): Lineage {
	if (window.kind === 'window') return influence(ownWindow(window, context, resolve).lineage, 'window');
	return influence(named(window.name, window, context).lineage, 'window');
}

/** The windows of a WINDOW clause, in order: each sees those before it. */
export function resolveWindows(
	select: Select,
	context: Context,
	resolve: Resolve,
): ReadonlyMap<string, NamedWindowInfo> {
	const windows = new Map<string, NamedWindowInfo>();
	for (const { name, window } of select.windows) {
		if (windows.has(name.text)) throw invalid(name.at, `There are two windows ${ticked(name.text)}.`);
		windows.set(name.text, ownWindow(window, { ...context, windows }, resolve));
	}
	return windows;
}

function ownWindow(window: Window, context: Context, resolve: Resolve): NamedWindowInfo {
	const base = window.base === null ? null : named(window.base.text, window.base, context);
	if (base !== null) {
		if (window.partitionBy.length > 0)
			throw invalid(window.at, 'A window that goes on from another has its partitions.');
		if (base.ordered && window.orderBy.length > 0) throw invalid(window.at, 'The window it goes on from has an order.');
		if (base.framed) throw invalid(window.at, 'A window cannot go on from one with a frame.');
	}
	demandFrame(window);
	const parts = windowParts(window).map((part) => resolve(part, { ...context, use: 'window' }));
	return {
		lineage: merge([...(base === null ? [] : [base.lineage]), ...parts]),
		ordered: base?.ordered === true || window.orderBy.length > 0,
		framed: window.frame !== null,
	};
}

const order = ['unbounded-preceding', 'preceding', 'current-row', 'following', 'unbounded-following'] as const;

function demandFrame({ frame, at }: Window): void {
	if (frame === null) return;
	const start = order.indexOf(frame.start.kind);
	const end = order.indexOf(frame.end?.kind ?? 'current-row');
	if (frame.start.kind === 'unbounded-following' || frame.end?.kind === 'unbounded-preceding' || end < start) {
		const { end: last } = frame;
		const place = last !== null && 'value' in last ? last.value.at : at;
		throw invalid(place, 'The frame of this window ends before it starts.');
	}
}

function named(name: string, { at }: Pick<Window, 'at'>, { windows }: Context): NamedWindowInfo {
	const found = windows.get(name);
	if (found === undefined) throw invalid(at, `There is no window ${ticked(name)} in the WINDOW clause before this.`);
	return found;
}
