/**
 * The stages of a brokered query, called one after the other as core/query.ts calls them, with a real context and a real
 * store. Nothing in the product is instrumented; the calls to the store are counted in the SDK client.
 */
import { randomUUID } from 'node:crypto';
import { GetQueryResultsCommand } from '@aws-sdk/client-athena';
import type { Context } from '#core/context.ts';
import { actorOf } from '#core/context.ts';
import * as Domains from '#core/domains.ts';
import { newId } from '#core/id.ts';
import { makeAuthenticate } from '#core/identity.ts';
import * as Ledger from '#core/ledger.ts';
import * as Lineage from '#core/lineage.ts';
import { authorize, Entity } from '#core/policy.ts';
import { look, start } from '#core/query/athena.ts';
import { bind } from '#core/query/bind.ts';
import { type Plan, plan } from '#core/query/plan.ts';
import * as Query from '#core/query.ts';
import { makeCount } from '#functions/limits.ts';
import { AUDIENCE } from '#local/bank.ts';
import type { Lab } from '../lab.ts';
import { pause, timed } from '../measure.ts';

/** The three calls of a query: that which starts it, the status that sees its end, the results. */
export type Call = 'start' | 'status' | 'results';

export type Stage = {
	readonly call: Call;
	readonly name: string;
	/** A direct query does this, too. */
	readonly engine: boolean;
	samples: number[];
	storeCalls: number;
};

/** `engine`: a direct query does this, too. `less`: the name of such a stage that this one repeats within it. */
type Kind = { readonly engine?: boolean; readonly less?: string };
type Measure = <T>(call: Call, name: string, work: () => T | Promise<T>, kind?: Kind) => Promise<T>;

export async function stages(
	lab: Lab,
	sql: string,
	size: { readonly warm: number; readonly counted: number },
): Promise<readonly Stage[]> {
	const found = new Map<string, Stage>();
	const within = new Map<string, string>();
	const count = countCalls(lab);
	const measure: Measure = async (call, name, work, { engine = false, less } = {}) => {
		const before = count();
		const { ms, value } = await timed(work);
		const key = `${call} ${name}`;
		const stage = found.get(key) ?? { call, name, engine, samples: [], storeCalls: 0 };
		stage.samples.push(ms);
		stage.storeCalls = count() - before;
		found.set(key, stage);
		if (less !== undefined) within.set(key, `${call} ${less}`);
		return value;
	};
	const arrive = makeArrive(lab, measure);
	for (let round = 0; round < size.warm + size.counted; round += 1) {
		if (round === size.warm) found.clear();
		await once(lab, arrive, sql, measure);
	}
	for (const [name, less] of within) takeOff(found.get(name), found.get(less));
	return [...found.values()];
}

type Arrive = (call: Call) => Promise<Context>;

/** What each call begins with: who is it, what may he do, how often was he here. */
function makeArrive({ bank: { platform, issuer } }: Lab, measure: Measure): Arrive {
	const count = makeCount(platform, Number.MAX_SAFE_INTEGER);
	const authenticate = makeAuthenticate({
		issuer: issuer.issuer,
		audience: AUDIENCE,
		jwksUri: issuer.jwksUri,
		algorithms: ['ES256'],
		tokenType: 'at+jwt',
		maxTokenAgeSeconds: 43_200,
	});
	return async (call) => {
		const token = await issuer.token('alice');
		const now = platform.clock();
		const identity = await measure(call, 'authenticate', () => authenticate(`Bearer ${token}`, now));
		await measure(call, 'count the call', () => count(identity, now));
		const caller = await measure(call, 'look up the caller', () => Domains.callerOf({ ...platform, now }, identity));
		return { ...platform, caller, now, trace: randomUUID().replaceAll('-', '') };
	};
}

/** Leaves what the outer stage adds to the inner one, round by round. */
function takeOff(outer: Stage | undefined, inner: Stage | undefined): void {
	if (outer === undefined) return;
	outer.samples = outer.samples.map((ms, i) => ms - (inner?.samples[i] ?? 0));
}

