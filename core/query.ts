/**
 * The consumer's queries, run in place under the consumer's own principal.
 *
 * Promise: nothing runs that a grant in force does not open at that moment to this caller for this purpose; the flow is
 * recorded before the engine starts; what runs is printed from the parsed tree, never the caller's text; a result is
 * served only to who ran it, and only while the grants it used are in force.
 */
import * as z from 'zod';
import { actorOf, type Context } from './context.ts';
import { makeCursor, readCursor } from './cursor.ts';
import * as Domains from './domains.ts';
import { BrokerError } from './error.ts';
import * as Grants from './grants.ts';
import { newId } from './id.ts';
import * as Ledger from './ledger.ts';
import * as Lineage from './lineage.ts';
import { authorize, Entity, notFound, reveal } from './policy.ts';
import { type Execution, look, page, type ResultPage, start, stop } from './query/athena.ts';
import { bind, type Who } from './query/bind.ts';
import { dryRun, type QueryPlan } from './query/dryrun.ts';
import { type Plan, plan } from './query/plan.ts';
import type { QueryBody } from './query/resource.ts';
import { tableKey } from './scope.ts';
import type { Query } from './sql.ts';

export { QueryPlan } from './query/dryrun.ts';
export { ForeignLineage, ForeignSql, readForeign } from './query/foreign.ts';
export { QueryBody, QueryView, viewOf } from './query/resource.ts';

/** What a query would read, which grants cover it and whom to ask for the rest. Nothing runs, nothing is recorded. */
export async function tryOut(ctx: Context, body: QueryBody): Promise<QueryPlan> {
	const { who, query } = await prepare(ctx, body);
	return dryRun(ctx.config, who, query, await bind(ctx, who, query));
}

/** Checks, records and starts a query. */
export async function run(ctx: Context, body: QueryBody): Promise<Lineage.Flow> {
	const { who, domain, query } = await prepare(ctx, body);
	return launch(ctx, {
		id: newId('query', ctx),
		who,
		domain,
		planned: plan(query, await bind(ctx, who, query)),
		sql: body.sql,
	});
}

/** A query that Fairlead makes itself, as a tree over one table, for the caller to run as if he had sent it. */
export type Made = { readonly principal: string; readonly table: Ledger.TableRef; readonly query: Query };

export type Planned = { readonly who: Who; readonly domain: string; readonly planned: Plan };

/** What would run of it. Throws what {@link run} would throw. */
export async function planMade(ctx: Context, { principal, table, query }: Made): Promise<Planned> {
	const { who, domain } = await allowed(ctx, { principal });
	const binding = await bind(ctx, who, query);
	// A name stands for one table in the whole mesh; should that have moved, what was meant is not read.
	if (!binding.tables.every(({ ref }) => tableKey(ref) === tableKey(table))) throw notFound();
	return { who, domain, planned: plan(query, binding) };
}

/** Records and starts it under this id, or finds that done. `review`: the decision that it is made for. */
export async function runMade(
	ctx: Context,
	{ who, domain, planned }: Planned,
	id: string,
	review: NonNullable<Ledger.BodyOf<'FlowIntended'>['review']>,
): Promise<Lineage.Flow> {
	try {
		return await launch(ctx, { id, who, domain, planned, sql: planned.printed, review });
	} catch (error) {
		const first = error instanceof BrokerError && error.code === 'conflict' ? await Lineage.get(ctx, id) : null;
		if (first === null) throw error;
		return first;
	}
}

type Launch = Planned & {
	readonly id: string;
	readonly sql: string;
	readonly review?: Ledger.BodyOf<'FlowIntended'>['review'];
};

async function launch(ctx: Context, { id, who, domain, planned, sql, review }: Launch): Promise<Lineage.Flow> {
	const { printed, normalised, columns, until } = planned;
	const flow = await Lineage.intend(
		ctx,
		{
			flow: id,
			domain,
			principal: who.principal,
			purpose: who.purpose,
			legalBasis: ctx.config.purposes.find((p) => p.id === who.purpose)?.legalBasis ?? '',
			auth: planned.auth,
			query: { engine: 'athena', workGroup: ctx.config.workGroup(domain), sqlNormHash: Ledger.sha256(normalised) },
			from: planned.from,
			to: { domain },
			until,
			...(review === undefined ? {} : { review }),
		},
		planned.map,
		{ sql, printed, columns },
	);
	await begin(ctx, flow, printed);
	return flow;
}

