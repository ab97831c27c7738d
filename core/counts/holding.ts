/**
 * Under which principals the caller may count a table, or why he cannot. Only reads.
 *
 * There is no right to count. The domain that gives access registers a principal of its own for reviewing it, and who
 * reviews holds a grant on it that he asked for and somebody else approved. It must open every row, and every column
 * that a predicate names: a count tells nothing that its reader could not have read.
 */
import type { Product } from '../catalog.ts';
import type { Context } from '../context.ts';
import { actorOf } from '../context.ts';
import * as Domains from '../domains.ts';
import * as Grants from '../grants.ts';
import type { TableRef } from '../ledger.ts';
import { Entity, may } from '../policy.ts';
import { type Reason, reasons } from './view.ts';

/** The governed purpose that such a principal serves. */
export const PURPOSE = 'access-review';

export type Closed = { readonly reason: Reason; readonly advice: string };

type Sought = { readonly product: Product; readonly table: TableRef; readonly columns: readonly string[] };

/** The first of them, and one to turn to while Athena will not have that one. */
const ENOUGH = 2;

/** Of several principals the first two that will do; of several reasons the one that is nearest to none. */
export async function principalsFor(
	ctx: Context,
	sought: Sought,
): Promise<{ readonly principals: readonly string[] } | Closed> {
	const { id, domain } = sought.product;
	const registered = (await Domains.get(ctx, domain))?.principals.filter((p) => p.purpose === PURPOSE) ?? [];
	if (registered.length === 0) {
		const advice = `Have a steward register a role of domain ${domain} as its principal for \`${PURPOSE}\`.`;
		return { reason: 'no-principal', advice };
	}
	if (!may(ctx, 'runQuery', Entity.domain(domain))) {
		const advice = `Counting is a query of your own: have a steward give you the role of a consumer in domain ${domain}, then ask for ${id}.`;
		return { reason: 'not-a-consumer', advice };
	}
	let nearest: Closed | null = null;
	const principals: string[] = [];
	for (const { arn: principal } of registered) {
		if (principals.length === ENOUGH) break;
		const closed = await closedOn(ctx, principal, sought);
		if (closed === null) principals.push(principal);
		else if (nearest === null || rank(closed) > rank(nearest)) nearest = closed;
	}
	return principals.length > 0 || nearest === null ? { principals } : nearest;
}

const rank = ({ reason }: Closed) => reasons.indexOf(reason);

async function closedOn(ctx: Context, principal: string, sought: Sought): Promise<Closed | null> {
	const { table, columns } = sought;
	const gate = await Grants.gate(ctx, { principal, person: actorOf(ctx), purpose: PURPOSE }, table, ctx.now);
	if (!gate.open) {
		if (gate.code !== 'table-not-granted' && gate.code !== 'purpose-mismatch') {
			const advice = `Your grant under ${principal} is not in force (${gate.code}). ${askingFor(principal, sought)}`;
			return { reason: 'grant-not-in-force', advice };
		}
		const held = await Grants.liveHoldings(ctx, principal, table);
		const others = held.some((h) => h.purpose === PURPOSE);
		return { reason: others ? 'not-a-beneficiary' : 'no-grant', advice: askingFor(principal, sought) };
	}
	const missing = columns.filter((c) => !gate.scope.columns.includes(c));
	if (missing.length > 0) {
		const advice = `Your grant under ${principal} does not open ${missing.join(', ')}. ${askingFor(principal, sought)}`;
		return { reason: 'columns-not-granted', advice };
	}
	if (gate.scope.rowFilter === null) return null;
	return { reason: 'rows-filtered', advice: `Your grant opens some of the rows. ${askingFor(principal, sought)}` };
}

function askingFor(principal: string, { product, table, columns }: Sought): string {
	const which = columns.length === 0 ? 'any column' : `the columns ${columns.join(', ')}`;
	const what = `${which} and all rows of ${table.database}.${table.table}`;
	return `Ask for ${what}, with principal ${principal} for \`${PURPOSE}\` (POST /requests, product ${product.id}); another owner approves it.`;
}
