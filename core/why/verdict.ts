/** An answer of the rules as a value: what would have been a permit or a refusal. Pure. */
import type { PolicySet } from '../context.ts';
import { BrokerError, type Code, codes } from '../error.ts';
import { type Action, type Permit, unevaluatedIn } from '../policy.ts';
import { rulesOf } from './rules.ts';

export type Advice = { readonly rule: string; readonly pointer: string | null; readonly detail: string };

export type Verdict = {
	readonly allowed: boolean;
	/** The code of the refusal. */
	readonly code: Code | null;
	/** Ids of the rules that decided; none where no rule permits it. */
	readonly rules: readonly string[];
	/** Roles that must approve, with repetition. */
	readonly route: readonly string[];
	/** Rules by which it would be approved at once; null where none does. */
	readonly auto: readonly string[] | null;
	readonly advice: readonly Advice[];
};

export type Permits = { readonly permit: Permit<Action>; readonly auto: Permit<'autoApprove'> | null };

/**
 * What the rules of `set` answer. A rule that cannot be evaluated refuses, as it does in earnest; what the rules could
 * not be asked at all is thrown on.
 */
export function verdictOf(set: PolicySet, ask: () => Permits): Verdict {
	try {
		const { permit, auto } = ask();
		return {
			allowed: true,
			code: null,
			rules: permit.rules.policies,
			route: permit.requires,
			auto: auto?.rules.policies ?? null,
			advice: [],
		};
	} catch (error) {
		if (!(error instanceof BrokerError)) throw error;
		const failed = unevaluatedIn(error);
		if (failed.length > 0) return refusal(error.code, failed, failed.map(unreadable));
		const { policies, errors } = error.extensions;
		if (!Array.isArray(policies)) throw error;
		const rules = policies.map(String).toSorted();
		return refusal(error.code, rules, adviceOf(set, rules, errors ?? []));
	}
}

function refusal(code: Code, rules: readonly string[], advice: readonly Advice[]): Verdict {
	return { allowed: false, code, rules, route: [], auto: null, advice };
}

const unreadable = (rule: string): Advice => {
	return { rule, pointer: null, detail: 'This rule could not be evaluated, so the answer is no.' };
};

/** What each rule that refuses asks for: as the refusal says it of a place, or else as the rule says it. */
function adviceOf(set: PolicySet, rules: readonly string[], errors: readonly object[]): Advice[] {
	const told = errors.flatMap((e) => ('rule' in e && 'detail' in e && 'pointer' in e ? [e] : []));
	const placed = told.map((e) => ({
		rule: String(e.rule),
		pointer: `/ask${String(e.pointer)}`,
		detail: String(e.detail),
	}));
	const others = rules.filter((id) => !placed.some((a) => a.rule === id));
	return [...placed, ...others.map((id) => ({ rule: id, pointer: null, detail: wordsOf(set, id) }))];
}

function wordsOf(set: PolicySet, id: string): string {
	const { advice, problem } = set.annotations[id] ?? {};
	const named = problem !== undefined && problem in codes ? codes[problem as Code].advice : undefined;
	return advice ?? named ?? rulesOf(set).get(id)?.title ?? id;
}
