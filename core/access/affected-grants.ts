/**
 * What a published contract, or a changed domain, does to the grants in force: those that could not be given like this
 * any more are held back, those that would outlive the product end with it.
 *
 * The change is durable first, and its entry put a line among what is to be looked at; then the grants are looked at in
 * the call, as far as that goes. All of them are by the sweep (core/access/affected-lines.ts), which alone takes the line
 * off: a crash leaves it. A second line is due when no call can still be opening a grant under what was before; besides,
 * whoever opens or resumes one looks again after he has recorded that. Doing it twice changes nothing. A grant whose
 * record cannot be read stays as it is, and is tried again in each pass.
 */
import pMap from 'p-map';
import * as z from 'zod';
import * as Catalog from '../catalog.ts';
import { type Context, systemContext } from '../context.ts';
import * as Domains from '../domains.ts';
import { BrokerError } from '../error.ts';
import * as Grants from '../grants.ts';
import { idOf } from '../id.ts';
import * as Ledger from '../ledger.ts';
import { Effect, firstOf, isGrave, leftOf } from './affected.ts';
import { effectsNow, type Grounds, grounds } from './affected-ground.ts';

export const Affected = z
	.object({
		grant: idOf('grant'),
		effects: z.array(Effect).min(1),
		action: z.enum(['suspend', 'shorten', 'stays-suspended']).meta({
			description: '`suspend`: shut at once, Lake Formation follows; `shorten`: ends when the product retires',
		}),
	})
	.meta({ id: 'AffectedGrant' });
export type Affected = z.infer<typeof Affected>;

type Found = Affected & { readonly of: Grants.Grant };

/** Looked at in the call that publishes; what is more is left to the sweep. */
const AT_MOST = 200;
/** Tables that are shut in that call: each is a write, and takes its time. */
const TABLES_AT_MOST = 40;
/** Grants looked at at once. */
const AT_ONCE = 8;
const { key } = Ledger.Listing;

/**
 * What the product's contract, as it is given here, does to its grants; with `act` it is done, and without nothing is
 * stored. `whole` is false where not all was looked at, or done, in this call: the sweep goes on with that.
 */
export async function affectedBy(
	ctx: Context,
	product: Catalog.Product,
	act: boolean,
): Promise<{ readonly affected: readonly Affected[]; readonly whole: boolean }> {
	const ground = grounds(ctx, product);
	const page = await Ledger.Listing.list(ctx, key.grantsOfProduct(product.id), { limit: AT_MOST });
	const looked = await each(page.keys, (id) => look(ctx, ground, id), ctx);
	const found = looked.done.filter((f) => f !== null);
	const told = await pMap(found, (f) => Grants.isVisible(ctx, f.of), { concurrency: AT_ONCE });
	const affected = found
		.filter((_, i) => told[i] === true)
		.map(({ grant, effects, action }) => ({ grant, effects, action }));
	const due = act ? firstOf(found, (f) => f.of.scopes.length, TABLES_AT_MOST) : found;
	const done = act ? await each(due, (f) => carryOut(system(ctx), f, 'contract'), ctx) : null;
	const failed = [...looked.failed, ...(done?.failed ?? [])].length > 0;
	return { affected, whole: page.next === null && !failed && due.length === found.length };
}

/** Looks at these grants and does what is due: gives back those that could not be looked at, and those that have ended. */
export async function follow(
	ctx: Context,
	ground: Grounds,
	grants: readonly string[],
	cause: 'contract' | 'domain',
): Promise<{ readonly failed: readonly string[]; readonly over: readonly string[] }> {
	const over: string[] = [];
	const work = async (id: string) => {
		const found = await look(ctx, ground, id, () => over.push(id));
		if (found !== null) await carryOut(ctx, found, cause);
	};
	const { failed } = await each(grants, work, ctx);
	return { failed, over };
}

/**
 * A grant that was just opened: looked at again where the contract was published anew meanwhile, or the domain registered,
 * for whoever did that may not have seen it. `consumerVersion` is that of the domain as it was decided under.
 */
