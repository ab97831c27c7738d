/** Opening, carrying on and ending a grant over all its tables: intent, Lake Formation, outcome. */
import * as Catalog from '../catalog.ts';
import { actorOf, type Context } from '../context.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import type { Permit } from '../policy.ts';
import { compatible, concealer, type Scope, tableKey } from '../scope.ts';
import type { Entitlement, Holding } from './entitlement.ts';
import { type Grant, get } from './grant.ts';
import { tableHolders } from './lakeformation.ts';
import { enter, held, inexact, leave, settle, withoutLapsed } from './saga.ts';

type ReadCtx = Pick<Context, 'aws' | 'config'>;
type TableRef = Ledger.TableRef;

export type Opening = Omit<Ledger.BodyOf<'GrantOpened'>, 'type' | 'tables'> & {
	readonly tables: readonly (Scope & { readonly table: TableRef })[];
};

/**
 * Opens a grant that a completed decision calls for, and carries it as far as it will go now. Running it again for the
 * same grant id goes on where it stopped.
 */
export async function open(ctx: Context, opening: Opening): Promise<Grant> {
	const existing = await get(ctx, opening.grant);
	if (existing === null) {
		const personal = await Catalog.personalColumns(ctx, opening.product);
		const hide = concealer(ctx.random(16));
		const tables = opening.tables.map(({ table, ...scope }) => ({
			...table,
			...hide.store(tableKey(table), scope, personal(table)),
		}));
		await Ledger.append(ctx, {
			stream: Ledger.stream.grant(opening.grant),
			after: null,
			actor: actorOf(ctx),
			body: { ...opening, type: 'GrantOpened', tables },
			...hide.pii(),
		});
	}
	return advance(ctx, opening.grant);
}

/** Whether these scopes could be held beside what the principal holds already. Throws `union-not-exact`. */
export async function checkUnion(
	ctx: Context,
	principal: string,
	scopes: readonly (Scope & { table: TableRef })[],
): Promise<void> {
	for (const scope of scopes) {
		const before = await held(ctx, principal, scope.table);
		if (before === null) continue;
		const state = withoutLapsed(before.state, ctx.now, before.recorded.ver + 1);
		const live = state.holdings.filter((h) => h.ended === null);
		if (!compatible([...live, scope])) throw inexact(scope);
	}
}

/**
 * Throws `not-governed` unless Lake Formation really decides on this table: its location is registered and
 * IAMAllowedPrincipals holds nothing on it (Lake Formation Developer Guide, "Default settings").
 */
export async function preflight(ctx: ReadCtx, table: TableRef): Promise<void> {
	const name = `${table.database}.${table.table}`;
	const [glue, holders] = await Promise.all([Catalog.glueTable(ctx, table), tableHolders(ctx, table)]);
	if (glue === null) throw new BrokerError('not-governed', `${name} is not in the Glue catalog any more.`);
	if (!glue.registered) {
		throw new BrokerError(
			'not-governed',
			`The location of ${name} is not registered with Lake Formation; register it first.`,
		);
	}
	if (holders.some((h) => /^IAM_?ALLOWED_?PRINCIPALS$/i.test(h.principal))) {
		throw new BrokerError('not-governed', `IAMAllowedPrincipals holds rights on ${name}; revoke them first.`);
	}
}

/** Goes on with a grant from wherever it stands; what is done already is not done again. */
export async function advance(ctx: Context, id: string): Promise<Grant> {
	const grant = await get(ctx, id);
	if (grant === null) throw new BrokerError('record-corrupt', 'A grant that should exist has no entries.');
	if (grant.state === 'granting' || grant.state === 'partial' || grant.state === 'failed') {
		const over = grant.opened.body.until <= ctx.clock().toISOString();
		return over ? dismantle(ctx, await end(ctx, null, grant, 'expired')) : build(ctx, grant);
	}
	if (grant.state === 'revoking' || grant.state === 'expiring' || grant.state === 'revoke_failed')
		return dismantle(ctx, grant);
	return grant;
}

type Outcome = TableRef & { filter: string | null; leaf: string | null; reason: string | null };

async function build(ctx: Context, grant: Grant): Promise<Grant> {
	const { body } = grant.opened;
	const personal = await Catalog.personalColumns(ctx, body.product);
	const tables: Outcome[] = [];
	for (const { table, readable, ...scope } of grant.scopes) {
		const of = { principal: body.principal, product: body.product, table };
		tables.push(
			await outcome(ctx, table, async () => {
				if (!readable) throw new BrokerError('record-corrupt', 'The row filter of this grant was erased.');
				await preflight(ctx, table);
				await enter(ctx, of, holdingFor(grant, scope), personal(table), () => stillWanted(ctx, body.grant));
				const result = await settle(ctx, of, personal(table));
				const proven = result?.state.holdings.find((h) => h.grant === body.grant)?.proven === true;
				if (!proven) throw new BrokerError('grant-not-proven', 'Lake Formation does not carry this grant.');
				return result;
			}),
		);
	}
	const done = tables.filter((t) => t.reason === null).length;
	const state = done === tables.length ? 'granted' : done === 0 ? 'failed' : 'partial';
	return record(ctx, grant, { type: 'GrantSettled', grant: body.grant, state, tables });
}

