/** Texts that are sent to hurt: how long each takes to be refused, and how long the event loop stood still meanwhile. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Parser } from '#core/parser.ts';
import { timed } from '../measure.ts';
import { type Aim, atMost, ms, type Table } from '../report.ts';

const times = (part: string, count: number): string => part.repeat(count);

const texts: readonly (readonly [string, string])[] = [
	['1 MB in one string', `SELECT '${times('x', 1_000_000)}'`],
	['1 MB of names', `SELECT ${times('a, ', 350_000)}a FROM t`],
	['256 KiB of names', `SELECT ${times('a,', 131_000)}a FROM t`],
	['10,000 joins', `SELECT 1 FROM t ${times('JOIN u ON true ', 10_000)}`],
	['100,000 IN items', `SELECT 1 FROM t WHERE a IN (${times('1,', 100_000)}1)`],
	['5,000 parentheses', `SELECT ${times('(', 5000)}1${times(')', 5000)}`],
	['1,000 UNIONs', `${times('SELECT 1 UNION ', 1000)}SELECT 1`],
	['5,000 ANDs', `SELECT 1 FROM t WHERE ${times('a = 1 AND ', 5000)}true`],
	['40 sub-queries in each other, unclosed', `SELECT a FROM t WHERE ${times('a IN (SELECT a FROM t WHERE ', 40)}`],
];

/** Taken, and about as large as the bounds let a text be. */
const largest = ['4,900 IN items (taken)', `SELECT 1 FROM t WHERE a IN (${times('1,', 4900)}1)`] as const;

type Met = { readonly name: string; readonly answer: string; readonly took: number; readonly stood: number };

export async function hostile(parser: Parser, rounds: number): Promise<{ aims: readonly Aim[]; table: Table }> {
	await parser.warm();
	const met: Met[] = [];
	for (const [name, sql] of [...texts, largest]) met.push(await worst(parser, name, sql, rounds));
	const refused = met.filter(({ name }) => name !== largest[0]);
	const print = (n: number) => `${ms(n)} ms`;
	return {
		aims: [
			atMost('a hostile text is refused, the slowest', 200, Math.max(...refused.map(({ took }) => took)), print),
			atMost('the event loop stands still over one, most', 50, Math.max(...refused.map(({ stood }) => stood)), print),
		],
		table: {
			title: `Hostile texts, the worst of ${rounds}`,
			head: ['text', 'answer', 'after', 'event loop stood still'],
			rows: met.map(({ name, answer, took, stood }) => [name, answer, ms(took), ms(stood)]),
		},
	};
}

async function worst(parser: Parser, name: string, sql: string, rounds: number): Promise<Met> {
	let met: Met = { name, answer: '', took: 0, stood: 0 };
	for (let round = 0; round < rounds; round += 1) {
		const delay = monitorEventLoopDelay({ resolution: 1 });
		delay.enable();
		const { ms: took, value: answer } = await timed(() => answerOf(parser, sql));
		delay.disable();
		met = { name, answer, took: Math.max(met.took, took), stood: Math.max(met.stood, delay.max / 1e6) };
	}
	return met;
}

function answerOf(parser: Parser, sql: string): Promise<string> {
	return parser.query(sql).then(
		() => 'read',
		(error: unknown) => String((error as { readonly code?: string }).code),
	);
}
