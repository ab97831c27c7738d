/**
 * Grants: an approved request in force, from opening to proven end.
 *
 * Promise: `granted` is recorded only after Lake Formation was read back and shows it, `revoked` and `expired` only
 * after it shows it gone. A revoked grant opens nothing from the moment `end` returns; an expired one from its minute
 * on, whatever the sweep does.
 */
import * as z from 'zod';
import * as Catalog from './catalog.ts';
import { actorOf, type Context } from './context.ts';
import { BrokerError } from './error.ts';
import type { Entitlement, Holding } from './grants/entitlement.ts';
import { tableHolders } from './grants/lakeformation.ts';
import { enter, held, inexact, leave, type Personal, settle, withoutLapsed } from './grants/saga.ts';
import * as Ledger from './ledger.ts';
import { authorize, Entity, may, notFound, type Permit, type Resource } from './policy.ts';
import { printRowFilter } from './rowfilter.ts';
import { conceal, recall, type Scope, tableKey, union } from './scope.ts';

export { type Gate, gate } from './grants/gate.ts';

type ReadCtx = Pick<Context, 'aws' | 'config'>;
type TableRef = Ledger.TableRef;

export const GrantState = z.enum([
	'granting',
	'granted',
	'partial',
	'failed',
	'expiring',
	'expired',
	'revoking',
	'revoked',
	'revoke_failed',
]);
export type GrantState = z.infer<typeof GrantState>;

export const TableScopeView = z
	.object({
		table: z.string().meta({ description: 'Name in SQL: database.table', example: 'lending.loans' }),
		columns: z.array(z.string()),
		rowFilter: z.string().nullable().meta({ description: 'Canonical text; null is all rows' }),
	})
	.meta({ id: 'TableScope' });

export const GrantView = z
	.object({
		id: z.string(),
		request: z.string(),
		product: z.string(),
		contractVersion: z.string(),
		principal: z.string(),
		consumerDomain: z.string(),
		purpose: z.string(),
		beneficiaries: z.array(z.string()),
		tables: z.array(
			TableScopeView.extend({
				account: z.string(),
				filter: z.string().nullable().meta({ description: 'The data cells filter that carries it' }),
				reason: z.string().nullable(),
			}),
		),
		from: z.iso.datetime(),
		until: z.iso.datetime(),
		state: GrantState,
	})
	.meta({ id: 'Grant' });
export type GrantView = z.infer<typeof GrantView>;

/** One grant as folded from its stream. */
export type Grant = {
	readonly opened: Ledger.Recorded<'GrantOpened'>;
	readonly entries: readonly Ledger.Recorded[];
	readonly scopes: readonly (Scope & { readonly table: TableRef })[];
	readonly state: GrantState;
	readonly tables: readonly (TableRef & { filter?: string | null; reason: string | null })[];
};

export async function get(ctx: ReadCtx, id: string): Promise<Grant | null> {
	const entries = await Ledger.read(ctx, Ledger.stream.grant(id));
	const opened = Ledger.find(entries, 'GrantOpened');
	if (opened === undefined) return null;
	const secrets = ((await Ledger.payload(ctx, opened.entry))?.['rowFilters'] ?? {}) as Record<string, unknown>;
	const scopes = opened.body.tables.map(({ columns, rowFilter, ...table }) => ({
		table,
		columns,
		rowFilter: recall(rowFilter, secrets[tableKey(table)]),
	}));
	return { opened, entries, scopes, ...fold(entries) };
}

function fold(entries: readonly Ledger.Recorded[]): Pick<Grant, 'state' | 'tables'> {
	let state: GrantState = 'granting';
	let tables: Grant['tables'] = [];
	for (const { body } of entries) {
		if (body.type === 'GrantSettled') ({ state, tables } = body);
		else if (body.type === 'GrantEnding') state = body.cause === 'revoked' ? 'revoking' : 'expiring';
		else if (body.type === 'GrantEnded') ({ state, tables } = body);
	}
	return { state, tables };
}

/** The grant with this id, if the caller may see it. Throws `not-found` alike for absent and hidden ones. */
export async function find(ctx: Context, id: string): Promise<Grant> {
	const grant = await get(ctx, id);
	if (grant === null || !(await isVisible(ctx, grant))) throw notFound();
	return grant;
}

export async function isVisible(ctx: Context, grant: Grant): Promise<boolean> {
	return may(ctx, 'viewGrant', await resourceOf(ctx, grant));
}

/** Ends a grant for the caller: refused at our gate first, then taken out of Lake Formation as far as it will go now. */
export async function revoke(ctx: Context, id: string, reason: string): Promise<Grant> {
	const grant = await find(ctx, id);
	const permit = authorize(ctx, 'revokeGrant', await resourceOf(ctx, grant));
	await end(ctx, permit, grant, 'revoked', reason);
	return advance(ctx, id);
}

