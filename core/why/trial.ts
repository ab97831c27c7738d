/**
 * A set of rules that is only tried: the rules in force with a change that is not merged. It is checked as a set is that
 * is to run. The set in force stays as it is; of sets on trial the engine keeps the last one and no other.
 */
import type { PolicySet } from '../context.ts';
import { BrokerError, type Fault } from '../error.ts';
import { faultsIn, loadPolicies } from '../policy.ts';
import { mustBeSmall, pointerOf } from './guard.ts';

export type Changes = Readonly<Record<string, string | null>>;

/**
 * The changed set. Throws `too-large`, or `validation` with the fault of each rule: one that cannot be read, does not fit
 * the schema, or is taken away and was never there.
 */
export function tried(base: PolicySet, changes: Changes): PolicySet {
	const ids = Object.keys(changes);
	if (ids.length === 0) throw refused([{ pointer: '/policies', detail: 'names no rule' }]);
	mustBeSmall(changes);
	const gone = ids.filter((id) => changes[id] === null && !Object.hasOwn(base.texts, id));
	const missing = gone.map((id) => ({ pointer: pointerOf(id), detail: 'there is no such rule to take away' }));
	const set = load(base, changes);
	const faults = Array.isArray(set) ? [...missing, ...set] : missing;
	if (Array.isArray(set) || faults.length > 0) throw refused(faults);
	return set;
}

/** The set, or what is wrong with it: at the rule where that is one of the change. */
function load(base: PolicySet, changes: Changes): PolicySet | Fault[] {
	try {
		return loadPolicies(base.schema, merged(base.texts, changes), { trial: true });
	} catch (error) {
		const faults = faultsIn(error);
		if (faults === null) throw error;
		return faults.map(({ rule, detail }) => {
			if (rule !== null && Object.hasOwn(changes, rule)) return { pointer: pointerOf(rule), detail };
			return { pointer: '/policies', detail: rule === null ? detail : `${rule}: ${detail}` };
		});
	}
}

function merged(texts: PolicySet['texts'], changes: Changes): Record<string, string> {
	const all = Object.entries({ ...texts, ...changes });
	return Object.fromEntries(all.flatMap(([id, text]) => (text === null ? [] : [[id, text]])));
}

const refused = (errors: readonly Fault[]) =>
	new BrokerError('validation', 'The rules cannot be read like this; see `errors`.', { errors });
