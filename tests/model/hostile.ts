/** Commands of several calls, each the way to something that must not be: what a random order of calls seldom meets. */
import fc from 'fast-check';
import type { Handle } from '#local/people.ts';
import { decide, learn, pick, post, register, send, toggled } from './history.ts';
import { approveAll, bodyOf, content, fileAs, kind, less, n, yes } from './kind.ts';
import { asks } from './pool.ts';
import { query } from './query.ts';

const GUISES: readonly { as: Handle; by: Handle; office: boolean }[] = [
	{ as: 'olgaAsConsumer', by: 'olga', office: false },
	{ as: 'alice', by: 'nick', office: true },
	{ as: 'robot', by: 'nick', office: true },
	{ as: 'carl', by: 'carl', office: true },
	{ as: 'alice', by: 'robot', office: true },
];

export const hostile = {
	/** What is asked for changes under the eyes of whoever decides on it. */
	overtaken: kind({
		weight: 3,
		made: fc.record({ ask: n, who: n, ...content, columns2: n, narrowed: yes }),
		run: async (history, p) => {
			const ask = pick(asks, p.ask);
			const by = pick(ask.askers, p.who);
			const asked = await fileAs(history, by, ask, p);
			const [etag = null] = asked?.etags ?? [];
			if (asked === null) return;
			const [first, second] = ask.approvers.filter((who, i, all) => all.indexOf(who) === i);
			if (p.narrowed && first !== undefined) {
				const narrow = { tables: [less(asked, { columns: null, filter: p.filter + 1 })] };
				await decide(history, first, asked, { verdict: 'approve', narrow }, etag);
			} else {
				const { tables } = bodyOf(history, ask, { ...p, columns: p.columns2 });
				const call = { ...post(by, `/requests/${asked.id}`, { tables }, etag), method: 'PATCH' as const };
				learn(history, ask, by, await send(history, call));
			}
			const late = p.narrowed ? second : first;
			if (late !== undefined) await decide(history, late, asked, { verdict: 'approve' }, etag);
		},
	}),
	/** Two who read under one principal, each his own rows. */
	beside: kind({
		weight: 3,
		made: fc.record({ ...content, filter2: n }),
		run: async (history, p) => {
			const [ask] = asks;
			if (ask === undefined) return;
			for (const [who, filter] of [
				['alice', p.filter],
				['carl', p.filter2],
			] as const) {
				const asked = await fileAs(history, who, ask, { ...p, filter, forWhom: null });
				if (asked !== null) await approveAll(history, asked);
			}
			const given = history.given.at(-1);
			if (given === undefined || given.ask !== ask) return;
			for (const who of ['alice', 'carl'] as const)
				await query(history, { who, given, columns: given.columns, where: null });
		},
	}),
	/** Who has approved is no owner any more when the others do, or has come to supervise them. */
	leaving: kind({
		weight: 3,
		made: fc.record({ ...content, rest: yes, regulator: yes }),
		run: async (history, p) => {
			const ask = asks.find(({ product }) => product === 'customers.clients');
			const domain = history.registry.get(p.regulator ? 'governance' : 'customers');
			if (ask === undefined || domain === undefined) return;
			const asked = await fileAs(history, 'mia', ask, p);
			if (asked === null) return;
			await decide(history, 'peter', asked, { verdict: 'approve' }, asked.etags.at(-1) ?? null);
			await register(history, toggled(domain, 'peter', p.regulator ? 'regulator' : 'owner'));
			const others = {
				...asked,
				ask: { ...ask, approvers: ['paula', ...(p.rest ? (['petra'] as const) : [])] as const },
			};
			await approveAll(history, others);
			await register(history, domain);
		},
	}),
	/** One who is behind what is asked tries to be the one who approves it, in each guise that there is. */
	guise: kind({
		weight: 3,
		made: fc.record({ how: n, ...content }),
		run: async (history, p) => {
			const { as, by, office } = pick(GUISES, p.how);
			const [loans] = asks;
			const lending = history.registry.get('lending');
			if (loans === undefined || lending === undefined) return;
			const holds = lending.members.some((m) => m.person === by && m.roles.includes('owner'));
			if (office && !holds) await register(history, toggled(lending, by, 'owner'));
			const asked = await fileAs(history, as, loans, p);
			if (asked !== null) await decide(history, by, asked, { verdict: 'approve' }, asked.etags.at(-1) ?? null);
		},
	}),
};
