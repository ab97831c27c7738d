/** An erasure as the API shows it. */
import * as z from 'zod';
import type { Context } from '../context.ts';
import type { Erasure } from '../eraser.ts';
import { idOf } from '../id.ts';
import * as Ledger from '../ledger.ts';

export const ErasureView = z
	.object({
		entry: idOf('entry'),
		stream: z.string(),
		version: z.int().min(1),
		type: z.string().meta({ description: 'Type of the entry' }),
		reason: z.enum(Ledger.erasureReasons),
		note: z.string().nullable().meta({ description: 'null where there is none, or once that is erased itself' }),
		requestedAt: z.iso.datetime(),
		requestedBy: idOf('person').meta({ description: 'Pseudonym' }),
		state: z.enum(['requested', 'erased']),
		erasedAt: z.iso.datetime().nullable(),
		hash: Ledger.Hash.nullable().meta({ description: 'SHA-256(salt || payload) in the entry, of what was erased' }),
		found: z.enum(Ledger.erasureFindings).nullable().meta({
			description:
				'What the eraser found there: the payload that the hash is of, something else, or nothing any more, as after a pass that was cut off',
		}),
	})
	.meta({ id: 'Erasure' });
export type ErasureView = z.infer<typeof ErasureView>;

export async function viewOf(ctx: Pick<Context, 'aws' | 'config'>, { asked, done }: Erasure): Promise<ErasureView> {
	const { entry, of, reason, requester } = asked.body;
	const note = (await Ledger.payload(ctx, asked.entry))?.['note'];
	return {
		entry,
		stream: of.stream,
		version: of.ver,
		type: of.type,
		reason,
		note: typeof note === 'string' ? note : null,
		requestedAt: asked.entry.at,
		requestedBy: requester,
		state: done === null ? 'requested' : 'erased',
		erasedAt: done?.entry.at ?? null,
		hash: done?.body.hash ?? null,
		found: done?.body.found ?? null,
	};
}
