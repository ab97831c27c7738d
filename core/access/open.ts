/**
 * From the decision that completed a route to its grant. The decision is durable first; the grant is begun only if each
 * approver still holds his role at that moment and the filter can still be read, and where that is later than the
 * decision, because a crash lies in between, only if it could still be decided so. Otherwise the decision is taken back,
 * and the request is pending again.
 *
 * Several processes may do this at once, and any of them may stall anywhere. Each completion names a grant of its own,
 * whose first entry decides among those that open it. Between one that opens and one that takes back, each stores before
 * it reads: the opening is recorded, then it is looked whether the decision still stands; that it was taken back is
 * recorded, then it is looked whether the grant was opened. So at least one of them sees the other, and ends the grant.
 */
import { type Context, SYSTEM, systemContext } from '../context.ts';
import { isRefusal } from '../error.ts';
import * as Grants from '../grants.ts';
import * as Ledger from '../ledger.ts';
import { caughtUp } from './affected-grants.ts';
import { mustStillBeTakable } from './breakglass-rules.ts';
import { BREAK_GLASS, isCondemned } from './breakglass-taken.ts';
import { get, type Request, standing } from './load.ts';
import { mustEndInTime, until } from './request.ts';
import { mustBeAllowed, mustStand } from './stands.ts';
import { BY_POLICY, openRoles } from './state.ts';

/**
 * From when to when a grant opens that is decided on now: until the first end of these durations. One that was shorter
 * when an approver left it can be the longer one from here on.
 */
export function windowOf(durations: readonly string[], now: Date): { from: string; until: string } {
	const [first = ''] = durations.map((d) => until(d, now).toISOString()).toSorted();
	return { from: now.toISOString(), until: first };
}

/**
 * Opens the grant of what this very call has just looked at and decided. The decision stands whatever happens now: a grant
 * that cannot be opened at once is left to the sweep.
 */
export async function tryOpen(ctx: Context, request: Request): Promise<Grants.Grant | null> {
	try {
		return await begin(ctx, request, await isComplete(ctx, request));
	} catch (error) {
		ctx.warn('access: a grant is left to the sweep', error);
		return null;
	}
}

/** Opens, or goes on opening, the grant of an approved request; null where it is not approved any more. */
export async function openGrant(ctx: Context, request: Request): Promise<Grants.Grant | null> {
	await endTakenBack(ctx, request);
	const { granting } = request;
	const grant = granting?.body.grant;
	if (granting === null || grant === undefined) return null;
	if (isCondemned(request)) {
		await endGrantOf(ctx, granting);
		return null;
	}
	const begun = (await Grants.get(ctx, grant)) !== null;
	const approved = begun || ((await isComplete(ctx, request)) && (await couldBeDecided(ctx, request)));
	return begin(ctx, request, approved, begun);
}

async function begin(ctx: Context, request: Request, approved: boolean, begun = false): Promise<Grants.Grant | null> {
	const { content, filed, granting } = request;
	const { grant, from, until: ends } = granting?.body ?? {};
	if (granting === null || grant === undefined || from === undefined || ends === undefined) return null;
	if (!approved) {
		await reopen(ctx, request, granting);
		return null;
	}
	if (granting.body.as === BREAK_GLASS && !begun) tellBroken(ctx, request);
	const opened = await Grants.open(ctx, {
		grant,
		request: request.id,
		decisionLeaf: granting.leaf,
		product: filed.body.product,
		productDomain: filed.body.productDomain,
		contract: content.contract,
		consumerDomain: filed.body.consumerDomain,
		principal: content.principal,
		purpose: content.purpose,
		legalBasis: content.legalBasis,
		tables: content.scopes,
		beneficiaries: [...content.beneficiaries],
		from,
		until: ends,
		...(filed.body.renews === undefined ? {} : { renews: filed.body.renews }),
		...(filed.body.breakGlass === undefined ? {} : { breakGlass: { reviewDue: filed.body.breakGlass.reviewDue } }),
	});
	const present = await caughtUp(ctx, opened, granting.body.consumerVersion);
	if (present.state === 'granted') return present;
	const stands = (await get(ctx, request.id))?.granting?.leaf === granting.leaf;
	return stands ? present : null;
}

/** Whoever watches the log hears of it before it opens anything; twice, if whoever opened it died before he recorded that. */
function tellBroken(ctx: Context, { id }: Request): void {
	const error = new Error(`${id} is open without approval`);
	ctx.warn('access: glass broken', Object.assign(error, { name: 'BreakGlass', code: id }));
}

/** Everyone who must approve has, and still may; and what they approved can be read. */
async function isComplete(ctx: Context, request: Request): Promise<boolean> {
	const { content, granting } = request;
	if (!content.scopes.every((s) => s.readable)) return false;
	if (granting?.body.as === BY_POLICY || granting?.body.as === BREAK_GLASS) return true;
	return openRoles(content.route, await standing(ctx, request)).length === 0;
}

/** Whether what was decided some time ago could be decided so now. */
async function couldBeDecided(ctx: Context, request: Request): Promise<boolean> {
	const { content, granting } = request;
	const ends = granting?.body.until;
	if (ends === undefined) return false;
	try {
		const ground = await mustStand(ctx, request);
		mustEndInTime(ground.product, new Date(ends), ctx.now);
		const { auto } = await mustBeAllowed(ctx, request, ground, content);
		if (granting?.body.as === BREAK_GLASS) await mustStillBeTakable(ctx, request);
		return granting?.body.as !== BY_POLICY || auto !== null;
	} catch (error) {
		if (!isRefusal(error)) throw error;
		ctx.warn('access: what was decided is not granted any more, and waits again', error);
		return false;
	}
}

async function reopen(ctx: Context, request: Request, granting: Ledger.Recorded<'AccessDecided'>): Promise<void> {
	const { id } = request;
	// It waits again, so the sweep must look at it again; should nothing come of this, the line leads nowhere.
	await waitFrom(ctx, id, request.since);
	await Ledger.append(ctx, {
		stream: Ledger.stream.request(id),
		after: request.entries.at(-1) ?? null,
		actor: SYSTEM,
		body: { type: 'AccessReopened', request: id, decision: granting.body.decision },
	});
	await endGrantOf(ctx, granting);
}

/** Whoever took a decision back may have died before he looked for its grant. */
async function endTakenBack(ctx: Context, { entries, granting }: Request): Promise<void> {
	const back = new Set(entries.flatMap(({ body }) => (body.type === 'AccessReopened' ? [body.decision] : [])));
	for (const entry of entries) {
		if (entry.body.type !== 'AccessDecided' || !back.has(entry.body.decision) || entry.leaf === granting?.leaf)
			continue;
		await endGrantOf(ctx, Ledger.as(entry, 'AccessDecided'));
	}
}

/** Ends the grant of a decision that was taken back, if somebody opened it. */
async function endGrantOf(ctx: Context, { body }: Ledger.Recorded<'AccessDecided'>): Promise<void> {
	if (body.grant === undefined || (await Grants.get(ctx, body.grant)) === null) return;
	await Grants.advance(systemContext(ctx, ctx.trace), body.grant);
}

/** Puts a request among those that the sweep looks at for reminding and lapsing. */
export async function waitFrom(ctx: Context, id: string, at: string): Promise<void> {
	const { applyProjections, key, shardOf } = Ledger.Listing;
	await applyProjections(ctx, [{ op: 'put', pk: key.pending(shardOf(id)), sk: `${at}#${id}` }]);
}
