/**
 * From a request that was stored in an emergency to its grant. Decided by nobody: recorded as the system's, with the rules
 * that let it be taken. A crash before that is taken up by the sweep, one after it as of any decision.
 */
import { type Context, SYSTEM } from '../context.ts';
import * as Domains from '../domains.ts';
import { isRefusal } from '../error.ts';
import * as Grants from '../grants.ts';
import * as Ledger from '../ledger.ts';
import type { Permit } from '../policy.ts';
import { mustStillBeTakable } from './breakglass-rules.ts';
import { BREAK_GLASS, unlist } from './breakglass-taken.ts';
import { get, type Request } from './load.ts';
import { openGrant } from './open.ts';
import { approveUnattended } from './unattended.ts';

export type Taken = { readonly request: Request; readonly grant: Grants.Grant | null };

/** `consumerVersion` is of the consuming domain as it was when that was permitted. */
export async function take(
	ctx: Context,
	request: Request,
	{ rules }: Permit<'breakGlass'>,
	consumerVersion: number | undefined,
): Promise<Taken> {
	const window = { from: ctx.now.toISOString(), until: request.filed.body.breakGlass?.until };
	const grant = await approveUnattended(ctx, request, { as: BREAK_GLASS, rules, consumerVersion, ...window });
	return { request: (await get(ctx, request.id)) ?? request, grant };
}

/**
 * The sweep's part, of a request that is on its way: takes what was asked for in an emergency, opens the grant of what is
 * decided, and ends what cannot be taken any more. False where it is to be looked at again.
 */
export async function proceed(ctx: Context, id: string): Promise<boolean> {
	const request = await get(ctx, id);
	if (request === null) return true;
	const emergency = request.filed.body.breakGlass !== undefined;
	if (emergency && request.state === 'pending') await takeLate(ctx, request);
	const taken = emergency ? ((await get(ctx, id)) ?? request) : request;
	if (emergency && taken.state === 'pending') return false;
	await openGrant(ctx, taken);
	if (emergency) await endIfOver(ctx, id);
	return true;
}

async function endIfOver(ctx: Context, id: string): Promise<void> {
	const request = await get(ctx, id);
	if (request?.state === 'expired' && request.entries.at(-1)?.body.type !== 'AccessLapsed') await giveUp(ctx, request);
}

/** Records that it will not be taken, and so is nothing to review. */
export async function giveUp(ctx: Context, request: Pick<Request, 'id' | 'filed' | 'entries'>): Promise<void> {
	const { id } = request;
	const after = request.entries.at(-1) ?? null;
	const body = { type: 'AccessLapsed' as const, request: id };
	await Ledger.append(ctx, { stream: Ledger.stream.request(id), after, actor: SYSTEM, body });
	await unlist(ctx, request);
}

/** For what is left of the time that was asked for. */
async function takeLate(ctx: Context, request: Request): Promise<void> {
	const { content, filed } = request;
	try {
		const consumer = await Domains.get(ctx, filed.body.consumerDomain);
		const permit = await mustStillBeTakable(ctx, request);
		const { principal: by, purpose: why, beneficiaries, scopes } = content;
		const asking = { product: filed.body.product, purpose: why, beneficiaries };
		await Grants.feasible(
			{ ...ctx, caller: await Domains.registered(ctx, filed.body.requester) },
			by,
			scopes,
			null,
			asking,
		);
		await take(ctx, request, permit, consumer?.version);
	} catch (error) {
		// What could not be taken now is not; somebody who was quicker has taken or ended it.
		if (!isRefusal(error)) throw error;
	}
}
