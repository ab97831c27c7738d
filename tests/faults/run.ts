/**
 * One thing done while one write of it fails, then what follows in a bank: sweeps, and the caller asking again. The end
 * must be what it is without the fault.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { systemContext } from '#core/context.ts';
import * as Grants from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import * as Query from '#core/query.ts';
import { call } from '#local/story/client.ts';
import { expectBody, principalOf } from '#local/story/world.ts';
import type { TestBank } from '#tests/fixtures.ts';
import { type Instance, startInstance } from './instance.ts';
import { isWrite, mortal } from './mortal.ts';
import { type Acted, grantOf, revokeAll, type Scenario, type Side, SQL, type Subject } from './scenarios.ts';

/**
 * `before`: AWS refuses the write, and its retries. `after`: it does it and answers with an error. `drop`: it does it,
 * and the connection ends. `stall`: it does not answer; the caller goes away, the sweep comes, and then the process
 * goes on. `killed ...`: the process is gone before the write reaches AWS, or after it was done.
 */
export const FAULTS = ['before', 'after', 'drop', 'stall', 'killed before', 'killed after'] as const;
/** The same of a process of the operating system, which is killed. */
export const SIGKILLS = ['SIGKILL before', 'SIGKILL after'] as const;
export type Fault = (typeof FAULTS)[number] | (typeof SIGKILLS)[number];

export type Bench = { readonly test: TestBank; readonly healthy: Side };

const MOST_SWEEPS = 5;
const STUCK_MS = 30_000;
/** Longer than any write takes here. */
const DONE_MS = 200;
const NO_SUCH_WRITE = 'there was no such write';
const NOT_ACKNOWLEDGED: Acted = { acknowledged: false };

export function sideOf(test: TestBank, instance: Instance): Side {
	const bank = { ...test.bank, api: instance.api };
	return { instance, world: { ...test.world, bank, call: (what) => call(bank, what) } };
}

/** The writes of one run without a fault, in order, and what it comes to. The first on a bank makes some more: it is not this. */
export async function record(bench: Bench, scenario: Scenario): Promise<{ writes: string[]; end: End }> {
	const { subject, act } = await scenario.arrange(bench.healthy);
	const writes = watchWrites(bench);
	const { acknowledged } = await act(bench.healthy);
	writes.stop();
	if (!acknowledged) throw new Error(`${scenario.name} does not work without a fault`);
	const end = await settled(bench, scenario, subject, null);
	await cleanUp(bench, subject);
	return { writes: upToListings(writes.seen), end };
}

/** A sweep ends with listings made again, one write for each entry of the last minutes: the first two of those will do. */
function upToListings(writes: readonly string[]): string[] {
	const last = writes.findLastIndex((write) => write !== 'dynamodb.PutItem' && write !== 'dynamodb.DeleteItem');
	return writes.slice(0, last + 3);
}

/** What is wrong after this fault at the nth write (from 1); null when all is as it must be. */
export async function tryFault(bench: Bench, scenario: Scenario, fault: Fault, n: number, wanted: End) {
	const { subject, act } = await scenario.arrange(bench.healthy);
	try {
		const before = await endOf(bench, subject);
		return await RUNS[fault]({ bench, scenario, subject, act, fault, n, before, wanted });
	} finally {
		bench.test.bank.aws.faults.clear();
		await cleanUp(bench, subject);
	}
}

type Case = {
	readonly bench: Bench;
	readonly scenario: Scenario;
	readonly subject: Subject;
	readonly act: (side: Side) => Promise<Acted>;
	readonly fault: Fault;
	readonly n: number;
	/** Where it starts. */
	readonly before: End;
	readonly wanted: End;
};

/** AWS fails one write; the process lives, and tells its caller. */
async function failing(one: Case): Promise<string | null> {
	const { bench, act, fault, n } = one;
	bench.test.bank.aws.faults.set([
		{
			service: '*',
			operation: '*',
			when: fault as 'before' | 'after' | 'drop',
			match: (_, asked) => isWrite(asked.operation),
			skip: n - 1,
			times: 1,
			per: 'call',
		},
	]);
	const writes = watchWrites(bench);
	const acted = await act(bench.healthy);
	writes.stop();
	bench.test.bank.aws.faults.clear();
	return writes.seen.length < n ? NO_SUCH_WRITE : await afterwards(one, acted.acknowledged);
}

/** AWS does not answer one write; the caller gives up, and the process wakes up when all is settled without it. */
async function stalled(one: Case): Promise<string | null> {
	const { bench, scenario, act } = one;
	const hung = hangAt(one, 'hang');
	const victim = sideOf(bench.test, await startInstance(bench.test.bank.settings));
	const acting = act(victim).catch(() => NOT_ACKNOWLEDGED);
	const reached = await comes(one, hung, acting);
	if (reached) await bench.healthy.instance.sweep(scenario.aheadMs);
	bench.test.bank.aws.faults.clear();
	const { acknowledged } = await orStuck(acting, one);
	const wrong = await afterwards(one, acknowledged);
	await victim.instance.close();
	return reached ? wrong : NO_SUCH_WRITE;
}

