/**
 * The engine decides as Cedar's documentation says: a second evaluator, written from that alone, agrees with it on 10,000
 * random requests to our rules, and tells our rules from the same rules with one thing wrong. FAIRLEAD_SEED chooses other
 * requests.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
	type AuthorizationAnswer,
	type EntityJson,
	isAuthorized,
	type PolicyJson,
	policyToJson,
	statefulIsAuthorized,
	templateToJson,
} from '@cedar-policy/cedar-wasm/nodejs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { nameOf } from '#core/policy/load.ts';
import { loadPolicies } from '#core/policy.ts';
import { type Answer, decide, type Facts, factsOf, type Policy, policyOf, type Request } from './policy/evaluator.ts';
import { choose, type Start } from './policy-oracle/chosen.ts';
import documented from './policy-oracle/documented.json' with { type: 'json' };
import { literalsOf } from './policy-oracle/literals.ts';
import { mutantsOf } from './policy-oracle/mutants.ts';
import { type Environment, environmentsOf } from './policy-oracle/requests.ts';

const seed = Number(process.env['FAIRLEAD_SEED'] ?? 1);
/** `npm run soak`, and its short form in .ci/run, try as many as make a claim; `npm test` some of them. */
const whole = process.env['FAIRLEAD_SOAK'] !== undefined;
const REQUESTS = whole ? 10_000 : 3_000;

const folder = fileURLToPath(new URL('../policies', import.meta.url));
const schema = readFileSync(path.join(folder, 'schema.cedarschema'), 'utf8');
const texts: Readonly<Record<string, string>> = Object.fromEntries([
	...policiesIn('global', ''),
	...domains().flatMap((d) => policiesIn(`domains/${d}`, `${d}/`)),
]);
const jsons = Object.fromEntries(Object.entries(texts).map(([id, text]) => [id, confined(id, jsonOf(text))]));
const rules = loadPolicies(schema, texts);
const policies = Object.fromEntries(Object.entries(jsons).map(([id, json]) => [id, policyOf(json)]));
const environments = environmentsOf(schema, literalsOf(Object.values(jsons)));

function domains(): string[] {
	const at = path.join(folder, 'domains');
	return existsSync(at) ? readdirSync(at) : [];
}

function policiesIn(name: string, prefix: string): [string, string][] {
	const files = readdirSync(path.join(folder, name)).filter((file) => file.endsWith('.cedar'));
	return files.map((file) => [
		`${prefix}${path.basename(file, '.cedar')}`,
		readFileSync(path.join(folder, name, file), 'utf8'),
	]);
}

/** A domain's rule is of that domain's resources alone, whatever it says. */
function confined(id: string, json: PolicyJson): PolicyJson {
	const [domain = '', name] = id.split('/');
	if (name === undefined) return json;
	const { conditions } = jsonOf(
		`permit (principal, action, resource) when { resource.domain == Fairlead::Domain::"${domain}" };`,
	);
	return { ...json, conditions: [...conditions, ...json.conditions] };
}

function jsonOf(text: string): PolicyJson {
	const answer = policyToJson(text);
	if (answer.type === 'failure') throw new Error(answer.errors.map((e) => e.message).join('; '));
	return answer.json;
}

function answerOf(answer: AuthorizationAnswer): Answer {
	if (answer.type === 'failure') throw new Error(answer.errors.map((e) => e.message).join('; '));
	const { decision, diagnostics } = answer.response;
	const errors = diagnostics.errors.map((e) => e.policyId);
	return { decision, reasons: diagnostics.reason.toSorted(), errors: errors.toSorted() };
}

/** As the broker asks it: of the policies that were prepared for this action. */
function engine({ entities, ...request }: Request): Answer {
	const name = nameOf(rules, request.action.id);
	const known = { preparsedSchemaName: rules.id, preparsedPolicySetId: name, validateRequest: true };
	return answerOf(statefulIsAuthorized({ ...request, ...known, entities: [...entities] }));
}

