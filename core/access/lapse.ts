/**
 * A request's own clock. Nobody can decide on it from the instant at which it lapses on, sweep or no sweep; the sweep
 * records that, and before it, once, that those who must still decide were reminded.
 */
import { type Context, SYSTEM } from '../context.ts';
import * as Delegation from '../delegation.ts';
import * as Ledger from '../ledger.ts';
import { get, type Request, standing } from './load.ts';
import { waitFrom } from './open.ts';
import { openRoles } from './state.ts';

type Ctx = Pick<Context, 'config' | 'now'>;

/** How long after what is asked for was last said a reminder is due. */
const untilReminder = ({ config }: Ctx) => config.requestLapsesAfterMs - config.remindBeforeMs;

/** The last key among requests by time that the sweep must look at now. */
export function dueUpTo(ctx: Ctx): string {
	return `${new Date(ctx.now.getTime() - untilReminder(ctx)).toISOString()}~`;
}

/**
 * Reminds of a request, or records that it has lapsed, where that is due. `line` is where it stands among those that
 * wait; it goes, and another one takes its place as long as there is something to wait for.
 */
export async function followUp(ctx: Context, line: string): Promise<void> {
	const id = line.slice(line.indexOf('#') + 1);
	const request = await get(ctx, id);
	const { remove, key, shardOf } = Ledger.Listing;
	const next = request === null ? null : await step(ctx, request);
	if (next !== null) {
		const from = new Date(next.getTime() - untilReminder(ctx)).toISOString();
		// Nothing is due yet at the time that the line stands for: it stays.
		if (`${from}#${id}` === line) return;
		await waitFrom(ctx, id, from);
	}
	await remove(ctx, key.pending(shardOf(id)), line);
}

/** Does what is due; gives when to look again, null for never. */
async function step(ctx: Context, request: Request): Promise<Date | null> {
	const { id, lapsesAt } = request;
	if (request.state === 'expired') {
		const told = request.entries.at(-1)?.body.type === 'AccessLapsed';
		if (!told) await append(ctx, request, { type: 'AccessLapsed', request: id });
		return null;
	}
	if (request.state !== 'pending') return null;
	// What was asked for in an emergency is for nobody to approve.
	if (request.remindedAt !== null || request.filed.body.breakGlass !== undefined) return lapsesAt;
	const remindAt = new Date(lapsesAt.getTime() - ctx.config.remindBeforeMs);
	if (ctx.now < remindAt) return remindAt;
	const awaiting = openRoles(request.content.route, await standing(ctx, request));
	const delegations = await Delegation.inForceFor(ctx, request.filed.body.productDomain, awaiting);
	await append(ctx, request, {
		type: 'AccessReminded',
		request: id,
		awaiting,
		...(delegations.length === 0 ? {} : { delegations }),
		lapses: lapsesAt.toISOString(),
	});
	return lapsesAt;
}

async function append(
	ctx: Context,
	request: Request,
	body: Ledger.BodyOf<'AccessLapsed'> | Ledger.BodyOf<'AccessReminded'>,
): Promise<void> {
	const after = request.entries.at(-1) ?? null;
	await Ledger.append(ctx, { stream: Ledger.stream.request(request.id), after, actor: SYSTEM, body });
}
