/** A delegation as its stream tells it: given once, and ended once at most. */
import type { Context } from '../context.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import { Entity, type Resource } from '../policy.ts';

export type Delegation = {
	readonly id: string;
	readonly given: Ledger.Recorded<'DelegationGiven'>;
	readonly ended: Ledger.Recorded<'DelegationEnded'> | null;
};

/** Read consistently. Throws `record-corrupt` where the stream says anything else. */
export async function get(ctx: Pick<Context, 'aws' | 'config'>, id: string): Promise<Delegation | null> {
	return fold(id, await Ledger.read(ctx, Ledger.stream.delegation(id)));
}

export function fold(id: string, [first, second, ...more]: readonly Ledger.Recorded[]): Delegation | null {
	if (first === undefined) return null;
	const given = Ledger.as(first, 'DelegationGiven');
	const ended = second === undefined ? null : Ledger.as(second, 'DelegationEnded');
	if (more.length > 0) throw new BrokerError('record-corrupt', 'A delegation goes on after its end.');
	return { id, given, ended };
}

export const delegationStates = ['ahead', 'in-force', 'over', 'ended'] as const;
export type DelegationState = (typeof delegationStates)[number];

/** By the clock and what was recorded; that the giver must hold the role besides is asked of the registry. */
export function stateOf({ given, ended }: Delegation, now: Date): DelegationState {
	const at = now.toISOString();
	if (ended !== null) return 'ended';
	if (at >= given.body.until) return 'over';
	return at < given.body.from ? 'ahead' : 'in-force';
}

/** Whether it was in force at an instant. One that was ended in that very millisecond was not. */
export function covers({ given, ended }: Delegation, at: string): boolean {
	const { from, until } = given.body;
	return from <= at && at < until && (ended === null || at < ended.entry.at);
}

export function resourceOf({ config }: Pick<Context, 'config'>, { id, given }: Delegation): Resource {
	const { domain, role, giver, to } = given.body;
	return Entity.delegation({ id, domain, role, giver, to }, config.governance);
}