async function resourceOf(ctx: Context, grant: Grant): Promise<Resource> {
	const { grant: id, product: productId, consumerDomain, beneficiaries } = grant.opened.body;
	const product = await Catalog.get(ctx, productId);
	if (product === null) throw new BrokerError('record-corrupt', 'A grant names a product without entries.');
	return Entity.grant({ id, product: Catalog.factsOf(product), consumerDomain, beneficiaries }, ctx.config.governance);
}

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
		const personal = await personalOf(ctx, opening.product);
		const salt = ctx.random(16);
		const rowFilters: Record<string, unknown> = {};
		const tables = opening.tables.map(({ table, columns, rowFilter }) => {
			const { stored, clear } = conceal(rowFilter, personal(table), salt);
			if (!clear) rowFilters[tableKey(table)] = rowFilter;
			return { ...table, columns: [...columns], rowFilter: stored };
		});
		await Ledger.append(ctx, {
			stream: Ledger.stream.grant(opening.grant),
			after: null,
			actor: actorOf(ctx),
			body: { ...opening, type: 'GrantOpened', tables },
			...(Object.keys(rowFilters).length > 0 ? { pii: { salt: Buffer.from(salt).toString('hex'), rowFilters } } : {}),
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
		if (union([...live, scope]) === null) throw inexact({ principal, table: scope.table }, state);
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
	if (grant.state === 'granting' || grant.state === 'partial' || grant.state === 'failed') return build(ctx, grant);
	if (grant.state === 'revoking' || grant.state === 'expiring' || grant.state === 'revoke_failed')
		return dismantle(ctx, grant);
	return grant;
}

type Outcome = TableRef & { filter: string | null; leaf: string | null; reason: string | null };

async function build(ctx: Context, grant: Grant): Promise<Grant> {
	const { body } = grant.opened;
	const personal = await personalOf(ctx, body.product);
	const tables: Outcome[] = [];
	for (const { table, ...scope } of grant.scopes) {
		const of = { principal: body.principal, product: body.product, table };
		tables.push(
			await outcome(ctx, table, async () => {
				await preflight(ctx, table);
				await enter(ctx, of, holdingFor(grant, scope), personal(table), () => stillWanted(ctx, body.grant));
				return settle(ctx, of, personal(table));
			}),
		);
	}
	const done = tables.filter((t) => t.reason === null).length;
	const state = done === tables.length ? 'granted' : done === 0 ? 'failed' : 'partial';
	try {
		return await record(ctx, grant, { type: 'GrantSettled', grant: body.grant, state, tables });
	} catch (error) {
		// Somebody ended or finished it meanwhile: go on from what they recorded.
		if (error instanceof BrokerError && error.code === 'conflict') return advance(ctx, body.grant);
		throw error;
	}
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
	if (!same) {
		const fresh = { ...ctx, now: ctx.clock() };
		const stream = Ledger.stream.grant(body.grant);
		await Ledger.append(fresh, { stream, after: last ?? null, actor: actorOf(ctx), body });
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
	if (grant.state === 'revoked' || grant.state === 'expired') return grant;
	const ending = grant.entries.some((e) => e.body.type === 'GrantEnding');
	if (!ending) {
		await Ledger.append(ctx, {
			stream: Ledger.stream.grant(grant.opened.body.grant),
			after: grant.entries.at(-1) ?? null,
			actor: actorOf(ctx),
			body: { type: 'GrantEnding', grant: grant.opened.body.grant, cause, policies: [...(permit?.policies ?? [])] },
			...(reason === undefined ? {} : { pii: { reason } }),
		});
	}
	await shutGate(ctx, grant, cause);
	return (await get(ctx, grant.opened.body.grant)) ?? grant;
}

async function shutGate(ctx: Context, grant: Grant, cause: 'revoked' | 'expired'): Promise<void> {
	const { principal, product, grant: id } = grant.opened.body;
	const personal = await personalOf(ctx, product);
	for (const { table } of grant.scopes) await leave(ctx, { principal, product, table }, id, cause, personal(table));
}

async function dismantle(ctx: Context, grant: Grant): Promise<Grant> {
	const { principal, product, grant: id } = grant.opened.body;
	const ending = Ledger.find(grant.entries, 'GrantEnding');
	const cause = ending?.body.cause ?? 'revoked';
	const personal = await personalOf(ctx, product);
	const tables: Outcome[] = [];
	for (const { table } of grant.scopes) {
		tables.push(
			await outcome(ctx, table, async () => {
				const before = await held(ctx, principal, table);
				if (before?.state.holdings.some((h) => h.grant === id && h.ended === null) === true) {
					await leave(ctx, { principal, product, table }, id, cause, personal(table));
				}
				return settle(ctx, { principal, table }, personal(table));
			}),
		);
	}
	const state = tables.every((t) => t.reason === null) ? cause : 'revoke_failed';
	return record(ctx, grant, { type: 'GrantEnded', grant: id, state, tables });
}

/** Columns classified personal, by table, from the product's current contract. */
async function personalOf(ctx: ReadCtx, productId: string): Promise<Personal> {
	const product = await Catalog.get(ctx, productId);
	return (table) => {
		const bound = product?.contract.tables.find((t) => t.name === table.table && t.database === table.database);
		return new Set((bound?.columns ?? []).filter((c) => c.personal).map((c) => c.name));
	};
}

export function viewOf(grant: Grant, now: Date): GrantView {
	const { body } = grant.opened;
	const lapsed = (grant.state === 'granted' || grant.state === 'partial') && body.until <= now.toISOString();
	return {
		id: body.grant,
		request: body.request,
		product: body.product,
		contractVersion: body.contract.version,
		principal: body.principal,
		consumerDomain: body.consumerDomain,
		purpose: body.purpose,
		beneficiaries: body.beneficiaries,
		tables: grant.scopes.map((s) => {
			const outcome = grant.tables.find((t) => tableKey(t) === tableKey(s.table));
			return {
				...scopeView(s),
				account: s.table.account,
				filter: outcome?.filter ?? null,
				reason: outcome?.reason ?? null,
			};
		}),
		from: body.from,
		until: body.until,
		state: lapsed ? 'expiring' : grant.state,
	};
}

export function scopeView(scope: Scope & { readonly table: TableRef }) {
	return {
		table: `${scope.table.database}.${scope.table.table}`,
		columns: [...scope.columns],
		rowFilter: scope.rowFilter === null ? null : printRowFilter(scope.rowFilter),
	};
}
