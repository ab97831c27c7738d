/**
 * One table: looked at, recorded, mended, recorded again. What was found open and cannot be judged now, since its
 * entitlement is being changed or cannot be read, stays open: a repair that failed is not health.
 */
import type { Context } from '../context.ts';
import { filterPrefix } from '../grants.ts';
import type { TableRef } from '../ledger.ts';
import { byWeight, type Discrepancy, entitlementOf, isOwn, keyOf } from './compare.ts';
import type { Links } from './links.ts';
import { type Observed, observe, type Registered } from './observe.ts';
import { type Finding, type Last, lastOf, MOST_FINDINGS, record } from './record.ts';
import { mend, toldOf } from './repair.ts';

export type Done = {
	readonly checked: number;
	readonly findings: readonly Finding[];
	readonly finished: number;
	readonly failed: number;
};

export async function reconcileTable(
	ctx: Context,
	table: TableRef,
	registered: Registered,
	links: Links,
): Promise<Done> {
	const last = await lastOf(ctx, table);
	const seen = await observe(ctx, table, registered, links);
	const { told, found, rest } = fitting(seen.found, stillOpen(table, last, seen));
	if (rest.length > 0) ctx.warn('reconcile: more was found than is recorded', new Error('too many'));
	const recorded = await record(ctx, table, last, told);
	const mended = await mend(ctx, table, { found, stalled: seen.stalled });
	const outcomes = new Map(mended.findings.map((f) => [keyOf(f), f]));
	const unfinished = new Set([...seen.unsure, ...mended.unfinished.map((p) => filterPrefix(p, table))]);
	const after = told.flatMap((f) => {
		const outcome = outcomes.get(keyOf(f));
		if (outcome !== undefined) return [outcome];
		return unfinished.has(entitlementOf(f, table) ?? '') ? [f] : [];
	});
	await record(ctx, table, recorded, after);
	const findings = [...after, ...rest];
	alert(ctx, table, findings);
	const failed = seen.unreadable + mended.failed + rest.filter(isOwn).length;
	return { checked: seen.checked, findings, finished: mended.finished, failed };
}

/** What was open and is not judged now, or is not judged by what Lake Formation shows: its entitlement is unfinished. */
function stillOpen(table: TableRef, last: Last | null, { found, stalled, unsure }: Observed): Finding[] {
	const waiting = new Set([...unsure, ...stalled.map((p) => filterPrefix(p, table))]);
	const anew = new Set(found.map(keyOf));
	return (last?.open ?? []).filter((f) => waiting.has(entitlementOf(f, table) ?? '') && !anew.has(keyOf(f)));
}

/** As much as an entry takes: only that is mended, for each difference is recorded before. */
function fitting(found: readonly Discrepancy[], open: readonly Finding[]) {
	const all = [...found.map(toldOf), ...open].toSorted(byWeight);
	const told = all.slice(0, MOST_FINDINGS);
	const keys = new Set(told.map(keyOf));
	return { told, found: found.filter((d) => keys.has(keyOf(d))), rest: all.slice(MOST_FINDINGS) };
}

/** Once for each kind; who holds what is in the record alone. */
function alert(ctx: Context, { account, database, table }: TableRef, findings: readonly Finding[]): void {
	const kinds = new Set(findings.filter((f) => f.outcome === 'alerted').map((f) => f.kind));
	for (const kind of kinds) {
		const error = new Error(`${kind} on ${account}.${database}.${table}`);
		ctx.warn('reconcile: drift', Object.assign(error, { name: 'Drift', code: kind }));
	}
}
