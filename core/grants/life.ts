/** Opening, carrying on and dismantling a grant over all its tables: intent, Lake Formation, outcome. */
import pMap from 'p-map';
import * as Catalog from '../catalog.ts';
import { actorOf, type Context, systemContext } from '../context.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import * as Preflight from '../preflight.ts';
import { concealer, type Recalled, type Scope, sameScope, tableKey } from '../scope.ts';
import { beside, refusal } from './beside.ts';
import { end, intended, isDecided, type Shut, stillWanted } from './ending.ts';
import { carries, type Ending, type Holding } from './entitlement.ts';
import { type Grant, get, isOver } from './grant.ts';
import { enter, type Held, held, isConflict, leave, makeLess, mustFit, withoutLapsed } from './held.ts';
import { dropLeft, dropLeftOn } from './leaving.ts';
import { mustBeRecordable } from './room.ts';
import { type Progress, settle } from './settle.ts';
import { uphold } from './shortening.ts';
import { supersededBy } from './superseding.ts';

type TableRef = Ledger.TableRef;
type TableScope = Scope & { readonly table: TableRef };

/** Tables of one grant that are worked on at once. */
const AT_ONCE = 4;

export type Opening = Omit<Ledger.BodyOf<'GrantOpened'>, 'type' | 'tables'> & {
	readonly tables: readonly (Recalled & { readonly table: TableRef })[];
};

/**
 * Opens a grant that a completed decision calls for, and carries it as far as it will go now: to its end, where the
 * decision was taken back meanwhile. Running it again for the same grant id goes on where it stopped. Throws
 * `record-corrupt` for a filter that was erased.
 */