const agree = (one: Answer, other: Answer) => JSON.stringify(one) === JSON.stringify(other);

const any = ({ slots, assemble }: Environment): fc.Arbitrary<Request> => fc.record(slots).map(assemble);

function nearly({ environment: { slots, assemble }, flat }: Start): fc.Arbitrary<Request> {
	const one = fc.oneof(...Object.entries(slots).map(([key, value]) => fc.tuple(fc.constant(key), value)));
	return fc.array(one, { maxLength: 4 }).map((others) => assemble({ ...flat, ...Object.fromEntries(others) }));
}

const starts = choose(jsons, environments, seed);

/** Some as they come; most near one that some policy decides, with a few things otherwise. */
const requests = fc.oneof(
	{ weight: 1, arbitrary: fc.oneof(...environments.map(any)) },
	{ weight: 3, arbitrary: fc.oneof(...[...starts.values()].map((near) => fc.oneof(...near.map(nearly)))) },
);

/** To what one policy may decide on. */
function requestsFor(id: string): fc.Arbitrary<Request> {
	const near = starts.get(id) ?? [];
	return fc.oneof(...near.map(nearly), ...near.map(({ environment }) => any(environment)));
}

type Seen = { readonly request: Request; readonly facts: Facts; readonly answer: Answer };

const asked = (request: Request): Seen => ({ request, facts: factsOf(request), answer: engine(request) });

const seen: Seen[] = [];
let report: string | undefined;

beforeAll(() => {
	const property = fc.property(requests, (request) => {
		const one = asked(request);
		seen.push(one);
		const oracle = decide(policies, one.facts);
		if (!agree(oracle, one.answer)) throw new Error(JSON.stringify({ engine: one.answer, oracle }));
	});
	report = fc.defaultReportMessage(fc.check(property, { seed, numRuns: REQUESTS }));
}, 300_000);

describe(`${REQUESTS} random requests, seed ${seed}`, () => {
	it('are answered alike by the engine and the oracle: decision, reasons, errors', () => {
		expect(report).toBeUndefined();
		expect(seen).toHaveLength(REQUESTS);
	});

	it('come out either way, about as often', () => {
		const allowed = seen.filter((s) => s.answer.decision === 'allow').length / seen.length;
		expect(allowed).toBeGreaterThan(0.35);
		expect(allowed).toBeLessThan(0.65);
	});

	it.runIf(whole)('give every policy something to decide, and many something that it cannot be evaluated on', () => {
		const deciding = new Set(seen.flatMap((s) => s.answer.reasons));
		expect(Object.keys(texts).filter((id) => !deciding.has(id))).toEqual([]);
		const failing = new Set(seen.flatMap((s) => s.answer.errors));
		expect(failing.size).toBeGreaterThan(deciding.size / 2);
	});
});

