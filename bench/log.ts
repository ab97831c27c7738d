/**
 * The log of the ledger: sealing with fsync, verifying the whole, proofs, and whether anything is slower where there is
 * more. Over tables in memory, for the embedded DynamoDB takes a few hundred inserts a second and would be what is measured.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as Ledger from '#core/ledger.ts';
import { start } from './child.ts';
import type { FilesFound, FilesRun } from './log/files.ts';
import type { GrowFound, GrowRun } from './log/grow.ts';
import type { SealFound, SealRun } from './log/seal.ts';
import type { VerifyFound, VerifyRun } from './log/verify.ts';
import { draft } from './log/world.ts';
import { p50, quantile } from './measure.ts';
import { atLeast, atMost, ms, type Section, type Table, times } from './report.ts';

export type Scale = { readonly quick: boolean; readonly full: boolean; readonly home: string };

type Size = {
	readonly entries: number;
	readonly window: number;
	readonly proofs: number;
	readonly grow: number[];
	readonly counted: number;
};

function sizeOf({ quick, full }: Scale): Size {
	if (quick) return { entries: 20_000, window: 10_000, proofs: 50, grow: [1000, 10_000], counted: 100 };
	const entries = full ? 1_000_000 : 100_000;
	const grow = [10_000, 100_000, ...(full ? [1_000_000] : [])];
	return { entries, window: 20_000, proofs: 500, grow, counted: 1000 };
}

export async function log(scale: Scale): Promise<Section> {
	const size = sizeOf(scale);
	const folder = path.join(scale.home, 'log');
	const copy = path.join(scale.home, 'entries');
	const encode = encoding(scale.quick ? 2000 : 20_000);
	const sealed = (await inChild('log/seal.ts', { folder, ...size, copy } satisfies SealRun)) as SealFound;
	const verified = (await inChild('log/verify.ts', { folder, vkey: sealed.vkey } satisfies VerifyRun)) as VerifyFound;
	const files = (await inChild('log/files.ts', {
		folder: path.join(scale.home, 'files'),
		entries: copy,
	} satisfies FilesRun)) as FilesFound;
	const grown = (await inChild('log/grow.ts', {
		folder: path.join(scale.home, 'grown'),
		sizes: size.grow,
		counted: size.counted,
	} satisfies GrowRun)) as GrowFound;
	const tessera = await besideTessera(scale, copy);
	const perSecond = (count: number, taken: number) => (count / taken) * 1000;
	const rate = (n: number) => `${Math.round(n).toLocaleString('en')}/s`;
	const verifyMillion = (verified.ms / verified.entries) * 1000;
	return {
		title: 'The log',
		about: about(size),
		aims: [
			atMost(
				'an entry of a kilobyte as canonical bytes with its leaf hash, p50',
				50,
				1000 * p50(encode),
				(n) => `${n.toFixed(0)} µs`,
			),
			atLeast('entries sealed, with fsync', 20_000, perSecond(size.entries, sealed.sealMs), rate),
			atMost('the whole log verified, for a million entries', 15, verifyMillion, (n) => `${n.toFixed(1)} s`),
			atMost(
				'memory of the sealer, at the end over a quarter of the way',
				1.25,
				flatness(sealed.memory),
				(n) => `${n.toFixed(2)}x`,
			),
		],
		tables: [
			ratesTable(
				[
					['appended, into tables in memory', size.entries, sealed.appendMs, null],
					[
						'sealed: read, judged, staged, written with fsync, signed, marked',
						size.entries,
						sealed.sealMs,
						sealed.sealCpuMs,
					],
					[
						'of that the files alone: staged, tiles and bundles with fsync, signed',
						files.entries,
						files.ms,
						files.cpuMs,
					],
					[
						'verified: root and every tile made again, every stream followed',
						verified.entries,
						verified.ms,
						verified.cpuMs,
					],
					...(tessera.ms === null
						? []
						: ([["the same entries by Tessera's POSIX driver", size.entries, tessera.ms, null]] as const)),
				],
				tessera.said,
			),
			memoryTable(sealed, verified),
			latencyTable(sealed),
			grownTable(grown),
		],
	};
}

function about({ entries, window }: Size): string {
	return [
		`${entries.toLocaleString('en')} entries of about a kilobyte, each the first of its stream, over the tables in memory that pass the same suite as the`,
		'embedded DynamoDB (tests/contract): that one takes about 700 inserts a second and would be what is measured. A million',
		'take `npm run bench -- --full`. The files of the log lie in a folder, each with fsync; the sealer, the tables and the',
		`verifier are one thread each. The tables forget what is sealed after each ${window.toLocaleString('en')}, so that memory is the sealer's.`,
	].join('\n');
}

async function inChild(file: string, asked: object): Promise<unknown> {
	const child = await start(file, []);
	try {
		return await child.ask(asked);
	} finally {
		await child.close();
	}
}

/** What an append does to an entry before it is stored: its canonical bytes and the hash of them. */
function encoding(rounds: number): number[] {
	const { body } = draft();
	const entry = {
		...body,
		v: 1,
		stream: 'R#x',
		ver: 1,
		id: 'led_01J00000000000000000000000',
		at: body.from,
		trace: '0'.repeat(32),
	};
	const taken: number[] = [];
	for (let i = 0; i < rounds; i++) {
		const started = performance.now();
		Ledger.leafHash(Ledger.canonicalBytes({ ...entry, ver: i }));
		taken.push(performance.now() - started);
	}
	return taken.slice(Math.floor(rounds / 2));
}

