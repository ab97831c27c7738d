/**
 * What a grant was given under and what there is now, gathered for core/access/affected.ts. Only reads.
 *
 * What it was given under is told by hashes and versions, never by instants: its contract version by the leaf that it
 * names, its domain by the version that the decision names. A contract version that cannot be read, and is another one, is
 * passed over: it keeps no grant from being looked at.
 */
import * as Catalog from '../catalog.ts';
import type { Context } from '../context.ts';
import * as Domains from '../domains.ts';
import { BrokerError } from '../error.ts';
import type * as Grants from '../grants.ts';
import * as Ledger from '../ledger.ts';
import { type Bound, type Effect, effectsOf, judged } from './affected.ts';
import { get, type Request } from './load.ts';
import { type Asking, ruled } from './rules.ts';
import { BY_POLICY } from './state.ts';

export type Grounds = ReturnType<typeof grounds>;

/** What many grants share is read once. `present` stands for the product as last published. */
export function grounds(ctx: Context, present: Catalog.Product | null = null) {
	const once = <T>(read: (id: string) => Promise<T>) => {
		const known = new Map<string, Promise<T>>();
		return (id: string): Promise<T> => {
			const found = known.get(id) ?? read(id);
			known.set(id, found);
			return found;
		};
	};
	return {
		present: once(async (id) => (present?.id === id ? present : Catalog.get(ctx, id))),
		versions: once((id) => Catalog.readableVersions(ctx, id)),
		serving: once((arn) => Domains.principal(ctx, arn)),
		domain: once((id) => Domains.get(ctx, id)),
		history: once((id) => Ledger.read(ctx, Ledger.stream.domain(id))),
	};
}

/** What became of a grant's ground since it was decided on; none where it stands as it is. */
export async function effectsNow(ctx: Context, ground: Grounds, grant: Grants.Grant): Promise<Effect[]> {
	const { body } = grant.opened;
	const [request, product, versions, known, domain, history] = await Promise.all([
		get(ctx, body.request),
		ground.present(body.product),
		ground.versions(body.product),
		ground.serving(body.principal),
		ground.domain(body.consumerDomain),
		ground.history(body.consumerDomain),
	]);
	if (request === null || product === null || domain === null) throw corrupt('something without entries');
	const at = versions.findIndex((v) => v?.leaf === body.contract.leaf);
	const given = versions[at];
	if (given == null) throw corrupt('a contract version that cannot be read');
	const { purpose } = body;
	const asking = { purpose, duration: daysOf(body) };
	const caller = consumerOf(domain.id);
	const rules = (of: Omit<Asking, keyof typeof asking>) => ruled({ ...ctx, caller }, { ...asking, ...of });
	const { scopes } = grant;
	const left = judged(product, scopes);
	const then = { ...domain, attributes: decidedUnder(grant, request, history).attributes ?? {} };
	const [personalThen, personal] = personalOf(versions, at);
	const before = rules({ product: given, serving: { domain: then, purpose }, scopes, personal: personalThen });
	return effectsOf({
		scopes,
		until: grant.until,
		approved: approvalOf(grant, request),
		given: { product: given, ruled: before },
		now: {
			product,
			ruled: left.length === 0 ? before : rules({ product, serving: { domain, purpose }, scopes: left, personal }),
			consumer: domain,
			served: known?.domain.id === domain.id && known.purpose === purpose,
		},
	});
}

const corrupt = (what: string) => new BrokerError('record-corrupt', `A grant names ${what}.`);

/**
 * In whose place both are asked: a consumer of the domain and nothing else. What became of whoever asked ends nothing that
 * others approved, and no other role of his hides what a change brought about.
 */
function consumerOf(domain: string): Context['caller'] {
	return { issuer: '', subject: '', person: 'consumer', roles: [{ domain, role: 'consumer' }] };
}

/** The decision that a grant was opened for. */
export function decisionOf({ opened }: Grants.Grant, { entries }: Pick<Request, 'entries'>) {
	const found = entries.find((e) => e.leaf === opened.body.decisionLeaf);
	return found === undefined ? null : Ledger.as(found, 'AccessDecided');
}

/** The consuming domain as it was decided under. Decisions of before say no version: by their instant then. */
function decidedUnder(grant: Grants.Grant, request: Request, history: readonly Ledger.Recorded[]) {
	const decided = decisionOf(grant, request);
	const version = decided?.body.consumerVersion;
	const { at } = (decided ?? grant.opened).entry;
	const was = history.findLast((e) => (version === undefined ? e.entry.at <= at : e.ver === version));
	if (was === undefined) throw corrupt('a state of its domain that is not there');
	return Ledger.as(was, 'DomainRegistered').body;
}

function approvalOf(grant: Grants.Grant, request: Request): Bound['approved'] {
	if (grant.breakGlass !== null) return null;
	return { route: request.content.route, byRule: decisionOf(grant, request)?.body.as === BY_POLICY };
}

/**
 * As `Catalog.personalColumns`, once as it was known at one version and once as it is now. A version that cannot be read
 * and is older says the same to both; where it is newer, every column may have become personal.
 */
function personalOf(
	versions: readonly (Catalog.Product | null)[],
	at: number,
): [Asking['personal'], Asking['personal']] {
	const everything = () => ({ has: () => true });
	const lost = versions.slice(at + 1).includes(null);
	return [personalIn(versions.slice(0, at + 1)), lost ? everything : personalIn(versions)];
}

function personalIn(versions: readonly (Catalog.Product | null)[]): Asking['personal'] {
	const tables = versions.flatMap((v) => v?.contract.tables ?? []);
	return ({ database, table }) => {
		const same = tables.filter((t) => t.name === table && t.database === database);
		return new Set(same.flatMap((t) => t.columns.filter((c) => c.personal).map((c) => c.name)));
	};
}

const DAY = 86_400_000;

/** The window that was granted, as whoever asked for it would say it. */
export function daysOf({ from, until }: { readonly from: string; readonly until: string }): string {
	return `P${Math.max(1, Math.ceil((Date.parse(until) - Date.parse(from)) / DAY))}D`;
}
