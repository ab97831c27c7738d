/**
 * What may happen next in a history. A command is a member of `kinds` here, or of its like in a file of its
 * own: how often, what it is made of, when it has anything to do, and what it does. It expects no answer in particular:
 * what must hold after it is in holds.ts.
 */
import fc from 'fast-check';
import { contracts } from './contracts.ts';
import { exceptions } from './exceptions.ts';
import { decide, learn, pick, post, publish, register, send, toggled } from './history.ts';
import { hostile } from './hostile.ts';
import { approveAll, bodyOf, content, fileAs, forWhom, keeper, kind, less, n, type Step, seen, yes } from './kind.ts';
import { asks, durations, offices, raised, shorter } from './pool.ts';
import { query } from './query.ts';
import { sharing } from './sharing.ts';

const changing = (what: 'revoke' | 'suspend' | 'resume', weight: number) =>
	kind({
		weight,
		made: fc.record({ grant: n, who: n }),
		possible: ({ given }) => given.length > 0,
		run: (history, { grant, who }) =>
			send(
				history,
				post(keeper(pick(history.given, grant), who), `/grants/${pick(history.given, grant).id}/${what}`, {
					reason: 'model',
				}),
			),
	});

const HOUR_MS = 3_600_000;

const kinds = {
	ask: kind({
		weight: 24,
		made: fc.record({ ask: n, who: n, ...content, approved: fc.nat({ max: 3 }) }),
		run: async (history, p) => {
			const ask = pick(asks, p.ask);
			const asked = await fileAs(history, pick(ask.askers, p.who), ask, p);
			if (asked !== null && p.approved > 0) await approveAll(history, asked);
		},
	}),
	edit: kind({
		weight: 5,
		made: fc.record({ request: n, who: n, ...content, whole: yes, seen: n }),
		possible: ({ asked }) => asked.length > 0,
		run: async (history, p) => {
			const asked = pick(history.asked.toReversed(), Math.floor(p.request / 200));
			const whole = bodyOf(history, asked.ask, p);
			const body = p.whole ? { ...whole, ...forWhom(history, asked.ask, p.forWhom) } : { duration: whole.duration };
			const who = p.who % 4 === 0 ? pick(asked.ask.askers, p.who) : asked.by;
			const call = { ...post(who, `/requests/${asked.id}`, body, seen(asked, p.seen)), method: 'PATCH' as const };
			learn(history, asked.ask, asked.by, await send(history, call));
		},
	}),
	cancel: kind({
		weight: 1,
		made: fc.record({ request: n, who: n }),
		possible: ({ asked }) => asked.length > 0,
		run: (history, p) => {
			const { id, ask } = pick(history.asked, p.request);
			return send(history, { ...post(pick(ask.askers, p.who), `/requests/${id}/cancel`), body: undefined });
		},
	}),
	decide: kind({
		weight: 20,
		made: fc.record({
			request: n,
			who: n,
			reject: fc.integer({ min: 0, max: 7 }),
			seen: n,
			narrow: fc.option(fc.record({ columns: fc.option(n), filter: fc.option(n), duration: fc.option(n) }), {
				freq: 1,
			}),
		}),
		possible: ({ asked }) => asked.length > 0,
		run: (history, p) => {
			const asked = pick(history.asked.toReversed(), Math.floor(p.request / 200));
			const duration =
				p.narrow === null || p.narrow.duration === null ? {} : { duration: pick(shorter, p.narrow.duration) };
			const narrow = p.narrow === null ? {} : { narrow: { tables: [less(asked, p.narrow)], ...duration } };
			const body = p.reject === 0 ? { verdict: 'reject' } : { verdict: 'approve', ...narrow };
			return decide(history, keeper(asked, p.who), asked, body, seen(asked, p.seen));
		},
	}),
	revoke: changing('revoke', 3),
	suspend: changing('suspend', 5),
	resume: changing('resume', 6),
	narrow: kind({
		weight: 7,
		made: fc.record({ grant: n, who: n, columns: fc.option(n), filter: fc.option(n) }),
		possible: ({ given }) => given.length > 0,
		run: (history, p) => {
			const given = pick(history.given, p.grant);
			const body = { tables: [less(given, p)], reason: 'model' };
			return send(history, post(keeper(given, p.who), `/grants/${given.id}/narrow`, body));
		},
	}),
	renew: kind({
		weight: 5,
		made: fc.record({ grant: n, who: n, duration: n, approved: yes }),
		possible: ({ given }) => given.length > 0,
		run: async (history, p) => {
			const { id, ask } = pick(history.given, p.grant);
			const body = { duration: pick(durations, p.duration), justification: 'model' };
			const who = pick(ask.askers, p.who);
			const answer = await send(history, post(who, `/grants/${id}/renew`, body));
			const asked = learn(history, ask, who, answer);
			if (asked !== null && p.approved) await approveAll(history, asked);
		},
	}),
	office: kind({
		weight: 6,
		made: fc.record({ office: n }),
		run: (history, p) => {
			const { domain: id, who, role } = pick(offices, p.office);
			const domain = history.registry.get(id);
			return domain === undefined ? Promise.resolve() : register(history, toggled(domain, who, role));
		},
	}),
	raise: kind({
		weight: 2,
		made: fc.record({ column: n }),
		run: (history, p) => {
			const { product, column, to } = pick(raised, p.column);
			return publish(history, product, ({ schema }) => {
				for (const { properties } of schema) for (const c of properties) if (c.name === column) c.classification = to;
			});
		},
	}),
	wait: kind({
		weight: 4,
		made: fc.record({ hours: fc.constantFrom(1, 1, 7, 25, 80, 350) }),
		run: ({ mesh }, { hours }) => Promise.resolve(mesh.advance(hours * HOUR_MS)),
	}),
	sweep: kind({ weight: 4, made: fc.constant({}), run: ({ mesh }) => mesh.sweep() }),
	query: kind({
		weight: 4,
		made: fc.record({ grant: n, who: n, columns: n, filter: fc.option(n, { freq: 1 }) }),
		possible: ({ given }) => given.length > 0,
		run: (history, p) => {
			const given = pick(history.given, p.grant);
			const { ask } = given;
			const columns = p.columns % 3 === 0 ? pick(ask.columns, Math.floor(p.columns / 3)) : given.columns;
			const where = p.filter === null ? null : pick(ask.filters, p.filter);
			return query(history, { who: pick(ask.askers, p.who), given, columns, where });
		},
	}),
};

/** Any command, as often as its weight says. */
export const step: fc.Arbitrary<Step> = fc.oneof(
	...Object.entries({ ...kinds, ...exceptions, ...sharing, ...contracts, ...hostile }).map(
		([name, { weight, of }]) => ({
			weight,
			arbitrary: of(name) as fc.Arbitrary<Step>,
		}),
	),
);

export type { Step } from './kind.ts';
