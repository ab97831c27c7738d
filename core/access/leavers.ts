/**
 * Who gave up his part of a grant is not put back by its renewal, in no guise of his. What was asked before he left names
 * him still: nobody approves that until it is edited, and an edit that names no beneficiaries keeps those who are left.
 */
import type { Context } from '../context.ts';
import * as Domains from '../domains.ts';
import { BrokerError } from '../error.ts';
import * as Grants from '../grants.ts';
import type { Request } from './load.ts';

type ReadCtx = Pick<Context, 'aws' | 'config'>;

/** Throws `stale` where a renewal names somebody who left the grant after it was asked for. */
export async function mustNameNoLeaver(ctx: ReadCtx, request: Request): Promise<void> {
	const grant = await renewed(ctx, request);
	if (grant === null) return;
	const staying = await withoutLeavers(ctx, grant, request);
	if (staying.length === request.content.beneficiaries.length) return;
	const detail =
		'Somebody who is to benefit has given up his part of the grant since this was asked; reject this, or let it be edited.';
	throw new BrokerError('stale', detail);
}

/** Of those who were to benefit, the ones who still want to; and what an entry says of the grant that this was told from. */
export async function stillAsking(
	ctx: ReadCtx,
	request: Request,
): Promise<{ readonly persons: readonly string[]; readonly looked: { readonly renewsVer?: number } }> {
	const { content } = request;
	const grant = await renewed(ctx, request);
	if (grant === null) return { persons: content.beneficiaries, looked: {} };
	return { persons: await withoutLeavers(ctx, grant, request), looked: versionOf(grant) };
}

/** The version of a grant's stream: who leaves later does so after whatever was made of it. */
export function versionOf({ entries, opened }: Grants.Grant): { readonly renewsVer: number } {
	return { renewsVer: entries.at(-1)?.ver ?? opened.ver };
}

async function renewed(ctx: ReadCtx, { filed }: Request): Promise<Grants.Grant | null> {
	return filed.body.renews === undefined ? null : Grants.get(ctx, filed.body.renews);
}

/** Those who are to benefit, but whoever left: as he left, and in every other guise that he has now. */
async function withoutLeavers(ctx: ReadCtx, grant: Grants.Grant, request: Request): Promise<readonly string[]> {
	const { beneficiaries } = request.content;
	const left = leftSince(grant, request);
	if (left.size === 0) return beneficiaries;
	const behind = new Set([...left, ...(await Domains.selvesOf(ctx, [...left]))]);
	const selves = await Domains.selvesOf(ctx, beneficiaries);
	return beneficiaries.filter((person, i) => !behind.has(person) && !behind.has(selves[i] ?? person));
}

/** Versions of one stream are ordered; instants of two are not, but are all that requests of before tell. */
function leftSince(grant: Grants.Grant, { entries, since }: Request): ReadonlySet<string> {
	const asked = entries.findLast(({ body }) => body.type === 'AccessRequested' || body.type === 'AccessEdited')?.body;
	const ver = asked !== undefined && 'renewsVer' in asked ? asked.renewsVer : undefined;
	const later = grant.entries.filter((e) => (ver === undefined ? e.entry.at >= since : e.ver > ver));
	const left = later.flatMap(({ body }) =>
		body.type === 'GrantLeft' || body.type === 'GrantEnding' ? (body.persons ?? []) : [],
	);
	return new Set(left);
}
