/**
 * Asking for what a grant opens now, for longer: a request like any other, of the same content, decided on like any
 * other. The grant that it leads to stands beside the old one, so that nothing is shut in between. One that is held back
 * because the contract or a domain changed is asked for as far as the contract still has it, and gives way to the new one.
 */
import * as z from 'zod';
import type { Context } from '../context.ts';
import * as Domains from '../domains.ts';
import { BrokerError } from '../error.ts';
import * as Grants from '../grants.ts';
import { authorize } from '../policy.ts';
import { stillThere } from './affected-grants.ts';
import { check, tablesAgain } from './check.ts';
import { versionOf } from './leavers.ts';
import type { Request } from './load.ts';
import { AccessRequest, invalid } from './request.ts';
import { record } from './submit.ts';

const { duration, justification } = AccessRequest.shape;

export const Renewal = z.strictObject({ duration, justification }).meta({ id: 'Renewal' });
export type Renewal = z.infer<typeof Renewal>;

/** Throws `conflict` unless the grant is in force, or held back by a change, and whatever filing would throw. */
export async function renew(ctx: Context, id: string, body: Renewal): Promise<Request> {
	const grant = await Grants.find(ctx, id);
	authorize(ctx, 'renewGrant', await Grants.resourceOf(ctx, grant));
	const { product, principal, purpose, consumerDomain } = grant.opened.body;
	if (grant.breakGlass !== null) {
		throw new BrokerError(
			'conflict',
			'It was taken in an emergency and is not prolonged; file a request, for people to approve.',
		);
	}
	const over = grant.until <= ctx.now.toISOString();
	if (over || (grant.state !== 'granted' && grant.state !== 'partial' && !Grants.isHeldBack(grant))) {
		throw new BrokerError('conflict', `The grant is ${over ? 'over' : grant.state}; ask anew.`, { state: grant.state });
	}
	if (!grant.scopes.every((s) => s.readable)) {
		throw new BrokerError('record-corrupt', 'The row filter of this grant was erased.');
	}
	// Who has left the grant or the domain since is not asked for again.
	const consumers = await Domains.holders(ctx, consumerDomain, 'consumer');
	const persons = grant.beneficiaries.filter((b) => consumers.includes(b));
	const scopes = Grants.isHeldBack(grant) ? await stillThere(ctx, grant) : grant.scopes;
	const tables = await tablesAgain(ctx, product, consumerDomain, scopes);
	const checked = await check(ctx, { product, principal, purpose, tables, beneficiaries: { persons }, ...body });
	if (checked.consumer.id !== consumerDomain) throw invalid('/principal', 'now belongs to another domain; ask anew');
	return record(ctx, checked, { renews: id, ...versionOf(grant) });
}
