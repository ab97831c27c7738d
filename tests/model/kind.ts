/** What commands are made of: how one is drawn and printed, and the calls that several of them make. */
import fc from 'fast-check';
import { type Handle, people } from '#local/people.ts';
import { type Asked, decide, type History, learn, pick, post, principal, send, tableOf } from './history.ts';
import { type Ask, durations, strangers } from './pool.ts';

/** Whole numbers that choose from whatever there is to choose from. */
export const n = fc.nat({ max: 999 });
export const yes = fc.boolean();

/** One command of a history. */
export type Step = {
	readonly name: string;
	/** Whether there was anything to do. */
	readonly take: (history: History) => Promise<boolean>;
};

type Kind<P> = {
	readonly weight: number;
	readonly made: fc.Arbitrary<P>;
	readonly possible?: (history: History) => boolean;
	readonly run: (history: History, made: P) => Promise<unknown>;
};

export function kind<P>({ weight, made, possible = () => true, run }: Kind<P>) {
	const of = (name: string) =>
		made.map((p) => ({
			name,
			async take(history: History) {
				if (!possible(history)) return false;
				await run(history, p);
				return true;
			},
			[fc.toStringMethod]: () => `${name} ${JSON.stringify(p)}`,
		}));
	return { weight, of };
}

export const bodyOf = (
	history: History,
	ask: Ask,
	p: { columns: number; filter: number; purpose: number; duration: number },
) => {
	const purpose = pick(ask.purposes, p.purpose);
	const rowFilter = pick(ask.filters, p.filter);
	return {
		tables: [
			{ table: tableOf(ask), columns: pick(ask.columns, p.columns), ...(rowFilter === null ? {} : { rowFilter }) },
		],
		purpose,
		principal: principal(history, ask, purpose),
		duration: pick(durations, p.duration),
	};
};

export const forWhom = ({ mesh }: History, ask: Ask, n: number | null) =>
	n === null
		? {}
		: {
				beneficiaries: pick(ask.beneficiaries, n).map((who) => ({
					issuer: mesh.test.bank.issuer.issuer,
					subject: people[who].subject,
				})),
			};

export const content = { columns: n, filter: n, purpose: n, duration: n, forWhom: fc.option(n, { freq: 1 }) };

type Wanted = { columns: number; filter: number; purpose: number; duration: number; forWhom: number | null };

export async function fileAs(history: History, who: Handle, ask: Ask, p: Wanted): Promise<Asked | null> {
	const body = {
		product: ask.product,
		justification: 'model',
		...bodyOf(history, ask, p),
		...forWhom(history, ask, p.forWhom),
	};
	return learn(history, ask, who, await send(history, post(who, '/requests', body)));
}

/** All who would approve if nobody had anything against it. */
export async function approveAll(history: History, asked: Asked): Promise<void> {
	for (const who of asked.ask.approvers) {
		if (!(await isPending(history, asked))) return;
		await decide(history, who, asked, { verdict: 'approve' }, asked.etags.at(-1) ?? null);
	}
}

async function isPending(history: History, asked: Asked): Promise<boolean> {
	const answer = await send(history, { who: 'rita', path: `/api/v1/requests/${asked.id}` });
	learn(history, asked.ask, asked.by, answer);
	return (answer.body as { state?: string }).state === 'pending';
}

export const less = ({ ask }: Pick<Asked, 'ask'>, p: { columns: number | null; filter: number | null }) => {
	const rowFilter = p.filter === null ? null : pick(ask.filters, p.filter);
	return {
		table: tableOf(ask),
		...(p.columns === null ? {} : { columns: pick(ask.columns, p.columns) }),
		...(rowFilter === null ? {} : { rowFilter }),
	};
};

/** Mostly those who answer for the product; else anybody. */
export const keeper = ({ ask }: Pick<Asked, 'ask'>, n: number): Handle =>
	n % 4 === 0 ? pick(strangers, Math.floor(n / 4)) : pick(ask.approvers, Math.floor(n / 8));

/** Mostly as it stands, else as it stood before, or as nobody saw it. */
export function seen({ etags }: Asked, n: number): string | null {
	if (n % 10 === 0) return null;
	return n % 5 === 1 ? (etags[0] ?? null) : (etags.at(-1) ?? null);
}
