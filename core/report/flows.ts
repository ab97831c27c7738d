/**
 * Flows of a product over a period, each walked back to what allowed it: entitlement version, grant, decisions,
 * request, contract version. Read page by page; memory does not grow with the period.
 */
import * as z from 'zod';
import type { Context } from '../context.ts';
import * as Grants from '../grants.ts';
import * as Ledger from '../ledger.ts';
import * as Lineage from '../lineage.ts';

type ReadCtx = Pick<Context, 'aws' | 'config'>;

const Link = z.object({ id: z.string(), at: z.iso.datetime(), leaf: z.string() });

export const FlowRow = z
	.object({
		flow: z.string(),
		at: z.iso.datetime(),
		state: z.string(),
		consumerDomain: z.string(),
		person: z.string().meta({ description: 'Pseudonym of who queried' }),
		principal: z.string(),
		purpose: z.string(),
		legalBasis: z.string(),
		product: z.string(),
		table: z.string(),
		columns: z.array(z.object({ name: z.string(), uses: z.array(z.string()) })),
		outputs: z.array(
			z.object({
				name: z.string().nullable(),
				sources: z.array(z.string()).meta({ description: 'Columns whose values are in it' }),
				decidedBy: z.array(z.string()).meta({ description: 'Columns that its own expression decides by' }),
			}),
		),
		rowsDecidedBy: z.array(z.string()).meta({ description: 'Columns that decide which rows there are' }),
		rowFilters: z.array(z.string().nullable()).meta({ description: 'One per grant; null is all rows' }),
		rowsDelivered: z.int().nullable(),
		bytesScanned: z.int().nullable(),
		execution: z.string().nullable(),
		leaf: z.string(),
		entitlement: z.object({ version: z.int(), leaf: z.string() }),
		grants: z.array(Link.extend({ from: z.iso.datetime(), until: z.iso.datetime(), state: z.string() })),
		decisions: z.array(Link.extend({ by: z.string(), as: z.string(), verdict: z.string() })),
		requests: z.array(Link.extend({ by: z.string() })),
		contract: z.object({ version: z.string(), hash: z.string(), leaf: z.string() }).nullable(),
		unknown: z.array(z.string()).meta({ description: 'What could not be known, and why' }),
	})
	.meta({ id: 'FlowRow' });
export type FlowRow = z.infer<typeof FlowRow>;

export type Selection = {
	readonly product: string;
	readonly from: string;
	readonly until: string;
	/** null: every consumer's flows; else only those of these consuming domains. */
	readonly consumerDomains: readonly string[] | null;
};

/** Rows in order of time. */
export async function* flowRows(ctx: Context, selection: Selection): AsyncGenerator<FlowRow> {
	for (const day of days(selection.from, selection.until)) {
		for await (const key of dayKeys(ctx, selection.product, day)) {
			const at = key.slice(0, key.indexOf('#'));
			if (at < selection.from || at >= selection.until) continue;
			const id = key.slice(at.length + 1);
			const flow = await Ledger.readable(() => Lineage.get(ctx, id));
			if (flow === null) {
				if (selection.consumerDomains === null) yield unreadable(id, at, selection.product);
				continue;
			}
			const { domain } = flow.intended.body;
			if (selection.consumerDomains !== null && !selection.consumerDomains.includes(domain)) continue;
			yield* rowsOf(ctx, flow, selection);
		}
	}
}

function* days(from: string, until: string): Generator<string> {
	for (let at = Date.parse(`${from.slice(0, 10)}T00:00:00Z`); at < Date.parse(until); at += 86_400_000) {
		yield new Date(at).toISOString().slice(0, 10);
	}
}

/** Merges the day's shards by time. */
async function* dayKeys(ctx: ReadCtx, product: string, day: string): AsyncGenerator<string> {
	const { SHARDS, key } = Ledger.Listing;
	const shards = Array.from({ length: SHARDS }, (_, i) => pages(ctx, key.flows(product, day, i)));
	const heads = await Promise.all(shards.map((s) => s.next()));
	for (;;) {
		let least = -1;
		for (const [i, head] of heads.entries()) {
			const best = heads[least];
			if (!head.done && (best === undefined || best.done === true || head.value < best.value)) least = i;
		}
		const head = heads[least];
		const shard = shards[least];
		if (head === undefined || head.done === true || shard === undefined) return;
		yield head.value;
		heads[least] = await shard.next();
	}
}

async function* pages(ctx: ReadCtx, pk: string): AsyncGenerator<string, undefined> {
	let after: string | null = null;
	do {
		const page: Ledger.Listing.Page = await Ledger.Listing.list(ctx, pk, { limit: 100, after });
		yield* page.keys;
		after = page.next;
	} while (after !== null);
	return undefined;
}

