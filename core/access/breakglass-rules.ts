/**
 * Whether somebody may take access in an emergency, as rules, registry and contract are now: whatever refuses a request
 * refuses this, too, and only the approvals are not waited for. Only reads.
 */
import * as Catalog from '../catalog.ts';
import type { Context } from '../context.ts';
import * as Domains from '../domains.ts';
import { BrokerError } from '../error.ts';
import type { Permit } from '../policy.ts';
import { pastOf } from './breakglass-past.ts';
import type { Request } from './load.ts';
import { mustEndInTime } from './request.ts';
import { type Asking, judgeTaking } from './rules.ts';
import { type Ground, mustBeAllowed, mustStand } from './stands.ts';

/** `but` is a request that does not count against him. Throws `not-permitted`, or `request-refused` with what each rule that forbids asks for. */
export async function mustBeTakable(
	ctx: Context,
	ground: Ground,
	{ scopes, purpose, duration }: Pick<Asking, 'scopes' | 'purpose' | 'duration'>,
	but: string | null = null,
): Promise<Permit<'breakGlass'>> {
	const personal = await Catalog.personalColumns(ctx, ground.product.id);
	const past = await pastOf(ctx, ctx.caller, but);
	return judgeTaking(ctx, { ...ground, scopes, purpose, duration, personal }, past);
}

/** The same of what was asked for some time ago: whoever did must still be somebody who may. */
export async function mustStillBeTakable(ctx: Context, request: Request): Promise<Permit<'breakGlass'>> {
	const { content, filed } = request;
	const ground = await mustStand(ctx, request);
	mustEndInTime(ground.product, new Date(filed.body.breakGlass?.until ?? filed.entry.at), ctx.now);
	await mustBeAllowed(ctx, request, ground, content);
	const caller = await Domains.registered(ctx, filed.body.requester);
	return mustBeTakable({ ...ctx, caller }, ground, content, request.id);
}

/** Throws `conflict` for what was asked for without approvers: nobody puts himself in their place, or changes it later. */
export function mustBeOrdinary({ filed }: Pick<Request, 'filed'>): void {
	if (filed.body.breakGlass === undefined) return;
	const detail = 'This was asked for in an emergency, for nobody to approve or change; let it be asked for anew.';
	throw new BrokerError('conflict', detail);
}
