/** Commands on what contracts say besides classes: ends, purposes, columns, templates; and asking by those. */
import fc from 'fast-check';
import { type Document, type History, learn, pick, post, principal, publish, send } from './history.ts';
import { approveAll, content, fileAs, forWhom, kind, n, seen, yes } from './kind.ts';
import { type Ask, asks, durations, templates } from './pool.ts';
import { query } from './query.ts';

const HOUR_MS = 3_600_000;

/** With another word of the contract's own; null takes it away. */
function say(document: Document, name: string, value: unknown): void {
	const others = document.customProperties.filter(({ property }) => property !== name);
	document.customProperties = value === null ? others : [...others, { property: name, value }];
}

const suggested = (document: Document): readonly { readonly id: string }[] =>
	(document.customProperties.find(({ property }) => property === 'accessTemplates')?.value as [] | undefined) ?? [];

/** Mostly of what somebody was given. */
const concerned = ({ given }: History, n: number): Ask =>
	given.length === 0 || n % 4 === 0 ? pick(asks, Math.floor(n / 4)) : pick(given, Math.floor(n / 4)).ask;

/** Retires a product in so many hours; null takes that back. */
function retire(history: History, { product }: Ask, hours: number | null, deprecated: boolean): Promise<void> {
	const { clock } = history.mesh.platform;
	const at = (ahead: number) => new Date(clock().getTime() + ahead * HOUR_MS).toISOString();
	return publish(history, product, (document) => {
		say(document, 'retiresAt', hours === null ? null : at(hours));
		say(document, 'deprecatedFrom', hours !== null && deprecated ? at(hours - 1) : null);
	});
}

/** Publishes a template, or takes the one of that name away. */
function suggest(history: History, { product, id, template }: (typeof templates)[number]): Promise<void> {
	return publish(history, product, (document) => {
		const others = suggested(document).filter((one) => one.id !== id);
		const one = template === null ? [] : [{ id, name: 'Model', ...template }];
		say(document, 'accessTemplates', [...others, ...one]);
	});
}

export const contracts = {
	retire: kind({
		weight: 2,
		made: fc.record({ ask: n, hours: fc.constantFrom(-1, 2, 10, 30, 100, null), deprecated: yes }),
		run: (history, p) => retire(history, concerned(history, p.ask), p.hours, p.deprecated),
	}),
	/** What was given for longer than the product lives is read once that is over; more of it is asked for before. */
	outlive: kind({
		weight: 2,
		made: fc.record({ ...content, grant: n, who: n, more: yes }),
		possible: ({ given }) => given.length > 0,
		run: async (history, p) => {
			const given = pick(history.given.toReversed(), Math.floor(p.grant / 300));
			const { ask } = given;
			const who = pick(ask.askers, p.who);
			await retire(history, ask, 2, false);
			const asked = p.more ? await fileAs(history, who, ask, p) : null;
			if (asked !== null) await approveAll(history, asked);
			history.mesh.advance(3 * HOUR_MS);
			await query(history, { who, given, columns: given.columns, where: null });
		},
	}),
	limit: kind({
		weight: 2,
		made: fc.record({ ask: n, all: yes }),
		run: async (history, p) => {
			const { product, purposes } = concerned(history, p.ask);
			const few = p.ask % 2 === 0 ? purposes.slice(0, 1) : purposes.slice(-1);
			await publish(history, product, (d) => say(d, 'purposes', p.all ? [...new Set(purposes)] : few), true);
		},
	}),
	drop: kind({
		weight: 2,
		made: fc.record({ grant: n, column: n }),
		possible: ({ given }) => given.some(({ columns }) => columns.length > 1),
		run: (history, p) => {
			const { ask, columns } = pick(
				history.given.filter((one) => one.columns.length > 1).toReversed(),
				Math.floor(p.grant / 200),
			);
			const gone = pick(columns.slice(1), p.column);
			return publish(
				history,
				ask.product,
				(document) => {
					for (const table of document.schema) table.properties = table.properties.filter(({ name }) => name !== gone);
				},
				true,
			);
		},
	}),
	suggest: kind({
		weight: 2,
		made: fc.record({ template: n }),
		run: (history, p) => suggest(history, pick(templates, p.template)),
	}),
	askByTemplate: kind({
		weight: 4,
		made: fc.record({
			template: n,
			anew: yes,
			who: n,
			duration: fc.option(n),
			forWhom: fc.option(n),
			approved: yes,
			edited: fc.option(n, { freq: 1 }),
		}),
		run: async (history, p) => {
			const one = pick(templates, p.template);
			const { product, id } = one;
			if (p.anew) await suggest(history, one);
			const ask = asks.find((one) => one.product === product);
			if (ask === undefined) return;
			const who = pick(ask.askers, p.who);
			const body = {
				product,
				template: id,
				justification: 'model',
				purpose: 'credit-risk',
				principal: principal(history, ask, 'credit-risk'),
				...(p.duration === null ? {} : { duration: pick(durations, p.duration) }),
				...forWhom(history, ask, p.forWhom),
			};
			const asked = learn(history, ask, who, await send(history, post(who, '/requests', body)));
			if (asked === null) return;
			if (p.edited !== null) {
				const edit = p.edited % 2 === 0 ? { template: id } : { duration: pick(durations, p.edited) };
				const call = { ...post(who, `/requests/${asked.id}`, edit, seen(asked, p.edited)), method: 'PATCH' as const };
				learn(history, ask, who, await send(history, call));
			}
			if (p.approved) await approveAll(history, asked);
		},
	}),
};
