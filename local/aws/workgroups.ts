/** Athena's work groups as the lake's state holds them: one account's are changed as one list. */
import type { WorkGroup } from '../athena.ts';
import type { Landing, State } from './state.ts';

export function workGroupsOf(state: State, account: string): readonly WorkGroup[] {
	return state.landing.workGroups.filter((group) => group.account === account);
}

export function withWorkGroups(
	state: State,
	account: string,
	change: (groups: readonly WorkGroup[]) => readonly WorkGroup[],
): State {
	const others = state.landing.workGroups.filter((group) => group.account !== account);
	const own = change(workGroupsOf(state, account)).map(asKept);
	return { ...state, landing: { ...state.landing, workGroups: [...others, ...own] } };
}

/** Settings as the store's file has them. */
function asKept(group: WorkGroup): Landing['workGroups'][number] {
	const configuration = JSON.parse(JSON.stringify(group.configuration)) as Record<string, never>;
	return { ...group, configuration };
}
