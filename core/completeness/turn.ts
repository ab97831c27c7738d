/**
 * What the parts of one check share: the day, whose turn it is and how long, and how far each account has come. A place is
 * kept only after what leads there is recorded.
 */
import type { Context } from '../context.ts';
import type { Lease } from '../lease.ts';
import { type Asking, Unread, type Why } from './asking.ts';
import type { Catalog } from './catalog.ts';
import { ATHENA_EVERY_MS } from './executions.ts';
import type { Flows } from './flows.ts';
import { type Of, type Progress, save } from './progress.ts';
import { LOOKUP_EVERY_MS, type Place } from './trail.ts';

/** Records of one page judged at once. */
export const RECORDS = 8;
export const DAY_MS = 86_400_000;

/** How fast AWS is asked. */
export type Pace = { readonly lookupMs: number; readonly athenaMs: number };
export const PACE: Pace = { lookupMs: LOOKUP_EVERY_MS, athenaMs: ATHENA_EVERY_MS };

export type Day = {
	readonly day: string;
	/** The version of its record that is to be followed. */
	readonly base: number;
	readonly catalog: Catalog;
	readonly lease: Pick<Lease, 'held'>;
	/** When to stop, for whoever has only so long. */
	readonly deadline: Date | null;
	readonly pace: Pace;
};

export type Pass = Day & {
	readonly ctx: Context;
	readonly flows: Flows;
	readonly unread: Map<string, Why>;
	/** Accounts of which it is not known what was started there on the day before. */
	readonly unreadBefore: ReadonlySet<string>;
	readonly progress: Map<string, Progress>;
	/** When the turn of an account ends, for whoever has only so long. */
	readonly turns: Map<string, Date>;
	whole: boolean;
};

export const of = ({ day, base }: Pick<Day, 'day' | 'base'>, { account }: Pick<Place, 'account'>): Of => ({
	day,
	base,
	account,
});

/** False where somebody else took over. Throws `Unread` where the account's turn is over. */
export async function goesOn(pass: Pass, account: string): Promise<boolean> {
	const turn = pass.turns.get(account);
	if (turn !== undefined && pass.ctx.clock() >= turn) throw new Unread('unfinished', new Error('out of time'));
	pass.whole = pass.whole && (await pass.lease.held());
	return pass.whole;
}

/** How fast an account is asked, while it is its turn. */
export function askingOf(pass: Pass, account: string, everyMs: number): Asking {
	return { everyMs, goesOn: () => goesOn(pass, account) };
}

/** Whether there is time left to look for a flow, for who would rather leave a record undecided than be stopped. */
export async function hasTime(pass: Pass, account: string): Promise<boolean> {
	try {
		return await goesOn(pass, account);
	} catch (error) {
		if (error instanceof Unread) return false;
		throw error;
	}
}

/** Throws `Unread`: the account's turn is over, or another one, whose trail would tell, cannot be read. */
export async function undecided(pass: Pass, { account }: Pick<Place, 'account'>): Promise<void> {
	if (await goesOn(pass, account)) throw new Unread('unavailable', new Error('undecided'));
}

export function progressOf({ progress }: Pass, account: string): Progress {
	const found = progress.get(account);
	if (found === undefined) throw new Error(`no progress of ${account} was read`);
	return found;
}

export async function keep(pass: Pass, account: string, progress: Progress): Promise<void> {
	const all = { ...progress, sought: pass.flows.sought() };
	await save(pass.ctx, of(pass, { account }), all);
	pass.progress.set(account, all);
}