export async function open(ctx: Context, opening: Opening): Promise<Grant> {
	const existing = await get(ctx, opening.grant);
	if (existing === null) {
		if (!opening.tables.every((t) => t.readable)) {
			throw new BrokerError('record-corrupt', 'The row filter of what was approved was erased.');
		}
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
	const grant = await goOn(ctx, opening.grant);
	try {
		await supersede(ctx, grant);
	} catch (error) {
		ctx.warn('grants: one that another one goes on from stays held back until the sweep', error);
	}
	return grant;
}

/** Ends the grant that this one takes the place of, if it does. */
async function supersede(ctx: Context, grant: Grant): Promise<void> {
	const old = await supersededBy(ctx, grant);
	const system = systemContext(ctx, ctx.trace);
	if (old !== null) await finish(system, await end(system, null, old, 'revoked'));
}

/**
 * Whether these scopes could be granted now: Lake Formation governs the tables and has room, and the union with what the
 * principal holds already is exactly one filter. Throws `not-governed`, `quota-exceeded`, `union-not-exact`, and
 * `too-large` for what no record holds. `instead` is a grant that they would take the place of; `asking` what else would
 * have to fit into the record.
 */
export async function feasible(
	ctx: Context,
	principal: string,
	scopes: readonly TableScope[],
	instead: string | null = null,
	asking: Asking | null = null,
): Promise<void> {
	if (asking !== null) await mustBeRecordable(ctx, scopes, asking);
	for (const { table, ...scope } of scopes) {
		await Preflight.demand(ctx, table, { principal, scope });
		const before = await held(ctx, principal, table);
		if (before !== null) {
			const state = withoutLapsed(before.state, ctx.now, before.recorded.ver + 1);
			const live = state.holdings.filter((h) => h.ended === null && h.grant !== instead);
			if (beside(live)(scope) === null)
				throw await refusal(ctx, { principal, product: state.product, table }, live, scope);
		}
		if (asking !== null) {
			const { product, purpose, beneficiaries } = asking;
			const personal = (await Catalog.personalColumns(ctx, product))(table);
			mustFit(ctx, { principal, product, table }, before, { ...BLANK, ...scope, purpose, beneficiaries }, personal);
		}
	}
}

/** What a grant that is asked for would record besides its scope. */
export type Asking = Pick<Holding, 'purpose' | 'beneficiaries'> & { readonly product: string };

/** As long as what will stand there. */
const BLANK = {
	grant: `grt_${'0'.repeat(26)}`,
	leaf: '0'.repeat(64),
	from: '2000-01-01T00:00:00.000Z',
	until: '2000-01-01T00:00:00.000Z',
	proven: false,
	ended: null,
};

/**
 * Goes on with a grant from wherever it stands; what is done already is not done again. One whose decision was taken back
 * is ended; one that is granted takes the place of what it goes on from.
 */
export async function advance(ctx: Context, id: string): Promise<Grant> {
	const grant = await goOn(ctx, id);
	await supersede(ctx, grant);
	return grant;
}

async function goOn(ctx: Context, id: string): Promise<Grant> {
	const grant = await get(ctx, id);
	if (grant === null) throw new BrokerError('record-corrupt', 'A grant that should exist has no entries.');
	if (!isOver(grant) && !(await isDecided(ctx, grant))) {
		return finish(ctx, await end(ctx, null, grant, 'revoked'));
	}
	await uphold(ctx, grant);
	switch (grant.state) {
		case 'granting':
		case 'partial':
		case 'failed': {
			const lapsed = grant.until <= ctx.clock().toISOString();
			return lapsed ? finish(ctx, await end(ctx, null, grant, 'expired')) : build(ctx, grant);
		}
		case 'suspending':
		case 'revoking':
		case 'expiring':
		case 'revoke_failed':
			return dismantle(ctx, grant);
		case 'granted':
		case 'suspended':
			await dropLeft(ctx, grant);
			return grant;
		case 'revoked':
		case 'expired':
			return grant;
	}
	return grant.state satisfies never;
}

type Outcome = TableRef & {
	filter: string | null;
	leaf: string | null;
	reason: string | null;
	step: Ledger.GrantStep | null;
};

async function build(ctx: Context, grant: Grant): Promise<Grant> {
	const { body } = grant.opened;
	const personal = await Catalog.personalColumns(ctx, body.product);
	const tables = await eachTable(ctx, grant, async ({ table, readable, ...scope }, at) => {
		const of = { principal: body.principal, product: body.product, table };
		if (!readable) throw new BrokerError('record-corrupt', 'The row filter of this grant was erased.');
		const wanted = () => stillWanted(ctx, grant);
		// What it may open no longer is shut before anything else is looked at.
		at('entitlement');
		const wider = (await held(ctx, body.principal, table))?.state.holdings.some(
			(h) => h.grant === body.grant && h.ended === null && !sameScope(h, scope),
		);
		if (wider === true) await makeLess(ctx, of, { grant: body.grant, scope }, personal(table), wanted);
		await dropLeftOn(ctx, grant, table, personal(table));
		at('preflight');
		await Preflight.demand(ctx, table, { principal: body.principal, scope });
		at('entitlement');
		await enter(ctx, of, holdingFor(grant, scope), personal(table), wanted);
		const result = await settle(ctx, of, personal(table), at);
		const proven = result !== null && carries(result.state, body.grant, scope);
		if (!proven) throw new BrokerError('grant-not-proven', 'Lake Formation does not carry this grant.');
		return result;
	});
	const done = tables.filter((t) => t.reason === null).length;
	const state = done === tables.length ? 'granted' : done === 0 ? 'failed' : 'partial';
	// Found once more by the sweep, should this call not live to end what it takes the place of.
	const after = state === 'granted' && body.renews !== undefined ? { renews: body.renews } : {};
	return record(ctx, grant, { type: 'GrantSettled', grant: body.grant, state, tables, ...after });
}

function holdingFor({ opened, until, beneficiaries }: Grant, scope: Scope): Holding {
	const { grant, purpose, from } = opened.body;
	const { columns, rowFilter } = scope;
	const { leaf } = opened;
	return { columns, rowFilter, grant, leaf, purpose, beneficiaries, from, until, proven: false, ended: null };
}

/** One table's failure must not stop the others; the step that it failed in is recorded and the sweep tries again. */
async function eachTable(
	ctx: Context,
	{ scopes }: Pick<Grant, 'scopes'>,
	work: (scope: Grant['scopes'][number], at: Progress) => Promise<Held | null>,
): Promise<Outcome[]> {
	const one = async (scope: Grant['scopes'][number]): Promise<Outcome> => {
		let step: Ledger.GrantStep = 'preflight';
		try {
			const done = await work(scope, (reached) => {
				step = reached;
			});
			const filter = done?.state.filter.desired ?? null;
			return { ...scope.table, filter, leaf: done?.recorded.leaf ?? null, reason: null, step: null };
		} catch (error) {
			ctx.warn('grants: a step is left to the sweep', error);
			const reason = error instanceof BrokerError ? error.code : 'lake-formation';
			return { ...scope.table, filter: null, leaf: null, reason, step };
		}
	};
	return pMap(scopes, one, { concurrency: AT_ONCE });
}

type Settling = Ledger.BodyOf<'GrantSettled'> | Ledger.BodyOf<'GrantEnded'> | Ledger.BodyOf<'GrantSuspended'>;

/** Records an outcome unless the last entry says the same: a sweep that changes nothing writes nothing. */
async function record(ctx: Context, grant: Grant, body: Settling): Promise<Grant> {
	const last = grant.entries.at(-1);
	const same = told([last?.body.type, grant.state], grant.tables) === told([body.type, body.state], body.tables);
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

function told(what: readonly unknown[], tables: Grant['tables']): string {
	const each = tables.map((t) => [tableKey(t), t.filter ?? null, t.leaf, t.reason, t.step]);
	return JSON.stringify([what, each]);
}

/** Carries on what was just recorded, tables that are shut being shut. */
export async function finish(ctx: Context, { grant, shut }: Shut): Promise<Grant> {
	const { grant: id } = grant.opened.body;
	const now = (await get(ctx, id)) ?? grant;
	const ours = shut && intended(now) === intended(grant) && unfinished.has(now.state);
	return ours ? dismantle(ctx, now, true) : advance(ctx, id);
}

const unfinished: ReadonlySet<Grant['state']> = new Set(['suspending', 'revoking', 'expiring', 'revoke_failed']);

async function dismantle(ctx: Context, grant: Grant, shut = false): Promise<Grant> {
	const { principal, product, grant: id } = grant.opened.body;
	const cause = causeOf(grant);
	const personal = await Catalog.personalColumns(ctx, product);
	const gone = goneTables(grant);
	const outcomes = await eachTable(ctx, grant, async ({ table }, at) => {
		at('entitlement');
		const of = { principal, product, table };
		// A call that was killed may not have shut it: whoever is still opening it must meet a newer version.
		if (!shut && !gone.has(tableKey(table))) await leave(ctx, of, id, cause, personal(table));
		const left = await settle(ctx, of, personal(table), at);
		const stays = left?.state.holdings.some((h) => h.grant === id && h.ended === null) === true;
		if (stays) throw new BrokerError('conflict', 'The grant is still open on this table.');
		return left;
	});
	const tables = outcomes.map(({ account, database, table, leaf, reason, step }) => ({
		account,
		database,
		table,
		leaf,
		reason,
		step,
	}));
	const done = tables.every((t) => t.reason === null);
	return cause === 'suspended'
		? record(ctx, grant, { type: 'GrantSuspended', grant: id, state: done ? 'suspended' : 'suspending', tables })
		: record(ctx, grant, { type: 'GrantEnded', grant: id, state: done ? cause : 'revoke_failed', tables });
}

/** Tables of which this ending was told already that nothing is left. */
function goneTables(grant: Grant): ReadonlySet<string> {
	const since = grant.entries.findIndex((e) => e.leaf === intended(grant));
	const told = grant.entries
		.slice(since)
		.findLast((e) => e.body.type === 'GrantEnded' || e.body.type === 'GrantSuspended');
	if (told === undefined) return new Set();
	return new Set(grant.tables.filter((t) => t.reason === null).map(tableKey));
}

function causeOf(grant: Grant): Ending {
	if (grant.state === 'suspending') return 'suspended';
	return Ledger.find(grant.entries, 'GrantEnding')?.body.cause ?? 'revoked';
}

/** Takes out of Lake Formation whatever of ours stands on the grant's tables beyond what is held there. */
export async function tidy(ctx: Context, grant: Grant): Promise<void> {
	const { principal, product } = grant.opened.body;
	const personal = await Catalog.personalColumns(ctx, product);
	for (const { table } of grant.scopes) await settle(ctx, { principal, table }, personal(table));
}
