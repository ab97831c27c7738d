/** Commands of what goes another way than request and approval: emergencies, and decisions in somebody's place. */
import fc from 'fast-check';
import { type Handle, people } from '#local/people.ts';
import {
	type Asked,
	type Delegated,
	decide,
	type History,
	learn,
	pick,
	post,
	register,
	send,
	toggled,
} from './history.ts';
import { approveAll, bodyOf, content, fileAs, keeper, kind, n, seen, yes } from './kind.ts';
import { asks, givers, hasty, hours, standIns } from './pool.ts';
import { query } from './query.ts';

const HOUR_MS = 3_600_000;

async function take(history: History, who: Handle, p: { ask: number } & Parameters<typeof bodyOf>[2]) {
	const ask = pick(asks.slice(0, 1).concat(asks.filter(({ domain }) => domain === 'risk')), p.ask);
	const { duration: _, ...asked } = bodyOf(history, ask, p);
	const body = {
		...asked,
		product: ask.product,
		duration: pick(hours, p.duration),
		reason: 'The model of an emergency',
	};
	const taken = learn(history, ask, who, await send(history, post(who, '/requests/break-glass', body)));
	if (taken !== null) history.taken.push(taken);
	return taken;
}

const review = (history: History, who: Handle, { id }: Asked, justified: boolean) =>
	send(
		history,
		post(who, `/requests/${id}/review`, { verdict: justified ? 'justified' : 'unjustified', comment: 'model' }),
	);

type Giver = (typeof givers)[number];

/** The delegation, where it could be given: `from` and `to` in hours from now. */
async function give(history: History, { who, domain, role }: Giver, to: Handle, from: number, until: number) {
	const { clock } = history.mesh.platform;
	const at = (ahead: number) => new Date(clock().getTime() + ahead * HOUR_MS).toISOString();
	const { issuer } = history.mesh.test.bank.issuer;
	const time = { ...(from === 0 ? {} : { from: at(from) }), until: at(until) };
	const body = { domain, role, to: { issuer, subject: people[to].subject }, ...time, reason: 'model' };
	const answer = await send(history, post(who, '/delegations', body));
	if (answer.status >= 300) return null;
	const given: Delegated = { id: (answer.body as { id: string }).id, domain, by: who, to };
	history.delegated.push(given);
	return given;
}

const endIt = (history: History, who: Handle, { id }: Delegated) =>
	send(history, { ...post(who, `/delegations/${id}/end`), body: undefined });

const inPlace = (history: History, who: Handle, asked: Asked, { id }: Delegated) =>
	decide(history, who, asked, { verdict: 'approve', delegation: id }, asked.etags.at(-1) ?? null);

/** Somebody's role is taken away, or given, while `work` is done. */
async function toggling(history: History, domain: string, who: Handle, role: 'owner', work: () => Promise<unknown>) {
	const before = history.registry.get(domain);
	if (before === undefined) return;
	await register(history, toggled(before, who, role));
	await work();
	await register(history, before);
}

