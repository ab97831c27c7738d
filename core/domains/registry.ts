/**
 * The whole registry as it stands, for one read of the store. A version of a domain never changes, so a process keeps what
 * it has read; what it asks at each call, strongly consistent, is whether a domain may have moved since. The stream
 * `registry` tells: whoever registers a domain names there, before he writes it, the version that he is about to write.
 * What a domain is stands in its own stream alone. A writer who died in between costs the reading of that stream at each
 * call until the domain is registered again, and nothing else.
 */
import type { Aws } from '../aws.ts';
import { actorOf, type Context, type Role } from '../context.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import { type Domain, type ReadCtx, read } from './read.ts';

type Head = Ledger.Recorded<'DomainRegistering'>;

/** What a process has read: the last announcement, and of each domain the last version. */
type Kept = { head: Head | null; readonly domains: Map<string, Domain> };

const keptBy = new WeakMap<Aws, Kept>();

export type Registry = {
	readonly domains: readonly Domain[];
	/** Domains whose last entry cannot be read. */
	readonly unreadable: readonly string[];
	/** The announcement that this is as of; null where none was made yet. */
	readonly head: Head | 'unreadable' | null;
};

/** Every domain as its stream says at the time of the call, or later. */
export async function registry(ctx: ReadCtx): Promise<Registry> {
	const { kept, head } = await headOf(ctx);
	const domains: Domain[] = [];
	const unreadable: string[] = [];
	const ids = head === 'unreadable' ? await everKnown(ctx, kept) : namedBy(head).map(({ domain }) => domain);
	const found = await Promise.all(ids.map(async (id) => ({ id, read: await attempt(ctx, kept, head, id) })));
	for (const { id, read: domain } of found) {
		if (domain === 'unreadable') unreadable.push(id);
		else if (domain !== null) domains.push(domain);
	}
	return { domains, unreadable, head };
}

/** Where nobody knows what was announced last: whatever was announced before, or is listed. */
async function everKnown(ctx: ReadCtx, { head }: Kept): Promise<string[]> {
	const listed = await Ledger.Listing.all(ctx, Ledger.Listing.key.domains);
	return [...new Set([...listed, ...namedBy(head).map(({ domain }) => domain)])];
}

const namedBy = (head: Head | 'unreadable' | null) => (head === null || head === 'unreadable' ? [] : head.body.domains);

/** Whether this domain was announced, so that everybody reads it. */
export const isAnnounced = ({ head }: Registry, id: string) => namedBy(head).some(({ domain }) => domain === id);

/** One domain as its stream says at the time of the call, or later; null if there is none. Throws `record-corrupt`. */
export async function get(ctx: ReadCtx, id: string): Promise<Domain | null> {
	const { kept, head } = await headOf(ctx);
	return current(ctx, kept, head, id);
}

async function attempt(
	ctx: ReadCtx,
	kept: Kept,
	head: Registry['head'],
	id: string,
): Promise<Domain | null | 'unreadable'> {
	try {
		return await current(ctx, kept, head, id);
	} catch (error) {
		if (error instanceof BrokerError && error.code === 'record-corrupt') return 'unreadable';
		throw error;
	}
}

async function current(ctx: ReadCtx, kept: Kept, head: Registry['head'], id: string): Promise<Domain | null> {
	const named = namedBy(head).find(({ domain }) => domain === id)?.version;
	const known = kept.domains.get(id);
	if (known !== undefined && named !== undefined && known.version >= named) return known;
	const domain = await read(ctx, id);
	// Of two calls at once the one that read earlier may keep its own: then that is read again, for it is not what was named.
	if (domain !== null) kept.domains.set(id, domain);
	return domain;
}

async function headOf(ctx: ReadCtx): Promise<{ kept: Kept; head: Registry['head'] }> {
	const kept = keptBy.get(ctx.aws) ?? { head: null, domains: new Map() };
	keptBy.set(ctx.aws, kept);
	const known = kept.head?.ver ?? 0;
	try {
		const newer = await Ledger.last(ctx, Ledger.stream.registry(), 'DomainRegistering', known + 1);
		if (newer !== null && newer.ver > (kept.head?.ver ?? 0)) kept.head = newer;
	} catch (error) {
		if (!(error instanceof BrokerError) || error.code !== 'record-corrupt') throw error;
		// Nobody knows what it announced: nothing that is kept is believed.
		return { kept, head: 'unreadable' };
	}
	return { kept, head: kept.head };
}

