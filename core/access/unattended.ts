/**
 * A decision that no approver takes: by a rule, or in an emergency. It is the system's, with the rules that let it be, and
 * its grant is opened as that of any other. A crash in between is taken up by the sweep.
 */
import { type Context, SYSTEM, systemContext } from '../context.ts';
import type * as Grants from '../grants.ts';
import { newId } from '../id.ts';
import * as Ledger from '../ledger.ts';
import type { BREAK_GLASS } from './breakglass-taken.ts';
import { get, type Request } from './load.ts';
import { tryOpen } from './open.ts';
import type { BY_POLICY } from './state.ts';

type Decided = Pick<Ledger.BodyOf<'AccessDecided'>, 'rules' | 'from' | 'until' | 'consumerVersion'> & {
	readonly as: typeof BY_POLICY | typeof BREAK_GLASS;
};

/** Approves the request as it stands. Throws `conflict` where somebody changed it, or decided on it, meanwhile. */
export async function approveUnattended(
	ctx: Context,
	request: Request,
	decided: Decided,
): Promise<Grants.Grant | null> {
	const { id, content, entries } = request;
	await Ledger.append(ctx, {
		stream: Ledger.stream.request(id),
		after: entries.at(-1) ?? null,
		actor: SYSTEM,
		body: {
			type: 'AccessDecided',
			request: id,
			decision: newId('decision', ctx),
			verdict: 'approve',
			contentHash: content.contentHash,
			outcome: 'approved',
			grant: newId('grant', ctx),
			...decided,
		},
	});
	const approved = await get(ctx, id);
	return approved === null ? null : tryOpen(systemContext(ctx, ctx.trace), approved);
}
