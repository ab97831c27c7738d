/**
 * Reading SQL: parse, analyse (every read, the lineage of every output) and print, each query of the cross-check's corpus, and
 * the same outputs by sqlglot's pure-Python wheel in turns with it. Both run in processes of their own, ours from its bundle.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import * as z from 'zod';
import { readCorpus, schemaFile } from '#tests/conformance/sqlglot/corpus.ts';
import { bundleOptions } from '../infra/bundle.ts';
import type { Lab } from './lab.ts';
import { p50, p95, type Samples } from './measure.ts';
import { type Aim, atMost, kilobytes, ms, ratio, type Section, type Table } from './report.ts';
import { hostile } from './sql/hostile.ts';
import { makeVenv, openSide, type Side } from './sql/side.ts';

/** Of sqlglot there is a fourth: its documented call for each output. */
const Times = z.tuple([z.number(), z.number(), z.number(), z.number().default(Number.NaN)]);
type Times = z.infer<typeof Times>;
const Ready = z.object({ imported: z.number(), first: Times, version: z.string().optional() });
const Round = z.array(Times.nullable());
type Ready = z.infer<typeof Ready>;
type Round = z.infer<typeof Round>;

/** Of each query the median of its rounds. */
type PerQuery = readonly (Times | null)[];
type Rival = { readonly version: string; readonly queries: PerQuery; readonly cold: readonly Ready[] };

const here = (file: string): string => fileURLToPath(new URL(`sql/${file}`, import.meta.url));

export async function sql(lab: Lab): Promise<Section> {
	const home = path.join(lab.home, 'sql');
	mkdirSync(home);
	const size = lab.quick ? { warm: 1, counted: 1, cold: 1 } : { warm: 5, counted: 11, cold: 7 };
	const work = path.join(home, 'work.json');
	const corpus = readCorpus();
	writeFileSync(work, JSON.stringify({ schema: JSON.parse(readFileSync(schemaFile, 'utf8')), corpus }));
	const bundle = await bundleSql(path.join(home, 'sql.mjs'));
	const venv = await makeVenv(path.join(home, 'venv'), path.join(path.dirname(schemaFile), 'requirements.txt'));
	const start = {
		ours: () => openSide(process.execPath, [here('ours.mjs'), bundle.file, work]),
		rival: 'python' in venv ? () => openSide(venv.python, [here('rival.py'), work, path.dirname(schemaFile)]) : null,
	};
	const found = await measure(start, size);
	const total = found.ours.map((q) => (q === null ? Number.NaN : q[0] + q[1] + q[2]));
	const attacked = await hostile(lab.bank.platform.parser, lab.quick ? 1 : 5);
	const against = found.rival === null ? null : compared(found.ours, found.rival);
	return {
		title: 'Reading SQL',
		about: [
			`${corpus.length} analytic queries of TPC-H and TPC-DS shape (tests/conformance/sqlglot), each ${size.counted} times in a warm process,`,
			'from the bundle. Of each query the median counts; p50, p95 and most are over the queries. A cold process is a new one.',
			found.rival === null
				? `sqlglot was not run: ${'why' in venv ? venv.why : ''}.`
				: `Compared with ${found.rival.version}.`,
		].join('\n'),
		aims: [
			atMost('parse, analyse and print one query, p50', 5, p50(total), (n) => `${ms(n)} ms`),
			atMost('bundle of reading SQL, minified', 950_000, bundle.bytes, (n) => `${kilobytes(n)} kB`),
			...attacked.aims,
			...(against === null
				? []
				: [
						atLeast(
							'sqlglot, its documented call for each output, over Fairlead, p50',
							10,
							over(against, 'documented'),
						),
						atLeast('sqlglot, parsed and qualified once, over Fairlead, p50', 10, over(against, 'once')),
					]),
		],
		tables: [
			stagesTable(found.ours),
			coldTable(found.cold, found.rival),
			attacked.table,
			...(found.rival === null || against === null ? [] : [rivalTable(found.rival, against)]),
			{
				title: 'The bundle of core/syntax.ts and core/sql.ts',
				head: ['kB', 'gzipped kB'],
				rows: [[kilobytes(bundle.bytes), kilobytes(bundle.gzipped)]],
			},
		],
	};
}

async function bundleSql(file: string): Promise<{ file: string; bytes: number; gzipped: number }> {
	await build({ ...bundleOptions(here('entry.ts')), keepNames: false, outfile: file });
	const code = readFileSync(file);
	return { file, bytes: code.length, gzipped: gzipSync(code, { level: 9 }).length };
}

type Starters = { readonly ours: () => Promise<Side>; readonly rival: (() => Promise<Side>) | null };
type Found = { readonly ours: PerQuery; readonly cold: readonly Ready[]; readonly rival: Rival | null };