async function stillWanted(ctx: ReadCtx, id: string): Promise<void> {
	const grant = await get(ctx, id);
	if (grant?.entries.some((e) => e.body.type === 'GrantEnding') !== false) {
		throw new BrokerError('grant-revoked', 'The grant was ended while it was being made.');
	}
}

function holdingFor({ opened }: Grant, scope: Scope): Holding {
	const { grant, purpose, beneficiaries, from, until } = opened.body;
	return { ...scope, grant, leaf: opened.leaf, purpose, beneficiaries, from, until, proven: false, ended: null };
}

/** One table's failure must not stop the others; its reason is recorded and the sweep tries again. */
async function outcome(
	ctx: Context,
	table: TableRef,
	work: () => Promise<{ state: Entitlement; recorded: Ledger.Recorded } | null>,
): Promise<Outcome> {
	try {
		const result = await work();
		return {
			...table,
			filter: result?.state.filter.desired ?? null,
			leaf: result?.recorded.leaf ?? null,
			reason: null,
		};
	} catch (error) {
		ctx.warn('grants: a step is left to the sweep', error);
		const reason = error instanceof BrokerError ? error.code : 'lake-formation';
		return { ...table, filter: null, leaf: null, reason };
	}
}

const isConflict = (error: unknown) => error instanceof BrokerError && error.code === 'conflict';

/** Records an outcome unless the last entry says the same: a sweep that changes nothing writes nothing. */
async function record(
	ctx: Context,
	grant: Grant,
	body: Ledger.BodyOf<'GrantSettled'> | Ledger.BodyOf<'GrantEnded'>,
): Promise<Grant> {
	const last = grant.entries.at(-1);
	const same =
		JSON.stringify([last?.body.type, grant.state, grant.tables]) ===
		JSON.stringify([body.type, body.state, body.tables]);
	if (same) return grant;
	try {
		const stream = Ledger.stream.grant(body.grant);
		await Ledger.append(ctx, { stream, after: last ?? null, actor: actorOf(ctx), body });
	} catch (error) {
		// Somebody ended or finished it meanwhile: go on from what they recorded.
		if (isConflict(error)) return advance(ctx, body.grant);
		throw error;
	}
	return (await get(ctx, body.grant)) ?? grant;
}

/**
 * Ends a grant: recorded, shut at our gate on every table, then taken out of Lake Formation as far as it will go now.
 * Ending an ended grant is success.
 */
export async function end(
	ctx: Context,
	permit: Permit<'revokeGrant'> | null,
	grant: Grant,
	cause: 'revoked' | 'expired',
	reason?: string,
): Promise<Grant> {
	const { grant: id } = grant.opened.body;
	if (grant.state === 'revoked' || grant.state === 'expired') return grant;
	if (!grant.entries.some((e) => e.body.type === 'GrantEnding')) {
		try {
			await Ledger.append(ctx, {
				stream: Ledger.stream.grant(id),
				after: grant.entries.at(-1) ?? null,
				actor: actorOf(ctx),
				body: { type: 'GrantEnding', grant: id, cause, rules: permit?.rules ?? byClock(ctx) },
				...(reason === undefined ? {} : { pii: { reason } }),
			});
		} catch (error) {
			// It was just settled, or ended by somebody else: end what it is now.
			if (!isConflict(error)) throw error;
			return end(ctx, permit, (await get(ctx, id)) ?? grant, cause, reason);
		}
		await shutGate(ctx, grant, cause);
	}
	return (await get(ctx, id)) ?? grant;
}

async function shutGate(ctx: Context, grant: Grant, cause: 'revoked' | 'expired'): Promise<void> {
	const { principal, product, grant: id } = grant.opened.body;
	const personal = await Catalog.personalColumns(ctx, product);
	for (const { table } of grant.scopes) await leave(ctx, { principal, product, table }, id, cause, personal(table));
}

async function dismantle(ctx: Context, grant: Grant): Promise<Grant> {
	const { principal, product, grant: id } = grant.opened.body;
	const ending = Ledger.find(grant.entries, 'GrantEnding');
	const cause = ending?.body.cause ?? 'revoked';
	const personal = await Catalog.personalColumns(ctx, product);
	const tables: Omit<Outcome, 'filter'>[] = [];
	for (const { table } of grant.scopes) {
		const { filter: _, ...left } = await outcome(ctx, table, async () => {
			const before = await held(ctx, principal, table);
			if (before?.state.holdings.some((h) => h.grant === id && h.ended === null) === true) {
				await leave(ctx, { principal, product, table }, id, cause, personal(table));
			}
			return settle(ctx, { principal, table }, personal(table));
		});
		tables.push(left);
	}
	const state = tables.every((t) => t.reason === null) ? cause : 'revoke_failed';
	return record(ctx, grant, { type: 'GrantEnded', grant: id, state, tables });
}

/** Takes out of Lake Formation whatever of ours stands on the grant's tables beyond what is held there. */
export async function tidy(ctx: Context, grant: Grant): Promise<void> {
	const { principal, product } = grant.opened.body;
	const personal = await Catalog.personalColumns(ctx, product);
	for (const { table } of grant.scopes) await settle(ctx, { principal, table }, personal(table));
}

/** Expiry needs nobody's leave. */
const byClock = (ctx: Context) => ({ policies: [], setHash: ctx.policies.hash });
