/** Which flow accounts for what was seen: tokens that were used by somebody else or too late, lost listings, lost entries. */
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFlows } from '#core/completeness/flows.ts';
import { type Sighting, wasUnderWay } from '#core/completeness/started.ts';
import { systemContext } from '#core/context.ts';
import * as Ledger from '#core/ledger.ts';
import * as Lineage from '#core/lineage.ts';
import { principalOf, startQuery } from '#local/story/world.ts';
import { finished, grantTo, requestBody } from '#tests/api/harness.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { again, bypasses, over, RISK, tell, today, tomorrow } from './world.ts';

const { Listing } = Ledger;
const PRODUCT = 'lending.loans';
const HOUR_MS = 3_600_000;
let test: TestBank;
let principal: string;
let other: string;
beforeAll(async () => {
	test = await testBank();
	principal = principalOf(test.world, 'risk', 'credit-risk');
	other = principalOf(test.world, 'risk', 'model-validation');
	await grantTo(test.world, 'alice', requestBody(test.world));
});
afterAll(() => test.close());

const ctx = () => systemContext(test.bank.platform, '0'.repeat(32));
const goesOn = () => Promise.resolve(true);
const nowhere = () => ({ products: [], at: new Date().toISOString(), goesOn });
const later = (at: string, ms: number) => new Date(Date.parse(at) + ms).toISOString();

async function flowOf(id: string): Promise<Lineage.Flow> {
	const flow = await Lineage.get(ctx(), id);
	if (flow === null) throw new Error('there is no such flow');
	return flow;
}

/** A flow that was started, by one that did not live to note as what. */
async function unnoted(): Promise<{ flow: Lineage.Flow; token: string; seen: Sighting }> {
	const { id } = (await startQuery(test.world, 'SELECT loan_id FROM lending.loans')).body as { id: string };
	await Listing.remove(ctx(), `hint#execution#${id}`, '-');
	const flow = await flowOf(id);
	const { token } = await Lineage.startedAs(ctx(), flow);
	const seen = { principal, at: later(flow.intended.entry.at, 0), workGroup: 'fairlead-risk' };
	return { flow, token: token ?? '', seen };
}

