/**
 * From the texts of a policy set to what the engine evaluates. Promise: a set that does not parse, does not fit the
 * schema, or holds a rule of a domain that reaches beyond it, is never loaded.
 *
 * A rule of a domain (id `<domain>/<name>`) is confined by a condition put before its own: the resource is of that domain.
 * It may require more, forbid, and approve by itself; that a permit of it opens nothing is evaluation's to see to
 * (core/policy.ts). The engine is given, for each action, the policies that can apply to it and no others.
 */
import { createHash } from 'node:crypto';
import {
	type Clause,
	type DetailedError,
	type EntityUidJson,
	type PolicyJson,
	policyToJson,
	preparsePolicySet,
	preparseSchema,
	schemaToJson,
	validate,
} from '@cedar-policy/cedar-wasm/nodejs';
import type { PolicySet } from '../context.ts';
import { codes } from '../error.ts';
import { Slug } from '../id.ts';
import { engine, isTrap } from './engine.ts';
import { refused } from './faults.ts';
import { overIn, overInSchema } from './guard.ts';

/** One rule, and what the engine is given of it. `actions` is null where it is of every action. */
export type Rule = {
	readonly id: string;
	readonly json: PolicyJson;
	readonly given: string | PolicyJson;
	readonly actions: readonly string[] | null;
};

/** Who can be asked to approve: in these roles of the product's domain people decide. */
const approving = new Set(['owner', 'privacy-officer']);
const annotating = new Set(['requires', 'approvers', 'about', 'advice', 'problem', 'recorded']);
/** Names of actions that change nothing: what was shown can be kept back until that is recorded. */
const reading = /^(view|read|verify|preview|examine)/;
/** What a domain has a say in. */
const ofDomains = new Set(['requestAccess', 'autoApprove', 'decide', 'delegate', 'publishContract']);
const problemsOfDomains = new Set(['request-refused', 'purpose-not-allowed', 'contract-refused']);

/**
 * The engine keeps what it is given for good, so that sets on trial take turns in one place: here is which of them has it,
 * and the actions that were asked for since.
 */
const TRIAL = 'fairlead-trial';
let onTrial: { readonly hash: string; readonly actions: Set<string> } | null = null;

/** Sets that the engine was given, by their hash: it keeps them for good, and the same texts are the same set. */
const loaded = new Map<string, PolicySet>();

/** What a set was read as, by its texts: marked as stale it is the same. */
const readBefore = new WeakMap<PolicySet['texts'], readonly Rule[]>();

/**
 * Parses and validates a policy set and hands it to the engine. `policies` maps a policy's id to the text of exactly one
 * policy. With `trial` the set is for hypothetical decisions. Throws an `Error` that begins with `policies: `, of which
 * `faultsIn` tells the parts.
 */
export function loadPolicies(
	schema: string,
	policies: Readonly<Record<string, string>>,
	{ trial = false }: { readonly trial?: boolean } = {},
): PolicySet {
	const ids = Object.keys(policies).toSorted();
	if (ids.length === 0) throw refused([{ rule: null, detail: 'the set is empty' }]);
	const hash = createHash('sha256')
		.update(JSON.stringify([schema, ids.map((id) => [id, policies[id]])]))
		.digest('hex');
	const known = trial ? undefined : loaded.get(hash);
	if (known !== undefined) return known;
	const tooDeep = overInSchema(schema).map((limit) => ({ rule: null, detail: `schema: has more than ${limit}` }));
	if (tooDeep.length > 0) throw refused(tooDeep);
	const rules = readAll(ids.map((id) => [id, policies[id] ?? '']));
	fit(schema, rules);
	const set: PolicySet = {
		id: trial ? TRIAL : `fairlead-${hash}`,
		hash,
		annotations: Object.fromEntries(rules.map(({ id, json }) => [id, { ...json.annotations }])),
		texts: { ...policies },
		schema,
		stale: false,
	};
	readBefore.set(set.texts, rules);
	if (trial) return set;
	giveSchema(set);
	for (const action of actionsOf(schema)) give(set, rules, action);
	loaded.set(hash, set);
	return set;
}

