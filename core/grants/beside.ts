/**
 * A scope beside what its principal holds on the table: whether one filter can carry both, which cells nobody approved it
 * would open, and what to do instead. Only reads.
 *
 * What somebody may not see of other people's grants is not told him, neither their ids nor constants that they compare
 * with personal columns. Nor is anything that would tell such a constant by comparison with one that he chooses, but the
 * one bit whether his scope can be held beside them, which filing tells him anyhow.
 */
import pMap from 'p-map';
import * as z from 'zod';
import * as Catalog from '../catalog.ts';
import type { Context } from '../context.ts';
import * as Domains from '../domains.ts';
import type { BrokerError } from '../error.ts';
import { idOf, RoleArn } from '../id.ts';
import * as Ledger from '../ledger.ts';
import { may } from '../policy.ts';
import { columnsOf, printRowFilter } from '../rowfilter.ts';
import { type Cells, covers, type Personal, type Scope, surplus, union } from '../scope.ts';
import type { Holding } from './entitlement.ts';
import { beneficiariesOf } from './grant.ts';
import { held, inexact, type Of, withoutLapsed } from './held.ts';
import { lookedAt } from './resource.ts';

export const CellsView = z.object({
	columns: z.array(z.string()).min(1),
	rowFilter: z.string().nullable().meta({ description: 'On which rows; null: on all' }),
});

export const WayOut = z
	.object({
		way: z.enum(['other-principal', 'replace-grant', 'same-rows', 'same-columns']),
		detail: z.string().meta({ description: 'What to do' }),
		principals: z.array(RoleArn).optional().meta({ description: 'Those that could take it as it is' }),
		grants: z.array(idOf('grant')).optional().meta({ description: 'What is in the way, as far as you may see it' }),
		columns: z.array(z.string()).optional().meta({ description: 'What to ask for' }),
		rowFilter: z.string().nullable().optional().meta({ description: 'What to ask for; null: all rows' }),
	})
	.meta({ id: 'WayOut' });
export type WayOut = z.infer<typeof WayOut>;

export const Clash = z
	.object({
		reason: z.enum(['unapproved-cells', 'unapproved-cells-later', 'filter-too-long', 'not-told']).meta({
			description:
				'The one filter would open cells that nobody approved, or the rest would once one of the grants has ended, or it is longer than Lake Formation takes; `not-told`: one of these, and which would tell what grants that you may not see compare with personal columns',
		}),
		unapproved: z.array(CellsView).meta({ description: 'The cells that nobody approved, where that is told' }),
		waysOut: z.array(WayOut),
	})
	.meta({ id: 'Clash' });
export type Clash = z.infer<typeof Clash>;

/** Other principals that are looked at for a way out. */
const MOST_PRINCIPALS = 10;
const AT_ONCE = 4;

/** What the principal's grants open on the table that have not ended, each; one consistent read. */
export async function liveHoldings(
	ctx: Context,
	principal: string,
	table: Ledger.TableRef,
): Promise<readonly Holding[]> {
	const found = await held(ctx, principal, table);
	if (found === null) return [];
	const state = withoutLapsed(found.state, ctx.now, found.recorded.ver + 1);
	return state.holdings.filter((h) => h.ended === null);
}

/** What the caller may see of a product's grants. */
export type Sight = {
	readonly mayView: (grant: string) => Promise<boolean>;
	readonly personalOf: (table: Ledger.TableRef) => Personal;
};

/** Each grant is looked up once. */
export function sightOf(ctx: Context, product: Catalog.Product, personalOf: Sight['personalOf']): Sight {
	const known = new Map<string, Promise<boolean>>();
	const look = async (id: string) => {
		const entries = await Ledger.readable(() => Ledger.read(ctx, Ledger.stream.grant(id)));
		const opened = Ledger.find(entries ?? [], 'GrantOpened');
		if (opened === undefined) return false;
		const beneficiaries = beneficiariesOf(opened, entries ?? []);
		return may(ctx, 'viewGrant', await lookedAt(ctx, { opened, beneficiaries, entries: entries ?? [] }, product));
	};
	const mayView = (id: string) => {
		const found = known.get(id) ?? look(id);
		known.set(id, found);
		return found;
	};
	return { mayView, personalOf };
}

