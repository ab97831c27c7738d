/**
 * Cedar decides, we gather and obey.
 *
 * Fail closed: Cedar skips a policy that errors, so a `forbid` could silently not apply (Cedar documentation,
 * "How Cedar authorization works"). Here any diagnostic error, and any failure to evaluate, is a refusal.
 * A mutation takes a {@link Permit}, which only {@link authorize} can make: a forgotten check does not compile.
 *
 * The rules of a domain add: they forbid, they require more, they approve by themselves what its owner alone would have
 * to. Nothing is allowed but what a rule that binds every domain permits.
 */

import { type AuthorizationAnswer, type CedarValueJson, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import type { Context, PolicySet } from './context.ts';
import { BrokerError, type Code, codes } from './error.ts';
import { engine, hasTrapped } from './policy/engine.ts';
import { distinct, mesh, principalOf, type Resource } from './policy/entities.ts';
import { isGlobal, nameOf, permitsOf, present } from './policy/load.ts';
import { note } from './policy/noted.ts';

export type { Resource } from './policy/entities.ts';
export * as Entity from './policy/entities.ts';
export { faultsIn } from './policy/faults.ts';
export { MAX_DEPTH, MAX_TOKENS, overIn } from './policy/guard.ts';
export { isGlobal, loadPolicies, type Rule, rulesIn } from './policy/load.ts';
export { type Noted, watch } from './policy/noted.ts';

export type Action =
	| 'viewMe'
	| 'registerDomain'
	| 'viewDomains'
	| 'viewPurposes'
	| 'viewProducts'
	| 'readLedger'
	| 'verifyLedger'
	| 'viewLog'
	| 'proveEntry'
	| 'eraseEntry'
	| 'viewErasures'
	| 'publishContract'
	| 'viewProduct'
	| 'requestAccess'
	| 'autoApprove'
	| 'breakGlass'
	| 'viewBreakGlass'
	| 'reviewBreakGlass'
	| 'viewRequest'
	| 'cancelRequest'
	| 'editRequest'
	| 'previewRequest'
	| 'countRequest'
	| 'decide'
	| 'delegate'
	| 'viewDelegation'
	| 'endDelegation'
	| 'viewGrant'
	| 'revokeGrant'
	| 'suspendGrant'
	| 'resumeGrant'
	| 'narrowGrant'
	| 'renewGrant'
	| 'leaveGrant'
	| 'previewGrant'
	| 'runQuery'
	| 'viewQuery'
	| 'reconcile'
	| 'viewUnapproved'
	| 'viewCompleteness'
	| 'checkCompleteness'
	| 'examine'
	| 'requestReport'
	| 'viewReport'
	| 'viewPolicies'
	| 'explainPolicy';

type Ctx = Pick<Context, 'policies' | 'caller'>;

class PermitValue<A extends Action> {
	/** A private member makes the type nominal: no literal can stand in for it. */
	readonly #action: A;
	/** The policies that determined the answer, sorted, and the set they belong to: as the ledger records them. */
	readonly rules: { readonly policies: string[]; readonly setHash: string };
	/** Union of their `@requires`: the approval route, where one is needed. A role that stands twice needs two people. */
	readonly requires: readonly string[];

	constructor(action: A, rules: PermitValue<A>['rules'], requires: readonly string[]) {
		this.#action = action;
		this.rules = rules;
		this.requires = requires;
	}

	get action(): A {
		return this.#action;
	}
}

/** Proof that this action was authorised, for this call. */
export type Permit<A extends Action> = PermitValue<A>;

type Decision = { readonly allowed: boolean; readonly policies: readonly string[] };

/**
 * Throws unless the policies permit it. The refusal is `not-permitted`, or what the forbidding policy's `@problem`
 * names; it lists the policies that decided. For what the caller may not even see, use {@link reveal} first.
 */
export function authorize<A extends Action>(
	ctx: Ctx,
	action: A,
	resource: Resource,
	context: Record<string, CedarValueJson> = {},
): Permit<A> {
	const decision = evaluate(ctx, action, resource, context);
	if (!decision.allowed) {
		const named = decision.policies
			.map((id) => ctx.policies.annotations[id]?.['problem'])
			.find((p): p is Code => p !== undefined && Object.hasOwn(codes, p));
		const because =
			decision.policies.length === 0 ? 'No policy permits it.' : `Policy: ${decision.policies.join(', ')}.`;
		throw new BrokerError(named ?? 'not-permitted', `You may not ${words(action)}. ${because}`, {
			policies: decision.policies,
		});
	}
	return permitOf(ctx, action, decision);
}

/** The permit, or null where the policies do not permit it. */
export function permits<A extends Action>(
	ctx: Ctx,
	action: A,
	resource: Resource,
	context: Record<string, CedarValueJson> = {},
): Permit<A> | null {
	const decision = evaluate(ctx, action, resource, context);
	return decision.allowed ? permitOf(ctx, action, decision) : null;
}

/** Whether the policies permit it; for narrowing a view, never instead of {@link authorize} before a mutation. */
export function may(ctx: Ctx, action: Action, resource: Resource): boolean {
	return evaluate(ctx, action, resource, {}).allowed;
}

/** Throws the same fresh `not-found` as for an unknown id when the caller may not see the thing. */
export function reveal(ctx: Ctx, action: Action, resource: Resource): void {
	if (!may(ctx, action, resource)) throw notFound();
}

/** The one answer to "not there" and "not for you". */
export function notFound(): BrokerError {
	return new BrokerError('not-found', 'There is no such thing, or you may not see it.');
}

/** Who would have to approve by the permits that hold, whatever forbids it. Throws where that cannot be evaluated. */
export function requirements(
	ctx: Ctx,
	action: 'requestAccess',
	resource: Resource,
	context: Record<string, CedarValueJson>,
): readonly string[] {
	return routeOf(ctx, diagnosed(asked(ctx, action, resource, context, permitsOf(ctx.policies, action))).reason);
}

function permitOf<A extends Action>(ctx: Ctx, action: A, { policies }: Decision): Permit<A> {
	return new PermitValue(action, { policies: [...policies], setHash: ctx.policies.hash }, routeOf(ctx, policies));
}

function routeOf(ctx: Ctx, policies: readonly string[]): string[] {
	const needed = new Map<string, number>();
	for (const { requires, approvers = '1' } of policies.map((id) => ctx.policies.annotations[id] ?? {})) {
		if (requires !== undefined) needed.set(requires, Math.max(needed.get(requires) ?? 0, Number(approvers)));
	}
	return [...needed.keys()].toSorted().flatMap((role) => Array<string>(needed.get(role) ?? 1).fill(role));
}

/**
 * Cedar's decision lists the permits that hold, or the forbids. With no forbid among all rules, those that bind every
 * domain allow it by themselves exactly if one of the permits that hold is theirs.
 */
function evaluate(ctx: Ctx, action: Action, resource: Resource, context: Record<string, CedarValueJson>): Decision {
	const { decision, reason } = diagnosed(asked(ctx, action, resource, context));
	const policies = reason.toSorted();
	if (decision !== 'allow') return { allowed: false, policies };
	if (action !== 'autoApprove' && !policies.some(isGlobal)) return { allowed: false, policies: [] };
	note(ctx, { action, resource: resource.uid, policies });
	return { allowed: true, policies };
}

/** What was decided, and by which policies; where any of them could not be evaluated, nothing was. */
function diagnosed(answer: AuthorizationAnswer) {
	if (answer.type === 'failure') throw broken(answer.errors.map((e) => e.message));
	const { decision, diagnostics } = answer.response;
	const { errors, reason } = diagnostics;
	if (errors.length > 0) throw broken(errors, new Set(errors.map((e) => e.policyId)));
	return { decision, reason };
}

/** The engine's answer; whatever it throws is no answer. */
function asked(
	ctx: Ctx,
	action: Action,
	resource: Resource,
	context: Record<string, CedarValueJson>,
	policies = nameOf(ctx.policies, action),
) {
	const principal = principalOf(ctx.caller);
	try {
		present(ctx.policies, action);
		return engine(() =>
			statefulIsAuthorized({
				principal: principal.uid,
				action: { type: 'Fairlead::Action', id: action },
				resource: resource.uid,
				context,
				preparsedSchemaName: ctx.policies.id,
				preparsedPolicySetId: policies,
				validateRequest: true,
				entities: distinct([...principal.entities, ...resource.entities]),
			}),
		);
	} catch (error) {
		throw broken(error);
	}
}

/** Beside the refusal and never part of it: what could not be evaluated is told to nobody but who asks why. */
const unevaluated = new WeakMap<BrokerError, readonly string[]>();

function broken(cause: unknown, policies: ReadonlySet<string> = new Set()): BrokerError {
	const error = new BrokerError('internal', 'The rules could not be evaluated, so the answer is no.', {}, { cause });
	unevaluated.set(error, [...policies].toSorted());
	return error;
}

/** The policies that could not be evaluated, where that is why the answer was no; none for any other error. */
export function unevaluatedIn(error: unknown): readonly string[] {
	return error instanceof BrokerError ? (unevaluated.get(error) ?? []) : [];
}

/** Whether a set can be evaluated: asked of nobody, what everybody may be asked. Never throws. */
export function answers(policies: PolicySet, governance: string): boolean {
	const nobody = { issuer: '', subject: '', person: null, roles: [] };
	try {
		evaluate({ policies, caller: nobody }, 'viewMe', mesh(governance), {});
		return !hasTrapped();
	} catch {
		return false;
	}
}

const words = (action: Action) => action.replaceAll(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`);
