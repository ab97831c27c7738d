/**
 * What takes something of a grant away, or gives back what was taken: recorded first, then shut at our gate, so that the
 * caller is refused from the moment on that the function returns. Lake Formation follows in `advance`.
 */
import pMap from 'p-map';
import * as Catalog from '../catalog.ts';
import { actorOf, type Context } from '../context.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import type { Permit } from '../policy.ts';
import { concealer, type Scope, tableKey } from '../scope.ts';
import type { Ending } from './entitlement.ts';
import { type Grant, get, transitions } from './grant.ts';
import { isConflict, leave, makeLess } from './held.ts';
import { type Hold, holdsOn, isOfChange } from './holds.ts';

/** Tables shut at once. */
const AT_ONCE = 8;

/** Whether the grant is to be in Lake Formation, be it there or not. */
export function isInForce({ state }: Grant): boolean {
	return state === 'granting' || state === 'granted' || state === 'partial' || state === 'failed';
}

/** Names the last change to what the grant is to open; equal names, equal intent. */
export function intended({ entries, opened }: Grant): string {
	const changes = new Set<string>([
		'GrantSuspending',
		'GrantResuming',
		'GrantNarrowed',
		'GrantShortened',
		'GrantLeft',
		'GrantEnding',
	]);
	return entries.findLast((e) => changes.has(e.body.type))?.leaf ?? opened.leaf;
}

/** What was recorded, and whether each table was shut after that in this very call. */
export type Shut = { readonly grant: Grant; readonly shut: boolean };

/** Ends a grant. Ending an ended grant is success. */
export async function end(
	ctx: Context,
	permit: Permit<'revokeGrant'> | Permit<'reviewBreakGlass'> | null,
	grant: Grant,
	cause: 'revoked' | 'expired',
	reason?: string,
): Promise<Shut> {
	const { grant: id } = grant.opened.body;
	if (grant.entries.some((e) => e.body.type === 'GrantEnding')) return { grant, shut: false };
	const rules = permit?.rules ?? byClock(ctx);
	const now = await intend(ctx, grant, { type: 'GrantEnding', grant: id, cause, rules }, reason);
	// It was just settled, or changed by somebody else: end what it is now.
	if (now === null) return end(ctx, permit, await again(ctx, id), cause, reason);
	await shut(ctx, now, cause);
	return { grant: now, shut: true };
}

/**
 * Holds a grant back. Throws `conflict` unless it is in force. One that is held back already is so for this, too, from
 * here on; saying the same again is success.
 */
export async function suspend(
	ctx: Context,
	permit: Permit<'suspendGrant'> | null,
	grant: Grant,
	cause: Ledger.BodyOf<'GrantSuspending'>['cause'],
	reason?: string,
	effects?: Ledger.GrantEffect[],
): Promise<Shut> {
	const { grant: id } = grant.opened.body;
	const isHeld = grant.state === 'suspending' || grant.state === 'suspended';
	if (isHeld && isSaid(grant, { cause, effects })) return { grant, shut: false };
	if (!isHeld) mustAllow(grant, 'suspending');
	const refusing = [...new Set(effects?.flatMap((e) => e.rules))].toSorted();
	const rules = permit?.rules ?? { ...byClock(ctx), policies: refusing };
	const why = effects === undefined ? {} : { effects: [...effects] };
	const type = isHeld ? ('GrantHeld' as const) : ('GrantSuspending' as const);
	const now = await intend(ctx, grant, { type, grant: id, cause, rules, ...why }, reason);
	if (now === null) return suspend(ctx, permit, await again(ctx, id), cause, reason, effects);
	if (isHeld) return { grant: now, shut: false };
	await shut(ctx, now, 'suspended');
	return { grant: now, shut: true };
}

/** Whether it is held back for this already; of changes, whether the last one that was found said the same. */
function isSaid({ entries }: Grant, { cause, effects }: Hold): boolean {
	const holds = holdsOn(entries);
	if (effects === undefined) return holds.some((h) => h.cause === cause);
	return JSON.stringify(holds.findLast(isOfChange)?.effects) === JSON.stringify(effects);
}

/**
 * Takes a suspended grant up again, or lifts what these offices hold of it while something else holds it back. Null where
 * somebody recorded something else meanwhile: that may be another hold.
 */
export async function resume(
	ctx: Context,
	permit: Permit<'resumeGrant'>,
	grant: Grant,
	reason: string,
	released: Ledger.BodyOf<'GrantReleased'>['offices'] | null = null,
): Promise<Grant | null> {
	const { grant: id } = grant.opened.body;
	const { rules } = permit;
	if (released === null) return intend(ctx, grant, { type: 'GrantResuming', grant: id, rules }, reason);
	return intend(ctx, grant, { type: 'GrantReleased', grant: id, offices: released, rules }, reason);
}

