/** What Cedar is told of the things a rule may speak of. Built from values; nothing is looked up here. */
import type { CedarValueJson, EntityJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';
import type { Caller, Role } from '../context.ts';

/** A resource to decide on: its uid and every entity a rule could follow from it. */
export type Resource = { readonly uid: TypeAndId; readonly entities: readonly EntityJson[] };

const uid = (type: string, id: string): TypeAndId => ({ type: `Fairlead::${type}`, id });
const ref = (type: string, id: string): CedarValueJson => ({ __entity: uid(type, id) });
const entity = (of: TypeAndId, attrs: Record<string, CedarValueJson>): EntityJson => ({ uid: of, attrs, parents: [] });
const person = (id: string) => ref('Person', id);

/** The id of a role entity: a role in one domain. */
export const roleId = (domain: string, role: Role) => `${domain}/${role}`;
const MEMBERS = 'mesh/member';
const CONSUMERS = 'mesh/consumer';

export const roleRef = (domain: string, role: Role): CedarValueJson => ref('Role', roleId(domain, role));
export const domainRef = (domain: string): CedarValueJson => ref('Domain', domain);

/** The caller as principal: in each role he holds, in `mesh/member` if any, in `mesh/consumer` if he consumes anywhere. */
export function principalOf(caller: Caller): Resource {
	const of = uid('Person', caller.person ?? 'unregistered');
	const held = caller.person === null ? [] : caller.roles.map((m) => roleId(m.domain, m.role));
	const consumes = held.length > 0 && caller.roles.some((m) => m.role === 'consumer');
	const memberOf = held.length === 0 ? [] : [...held, MEMBERS, ...(consumes ? [CONSUMERS] : [])];
	const attrs = { self: person(caller.of ?? of.id), service: caller.service ?? false };
	return { uid: of, entities: [{ uid: of, attrs, parents: memberOf.map((id) => uid('Role', id)) }] };
}

/** The mesh as a whole; `governance` is the domain whose roles reach every other one. */
export function mesh(governance: string): Resource {
	const of = uid('Mesh', 'mesh');
	const attrs = {
		stewards: roleRef(governance, 'steward'),
		regulators: roleRef(governance, 'regulator'),
		operators: roleRef(governance, 'operator'),
		officers: roleRef(governance, 'privacy-officer'),
		members: ref('Role', MEMBERS),
		consumers: ref('Role', CONSUMERS),
	};
	return { uid: of, entities: [entity(of, attrs)] };
}

export function domain(id: string): Resource {
	const of = uid('Domain', id);
	const attrs = {
		owners: roleRef(id, 'owner'),
		officers: roleRef(id, 'privacy-officer'),
		riskOfficers: roleRef(id, 'risk-officer'),
		consumers: roleRef(id, 'consumer'),
		members: ref('Role', MEMBERS),
	};
	return { uid: of, entities: [entity(of, attrs)] };
}

export type ProductFacts = {
	readonly product: string;
	readonly domain: string;
	readonly personal: boolean;
	readonly classification: string;
};

export function product(facts: ProductFacts, governance: string): Resource {
	const of = uid('Product', facts.product);
	const attrs = {
		domain: domainRef(facts.domain),
		mesh: ref('Mesh', 'mesh'),
		personal: facts.personal,
		classification: facts.classification,
	};
	return withParts(of, attrs, [domain(facts.domain), mesh(governance)]);
}

/** What a contract says of itself, as the rules of publication may judge it. */
export type ContractFacts = {
	/** The team that answers for the product, if one is named. */
	readonly owner?: string;
	/** Form of the contract's id: `uuid`, `urn` or `other`. */
	readonly id: string;
	readonly status: string;
	readonly classification: string;
	readonly personal: boolean;
	/** Columns without a classification, and without a regulatory class. */
	readonly unclassified: readonly string[];
	readonly unregulated: readonly string[];
	/** Names of product, tables and columns that are not in snake case. */
	readonly misnamed: readonly string[];
	/** Service levels that the contract promises: named with a value, and a positive one where it is an amount of time. */
	readonly promises: readonly string[];
	/** How far above the last published version it is: `first`, `patch`, `minor` or `major`. */
	readonly bump: string;
	/** Whether a change since the last published version breaks what consumers rely on. */
	readonly breaking: boolean;
	/** Columns that became less confidential, or are no longer personal, since the last published version. */
	readonly lowered: readonly string[];
};

export function contract(facts: ContractFacts): CedarValueJson {
	const { unclassified, unregulated, misnamed, promises, lowered, ...plain } = facts;
	return {
		...plain,
		unclassified: [...unclassified],
		unregulated: [...unregulated],
		misnamed: [...misnamed],
		promises: [...promises],
		lowered: [...lowered],
	};
}

/** What is asked for, as the rules of access may judge it: of the columns requested or filtered by. */
export type AskedFacts = {
	readonly purpose: string;
	/** Purposes that the contract allows. */
	readonly allowed: readonly string[];
	/** The purpose that the principal is registered for. */
	readonly served: string;
	/** Whether the governed purpose names a legal basis. */
	readonly lawful: boolean;
	/** The highest class, and its rank from public, 0, to restricted, 3. */
	readonly classification: string;
	readonly rank: number;
	/** Whether any column is personal data, or ever was. */
	readonly personal: boolean;
	/** Columns, as `table.column`, that another one stands for as a token. */
	readonly raw: readonly string[];
	/** The longest that it can last, in whole days. */
	readonly days: number;
	readonly sameDomain: boolean;
	/** Jurisdictions that the contract names; none: any. */
	readonly residency: readonly string[];
	/** That of the consuming domain, if it is registered in one. */
	readonly jurisdiction?: string;
};

export function asked({ allowed, raw, residency, ...plain }: AskedFacts): CedarValueJson {
	return { ...plain, allowed: [...allowed], raw: [...raw], residency: [...residency] };
}

export type RequestFacts = {
	readonly id: string;
	readonly product: ProductFacts;
	readonly consumerDomain: string;
	readonly submitter: string;
	readonly beneficiaries: readonly string[];
	/** The persons behind submitter, beneficiaries and editors (Domains.selvesOf). */
	readonly parties: readonly string[];
	/** Who may decide in somebody's place now, as far as that was looked up; nobody if absent. */
	readonly delegates?: readonly string[];
};

export function request(facts: RequestFacts, governance: string): Resource {
	const of = uid('Request', facts.id);
	const attrs = {
		product: ref('Product', facts.product.product),
		domain: domainRef(facts.product.domain),
		consumer: domainRef(facts.consumerDomain),
		mesh: ref('Mesh', 'mesh'),
		submitter: person(facts.submitter),
		beneficiaries: facts.beneficiaries.map(person),
		parties: partiesOf(facts.submitter, ...facts.beneficiaries, ...facts.parties),
		delegates: (facts.delegates ?? []).map(person),
	};
	return withParts(of, attrs, [product(facts.product, governance), domain(facts.consumerDomain)]);
}

export type GrantFacts = Omit<RequestFacts, 'submitter' | 'delegates'> & {
	/** The persons behind the beneficiaries; the beneficiaries themselves if absent. */
	readonly holders?: readonly string[];
	/** Roles of the product's domain that hold it back; none if absent. */
	readonly holds?: readonly Role[];
};

export function grant(facts: GrantFacts, governance: string): Resource {
	const of = uid('Grant', facts.id);
	const attrs = {
		product: ref('Product', facts.product.product),
		domain: domainRef(facts.product.domain),
		consumer: domainRef(facts.consumerDomain),
		mesh: ref('Mesh', 'mesh'),
		beneficiaries: facts.beneficiaries.map(person),
		parties: partiesOf(...facts.beneficiaries, ...facts.parties),
		holders: (facts.holders ?? facts.beneficiaries).map(person),
		holds: (facts.holds ?? []).map((role) => roleRef(facts.product.domain, role)),
	};
	return withParts(of, attrs, [product(facts.product, governance), domain(facts.consumerDomain)]);
}

/** Each as he acted and as who he is: a link between two identities that is taken back later lets nobody in. */
const partiesOf = (...persons: readonly string[]) => [...new Set(persons)].map(person);

export function query(id: string, caller: string, consumerDomain: string): Resource {
	const of = uid('Query', id);
	const attrs = { caller: person(caller), consumer: domainRef(consumerDomain) };
	return withParts(of, attrs, [domain(consumerDomain)]);
}

export function report(id: string, requester: string, governance: string): Resource {
	const of = uid('Report', id);
	return withParts(of, { requester: person(requester), mesh: ref('Mesh', 'mesh') }, [mesh(governance)]);
}

export type DelegationFacts = {
	readonly id: string;
	readonly domain: string;
	readonly role: Role;
	readonly giver: string;
	readonly to: string;
};

export function delegation({ id, domain: of, role, giver, to }: DelegationFacts, governance: string): Resource {
	const attrs = {
		domain: domainRef(of),
		mesh: ref('Mesh', 'mesh'),
		role: roleRef(of, role),
		giver: person(giver),
		to: person(to),
	};
	return withParts(uid('Delegation', id), attrs, [domain(of), mesh(governance)]);
}

/** Somebody whom the context of a decision speaks of. */
export const personRef = person;

/** The same resource, with the entities that the context speaks of. */
export function along(resource: Resource, ...others: readonly Resource[]): Resource {
	return { uid: resource.uid, entities: [...resource.entities, ...others.flatMap((o) => o.entities)] };
}

function withParts(of: TypeAndId, attrs: Record<string, CedarValueJson>, parts: readonly Resource[]): Resource {
	return { uid: of, entities: [entity(of, attrs), ...parts.flatMap((p) => p.entities)] };
}

/** Cedar refuses an entity given twice. */
export function distinct(entities: readonly EntityJson[]): EntityJson[] {
	const byId = new Map(entities.map((e) => [JSON.stringify(e.uid), e]));
	return [...byId.values()];
}
