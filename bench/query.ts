/**
 * A query through Fairlead against the same statement started with the SDK under the consumer's own credentials: what
 * each call costs more, where that goes, and what is left of it on a query that takes the engine a second.
 */
import { seenAs } from '#local/story/world.ts';
import type { Lab } from './lab.ts';
import { inTurns, p50, type Samples } from './measure.ts';
import { direct, type Steps, throughFairlead } from './query/calls.ts';
import { type Call, type Stage, stages } from './query/stages.ts';
import { atMost, ms, ratio, type Section, type Table, times } from './report.ts';

/** Fairlead takes the products' own names; the consumer's account sees the same database under that of its link. */
const small = (database: string) => `SELECT loan_id, amount FROM ${database}.loans ORDER BY loan_id`;
const heavy = (database: string) => `SELECT frequency, count(*) AS n, count(DISTINCT account_id) AS accounts,
	max(opened_on) AS newest FROM ${database}.accounts GROUP BY frequency ORDER BY frequency`;
const OWN = 'lending';
const linked = ({ world, principal }: Lab) => seenAs(world, principal, 'lending.loans');

export async function query(lab: Lab): Promise<Section> {
	const size = { warm: lab.quick ? 2 : 10, counted: lab.quick ? 5 : 100 };
	const calls = await compareCalls(lab, size);
	const found = await stages(lab, small(OWN), size);
	const large = await compareHeavy(lab, lab.quick ? 1 : 7);
	const overhead = (call?: Call) => p50(sumOf(ownOf(found, call)));
	const print = (n: number) => `${ms(n)} ms`;
	return {
		title: 'Brokered query',
		about: [
			`The same statement through Fairlead's API (start, status, results) and directly with the SDK on the embedded Athena as`,
			`the consumer's role; ${size.counted} times each. Waiting for the engine is in neither. The large table has`,
			`${large.rows.toLocaleString('en')} rows of CSV, which the embedded engine reads in ${ms(p50(large.engine))} ms (as Athena reports it).`,
		].join('\n'),
		aims: [
			atMost("Fairlead's own stages of the call that starts the query, p50", 25, overhead('start'), print),
			atMost('the same of all three calls together, p50', 25, overhead(), print),
			atMost('elapsed time on the large table, through Fairlead over direct, p50', 1.1, large.ratio, ratio),
		],
		tables: [callsTable(calls), stagesTable(found), heavyTable(large)],
	};
}

type Compared = Record<'broker' | 'direct', Record<keyof Steps, number[]>>;

async function compareCalls(lab: Lab, size: { warm: number; counted: number }): Promise<Compared> {
	const seen: Compared = {
		broker: { start: [], status: [], results: [] },
		direct: { start: [], status: [], results: [] },
	};
	const link = await linked(lab);
	for (let round = 0; round < size.warm + size.counted; round += 1) {
		const both = { broker: await throughFairlead(lab, small(OWN), 10), direct: await direct(lab, small(link), 10) };
		if (round < size.warm) continue;
		for (const side of ['broker', 'direct'] as const) {
			for (const step of ['start', 'status', 'results'] as const) seen[side][step].push(both[side].steps[step]);
		}
	}
	return seen;
}

function callsTable({ broker, direct }: Compared): Table {
	const rows = (['start', 'status', 'results'] as const).map((step) => [
		step,
		...times(direct[step]),
		...times(broker[step]),
		ms(p50(broker[step]) - p50(direct[step])),
	]);
	return {
		title: 'Whole calls over HTTP; `status` is the one that sees the end and records it',
		head: ['call', 'direct p50', 'p95', 'Fairlead p50', 'p95', 'difference of p50'],
		rows,
	};
}

const ownOf = (found: readonly Stage[], call?: Call) =>
	found.filter((s) => !s.engine && (call === undefined || s.call === call));

function stagesTable(found: readonly Stage[]): Table {
	const line = (s: Stage) => {
		const name = `${s.call}: ${s.engine ? `_${s.name}_` : s.name}`;
		return [name, ...times(s.samples), s.engine ? '' : String(s.storeCalls)];
	};
	const sum = (name: string, own: readonly Stage[]) => {
		const calls = own.reduce((all, s) => all + s.storeCalls, 0);
		return [`**${name}**`, ...times(sumOf(own)), `**${calls}**`];
	};
	const blocks = (['start', 'status', 'results'] as const).flatMap((call) => [
		...found.filter((s) => s.call === call).map(line),
		sum(`own stages of ${call}`, ownOf(found, call)),
	]);
	return {
		title: 'The stages, each called alone in one process with the store; in italics what a direct query does, too',
		head: ['stage', 'p50', 'p95', 'store calls'],
		rows: [...blocks, sum('own stages of all three', ownOf(found))],
	};
}

/** Round by round: what the stages of one query took together. */
function sumOf(own: readonly Stage[]): number[] {
	const rounds = own[0]?.samples.length ?? 0;
	return Array.from({ length: rounds }, (_, i) => own.reduce((sum, s) => sum + (s.samples[i] ?? 0), 0));
}

type Heavy = {
	readonly elapsed: Record<'broker' | 'direct', number[]>;
	readonly engine: Samples;
	readonly rows: number;
	readonly ratio: number;
};

/** Both sides look for the end as often; the poll is part of what they wait. */
const POLL_MS = 20;

async function compareHeavy(lab: Lab, counted: number): Promise<Heavy> {
	const engine: number[] = [];
	let rows = 0;
	const link = await linked(lab);
	const elapsed = await inTurns(
		{ warm: 1, counted },
		{
			async direct() {
				const done = await direct(lab, heavy(link), POLL_MS);
				engine.push(done.engineMs);
				rows = done.rows.reduce((sum, row) => sum + Number(row[1]), 0);
			},
			async broker() {
				await throughFairlead(lab, heavy(OWN), POLL_MS);
			},
		},
	);
	return { elapsed, engine: engine.slice(1), rows, ratio: p50(elapsed.broker) / p50(elapsed.direct) };
}

function heavyTable({ elapsed, engine, ratio: found }: Heavy): Table {
	return {
		title: `Elapsed time on the large table, from the start to the rows in hand, looking every ${POLL_MS} ms (${engine.length} times each)`,
		head: ['side', 'p50', 'p95', 'ratio'],
		rows: [
			['direct', ...times(elapsed.direct), ''],
			['Fairlead', ...times(elapsed.broker), ratio(found)],
		],
	};
}