/** Makes certain that a set on trial is what the engine has in its place. Evaluation is synchronous: none comes between. */
export function present(set: PolicySet, action: string): void {
	if (set.id !== TRIAL) return;
	if (onTrial?.hash !== set.hash) {
		onTrial = null;
		giveSchema(set);
		onTrial = { hash: set.hash, actions: new Set() };
	}
	if (onTrial.actions.has(action)) return;
	give(set, rulesIn(set), action);
	onTrial.actions.add(action);
}

/** The rules of a set that was loaded, read. */
export function rulesIn({ texts }: PolicySet): readonly Rule[] {
	const rules = readBefore.get(texts) ?? readAll(Object.entries(texts));
	readBefore.set(texts, rules);
	return rules;
}

/** What the engine knows the policies of one action by. */
export const nameOf = (set: PolicySet, action: string) => `${set.id}/${action}`;

/** The same of those that permit: of the one action whose permits require something, which a forbid would hide. */
export const permitsOf = (set: PolicySet, action: 'requestAccess') => `${nameOf(set, action)}/permits`;

/** Whether it binds every domain. */
export const isGlobal = (policy: string) => !policy.includes('/');

function giveSchema({ id, schema }: PolicySet): void {
	const answer = engine(() => preparseSchema(id, schema));
	if (answer.type === 'failure') throw refused([{ rule: null, detail: `schema: ${messages(answer.errors)}` }]);
}

function give(set: PolicySet, rules: readonly Rule[], action: string): void {
	const applying = rules.filter(({ actions }) => actions?.includes(action) ?? true);
	preparse(nameOf(set, action), action, applying);
	if (action !== 'requestAccess') return;
	const permitting = applying.filter(({ json }) => json.effect === 'permit');
	preparse(permitsOf(set, action), action, permitting);
}

function preparse(name: string, action: string, rules: readonly Rule[]): void {
	const staticPolicies = Object.fromEntries(rules.map(({ id, given }) => [id, given]));
	const answer = engine(() => preparsePolicySet(name, { staticPolicies }));
	if (answer.type === 'failure') throw refused([{ rule: null, detail: `${action}: ${messages(answer.errors)}` }]);
}

function actionsOf(schema: string): string[] {
	const answer = engine(() => schemaToJson(schema));
	if (answer.type === 'failure') throw refused([{ rule: null, detail: `schema: ${messages(answer.errors)}` }]);
	return Object.values(answer.json).flatMap(({ actions }) => Object.keys(actions));
}

/** Every rule, or the faults of all that have any. */
function readAll(texts: readonly (readonly [id: string, text: string])[]): Rule[] {
	const read = texts.map(([id, text]) => readOne(id, text));
	const faults = read.flatMap((one) => ('faults' in one ? one.faults.map((detail) => ({ rule: one.id, detail })) : []));
	if (faults.length > 0) throw refused(faults);
	return read.flatMap((one) => ('faults' in one ? [] : [one]));
}

type Faulty = { readonly id: string; readonly faults: readonly string[] };

function readOne(id: string, text: string): Rule | Faulty {
	const over = overIn(text);
	if (over.length > 0) return { id, faults: over.map((limit) => `has more than ${limit}`) };
	const json = parsed(text);
	if ('faults' in json) return { id, faults: json.faults };
	const given = isGlobal(id) ? text : confined(json, domainOf(id));
	const rule = { id, json, given, actions: namedIn(json) };
	const faults = [...annotationFaults(rule), ...(isGlobal(id) ? [] : domainFaults(rule))];
	return faults.length > 0 ? { id, faults } : rule;
}

function parsed(text: string): PolicyJson | Pick<Faulty, 'faults'> {
	try {
		const answer = engine(() => policyToJson(text));
		return answer.type === 'success' ? answer.json : { faults: answer.errors.map((e) => e.message) };
	} catch (error) {
		if (isTrap(error)) throw error;
		// The engine hands a rule over as JSON, and of that it takes 128 levels.
		return { faults: ['is too deep for the engine; a long chain of conditions is deep, too'] };
	}
}

