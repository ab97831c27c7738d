/**
 * Asking that a payload be erased: recorded first, by whoever answers for it, and carried out by the eraser. The process
 * that takes the asking can erase nothing.
 */
import * as z from 'zod';
import { actorOf, type Context } from '../context.ts';
import { type Erasure, entryIn, get } from '../eraser.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import { authorize, Entity, notFound } from '../policy.ts';
import { find } from '../tlog.ts';

export const ErasureRequest = z
	.strictObject({
		reason: z.enum(Ledger.erasureReasons),
		note: z.string().trim().min(1).max(2000).optional().meta({
			description: 'In words, such as the number of a case. It is a payload itself, and can be erased like one.',
		}),
	})
	.meta({ id: 'ErasureRequest' });
export type ErasureRequest = z.infer<typeof ErasureRequest>;

/**
 * Records that the payload of an entry is to go. Throws `not-found`, `nothing-to-erase`, and `still-needed` with what
 * needs it.
 */
export async function request(ctx: Context, id: string, body: ErasureRequest): Promise<Erasure> {
	const permit = authorize(ctx, 'eraseEntry', Entity.mesh(ctx.config.governance));
	const at = await find(ctx, id);
	const found = at.state === 'unknown' ? null : await entryIn(ctx, at.stream, id);
	if (found === null) throw notFound();
	const { recorded, hash, needed } = found;
	if (hash === undefined) throw nothing('The entry has no payload: all of it is in the log.');
	mustBeNew(await get(ctx, id));
	const why = await needed();
	if (why !== null) throw new BrokerError('still-needed', `It stays: ${why}.`);
	try {
		const asked = await Ledger.append(ctx, {
			stream: Ledger.stream.erasure(id),
			after: null,
			actor: actorOf(ctx),
			body: {
				type: 'ErasureRequested',
				entry: id,
				of: { stream: recorded.stored.stream, ver: recorded.ver, type: recorded.body.type },
				reason: body.reason,
				requester: actorOf(ctx),
				rules: permit.rules,
			},
			...(body.note === undefined ? {} : { pii: { note: body.note } }),
		});
		return { asked: Ledger.as(asked, 'ErasureRequested'), done: null };
	} catch (error) {
		if (error instanceof BrokerError && error.code === 'conflict') mustBeNew(await get(ctx, id));
		throw error;
	}
}

function mustBeNew(known: Erasure | null): void {
	if (known === null) return;
	const { asked, done } = known;
	throw nothing(
		done === null
			? `It was asked for at ${asked.entry.at}, and is about to be erased.`
			: `The payload was erased at ${done.entry.at}.`,
	);
}

const nothing = (detail: string) => new BrokerError('nothing-to-erase', detail);
