/**
 * Which live grants a change of the rules would break: each judged again as if it were asked for now, under the rules in
 * force and under the changed ones. Page by page, so that memory does not grow with the number of grants.
 *
 * The requester counts as a consumer of his domain, whoever he is by now, and the principal as registered: what broke
 * without the change is none of it. So each difference that is told comes of the change alone.
 */
import pMap from 'p-map';
import * as z from 'zod';
import * as Access from '../access.ts';
import * as Catalog from '../catalog.ts';
import { type Caller, type Context, type PolicySet, roles } from '../context.ts';
import { makeCursor, readCursor } from '../cursor.ts';
import * as Domains from '../domains.ts';
import * as Grants from '../grants.ts';
import { idOf, ProductId, Slug } from '../id.ts';
import * as Ledger from '../ledger.ts';
import { authorize, Entity } from '../policy.ts';
import { type Verdict, verdictOf } from './verdict.ts';

export const Broken = z
	.object({
		grant: idOf('grant'),
		product: ProductId,
		consumerDomain: Slug,
		allowed: z.boolean().meta({ description: 'Whether it could still be asked for' }),
		refusedBy: z.array(z.string()).meta({ description: 'Rules that would refuse it, and do not now' }),
		requires: z.array(z.enum(roles)).meta({ description: 'Roles that would have to approve it besides' }),
		readersLost: z.int().min(0).meta({ description: 'Beneficiaries who could no longer query under it' }),
	})
	.meta({ id: 'BrokenGrant' });
export type Broken = z.infer<typeof Broken>;

export type Paging = { readonly pageSize: number; readonly pageToken?: string | undefined };

/** A page of live grants with all that the rules look at. */
export type Page = {
	readonly live: readonly Live[];
	/** Grants whose record cannot be read: nobody can say. */
	readonly unreadable: readonly string[];
	readonly nextPageToken: string | null;
};

type Content = Parameters<typeof Access.judge>[1];
type Live = {
	readonly grant: string;
	readonly product: string;
	readonly consumerDomain: string;
	readonly requester: Caller;
	readonly beneficiaries: readonly Caller[];
	readonly content: Content;
};

/** Grants read at once. */
const AT_ONCE = 8;
const { key, SHARDS } = Ledger.Listing;

/** The grants on a page, read. `scope` is what the page token is good for besides its caller. */
export async function pageOf(ctx: Context, paging: Paging, scope: readonly unknown[]): Promise<Page> {
	const { ids, next } = await listed(ctx, startOf(ctx, paging.pageToken, scope), paging.pageSize);
	const once = lookups(ctx);
	const read = await pMap(ids, (id) => tell(ctx, once, id), { concurrency: AT_ONCE });
	return {
		live: read.flatMap((r) => (r === null || typeof r === 'string' ? [] : [r])),
		unreadable: read.flatMap((r) => (typeof r === 'string' ? [r] : [])),
		nextPageToken: next === null ? null : makeCursor(ctx, scope, next),
	};
}

/** What each would come to under another set of rules; those that stay as they are left out. Looks nothing up. */
export function broken(ctx: Context, live: readonly Live[], set: PolicySet): Broken[] {
	const before = judging(ctx, ctx.policies);
	const after = judging(ctx, set);
	return live.flatMap((one) => difference(one, before(one), after(one)));
}

type Standing = { readonly verdict: Verdict; readonly readers: ReadonlySet<string | null> };

/** Who may query is asked once of each person, for all the grants of his domain. */
function judging(ctx: Context, policies: PolicySet): (one: Live) => Standing {
	const reads = new Map<string, boolean>();
	const query = (caller: Caller, domain: string) => authorize({ policies, caller }, 'runQuery', Entity.domain(domain));
	const mayRead = (caller: Caller, domain: string) => {
		const of = `${caller.person} ${domain}`;
		const known = reads.get(of) ?? verdictOf(policies, () => ({ permit: query(caller, domain), auto: null })).allowed;
		reads.set(of, known);
		return known;
	};
	return ({ requester, content, consumerDomain, beneficiaries }) => {
		const asking = { ...ctx, policies, caller: requester };
		const verdict = verdictOf(policies, () => Access.judge(asking, content));
		const readers = beneficiaries.filter((caller) => mayRead(caller, consumerDomain));
		return { verdict, readers: new Set(readers.map((r) => r.person)) };
	};
}

