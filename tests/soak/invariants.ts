/** What must hold in a bank at any time, and what must hold when all work is done and nothing fails any more. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Context, systemContext } from '#core/context.ts';
import * as Grants from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import type { Place } from './model.ts';
import { look, query, reconcileOnce, SHORT_MS, type Soak } from './operations.ts';

/**
 * How long something that an overtaken or failing process left, or a hand, may stand: at least so long, and on a slow
 * machine through so many reconciliations, of which faults spoil most.
 */
const LEFT_OVER_MS = 90_000;
const LEFT_OVER_PASSES = 15;
const MOST_PASSES = 12;

const contextOf = ({ instances, bank }: Soak): Context =>
	systemContext(instances[0]?.platform ?? bank.platform, '0'.repeat(32));

type Held = { readonly filter: string; readonly principal: string };

function heldOn(soak: Soak, { ref }: Place): Held[] {
	return soak.bank.aws.lakeFormationState().permissions.flatMap(({ principal, resource }) => {
		const here = resource.kind === 'filter' && resource.account === ref.account && resource.table === ref.table;
		return here && resource.name.startsWith('fl_') ? [{ filter: resource.name, principal }] : [];
	});
}

/**
 * Every right on a filter of Fairlead's is one that a live grant asks for, or that is recorded to go; whatever else was
 * left by a process that was overtaken, or by hand, goes in time.
 */
export async function watchRights(soak: Soak, over: () => boolean): Promise<void> {
	const since = new Map<string, { readonly at: number; readonly passes: number }>();
	const passes = () => soak.count.get('reconcile') ?? 0;
	const ctx = contextOf(soak);
	while (!over()) {
		for (const place of soak.places) {
			const held = heldOn(soak, place);
			const standing = await Grants.standing(ctx, place.principal, place.ref).catch(() => null);
			const prefix = Grants.filterPrefix(place.principal, place.ref);
			for (const { filter, principal } of held.filter((one) => one.filter.startsWith(prefix))) {
				const wanted =
					standing?.desired?.name === filter && standing.grants.length > 0 && principal === place.principal;
				const going = standing?.retiring.includes(filter) === true;
				const name = `${filter} for ${principal}`;
				if (standing === null || wanted || going) since.delete(name);
				else {
					const seen = since.get(name) ?? { at: Date.now(), passes: passes() };
					since.set(name, seen);
					const long = Date.now() - seen.at > LEFT_OVER_MS && passes() - seen.passes > LEFT_OVER_PASSES;
					if (long) soak.wrong.push(`${name} has no live grant`);
				}
			}
			const there = new Set(held.map(({ filter, principal }) => `${filter} for ${principal}`));
			for (const name of since.keys()) if (name.startsWith(prefix) && !there.has(name)) since.delete(name);
		}
		await pause(200);
	}
}

/** Sweeps and reconciles until nothing is open and nothing drifts. */
export async function bringToRest(soak: Soak): Promise<void> {
	const { key, SHARDS, all } = Ledger.Listing;
	const ctx = contextOf(soak);
	// Two that were approved at once and together are not exactly one filter: the later one is refused for good.
	const openShards = async () => {
		const items = await Promise.all(Array.from({ length: SHARDS }, (_, shard) => all(ctx, key.open(shard))));
		return items.flat().filter((item) => !refused.has(item.slice(item.indexOf('#') + 1)));
	};
	const refused = new Set<string>();
	await pause(SHORT_MS);
	for (let passes = 0; passes < MOST_PASSES; passes += 1) {
		await soak.instances[0]?.sweep();
		// Later than any grace: nobody is at work any more.
		const found = await reconcileOnce(soak, 10 * 60_000);
		for (const tracked of soak.tracked) {
			const view = await look(soak, tracked);
			if (view !== null && isRefused(view)) refused.add(view.id);
		}
		const open = await openShards();
		if (open.length === 0 && found?.tally.repaired === 0 && found.tally.failed === 0) return;
		await pause(100);
	}
	soak.wrong.push(`does not come to rest: ${(await openShards()).join(', ')}`);
}

function isRefused({ state, tables }: Grants.GrantView): boolean {
	return state === 'failed' && tables.every(({ reason }) => reason === 'union-not-exact');
}

/** At rest: what Lake Formation holds is what the live grants ask for, nothing more or less; it is enforced; nothing is lost. */
export async function judgeRest(soak: Soak): Promise<void> {
	const ctx = contextOf(soak);
	const live = new Map<Place, Set<string>>(soak.places.map((place) => [place, new Set()]));
	for (const tracked of soak.tracked) {
		const view = await look(soak, tracked);
		const state = view?.state ?? 'none';
		if (state === 'granted') live.get(tracked.place)?.add(tracked.grant ?? '');
		if (!ENDS[tracked.told].includes(state) && !(view !== null && isRefused(view)))
			soak.wrong.push(`${tracked.grant} was ${tracked.told}, and is ${state}`);
	}
	for (const place of soak.places) {
		const standing = await Grants.standing(ctx, place.principal, place.ref);
		const listed = [...(live.get(place) ?? [])].toSorted();
		const prefix = Grants.filterPrefix(place.principal, place.ref);
		const held = heldOn(soak, place).filter(({ filter }) => filter.startsWith(prefix));
		const wanted = standing?.desired ? [{ filter: standing.desired.name, principal: place.principal }] : [];
		const where = `${place.sql} for ${place.purpose}`;
		if (JSON.stringify(standing?.grants.toSorted() ?? []) !== JSON.stringify(listed))
			soak.wrong.push(`${where} holds ${standing?.grants.join()}, live are ${listed.join()}`);
		if (JSON.stringify(held) !== JSON.stringify(wanted))
			soak.wrong.push(`${where}: Lake Formation holds ${JSON.stringify(held)} instead of ${JSON.stringify(wanted)}`);
		for (const person of ['alice', 'carl'] as const) {
			for (let i = 0; i < 3; i += 1)
				if ((await query(soak, place, person)) === 'failed') soak.wrong.push(`${where}: a query fails`);
		}
	}
	soak.wrong.push(...(await Ledger.verifyAll(ctx)).findings.map((finding) => JSON.stringify(finding)));
}

/** Where what somebody was told may have led to. An answer that never came may have been a yes. */
const ENDS: Readonly<Record<Soak['tracked'][number]['told'], readonly string[]>> = {
	asked: ['none', 'granted', 'expired', 'revoked', 'suspended'],
	approved: ['granted', 'expired', 'revoked', 'suspended'],
	rejected: ['none'],
	revoked: ['revoked', 'expired'],
	suspended: ['suspended', 'granted', 'expired', 'revoked'],
};
