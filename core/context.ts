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
export type Caller = Identity & {
	readonly person: string | null;
	/** The person behind, where this is another identity of his or a program that acts for him: they count as one. */
	readonly of?: string;
	/** A program. */
	readonly service?: boolean;
	readonly roles: readonly Membership[];
};

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
	/**
	 * Over how many shards of the sealer's queue entries are spread, each good for about 1,000 written units a second. May only
	 * ever grow: what waits in a shard beyond them is seen by nobody (the audit names it), until they are as many again.
	 */
	readonly unsealedShards: number;
	/** The domain whose stewards, regulators and operators act for the whole mesh. */
	readonly governance: string;
	/** Identities that act as stewards as long as no steward is registered. */
	readonly founders: readonly Identity[];
	/** ARNs of the roles that Fairlead itself runs as: nobody else may assume a principal. */
	readonly ownRoles: readonly string[];
	/** Athena work group of a consuming domain. */
	readonly workGroup: (domain: string) => string;
	/** Governed purposes by id. */
	readonly purposes: readonly Purpose[];
	/** A request on which nobody decides lapses so long after it was last said what is asked for. */
	readonly requestLapsesAfterMs: number;
	/** And so long before that, those who must still decide are reminded. */
	readonly remindBeforeMs: number;
	/** What was taken in an emergency is to be looked at so long after it ended, at the latest. */
	readonly breakGlassReviewMs: number;
	/** First pause before an AWS call is tried again, in milliseconds; later ones double, with jitter. */
	readonly retryMs: number;
	/** Signs page tokens; at least 32 random bytes, the same in every process of one deployment. */
	readonly cursorKey: Uint8Array;
};

/** Why data is read: one entry of the governed purpose list. */
export type Purpose = {
	readonly id: string;
	readonly name: string;
	/** Empty where there is none: then nothing personal is read for it. */
	readonly legalBasis: string;
	readonly retention: string;
};

/** A loaded policy set. A rule of one domain has an id `<domain>/<name>`, one that binds every domain has no slash. */
export type PolicySet = {
	/** What the engine knows it by. */
	readonly id: string;
	readonly hash: string;
	/** Of each policy, by policy id. */
	readonly annotations: Readonly<Record<string, Readonly<Record<string, string>>>>;
	/** The text of each policy as it was written, with the comment at its head, by policy id. */
	readonly texts: Readonly<Record<string, string>>;
	readonly schema: string;
	/** Whether a newer set was refused, and this one goes on in its place. */
	readonly stale: boolean;
};

/** Where the files of the log lie. Not trusted: what is read from it is checked. */
export type Objects = {
	/** The bytes of an object, as last written by anybody; null where there is none. */
	readonly get: (key: string) => Promise<Uint8Array | null>;
	/** Creates an object, or finds the same bytes there. Throws `record-corrupt`, naming the key, on other bytes. */
	readonly create: (key: string, bytes: Uint8Array) => Promise<void>;
	/** For `checkpoint` alone: puts `bytes` where `over` is (null: nothing), in one step. False where something else is. */
	readonly replace: (key: string, bytes: Uint8Array, over: Uint8Array | null) => Promise<boolean>;
	/**
	 * For staging, and for the partial ones of a tile or bundle whose full one is there, all at once: `<place>.p`. What is not
	 * there is no error.
	 */
	readonly remove: (key: string) => Promise<void>;
};

/** Signs with one Ed25519 key. */
export type Signer = {
	/** Its verifier key (C2SP signed-note). */
	readonly vkey: string;
	/** 64 bytes over the message as it stands. */
	readonly sign: (message: Uint8Array) => Promise<Uint8Array>;
};

/** Who cosigns checkpoints of the log (C2SP tlog-witness): somebody else. Not trusted: what he answers is checked. */
export type Witness = {
	/** Its verifier key (C2SP tlog-cosignature, type 4). */
	readonly vkey: string;
	/** Sends an `add-checkpoint` request, and gives the answer whatever its status. Throws where none came in time. */
	readonly ask: (request: string) => Promise<{ readonly status: number; readonly body: string }>;
};

/** Nothing is published without cosignatures of `quorum` of them. */
export type Witnesses = { readonly all: readonly Witness[]; readonly quorum: number };

/** The log over the ledger: its name, its files and its key belong together. Most processes only read it. */
export type Log = {
	readonly origin: string;
	readonly objects: Objects;
	readonly signer: Signer;
	/** For the sealer alone. */
	readonly witnesses?: Witnesses;
};

export type Platform = {
	readonly config: Config;
	readonly aws: Aws;
	readonly log: Log;
	/** The set in force now; where rules are read again while the process lives, each call keeps the one it began with. */
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
	/** Told of each entry that was written in this call, for whoever waits until it is sealed. */
	readonly appended?: (entry: { readonly stream: string; readonly ver: number }) => void;
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

/**
 * Whether he decides in this role of the domain as himself: he holds it, no domain says that he is a program, and he does
 * not supervise the mesh.
 */
export function decidesAs({ config }: GovernedCtx, caller: Caller, domain: string, role: Role): boolean {
	return holds(caller, domain, role) && caller.service !== true && !supervises({ config }, caller);
}

type GovernedCtx = { readonly config: Pick<Config, 'governance'> };

/** Whether he supervises the mesh: then he only reads, whatever other role he is given. */
export function supervises({ config }: GovernedCtx, caller: Caller): boolean {
	return holds(caller, config.governance, 'regulator');
}

/** Whether the caller holds this role in this domain. */
export function holds(caller: Caller, domain: string, role: Role): boolean {
	return caller.roles.some((m) => m.domain === domain && m.role === role);
}
