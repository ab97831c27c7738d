/** A request's own clock: reminded of once, and over at its instant, with no help from the sweep. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as Access from '#core/access.ts';
import type { Context } from '#core/context.ts';
import * as Domains from '#core/domains.ts';
import * as Ledger from '#core/ledger.ts';
import { sweep } from '#core/sweep.ts';
import { buildPlatform } from '#functions/platform.ts';
import { type Handle, people } from '#local/people.ts';
import { call } from '#local/story/client.ts';
import { ledgerSize, type TestBank, testBank } from '#tests/fixtures.ts';
import { startInstance } from '../faults/instance.ts';
import { decision, expectRefusal, file, get, patch, post, requestBody } from './harness.ts';

const DAY_MS = 86_400_000;
let test: TestBank;

beforeAll(async () => {
	test = await testBank();
});

afterAll(() => test.close());

type Asked = Awaited<ReturnType<typeof file>>;
const ask = (more: Record<string, unknown> = {}) => file(test.world, 'alice', requestBody(test.world, more));
const filedAt = ({ view }: Asked, plusMs: number) => new Date(Date.parse(view.createdAt) + plusMs);

/** Somebody at another time. */
async function as(who: Handle, now: Date): Promise<Context> {
	const { platform, issuer } = test.bank;
	const identity = { issuer: issuer.issuer, subject: people[who].subject };
	const caller = await Domains.callerOf({ ...platform, now }, identity);
	return { ...platform, caller, now, clock: () => now, trace: '0'.repeat(32) };
}

const sweepAt = (now: Date) => sweep({ ...test.bank.platform, clock: () => now }, '0'.repeat(32));
const typesOf = async ({ view }: Asked) =>
	(await Ledger.read(test.bank.platform, Ledger.stream.request(view.id))).map((e) => e.body.type);
const lines = async ({ view }: Asked) => {
	const { key, all, shardOf } = Ledger.Listing;
	return (await all(test.bank.platform, key.pending(shardOf(view.id)))).filter((l) => l.endsWith(view.id));
};
const code = (error: { code: string }) => error.code;

describe('at the instant at which it lapses', () => {
	it('nobody can do anything with it any more; a millisecond before, everything', async () => {
		const asked = await ask();
		const { id } = asked.view;
		const last = Date.parse(asked.view.lapsesAt ?? '');
		expect(last - Date.parse(asked.view.createdAt)).toBe(14 * DAY_MS);
		const [before, at] = [new Date(last - 1), new Date(last)];
		const size = await ledgerSize(test.world);
		const tries = async (now: Date) => [
			await Access.decide(await as('olga', now), id, { verdict: 'approve' }, asked.etag).catch(code),
			await Access.decide(await as('olga', now), id, { verdict: 'reject' }, '"other"').catch(code),
			await Access.edit(await as('alice', now), id, { duration: 'P2D' }, asked.etag).catch(code),
			await Access.cancel(await as('alice', now), id).catch(code),
		];
		expect(await tries(at)).toEqual(Array(4).fill('already-decided'));
		expect(await ledgerSize(test.world)).toBe(size);
		const ctx = await as('rita', at);
		expect(await Access.viewOf(ctx, await Access.find(ctx, id))).toMatchObject({ state: 'expired', awaiting: [] });
		const stale = await Access.decide(await as('olga', before), id, { verdict: 'reject' }, '"other"').catch(code);
		expect(stale).toBe('stale');
		const done = await Access.decide(await as('olga', before), id, { verdict: 'reject' }, asked.etag);
		expect(done.request.state).toBe('rejected');
	});

	it('the API says so: 409 that names it, and `expired` where it is shown', async () => {
		const asked = await ask();
		const short = { FAIRLEAD_REQUEST_LAPSES_AFTER: 'PT2S', FAIRLEAD_REMIND_BEFORE: 'PT1S' };
		const instance = await startInstance({ ...test.bank.settings, ...short });
		const there = { ...test.bank, api: instance.api };
		try {
			while (Date.now() < Date.parse(asked.view.createdAt) + 2000) await pause(100);
			const size = await ledgerSize(test.world);
			for (const what of [
				decision('olga', asked),
				decision('olga', asked, 'reject'),
				patch('alice', `/requests/${asked.view.id}`, { duration: 'P2D' }, { 'if-match': asked.etag }),
				post('alice', `/requests/${asked.view.id}/cancel`),
			]) {
				const problem = expectRefusal(await call(there, what), 409, 'already-decided');
				expect([problem.detail, problem['state']]).toEqual(['The request is expired.', 'expired']);
			}
			const { body } = await call(there, get('alice', `/requests/${asked.view.id}`));
			expect(body).toMatchObject({ state: 'expired', awaiting: [], grant: null });
			expect(await ledgerSize(test.world)).toBe(size);
		} finally {
			await instance.close();
		}
		expect((await test.world.call(decision('olga', asked, 'reject'))).status).toBe(201);
	});
});

