/**
 * Idempotency-Key on POST: a call that is sent again under its key takes effect once, and is answered as the first time
 * (draft-ietf-httpapi-idempotency-key-header-07). A key belongs to one caller, method and path for 24 hours.
 *
 * - Same call (body bytes, content type and encoding, query, If-Match): the first answer again, byte for byte, with
 *   `Idempotency-Replayed: true`. Refusals are kept like successes, as section 2.6 of the draft has it: whoever corrects
 *   a call sends another call, and so needs another key.
 * - Another call under the key: 422 `idempotency-key-reused`. Still being answered: 409 `in-flight`.
 * - A refusal that may pass, and that recorded nothing (`PASSING`): it is not kept, and the key is free again.
 * - 5xx, a crash, or a process that was stopped: the effect may have been recorded, and which it was cannot be told
 *   here, so the call never runs again under that key: 409 `outcome-unknown`. The same where the kept answer cannot be
 *   opened (the caller's roles or the secret changed) or was too large to be kept. Only what can tell what it did before
 *   (`RESUMABLE`) runs again, and goes on where it was cut off.
 *
 * Refused before it was begun (401, 429, 413, a key that is none): nothing is stored, and the key is still free. If the
 * answer cannot be stored after the call took effect, the caller gets it all the same; a second try finds the outcome
 * unknown. The store holds hashes and ciphertext only.
 */
import { createHash } from 'node:crypto';
import type { Context as HonoContext, MiddlewareHandler } from 'hono';
import * as z from 'zod';
import type { Caller, Context, Platform } from '#core/context.ts';
import { BrokerError, type Code } from '#core/error.ts';
import { BASE } from './base.ts';
import { keyFor } from './calls.ts';
import type { Env } from './env.ts';
import { type KeptAnswer, seal, unseal } from './idempotency/answer.ts';
import { parseKey } from './idempotency/key.ts';
import { type Attempt, claim, giveUp, type KeyedCall, keepAnswer, release, takeOver } from './idempotency/store.ts';

/** Headers of an answer that are given again with it; all others belong to the call that is being answered. */
const REPLAYED_HEADERS = ['content-type', 'location', 'etag', 'retry-after'];

/**
 * Refusals that may pass on their own, and after which the call may run again. Who was not first (`conflict`) recorded
 * nothing; a revocation may have recorded its intent, and then goes on from there, as a repetition does. The gate
 * refuses a query before its flow is recorded, and what is not finished is only read.
 */
const PASSING: readonly Code[] = ['conflict', 'grant-not-proven', 'not-finished'];

/** Calls that may run again after they were cut off: what they make is named after the key, so they find it and go on. */
const RESUMABLE: ReadonlySet<string> = new Set([`${BASE}/requests/batch`]);

/** Request header of every POST, for the API description; its form is checked by the middleware. */
export const IdempotencyKey = z.string().optional().meta({
	description:
		'1 to 255 visible ASCII characters, fresh for each call that shall take effect. Sent again within 24 hours with the same call, the first answer is given again, unless your roles changed or it was a refusal that may pass: `conflict`, `grant-not-proven`.',
	example: '0193a5a4-7b1e-7c1f-9d3e-2f6f1c0f6c3a',
});

/** OpenAPI header objects of the answers to a POST. */
export const idempotencyHeaders = {
	'Idempotency-Replayed': {
		description: '`true` where this is the answer of an earlier call with the same key',
		schema: { type: 'string' as const, enum: ['true'] },
	},
};

/** Comes after sign-in: a replay is only for whom the first answer was for. */
export function idempotency({ config }: Pick<Platform, 'config'>): MiddlewareHandler<Env> {
	const key = keyFor(config, 'kept answers');
	return async (c, next) => {
		const header = c.req.header('idempotency-key');
		if (c.req.method !== 'POST' || header === undefined) return next();
		const { ctx } = c.var;
		const id = Buffer.from(ctx.random(16)).toString('hex');
		const attempt = { ...(await keyedCall(c, parseKey(header))), id };
		const claimed = await claim(ctx, attempt);
		switch (claimed.state) {
			case 'ours':
				c.set('repeatable', { seed: attempt.pk, began: ctx.now });
				return run(c, next, attempt, key);
			case 'answered':
				return replay(c, openAnswer(ctx, key, attempt, claimed.sealed));
			case 'running':
				throw new BrokerError('in-flight', 'The first call with this key is still being answered; ask again.');
			case 'other-call':
				throw new BrokerError('idempotency-key-reused', 'This key was sent with another call; use a new one.');
			case 'lost':
				if (RESUMABLE.has(c.req.path) && (await takeOver(ctx, attempt, claimed.by))) {
					c.set('repeatable', { seed: attempt.pk, began: claimed.first });
					return run(c, next, attempt, key);
				}
				throw outcomeUnknown('The first call with this key ended without an answer that we know of.');
		}
	};
}