async function* rowsOf(ctx: Context, flow: Lineage.Flow, selection: Selection): AsyncGenerator<FlowRow> {
	const { product } = selection;
	const { body, entry, leaf } = flow.intended;
	const end = flow.ended?.body;
	const visible = selection.consumerDomains === null ? null : await visibleTables(ctx, body);
	const whole = visible === null || body.from.every((source) => visible.has(idOf(source)));
	const map = await Ledger.readable(() => Lineage.columnsIn(ctx, flow));
	for (const [i, source] of body.from.entries()) {
		const auth = body.auth[i];
		if (source.product !== product || auth === undefined) continue;
		if (visible?.has(idOf(source)) === false) continue;
		const { unknown, ...evidence } = await chain(ctx, auth.grants, source);
		yield {
			flow: flow.id,
			at: entry.at,
			state: Lineage.stateAt(flow, ctx.now),
			consumerDomain: body.domain,
			person: entry.actor,
			principal: body.principal,
			purpose: body.purpose,
			legalBasis: body.legalBasis,
			product,
			table: `${source.database}.${source.table}`,
			columns: map?.from[i] ?? [],
			...shown(map?.to ?? nothing, visible),
			rowsDelivered: flow.rows,
			bytesScanned: end?.type === 'FlowCompleted' ? end.stats.bytesScanned : null,
			execution: end !== undefined && 'execution' in end ? end.execution : null,
			leaf,
			entitlement: { version: auth.ver, leaf: auth.leaf },
			...evidence,
			unknown: [...unknown, ...(whole ? [] : [leftOut]), ...(map === null ? [lost] : [])],
		};
	}
}

const nothing: Lineage.ColumnMap['to'] = { columns: [], rows: [] };
const lost = 'columns: their entries cannot be read';
const leftOut = 'columns of other products, read under grants that you may not see, are left out';

type FlowBody = Ledger.BodyOf<'FlowIntended'>;

/** As lineage names a table. */
const idOf = ({ product, table }: { product: string; table: string }) => `${product}/${table}`;

/** The tables of a flow that were read under grants which the caller may see, each of them. */
async function visibleTables(ctx: Context, { from, auth }: FlowBody): Promise<ReadonlySet<string>> {
	const visible = new Set(from.map(idOf));
	for (const [i, source] of from.entries()) {
		const grants = auth[i]?.grants;
		if (grants === undefined || !(await seesAll(ctx, grants))) visible.delete(idOf(source));
	}
	return visible;
}

/** What came of the flow, as far as it came from these tables; null: from any. */
function shown(
	to: Lineage.ColumnMap['to'],
	tables: ReadonlySet<string> | null,
): Pick<FlowRow, 'outputs' | 'rowsDecidedBy'> {
	const seen = <T extends { table: string }>(all: readonly T[]) =>
		all.filter(({ table }) => tables === null || tables.has(table));
	const outputs = to.columns.map(({ name, sources, indirect }) => {
		const left = seen(sources);
		// An output has a name only where it is that of a source's column.
		const own = left.length === sources.length || left.some(({ column }) => column === name);
		return { name: own ? name : null, sources: left.map(nameOf), decidedBy: unique(seen(indirect).map(nameOf)) };
	});
	return { outputs, rowsDecidedBy: unique(seen(to.rows).map(nameOf)) };
}

const nameOf = ({ table, column }: { table: string; column: string }) => `${table}.${column}`;
const unique = (names: readonly string[]) => [...new Set(names)];

/** Whether the caller may see each of the grants: a report shows no grant that the API would not. */
async function seesAll(ctx: Context, grantIds: readonly string[]): Promise<boolean> {
	for (const id of grantIds) {
		const grant = await Ledger.readable(() => Grants.get(ctx, id));
		if (grant === null || !(await Grants.isVisible(ctx, grant))) return false;
	}
	return true;
}

/** A flow whose entries cannot be read is not left out: what is known of it is that it was. */
function unreadable(flow: string, at: string, product: string): FlowRow {
	return {
		flow,
		at,
		product,
		state: 'unknown',
		consumerDomain: '',
		person: '',
		principal: '',
		purpose: '',
		legalBasis: '',
		table: '',
		columns: [],
		outputs: [],
		rowsDecidedBy: [],
		rowFilters: [],
		rowsDelivered: null,
		bytesScanned: null,
		execution: null,
		leaf: '',
		entitlement: { version: 0, leaf: '' },
		grants: [],
		decisions: [],
		requests: [],
		contract: null,
		unknown: [`flow ${flow}: its entries cannot be read`],
	};
}

type Chain = Pick<FlowRow, 'grants' | 'decisions' | 'requests' | 'contract' | 'rowFilters' | 'unknown'>;

async function chain(ctx: ReadCtx, grantIds: readonly string[], table: Ledger.TableRef): Promise<Chain> {
	const found: Chain = { grants: [], decisions: [], requests: [], contract: null, rowFilters: [], unknown: [] };
	for (const id of grantIds) {
		const grant = await Ledger.readable(() => Grants.get(ctx, id));
		if (grant === null) {
			found.unknown.push(`grant ${id}: its entries cannot be read`);
			continue;
		}
		const { body, entry, leaf } = grant.opened;
		found.grants.push({ id, at: entry.at, leaf, from: body.from, until: body.until, state: grant.state });
		const scope = grant.scopes.find((s) => s.table.database === table.database && s.table.table === table.table);
		if (scope !== undefined) found.rowFilters.push(Grants.scopeView(scope).rowFilter);
		found.contract = body.contract;
		const request = await Ledger.readable(() => Ledger.read(ctx, Ledger.stream.request(body.request)));
		if (request === null) found.unknown.push(`request ${body.request}: its entries cannot be read`);
		for (const e of request ?? []) {
			if (e.body.type === 'AccessRequested') {
				found.requests.push({ id: e.body.request, at: e.entry.at, leaf: e.leaf, by: e.body.requester });
			} else if (e.body.type === 'AccessDecided') {
				const { decision, as, verdict } = e.body;
				found.decisions.push({ id: decision, at: e.entry.at, leaf: e.leaf, by: e.entry.actor, as, verdict });
			}
		}
	}
	return found;
}
