/**
 * Several requests filed together. All are checked before any is stored, each by itself and those of one principal on one
 * table together; then they are filed one after the other, and each is decided on by itself. A crash in between leaves
 * those that were filed. Where the call can be made again, their ids follow from it: it finds them, and goes on.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Context } from '../context.ts';
import { BrokerError, type Fault, isRefusal } from '../error.ts';
import * as Grants from '../grants.ts';
import { type Kind, newId } from '../id.ts';
import { tableKey } from '../scope.ts';
import type { Checked } from './check.ts';
import { get, type Request } from './load.ts';
import type { RequestedScope } from './request.ts';
import { record } from './submit.ts';
import { AccessAsk, checkAsk, type Named } from './template.ts';

export const RequestBatch = z
	.strictObject({ requests: z.array(AccessAsk).min(1).max(20) })
	.meta({ id: 'RequestBatch' });
export type RequestBatch = z.infer<typeof RequestBatch>;

/** What a call that is made again has in common with the first: something that is its alone, and when that began. */
export type Repeatable = { readonly seed: string; readonly began: Date };

export type Filed = { readonly batch: string; readonly requests: readonly Request[] };

/** Throws what filing each would throw, with pointers into `/requests/<n>`. */
export async function submitAll(ctx: Context, body: RequestBatch, call: Repeatable | null): Promise<Filed> {
	const batch = idFor(ctx, 'batch', call, 0);
	const ids = body.requests.map((_, i) => idFor(ctx, 'request', call, i));
	const known = call === null ? [] : await Promise.all(ids.map((id) => get(ctx, id)));
	const checked: (Asked | null)[] = [];
	for (const [i, one] of body.requests.entries()) {
		checked.push(known[i] == null ? await within(i, () => checkAsk(ctx, one)) : null);
	}
	if (checked.some((c) => c !== null)) {
		const waiting = known.map((r) => (r?.state === 'pending' ? r.content : null));
		await mustFitTogether(
			ctx,
			checked.map((c, i) => c?.checked ?? waiting[i] ?? null),
		);
	}
	const requests: Request[] = [];
	for (const [i, id] of ids.entries()) {
		const one = checked[i];
		const found = known[i] ?? (one == null ? null : await fileOne(ctx, one, { id, batch }));
		if (found !== null) requests.push(found);
	}
	return { batch, requests };
}

type Asked = { readonly checked: Checked; readonly named: Named };

async function fileOne(ctx: Context, asked: Asked, of: { id: string; batch: string }): Promise<Request> {
	try {
		return await record(ctx, asked.checked, { ...of, ...asked.named });
	} catch (error) {
		// The same call, made twice at once, filed it.
		const filed = error instanceof BrokerError && error.code === 'conflict' ? await get(ctx, of.id) : null;
		if (filed === null) throw error;
		return filed;
	}
}

/** An id of its own, or the one that this call would make again. */
function idFor(ctx: Context, kind: Kind, call: Repeatable | null, nth: number): string {
	return call === null ? newId(kind, ctx) : newId(kind, { now: call.began, random: drawn(`${call.seed}/${nth}`) });
}

/** Bytes that follow from a seed. */
function drawn(seed: string): (bytes: number) => Uint8Array {
	let count = 0;
	return (bytes) => {
		count += 1;
		return createHash('sha256').update(`${seed}/${count}`).digest().subarray(0, bytes);
	};
}

/** What is refused of one of them, told as of the batch. */
async function within<T>(nth: number, work: () => Promise<T>): Promise<T> {
	try {
		return await work();
	} catch (error) {
		if (!isRefusal(error)) throw error;
		const pointer = `/requests/${nth}`;
		const { errors = [{ pointer: '', detail: error.message }], ...more } = error.extensions;
		const placed = errors.map((e): Fault => ({ ...e, pointer: `${pointer}${e.pointer}` }));
		throw new BrokerError(error.code, error.message, { ...more, errors: placed }, { cause: error });
	}
}

type Asking = { readonly principal: string; readonly scopes: readonly RequestedScope[] };

/** Each alone can be held; those of one principal on one table must be held together, too, once all are approved. */
async function mustFitTogether(ctx: Context, all: readonly (Asking | null)[]): Promise<void> {
	const known = new Map<string, ReturnType<typeof Grants.gathering>>();
	for (const [i, asking] of all.entries()) {
		for (const [t, scope] of (asking?.scopes ?? []).entries()) {
			const principal = asking?.principal ?? '';
			const key = `${principal} ${tableKey(scope.table)}`;
			const found = known.get(key);
			const fits = found ?? Grants.gathering(await Grants.liveHoldings(ctx, principal, scope.table));
			known.set(key, fits);
			// The first of them was looked at by itself.
			if (fits(scope) || found === undefined) continue;
			const name = `${scope.table.database}.${scope.table.table}`;
			const detail = `On ${name} this and what stands before it in the batch would add up to cells that nobody approves.`;
			const errors = [{ pointer: `/requests/${i}/tables/${t}`, detail }];
			throw new BrokerError('union-not-exact', detail, { table: name, errors });
		}
	}
}
