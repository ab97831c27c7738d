/**
 * Cases of the rules as data (*.json beside this): who asks for what, what is decided, by which policies, and with which
 * route or code. A case says of the entities only what it is about; the rest is as no rule would mind it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { type PolicySet, roles } from '#core/context.ts';
import { classifications } from '#core/contract.ts';
import { BrokerError } from '#core/error.ts';
import { type Action, authorize, Entity, type Resource } from '#core/policy.ts';
import { readTexts } from '#functions/policies.ts';

const at = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** The rules as they ship. */
export const { schema, policies: texts } = readTexts(at('../../policies'));
export const GOVERNANCE = 'governance';

const Domain = z.enum(['risk', 'marketing', 'lending', 'payments', 'customers', 'governance']);
const RoleName = z.string().transform((text) => {
	const [domain, role] = text.split('/');
	return { domain: Domain.parse(domain), role: z.enum(roles).parse(role) };
});
const Classification = z.enum(classifications);
const product = { personal: z.boolean().default(false), classification: Classification.default('internal') };
const parties = {
	...product,
	beneficiaries: z.array(z.string()).default(['alice']),
	/** Persons behind those who gain, besides the ones named. */
	parties: z.array(z.string()).default([]),
};

/** What a contract says of itself; as a rule would have it, unless a case says otherwise. */
export const Contract = z.strictObject({
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

/** What is asked for; as no rule would refuse it, unless a case says otherwise. */
export const Asked = z.strictObject({
	purpose: z.string().default('credit-risk'),
	allowed: z.array(z.string()).default(['credit-risk', 'campaign-planning']),
	served: z.string().optional(),
	lawful: z.boolean().default(true),
	classification: Classification.default('internal'),
	personal: z.boolean().default(false),
	raw: z.array(z.string()).default([]),
	days: z.int().default(30),
	residency: z.array(z.string()).default([]),
	jurisdiction: z.string().optional(),
});

export const Case = z.strictObject({
	/** The policy that the case is about; `by` are those that decided. */
	policy: z.string(),
	title: z.string(),
	person: z.string().nullable().default('somebody'),
	/** The person behind, and whether this is a program. */
	of: z.string().optional(),
	service: z.boolean().optional(),
	roles: z.array(RoleName),
	action: z.string().transform((name) => name as Action),
	resource: z.union([
		z.strictObject({ mesh: z.literal(true) }),
		z.strictObject({ domain: Domain }),
		z.strictObject({ product: z.string(), ...product }),
		z.strictObject({
			request: z.string(),
			submitter: z.string().default('alice'),
			delegates: z.array(z.string()).default([]),
			...parties,
		}),
		z.strictObject({
			grant: z.string(),
			holders: z.array(z.string()).optional(),
			/** Roles of the product's domain that hold it back. */
			holds: z.array(z.enum(roles)).default([]),
			...parties,
		}),
		z.strictObject({ query: Domain, caller: z.string() }),
		z.strictObject({ report: z.string() }),
		z.strictObject({ delegation: RoleName, giver: z.string().default('olga'), to: z.string().default('ruth') }),
	]),
	/** A kind of entity that is missing: the rules cannot be evaluated. */
	without: z.string().optional(),
	context: z
		.strictObject({
			consumer: Domain.optional(),
			as: RoleName.optional(),
			/** In whose place it is decided. */
			giver: z
				.strictObject({
					person: z.string().default('olga'),
					of: z.string().optional(),
					service: z.boolean().optional(),
					roles: z.array(RoleName),
				})
				.optional(),
			contract: Contract.optional(),
			asked: Asked.optional(),
			/** The longest that it can last. */
			minutes: z.int().optional(),
			/** What he took in emergencies before. */
			unreviewed: z.int().default(0),
			condemned: z.int().default(0),
		})
		.prefault({}),
	allow: z.boolean(),
	by: z.array(z.string()),
	requires: z.array(z.string()).default([]),
	code: z.string().default('not-permitted'),
});
export type Case = z.infer<typeof Case>;

export const cases = readdirSync(at('.'))
	.filter((file) => file.endsWith('.json'))
	.flatMap((file) => z.array(Case).parse(JSON.parse(readFileSync(at(file), 'utf8'))));

export function facts(id: string, personal: boolean, classification = 'internal'): Entity.ProductFacts {
	return { product: id, domain: id.split('.')[0] ?? '', personal, classification };
}

function resourceOf({ resource: r, context }: Case): Resource {
	if ('mesh' in r) return Entity.mesh(GOVERNANCE);
	if ('domain' in r) return Entity.domain(r.domain);
	if ('delegation' in r) {
		return Entity.delegation({ id: 'x', ...r.delegation, giver: r.giver, to: r.to }, GOVERNANCE);
	}
	if ('query' in r) return Entity.query('q', r.caller, r.query);
	if ('report' in r) return Entity.report('r', r.report, GOVERNANCE);
	if ('product' in r) {
		const resource = Entity.product(facts(r.product, r.personal, r.classification), GOVERNANCE);
		return context.consumer === undefined ? resource : Entity.along(resource, Entity.domain(context.consumer));
	}
	const { beneficiaries, parties } = r;
	const common = { id: 'x', consumerDomain: 'risk', beneficiaries, parties };
	const of = facts('grant' in r ? r.grant : r.request, r.personal, r.classification);
	if ('grant' in r) {
		const holders = r.holders === undefined ? {} : { holders: r.holders };
		return Entity.grant({ ...common, ...holders, holds: r.holds, product: of }, GOVERNANCE);
	}
	const { submitter, delegates } = r;
	const request = Entity.request({ ...common, product: of, submitter, delegates }, GOVERNANCE);
	return context.giver === undefined ? request : Entity.along(request, Entity.principalOf(giverOf(context.giver)));
}

const giverOf = ({ person, roles: held, of, service }: NonNullable<Case['context']['giver']>) => ({
	...callerOf(person, held),
	...(of === undefined ? {} : { of }),
	...(service === undefined ? {} : { service }),
});

function contextOf({ resource, context: { consumer, as, giver, contract, asked, minutes, ...past } }: Case) {
	const domain = 'product' in resource ? facts(resource.product, false).domain : '';
	return {
		...(contract === undefined ? {} : { contract: contractOf(contract) }),
		...(asked === undefined ? {} : { asked: askedOf(asked, consumer === domain) }),
		...(consumer === undefined ? {} : { consumer: Entity.domainRef(consumer) }),
		...(as === undefined ? {} : { as: Entity.roleRef(as.domain, as.role) }),
		...(giver === undefined ? {} : { giver: Entity.personRef(giver.person) }),
		...(minutes === undefined ? {} : { minutes, unreviewed: past.unreviewed, condemned: past.condemned }),
	};
}

function contractOf({ owner, ...facts }: z.infer<typeof Contract>) {
	const named = owner === null ? {} : { owner };
	return Entity.contract({ ...facts, ...named, classification: 'internal', personal: false });
}

function askedOf({ served, jurisdiction, ...asked }: z.infer<typeof Asked>, sameDomain: boolean) {
	return Entity.asked({
		...asked,
		served: served ?? asked.purpose,
		rank: classifications.indexOf(asked.classification),
		sameDomain,
		...(jurisdiction === undefined ? {} : { jurisdiction }),
	});
}

export const callerOf = (person: string | null, held: Case['roles']) => {
	return { issuer: 'i', subject: 's', person, roles: held };
};

/** What is decided on a case under these rules. */
export function decide(policies: PolicySet, one: Case) {
	const guise = {
		...(one.of === undefined ? {} : { of: one.of }),
		...(one.service === undefined ? {} : { service: one.service }),
	};
	const caller = { ...callerOf(one.person, one.roles), ...guise };
	const whole = resourceOf(one);
	const entities = whole.entities.filter((e) => !('type' in e.uid && e.uid.type === `Fairlead::${one.without}`));
	try {
		const permit = authorize({ policies, caller }, one.action, { ...whole, entities }, contextOf(one));
		return { allow: true, by: permit.rules.policies, requires: permit.requires };
	} catch (error) {
		if (!(error instanceof BrokerError)) throw error;
		return { allow: false, by: error.extensions['policies'] ?? [], code: error.code };
	}
}
