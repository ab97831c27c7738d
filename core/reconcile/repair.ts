/**
 * What becomes of a difference: Fairlead's own is mended, by the same functions that made it; grants of a table that was
 * made again are held back; the rest is told. Each is safe to do again and beside others, so a crash leaves the rest to
 * the next pass.
 */
import type { Context } from '../context.ts';
import { dropFilter, holdBack, restore } from '../grants.ts';
import * as LF from '../lakeformation.ts';
import type { TableRef } from '../ledger.ts';
import type { Discrepancy, Remedy } from './compare.ts';
import type { Observed } from './observe.ts';
import type { Finding } from './record.ts';

export type Mended = {
	readonly findings: readonly Finding[];
	/** Entitlements that were finished, without a finding of their own. */
	readonly finished: number;
	/** Whose entitlement is still not finished. */
	readonly unfinished: readonly string[];
	readonly failed: number;
};

export const toldOf = ({ kind, principal, filter, permissions }: Discrepancy): Finding => ({
	kind,
	principal,
	filter,
	permissions: [...permissions],
	outcome: 'alerted',
});

/**
 * Mends what can be. First what should not be there goes; then what should is made: a right that was taken away because
 * it could be handed on is given again without that.
 */
export async function mend(
	ctx: Context,
	table: TableRef,
	{ found, stalled }: Pick<Observed, 'found' | 'stalled'>,
): Promise<Mended> {
	const failures = new Set<Discrepancy>();
	let failed = 0;
	const attempt = async (of: readonly Discrepancy[], work: () => Promise<void>): Promise<boolean> => {
		try {
			await work();
			return true;
		} catch (error) {
			ctx.warn('reconcile: a repair is left to the next pass', error);
			for (const d of of) failures.add(d);
			failed += 1;
			return false;
		}
	};
	for (const d of found) {
		const { remedy } = d;
		if (remedy.do === 'drop') await attempt([d], () => dropFilter(ctx, { table, name: remedy.filter }));
		if (remedy.do === 'revoke') await attempt([d], () => revoke(ctx, table, remedy.right));
	}
	for (const d of found) {
		const { remedy } = d;
		if (remedy.do === 'suspend') await attempt([d], () => suspendAll(ctx, remedy.grants));
	}
	const wanted = restorable(found);
	const unfinished: string[] = [];
	for (const [principal, all] of wanted) {
		const anew = all.some(({ remedy }) => remedy.do === 'restore' && remedy.how === 'anew');
		if (!(await attempt(all, () => restore(ctx, principal, table, anew ? 'anew' : 'again'))))
			unfinished.push(principal);
	}
	const rest = stalled.filter((principal) => !wanted.has(principal));
	let finished = 0;
	for (const principal of rest) {
		if (await attempt([], () => restore(ctx, principal, table, 'again'))) finished += 1;
		else unfinished.push(principal);
	}
	const findings = found.map((d) => ({ ...toldOf(d), outcome: outcomeOf(d, failures) }));
	return { findings, finished, unfinished, failed };
}

function outcomeOf(d: Discrepancy, failures: ReadonlySet<Discrepancy>): Finding['outcome'] {
	if (d.remedy.do === 'none' || failures.has(d)) return 'alerted';
	return d.remedy.do === 'suspend' ? 'suspended' : 'repaired';
}

/** What is to be made again, by entitlement: one call mends all that one lacks. */
function restorable(found: readonly Discrepancy[]): Map<string, Discrepancy[]> {
	const wanted = found.filter((d) => d.remedy.do === 'restore' || takesOwn(d));
	const groups = new Map<string, Discrepancy[]>();
	for (const d of wanted) groups.set(d.owner ?? '', [...(groups.get(d.owner ?? '') ?? []), d]);
	return groups;
}

/** Whether the revocation took from the owner what he should have. */
function takesOwn({ principal, owner, remedy }: Discrepancy): boolean {
	return remedy.do === 'revoke' && principal === owner && remedy.right.permissions.includes('SELECT');
}

type Right = Extract<Remedy, { do: 'revoke' }>['right'];

/** Revokes, and looks: what is still shown then was not ours to take. */
async function revoke(ctx: Context, table: TableRef, right: Right): Promise<void> {
	await LF.revokeAll(ctx, { account: table.account, as: 'grantor' }, [right]);
	const { on, principal, permissions } = right;
	if (on.kind !== 'filter') return;
	await LF.until(ctx, async () => {
		const left = await LF.rightsOnFilter(ctx, table, on.name);
		return !left.some((r) => r.principal === principal && r.permissions.some((p) => permissions.includes(p)));
	});
}

async function suspendAll(ctx: Context, grants: readonly string[]): Promise<void> {
	for (const grant of grants) await holdBack(ctx, grant, 'table-recreated');
}
