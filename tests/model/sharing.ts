/** Commands on grants that several people have a hand in: those who share one, and those who hold it back. */
import fc from 'fast-check';
import type { Handle } from '#local/people.ts';
import { type Given, type History, learn, pick, post, send } from './history.ts';
import { approveAll, content, fileAs, kind, n, yes } from './kind.ts';
import { asks, standIns } from './pool.ts';
import { query } from './query.ts';

const leave = (history: History, who: Handle, { id }: Given) =>
	send(history, { ...post(who, `/grants/${id}/leave`), body: undefined });

const change = (history: History, who: Handle, { id }: Given, what: 'suspend' | 'resume') =>
	send(history, post(who, `/grants/${id}/${what}`, { reason: 'model' }));

export const sharing = {
	leave: kind({
		weight: 4,
		made: fc.record({ grant: n, who: n }),
		possible: ({ given }) => given.length > 0,
		run: (history, p) => {
			const given = pick(history.given.toReversed(), Math.floor(p.grant / 200));
			return leave(history, pick(p.who % 5 === 0 ? standIns : given.ask.askers, p.who), given);
		},
	}),
	/** One who shared a grant leaves it while the other reads; then it is taken up anew in one way or another. */
	shared: kind({
		weight: 4,
		made: fc.record({ ...content, ask: n, how: n, guise: yes, first: yes }),
		run: async (history, p) => {
			const ask = pick(
				[0, 4].flatMap((i) => asks.slice(i, i + 1)),
				p.ask,
			);
			const [one, other]: [Handle, Handle] = p.guise ? ['robot', 'carl'] : ['carl', 'alice'];
			const with_ = { ...ask, beneficiaries: [[one, other, ...(p.guise ? (['alice'] as const) : [])]] };
			const asked = await fileAs(history, other, with_, { ...p, forWhom: 0 });
			if (asked === null) return;
			await approveAll(history, { ...asked, ask });
			const given = history.given.at(-1);
			if (given === undefined || given.ask !== ask) return;
			const read = (who: Handle) => query(history, { who, given, columns: given.columns, where: null });
			const before = await read(other);
			const renewal = { duration: 'P3D', justification: 'model' };
			const renewed = async () =>
				learn(history, ask, other, await send(history, post(other, `/grants/${given.id}/renew`, renewal)));
			const early = p.first ? await renewed() : null;
			const left = await leave(history, p.guise && p.how % 2 === 0 ? 'alice' : one, given);
			if (left.status === 202 && (await read(other)) !== before) {
				history.wrong.push(`${other} reads ${given.id} otherwise, now that another one has left it`);
			}
			await read(one);
			const late = early ?? (p.how % 3 === 0 ? await renewed() : null);
			if (late !== null) await approveAll(history, late);
			if (p.how % 3 === 1) {
				for (const what of ['suspend', 'resume'] as const) await change(history, 'olga', given, what);
			}
			await read(one);
		},
	}),
	/** Held back by owner, officer or both, in any order, and taken up by one of them. */
	heldBack: kind({
		weight: 3,
		made: fc.record({ grant: n, owner: yes, officer: yes, again: fc.array(fc.nat({ max: 2 }), { maxLength: 4 }) }),
		possible: ({ given }) => given.some(({ ask }) => ask.product === 'customers.clients'),
		run: async (history, p) => {
			const given = pick(
				history.given.filter(({ ask }) => ask.product === 'customers.clients').toReversed(),
				Math.floor(p.grant / 300),
			);
			const before: readonly Handle[] = [
				...(p.owner ? ['petra' as const] : []),
				...(p.officer ? ['paula' as const] : []),
			];
			for (const who of p.grant % 2 === 0 ? before : before.toReversed()) await change(history, who, given, 'suspend');
			for (const who of p.again) await change(history, pick(['petra', 'paula', 'peter'], who), given, 'resume');
		},
	}),
};
