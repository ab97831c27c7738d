/**
 * What a caller is shown because a rule marked `@recorded` permits it: noted here by the one function that asks the
 * engine, so that no operation can forget it. Noted of a caller as he was signed in, for one call; of a hypothetical
 * question, which is asked of somebody else or of a copy of him, nothing is noted.
 */
import type { TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';
import type { Caller, Context } from '../context.ts';

export type Noted = {
	readonly action: string;
	readonly resource: TypeAndId;
	/** The policies marked so among those that permitted it. */
	readonly policies: readonly string[];
	readonly setHash: string;
};

const watched = new WeakMap<Caller, Noted[]>();

/** From now on, what this caller is permitted by such rules is noted in the list. */
export function watch(caller: Caller): readonly Noted[] {
	const noted = watched.get(caller) ?? [];
	watched.set(caller, noted);
	return noted;
}

/** Whoever is not watched leaves nothing behind. */
export function note(
	{ caller, policies: set }: Pick<Context, 'policies' | 'caller'>,
	{ policies, ...what }: Pick<Noted, 'action' | 'resource' | 'policies'>,
): void {
	const noted = watched.get(caller);
	if (noted === undefined) return;
	const marked = policies.filter((id) => set.annotations[id]?.['recorded'] !== undefined);
	if (marked.length > 0) noted.push({ ...what, policies: marked, setHash: set.hash });
}
