/**
 * Making a grant open less. Fewer columns are always less; rows chosen by a column that the grant did not read before
 * tell something of that column, so the rules judge that as if it were asked for.
 */
import * as z from 'zod';
import * as Catalog from '../catalog.ts';
import type { Caller, Context } from '../context.ts';
import { classifications } from '../contract.ts';
import * as Domains from '../domains.ts';
import { BrokerError, type Fault } from '../error.ts';
import * as Grants from '../grants.ts';
import { columnsOf } from '../rowfilter.ts';
import { tableKey } from '../scope.ts';
import { Text } from '../text.ts';
import type { ReadScope } from './content.ts';
import { get, type Request } from './load.ts';
import { type Less, lessOf, TableNarrowings } from './narrowing.ts';
import { type Asking, type Judged, judge } from './rules.ts';
import { openRoles } from './state.ts';

export const Narrowing = z.strictObject({ tables: TableNarrowings, reason: Text }).meta({ id: 'Narrowing' });
export type Narrowing = z.infer<typeof Narrowing>;

/**
 * Lets a grant open less. Throws `validation` for what it does not open, or what would change nothing; `conflict` unless
 * it is granted; `request-refused` for rows chosen by what a rule forbids, or by what others would have to approve;
 * `union-not-exact` when the rest would not be one filter beside the principal's other grants.
 */
export async function narrow(ctx: Context, id: string, body: Narrowing): Promise<Grants.Grant> {
	const less = async (grant: Grants.Grant) => {
		const product = await Catalog.get(ctx, grant.opened.body.product);
		if (product === null) throw new BrokerError('record-corrupt', 'A grant names a product without entries.');
		const left = await lessOf(ctx, product, grant.scopes, body.tables, { pointer: '/tables', of: 'grant' });
		await mustBeAllowed(ctx, grant, product, left);
		return left;
	};
	return Grants.narrow(ctx, id, less, body.reason);
}

/** Refuses what is new only: a rule that came later takes nothing back, and what it is about can still be made less. */
async function mustBeAllowed(
	ctx: Context,
	{ opened, scopes }: Grants.Grant,
	product: Catalog.Product,
	less: readonly Less[],
): Promise<void> {
	const present = less.map((l) => scopes.find((s) => tableKey(s.table) === tableKey(l.table)));
	const added = less.flatMap((l, i) => addedBy(l, present[i]));
	if (added.length === 0) return;
	const request = await get(ctx, opened.body.request);
	const domain = await Domains.get(ctx, opened.body.consumerDomain);
	if (request === null || domain === null) {
		throw new BrokerError('record-corrupt', 'A grant names a request or a domain without entries.');
	}
	const maker = await Domains.registered(ctx, request.editors.at(-1) ?? request.filed.body.requester);
	const { purpose } = opened.body;
	const personal = await Catalog.personalColumns(ctx, product.id);
	const rest = { product, serving: { domain, purpose }, purpose, duration: request.content.duration, personal };
	// What the body names comes first, so that places in it are places in what is judged.
	const others = scopes.filter((s) => !less.some((l) => tableKey(l.table) === tableKey(s.table)));
	const named = present.flatMap((s) => s ?? []);
	const before = { ...rest, scopes: [...named, ...others] };
	const after = { ...rest, scopes: [...less, ...others] };
	const [was, is] = [before, after].map((asking) => verdictOn(ctx, maker, asking));
	if (was !== undefined && is !== undefined)
		refuseNew({ was, is, added, request, heavier: weigh(after) > weigh(before) });
}

/** Columns that rows are chosen by and that the grant neither shows nor chooses by, as rules name them. */
function addedBy({ table, rowFilter }: Less, present: ReadScope | undefined): string[] {
	const filtered = (filter: Less['rowFilter']) => (filter === null ? [] : columnsOf(filter));
	const known = new Set([...(present?.columns ?? []), ...filtered(present?.rowFilter ?? null)]);
	return filtered(rowFilter).flatMap((c) => (known.has(c) ? [] : `${table.table}.${c}`));
}

