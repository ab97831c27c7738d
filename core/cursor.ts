/**
 * Page tokens: encrypted, and bound to the caller and the listing. They tell nothing of what lies between two pages, and
 * nobody else's, nothing else's and nothing made up is taken (AES-256-GCM; the binding is its associated data).
 */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import type { Context } from './context.ts';
import { BrokerError } from './error.ts';

type Ctx = Pick<Context, 'config' | 'caller' | 'random'>;

const IV = 12;
const TAG = 16;

/** A token for `position` in the listing that `scope` names. */
export function makeCursor(ctx: Ctx, scope: readonly unknown[], position: unknown): string {
	const iv = ctx.random(IV);
	const cipher = createCipheriv('aes-256-gcm', key(ctx), iv).setAAD(binding(ctx, scope));
	const sealed = Buffer.concat([cipher.update(JSON.stringify(position)), cipher.final()]);
	return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** The position in a token. Throws `validation` for anything but a token of this caller and listing. */
export function readCursor(ctx: Ctx, scope: readonly unknown[], token: string): unknown {
	const bytes = Buffer.from(token, 'base64url');
	try {
		const decipher = createDecipheriv('aes-256-gcm', key(ctx), bytes.subarray(0, IV), { authTagLength: TAG });
		decipher.setAAD(binding(ctx, scope)).setAuthTag(bytes.subarray(IV, IV + TAG));
		const text = Buffer.concat([decipher.update(bytes.subarray(IV + TAG)), decipher.final()]);
		return JSON.parse(text.toString('utf8'));
	} catch (cause) {
		const errors = [{ pointer: '/pageToken', detail: 'not a token of this listing' }];
		const detail = 'The page token is not one of this listing; start again without it.';
		throw new BrokerError('validation', detail, { errors }, { cause });
	}
}

const key = ({ config }: Ctx) => createHash('sha256').update('page token').update(config.cursorKey).digest();

const binding = ({ caller }: Ctx, scope: readonly unknown[]) =>
	Buffer.from(JSON.stringify([caller.issuer, caller.subject, scope]));
