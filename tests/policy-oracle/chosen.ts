/**
 * Requests that a given policy decides. At random, ten prohibitions on one action leave hardly a request allowed; so a
 * random request is brought nearer, slot by slot, by what other random requests have there.
 */
import type { Clause, Expr, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import fc from 'fast-check';
import { type Facts, factsOf, type Policy, policyOf } from '../policy/evaluator.ts';
import type { Environment, Flat } from './requests.ts';

export type Start = { readonly environment: Environment; readonly flat: Flat };

/** A policy, and the same with one part of its conditions alone, for each part. */
type Target = { readonly id: string; readonly whole: Policy; readonly parts: readonly Policy[] };

const DRAWN = 50;
const TRIED = 10;
const STARTS = 3;
const ROUNDS = 4;

/** For each policy, a few requests to each action that it may decide on. */
export function choose(
	jsons: Readonly<Record<string, PolicyJson>>,
	environments: readonly Environment[],
	seed: number,
): Map<string, Start[]> {
	const all = Object.entries(jsons).map(([id, json]) => ({ id, whole: policyOf(json), parts: partsOf(json) }));
	const chosen = new Map<string, Start[]>();
	for (const environment of environments) {
		const complete = fc.record({ ...environment.slots, absent: fc.constant(-1) });
		const draws: Flat[] = fc.sample(complete, { seed, numRuns: DRAWN });
		const facts = draws.map((flat) => factsOf(environment.assemble(flat)));
		const matching = all.filter(({ whole }) => facts.slice(0, STARTS).some(whole.matches));
		for (const target of matching) {
			const far = facts.map((f) => distance(matching, target, f));
			const nearest = [...draws.keys()].toSorted((a, b) => (far[a] ?? 0) - (far[b] ?? 0)).slice(0, TRIED);
			const starts: Flat[] = [];
			for (const at of nearest) {
				const { flat, left } = climb(matching, target, environment, draws[at] ?? {}, draws);
				// One that stays where something else decides, too, is better than none.
				if (left === 0 || starts.length === 0) starts.push(flat);
				if (starts.length === STARTS) break;
			}
			const found = starts.map((flat) => ({ environment, flat }));
			chosen.set(target.id, [...(chosen.get(target.id) ?? []), ...found]);
		}
	}
	return chosen;
}

function partsOf(json: PolicyJson): Policy[] {
	const parts = json.conditions.flatMap(({ kind, body }): Clause[] =>
		kind === 'when' ? conjuncts(body).map((part) => ({ kind, body: part })) : [{ kind, body }],
	);
	return parts.map((part) => policyOf({ ...json, conditions: [part] }));
}

function conjuncts(expr: Expr): Expr[] {
	const both = (expr as Record<string, { readonly left: Expr; readonly right: Expr }>)['&&'];
	return both === undefined ? [expr] : [...conjuncts(both.left), ...conjuncts(both.right)];
}

/** How far a request is from being decided by this policy: by it alone if it forbids, where something else permits. */
function distance(policies: readonly Target[], { id, whole, parts }: Target, facts: Facts): number {
	const holds = (policy: Policy) => policy.evaluate(facts) === 'satisfied';
	const missing = parts.filter((part) => !holds(part)).length + (holds(whole) ? 0 : 1);
	const others = policies.filter((p) => p.id !== id && holds(p.whole));
	const forbidding = others.filter((p) => p.whole.effect === 'forbid').length;
	const permitted = whole.effect === 'permit' || others.some((p) => p.whole.effect === 'permit');
	return missing * policies.length + forbidding + (permitted ? 0 : 1);
}

/** Takes over whatever brings it no further away; what makes no difference, too, lest it stay where it is. */
function climb(
	policies: readonly Target[],
	target: Target,
	environment: Environment,
	start: Flat,
	draws: readonly Flat[],
) {
	const far = (flat: Flat) => distance(policies, target, factsOf(environment.assemble(flat)));
	let [best, left] = [start, far(start)];
	for (const other of draws.slice(0, ROUNDS)) {
		for (const key of Object.keys(start)) {
			if (left === 0) return { flat: best, left };
			const next = { ...best, [key]: other[key] };
			const then = far(next);
			if (then <= left) [best, left] = [next, then];
		}
	}
	return { flat: best, left };
}
