/** What the trail of an account tells of a day: each record judged, and what it means counted. */
import pMap from 'p-map';
import { type Evidence, record } from './bypass.ts';
import { judgeAccess, judgeStart, type Verdict } from './judge.ts';
import { beyond, counted, type Progress, type Stretch, withOwn, withUnreadable } from './progress.ts';
import { type Access, type EventName, read, type Start, type Unreadable } from './record.ts';
import { type Line, lookUp, type Place } from './trail.ts';
import { askingOf, DAY_MS, goesOn, hasTime, keep, type Pass, progressOf, RECORDS } from './turn.ts';

/**
 * The records of one operation, from where it was left. False where it ended at one of which nobody knows yet whether it
 * belongs to a flow: bypasses after it are recorded, and counted by whoever comes back to it.
 */
export async function walk(pass: Pass, place: Place, name: EventName): Promise<boolean> {
	const { ctx, day, pace } = pass;
	const { account } = place;
	const stretch = name === 'StartQueryExecution' ? 'starts' : 'accesses';
	const left = progressOf(pass, account)[stretch];
	if (left.done) return true;
	const from = new Date(Date.parse(day));
	// Both ends count, and events have whole seconds.
	const until = left.until === null ? new Date(from.getTime() + DAY_MS - 1000) : new Date(left.until);
	let reached: Stretch = left;
	let sure = true;
	let token: string | null = null;
	do {
		if (!(await goesOn(pass, account))) return sure;
		const page: Awaited<ReturnType<typeof lookUp>> = await lookUp(
			ctx,
			place,
			{ name, from, until, token },
			askingOf(pass, account, pace.lookupMs),
		);
		const { fresh, place: next } = beyond(reached, page.lines);
		reached = { done: page.next === null, ...next };
		const all = await judged(pass, account, fresh, name);
		sure = sure && isSure(all);
		if (sure) await keep(pass, account, { ...all.reduce(told, progressOf(pass, account)), [stretch]: reached });
		token = page.next;
	} while (token !== null);
	return sure;
}

type Judged = { readonly seen: Access | Start | Unreadable; readonly verdict: Verdict };

/** Whether nothing among it is left for later, when more is known. */
export const isSure = (all: readonly Pick<Judged, 'verdict'>[]) => all.every(({ verdict }) => verdict.of !== 'unsure');

/** What each means; what is a bypass for certain is recorded. */
async function judged(pass: Pass, account: string, lines: readonly Line[], name: EventName): Promise<Judged[]> {
	const knowing = { ...pass, unread: new Set(pass.unread.keys()), goesOn: () => hasTime(pass, account) };
	const one = async (line: Line): Promise<Judged> => {
		const seen = read(name, line);
		if (seen.kind === 'unreadable') return { seen, verdict: { of: 'unreadable' } };
		const verdict = seen.kind === 'access' ? await judgeAccess(knowing, seen) : await judgeStart(knowing, seen);
		return { seen, verdict };
	};
	const all = await pMap(lines, one, { concurrency: RECORDS });
	await record(
		pass.ctx,
		all.flatMap((each) => evidenceOf(pass, each)),
	);
	return all;
}

function told(progress: Progress, { seen, verdict }: Judged): Progress {
	const tally = counted(progress.tally, verdict);
	if (verdict.of === 'ownDomain' && seen.kind === 'access') {
		const { table, asker } = seen;
		const { products } = verdict;
		return {
			...progress,
			tally,
			own: withOwn(progress.own, { table, products: [...products], principal: asker.principal }),
		};
	}
	if (verdict.of !== 'unreadable') return { ...progress, tally };
	const lacks = seen.kind === 'unreadable' ? seen.lacks : 'flow';
	return { ...progress, tally, unreadable: withUnreadable(progress.unreadable, { event: seen.id, lacks }) };
}

function evidenceOf({ day, catalog }: Pass, { seen, verdict }: Judged): Evidence[] {
	if (verdict.of !== 'bypassing' || seen.kind === 'unreadable') return [];
	const { asker, id, at, query } = seen;
	const { account, principal, principalId, session, named } = asker;
	const group = seen.kind === 'start' ? seen.workGroup : null;
	const ours = group !== null && catalog.isOurs(account, group, at);
	const service = seen.kind === 'access' ? known(seen.service) : 'ATHENA';
	const { products } = verdict;
	// Of a table that is not published nothing is stored.
	const tables = seen.kind === 'access' && products.length > 0 ? [{ ...seen.table, products: [...products] }] : [];
	return [
		{
			body: {
				day,
				account,
				domain: catalog.domainOf(account, at),
				query,
				event: id,
				seenAt: at,
				principal,
				principalId,
				service,
				workGroup: ours ? group : null,
				flow: verdict.flow,
				reasons: [...verdict.reasons],
				tables,
			},
			more: {
				...(named === null ? {} : { name: named }),
				...(session === null ? {} : { session }),
				...(group === null || ours ? {} : { workGroup: group }),
			},
		},
	];
}

/** A service names itself in capitals; anything else is nobody's to keep. */
const known = (service: string | null) =>
	service !== null && /^[A-Z][A-Z0-9_ -]{0,63}$/.test(service) ? service : null;
