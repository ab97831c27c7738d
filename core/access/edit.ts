/**
 * Changing what is asked for while nobody has decided. The whole is checked again as if it were filed now; approvals that
 * were given before count no more, who edits is a party, and the time to decide begins anew.
 */
import * as z from 'zod';
import { actorOf, type Context } from '../context.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import { authorize } from '../policy.ts';
import { approveAtOnce } from './auto.ts';
import { mustBeOrdinary } from './breakglass-rules.ts';
import { type Checked, check, tablesAgain, type Wanted } from './check.ts';
import { mustBePending, mustHaveSeen } from './decide.ts';
import { stillAsking } from './leavers.ts';
import { find, type Request, resourceOf } from './load.ts';
import { waitFrom } from './open.ts';
import { AccessRequest, invalid } from './request.ts';
import { recordable } from './submit.ts';
import { inTermsOf, type Named, spellOut, template } from './template.ts';

const { tables, purpose, principal, beneficiaries, duration, justification } = AccessRequest.shape;

export const RequestEdit = z
	.strictObject({
		template,
		tables: tables.optional(),
		purpose: purpose.optional(),
		principal: principal.optional().meta({ description: 'Another one of the same consuming domain' }),
		beneficiaries,
		duration: duration.optional(),
		justification: justification.optional(),
	})
	.meta({ id: 'RequestEdit', description: 'What is absent stays as it is' });
export type RequestEdit = z.infer<typeof RequestEdit>;

/** Throws `already-decided`, `precondition-required`, `stale`, and whatever filing would throw. */
export async function edit(ctx: Context, id: string, body: RequestEdit, ifMatch: string | undefined): Promise<Request> {
	const request = await find(ctx, id);
	authorize(ctx, 'editRequest', await resourceOf(ctx, request));
	mustBePending(request);
	mustHaveSeen(request, ifMatch);
	mustBeOrdinary(request);
	if (Object.keys(body).length === 0) throw invalid('', 'the edit names nothing');
	const spelled = await spelledOut(ctx, request, body);
	// Before anything of it is looked at: who leaves meanwhile is told from who had left.
	const { persons, looked } = await stillAsking(ctx, request);
	const work = async () => check(ctx, await merged(ctx, request, { beneficiaries: { persons }, ...spelled }));
	const checked = await (body.template == null ? work() : inTermsOf(body, work));
	if (checked.consumer.id !== request.filed.body.consumerDomain) {
		throw invalid('/principal', `must be one of domain ${request.filed.body.consumerDomain}`);
	}
	const more = { ...namedIn(request, body, checked), ...looked };
	await approveAtOnce(ctx, id, checked, await record(ctx, request, checked, more));
	return find(ctx, id);
}

/** An edit without a template: what that stands for, of which version of the contract. */
type Spelled = Omit<RequestEdit, 'template' | 'beneficiaries'> & Pick<Wanted, 'version' | 'beneficiaries'>;

/** The edit with what its template stands for in the place of that. */
async function spelledOut(ctx: Context, { filed }: Request, body: RequestEdit): Promise<Spelled> {
	const { template: id, beneficiaries: named, ...rest } = body;
	const whom = named === undefined ? {} : { beneficiaries: named };
	if (id == null) return { ...rest, ...whom };
	const { asked, version } = await spellOut(ctx, filed.body.product, id, rest);
	return { ...rest, ...whom, ...asked, version };
}

/** Where the tables stay as they were asked, under the same contract, so does what spelled them out. */
function namedIn({ template: before, content }: Request, body: RequestEdit, { product }: Checked): Named {
	if (body.template != null) return { template: body.template };
	const kept = body.tables === undefined && product.hash === content.contract.hash;
	return kept && before !== null ? { template: before } : {};
}

async function merged(ctx: Context, request: Request, body: Spelled): Promise<Wanted> {
	const { content, filed } = request;
	const said = body.justification ?? content.justification;
	if (said === null) throw invalid('/justification', 'the one that was given was erased; give another');
	if (body.tables === undefined && !content.scopes.every((s) => s.readable)) {
		throw new BrokerError('record-corrupt', 'The row filter of this request was erased.');
	}
	const { product, consumerDomain } = filed.body;
	return {
		...body,
		product,
		tables: body.tables ?? (await tablesAgain(ctx, product, consumerDomain, content.scopes)),
		purpose: body.purpose ?? content.purpose,
		principal: body.principal ?? content.principal,
		duration: body.duration ?? content.duration,
		justification: said,
	};
}

async function record(
	ctx: Context,
	request: Request,
	checked: Checked,
	more: Named & { readonly renewsVer?: number },
): Promise<string> {
	const { id } = request;
	const { pii, ...said } = await recordable(ctx, id, checked);
	await waitFrom(ctx, id, ctx.clock().toISOString());
	await Ledger.append(ctx, {
		stream: Ledger.stream.request(id),
		after: request.entries.at(-1) ?? null,
		actor: actorOf(ctx),
		body: { ...said, type: 'AccessEdited', product: checked.product.id, rules: checked.permit.rules, ...more },
		pii,
	});
	return said.contentHash;
}
