/**
 * How many rows a pending request would open, before and after: for those who decide on it, and for nobody else. To a
 * consumer, counts of filters of his choice would tell of rows that he may not see.
 *
 * Promise: a count is a query of the approver's own, printed here from the trees that preview adds up, under a grant of
 * his that opens all that it looks at, and in the ledger as a flow before it starts. What another approver counted is
 * not shown. Nothing is kept but the flow: of a count that a crash cut off, the flow is gone on with or ends by itself.
 */
import { createHash, createHmac } from 'node:crypto';
import pMap from 'p-map';
import * as Access from './access.ts';
import * as Catalog from './catalog.ts';
import { actorOf, type Context } from './context.ts';
import { type Closed, principalsFor } from './counts/holding.ts';
import { columnsRead, countsIn, statementOf } from './counts/statement.ts';
import type { CountsView, TableCount } from './counts/view.ts';
import { BrokerError, isRefusal } from './error.ts';
import * as Grants from './grants.ts';
import { newId } from './id.ts';
import * as Ledger from './ledger.ts';
import * as Lineage from './lineage.ts';
import { authorize } from './policy.ts';
import * as Query from './query.ts';
import { tableKey, union } from './scope.ts';

export { CountsView, TableCount } from './counts/view.ts';

/** Tables that are looked at at once. */
const AT_ONCE = 4;
/** A count that is younger than this is not made again. */
const FRESH_MS = 3_600_000;
/** As often one may fail in an hour, of one content, before there is no other try. */
const MOST_TRIES = 10;

/** What the caller counted of the request as it stands. Starts no new count; one that was cut off is gone on with. */
export async function look(ctx: Context, id: string): Promise<CountsView> {
	const review = await reviewOf(ctx, id);
	return whole(review, await each(review, async (one) => told(ctx, one, await latest(ctx, one))));
}

/** Counts what can be counted and was not, or an hour ago: `started` says whether anything is under way now. */
export async function start(ctx: Context, id: string): Promise<{ counts: CountsView; started: boolean }> {
	const review = await reviewOf(ctx, id);
	const tables = await each(review, async (one) => {
		const last = await latest(ctx, one);
		const found = await unlessUnavailable(() => told(ctx, one, last));
		return found !== null && stands(ctx, found) ? found : begin(ctx, one);
	});
	return { counts: whole(review, tables), started: tables.some((t) => t.state === 'running') };
}

type Review = {
	readonly ctx: Context;
	readonly request: Access.Request;
	readonly product: Catalog.Product;
	readonly sight: Grants.Sight;
};

/** A table that the caller may count, and the query that would do it: under each principal that will do. */
type Countable = {
	readonly review: Review;
	readonly table: Ledger.TableRef;
	readonly queries: readonly [Query.Planned, ...Query.Planned[]];
};

/** Throws `not-found`, `not-permitted`, `already-decided`. */
async function reviewOf(ctx: Context, id: string): Promise<Review> {
	const request = await Access.find(ctx, id);
	authorize(ctx, 'countRequest', await Access.resourceOf(ctx, request));
	if (request.state !== 'pending') {
		throw new BrokerError('already-decided', `The request is ${request.state}: nothing is ahead to be counted.`);
	}
	if (!request.content.scopes.every((scope) => scope.readable)) {
		throw new BrokerError('record-corrupt', 'The row filter of this request was erased.');
	}
	const product = await Catalog.get(ctx, request.filed.body.product);
	if (product === null) throw new BrokerError('record-corrupt', 'A request names a product without entries.');
	const personalOf = await Catalog.personalColumns(ctx, product.id);
	return { ctx, request, product, sight: Grants.sightOf(ctx, product, personalOf) };
}

/** Each table: why it cannot be counted, or what `count` makes of it. One that cannot be had now hides no other. */
function each(review: Review, count: (one: Countable) => Promise<TableCount>): Promise<TableCount[]> {
	const one = async (scope: Access.Content['scopes'][number]) => {
		try {
			const found = await countable(review, scope);
			return 'reason' in found ? notCounted(scope.table, found) : await count(found);
		} catch (error) {
			if (!isUnavailable(error)) throw error;
			review.ctx.warn('counts: a table cannot be counted now', error);
			return notCounted(scope.table, { reason: 'unavailable', advice: `${error.message} ${LATER}` });
		}
	};
	return pMap(review.request.content.scopes, one, { concurrency: AT_ONCE });
}

