/** Opaque page tokens, bound by HMAC to the caller and the listing: nobody else's, nothing else's, nothing made up. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Context } from './context.ts';
import { BrokerError } from './error.ts';

type Ctx = Pick<Context, 'config' | 'caller'>;

/** A token for `position` in the listing that `scope` names. */
export function makeCursor(ctx: Ctx, scope: readonly unknown[], position: unknown): string {
	const payload = Buffer.from(JSON.stringify(position));
	return `${payload.toString('base64url')}.${sign(ctx, scope, payload).toString('base64url')}`;
}

/** The position in a token. Throws `validation` for anything but a token of this caller and listing. */
export function readCursor(ctx: Ctx, scope: readonly unknown[], token: string): unknown {
	const [payload = '', mac = ''] = token.split('.');
	const bytes = Buffer.from(payload, 'base64url');
	const expected = sign(ctx, scope, bytes);
	const given = Buffer.from(mac, 'base64url');
	if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
		throw new BrokerError('validation', 'The page token is not one of this listing; start again without it.', {
			errors: [{ pointer: '/pageToken', detail: 'not a token of this listing' }],
		});
	}
	return JSON.parse(bytes.toString('utf8'));
}

function sign(ctx: Ctx, scope: readonly unknown[], payload: Buffer): Buffer {
	const bound = JSON.stringify([ctx.caller.issuer, ctx.caller.subject, scope]);
	return createHmac('sha256', ctx.config.cursorKey).update(bound).update(payload).digest();
}
