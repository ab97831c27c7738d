/** Reading over the API against one bare route, on Hono and on zod-openapi alone, all behind the same small server. */
import type { Lab } from './lab.ts';
import { type Load, type Run, startLoad } from './load.ts';
import { p50, p95, quantile, type Samples } from './measure.ts';
import { headersOf } from './query/calls.ts';
import { ms, ratio, type Section, type Table } from './report.ts';
import { type Served, serve } from './server.ts';

type Side = { readonly name: string; readonly run: Pick<Run, 'url' | 'path' | 'headers'> };
type Measured = { readonly name: string; readonly latencies: Samples; readonly perSecond: Samples };

const CONNECTIONS = 20;

export async function get(lab: Lab): Promise<Section> {
	const servers: Served[] = [];
	const started = async (...args: Parameters<typeof serve>) => {
		const server = await serve(...args);
		servers.push(server);
		return server;
	};
	const load = await startLoad();
	try {
		const [hono, zod] = [await started('hono', {}), await started('zod-openapi', {})];
		const replayed = await started('replayed', lab.settings);
		const sides = await sidesOf(lab, hono, zod, replayed);
		const size = { rounds: lab.quick ? 1 : 5, seconds: lab.quick ? 0.4 : 2 };
		const found = await measure(load, sides, size);
		return {
			title: 'Authorised GET',
			about: [
				'Each side is a Lambda handler behind the same HTTP server in a process of its own; the client is another process,',
				`the embedded store a third. Unloaded: one connection. Loaded: ${CONNECTIONS} connections; ${size.rounds} x ${size.seconds} s each, in turns.`,
				'"Store replayed": the store answers from memory after the first call, which leaves the work of Fairlead alone.',
			].join('\n'),
			aims: [],
			tables: [table(found)],
		};
	} finally {
		await load.close();
		await Promise.all(servers.map((s) => s.close()));
	}
}

async function sidesOf(lab: Lab, hono: Served, zod: Served, replayed: Served): Promise<Side[]> {
	const headers = await headersOf(lab, 'alice');
	const purposes = '/api/v1/purposes';
	const product = '/api/v1/dataproducts/lending.loans';
	const { api } = lab;
	return [
		{ name: 'bare Hono route', run: { url: hono.url, path: purposes, headers: {} } },
		{ name: 'zod-openapi alone', run: { url: zod.url, path: purposes, headers: {} } },
		{ name: 'Fairlead, `GET /healthz` (no caller)', run: { url: api.url, path: '/healthz', headers: {} } },
		{ name: 'Fairlead, `GET /purposes`, store replayed', run: { url: replayed.url, path: purposes, headers } },
		{ name: 'Fairlead, `GET /dataproducts/{id}`, store replayed', run: { url: replayed.url, path: product, headers } },
		{ name: 'Fairlead, `GET /purposes`', run: { url: api.url, path: purposes, headers } },
		{ name: 'Fairlead, `GET /dataproducts/{id}`', run: { url: api.url, path: product, headers } },
	];
}

async function measure(
	load: Load,
	sides: readonly Side[],
	{ rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<Measured[]> {
	const found = sides.map(({ name }) => ({ name, latencies: [] as number[], perSecond: [] as number[] }));
	for (let round = 0; round < rounds + 1; round += 1) {
		for (const [i, side] of sides.entries()) {
			const alone = await load.run({ ...side.run, connections: 1, seconds: seconds / 2 });
			const many = await load.run({ ...side.run, connections: CONNECTIONS, seconds });
			if (alone.other + many.other > 0) throw new Error(`${side.name}: not every answer was a 200`);
			// The first round warms up.
			if (round === 0) continue;
			found[i]?.latencies.push(...alone.latencies);
			found[i]?.perSecond.push(many.perSecond);
		}
	}
	return found;
}

function table(found: readonly Measured[]): Table {
	const bare = found[0];
	const rows = found.map(({ name, latencies, perSecond }) => [
		name,
		ms(p50(latencies)),
		ms(p95(latencies)),
		ms(quantile(latencies, 0.99)),
		ratio(p50(latencies) / p50(bare?.latencies ?? [])),
		p50(perSecond).toFixed(0),
		ratio(p50(bare?.perSecond ?? []) / p50(perSecond)),
	]);
	return {
		title: 'Latency unloaded, throughput loaded',
		head: ['', 'p50', 'p95', 'p99', 'over Hono', 'answers a second', 'Hono over it'],
		rows,
	};
}
