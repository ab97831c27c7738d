/**
 * Grants from approval to proof and back, as a caller waits for them; and a pass of reconciliation over many of them, in
 * a process of its own.
 */
import * as z from 'zod';
import * as Grants from '#core/grants.ts';
import { approve, ask, expectBody, ownerOf } from '#local/story/world.ts';
import { type Child, start } from './child.ts';
import { PRINCIPALS, prepare, seed } from './grants/seed.ts';
import type { Lab } from './lab.ts';
import { pause, timed } from './measure.ts';
import { type Aim, atMost, ms, ratio, type Section, type Table, times } from './report.ts';

export async function grants(lab: Lab): Promise<Section> {
	const cycles = lab.quick ? 3 : 30;
	const alone = await oneByOne(lab, cycles);
	const together = await atOnce(lab, lab.quick ? 2 : 10);
	const sizes = lab.quick ? [100, 200] : [2_500, 5_000, 10_000];
	const passes = await reconciling(lab, sizes);
	const [first, last] = [passes[0], passes.at(-1)];
	if (first === undefined || last === undefined) throw new Error('no pass was measured');
	const each = (p: Pass) => p.ms / p.grants;
	return {
		title: 'Grants',
		about: [
			`A grant on one table of another account, with columns, rows and a resource link: from the decision to \`granted\`, and from the`,
			`revocation to \`revoked\`, both read back from Lake Formation; ${cycles} times one by one, then on ${together.lanes} pairs of principal and table`,
			`at once. Reconciliation: tables in four accounts, each held by ${PRINCIPALS} principals of a fifth, all as recorded; heap is what is alive`,
			'after a collection, above what the process had before. The embedded Lake Formation writes its whole state for each change.',
		].join('\n'),
		aims: lab.quick ? [] : aimsOf(first, last, each),
		tables: [
			{
				title: 'One by one',
				head: ['', 'p50', 'p95'],
				rows: [
					['approve to granted', ...times(alone.granted)],
					['revoke to gone', ...times(alone.gone)],
				],
			},
			{
				title: 'At once',
				head: ['', 'a second'],
				rows: [['granted, then revoked', (together.cycles / (together.ms / 1000)).toFixed(1)]],
			},
			passesTable(passes, each),
		],
	};
}

function aimsOf(first: Pass, last: Pass, each: (pass: Pass) => number): Aim[] {
	return [
		atMost(`one pass over ${last.grants} grants, seconds`, 60, last.ms / 1000, (s) => s.toFixed(1)),
		atMost(`time per grant at ${last.grants}, over that at ${first.grants}`, 1.5, each(last) / each(first), ratio),
		atMost(`heap at ${last.grants} grants, over that at ${first.grants}`, 1.5, last.heap / first.heap, ratio),
	];
}

type Latencies = { readonly granted: number[]; readonly gone: number[] };

async function oneByOne(lab: Lab, cycles: number): Promise<Latencies> {
	const found: Latencies = { granted: [], gone: [] };
	for (let i = 0; i < cycles + 1; i += 1) {
		const { granted, gone } = await cycle(lab, { product: 'customers.districts', purpose: 'credit-risk' });
		// The first one warms up.
		if (i === 0) continue;
		found.granted.push(granted);
		found.gone.push(gone);
	}
	return found;
}

type Lane = { readonly product: string; readonly purpose: string };

/** Asked, approved, revoked; the asking is not counted. */
async function cycle(lab: Lab, lane: Lane): Promise<{ granted: number; gone: number }> {
	const made = await granted(lab, lane);
	const who = ownerOf(lab.world, lane.product.split('.')[0] ?? '');
	const gone = await timed(async () => {
		const path = `/api/v1/grants/${made.id}`;
		const body = { reason: 'over' };
		let answer = await lab.world.call({ who, method: 'POST', path: `${path}/revoke`, body });
		while (expectBody(answer, answer.status, Grants.GrantView).state !== 'revoked') {
			await pause(5);
			answer = await lab.world.call({ who, path });
		}
	});
	return { granted: made.ms, gone: gone.ms };
}