/** Calls to the store so far. */
function countCalls({ bank }: Lab): () => number {
	let calls = 0;
	bank.platform.aws.dynamodb.middlewareStack.add(
		(next) => (args) => {
			calls += 1;
			return next(args);
		},
		{ step: 'initialize' },
	);
	return () => calls;
}

async function once({ principal }: Lab, arrive: Arrive, sql: string, measure: Measure): Promise<void> {
	const ctx = await arrive('start');
	const { planned, domain } = await decide(ctx, principal, sql, measure);
	const flow = await measure('start', 'record the intent', () => intend(ctx, principal, domain, sql, planned));
	const id = await begin(ctx, flow, planned, measure);
	while (/queued|running/.test((await look(ctx, principal, id)).state)) await pause(10);
	await end(await arrive('status'), flow.id, principal, id, measure);
	await read(await arrive('results'), flow.id, principal, id, measure);
}

async function decide(ctx: Context, arn: string, sql: string, measure: Measure) {
	const serving = await measure('start', 'look up the principal', () => Domains.principal(ctx, arn));
	if (serving === null) throw new Error('the principal is not registered');
	const domain = serving.domain.id;
	await measure('start', 'authorise (Cedar, twice)', () => {
		authorize(ctx, 'viewDomains', Entity.mesh(ctx.config.governance));
		authorize(ctx, 'runQuery', Entity.domain(domain));
	});
	const query = await measure('start', 'parse', () => ctx.parser.query(sql));
	const who = { principal: arn, person: actorOf(ctx), purpose: serving.purpose };
	const bound = await measure('start', 'find the product, gate the table', () => bind(ctx, who, query));
	const planned = await measure('start', 'resolve, authorise columns, print', () => plan(query, bound));
	return { planned, domain };
}

function intend(ctx: Context, principal: string, domain: string, sql: string, planned: Plan): Promise<Lineage.Flow> {
	const { auth, from, map, until, normalised, printed, columns } = planned;
	const query = {
		engine: 'athena' as const,
		workGroup: ctx.config.workGroup(domain),
		sqlNormHash: Ledger.sha256(normalised),
	};
	const body = {
		flow: newId('query', ctx),
		domain,
		principal,
		purpose: 'credit-risk',
		legalBasis: ctx.config.purposes.find((p) => p.id === 'credit-risk')?.legalBasis ?? '',
		auth,
		query,
		from,
		to: { domain },
		until,
	};
	return Lineage.intend(ctx, body, map, { sql, printed, columns });
}

/** As `begin` of core/query.ts does: start, hint. */
async function begin(ctx: Context, flow: Lineage.Flow, planned: Plan, measure: Measure): Promise<string> {
	const { principal, query } = flow.intended.body;
	const hint = `execution#${flow.id}`;
	const job = { flow: flow.id, principal, workGroup: query.workGroup, printed: planned.printed };
	const id = await measure('start', 'start the execution', () => start(ctx, job), { engine: true });
	await measure('start', 'after the start: remember it', () => Ledger.Listing.writeHint(ctx, hint, id));
	return id;
}

/** The status that sees the end; what a direct query does is taken alone, too. */
async function end(ctx: Context, flow: string, principal: string, id: string, measure: Measure): Promise<void> {
	const looking = 'look at the execution';
	await measure('status', looking, () => look(ctx, principal, id), { engine: true });
	const follow = async () => Query.follow(ctx, await Query.find(ctx, flow));
	await measure('status', 'find it, gate again, record the end', follow, { less: looking });
}

async function read(ctx: Context, flow: string, principal: string, id: string, measure: Measure): Promise<void> {
	const reading = 'read the rows';
	const athena = ctx.aws.athena(principal);
	const ask = new GetQueryResultsCommand({ QueryExecutionId: id, MaxResults: 501 });
	await measure('results', reading, () => athena.send(ask), { engine: true });
	const results = () => Query.results(ctx, flow, undefined, 500);
	await measure('results', 'find it, gate again, record delivery', results, { less: reading });
}