describe('the token of a flow', () => {
	it.each<[string, (seen: Sighting, flow: Lineage.Flow) => Partial<Sighting>]>([
		['as another principal', () => ({ principal: other })],
		['as somebody who is no role', () => ({ principal: null })],
		['in another work group', () => ({ workGroup: 'adhoc' })],
		['in a work group that nobody knows', () => ({ workGroup: null })],
		['before the flow was intended', ({ at }) => ({ at: later(at, -1000) })],
		['after a grant of it had ended', (_, { intended }) => ({ at: later(intended.body.until, 1000) })],
	])('that was used %s makes nothing the flow’s', async (_, change) => {
		const { flow, token, seen } = await unnoted();
		const flows = await readFlows(ctx(), today());
		expect(await flows.ofToken(token, 'forged', { ...seen, ...change(seen, flow) })).toBeNull();
		expect(await flows.ofExecution('forged', nowhere())).toBeNull();
		expect(await Listing.readHint(ctx(), `completeness#started#${flow.id}`)).toBeNull();
	});

	it('that was used after the flow had ended makes nothing the flow’s, and what was started before that is', async () => {
		const { flow, token, seen } = await unnoted();
		const cancelled = { type: 'FlowCancelled', flow: flow.id, execution: null, cause: 'grant-ended' } as const;
		const end = (await Lineage.conclude(ctx(), flow, cancelled)).ended?.entry.at ?? '';
		const flows = await readFlows(ctx(), today());
		expect(await flows.ofToken(token, 'forged', { ...seen, at: later(end, 1000) })).toBeNull();
		expect((await flows.ofToken(token, `of ${flow.id}`, seen))?.id).toBe(flow.id);
		const ended = await flowOf(flow.id);
		expect([seen.at, end, later(end, 1000)].map((at) => wasUnderWay(ended, at))).toEqual([true, true, false]);
		expect(flows.isUnsure({ account: RISK, principal: other }, seen.at)).toBe(false);
	});

	it('of a flow that Athena never took makes nothing the flow’s: whoever uses it goes past Fairlead', async () => {
		const { flow, token, seen } = await unnoted();
		// A check saw it used while the flow was under way.
		const before = await readFlows(ctx(), today());
		expect((await before.ofToken(token, 'forged', seen))?.id).toBe(flow.id);
		const failed = { type: 'FlowFailed', flow: flow.id, execution: null, reason: 'not-started' } as const;
		await Lineage.conclude(ctx(), flow, failed);
		const flows = await readFlows(ctx(), today());
		expect(await flows.ofToken(token, 'forged', seen)).toBeNull();
		expect(await flows.ofExecution('forged', nowhere())).toBeNull();

		const query = 'forged-with-the-token-of-a-failed-flow';
		const issuer = { sessionContext: { sessionIssuer: { arn: principal } } };
		const userIdentity = { type: 'AssumedRole', accountId: RISK, principalId: 'AROAEXAMPLEEXAMPLE09:eve', ...issuer };
		const requestParameters = { clientRequestToken: token, workGroup: 'fairlead-risk' };
		const responseElements = { queryExecutionId: query };
		const record = { userIdentity, requestParameters, responseElements };
		tell(test.bank, { name: 'StartQueryExecution', at: new Date(seen.at), record });
		const platform = tomorrow(test.bank);
		await again(platform);
		const found = (await bypasses(platform)).filter(({ body }) => body.query === query);
		expect(found.map(({ body }) => [body.principal, body.reasons])).toEqual([
			[principal, ['unknown-query', 'started-directly']],
		]);
	}, 60_000);

	it('is compared once: whoever goes on with the check knows the execution from a note of its own', async () => {
		const { flow, token, seen } = await unnoted();
		const flows = await readFlows(ctx(), today());
		expect((await flows.ofToken(token, `of ${flow.id}`, seen))?.id).toBe(flow.id);
		const next = await readFlows(ctx(), today());
		expect(await next.ofExecution(`of ${flow.id}`, nowhere())).toMatchObject({ id: flow.id });
		expect(await Lineage.startedNoted(ctx(), flow)).toBeNull();
	});
});

