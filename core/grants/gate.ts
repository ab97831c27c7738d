/** The broker's own gate: who may read what at this instant. Says no at the minute of expiry, with nobody's help. */
import type { Context } from '../context.ts';
import type { Code } from '../error.ts';
import type * as Ledger from '../ledger.ts';
import { columnsOf } from '../rowfilter.ts';
import { type Scope, union } from '../scope.ts';
import { type Holding, shut } from './entitlement.ts';
import { held } from './held.ts';

/** A grant that opens a table to this caller now, or why none does. */
export type Gate =
	| {
			readonly open: true;
			readonly scope: Scope;
			/** Lake Formation's own filter leaves exactly this scope's rows. */
			readonly exact: boolean;
			/** The rows can be told by columns that are granted, so our own WHERE holds them whatever others hold. */
			readonly printable: boolean;
			readonly holdings: readonly Holding[];
			readonly recorded: Ledger.Recorded;
	  }
	| { readonly open: false; readonly code: Code };

/** The broker's own gate: one consistent read of the entitlement and the clock. No listing, no sweep, no cache. */
export async function gate(
	ctx: Pick<Context, 'aws' | 'config'>,
	who: { principal: string; person: string; purpose: string },
	table: Ledger.TableRef,
	now: Date,
): Promise<Gate> {
	const found = await held(ctx, who.principal, table);
	const mine = found?.state.holdings.filter((h) => h.beneficiaries.includes(who.person)) ?? [];
	if (found === null || mine.length === 0) return { open: false, code: 'table-not-granted' };
	const serving = mine.filter((h) => h.purpose === who.purpose);
	if (serving.length === 0) return { open: false, code: 'purpose-mismatch' };
	const codes = serving.map((h) => shut(found.state, h, now));
	const holdings = serving.filter((_, i) => codes[i] === null);
	if (holdings.length === 0) return { open: false, code: codes.find((c) => c !== null) ?? 'table-not-granted' };
	const scope = union(holdings);
	if (scope === null) return { open: false, code: 'union-not-exact' };
	const whole = found.state.scope;
	const rows = scope.rowFilter;
	const exact = whole !== null && JSON.stringify(whole.rowFilter) === JSON.stringify(rows);
	const printable = rows === null || columnsOf(rows).every((c) => scope.columns.includes(c));
	return { open: true, scope, exact, printable, holdings, recorded: found.recorded };
}