/** Resolves when the nth write has come, which hangs from then on. */
function hangAt({ bench, n }: Case, when: 'hang' | 'hang-after'): Promise<void> {
	const { faults } = bench.test.bank.aws;
	faults.set([
		{
			service: '*',
			operation: '*',
			when,
			match: (_, asked) => isWrite(asked.operation),
			skip: n - 1,
			times: 1,
			per: 'call',
		},
	]);
	const ids = new Set<string>();
	return new Promise((resolve) => {
		const stop = faults.watch(({ operation, id }) => {
			if (!isWrite(operation)) return;
			ids.add(id);
			if (ids.size < n) return;
			stop();
			resolve();
		});
	});
}

/** A process of the operating system is killed while one write is under way, or was done. */
async function slain(one: Case): Promise<string | null> {
	const { bench, act, fault } = one;
	const script = fileURLToPath(new URL('child.ts', import.meta.url));
	const env = { ...process.env, BANK_SETTINGS: JSON.stringify(bench.test.bank.settings) };
	const child = spawn(process.execPath, ['--import', 'tsx', script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
	try {
		const [line] = (await orStuck(once(child.stdout, 'data'), one)) as [Buffer];
		const victim = sideOf(bench.test, { ...bench.healthy.instance, api: line.toString().trim() });
		const hung = hangAt(one, fault === 'SIGKILL before' ? 'hang' : 'hang-after');
		const acting = act(victim).catch(() => NOT_ACKNOWLEDGED);
		const reached = await comes(one, hung, acting);
		// What AWS has begun, it ends: its own process is not the one that dies.
		if (fault === 'SIGKILL after') await pause(DONE_MS);
		child.kill('SIGKILL');
		const { acknowledged } = await orStuck(acting, one);
		bench.test.bank.aws.faults.clear();
		return reached ? await afterwards(one, acknowledged) : NO_SUCH_WRITE;
	} finally {
		child.kill('SIGKILL');
	}
}

/** The process dies at one write. */
async function killed(one: Case): Promise<string | null> {
	const { bench, act, fault, n } = one;
	let death: Promise<void> = Promise.resolve();
	const instance = await startInstance(bench.test.bank.settings, (aws) => {
		const dying = mortal(aws);
		death = dying.dies({ write: n, when: fault === 'killed before' ? 'before' : 'after' });
		return dying.aws;
	});
	const victim = sideOf(bench.test, instance);
	const acting = act(victim).catch(() => NOT_ACKNOWLEDGED);
	const reached = await comes(one, death, acting);
	await victim.instance.close();
	return reached ? await afterwards(one, false) : NO_SUCH_WRITE;
}

/** Whether the write comes before all is done. */
function comes(one: Case, write: Promise<void>, acting: Promise<Acted>): Promise<boolean> {
	return orStuck(Promise.race([write.then(() => true), acting.then(() => false)]), one);
}

const RUNS: Readonly<Record<Fault, (one: Case) => Promise<string | null>>> = {
	before: failing,
	after: failing,
	drop: failing,
	stall: stalled,
	'killed before': killed,
	'killed after': killed,
	'SIGKILL before': slain,
	'SIGKILL after': slain,
};

function orStuck<T>(work: Promise<T>, { scenario, fault, n }: Case): Promise<T> {
	const late = pause(STUCK_MS, undefined, { ref: false }).then(() => {
		throw new Error(`${scenario.name}, ${fault} at write ${n}: nothing happens`);
	});
	return Promise.race([work, late]);
}

/** Whether what was acknowledged holds at once, and all comes to its end. */
async function afterwards(one: Case, acknowledged: boolean): Promise<string | null> {
	const { bench, scenario, subject, act } = one;
	if (acknowledged && scenario.closesAtOnce === true && (await mayRead(bench)))
		return 'still open after it was acknowledged';
	await bench.healthy.instance.sweep(scenario.aheadMs);
	if (acknowledged) return await compare(bench, scenario, subject, [one.wanted]);
	// Nobody was told that it is done: it may have been begun, and then it is done, or not, and then nothing was.
	const wrong = await compare(bench, scenario, subject, [one.wanted, one.before]);
	// Whoever wanted it asks again, and may be told that it is done already.
	await act(bench.healthy);
	return wrong ?? (await compare(bench, scenario, subject, [one.wanted]));
}

/** What a case comes to, in terms that are the same for every run of it. */
export type End = {
	readonly grants: readonly (string | undefined)[];
	readonly lake: readonly string[];
	readonly open: number;
	readonly mayRead: boolean;
};

async function compare(
	bench: Bench,
	scenario: Scenario,
	subject: Subject,
	wanted: readonly End[],
): Promise<string | null> {
	const end = JSON.stringify(await settled(bench, scenario, subject, wanted));
	const stray = await unrecorded(bench);
	if (stray.length > 0) return `nobody recorded ${stray.join(', ')}`;
	return wanted.some((one) => JSON.stringify(one) === end) ? null : `${end} instead of ${JSON.stringify(wanted)}`;
}

/** Sweeps until the end is a wanted one (or until nothing is open), a few times at most. */
async function settled(
	bench: Bench,
	scenario: Scenario,
	subject: Subject,
	wanted: readonly End[] | null,
): Promise<End> {
	for (let sweeps = 0; ; sweeps += 1) {
		const end = await endOf(bench, subject);
		const done = wanted === null ? end.open === 0 : wanted.some((one) => JSON.stringify(one) === JSON.stringify(end));
		if (done || sweeps === MOST_SWEEPS) return end;
		await pause(20);
		await bench.healthy.instance.sweep(scenario.aheadMs);
	}
}

async function endOf(bench: Bench, { requests }: Subject): Promise<End> {
	const grants = await Promise.all(requests.map((request) => grantOf(bench.healthy.world, request)));
	return {
		grants: grants.map((grant) => grant?.state),
		lake: lakeOf(bench),
		open: await openWork(bench),
		mayRead: await mayRead(bench),
	};
}

const ours = (name: string) => name.startsWith('fl_');

/** What of Fairlead's stands in Lake Formation, without the names that differ from run to run. */
function lakeOf({ test }: Bench): string[] {
	const { filters, permissions } = test.bank.aws.lakeFormationState();
	const content = new Map(
		filters.map(({ name, table, columns, expression }) => [
			name,
			`${table} ${columns?.toSorted().join()} ${expression}`,
		]),
	);
	const rights = permissions.flatMap(({ principal, resource, permissions: names }) => {
		const held = `${principal} ${names.join()}`;
		if (resource.kind === 'filter' && ours(resource.name)) return [`${held} on ${content.get(resource.name)}`];
		// Who made a link has rights on it; AWS says nothing of what becomes of them when it is gone.
		const link = resource.kind === 'database' && ours(resource.database) && !principal.endsWith('/fairlead-consumer');
		return link ? [`${held} on ${resource.database}`] : [];
	});
	return [...[...content].filter(([name]) => ours(name)).map(([, text]) => text), ...rights].toSorted();
}

const TABLE = { account: '210000000001', database: 'lending', table: 'loans' };

/** Filters of Fairlead's, and rights on them, that the principal's entitlement does not ask for. */
async function unrecorded({ test, healthy }: Bench): Promise<string[]> {
	const principal = principalOf(test.world, 'risk', 'credit-risk');
	const standing = await Grants.standing(systemContext(healthy.instance.platform, '0'.repeat(32)), principal, TABLE);
	const wanted = standing?.desired?.name;
	const { filters, permissions } = test.bank.aws.lakeFormationState();
	const strays = filters.map(({ name }) => name).filter((name) => ours(name) && name !== wanted);
	const rights = permissions.filter(
		({ principal: holder, resource }) =>
			resource.kind === 'filter' && ours(resource.name) && (resource.name !== wanted || holder !== principal),
	);
	return [...strays, ...rights.map(({ principal: holder }) => holder)];
}

async function openWork({ healthy }: Bench): Promise<number> {
	const { key, SHARDS, all } = Ledger.Listing;
	const shards = Array.from({ length: SHARDS }, (_, shard) => all(healthy.instance.platform, key.open(shard)));
	return (await Promise.all(shards)).flat().length;
}

/** Asked of a plan, which records nothing. */
async function mayRead({ test, healthy }: Bench): Promise<boolean> {
	const body = { sql: SQL, principal: principalOf(test.world, 'risk', 'credit-risk'), dryRun: true };
	const call = { who: 'alice', method: 'POST', path: '/api/v1/queries', body } as const;
	return expectBody(await healthy.world.call(call), 200, Query.QueryPlan).runs;
}

async function cleanUp(bench: Bench, subject: Subject): Promise<void> {
	await revokeAll(bench.healthy, subject);
	for (let sweeps = 0; lakeOf(bench).length > 0 || (await openWork(bench)) > 0; sweeps += 1) {
		if (sweeps === MOST_SWEEPS) throw new Error(`the lake cannot be tidied: ${lakeOf(bench).join('; ')}`);
		await bench.healthy.instance.sweep();
	}
}

function watchWrites({ test }: Bench): { readonly seen: string[]; readonly stop: () => void } {
	const seen: string[] = [];
	const ids = new Set<string>();
	const stop = test.bank.aws.faults.watch(({ service, operation, id }) => {
		if (!isWrite(operation) || ids.has(id)) return;
		ids.add(id);
		seen.push(`${service}.${operation}`);
	});
	return { seen, stop };
}