describe('a flow whose listing was lost', () => {
	let flow: Lineage.Flow;
	let execution: string;
	beforeAll(async () => {
		const view = await finished(test.world, 'alice', 'SELECT loan_id FROM lending.loans');
		flow = await flowOf(view.id);
		execution = view.execution ?? '';
	});
	const lose = () => Listing.remove(ctx(), Listing.key.execution(execution), flow.id);
	const listed = async () => (await Listing.list(ctx(), Listing.key.execution(execution), { limit: 1 })).keys;
	const after = (ms: number, keep = goesOn) => {
		const at = later(flow.intended.entry.at, ms);
		return { day: at.slice(0, 10), among: { products: [PRODUCT], at, goesOn: keep } };
	};

	/** What is asked of the projections meanwhile: partitions that are gone through, and lines that are written. */
	async function asked(work: () => Promise<unknown>, held: (pk: string) => Promise<void> = async () => {}) {
		const partitions: string[] = [];
		let writes = 0;
		const { middlewareStack } = test.bank.platform.aws.dynamodb;
		middlewareStack.add(
			(next, { commandName }) =>
				async (args) => {
					const pk = JSON.stringify(args.input);
					if (commandName === 'PutItemCommand') writes += 1;
					if (commandName === 'QueryCommand') partitions.push(/"(?:flows|execution)#[^"]*"/.exec(pk)?.[0] ?? '');
					const answer = await next(args);
					await held(pk);
					return answer;
				},
			{ step: 'initialize', name: 'asked' },
		);
		try {
			await work();
		} finally {
			middlewareStack.remove('asked');
		}
		return { gone: partitions.filter((p) => p.startsWith('"flows#')), writes };
	}

	it('is known to everybody who asks for it at once', async () => {
		await lose();
		const { day, among } = after(1000);
		const flows = await readFlows(ctx(), day);
		let release = () => {};
		const released = new Promise<void>((resolve) => (release = resolve));
		let first = true;
		const holdFirst = async (pk: string) => {
			if (!first || !pk.includes(`execution#${execution}`)) return;
			first = false;
			await released;
		};
		await asked(async () => {
			// It is told that there is no such line, and by the time that it goes on another one has listed it.
			const slow = flows.ofExecution(execution, among);
			expect(await flows.ofExecution(execution, among)).toMatchObject({ id: flow.id });
			release();
			expect(await slow).toMatchObject({ id: flow.id });
		}, holdFirst);
	});

	it('is looked for once in the flows of an hour, however many ask, and after a cut-off not again', async () => {
		const { day, among } = after(1000);
		const flows = await readFlows(ctx(), day);
		const strangers = Array.from({ length: 6 }, (_, n) => `stranger-${n}`);
		const ask = (of: typeof flows) => Promise.all(strangers.map((id) => of.ofExecution(id, among)));
		const { gone, writes } = await asked(async () => expect(await ask(flows)).toEqual(strangers.map(() => null)));
		expect(new Set(gone).size).toBe(gone.length);
		// Nothing was lost: nothing is written.
		expect([gone.length > 0, writes]).toEqual([true, 0]);
		const next = await readFlows(ctx(), day, flows.sought());
		expect((await asked(() => ask(next))).gone).toEqual([]);
	});

	it('is looked for in the five hours before the read, and in no others', async () => {
		await lose();
		const tooLate = after(7 * HOUR_MS);
		const one = await readFlows(ctx(), tooLate.day);
		expect(await one.ofExecution(execution, tooLate.among)).toBeNull();
		expect(await listed()).toEqual([]);
		const inTime = after(5 * HOUR_MS);
		const flows = await readFlows(ctx(), inTime.day);
		expect(await flows.ofExecution(execution, inTime.among)).toMatchObject({ id: flow.id });
		expect(await listed()).toEqual([flow.id]);
	});

	it('is nobody’s bypass while there is no time to look for it', async () => {
		await lose();
		const { day, among } = after(1000, () => Promise.resolve(false));
		const flows = await readFlows(ctx(), day);
		expect(await flows.ofExecution(execution, among)).toBe('unsought');
		expect([await listed(), flows.sought()]).toEqual([[], {}]);
		// Whoever has time is not held by it.
		expect(await flows.ofExecution(execution, { ...among, goesOn })).toMatchObject({ id: flow.id });
	});
});

describe('a flow that cannot be read', () => {
	it('counts as unreadable on its day, and so does what it had been started as', async () => {
		const { id } = (await startQuery(test.world, 'SELECT status FROM lending.loans')).body as { id: string };
		const execution = (await Lineage.startedNoted(ctx(), { id })) ?? '';
		await over(test.bank, principal, execution);
		const platform = tomorrow(test.bank);
		const before = (await again(platform))?.body.counts;
		const known = await bypasses(platform);
		const { aws, config } = test.bank.platform;
		await aws.dynamodb.send(
			new UpdateItemCommand({
				TableName: config.tables.ledger,
				Key: { pk: { S: Ledger.stream.flow(id) }, sk: { S: 'V#0000000001' } },
				UpdateExpression: 'SET h = :h',
				ExpressionAttributeValues: { ':h': { B: new Uint8Array(32) } },
			}),
		);
		const flows = await readFlows(ctx(), today());
		expect([flows.unreadable(today()), flows.unreadable('2026-01-01')]).toEqual([[id], []]);
		expect(await flows.ofExecution(execution, nowhere())).toBe('unreadable');

		const told: string[] = [];
		const warn = (_: string, error: unknown) => void told.push(String(error));
		const checked = await again(tomorrow(test.bank, { warn }));
		const unreadable = (checked?.body.counts.unreadable ?? 0) - (before?.unreadable ?? 0);
		const matched = (before?.matched ?? 0) - (checked?.body.counts.matched ?? 0);
		// It was taken, listed and read as something; that is what nobody can tell of it any more, and itself.
		expect([matched > 0, unreadable]).toEqual([true, matched + 1]);
		expect([checked?.body.state, await bypasses(platform)]).toEqual(['findings', known]);
		expect(told.join()).toContain(id);
	}, 60_000);
});
