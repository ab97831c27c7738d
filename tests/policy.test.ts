/**
 * The rules, each by cases that say who may what and which policy decided (policy/*.json), and the engine's promise to
 * refuse whatever it cannot evaluate.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type PolicySet, roles } from '#core/context.ts';
import { BrokerError } from '#core/error.ts';
import { type Action, authorize, Entity, loadPolicies, may, type Resource, reveal } from '#core/policy.ts';

const at = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const schema = readFileSync(at('../policies/schema.cedarschema'), 'utf8');
const texts = Object.fromEntries(
	readdirSync(at('../policies/global')).map((file) => [
		basename(file, '.cedar'),
		readFileSync(at(`../policies/global/${file}`), 'utf8'),
	]),
);
const rules = loadPolicies(schema, texts);
const GOVERNANCE = 'governance';

const Domain = z.enum(['risk', 'marketing', 'lending', 'payments', 'customers', 'governance']);
const RoleName = z.string().transform((text) => {
	const [domain, role] = text.split('/');
	return { domain: Domain.parse(domain), role: z.enum(roles).parse(role) };
});
const parties = { personal: z.boolean().default(false), beneficiaries: z.array(z.string()).default(['alice']) };

/** What a contract says of itself; as a rule would have it, unless a case says otherwise. */
const Contract = z.strictObject({
	owner: z.string().nullable().default('Lending data'),
	id: z.enum(['uuid', 'urn', 'other']).default('urn'),
	status: z.string().default('active'),
	unclassified: z.array(z.string()).default([]),
	unregulated: z.array(z.string()).default([]),
	misnamed: z.array(z.string()).default([]),
	promises: z.array(z.string()).default(['frequency', 'retention']),
	bump: z.enum(['first', 'patch', 'minor', 'major']).default('first'),
	breaking: z.boolean().default(false),
	lowered: z.array(z.string()).default([]),
});

const Case = z.strictObject({
	/** The policy that the case is about; `by` are those that decided. */
	policy: z.string(),
	title: z.string(),
	person: z.string().nullable().default('somebody'),
	roles: z.array(RoleName),
	action: z.string().transform((name) => name as Action),
	resource: z.union([
		z.strictObject({ mesh: z.literal(true) }),
		z.strictObject({ domain: Domain }),
		z.strictObject({ product: z.string(), personal: parties.personal }),
		z.strictObject({ request: z.string(), submitter: z.string().default('alice'), ...parties }),
		z.strictObject({ grant: z.string(), ...parties }),
		z.strictObject({ query: Domain, caller: z.string() }),
		z.strictObject({ report: z.string() }),
	]),
	context: z
		.strictObject({ consumer: Domain.optional(), as: RoleName.optional(), contract: Contract.optional() })
		.default({}),
	allow: z.boolean(),
	by: z.array(z.string()),
	requires: z.array(z.string()).default([]),
	code: z.string().default('not-permitted'),
});
type Case = z.infer<typeof Case>;

const cases = readdirSync(at('policy')).flatMap((file) =>
	z.array(Case).parse(JSON.parse(readFileSync(at(`policy/${file}`), 'utf8'))),
);

function facts(product: string, personal: boolean): Entity.ProductFacts {
	return { product, domain: product.split('.')[0] ?? '', personal, classification: 'internal' };
}

function resourceOf({ resource: r, context }: Case): Resource {
	if ('mesh' in r) return Entity.mesh(GOVERNANCE);
	if ('domain' in r) return Entity.domain(r.domain);
	if ('query' in r) return Entity.query('q', r.caller, r.query);
	if ('report' in r) return Entity.report('r', r.report);
	if ('product' in r) {
		const product = Entity.product(facts(r.product, r.personal), GOVERNANCE);
		return context.consumer === undefined ? product : Entity.along(product, Entity.domain(context.consumer));
	}
	const { beneficiaries } = r;
	const common = { id: 'x', consumerDomain: 'risk', beneficiaries };
	if ('grant' in r) return Entity.grant({ ...common, product: facts(r.grant, r.personal) }, GOVERNANCE);
	return Entity.request({ ...common, product: facts(r.request, r.personal), submitter: r.submitter }, GOVERNANCE);
}

function contextOf({ context: { consumer, as, contract } }: Case) {
	return {
		...(contract === undefined ? {} : { contract: contractOf(contract) }),
		...(consumer === undefined ? {} : { consumer: Entity.domainRef(consumer) }),
		...(as === undefined ? {} : { as: Entity.roleRef(as.domain, as.role) }),
	};
}

function contractOf({ owner, ...facts }: z.infer<typeof Contract>) {
	const named = owner === null ? {} : { owner };
	return Entity.contract({ ...facts, ...named, classification: 'internal', personal: false });
}

const callerOf = (person: string | null, held: Case['roles']) => ({ issuer: 'i', subject: 's', person, roles: held });

function decide(policies: PolicySet, one: Case) {
	const caller = callerOf(one.person, one.roles);
	try {
		const permit = authorize({ policies, caller }, one.action, resourceOf(one), contextOf(one));
		return { allow: true, by: permit.rules.policies, requires: permit.requires };
	} catch (error) {
		if (!(error instanceof BrokerError)) throw error;
		return { allow: false, by: error.extensions['policies'], code: error.code };
	}
}

describe.each([false, true])('the rules allow: %s', (allow) => {
	it.each(cases.filter((c) => c.allow === allow).map((c) => [c.policy, c.title, c] as const))(
		'%s: %s',
		(_, __, one) => {
			const { by, requires, code } = one;
			expect(decide(rules, one)).toEqual(allow ? { allow, by, requires } : { allow, by, code });
		},
	);
});

