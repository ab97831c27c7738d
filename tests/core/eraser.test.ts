/** What is still needed, by the table of its rules: what a clock decides, and what no call of the API can bring about. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { neededFor, OVERTAKEN_MS } from '#core/eraser.ts';
import * as Ledger from '#core/ledger.ts';

const NOW = new Date('2026-03-02T12:00:00.000Z');
const before = (ms: number) => new Date(NOW.getTime() - ms).toISOString();

type Said = { readonly type: string; readonly at?: string; readonly [member: string]: unknown };

/** Entries of one stream, saying no more than the rules look at. */
function streamOf(...said: readonly Said[]): Ledger.Recorded[] {
	return said.map(({ at = before(0), ...body }, i) => ({ entry: { at }, ver: i + 1, body }) as never);
}

async function whyNot(entries: readonly Ledger.Recorded[], index = 0, others: Record<string, Said[]> = {}) {
	const read = (name: string) => Promise.resolve(streamOf(...(others[name] ?? [])));
	return neededFor({ now: NOW, read, stream: Ledger.stream }, entries[index] as Ledger.Recorded, entries);
}

const filed = { type: 'AccessRequested' };
const emergency = { ...filed, breakGlass: {} };
const confirmed = { type: 'AccessDecided', decision: 'd1', outcome: 'pending' };
const approved = { type: 'AccessDecided', decision: 'd2', outcome: 'approved', grant: 'g' };
const rejected = { type: 'AccessDecided', decision: 'd3', outcome: 'rejected' };
const reopened = { type: 'AccessReopened', decision: 'd2' };
const grant = Ledger.stream.grant('g');
const opened = (ms: number) => ({ type: 'GrantOpened', grant: 'g', request: 'r', at: before(ms) });
const ended = { type: 'GrantEnded', state: 'expired' };

describe('what a request says is needed', () => {
	it.each<[string, Said[], Record<string, Said[]>]>([
		['as long as nobody decided', [filed], {}],
		['while some did', [filed, confirmed], {}],
		['until its grant was begun', [filed, approved], {}],
		['a moment after that, too', [filed, approved], { [grant]: [opened(OVERTAKEN_MS - 1)] }],
		['once the decision was taken back', [filed, approved, reopened], { [grant]: [opened(2 * OVERTAKEN_MS), ended] }],
		['by whoever decides anew', [filed, approved, reopened, confirmed], {}],
		['while an emergency is not reviewed', [emergency, approved], { [grant]: [opened(2 * OVERTAKEN_MS), ended] }],
		['nor one that was withdrawn', [emergency, { type: 'AccessCancelled' }], {}],
		[
			'while its grant could not be ended yet',
			[filed, approved],
			{ [grant]: [opened(1), { ...ended, state: 'revoke_failed' }] },
		],
	])('%s', async (_, said, others) => {
		expect(await whyNot(streamOf(...said), 0, others)).not.toBeNull();
	});

	it.each<[string, Said[], Record<string, Said[]>]>([
		['once it was rejected', [filed, confirmed, rejected], {}],
		['once it was withdrawn', [filed, { type: 'AccessCancelled' }], {}],
		['once it lapsed', [filed, { type: 'AccessLapsed' }], {}],
		['once its grant stands by itself', [filed, approved], { [grant]: [opened(OVERTAKEN_MS)] }],
		['once its grant is over', [filed, approved], { [grant]: [opened(1), ended] }],
		[
			'once the emergency was reviewed',
			[emergency, approved, { type: 'AccessReviewed' }],
			{ [grant]: [opened(1), ended] },
		],
	])('no more %s', async (_, said, others) => {
		expect(await whyNot(streamOf(...said), 0, others)).toBeNull();
	});
});

it('what a principal holds is needed, and what he held until a while after', async () => {
	const versions = (ms: number) =>
		streamOf({ type: 'EntitlementChanged', at: before(ms + 1) }, { type: 'EntitlementChanged', at: before(ms) });
	expect(await whyNot(versions(OVERTAKEN_MS), 1)).not.toBeNull();
	expect(await whyNot(versions(OVERTAKEN_MS - 1))).not.toBeNull();
	expect(await whyNot(versions(OVERTAKEN_MS))).toBeNull();
});

it('a grant that was for an emergency is needed until that was reviewed', async () => {
	const taken = streamOf({ ...opened(1), breakGlass: {} }, { type: 'GrantNarrowed', grant: 'g' }, ended);
	const request = Ledger.stream.request('r');
	for (const index of [0, 1]) {
		expect(await whyNot(taken, index, { [request]: [emergency] })).not.toBeNull();
		expect(await whyNot(taken, index, { [request]: [emergency, { type: 'AccessReviewed' }] })).toBeNull();
	}
});

it('a query that counts for a request is needed until that is decided', async () => {
	const run = streamOf({ type: 'FlowIntended', review: { request: 'r' } }, { type: 'FlowCompleted' });
	const request = Ledger.stream.request('r');
	expect(await whyNot(run, 0, { [request]: [filed, confirmed] })).not.toBeNull();
	expect(await whyNot(run, 0, { [request]: [filed, rejected] })).toBeNull();
	expect(await whyNot(run, 0, { [request]: [filed, approved] })).toBeNull();
});

it('what was found and not mended is needed, while it is the last', async () => {
	const found = (outcome: string) => ({ type: 'DriftRecorded', findings: [{ outcome: 'repaired' }, { outcome }] });
	expect(await whyNot(streamOf(found('alerted')))).not.toBeNull();
	expect(await whyNot(streamOf(found('repaired')))).toBeNull();
	expect(await whyNot(streamOf(found('alerted'), found('alerted')))).toBeNull();
});

it('a delegation is needed until its end, to the millisecond', async () => {
	const given = (until: string) => streamOf({ type: 'DelegationGiven', until });
	expect(await whyNot(given(before(-1)))).not.toBeNull();
	expect(await whyNot(given(before(0)))).toBeNull();
});

it('a payload that should not be there stays', async () => {
	for (const type of ['ContractPublished', 'GrantSettled', 'PayloadErased', 'FlowCompleted', 'AccessLapsed']) {
		expect(await whyNot(streamOf({ type }))).not.toBeNull();
	}
});

/** What may follow a request of which nothing is needed any more, in whatever order, brings no need back. */
it('nothing that can still be said of a request makes what was let go needed again', async () => {
	const more = fc.array(fc.constantFrom<Said>({ type: 'AccessReminded' }, { type: 'AccessReviewed' }, confirmed), {
		maxLength: 4,
	});
	const closing = fc.constantFrom<Said>(rejected, { type: 'AccessCancelled' }, { type: 'AccessLapsed' });
	await fc.assert(
		fc.asyncProperty(more, closing, more, async (first, end, then) => {
			const early = [filed, ...first, end];
			expect(await whyNot(streamOf(...early))).toBeNull();
			expect(await whyNot(streamOf(...early, ...then.filter((s) => s.type !== 'AccessDecided')))).toBeNull();
		}),
	);
});
