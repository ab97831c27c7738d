/**
 * The record of a bypass: one stream for each query, whichever records tell of it and in whatever order, in its own account
 * or in that of the table. A version says all that is known; what adds nothing is not written, so a second look at the same
 * records writes nothing. Killed before the listing, the next look lists it.
 */
import { actorOf, type Context } from '../context.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import { tableKey } from '../scope.ts';
import { domainIn } from './catalog.ts';

type Body = Ledger.BodyOf<'BypassDetected'>;

/** What one record tells. `more` is for the payload. */
export type Evidence = {
	readonly body: Omit<Body, 'type' | 'moreTables' | 'otherDays' | 'domains'>;
	readonly more: { readonly name?: string; readonly session?: string; readonly workGroup?: string };
};

/** Tables of one entry, whatever their names are. */
const MOST_TABLES = 30;

const idOf = ({ query, event }: Evidence['body']) => query ?? event ?? '';
const streamOf = ({ body }: Evidence) => Ledger.stream.bypass(body.account, idOf(body));

/** Tells that data went past Fairlead, in words that an alarm looks for. */
export function tell(ctx: Pick<Context, 'warn'>): void {
	ctx.warn('completeness: bypass', new BrokerError('conflict', 'GET /completeness tells more.'));
}

/** Records what these tell, one query after another, and tells of each that is new. */
export async function record(ctx: Context, found: readonly Evidence[]): Promise<void> {
	const streams = new Map<string, Evidence[]>();
	for (const one of found) streams.set(streamOf(one), [...(streams.get(streamOf(one)) ?? []), one]);
	for (const [stream, all] of streams) await add(ctx, stream, all, true);
}

async function add(ctx: Context, stream: string, all: readonly Evidence[], again: boolean): Promise<void> {
	const last = await Ledger.last(ctx, stream, 'BypassDetected');
	const body = all.reduce<Body | null>((known, one) => joined(known, one.body), last?.body ?? null);
	if (body === null) return;
	if (last !== null && same(last.body, body)) {
		await Ledger.Listing.applyProjections(ctx, Ledger.Listing.project(last));
		return;
	}
	const before = last === null ? null : await Ledger.payload(ctx, last.entry);
	// Before it is recorded: killed in between, it is told twice and never not at all.
	if (last === null) tell(ctx);
	const pii = all.reduce<Record<string, unknown>>((known, { more }) => ({ ...more, ...known }), before ?? {});
	try {
		const draft = { stream, after: last, actor: actorOf(ctx), body };
		await Ledger.append(ctx, { ...draft, ...(Object.keys(pii).length === 0 ? {} : { pii }) });
	} catch (error) {
		if (!again || !(error instanceof BrokerError) || error.code !== 'conflict') throw error;
		await add(ctx, stream, all, false);
	}
}

/** All that both say. */
export function joined(known: Body | null, one: Evidence['body']): Body {
	if (known === null) return withTables({ type: 'BypassDetected', ...one, moreTables: false }, one.tables);
	const otherDays = [...(known.otherDays ?? []), one.day].filter((day) => day !== known.day);
	const base = {
		...known,
		...(otherDays.length === 0 ? {} : { otherDays: [...new Set(otherDays)].toSorted() }),
		seenAt: known.seenAt < one.seenAt ? known.seenAt : one.seenAt,
		event: known.event ?? one.event,
		domain: known.domain ?? one.domain,
		principal: known.principal ?? one.principal,
		principalId: known.principalId ?? one.principalId,
		service: known.service ?? one.service,
		workGroup: known.workGroup ?? one.workGroup,
		flow: known.flow ?? one.flow,
		reasons: sorted([...known.reasons, ...one.reasons]),
	};
	return withTables(base, [...known.tables, ...one.tables]);
}

function withTables(body: Body, tables: Body['tables']): Body {
	const byKey = new Map<string, Body['tables'][number]>();
	for (const t of tables) {
		const products = [...(byKey.get(tableKey(t))?.products ?? []), ...t.products];
		byKey.set(tableKey(t), { ...t, products: [...new Set(products)].toSorted() });
	}
	const all = [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, t]) => t);
	return {
		...body,
		reasons: sorted(body.reasons),
		tables: all.slice(0, MOST_TABLES),
		moreTables: body.moreTables || all.length > MOST_TABLES,
		domains: [...new Set([...(body.domains ?? []), ...domainsIn(all)])].toSorted(),
	};
}

const domainsIn = (tables: Body['tables']) => tables.flatMap(({ products }) => products.map(domainIn));

const sorted = (reasons: Body['reasons']) => Ledger.bypassReasons.filter((r) => reasons.includes(r));

const same = (one: Body, other: Body) => Buffer.compare(Ledger.canonicalBytes(one), Ledger.canonicalBytes(other)) === 0;