describe('the cases', () => {
	it('have for each policy one that it decides and one that it does not', () => {
		const without = (wanted: (one: Case) => boolean) =>
			Object.keys(texts).filter((policy) => !cases.some((c) => c.policy === policy && wanted(c)));
		expect(without((c) => c.allow)).toEqual([]);
		expect(without((c) => !c.allow)).toEqual([]);
		expect(without((c) => c.by.includes(c.policy))).toEqual([]);
	});

	it('name only policies and actions that there are', () => {
		expect(cases.filter((c) => !(c.policy in texts) || c.by.some((p) => !(p in texts)))).toEqual([]);
		expect(cases.filter((c) => !new RegExp(`\\b${c.action}\\b`).test(schema))).toEqual([]);
	});

	it('have every action that the schema has', () => {
		const declared = [...schema.matchAll(/action ([\w, ]+?)\s+appliesTo/g)].flatMap(([, names = '']) =>
			names.split(/,\s*/),
		);
		expect([...new Set(cases.map((c) => c.action))].toSorted()).toEqual(declared.toSorted());
	});

	it('are each needed: without its policy, a case of it comes out otherwise', () => {
		for (const policy of Object.keys(texts)) {
			const { [policy]: _, ...rest } = texts;
			const less = loadPolicies(schema, rest);
			const changed = cases.filter((c) => JSON.stringify(decide(less, c)) !== JSON.stringify(decide(rules, c)));
			expect([policy, changed.some((c) => c.policy === policy)]).toEqual([policy, true]);
		}
	});
});

describe('a rule of publication', () => {
	const facts = new Set(Object.keys(Contract.shape));
	const refusing = Object.entries(rules.annotations).filter(([, a]) => a['problem'] === 'contract-refused');

	it.each(refusing)('%s says in a sentence what to change, and which fact it is about', (_, { about, advice }) => {
		expect(advice).toMatch(/^[A-Z][^\n]{20,160}\.$/);
		expect(facts).toContain(about);
	});

	it('has nothing to say before the contract is read: who may publish is asked first', () => {
		const asked = cases.filter((c) => c.action === 'publishContract' && c.context.contract === undefined);
		expect(asked.some((c) => c.allow)).toBe(true);
		expect(asked.flatMap((c) => c.by).filter((policy) => refusing.some(([id]) => id === policy))).toEqual([]);
		expect(refusing.length).toBeGreaterThan(6);
	});
});

describe('a policy set is not loaded', () => {
	const loading = (more: Record<string, string>) => () => loadPolicies(schema, { ...texts, ...more });

	it.each([
		['that is empty', () => loadPolicies(schema, {})],
		['with a text that is no policy', loading({ broken: 'permit (principal, action, resource' })],
		['with an empty text', loading({ broken: '' })],
		['with two policies in one text', loading({ broken: 'permit (principal, action, resource);'.repeat(2) })],
		[
			'with an unknown attribute',
			loading({ broken: 'permit (principal, action, resource) when { resource.nosuch };' }),
		],
		[
			'with an unknown action',
			loading({ broken: 'permit (principal, action == Fairlead::Action::"nosuch", resource);' }),
		],
		['with an unknown type', loading({ broken: 'permit (principal is Nosuch, action, resource);' })],
		['with a rule that can never apply', loading({ broken: 'permit (principal, action, resource) when { false };' })],
		['with a schema that is none', () => loadPolicies('entity', texts)],
	])('%s', (_, load) => {
		expect(load).toThrow(/^policies: /);
	});
});

describe('what cannot be evaluated is refused', () => {
	const steward = callerOf('stella', [{ domain: 'governance', role: 'steward' }]);
	const ctx = { policies: rules, caller: steward };
	const product = Entity.product(facts('lending.loans', false), GOVERNANCE);
	const without = (type: string): Resource => ({
		...product,
		entities: product.entities.filter((e) => !('type' in e.uid && e.uid.type === `Fairlead::${type}`)),
	});

	it.each(['Product', 'Mesh', 'Domain'])('a missing entity: %s', (type) => {
		const resource = without(type);
		expect(() => authorize(ctx, 'requestReport', resource)).toThrow(BrokerError);
		expect(() => authorize(ctx, 'requestReport', resource)).toThrow(/could not be evaluated/);
		expect(() => may(ctx, 'requestReport', resource)).toThrow(/could not be evaluated/);
		expect(() => reveal(ctx, 'requestReport', resource)).toThrow(/could not be evaluated/);
	});

	it('a missing or wrong context', () => {
		for (const context of [{}, { consumer: 'risk' }, { consumer: Entity.roleRef('risk', 'consumer') }]) {
			expect(() => authorize(ctx, 'requestAccess', product, context)).toThrow(/could not be evaluated/);
		}
	});

	it('a resource of the wrong kind', () => {
		expect(() => authorize(ctx, 'registerDomain', product)).toThrow(/could not be evaluated/);
	});

	it('a forbid that fails, though a permit stands: Cedar alone would skip it', () => {
		const forbid =
			'forbid (principal, action == Fairlead::Action::"viewProduct", resource) when { resource.mesh.operators == resource.domain.owners };';
		const stricter = loadPolicies(schema, { ...texts, forbid });
		const open = without('Domain');
		expect(may(ctx, 'viewProduct', open)).toBe(true);
		expect(() => may({ ...ctx, policies: stricter }, 'viewProduct', open)).toThrow(/could not be evaluated/);
	});

	it('a policy set that is not loaded', () => {
		const unknown = { ...rules, id: 'nosuch' };
		expect(() => may({ ...ctx, policies: unknown }, 'viewProduct', product)).toThrow(/could not be evaluated/);
	});
});
