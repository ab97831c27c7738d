/**
 * A grant that goes on from one that is held back, because the contract or a domain changed, takes its place: once it is
 * granted, the other has ended. That is done by whoever goes on with the new one, so a crash leaves it to the sweep, which
 * finds every grant that renews another once more after it was granted.
 *
 * What others still have in the old one is not taken from them: it ends only if the new one is for all who benefit from it
 * and are consumers of its domain yet, on all that the contract still has of it.
 */
import * as Catalog from '../catalog.ts';
import type { Context } from '../context.ts';
import * as Domains from '../domains.ts';
import { tableKey } from '../scope.ts';
import { type Grant, get } from './grant.ts';
import { isOvertaken } from './holds.ts';

/** Whether it is held back because the contract or a domain changed. */
export function isHeldBack(grant: Grant): boolean {
	return (grant.state === 'suspending' || grant.state === 'suspended') && isOvertaken(grant.entries);
}

/** The grant whose place this one takes, or null. */
export async function supersededBy(ctx: Context, grant: Grant): Promise<Grant | null> {
	const { renews } = grant.opened.body;
	if (grant.state !== 'granted' || renews === undefined) return null;
	const old = await get(ctx, renews);
	return old !== null && isHeldBack(old) && (await carriesOn(ctx, grant, old)) ? old : null;
}

async function carriesOn(ctx: Context, grant: Grant, old: Grant): Promise<boolean> {
	const [product, consumers] = await Promise.all([
		Catalog.get(ctx, old.opened.body.product),
		Domains.holders(ctx, old.opened.body.consumerDomain, 'consumer'),
	]);
	const remaining = old.beneficiaries.filter((person) => consumers.includes(person));
	if (!remaining.every((person) => grant.beneficiaries.includes(person))) return false;
	return old.scopes.every(({ table, columns }) => {
		const known = product?.contract.tables.find((t) => tableKey(Catalog.refOf(t)) === tableKey(table))?.columns ?? [];
		const carried = grant.scopes.find((s) => tableKey(s.table) === tableKey(table))?.columns ?? [];
		return columns.every((name) => carried.includes(name) || known.every((c) => c.name !== name));
	});
}