/** One round of one side, then of the other. */
async function measure(start: Starters, size: { warm: number; counted: number; cold: number }): Promise<Found> {
	const cold = { ours: [] as Ready[], rival: [] as Ready[] };
	for (let i = 0; i < size.cold; i += 1) {
		cold.ours.push(await readyOf(start.ours));
		if (start.rival !== null) cold.rival.push(await readyOf(start.rival));
	}
	const ours = await start.ours();
	const rival = await start.rival?.();
	const rounds = { ours: [] as Round[], rival: [] as Round[] };
	for (let i = 0; i < size.warm + size.counted; i += 1) {
		const both = { ours: Round.parse(await ours.ask()), rival: Round.parse((await rival?.ask()) ?? []) };
		if (i < size.warm) continue;
		rounds.ours.push(both.ours);
		rounds.rival.push(both.rival);
	}
	await ours.close();
	await rival?.close();
	const version = cold.rival[0]?.version;
	return {
		ours: perQuery(rounds.ours),
		cold: cold.ours,
		rival: version === undefined ? null : { version, queries: perQuery(rounds.rival), cold: cold.rival },
	};
}

async function readyOf(start: () => Promise<Side>): Promise<Ready> {
	const side = await start();
	await side.close();
	return Ready.parse(side.ready);
}

function perQuery(rounds: readonly Round[]): PerQuery {
	return (rounds[0] ?? []).map((first, i) => {
		if (first === null) return null;
		const of = (stage: 0 | 1 | 2 | 3) => p50(rounds.map((round) => round[i]?.[stage] ?? Number.NaN));
		return [of(0), of(1), of(2), of(3)];
	});
}

type Compared = Readonly<Record<'ours' | 'once' | 'documented', Samples>>;

/** Only what both read; our printing is not in it, since theirs prints nothing. */
function compared(ours: PerQuery, rival: Rival): Compared {
	const pairs = ours.flatMap((mine, i) => {
		const other = rival.queries[i];
		return mine === null || other == null ? [] : [{ mine, other }];
	});
	return {
		ours: pairs.map(({ mine }) => mine[0] + mine[1]),
		once: pairs.map(({ other }) => other[0] + other[1] + other[2]),
		documented: pairs.map(({ other }) => other[3]),
	};
}

const spread = (samples: Samples): [string, string, string] => [
	ms(p50(samples)),
	ms(p95(samples)),
	ms(Math.max(...samples)),
];

function stagesTable(queries: PerQuery): Table {
	const known = queries.flatMap((q) => (q === null ? [] : [q]));
	const row = (name: string, of: (q: Times) => number) => [name, ...spread(known.map(of))];
	return {
		title: 'One query, warm',
		head: ['stage', 'p50', 'p95', 'most'],
		rows: [
			row('parse', (q) => q[0]),
			row('analyse', (q) => q[1]),
			row('print', (q) => q[2]),
			row('**all**', (q) => q[0] + q[1] + q[2]),
		],
	};
}

function coldTable(cold: readonly Ready[], rival: Rival | null): Table {
	const row = (name: string, found: readonly Ready[]) => [
		name,
		ms(p50(found.map((one) => one.imported))),
		ms(p50(found.map((one) => one.first[0] + one.first[1] + one.first[2]))),
	];
	return {
		title: `A cold process (${cold.length} of them), p50`,
		head: ['side', 'import', 'first query'],
		rows: [row('Fairlead', cold), ...(rival === null ? [] : [row('sqlglot', rival.cold)])],
	};
}

const over = (found: Compared, way: 'once' | 'documented'): number => p50(found[way]) / p50(found.ours);

function rivalTable({ version, queries }: Rival, found: Compared): Table {
	const known = queries.flatMap((q) => (q === null ? [] : [q]));
	const row = (name: string, way: 'once' | 'documented') => [name, ...spread(found[way]), ratio(over(found, way))];
	return {
		title: `From the text to the lineage of every output, the ${found.ours.length} queries that both read`,
		head: ['side', 'p50', 'p95', 'most', 'ratio of p50'],
		rows: [
			['Fairlead: parse, analyse', ...spread(found.ours), ''],
			row(`${version}: lineage(column, sql) for each output`, 'documented'),
			row('sqlglot: parse, qualify and scope once, lineage of each output with one cache', 'once'),
			...['parse', 'qualify', 'lineage'].map((stage, i) => [
				`_of that: ${stage}_`,
				...spread(known.map((q) => q[i] ?? Number.NaN)),
				'',
			]),
		],
	};
}

function atLeast(what: string, least: number, found: number): Aim {
	return { what, aim: `at least ${ratio(least)}`, found: ratio(found), met: found >= least };
}