/** Who asks, for which domain and purpose, and the text read. */
async function prepare(ctx: Context, body: QueryBody) {
	const may = await allowed(ctx, body);
	const query: Query = await ctx.parser.query(body.sql);
	return { ...may, query };
}

async function allowed(ctx: Context, body: Pick<QueryBody, 'principal' | 'purpose'>) {
	// Outsiders learn nothing here, not even which principals exist.
	authorize(ctx, 'viewDomains', Entity.mesh(ctx.config.governance));
	const serving = await Domains.principal(ctx, body.principal);
	if (serving === null) {
		const errors = [{ pointer: '/principal', detail: 'no domain has registered this principal' }];
		throw new BrokerError('validation', 'The principal is unknown.', { errors });
	}
	const domain = serving.domain.id;
	authorize(ctx, 'runQuery', Entity.domain(domain));
	if (body.purpose !== undefined && body.purpose !== serving.purpose) {
		throw new BrokerError('purpose-mismatch', `The principal serves \`${serving.purpose}\` alone.`);
	}
	return { who: { principal: body.principal, person: actorOf(ctx), purpose: serving.purpose }, domain };
}

/** Athena's id of the flow's execution: remembered, or found again by starting the same job with the same token. */
async function execution(ctx: Context, flow: Lineage.Flow): Promise<string> {
	const known = await Lineage.startedNoted(ctx, flow);
	if (known !== null) return known;
	const texts = await Lineage.textsOf(ctx, flow);
	if (texts === null) throw new BrokerError('record-corrupt', 'The query text of this flow was erased.');
	return begin(ctx, flow, texts.printed);
}

/** Starts the job of a flow, or finds it started, and remembers which it is. */
async function begin(ctx: Context, flow: Lineage.Flow, printed: string): Promise<string> {
	try {
		const id = await start(ctx, Lineage.jobOf(flow, printed));
		await Lineage.noteStarted(ctx, flow, id);
		return id;
	} catch (error) {
		if (error instanceof BrokerError && error.code === 'query-failed') {
			await Lineage.conclude(ctx, flow, { type: 'FlowFailed', flow: flow.id, execution: null, reason: 'not-started' });
		}
		throw error;
	}
}

/** The query with this id, if it is the caller's. */
export async function find(ctx: Context, id: string): Promise<Lineage.Flow> {
	const flow = await Lineage.get(ctx, id);
	if (flow === null) throw notFound();
	reveal(ctx, 'viewQuery', Entity.query(id, flow.intended.entry.actor, flow.intended.body.domain));
	return flow;
}

/**
 * Looks at a flow that is under way and records its end if it has one. Once a grant that it used is no longer in
 * force it is stopped, and never started. The sweep calls this too.
 */
export async function follow(ctx: Context, flow: Lineage.Flow): Promise<Lineage.Flow> {
	if (flow.ended !== null) return flow;
	const shut = await closed(ctx, flow);
	const known = await Lineage.startedNoted(ctx, flow);
	if (known === null && shut !== null) return cancelled(ctx, flow, null, 'grant-ended');
	const id = known ?? (await execution(ctx, flow));
	const end = endOf(flow.id, await look(ctx, flow.intended.body.principal, id));
	if (end !== null) return Lineage.conclude(ctx, flow, end);
	if (shut === null) return flow;
	await stop(ctx, flow.intended.body.principal, id);
	return cancelled(ctx, flow, id, 'grant-ended');
}

function cancelled(
	ctx: Context,
	flow: Lineage.Flow,
	execution: string | null,
	cause: Ledger.BodyOf<'FlowCancelled'>['cause'],
): Promise<Lineage.Flow> {
	return Lineage.conclude(ctx, flow, { type: 'FlowCancelled', flow: flow.id, execution, cause });
}

/** How the engine says it ended; null while it has not. */
function endOf(flow: string, seen: Execution): Lineage.End | null {
	const { id: execution, bytesScanned, engineMs } = seen;
	switch (seen.state) {
		case 'succeeded':
			return { type: 'FlowCompleted', flow, execution, stats: { bytesScanned, engineMs } };
		case 'failed':
			return { type: 'FlowFailed', flow, execution, reason: seen.denied ? 'denied-by-lake-formation' : 'engine' };
		case 'lost':
			return { type: 'FlowFailed', flow, execution, reason: 'lost' };
		case 'cancelled':
			return { type: 'FlowCancelled', flow, execution, cause: 'engine' };
		case 'queued':
		case 'running':
			return null;
	}
}

