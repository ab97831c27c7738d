/**
 * The bundle of the API function against one that holds only Hono and the clients of the same AWS services: its size, how
 * long a new process takes to import it, and its first answers. Both are built with the options of the deployment.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';
import { type Built, buildApi, buildBaseline } from './bundle/build.ts';
import type { Lab } from './lab.ts';
import { p50 } from './measure.ts';
import { headersOf } from './query/calls.ts';
import { atMost, kilobytes, ms, ratio, type Section, type Table, times } from './report.ts';

const Probe = z.object({
	imported: z.number(),
	first: z.number(),
	authorised: z.number(),
	query: z.number(),
	cpu: z.number(),
	rss: z.number(),
});
type Probe = z.infer<typeof Probe>;
type Side = { readonly name: string; readonly bundle: Built; readonly probes: Probe[]; readonly reads: string };

const run = promisify(execFile);

export async function bundle(lab: Lab): Promise<Section> {
	const side = (name: string, built: Built, reads: string): Side => ({ name, bundle: built, reads, probes: [] });
	const base = side('Hono and the SDK clients', await buildBaseline(path.join(lab.home, 'baseline')), '/read');
	const api = side('the API function', await buildApi(path.join(lab.home, 'api')), '/api/v1/purposes');
	const sides = [base, api];
	const rounds = lab.quick ? 1 : 15;
	for (let round = 0; round <= rounds; round += 1) {
		for (const one of sides) {
			const found = await probe(one, lab);
			// The first round brings the files into memory.
			if (round > 0) one.probes.push(found);
		}
	}
	const found = p50(api.probes.map((p) => p.imported)) / p50(base.probes.map((p) => p.imported));
	return {
		title: 'The bundle of the API function',
		about: `Built by infra/bundle.ts, as deployed; ${rounds} new processes each, in turns. Beside the code lie Cedar, policies and pages.`,
		aims: [atMost('import, over Hono and the SDK clients alone, p50', 1.3, found, ratio)],
		tables: [sizes(sides), starts(base, api), packages(api.bundle)],
	};
}

async function probe({ bundle, reads }: Side, lab: Lab): Promise<Probe> {
	const { authorization = '' } = await headersOf(lab, 'alice');
	const file = fileURLToPath(new URL('bundle/probe.mjs', import.meta.url));
	const env = {
		PATH: process.env['PATH'],
		...lab.settings,
		BENCH_TOKEN: authorization,
		BENCH_PRINCIPAL: lab.principal,
	};
	const { stdout } = await run(process.execPath, [file, bundle.file, reads], { env });
	// The function logs to the same stream; the probe's own line is the last.
	return Probe.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
}

function sizes(sides: readonly Side[]): Table {
	return {
		title: 'Size in KB; gz as gzip -9 makes it',
		head: ['', 'code', 'code, gz', 'beside it', 'beside it, gz'],
		rows: sides.map(({ name, bundle: b }) => [name, ...[b.bytes, b.gzipped, b.beside, b.besideGzipped].map(kilobytes)]),
	};
}

function starts(base: Side, api: Side): Table {
	const line = (name: string, of: (probe: Probe) => number) => {
		const [left, right] = [base.probes.map(of), api.probes.map(of)];
		return [name, ...times(left), ...times(right), ratio(p50(right) / p50(left))];
	};
	return {
		title:
			'A new process; the reading answer asks the store once on the left, on the right it also knows its caller and his rights',
		head: ['', 'Hono and SDK p50', 'p95', 'API p50', 'p95', 'ratio of p50'],
		rows: [
			line('import', (p) => p.imported),
			line('first answer, `/healthz`', (p) => p.first),
			line('first answer that reads the store', (p) => p.authorised),
			line('import to that answer, all in all', (p) => p.imported + p.first + p.authorised),
			line('processor time of the import', (p) => p.cpu),
			line('memory after it all, MB', (p) => p.rss),
			['first `POST /queries` after that', '', '', ...times(api.probes.map((p) => p.query)), ''],
		],
	};
}

function packages({ inputs }: Built): Table {
	const rows = [...inputs].toSorted((a, b) => b[1] - a[1]).slice(0, 12);
	return {
		title: "What the API function's code is made of, KB after minifying",
		head: ['package or folder', 'KB'],
		rows: rows.map(([name, bytes]) => [name, ms(bytes / 1024)]),
	};
}