/** Its largest from the last quarter over its largest up to the first one. */
function flatness(memory: SealFound['memory']): number {
	const quarter = Math.max(1, Math.floor(memory.length / 4));
	const most = (some: SealFound['memory']) => Math.max(...some.map(({ rss }) => rss));
	return most(memory.slice(-quarter)) / most(memory.slice(0, quarter));
}

type Rate = readonly [what: string, count: number, taken: number, cpu: number | null];

function ratesTable(rates: readonly Rate[], said: string): Table {
	return {
		title: `How many a second. ${said}`,
		head: ['', 'entries', 'seconds', 'of the processor', 'a second'],
		rows: rates.map(([what, count, taken, cpu]) => [
			what,
			count.toLocaleString('en'),
			(taken / 1000).toFixed(1),
			cpu === null ? '' : (cpu / 1000).toFixed(1),
			Math.round((count / taken) * 1000).toLocaleString('en'),
		]),
	};
}

function memoryTable({ memory }: SealFound, verified: VerifyFound): Table {
	const steps = Math.min(5, memory.length);
	const rows = Array.from({ length: steps }, (_, i) => memory[Math.ceil(((i + 1) * memory.length) / steps) - 1]);
	return {
		title:
			'Memory of a process (RSS), in megabytes: of the sealer with the tables, as the log grows; of the verifier, at most',
		head: ['entries', 'sealer', 'verifier'],
		rows: rows.flatMap((row, i) =>
			row === undefined
				? []
				: [[row.entries.toLocaleString('en'), row.rss.toFixed(0), i === steps - 1 ? verified.rss.toFixed(0) : '']],
		),
	};
}

function latencyTable({ passes, proofs }: SealFound): Table {
	const row = (what: string, samples: readonly number[]) => [
		what,
		String(samples.length),
		ms(p50(samples)),
		ms(quantile(samples, 0.99)),
	];
	return {
		title:
			'Of the finished log: a proof of an entry by its id, found and made from the tiles and checked; and how long a pass of the sealer took',
		head: ['', 'times', 'p50', 'p99'],
		rows: [row('a proof', proofs), row('a pass of at most 4,096 entries', passes)],
	};
}

function grownTable(grown: GrowFound): Table {
	return {
		title: 'By how much there is: an append, and a stream of one entry read and verified',
		head: ['entries', 'append, p50', 'p95', 'read, p50', 'p95'],
		rows: grown.map(({ size, append, read }) => [size.toLocaleString('en'), ...times(append), ...times(read)]),
	};
}

/** Go of this version or later builds Tessera. */
const GO = [1, 25] as const;
const run = promisify(execFile);

/** Milliseconds that Tessera took for the entries that we sealed; null, and why, where it was not asked. */
async function besideTessera({ full, home }: Scale, entries: string): Promise<{ ms: number | null; said: string }> {
	if (!full) return { ms: null, said: "Beside Tessera's POSIX driver with `--full` alone" };
	const env = { ...process.env, GOTOOLCHAIN: 'local', CGO_ENABLED: '0' };
	const version = await run('go', ['env', 'GOVERSION'], { env }).then(
		({ stdout }) => stdout.trim(),
		() => 'none',
	);
	const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
	if (Number(major) !== GO[0] || !(Number(minor) >= GO[1])) {
		return {
			ms: null,
			said: `Not beside Tessera's POSIX driver: it needs Go ${GO.join('.')}, and there is ${version}`,
		};
	}
	const source = fileURLToPath(new URL('log/tessera', import.meta.url));
	const program = path.join(home, 'tessera');
	await run('go', ['build', '-C', source, '-modcacherw', '-buildvcs=false', '-o', program, '.'], { env });
	if (!existsSync(program)) throw new Error('Tessera was not built');
	const { stdout } = await run(program, [entries, path.join(home, 'tessera-log')], { maxBuffer: 1024 ** 2 });
	const said = `Tessera (${version}) is given the bytes, as our files alone are, and runs on all processors; both write with fsync`;
	return { ms: Number(stdout.trim()), said };
}