export const exceptions = {
	emergency: kind({
		weight: 4,
		made: fc.record({ ask: n, who: n, ...content }),
		run: (history, p) => take(history, pick(hasty, p.who), p),
	}),
	review: kind({
		weight: 3,
		made: fc.record({ request: n, who: n, justified: yes }),
		possible: ({ taken }) => taken.length > 0,
		run: (history, p) => {
			const taken = pick(history.taken, p.request);
			return review(history, p.who % 3 === 0 ? taken.by : keeper(taken, p.who), taken, p.justified);
		},
	}),
	delegate: kind({
		weight: 4,
		made: fc.record({
			giver: n,
			to: n,
			from: fc.constantFrom(0, 0, 0, 3),
			hours: fc.constantFrom(2, 30, 400, 2160, 2170),
		}),
		run: (history, p) => give(history, pick(givers, p.giver), pick(standIns, p.to), p.from, p.from + p.hours),
	}),
	takeBack: kind({
		weight: 1,
		made: fc.record({ delegation: n, who: n }),
		possible: ({ delegated }) => delegated.length > 0,
		run: (history, p) => {
			const one = pick(history.delegated, p.delegation);
			return endIt(history, pick([one.by, one.to, ...standIns], p.who), one);
		},
	}),
	standIn: kind({
		weight: 8,
		made: fc.record({ delegation: n, request: n, who: n, reject: fc.nat({ max: 7 }), seen: n }),
		possible: ({ delegated, asked }) => delegated.length > 0 && asked.length > 0,
		run: (history, p) => {
			const one = pick(history.delegated.toReversed(), Math.floor(p.delegation / 300));
			const there = history.asked.filter(({ ask }) => p.request % 9 === 0 || ask.product.startsWith(`${one.domain}.`));
			if (there.length === 0) return Promise.resolve();
			const asked = pick(there.toReversed(), Math.floor(p.request / 300));
			const body = { verdict: p.reject === 0 ? 'reject' : 'approve', delegation: one.id };
			const who = p.who % 6 === 0 ? pick(standIns, p.who) : one.to;
			return decide(history, who, asked, body, seen(asked, p.seen));
		},
	}),
	/** Who took something without need takes more, or finds himself that there was one. */
	hasty: kind({
		weight: 5,
		made: fc.record({ ...content, again: fc.nat({ max: 4 }), how: fc.nat({ max: 3 }) }),
		run: async (history, p) => {
			// Under a principal that few others read under: an inexact union refuses less of it.
			const one = { ...p, ask: 0, purpose: 2 };
			const taken = await take(history, 'ruth', one);
			if (taken === null) return;
			if (p.how === 0) await toggling(history, 'lending', 'ruth', 'owner', () => review(history, 'ruth', taken, true));
			else await review(history, 'olga', taken, p.how === 1);
			const given = history.given.at(-1);
			if (given !== undefined) await query(history, { who: 'ruth', given, columns: given.columns, where: null });
			for (let i = 0; i < p.again; i += 1) await take(history, 'ruth', one);
		},
	}),
	/** Two owners must approve, and somebody speaks for one of them. */
	spokenFor: kind({
		weight: 5,
		made: fc.record({ ...content, how: fc.constantFrom(0, 1, 2, 3, 4, 4, 5), to: n, both: yes }),
		run: async (history, p) => {
			const clients = asks.find(({ product }) => product === 'customers.clients');
			const [giver] = givers.filter(({ who }) => who === 'peter');
			if (clients === undefined || giver === undefined) return;
			const asked = await fileAs(history, 'mia', clients, { ...p, columns: 2, forWhom: null });
			// The officer sees the request anyhow, and has a word of her own.
			const to = p.how === 4 ? 'paula' : pick(['oscar', 'paula', 'stella', 'ruth'] as const, p.to);
			const one = await give(history, giver, to, p.how === 5 ? 1 : 0, 4);
			if (asked === null || one === null) return;
			if (p.how === 4) await endIt(history, 'peter', one);
			await inPlace(history, to, asked, one);
			// He himself, beside who speaks for him; or nobody else but the other owner.
			const rest: readonly Handle[] = p.how === 0 ? ['peter', 'paula'] : ['petra', 'paula'];
			const others = { ...asked, ask: { ...clients, approvers: rest } };
			if (p.how === 1) await toggling(history, 'customers', 'peter', 'owner', () => approveAll(history, others));
			else await approveAll(history, others);
			if (p.how === 2 && p.both) await endIt(history, to, one);
		},
	}),
	/** Somebody gains from what another one decides in his place, or the other way round; or passes it on. */
	entrusted: kind({
		weight: 3,
		made: fc.record({ ...content, how: n, twice: yes }),
		run: async (history, p) => {
			const [loans] = asks;
			const [olga] = givers;
			if (loans === undefined || olga === undefined) return;
			const [as, to]: [Handle, Handle] = pick(
				[
					['olgaAsConsumer', 'oscar'],
					['carl', 'carl'],
					['robot', 'alice'],
					['alice', 'oscar'],
				],
				p.how,
			);
			const one = await give(history, olga, to, 0, 30);
			if (one === null) return;
			const further = p.twice ? await give(history, { ...olga, who: to }, 'stella', 0, 30) : null;
			const asked = await fileAs(history, as, loans, { ...p, forWhom: null });
			if (asked === null) return;
			if (further !== null) await inPlace(history, 'stella', asked, further);
			await inPlace(history, to, asked, one);
		},
	}),
};