/** Judged, or the refusal by rules. */
type Verdict = Judged | BrokerError;

/** What the rules say to whoever asked for the grant; where he may not ask any more, to a consumer of his domain. */
function verdictOn(ctx: Context, maker: Caller, asking: Asking): Verdict {
	const roles = [{ domain: asking.serving.domain.id, role: 'consumer' as const }];
	const said = verdictTo(ctx, maker, asking);
	const mayNot = said instanceof BrokerError && said.code === 'not-permitted';
	return mayNot ? verdictTo(ctx, { ...maker, roles }, asking) : said;
}

function verdictTo(ctx: Context, caller: Caller, asking: Asking): Verdict {
	try {
		return judge({ ...ctx, caller }, asking);
	} catch (error) {
		if (error instanceof BrokerError) return error;
		throw error;
	}
}

/** How strictly what is read is governed: its class, and above that whether it is personal. */
function weigh({ product, scopes, personal }: Asking): number {
	const weights = scopes.flatMap(({ table, columns, rowFilter }) => {
		const described = product.contract.tables.find((t) => tableKey(Catalog.refOf(t)) === tableKey(table));
		const names = [...columns, ...(rowFilter === null ? [] : columnsOf(rowFilter))];
		return names.map((name) => {
			const column = described?.columns.find((c) => c.name === name);
			const rank = classifications.indexOf(column?.classification ?? 'restricted');
			return { rank, personal: personal(table).has(name) || (column?.personal ?? true) };
		});
	});
	const isPersonal = weights.some((w) => w.personal);
	return Math.max(...weights.map((w) => w.rank)) + (isPersonal ? classifications.length : 0);
}

type Compared = {
	readonly was: Verdict;
	readonly is: Verdict;
	readonly added: readonly string[];
	readonly request: Request;
	readonly heavier: boolean;
};

function refuseNew({ was, is, added, request, heavier }: Compared): void {
	if (is instanceof BrokerError) {
		const faults = faultsOf(is);
		const old = new Set(was instanceof BrokerError ? faultsOf(was).map((f) => f.rule) : []);
		const news = faults.filter((f) => !old.has(f.rule) || added.some((name) => f.detail.startsWith(`${name}: `)));
		// Forbidden as before: which roles the rest of the rules would ask for is not told, so it must not be more.
		if (news.length > 0 || heavier) throw refusal(news.length > 0 ? news : faults, is);
		return;
	}
	const approved = request.content.route.map((as) => ({ person: '', as }));
	const missing = openRoles(is.permit.requires, approved);
	const lacked = was instanceof BrokerError ? [] : openRoles(was.permit.requires, approved);
	const needed = openRoles(
		missing,
		lacked.map((as) => ({ person: '', as })),
	);
	if (needed.length === 0) return;
	const detail = `Rows chosen by ${added.join(', ')} need the approval of ${needed.join(', ')}, too; let that be asked for.`;
	const errors = [{ pointer: '/tables', detail }];
	throw new BrokerError('request-refused', detail, { policies: [...is.permit.rules.policies], errors });
}

type RuleFault = Fault & { readonly rule: string };

function faultsOf(refused: BrokerError): RuleFault[] {
	const { errors = [], policies = [] } = refused.extensions as {
		errors?: readonly RuleFault[];
		policies?: readonly string[];
	};
	return errors.length > 0 ? [...errors] : policies.map((rule) => ({ pointer: '', detail: refused.message, rule }));
}

/** In terms of what was sent: what is new is about a row filter, or about all of it. */
function refusal(faults: readonly RuleFault[], cause: BrokerError): BrokerError {
	const placed = (pointer: string) =>
		/^\/tables\/[0-9]+\/columns$/.test(pointer) ? pointer.replace(/columns$/, 'rowFilter') : '/tables';
	const errors = faults.map((f) => ({ ...f, pointer: placed(f.pointer) }));
	const policies = [...new Set(faults.map((f) => f.rule))];
	return new BrokerError('request-refused', `Refused by: ${policies.join(', ')}.`, { policies, errors }, { cause });
}