/** How the caller may read what stands in grants on a table. */
export type Reading = {
	readonly mayName: (holding: Holding) => boolean;
	/** Whether no constant is to be kept from him. If not, nothing may be told that depends on the rows of grants. */
	readonly whole: boolean;
};

export async function readingOf(
	{ mayView, personalOf }: Sight,
	table: Ledger.TableRef,
	holdings: readonly Holding[],
): Promise<Reading> {
	const personal = personalOf(table);
	const look = async (h: Holding) => ((await mayView(h.grant)) ? [h.grant] : []);
	const named = new Set((await pMap(holdings, look, { concurrency: AT_ONCE })).flat());
	const mayName = (h: Holding) => named.has(h.grant);
	return { mayName, whole: holdings.every((h) => mayName(h) || !hasSecret(h, personal)) };
}

const hasSecret = ({ rowFilter }: Scope, personal: Personal) =>
	rowFilter !== null && columnsOf(rowFilter).some((column) => personal.has(column));

/** `union-not-exact`, with the cells and the ways out. */
export async function refusal(ctx: Context, of: Of, others: readonly Holding[], scope: Scope): Promise<BrokerError> {
	const [product, personalOf, serving] = await Promise.all([
		Catalog.get(ctx, of.product),
		Catalog.personalColumns(ctx, of.product),
		Domains.principal(ctx, of.principal),
	]);
	const sight = product === null ? { mayView: async () => false, personalOf } : sightOf(ctx, product, personalOf);
	const reading = await readingOf(sight, of.table, others);
	return inexact(of, await clash(ctx, { of, serving, sight, reading }, others, scope));
}

type Serving = Awaited<ReturnType<typeof Domains.principal>>;
export type About = {
	readonly of: Of;
	readonly serving: Serving;
	readonly sight: Sight;
	readonly reading: Reading;
};

/** What one more scope and these come to, which are held together; null where it cannot be held beside them. */
export function beside(others: readonly Scope[]): (scope: Scope) => Scope | null {
	const sum = union(others);
	return (scope) => {
		if (others.length === 0) return union([scope]);
		const next = sum === null ? null : union([sum, scope]);
		// Each of the others may be the last that is left.
		return next !== null && others.every((h) => union([h, scope]) !== null) ? next : null;
	};
}

/**
 * Takes one scope after the other beside these, which are held together; tells of each whether all can be held so far.
 * The same as `compatible` of all of them, without trying every pair anew.
 */
export function gathering(held: readonly Scope[]): (scope: Scope) => boolean {
	const all = [...held];
	let fits = true;
	return (scope) => {
		fits = fits && beside(all)(scope) !== null;
		all.push(scope);
		return fits;
	};
}

/** Why the scope cannot be held beside the others, which it cannot, and what to do. */
export async function clash(ctx: Context, about: About, others: readonly Holding[], scope: Scope): Promise<Clash> {
	const { reading } = about;
	const inTheWay = reading.whole ? others.filter((h) => union([h, scope]) === null) : [];
	const waysOut = [
		await otherPrincipal(ctx, about, scope),
		replaceGrant(reading, inTheWay.length === 0 ? others : inTheWay),
		...(reading.whole ? askingLess(others, scope) : []),
	];
	const pairs = inTheWay.map((h) => [h, scope]);
	return { ...whyNot(reading, [...others, scope], pairs), waysOut };
}

/** Why these scopes cannot be held together, which they cannot. */
export function clashAmong(reading: Reading, scopes: readonly Scope[]): Clash {
	const pairs = scopes.flatMap((a, i) => scopes.slice(i + 1).map((b) => [a, b]));
	const apart = reading.whole ? pairs.filter((pair) => union(pair) === null) : [];
	return { ...whyNot(reading, scopes, apart), waysOut: [] };
}

/** `apart` are those pairs of the scopes that have no exact union. */
function whyNot(
	{ whole }: Reading,
	scopes: readonly Scope[],
	apart: readonly (readonly Scope[])[],
): Pick<Clash, 'reason' | 'unapproved'> {
	if (!whole) return { reason: 'not-told', unapproved: [] };
	const now = surplus(scopes);
	if (now.length > 0) return { reason: 'unapproved-cells', unapproved: now.map(cellsView) };
	const later = apart.flatMap(surplus);
	if (later.length > 0) return { reason: 'unapproved-cells-later', unapproved: later.map(cellsView) };
	return { reason: 'filter-too-long', unapproved: [] };
}