/**
 * Why a grant that the flow used is not in force now; null while all are, and the principal still serves the purpose.
 * For handing out a result (`exact`), also why its rows are not certain to be those that were gated.
 */
async function closed(ctx: Context, flow: Lineage.Flow, exact = false): Promise<BrokerError | null> {
	const { principal, purpose, domain, auth } = flow.intended.body;
	const serving = await Domains.principal(ctx, principal);
	if (serving?.purpose !== purpose || serving.domain.id !== domain) {
		return new BrokerError('purpose-mismatch', 'The principal is no longer registered for this purpose.');
	}
	for (const { table, grants, ver } of auth) {
		const gate = await gateOf(ctx, flow, table);
		const name = `${table.database}.${table.table}`;
		if (!gate.open) return new BrokerError(gate.code, `The grant on \`${name}\` is no longer in force.`);
		const still = grants.every((g) => gate.holdings.some((h) => h.grant === g));
		if (!still) return new BrokerError('grant-expired', `A grant on \`${name}\` is no longer in force.`);
		if (gate.recorded.ver !== ver && (await narrowedSince(ctx, grants, flow.intended.entry.at))) {
			return new BrokerError('grant-not-proven', `A grant on \`${name}\` opens less now; run the query again.`);
		}
		if (exact && moved(gate, ver)) {
			return new BrokerError('grant-not-proven', 'Rights on this principal changed meanwhile; run the query again.');
		}
	}
	return null;
}

/** Whether one of these grants was made to open less at this instant or later: what was read may be more than that. */
async function narrowedSince(ctx: Context, grants: readonly string[], at: string): Promise<boolean> {
	const read = await Promise.all(grants.map((id) => Grants.get(ctx, id)));
	return read.some((g) => g?.entries.some((e) => e.body.type === 'GrantNarrowed' && e.entry.at >= at));
}

/**
 * Where our own WHERE could not hold the rows, Lake Formation's filter alone did. It is certain to have been the one
 * that was gated only if the entitlement has not changed since: every widening is a new version first.
 */
function moved(gate: Extract<Grants.Gate, { open: true }>, ver: number): boolean {
	return !gate.printable && gate.recorded.ver !== ver;
}

function gateOf(ctx: Context, flow: Lineage.Flow, table: Ledger.TableRef): Promise<Grants.Gate> {
	const { principal, purpose } = flow.intended.body;
	return Grants.gate(ctx, { principal, person: flow.intended.entry.actor, purpose }, table, ctx.now);
}

/** Stops a query of the caller's. One that is over keeps the end it had. */
export async function cancel(ctx: Context, id: string): Promise<Lineage.Flow> {
	const flow = await follow(ctx, await find(ctx, id));
	if (flow.ended !== null) return flow;
	const running = await execution(ctx, flow);
	await stop(ctx, flow.intended.body.principal, running);
	return cancelled(ctx, flow, running, 'caller');
}

export type Results = Omit<ResultPage, 'next'> & { readonly nextPageToken: string | null };

/** A page of a finished query's result, as long as its grants are in force. Reading the last page records delivery. */
export async function results(
	ctx: Context,
	id: string,
	pageToken: string | undefined,
	limit: number,
): Promise<Results> {
	const flow = await follow(ctx, await find(ctx, id));
	const shut = await closed(ctx, flow, true);
	if (shut !== null) throw shut;
	const { ended } = flow;
	if (ended === null)
		throw new BrokerError('not-finished', 'The query is still running; ask again.', { retryAfter: 1 });
	if (ended.body.type !== 'FlowCompleted') throw new BrokerError('query-failed', `The query ${flow.state}.`);
	const scope = ['results', id];
	const at = pageToken === undefined ? { token: null, rows: 0 } : Position.parse(readCursor(ctx, scope, pageToken));
	const found = await page(ctx, flow.intended.body.principal, ended.body.execution, at.token, limit);
	const rows = at.rows + found.rows.length;
	if (found.next === null) await Lineage.delivered(ctx, flow, rows);
	const nextPageToken = found.next === null ? null : makeCursor(ctx, scope, { token: found.next, rows });
	return { columns: found.columns, rows: found.rows, nextPageToken };
}

const Position = z.object({ token: z.string().nullable(), rows: z.int() });