function difference({ grant, product, consumerDomain }: Live, before: Standing, after: Standing): Broken[] {
	const now = after.verdict;
	const refusedBy = now.allowed
		? []
		: now.rules.filter((id) => before.verdict.allowed || !before.verdict.rules.includes(id));
	const requires = before.verdict.allowed && now.allowed ? added(before.verdict.route, now.route) : [];
	const readersLost = [...before.readers].filter((person) => !after.readers.has(person)).length;
	const lost = before.verdict.allowed && !now.allowed;
	if (!lost && refusedBy.length === 0 && requires.length === 0 && readersLost === 0) return [];
	const roleOf = (name: string) => roles.filter((role) => role === name);
	return [
		{
			grant,
			product,
			consumerDomain,
			allowed: now.allowed,
			refusedBy,
			requires: requires.flatMap(roleOf),
			readersLost,
		},
	];
}

/** What the second list has more of than the first, each as often as it has more. */
function added(before: readonly string[], after: readonly string[]): string[] {
	const left = [...before];
	return after.filter((role) => {
		const at = left.indexOf(role);
		if (at !== -1) left.splice(at, 1);
		return at === -1;
	});
}

const Place = z.strictObject({ shard: z.int(), after: z.string() });
type Place = z.infer<typeof Place>;

/** Grants stand in the listing of ends by their end: those that have ended by now come first, and are passed over. */
function startOf(ctx: Context, token: string | undefined, scope: readonly unknown[]): Place {
	if (token !== undefined) return Place.parse(readCursor(ctx, scope, token));
	return { shard: 0, after: beginning(ctx) };
}

const beginning = ({ now }: Context) => `${now.toISOString()}~`;

async function listed(ctx: Context, from: Place, size: number): Promise<{ ids: string[]; next: Place | null }> {
	const ids: string[] = [];
	let { shard, after } = from;
	while (shard < SHARDS && ids.length < size) {
		const page = await Ledger.Listing.list(ctx, key.due(shard), { limit: size - ids.length, after });
		ids.push(...page.keys.map((line) => line.slice(line.indexOf('#') + 1)));
		if (page.next === null) shard += 1;
		after = page.next ?? beginning(ctx);
	}
	return { ids, next: shard < SHARDS ? { shard, after } : null };
}

type Lookups = ReturnType<typeof lookups>;

/** What many grants share is read once a page. */
function lookups(ctx: Context) {
	const once = <T>(read: (id: string) => Promise<T>) => {
		const known = new Map<string, Promise<T>>();
		return (id: string): Promise<T> => {
			const found = known.get(id) ?? read(id);
			known.set(id, found);
			return found;
		};
	};
	return {
		product: once((id) => Catalog.get(ctx, id)),
		personal: once((id) => Catalog.personalColumns(ctx, id)),
		serving: once((arn) => Domains.principal(ctx, arn)),
		domain: once((id) => Domains.get(ctx, id)),
		person: once((id) => Domains.registered(ctx, id)),
	};
}

/** A grant with what the rules look at; null for one that is over, its id where the record cannot be read. */
async function tell(ctx: Context, once: Lookups, id: string): Promise<Live | string | null> {
	const live = await Ledger.readable(async () => {
		const grant = await Grants.get(ctx, id);
		return grant === null || Grants.isOver(grant) ? 'over' : liveOf(ctx, once, grant);
	});
	if (live === 'over') return null;
	return live ?? id;
}

async function liveOf(
	ctx: Context,
	once: Lookups,
	{ opened, scopes, beneficiaries }: Grants.Grant,
): Promise<Live | null> {
	const { body } = opened;
	const asked = Ledger.find(await Ledger.read(ctx, Ledger.stream.request(body.request)), 'AccessRequested');
	const [product, personal, known, domain] = await Promise.all([
		once.product(body.product),
		once.personal(body.product),
		once.serving(body.principal),
		once.domain(body.consumerDomain),
	]);
	if (asked === undefined || product === null || domain === null) return null;
	const requester = await once.person(asked.body.requester);
	const consumer = { domain: body.consumerDomain, role: 'consumer' as const };
	const serving = known?.domain.id === domain.id ? known : { domain, purpose: body.purpose };
	return {
		grant: body.grant,
		product: body.product,
		consumerDomain: body.consumerDomain,
		requester: { ...requester, roles: [...requester.roles, consumer] },
		beneficiaries: await Promise.all(beneficiaries.map((b) => once.person(b))),
		content: { product, serving, scopes, purpose: body.purpose, duration: Access.daysOf(body), personal },
	};
}