function whole({ request }: Review, tables: TableCount[]): CountsView {
	return { request: request.id, contentHash: request.content.contentHash, tables };
}

const nameOf = (table: Ledger.TableRef) => `${table.database}.${table.table}`;
const notCounted = (table: Ledger.TableRef, closed: Closed): TableCount => ({
	table: nameOf(table),
	state: 'not-counted',
	...closed,
});

const NOT_TOLD =
	'The principal holds grants that you may not see, on constants of personal columns: ask who may see them to count.';
const NOT_EXACT = 'It cannot be granted as it stands: see `clash` in the preview.';
const LATER = 'If it stays so, have a steward look into the principal for reviews, or register another.';
const AGAIN = 'Ask for it: POST /requests/{id}/counts.';

/** The predicates are those of preview: what the principal's live grants add up to, and that with this request. */
async function countable(
	review: Review,
	{ table, columns, rowFilter }: Access.Content['scopes'][number],
): Promise<Countable | Closed> {
	const { ctx, request, product, sight } = review;
	const live = await Grants.liveHoldings(ctx, request.content.principal, table);
	if (!(await Grants.readingOf(sight, table, live)).whole) return { reason: 'not-told', advice: NOT_TOLD };
	const before = union(live);
	const after = Grants.beside(live)({ columns, rowFilter });
	if (after === null) return { reason: 'union-not-exact', advice: NOT_EXACT };
	const found = await principalsFor(ctx, { product, table, columns: columnsRead(before, after) });
	if ('reason' in found) return found;
	const query = statementOf(table, before, after);
	const planned: Query.Planned[] = [];
	let closed: Closed = { reason: 'no-grant', advice: '' };
	for (const principal of found.principals) {
		try {
			planned.push(await Query.planMade(ctx, { principal, table, query }));
		} catch (error) {
			closed = inForceNoMore(error);
		}
	}
	const [first, ...others] = planned;
	return first === undefined ? closed : { review, table, queries: [first, ...others] };
}

function isUnavailable(error: unknown): error is BrokerError {
	return error instanceof BrokerError && error.code === 'unavailable';
}

async function unlessUnavailable<T>(act: () => Promise<T>): Promise<T | null> {
	try {
		return await act();
	} catch (error) {
		if (isUnavailable(error)) return null;
		throw error;
	}
}

/** A grant that ended, or a table that changed, since it was looked at. */
function inForceNoMore(error: unknown): Closed {
	if (!isRefusal(error)) throw error;
	return { reason: 'grant-not-in-force', advice: error.message };
}

const hintOf = ({ review, table }: Countable) => `count#${review.request.id}#${actorOf(review.ctx)}#${tableKey(table)}`;

/** What the caller last counted of this table for this request. Where that was forgotten, it is counted anew. */
async function latest(ctx: Context, one: Countable): Promise<Lineage.Flow | null> {
	const id = await Ledger.Listing.readHint(ctx, hintOf(one));
	if (id === null) return null;
	const flow = await Ledger.readable(() => Lineage.get(ctx, id));
	const { entry, body } = flow?.intended ?? {};
	const own = entry?.actor === actorOf(ctx) && body?.review?.request === one.review.request.id;
	return own && body.from.every((t) => tableKey(t) === tableKey(one.table)) ? flow : null;
}

/** What a flow counted, as far as it counted this. */
async function told(
	ctx: Context,
	{ review, table, queries }: Countable,
	found: Lineage.Flow | null,
): Promise<TableCount> {
	if (found === null) return notCounted(table, { reason: 'not-asked', advice: AGAIN });
	const same = found.intended.body.review?.contentHash === review.request.content.contentHash;
	const texts = await Lineage.textsOf(ctx, found);
	if (!same || !queries.some(({ planned }) => planned.printed === texts?.printed)) {
		const advice = `What was counted is another request by now, or the principal holds something else. ${AGAIN}`;
		return notCounted(table, { reason: 'changed', advice });
	}
	const flow = await asItEnded(ctx, found.id, () => Query.follow(ctx, found));
	const { ended } = flow;
	const about = { table: nameOf(table), query: flow.id };
	if (ended === null) return { ...about, state: 'running' };
	if (ended.body.type === 'FlowFailed') return { ...about, state: 'failed', code: ended.body.reason };
	if (ended.body.type === 'FlowCancelled') return { ...about, state: 'failed', code: ended.body.cause };
	try {
		return { ...about, state: 'counted', ...(await numbers(ctx, flow.id)), at: flow.intended.entry.at };
	} catch (error) {
		return notCounted(table, inForceNoMore(error));
	}
}

