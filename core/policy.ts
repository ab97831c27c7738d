/**
 * Cedar decides, we gather and obey.
 *
 * Fail closed: Cedar skips a policy that errors, so a `forbid` could silently not apply (Cedar documentation,
 * "How Cedar authorization works"). Here any diagnostic error, and any failure to evaluate, is a refusal.
 * A mutation takes a {@link Permit}, which only {@link authorize} can make: a forgotten check does not compile.
 */

import { createHash } from 'node:crypto';
import {
	type CedarValueJson,
	type DetailedError,
	policyToJson,
	preparsePolicySet,
	preparseSchema,
	statefulIsAuthorized,
	validate,
} from '@cedar-policy/cedar-wasm/nodejs';
import type { Context, PolicySet } from './context.ts';
import { BrokerError, type Code, codes } from './error.ts';
import { distinct, principalOf, type Resource } from './policy/entities.ts';

export type { Resource } from './policy/entities.ts';
export * as Entity from './policy/entities.ts';

export type Action =
	| 'viewMe'
	| 'registerDomain'
	| 'viewDomains'
	| 'viewPurposes'
	| 'viewProducts'
	| 'readLedger'
	| 'verifyLedger'
	| 'publishContract'
	| 'viewProduct'
	| 'requestAccess'
	| 'viewRequest'
	| 'cancelRequest'
	| 'decide'
	| 'viewGrant'
	| 'revokeGrant'
	| 'runQuery'
	| 'viewQuery'
	| 'requestReport'
	| 'viewReport';

type Ctx = Pick<Context, 'policies' | 'caller'>;

class PermitValue<A extends Action> {
	/** A private member makes the type nominal: no literal can stand in for it. */
	readonly #action: A;
	/** The policies that determined the answer, sorted, and the set they belong to: as the ledger records them. */
	readonly rules: { readonly policies: string[]; readonly setHash: string };
	/** Union of their `@requires`: the approval route, where one is needed. */
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
	const annotations = decision.policies.map((id) => ctx.policies.annotations[id] ?? {});
	if (!decision.allowed) {
		const named = annotations.map((a) => a['problem']).find((p): p is Code => p !== undefined && p in codes);
		const because =
			decision.policies.length === 0 ? 'No policy permits it.' : `Policy: ${decision.policies.join(', ')}.`;
		throw new BrokerError(named ?? 'not-permitted', `You may not ${words(action)}. ${because}`, {
			policies: decision.policies,
		});
	}
	const requires = [...new Set(annotations.flatMap((a) => a['requires'] ?? []))].toSorted();
	return new PermitValue(action, { policies: [...decision.policies], setHash: ctx.policies.hash }, requires);
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

function evaluate(ctx: Ctx, action: Action, resource: Resource, context: Record<string, CedarValueJson>): Decision {
	const principal = principalOf(ctx.caller);
	const answer = statefulIsAuthorized({
		principal: principal.uid,
		action: { type: 'Fairlead::Action', id: action },
		resource: resource.uid,
		context,
		preparsedSchemaName: ctx.policies.id,
		preparsedPolicySetId: ctx.policies.id,
		validateRequest: true,
		entities: distinct([...principal.entities, ...resource.entities]),
	});
	if (answer.type === 'failure') throw broken(answer.errors.map((e) => e.message));
	const { decision, diagnostics } = answer.response;
	if (diagnostics.errors.length > 0) throw broken(diagnostics.errors.map((e) => `${e.policyId}: ${e.error.message}`));
	return { allowed: decision === 'allow', policies: diagnostics.reason.toSorted() };
}

function broken(messages: readonly string[]): BrokerError {
	return new BrokerError('internal', 'The rules could not be evaluated, so the answer is no.', {}, { cause: messages });
}

const words = (action: Action) => action.replaceAll(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`);

/**
 * Parses and validates a policy set and hands it to the engine. `policies` maps a policy id (its file's name) to the
 * text of exactly one policy. Throws on anything that does not parse or does not fit the schema: a broken set never runs.
 */
export function loadPolicies(schema: string, policies: Readonly<Record<string, string>>): PolicySet {
	const ids = Object.keys(policies).toSorted();
	if (ids.length === 0) throw new Error('policies: the set is empty');
	const hash = createHash('sha256')
		.update(JSON.stringify([schema, ids.map((id) => [id, policies[id]])]))
		.digest('hex');
	const id = `fairlead-${hash}`;
	const answer = validate({ schema, policies: { staticPolicies: { ...policies } } });
	if (answer.type === 'failure') throw new Error(`policies: ${messages(answer.errors)}`);
	const faults = [...answer.validationErrors, ...answer.validationWarnings];
	if (faults.length > 0)
		throw new Error(`policies: ${faults.map((f) => `${f.policyId}: ${f.error.message}`).join('; ')}`);
	const parsedSchema = preparseSchema(id, schema);
	if (parsedSchema.type === 'failure') throw new Error(`policies: schema: ${messages(parsedSchema.errors)}`);
	const parsed = preparsePolicySet(id, { staticPolicies: { ...policies } });
	if (parsed.type === 'failure') throw new Error(`policies: ${messages(parsed.errors)}`);
	return { id, hash, annotations: Object.fromEntries(ids.map((p) => [p, annotationsOf(p, policies[p] ?? '')])) };
}

function annotationsOf(id: string, text: string): Record<string, string> {
	const answer = policyToJson(text);
	if (answer.type === 'failure') throw new Error(`policies: ${id}: ${messages(answer.errors)}`);
	return { ...answer.json.annotations };
}

const messages = (errors: readonly DetailedError[]) => errors.map((e) => e.message).join('; ');