async function granted({ world }: Lab, { product, purpose }: Lane): Promise<{ id: string; ms: number }> {
	const contract = world.contracts.find((c) => c.contract.product === product)?.contract;
	const columns = contract?.tables[0]?.columns.map((c) => c.name) ?? [];
	const asked = await ask(world, { product, purpose, columns, duration: 'P1D' });
	const { ms: took, value } = await timed(() => approve(world, asked));
	const [table] = value.tables;
	if (value.state !== 'granted')
		throw new Error(`a grant on ${product} is ${value.state}: ${table?.reason} at ${table?.missing}`);
	return { id: value.id, ms: took };
}

/** Held all the while, with those of the lab: so each database keeps its link, as it does where many hold something. */
const KEPT: readonly Lane[] = ['customers.districts', 'payments.transactions'].map((product) => ({
	product,
	purpose: 'credit-risk',
}));

/** Every pair of principal and product that an owner alone may approve and that is free. */
function lanesOf({ world }: Lab): Lane[] {
	const purposes = world.domains.find((d) => d.id === 'risk')?.principals.map((p) => p.purpose) ?? [];
	const held = (l: Lane) =>
		l.purpose === 'credit-risk' && (l.product.startsWith('lending.') || KEPT.some((k) => k.product === l.product));
	return world.contracts
		.filter(({ contract }) => !contract.personal)
		.flatMap(({ contract }) =>
			contract.purposes.filter((p) => purposes.includes(p)).map((purpose) => ({ product: contract.product, purpose })),
		)
		.filter((lane) => !held(lane));
}

async function atOnce(lab: Lab, rounds: number): Promise<{ lanes: number; cycles: number; ms: number }> {
	const lanes = lanesOf(lab);
	for (const lane of KEPT) await granted(lab, lane);
	const run = async (lane: Lane) => {
		for (let i = 0; i < rounds; i += 1) await cycle(lab, lane);
	};
	const { ms: took } = await timed(() => Promise.all(lanes.map(run)));
	return { lanes: lanes.length, cycles: lanes.length * rounds, ms: took };
}

const Found = z.object({
	ms: z.number(),
	processorMs: z.number(),
	grew: z.number(),
	tally: z.object({ tables: z.int(), checked: z.int(), repaired: z.int(), alerted: z.int(), failed: z.int() }),
});
type Pass = { readonly grants: number; readonly ms: number; readonly processorMs: number; readonly heap: number };

async function reconciling(lab: Lab, sizes: readonly number[]): Promise<Pass[]> {
	await prepare(lab.bank, Math.max(...sizes) / PRINCIPALS);
	const child = await start('grants/child.ts', [], { ...lab.settings });
	const passes: Pass[] = [];
	let tables = 0;
	try {
		for (const size of sizes) {
			await seed(lab.bank, tables, size / PRINCIPALS);
			tables = size / PRINCIPALS;
			// The first pass over a table records that nothing is wrong with it; what counts is what every later one costs.
			await measured(child, size);
			passes.push(await measured(child, size));
		}
	} finally {
		await child.close();
	}
	return passes;
}

async function measured(child: Child, size: number): Promise<Pass> {
	const found = Found.parse(await child.ask('pass'));
	const { repaired, alerted, failed, checked } = found.tally;
	if (repaired + alerted + failed > 0 || checked < size) throw new Error(`not as seeded: ${JSON.stringify(found)}`);
	return { grants: size, ms: found.ms, processorMs: found.processorMs, heap: found.grew };
}

function passesTable(passes: readonly Pass[], each: (pass: Pass) => number): Table {
	return {
		title: 'One pass of reconciliation',
		head: ['grants', 'seconds', 'per grant', "Fairlead's processor per grant", 'heap, MB'],
		rows: passes.map((p) => [
			String(p.grants),
			(p.ms / 1000).toFixed(1),
			ms(each(p)),
			ms(p.processorMs / p.grants),
			(p.heap / 1024 ** 2).toFixed(1),
		]),
	};
}