const domainOf = (id: string) => id.slice(0, id.indexOf('/'));

function namedIn({ action }: PolicyJson): string[] | null {
	if (action.op === 'All') return null;
	if ('entity' in action) return [idOf(action.entity)];
	return 'entities' in action ? action.entities.map(idOf) : null;
}

const idOf = (uid: EntityUidJson) => ('__entity' in uid ? uid.__entity.id : uid.id);

/** A misspelt requirement would be none. */
function annotationFaults({ json: { effect, annotations = {} }, actions }: Rule): string[] {
	const { requires, approvers, problem } = annotations;
	const found = Object.keys(annotations).flatMap((name) => (annotating.has(name) ? [] : [`there is no @${name}`]));
	if (requires !== undefined && !approving.has(requires)) {
		found.push(`@requires names one of: ${[...approving].join(', ')}`);
	}
	if (requires !== undefined && !(effect === 'permit' && actions?.join() === 'requestAccess')) {
		found.push('@requires belongs to a permit of requestAccess');
	}
	if (approvers !== undefined && (requires === undefined || !/^[1-5]$/.test(approvers))) {
		found.push('@approvers is a number from 1 to 5 beside @requires');
	}
	if (problem !== undefined && !Object.hasOwn(codes, problem)) found.push('@problem names no code');
	const reads = effect === 'permit' && actions?.every((action) => reading.test(action)) === true;
	if ('recorded' in annotations && !(annotations['recorded'] === 'reading' && reads)) {
		found.push('@recorded("reading") belongs to a permit of actions that only read');
	}
	return found;
}

function domainFaults({ id, json, actions }: Rule): string[] {
	const found: string[] = [];
	const { effect, annotations = {}, conditions } = json;
	const { requires, problem } = annotations;
	if (!numbersIn(conditions).every(Number.isSafeInteger))
		found.push('a number in it is beyond what JSON holds exactly');
	if (id.split('/').length !== 2 || !id.split('/').every((part) => Slug.safeParse(part).success)) {
		found.push('its id is no <domain>/<name>');
	}
	if (actions === null || actions.some((action) => !ofDomains.has(action))) {
		found.push(`a domain has rules for ${[...ofDomains].join(', ')} and nothing else`);
	}
	const adds = requires !== undefined || actions?.join() === 'autoApprove';
	if (effect === 'permit' && !adds) found.push('a permit of a domain has @requires, or is of autoApprove alone');
	if (problem !== undefined && !problemsOfDomains.has(problem)) {
		found.push(`@problem of a domain names one of: ${[...problemsOfDomains].join(', ')}`);
	}
	return found;
}

function numbersIn(value: unknown): number[] {
	if (typeof value === 'number') return [value];
	return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

/** The same policy, of the resources of one domain: what it says of others is not even looked at. */
function confined(json: PolicyJson, domain: string): PolicyJson {
	const own: Clause = {
		kind: 'when',
		body: {
			'==': {
				left: { '.': { left: { Var: 'resource' }, attr: 'domain' } },
				right: { Value: { __entity: { type: 'Fairlead::Domain', id: domain } } },
			},
		},
	};
	return { ...json, conditions: [own, ...json.conditions] };
}

function fit(schema: string, rules: readonly Rule[]): void {
	const staticPolicies = Object.fromEntries(rules.map(({ id, given }) => [id, given]));
	const answer = engine(() => validate({ schema, policies: { staticPolicies } }));
	if (answer.type === 'failure') throw refused([{ rule: null, detail: messages(answer.errors) }]);
	const faults = [...answer.validationErrors, ...answer.validationWarnings];
	if (faults.length > 0) throw refused(faults.map((f) => ({ rule: f.policyId, detail: f.error.message })));
}

const messages = (errors: readonly DetailedError[]) => errors.map((e) => e.message).join('; ');
