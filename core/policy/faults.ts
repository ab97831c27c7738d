/** What is wrong with a set that is not loaded: an `Error` for who starts a process, part by part for who tries a change. */

/** What is wrong with a set; `rule` is null where it is no rule's fault. */
export type LoadFault = { readonly rule: string | null; readonly detail: string };

const refusals = new WeakMap<Error, readonly LoadFault[]>();

/** What `loadPolicies` found wrong with a set; null for any other error. */
export function faultsIn(error: unknown): readonly LoadFault[] | null {
	return error instanceof Error ? (refusals.get(error) ?? null) : null;
}

/** One error for all of them. */
export function refused(faults: readonly LoadFault[]): Error {
	const told = faults.map(({ rule, detail }) => (rule === null ? detail : `${rule}: ${detail}`));
	const error = new Error(`policies: ${told.join('; ')}`);
	refusals.set(error, faults);
	return error;
}