export async function caughtUp(
	ctx: Context,
	opened: Grants.Grant,
	consumerVersion: number | undefined,
): Promise<Grants.Grant> {
	const { product, contract, consumerDomain } = opened.opened.body;
	const [present, consumer] = await Promise.all([Catalog.get(ctx, product), Domains.get(ctx, consumerDomain)]);
	const isSame = present?.hash === contract.hash && consumer?.version === consumerVersion;
	return isSame ? opened : lookAgain(ctx, opened);
}

/** Looks at one grant that was just opened or taken up, after that was recorded, and does what is due. */
export async function lookAgain(ctx: Context, grant: Grants.Grant): Promise<Grants.Grant> {
	const { grant: id } = grant.opened.body;
	const found = await look(ctx, grounds(ctx), id);
	if (found === null) return grant;
	await carryOut(system(ctx), found, 'contract');
	return (await Grants.get(ctx, id)) ?? grant;
}

/** Throws `conflict` with the effects where a grant could not be given like this now. */
export async function mustStillStand(ctx: Context, grant: Grants.Grant): Promise<void> {
	const effects = (await effectsNow(ctx, grounds(ctx), grant)).filter(isGrave);
	if (effects.length === 0) return;
	const { grant: id } = grant.opened.body;
	const what = [...new Set(effects.map((e) => e.code))].join(', ');
	const detail =
		`The contract or the domain is another now (${what}), so this cannot be taken up as it was approved. ` +
		`Ask for what is left of it with POST /api/v1/grants/${id}/renew: it goes by the present route.`;
	throw new BrokerError('conflict', detail, { effects, state: grant.state });
}

/** What the contract still has of a grant, for asking for that again. Throws `conflict` where nothing is left. */
export async function stillThere(ctx: Context, { opened, scopes }: Grants.Grant): Promise<Grants.Grant['scopes']> {
	const product = await Catalog.get(ctx, opened.body.product);
	const left = product === null ? [] : leftOf(product, scopes);
	if (left.length > 0) return left;
	throw new BrokerError('conflict', 'The contract has nothing any more of what this grant opened; ask anew.');
}

const system = (ctx: Context) => systemContext(ctx, ctx.trace);

async function each<T, R>(all: readonly T[], work: (one: T) => Promise<R>, ctx: Pick<Context, 'warn'>) {
	const done: R[] = [];
	const failed: T[] = [];
	const one = async (item: T) => {
		try {
			done.push(await work(item));
		} catch (error) {
			failed.push(item);
			ctx.warn('access: a grant that a change may affect is left to the sweep', error);
		}
	};
	await pMap(all, one, { concurrency: AT_ONCE });
	return { done, failed };
}

/** What a change does to this grant; null where nothing. */
async function look(ctx: Context, ground: Grounds, id: string, ended: () => unknown = () => {}): Promise<Found | null> {
	const grant = await Grants.get(ctx, id);
	if (grant?.state === 'revoked' || grant?.state === 'expired') ended();
	// Nothing can be said of it, or is left to do for it.
	if (grant === null || Grants.isOver(grant)) return null;
	const effects = await effectsNow(ctx, ground, grant);
	if (effects.length === 0) return null;
	const held = grant.state === 'suspending' || grant.state === 'suspended';
	const action = !effects.some(isGrave) ? 'shorten' : held ? 'stays-suspended' : 'suspend';
	return { grant: id, effects, action, of: grant };
}

/** Told in the log where there was something to do. */
async function carryOut(ctx: Context, { of: grant, effects }: Found, cause: 'contract' | 'domain'): Promise<void> {
	const codes = effects.map((e) => e.code).join(' ');
	const until = effects.find((e) => e.until !== null)?.until ?? null;
	// What retired before now ends now.
	const ends = until === null || until > ctx.now.toISOString() ? until : ctx.now.toISOString();
	const shorter = ends === null ? grant : await Grants.shorten(ctx, grant, ends);
	const grave = effects.filter(isGrave).map(({ code, rules, roles }) => ({ code, rules, roles }));
	const held = grave.length > 0 && (await Grants.overtake(ctx, shorter, cause, grave));
	if (!held && shorter === grant) return;
	const told = new Error(`${grant.opened.body.grant} ${codes}`);
	ctx.warn('grant.affected', Object.assign(told, { name: 'GrantAffected', code: told.message }));
}
