/** What Athena itself lists of an account, beside its trail: each execution of the day judged. */
import pMap from 'p-map';
import { type Evidence, record } from './bypass.ts';
import { executions, workGroups } from './executions.ts';
import { judgeExecution, type Verdict } from './judge.ts';
import { counted, NONE, type Progress, plus, withUnreadable } from './progress.ts';
import {
	askingOf,
	DAY_MS,
	type Day,
	goesOn,
	hasTime,
	keep,
	type Pass,
	progressOf,
	RECORDS,
	undecided,
} from './turn.ts';
import { isSure } from './walk.ts';

/** Work group by work group. */
export async function list(pass: Pass, account: string): Promise<void> {
	if (progressOf(pass, account).athena.done || !(await goesOn(pass, account))) return;
	const { through } = progressOf(pass, account).athena;
	for (const group of await workGroups(pass.ctx, account, askingOf(pass, account, pass.pace.athenaMs))) {
		if (through !== null && group <= through) continue;
		if (!(await listGroup(pass, account, group))) return;
	}
	const after = progressOf(pass, account);
	await keep(pass, account, { ...after, athena: { ...after.athena, done: true } });
}

/** False where the pass ends. */
async function listGroup(pass: Pass, account: string, group: string): Promise<boolean> {
	const { ctx, pace } = pass;
	const { athena } = progressOf(pass, account);
	const asking = askingOf(pass, account, pace.athenaMs);
	let place: Pick<Progress['athena'], 'token' | 'inGroup'> =
		athena.group === group ? athena : { token: null, inGroup: NONE };
	for (;;) {
		if (!(await goesOn(pass, account))) return false;
		const page = await executions(ctx, { account, group, token: place.token }, asking);
		const before = progressOf(pass, account);
		if (page === null && place.token !== null) {
			// The place is not known any more: the group is gone through again, or gone.
			place = { token: null, inGroup: NONE };
			continue;
		}
		const seen = page === null ? [] : await listed(pass, { account, group }, page.executions);
		if (!isSure(seen)) {
			await undecided(pass, { account });
			return false;
		}
		const inGroup = seen.reduce((tally, { verdict }) => counted(tally, verdict), place.inGroup);
		const token = page === null || isOver(pass, page.executions) ? null : page.next;
		const lost = seen.filter(({ verdict }) => verdict.of === 'unreadable');
		const unreadable = lost.reduce(
			(all, { id }) => withUnreadable(all, { event: id, lacks: 'flow' }),
			before.unreadable,
		);
		const done = { through: group, group: null, tally: plus(before.athena.tally, inGroup), token: null, inGroup: NONE };
		const next = token === null ? done : { ...before.athena, group, token, inGroup };
		await keep(pass, account, { ...before, unreadable, athena: { ...next, done: false } });
		if (token === null) return true;
		place = { token, inGroup };
	}
}

/**
 * Newest first, so a page that is older than the day by another one is the last of interest. [unverified] The order is
 * Athena's, and nowhere promised; an execution in another place would be missed here, and not in the trail.
 */
function isOver({ day }: Day, page: readonly { readonly at: string }[]): boolean {
	const least = new Date(Date.parse(day) - DAY_MS).toISOString();
	return page.length > 0 && page.every(({ at }) => at < least);
}

async function listed(
	pass: Pass,
	{ account, group }: { readonly account: string; readonly group: string },
	page: readonly { readonly id: string; readonly at: string }[],
): Promise<{ readonly id: string; readonly verdict: Verdict }[]> {
	const { ctx, day, catalog } = pass;
	const knowing = { ...pass, unread: new Set<string>(), goesOn: () => hasTime(pass, account) };
	const one = async ({ id, at }: (typeof page)[number]) => {
		return { id, at, verdict: await judgeExecution(knowing, { account, group, id, at }) };
	};
	const ofDay = page.filter(({ at }) => at.startsWith(day));
	const all = await pMap(ofDay, one, { concurrency: RECORDS });
	const found = all.flatMap(({ id, at, verdict }): Evidence[] => {
		if (verdict.of !== 'bypassing') return [];
		const who = { principal: null, principalId: null, service: 'ATHENA', workGroup: group, flow: verdict.flow };
		const of = { day, account, domain: catalog.domainOf(account, at), query: id, event: null, seenAt: at };
		return [{ body: { ...of, ...who, reasons: [...verdict.reasons], tables: [] }, more: {} }];
	});
	await record(ctx, found);
	return all;
}
