/** What a pending request would open as it stands now, beside what its principal holds. */
import * as Catalog from '../catalog.ts';
import type { Context } from '../context.ts';
import { BrokerError } from '../error.ts';
import { authorize, may } from '../policy.ts';
import { type PreviewView, preview } from '../preview.ts';
import { seenBy } from './delegated.ts';
import { find, resourceOf } from './load.ts';

/** `mayCount`: whether the caller may have counted how many rows that is. */
type Previewed = { readonly preview: PreviewView; readonly contentHash: string; readonly mayCount: boolean };

/** With the hash of the content that it shows: what a decision on it binds. Throws `already-decided` unless it is pending. */
export async function previewOf(ctx: Context, id: string): Promise<Previewed> {
	const request = await find(ctx, id);
	const resource = await resourceOf(ctx, request);
	authorize(ctx, 'previewRequest', resource);
	const { principal, scopes, contentHash } = request.content;
	if (request.state !== 'pending') {
		throw new BrokerError('already-decided', `The request is ${request.state}: there is nothing ahead to preview.`);
	}
	if (!scopes.every((scope) => scope.readable)) {
		throw new BrokerError('record-corrupt', 'The row filter of this request was erased.');
	}
	const product = await Catalog.get(ctx, request.filed.body.product);
	if (product === null) throw new BrokerError('record-corrupt', 'A request names a product without entries.');
	const mayCount = may(ctx, 'countRequest', resource);
	return { preview: await preview(await seenBy(ctx, request), { principal, product, scopes }), contentHash, mayCount };
}
