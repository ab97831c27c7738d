/** Views: their query in its own scope, once for each use, and refusals inside it at the place where the view is named. */
import { BrokerError } from '../error.ts';
import type { Analysis } from './analysis.ts';
import type { Position, Query } from './ast.ts';
import { bounds } from './bounds.ts';
import { refusal, ticked, tooLarge } from './refuse.ts';
import type { View } from './resolved.ts';

/** Nodes are told apart by identity, so each use of a view needs nodes of its own. */
export function viewQuery(a: Analysis, view: View, at: Position): Query {
	if (a.views !== null && a.views.depth >= bounds.viewDepth) {
		throw tooLarge(at, `Views may be at most ${bounds.viewDepth} deep inside each other.`);
	}
	return structuredClone(view.view);
}

export function inView<T>(a: Analysis, at: Position, name: string, resolve: () => T): T {
	const outer = a.views;
	a.views = { depth: (outer?.depth ?? 0) + 1, at: outer?.at ?? at };
	try {
		return resolve();
	} catch (error) {
		// Line and column inside the view would mean nothing in the caller's text.
		if (!(error instanceof BrokerError) || error.code === 'internal' || outer !== null) throw error;
		throw refusal(error.code, at, `In the view ${ticked(name)}: ${error.message}`, error.extensions);
	} finally {
		a.views = outer;
	}
}