async function numbers(ctx: Context, flow: string) {
	const result = await Query.results(ctx, flow, undefined, 10);
	const counts = countsIn(result.rows);
	if (counts === null) throw new BrokerError('internal', 'A count is no count.');
	const [rows, before, after] = counts;
	const share = (part: number) => (rows === 0 ? null : part / rows);
	return { rows, before, after, shareBefore: share(before), shareAfter: share(after) };
}

/** Whether it need not be counted again now. */
function stands(ctx: Context, found: TableCount): boolean {
	if (found.state === 'counted') return ctx.now.getTime() - Date.parse(found.at) < FRESH_MS;
	return found.state === 'running';
}

/** Starts counting, under the next principal where Athena cannot be had under one. */
async function begin(ctx: Context, one: Countable, [query, ...others] = one.queries): Promise<TableCount> {
	try {
		return await beginAs(ctx, one, query);
	} catch (error) {
		const [next, ...more] = others;
		if (next === undefined || !isUnavailable(error)) throw error;
		return begin(ctx, one, [next, ...more]);
	}
}

/**
 * The flow's id is kept by what is counted, by whom and in which hour: of two calls at once one starts it, and the other
 * finds it. What failed is tried under the next id.
 */
async function beginAs(ctx: Context, one: Countable, query: Query.Planned): Promise<TableCount> {
	const { contentHash } = one.review.request.content;
	let last: TableCount | null = null;
	for (let nth = 0; nth < MOST_TRIES; nth += 1) {
		const id = await flowId(ctx, one, query, nth);
		const known = await Lineage.get(ctx, id);
		if (known === null) {
			await Ledger.Listing.writeHint(ctx, hintOf(one), id);
			const made = { request: one.review.request.id, contentHash };
			const flow = await asItEnded(ctx, id, () => Query.runMade(ctx, query, id, made));
			if (flow.ended === null) return { table: nameOf(one.table), state: 'running', query: id };
			return told(ctx, one, flow);
		}
		last = await told(ctx, one, known);
		if (stands(ctx, last)) {
			await Ledger.Listing.writeHint(ctx, hintOf(one), id);
			return last;
		}
	}
	return last ?? notCounted(one.table, { reason: 'not-asked', advice: AGAIN });
}

/** The flow with this id, as `act` leaves it. */
async function asItEnded(ctx: Context, id: string, act: () => Promise<Lineage.Flow>): Promise<Lineage.Flow> {
	try {
		return await act();
	} catch (error) {
		// Athena took it for no query: that is how it ended, and so it stands in the ledger.
		const refused = error instanceof BrokerError && error.code === 'query-failed';
		const flow = refused ? await Lineage.get(ctx, id) : null;
		if (flow === null) throw error;
		return flow;
	}
}

/**
 * A new id, or the one that was taken for the same in this hour. Should that be forgotten, it is counted anew. What it is
 * kept by is keyed: the printed text holds constants, which nobody shall find by trying them out.
 */
function flowId(ctx: Context, { review, table }: Countable, query: Query.Planned, nth: number): Promise<string> {
	const { id, content } = review.request;
	const { who, planned } = query;
	const hour = Math.floor(ctx.now.getTime() / FRESH_MS);
	const seed = [id, content.contentHash, who.person, who.principal, tableKey(table), planned.printed, hour, nth];
	const key = createHash('sha256').update('count of rows').update(ctx.config.cursorKey).digest();
	const name = createHmac('sha256', key).update(JSON.stringify(seed)).digest('hex');
	return Ledger.Listing.claimHint(ctx, `counting#${name}`, newId('query', ctx));
}