async function keyedCall(c: HonoContext<Env>, key: string): Promise<KeyedCall> {
	const { issuer, subject } = c.var.ctx.caller;
	const { search } = new URL(c.req.url);
	const named = [issuer, subject, c.req.method, c.req.path, key];
	const headers = ['content-type', 'content-encoding', 'if-match'].map((name) => c.req.header(name) ?? null);
	const body = sha256(new Uint8Array(await c.req.arrayBuffer()));
	// The key is in both and is not stored: trying out likely calls needs it, too. That guards no key that can be guessed.
	return { pk: `key#${hash(named)}`, print: hash([...named, search, ...headers, body]) };
}

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('base64url');
const hash = (parts: readonly unknown[]) => sha256(JSON.stringify(parts));

/** What an answer is sealed to: the call, and the rights that its caller had. */
function bindingOf({ pk, print }: KeyedCall, { person, roles }: Caller): string {
	return JSON.stringify([pk, print, person, roles.map(({ domain, role }) => `${domain} ${role}`).toSorted()]);
}

async function run(c: HonoContext<Env>, next: () => Promise<void>, attempt: Attempt, key: Uint8Array): Promise<void> {
	const { ctx } = c.var;
	const settle = async (work: () => Promise<void>) => {
		try {
			await work();
		} catch (error) {
			ctx.warn('the answer to a call with an idempotency key was not kept', error);
		}
	};
	try {
		await next();
	} catch (thrown) {
		await settle(() => giveUp(ctx, attempt));
		throw thrown;
	}
	if (c.res.status >= 500) {
		// Under this key no later try can help.
		c.res.headers.delete('retry-after');
		return settle(() => giveUp(ctx, attempt));
	}
	if (!c.res.ok && PASSING.includes(c.var.code)) return settle(() => release(ctx, attempt));
	await settle(async () => {
		const sealed = seal({ key, binding: bindingOf(attempt, ctx.caller) }, ctx.random(12), await answerOf(c));
		await keepAnswer(ctx, attempt, sealed);
	});
}

async function answerOf(c: HonoContext<Env>): Promise<KeptAnswer> {
	const given = REPLAYED_HEADERS.map((name) => [name, c.res.headers.get(name)] as const);
	return {
		status: c.res.status,
		headers: Object.fromEntries(given.filter((header): header is [string, string] => header[1] !== null)),
		code: c.res.ok ? null : (c.var.code ?? null),
		body: new Uint8Array(await c.res.clone().arrayBuffer()),
	};
}

function openAnswer(ctx: Context, key: Uint8Array, call: KeyedCall, sealed: Uint8Array): KeptAnswer {
	try {
		return unseal({ key, binding: bindingOf(call, ctx.caller) }, sealed);
	} catch (error) {
		ctx.warn('a kept answer cannot be opened', error);
		const detail =
			'The first call with this key was answered, but that answer cannot be opened any more: your roles, or the secret that seals answers, may have changed since.';
		throw outcomeUnknown(detail);
	}
}

function replay(c: HonoContext<Env>, { status, headers, code, body }: KeptAnswer): Response {
	if (body === null) {
		const detail = `The first call with this key was answered with ${status}, but that answer was too large to be kept.`;
		throw outcomeUnknown(detail, { firstStatus: status, location: headers['location'] });
	}
	if (code !== null) c.set('code', code as Code);
	const more = { ...headers, 'idempotency-replayed': 'true' };
	// 204 and the like are made without a body, not with an empty one.
	return body.length === 0 ? c.body(null, status as 204, more) : c.body(body, status as 200, more);
}

function outcomeUnknown(what: string, extensions: Record<string, unknown> = {}): BrokerError {
	const advice = 'Look in the listing whether it took effect before you send it again with a new key.';
	return new BrokerError('outcome-unknown', `${what} ${advice}`, extensions);
}