describe('the sweep', () => {
	it('reminds once, then records the lapse once, and forgets it', async () => {
		const asked = await ask();
		await sweepAt(filedAt(asked, 11 * DAY_MS - 1));
		expect(await typesOf(asked)).toEqual(['AccessRequested']);
		for (const later of [0, 60_000, DAY_MS]) await sweepAt(filedAt(asked, 11 * DAY_MS + later));
		expect(await typesOf(asked)).toEqual(['AccessRequested', 'AccessReminded']);
		const entries = await Ledger.read(test.bank.platform, Ledger.stream.request(asked.view.id));
		expect(entries.at(-1)?.body).toMatchObject({ awaiting: ['owner'], lapses: asked.view.lapsesAt });
		expect(entries.at(-1)?.entry.actor).toBe('system');
		const { body } = await test.world.call(get('alice', `/requests/${asked.view.id}`));
		expect(body).toMatchObject({
			state: 'pending',
			remindedAt: filedAt(asked, 11 * DAY_MS).toISOString(),
			contentHash: asked.view.contentHash,
		});
		for (const later of [0, 60_000]) await sweepAt(filedAt(asked, 14 * DAY_MS + later));
		expect(await typesOf(asked)).toEqual(['AccessRequested', 'AccessReminded', 'AccessLapsed']);
		expect(await lines(asked)).toEqual([]);
		expect((await test.world.call(get('alice', `/requests/${asked.view.id}`))).body).toMatchObject({
			state: 'expired',
			grant: null,
		});
		expectRefusal(await test.world.call(decision('olga', asked)), 409, 'already-decided');
	});

	it('leaves alone, and forgets, what was decided in time', async () => {
		const [rejected, approved] = [await ask(), await ask()];
		await test.world.call(decision('olga', rejected, 'reject'));
		const { body } = await test.world.call(decision('olga', approved));
		await test.world.call(
			post('olga', `/grants/${(body as { grant: { id: string } }).grant.id}/revoke`, { reason: 'over' }),
		);
		await sweepAt(filedAt(approved, 11 * DAY_MS + 1));
		expect([await lines(rejected), await lines(approved)]).toEqual([[], []]);
		await sweepAt(filedAt(approved, 15 * DAY_MS));
		expect(await typesOf(rejected)).toEqual(['AccessRequested', 'AccessDecided']);
		expect(await typesOf(approved)).toEqual(['AccessRequested', 'AccessDecided']);
	});

	it('gives what was edited all its time again', async () => {
		const asked = await ask();
		await sweepAt(filedAt(asked, 12 * DAY_MS));
		const later = await as('alice', filedAt(asked, 13 * DAY_MS));
		const request = await Access.edit(later, asked.view.id, { duration: 'P2D' }, asked.etag);
		expect(await Access.viewOf(later, request)).toMatchObject({
			remindedAt: null,
			lapsesAt: filedAt(asked, 27 * DAY_MS).toISOString(),
		});
		await sweepAt(filedAt(asked, 15 * DAY_MS));
		expect(await typesOf(asked)).toEqual(['AccessRequested', 'AccessReminded', 'AccessEdited']);
		await sweepAt(filedAt(asked, 24 * DAY_MS));
		await sweepAt(filedAt(asked, 27 * DAY_MS));
		expect((await typesOf(asked)).slice(2)).toEqual(['AccessEdited', 'AccessReminded', 'AccessLapsed']);
		expect(await lines(asked)).toEqual([]);
	});

	it('looks once at what is listed twice since it was edited, and leaves nothing of it to the next pass', async () => {
		const asked = await ask();
		const later = await as('alice', filedAt(asked, 13 * DAY_MS));
		await Access.edit(later, asked.view.id, { duration: 'P2D' }, asked.etag);
		expect(await lines(asked)).toHaveLength(2);
		expect(await sweepAt(filedAt(asked, 27 * DAY_MS))).toMatchObject({ failed: 0 });
		expect(await typesOf(asked)).toEqual(['AccessRequested', 'AccessEdited', 'AccessLapsed']);
		await sweepAt(filedAt(asked, 27 * DAY_MS + 60_000));
		expect([await lines(asked), (await typesOf(asked)).length]).toEqual([[], 3]);
	});

	it('finds it again after the listings were lost', async () => {
		const asked = await ask();
		for (const line of await lines(asked)) {
			await Ledger.Listing.remove(
				test.bank.platform,
				Ledger.Listing.key.pending(Ledger.Listing.shardOf(asked.view.id)),
				line,
			);
		}
		await Ledger.rebuildListings(test.bank.platform);
		await sweepAt(filedAt(asked, 14 * DAY_MS));
		expect(await typesOf(asked)).toEqual(['AccessRequested', 'AccessLapsed']);
	});
});

describe('settings', () => {
	it.each([
		['FAIRLEAD_REQUEST_LAPSES_AFTER', 'P1M'],
		['FAIRLEAD_REQUEST_LAPSES_AFTER', 'P0D'],
		['FAIRLEAD_REQUEST_LAPSES_AFTER', '14'],
		['FAIRLEAD_REMIND_BEFORE', 'P1Y'],
		['FAIRLEAD_REMIND_BEFORE', 'P'],
		['FAIRLEAD_REMIND_BEFORE', 'PT'],
		['FAIRLEAD_REMIND_BEFORE', 'P14D'],
		['FAIRLEAD_UNSEALED_SHARDS', '0'],
		['FAIRLEAD_UNSEALED_SHARDS', '257'],
		['FAIRLEAD_UNSEALED_SHARDS', '1.5'],
	])('%s=%s does not start', (name, value) => {
		expect(() => buildPlatform({ ...test.bank.settings, [name]: value })).toThrow(name);
	});
});
