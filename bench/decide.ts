/**
 * Decisions: Cedar alone with as many rules as a large bank has, what a whole authorised read costs beside the reading it
 * does, and previews over entitlements that many grants share.
 */
import * as z from 'zod';
import { loadPolicies, rulesIn } from '#core/policy.ts';
import { type Case, cases, decide as decideCase, schema, texts } from '#tests/policy/cases.ts';
import { type Child, start } from './child.ts';
import { HELD, type Seeded, seed } from './decide/seed.ts';
import type { Lab } from './lab.ts';
import { p50, quantile, type Samples } from './measure.ts';
import { headersOf } from './query/calls.ts';
import { type Aim, atMost, ms, ratio, type Section, type Table } from './report.ts';

const RULES = 200;

export async function decide(lab: Lab): Promise<Section> {
	const calls = lab.quick ? 200 : 10_000;
	const size = lab.quick ? { products: 20, grants: 100 } : { products: 500, grants: 5000 };
	const rounds = lab.quick ? 10 : 500;
	const seeded = await seed(lab.bank, size);
	const child = await start('decide/child.ts', [], { ...lab.settings });
	try {
		const reads = await reading(lab, child, seeded, rounds);
		const item = reads.find(({ name }) => name === ITEM)?.total ?? [];
		const found = cedar(calls);
		return {
			title: 'Decisions',
			about: [
				`Cedar alone: ${RULES} rules, ours and others made for this that apply to every action, pre-parsed per action; the cases of`,
				`tests/policy in turns, ${calls} calls of each action, entities built and refusals made as in a call. Reads: the handler of the function`,
				`in a process of its own, called without HTTP, ${rounds} times each in turns, previews a tenth of that, with ${size.grants} grants on`,
				`${size.products} products in the store, all of them for one person of one domain. Time in the store is that in which at least one call to it was under way.`,
			].join('\n'),
			aims: lab.quick ? [] : aimsOf(found, reads),
			tables: [cedarTable(found, item), readsTable(reads), previewsTable(reads)],
		};
	} finally {
		await child.close();
	}
}

type Decided = { readonly action: string; readonly rules: number; readonly samples: Samples };

/** Forbids of every action that hold for nobody who asks, each about somebody else. */
function cedar(calls: number): Decided[] {
	const more = Math.max(0, RULES - Object.keys(texts).length);
	const made = Array.from({ length: more }, (_, i): [string, string] => [
		`bench-${i}`,
		`forbid (principal, action, resource) when { principal.service && principal.self == Fairlead::Person::"bench-${i}" };`,
	]);
	const policies = loadPolicies(schema, { ...texts, ...Object.fromEntries(made) });
	const rules = rulesIn(policies);
	// One that cannot be evaluated says nothing of those that can.
	const whole = cases.filter((one) => one.without === undefined);
	const actions = [...new Set(whole.map(({ action }) => action))].toSorted();
	return actions.map((action) => ({
		action,
		rules: rules.filter((rule) => rule.actions?.includes(action) ?? true).length,
		samples: decided(
			whole.filter((one) => one.action === action),
			(one) => decideCase(policies, one),
			calls,
		),
	}));
}

function decided(own: readonly Case[], ask: (one: Case) => { readonly allow: boolean }, calls: number): number[] {
	const samples: number[] = [];
	const warm = Math.ceil(calls / 10);
	for (let i = 0; i < warm + calls; i += 1) {
		const one = own[i % own.length];
		if (one === undefined) throw new Error('an action has no cases');
		const started = performance.now();
		const { allow } = ask(one);
		if (i >= warm) samples.push(performance.now() - started);
		if (allow !== one.allow) throw new Error(`"${one.title}" comes out otherwise`);
	}
	return samples;
}

const ITEM = 'the store: one item read by its key';
const HEALTH = '`GET /healthz` (no caller)';
const GETS = ['`GET /grants/{id}`', '`GET /requests/{id}`'] as const;
const previewOf = (held: number) => `${held}`;

const Measured = z.object({
	name: z.string(),
	total: z.array(z.number()),
	store: z.array(z.number()),
	calls: z.array(z.number()),
});
type Measured = z.infer<typeof Measured>;