const cellsView = ({ columns, rows }: Cells) => ({
	columns: [...columns],
	rowFilter: rows === null ? null : printRowFilter(rows),
});

async function otherPrincipal(ctx: Context, { of, serving, sight }: About, scope: Scope): Promise<WayOut> {
	const way = 'other-principal';
	if (serving === null) return { way, detail: 'Use another principal; no domain has this one registered any more.' };
	const { domain, purpose } = serving;
	const others = domain.principals.filter((p) => p.purpose === purpose && p.arn !== of.principal);
	const tried = others.slice(0, MOST_PRINCIPALS).map((p) => p.arn);
	const one = async (arn: string) => {
		const live = await liveHoldings(ctx, arn, of.table);
		// Whether it fits beside constants that are kept from the caller is not told.
		if (!(await readingOf(sight, of.table, live)).whole) return { arn, fits: null };
		return { arn, fits: beside(live)(scope) !== null };
	};
	const found = await pMap(tried, one, { concurrency: AT_ONCE });
	const principals = found.filter(({ fits }) => fits === true).map(({ arn }) => arn);
	const full = found.filter(({ fits }) => fits === false).length;
	const looked = { domain: domain.id, purpose, principals, open: others.length - full - principals.length };
	return { way, detail: elsewhere(looked), principals };
}

/** `open`: how many more principals serve this, of which nobody said whether they could take it. */
export function elsewhere(looked: {
	readonly domain: string;
	readonly purpose: string;
	readonly principals: readonly string[];
	readonly open: number;
}): string {
	const { domain, purpose, principals, open } = looked;
	if (principals.length > 0) {
		return `Ask for another principal of domain ${domain} that serves \`${purpose}\`: ${principals.join(', ')}.`;
	}
	const register = `a steward register another role of domain ${domain} for \`${purpose}\`, and ask for it as principal.`;
	if (open === 0) return `Have ${register}`;
	const many = open === 1 ? 'One more principal serves' : `${open} more principals serve`;
	return `${many} \`${purpose}\` in domain ${domain}, of which it is not told whether they could take it: try, or have ${register}`;
}

function replaceGrant(reading: Reading, inTheWay: readonly Holding[]): WayOut {
	const grants = inTheWay.filter(reading.mayName).map((h) => h.grant);
	const hidden = inTheWay.length - grants.length;
	const named =
		grants.length === 0 ? [] : [`Give back ${grants.join(', ')}, then ask for all you need in one request.`];
	const others =
		hidden === 0
			? []
			: [`${hidden === 1 ? 'A grant' : `${hidden} grants`} of others in your domain must end first: ask the owner.`];
	return { way: 'replace-grant', detail: [...named, ...others].join(' '), grants };
}

/** The same columns or the same rows as a grant in force, where that could be held beside all of them. */
function askingLess(others: readonly Holding[], { columns, rowFilter }: Scope): WayOut[] {
	const joined = beside(others);
	const fits = (less: Scope) => joined(less) !== null && !others.some((h) => covers(h, less));
	const rows = distinct(others.map((h) => h.rowFilter)).find((filter) => fits({ columns, rowFilter: filter }));
	const wide = distinct(others.map((h) => h.columns)).find((held) => fits({ columns: held, rowFilter }));
	const found: WayOut[] = [];
	if (rows !== undefined) {
		const text = rows === null ? null : printRowFilter(rows);
		const detail = `Ask for your columns on the rows that are granted already: ${text ?? 'all rows'}.`;
		found.push({ way: 'same-rows', detail, columns: [...columns], rowFilter: text });
	}
	if (wide !== undefined) {
		const detail = `Ask for your rows with the columns that are granted already: ${wide.join(', ')}.`;
		const text = rowFilter === null ? null : printRowFilter(rowFilter);
		found.push({ way: 'same-columns', detail, columns: [...wide], rowFilter: text });
	}
	return found;
}

const distinct = <T>(values: readonly T[]): T[] => [...new Map(values.map((v) => [JSON.stringify(v), v])).values()];