/** Makes a grant open less. `scopes` are among what it opens; a table that is not named keeps its own. */
export async function narrow(
	ctx: Context,
	permit: Permit<'narrowGrant'>,
	grant: Grant,
	scopes: readonly (Scope & { readonly table: Ledger.TableRef })[],
	reason: string,
): Promise<Grant> {
	const { grant: id, product } = grant.opened.body;
	if (grant.state !== 'granted' && grant.state !== 'partial') throw wrongState(grant);
	const personal = await Catalog.personalColumns(ctx, product);
	const hide = concealer(ctx.random(16));
	const tables = scopes.map(({ table, ...scope }) => ({
		...table,
		...hide.store(tableKey(table), scope, personal(table)),
	}));
	const body = { type: 'GrantNarrowed' as const, grant: id, tables, rules: permit.rules };
	const now = await intend(ctx, grant, body, reason, hide.pii().pii);
	if (now === null) throw new BrokerError('conflict', 'The grant changed meanwhile; read it again.');
	const { principal } = now.opened.body;
	await each(scopes, ({ table, ...scope }) =>
		makeLess(ctx, { principal, product, table }, { grant: id, scope }, personal(table), () => stillWanted(ctx, now)),
	);
	return now;
}

/** What is being made must still be what is wanted: not ended, not held back, not made narrower meanwhile. */
export async function stillWanted(ctx: Pick<Context, 'aws' | 'config'>, building: Grant): Promise<void> {
	const grant = await get(ctx, building.opened.body.grant);
	if (grant === null || !isInForce(grant) || intended(grant) !== intended(building)) {
		throw new BrokerError('grant-revoked', 'The grant was ended or changed while it was being made.');
	}
}

/**
 * Whether the decision that a grant was opened for still stands. A stalled process may record the opening after the
 * decision was taken back: it looks after it has recorded, whoever takes back looks for the grant after he has, so that
 * one of them always sees the other. Whoever goes on with a grant looks, too: the process may have died in between.
 */
export async function isDecided(ctx: Pick<Context, 'aws' | 'config'>, { opened }: Grant): Promise<boolean> {
	const { request, decisionLeaf } = opened.body;
	const entries = await Ledger.read(ctx, Ledger.stream.request(request));
	const from = entries.findIndex((e) => e.leaf === decisionLeaf);
	return from !== -1 && !entries.slice(from).some(({ body }) => body.type === 'AccessReopened' || isCondemned(body));
}

/** What was taken in an emergency, and should not have been. */
const isCondemned = (body: Ledger.Recorded['body']) => body.type === 'AccessReviewed' && body.verdict === 'unjustified';

type Intent = Ledger.BodyOf<
	| 'GrantEnding'
	| 'GrantSuspending'
	| 'GrantHeld'
	| 'GrantReleased'
	| 'GrantResuming'
	| 'GrantNarrowed'
	| 'GrantShortened'
	| 'GrantLeft'
>;

/** Records what is to become of the grant; null when somebody else recorded something first. */
export async function intend(
	ctx: Context,
	grant: Grant,
	body: Intent,
	reason: string | undefined,
	secrets: Record<string, unknown> = {},
): Promise<Grant | null> {
	const pii = { ...secrets, ...(reason === undefined ? {} : { reason }) };
	try {
		await Ledger.append(ctx, {
			stream: Ledger.stream.grant(body.grant),
			after: grant.entries.at(-1) ?? null,
			actor: actorOf(ctx),
			body,
			...(Object.keys(pii).length === 0 ? {} : { pii }),
		});
	} catch (error) {
		if (!isConflict(error)) throw error;
		return null;
	}
	return again(ctx, body.grant);
}

export async function again(ctx: Context, id: string): Promise<Grant> {
	const grant = await get(ctx, id);
	if (grant === null) throw new BrokerError('record-corrupt', 'A grant that should exist has no entries.');
	return grant;
}

export async function shut(ctx: Context, grant: Grant, cause: Ending): Promise<void> {
	const { principal, product, grant: id } = grant.opened.body;
	const personal = await Catalog.personalColumns(ctx, product);
	await each(grant.scopes, ({ table }) => leave(ctx, { principal, product, table }, id, cause, personal(table)));
}

/** Every table, whatever becomes of the others; then throws the first failure. */
export async function each<T>(tables: readonly T[], work: (table: T) => Promise<unknown>): Promise<void> {
	const failures: unknown[] = [];
	const one = (table: T) => work(table).catch((error: unknown) => failures.push(error));
	await pMap(tables, one, { concurrency: AT_ONCE });
	if (failures.length > 0) throw failures[0];
}

function mustAllow(grant: Grant, next: Grant['state']): void {
	if (!transitions[grant.state].includes(next)) throw wrongState(grant);
}

export const wrongState = (grant: Grant) =>
	new BrokerError('conflict', `The grant is ${grant.state}.`, { state: grant.state });

/** Expiry, and what Fairlead finds by itself, need nobody's leave. */
const byClock = (ctx: Context) => ({ policies: [], setHash: ctx.policies.hash });