async function reading(lab: Lab, child: Child, seeded: Seeded, rounds: number): Promise<Measured[]> {
	const [alice, olga] = [await headersOf(lab, 'alice'), await headersOf(lab, 'olga')];
	const [grant, request] = GETS;
	const each = (ids: readonly string[], path: (id: string) => string) => ids.map((id) => `/api/v1${path(id)}`);
	const previews = seeded.previews.map(({ held, request: id }) => ({
		name: previewOf(held),
		headers: olga,
		paths: each([id], (one) => `/requests/${one}/preview`),
	}));
	const sides = [
		{ name: ITEM, headers: {}, paths: [] },
		{ name: HEALTH, headers: {}, paths: ['/healthz'] },
		{ name: grant, headers: alice, paths: each(seeded.grants, (id) => `/grants/${id}`) },
		{ name: request, headers: alice, paths: each(seeded.requests, (id) => `/requests/${id}`) },
	];
	const { item } = seeded;
	const asked = async (of: readonly object[], times: number) =>
		z.array(Measured).parse(await child.ask({ sides: of, rounds: times, item }));
	// A preview over a hundred grants takes a hundred times as long as a read.
	return [...(await asked(sides, rounds)), ...(await asked(previews, Math.ceil(rounds / 10)))];
}

const p99 = (samples: Samples) => quantile(samples, 0.99);
const own = ({ total, store }: Measured) => total.map((value, i) => value - (store[i] ?? 0));
const named = (reads: readonly Measured[], name: string): Measured => {
	const found = reads.find((one) => one.name === name);
	if (found === undefined) throw new Error(`${name} was not measured`);
	return found;
};

function aimsOf(found: readonly Decided[], reads: readonly Measured[]): Aim[] {
	const slowest = Math.max(...found.map(({ samples }) => p99(samples)));
	return [
		atMost(`Cedar with ${RULES} rules, p99 of the slowest action`, 2, slowest, (value) => `${ms(value)} ms`),
		...GETS.map((name) => atMost(`${name}, p50`, 10, p50(named(reads, name).total), (value) => `${ms(value)} ms`)),
	];
}

function cedarTable(found: readonly Decided[], item: Samples): Table {
	return {
		title: 'Cedar alone, by action; beside it the reading of one item from the store',
		head: ['action', 'rules', 'p50', 'p99', 'over one item'],
		rows: found.map(({ action, rules, samples }) => [
			`\`${action}\``,
			String(rules),
			ms(p50(samples)),
			ms(p99(samples)),
			ratio(p50(samples) / p50(item)),
		]),
	};
}

function readsTable(reads: readonly Measured[]): Table {
	const bare = named(reads, HEALTH);
	const each = p50(named(reads, ITEM).total);
	const row = (one: Measured) => {
		const calls = p50(one.calls);
		return [
			one.name,
			ms(p50(one.total)),
			ms(p99(one.total)),
			ratio(p50(one.total) / p50(bare.total)),
			`${calls} x ${ms(each)}`,
			ms(p50(one.store)),
			ms(p99(one.store)),
			ms(p50(own(one))),
			ms(p99(own(one))),
		];
	};
	return {
		title: 'Whole reads; `store calls` times what one of them takes alone, some of them are under way together',
		head: ['', 'p50', 'p99', 'over healthz', 'store calls', 'in the store p50', 'p99', 'own p50', 'p99'],
		rows: [ITEM, HEALTH, ...GETS].map((name) => row(named(reads, name))),
	};
}

function previewsTable(reads: readonly Measured[]): Table {
	const first = named(reads, previewOf(HELD[0] ?? 1));
	const bare = named(reads, HEALTH);
	return {
		title: 'Preview of a request, by how many live grants its principal holds on the table',
		head: ['live grants', 'p50', 'p99', 'over one', 'over healthz', 'store calls', 'own p50', 'own p99'],
		rows: HELD.map((held) => {
			const one = named(reads, previewOf(held));
			return [
				String(held),
				ms(p50(one.total)),
				ms(p99(one.total)),
				ratio(p50(one.total) / p50(first.total)),
				ratio(p50(one.total) / p50(bare.total)),
				String(p50(one.calls)),
				ms(p50(own(one))),
				ms(p99(own(one))),
			];
		}),
	};
}