describe('the oracle', () => {
	const people: EntityJson[] = [
		{ uid: { type: 'User', id: 'alice' }, attrs: { age: 21, name: 'Alice' }, parents: [{ type: 'User', id: 'bob' }] },
		{ uid: { type: 'User', id: 'bob' }, attrs: {}, parents: [{ type: 'Group', id: 'jane_friends' }] },
		{ uid: { type: 'User', id: 'john' }, attrs: {}, parents: [{ type: 'Group', id: 'jane_coworkers' }] },
	];
	const request: Request = {
		principal: { type: 'User', id: 'alice' },
		action: { type: 'Action', id: 'view' },
		resource: { type: 'Photo', id: 'vacation' },
		context: {
			role: ['admin', 'user'],
			groups: [{ __entity: { type: 'Group', id: 'jane_friends' } }],
			addr: { street: 'main', city: 'DC' },
			home: { city: 'DC', street: 'main' },
			office: { city: 'DC' },
			'owner info': { name: 'Alice', age: 18 },
		},
		entities: people,
	};
	const textOf = (expression: string) => `permit (principal, action, resource) when { ${expression} };`;
	const expected: Record<'true' | 'false' | 'error', Answer> = {
		true: { decision: 'allow', reasons: ['example'], errors: [] },
		false: { decision: 'deny', reasons: [], errors: [] },
		error: { decision: 'deny', reasons: [], errors: ['example'] },
	};
	const both = (text: string) => ({
		engine: answerOf(isAuthorized({ ...request, policies: { staticPolicies: { example: text } }, entities: people })),
		oracle: decide({ example: policyOf(jsonOf(text)) }, factsOf(request)),
	});

	describe.each(['true', 'false', 'error'] as const)('finds %s, as documented and as the engine does', (outcome) => {
		it.each(documented[outcome])('%s', (expression) => {
			const answer = expected[outcome];
			expect(both(textOf(expression))).toEqual({ engine: answer, oracle: answer });
		});
	});

	it.each(documented.unknown)('refuses to read what it does not know: %s', (expression) => {
		expect(() => policyOf(jsonOf(textOf(expression)))).toThrow(/The oracle does not know/);
	});

	const heads = ['principal', 'principal == User::"alice"', 'principal == User::"bob"', 'principal in User::"bob"'];
	const more = ['principal is Group', 'principal is User', 'principal is User in Group::"jane_friends"'];
	it.each([...heads, ...more])('matches the head as the engine does: %s', (principal) => {
		for (const action of [
			'action',
			'action == Action::"view"',
			'action in [Action::"edit", Action::"view"]',
			'action in []',
		]) {
			for (const resource of [
				'resource',
				'resource in Album::"jane"',
				'resource is Photo',
				'resource == Photo::"vacation"',
			]) {
				const answers = both(`permit (${principal}, ${action}, ${resource});`);
				expect(answers.oracle).toEqual(answers.engine);
			}
		}
	});

	it('refuses to read a template', () => {
		const answer = templateToJson('permit (principal == ?principal, action, resource);');
		if (answer.type === 'failure') throw new Error('the template is none');
		expect(() => policyOf(answer.json)).toThrow(/The oracle does not know/);
	});
});

describe('our rules with one thing wrong', () => {
	/** What nobody could tell from the rule itself, and why not. */
	const alike: Readonly<Record<string, string>> = {
		'public-data-approved-at-once: when: only ((context has "asked") && (context.asked.rank == 0)), not && !(context.asked.personal)':
			'people-approve-sensitive-data forbids it for personal data anyway',
	};

	/** A request that the engine answers otherwise than the oracle would if the policy were this one. */
	function telling(id: string, wrong: Policy, more: () => readonly Request[]): Seen | undefined {
		const by = { ...policies, [id]: wrong };
		const tells = (facts: Facts) =>
			wrong.evaluate(facts) !== policies[id]?.evaluate(facts) && !agree(decide(by, facts), decide(policies, facts));
		const told = seen.find(({ facts }) => tells(facts))?.request ?? more().find((r) => tells(factsOf(r)));
		if (told === undefined) return undefined;
		const one = asked(told);
		return agree(decide(by, one.facts), one.answer) ? undefined : one;
	}

	it('are each told from the rule by what the engine answered on it, and are answered alike themselves', () => {
		const untold = Object.entries(jsons).flatMap(([id, json]) => {
			let drawn: Request[] | null = null;
			const more = () => (drawn ??= fc.sample(requestsFor(id), { seed, numRuns: 3000 }));
			return mutantsOf(json).flatMap(({ what, policy }) => {
				const wrong = policyOf(policy);
				const told = telling(id, wrong, more);
				if (told === undefined) return [`${id}: ${what}`];
				const { entities, ...request } = told.request;
				const staticPolicies = { [id]: policy };
				const answer = answerOf(isAuthorized({ ...request, entities: [...entities], policies: { staticPolicies } }));
				expect(decide({ [id]: wrong }, told.facts)).toEqual(answer);
				return [];
			});
		});
		expect(untold).toEqual(Object.keys(alike));
	});
});