/** Longer than any call lives (infra: 29 seconds): what was announced before that and is not written never will be. */
const SETTLING_MS = 60_000;

/** An announcement names them all, and an entry holds 60 KiB. */
const MAX_DOMAINS = 500;

/**
 * Says that this version of a domain is about to be written, to whoever keeps an earlier one, and lets those who register
 * follow each other: each has seen what the one before him wrote. Throws `conflict` where another domain was announced
 * since `as` or is being written, or this one moved since; `validation` for one domain too many; `record-corrupt`.
 */
export async function announce(
	ctx: Pick<Context, 'aws' | 'config' | 'clock' | 'random' | 'trace' | 'warn' | 'caller'>,
	{ head, domains: read }: Registry,
	{ domain, version }: { readonly domain: string; readonly version: number },
): Promise<void> {
	if (head === 'unreadable') throw new BrokerError('record-corrupt', 'The last announcement cannot be read.');
	const now = ctx.clock();
	const named = namedBy(head);
	const own = named.find((d) => d.domain === domain);
	if (own !== undefined && own.version > version) throw new BrokerError('conflict', MOVED);
	const others = named.filter((d) => d !== own).map((d) => (isWritten(d, read) ? without(d) : d));
	if (others.some(({ since }) => since !== undefined && now.getTime() - Date.parse(since) < SETTLING_MS)) {
		throw new BrokerError('conflict', 'Another domain is being registered; try again in a moment.');
	}
	if (others.length >= MAX_DOMAINS) {
		const errors = [{ pointer: '', detail: `there are ${MAX_DOMAINS} domains, and there is no room for more` }];
		throw new BrokerError('validation', 'The domain cannot be registered like this.', { errors });
	}
	const domains = [...others, { domain, version, since: now.toISOString() }];
	await Ledger.append(ctx, {
		stream: Ledger.stream.registry(),
		after: head,
		actor: actorOf(ctx),
		body: {
			type: 'DomainRegistering',
			domain,
			version,
			domains: domains.toSorted((a, b) => (a.domain < b.domain ? -1 : 1)),
		},
	});
}

const MOVED = 'This changed while you were at it; read it again and retry.';

type Named = Ledger.BodyOf<'DomainRegistering'>['domains'][number];

const isWritten = ({ domain, version }: Named, read: readonly Domain[]) =>
	read.some((d) => d.id === domain && d.version >= version);
const without = ({ domain, version }: Named): Named => ({ domain, version });

/** Every domain. Throws `record-corrupt` where one cannot be read. */
export async function list(ctx: ReadCtx): Promise<Domain[]> {
	return [...mustBeWhole(await registry(ctx)).domains];
}

/** Throws `record-corrupt` where a domain cannot be read. */
export function mustBeWhole(known: Registry): Registry {
	if (known.unreadable.length > 0) throw new BrokerError('record-corrupt', 'A domain entry cannot be read.');
	return known;
}

/**
 * The domain that a principal belongs to and the one purpose it serves, or null for an unknown ARN. Throws
 * `record-corrupt` where it is not known and a domain that cannot be read might know it.
 */
export async function principal(ctx: ReadCtx, arn: string): Promise<{ domain: Domain; purpose: string } | null> {
	const known = await registry(ctx);
	for (const domain of known.domains) {
		const registered = domain.principals.find((p) => p.arn === arn);
		if (registered !== undefined) return { domain, purpose: registered.purpose };
	}
	mustBeWhole(known);
	return null;
}

/** The persons who hold a role in a domain now. */
export async function holders(ctx: ReadCtx, domain: string, role: Role): Promise<string[]> {
	const found = await get(ctx, domain);
	return (found?.members ?? []).filter((m) => m.roles.includes(role)).map((m) => m.person);
}
