/**
 * What a core function may touch. `Platform` is built once per process, `Context` once per call;
 * a function asks for the members it uses (`Pick<Context, ...>`), so its signature tells what it does.
 * Time, randomness and configuration are values here: core reads no clock and no environment.
 */
import type { Aws } from './aws.ts';
import { BrokerError } from './error.ts';
import type { Parser } from './parser.ts';

export const roles = [
	'consumer',
	'owner',
	'privacy-officer',
	'risk-officer',
	'steward',
	'regulator',
	'operator',
] as const;
export type Role = (typeof roles)[number];

/** One role in one domain, read from the registry. */
export type Membership = { readonly domain: string; readonly role: Role };

/** Who an access token names: OIDC issuer and subject together are the key, nothing else is. */
export type Identity = { readonly issuer: string; readonly subject: string };

/**
 * Who sent the call. `person` is the pseudonym that the ledger records; null for somebody whom
 * no domain has registered, who therefore holds no role.
 */
export type Caller = Identity & { readonly person: string | null; readonly roles: readonly Membership[] };

export type Tables = {
	readonly ledger: string;
	readonly payloads: string;
	readonly projections: string;
	/** What the HTTP face remembers of calls for a day at most; core has no use for it. */
	readonly calls: string;
};

export type Config = {
	readonly region: string;
	/** URI of this installation, which its OpenLineage facets name as their producer. */
	readonly producer: string;
	readonly tables: Tables;
	/** The domain whose stewards, regulators and operators act for the whole mesh. */
	readonly governance: string;
	/** Identities that act as stewards as long as no steward is registered. */
	readonly founders: readonly Identity[];
	/** Athena work group of a consuming domain. */
	readonly workGroup: (domain: string) => string;
	/** Governed purposes by id. */
	readonly purposes: readonly Purpose[];
	/** First pause before an AWS call is tried again, in milliseconds; later ones double, with jitter. */
	readonly retryMs: number;
	/** Signs page tokens; at least 32 random bytes, the same in every process of one deployment. */
	readonly cursorKey: Uint8Array;
};

/** Why data is read: one entry of the governed purpose list. */
export type Purpose = {
	readonly id: string;
	readonly name: string;
	readonly legalBasis: string;
	readonly retention: string;
};

/** A loaded policy set: the engine knows it by `id`; `annotations` are those of each policy, by policy id. */
export type PolicySet = {
	readonly id: string;
	readonly hash: string;
	readonly annotations: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

export type Platform = {
	readonly config: Config;
	readonly aws: Aws;
	readonly policies: PolicySet;
	readonly parser: Parser;
	/** Cryptographically strong random bytes. */
	readonly random: (bytes: number) => Uint8Array;
	readonly clock: () => Date;
	readonly warn: (message: string, error: unknown) => void;
};

export type Context = Platform & {
	readonly caller: Caller;
	readonly now: Date;
	/** W3C trace id, 32 hex digits: the same in problems, logs and ledger entries. */
	readonly trace: string;
};

/** The actor of scheduled work; no person. */
export const SYSTEM = 'system';

/** The pseudonym the ledger records as the actor of this call. Throws `not-permitted` for whom no domain registered. */
export function actorOf({ caller }: Pick<Context, 'caller'>): string {
	if (caller.person !== null) return caller.person;
	if (caller.issuer === '' && caller.subject === SYSTEM) return SYSTEM;
	throw new BrokerError('not-permitted', 'No domain has registered you.');
}

/** A context for scheduled work: no caller, no role. */
export function systemContext(platform: Platform, trace: string): Context {
	const caller: Caller = { issuer: '', subject: SYSTEM, person: null, roles: [] };
	return Object.freeze({ ...platform, caller, now: platform.clock(), trace });
}

/** Whether the caller holds this role in this domain. */
export function holds(caller: Caller, domain: string, role: Role): boolean {
	return caller.roles.some((m) => m.domain === domain && m.role === role);
}
