/** What those who hold a grant, and those who answer for it, are told of it besides its state. Pure. */
import * as z from 'zod';
import * as Ledger from '../ledger.ts';

export const Notice = z
	.object({
		at: z.iso.datetime(),
		kind: z.enum(['suspended', 'shortened']),
		reasons: z.array(Ledger.GrantEffect).meta({
			description:
				'Why it could not be granted like this any more: what changed, rules that refuse, roles that never approved',
		}),
		until: z.iso.datetime().nullable().meta({ description: 'When it ends from now on, where it was shortened' }),
	})
	.meta({ id: 'GrantNotice' });
export type Notice = z.infer<typeof Notice>;

export function noticesOf(entries: readonly Ledger.Recorded[]): Notice[] {
	return entries.flatMap(({ body, entry }): Notice[] => {
		const { at } = entry;
		if ((body.type === 'GrantSuspending' || body.type === 'GrantHeld') && body.effects !== undefined) {
			return [{ at, kind: 'suspended', reasons: body.effects, until: null }];
		}
		if (body.type !== 'GrantShortened') return [];
		const reasons = [{ code: body.cause, rules: [], roles: [] }];
		return [{ at, kind: 'shortened', reasons, until: body.until }];
	});
}

/** ISO 8601: when a grant ends, as it was opened and as it was shortened since. */
export function endOf({ body }: Ledger.Recorded<'GrantOpened'>, entries: readonly Ledger.Recorded[]): string {
	const ends = entries.flatMap((e) => (e.body.type === 'GrantShortened' ? [e.body.until] : []));
	return [body.until, ...ends].toSorted()[0] ?? body.until;
}
