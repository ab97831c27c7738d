/** Access in an emergency that somebody takes who dies in between: the sweep goes on where the rules still let it. */
import { describe, expect, it } from 'vitest';
import * as Ledger from '#core/ledger.ts';
import { inLakeFormation } from '#tests/fixtures.ts';
import { type Broken, emergencies, nothing, REVIEW_MS } from './emergencies.ts';
import { decision, patch, post, refused } from './harness.ts';

const desk = emergencies();
const { breaking, review, unreviewed, requestOf, grantOf, typesOf, told, sweepAt, registerAsBefore, giveRoles } = desk;

describe('whoever takes it dies', () => {
	/** Two writes store the request, the third that it was taken. */
	const cut = async (writes: number) => {
		const answer = await desk.obstacles.cutAfter(writes, () => desk.test.world.call(breaking('ruth')));
		expect(answer.status).toBe(201);
		expect((answer.body as Broken).grant).toBeNull();
		return (answer.body as Broken).request;
	};

	it('having stored the request: nobody puts himself in the place of approvers, and the sweep goes on', async () => {
		const request = await cut(2);
		expect(request).toMatchObject({ state: 'pending', awaiting: [], grant: null });
		expect(inLakeFormation(desk.test.bank)).toEqual(nothing);
		const asked = { view: request, etag: `"${request.contentHash}"` };
		await refused(desk.test, decision('olga', asked), 409, 'conflict');
		await refused(
			desk.test,
			patch('ruth', `/requests/${request.id}`, { duration: 'P1D' }, { 'if-match': asked.etag }),
			409,
			'conflict',
		);
		await refused(desk.test, review('olga', request.id), 409, 'conflict');
		expect(await unreviewed('olga', '?domain=lending')).toEqual([]);
		const later = new Date(Date.now() + 60_000);
		await sweepAt(later);
		const now = await requestOf('ruth', request.id);
		expect(now).toMatchObject({ state: 'approved', contentHash: request.contentHash });
		const grant = await grantOf('ruth', now.grant);
		expect(grant).toMatchObject({ state: 'granted', from: later.toISOString() });
		expect(Date.parse(grant.until) + REVIEW_MS).toBe(Date.parse(request.breakGlass?.reviewDue ?? ''));
		expect(told('access: glass broken', request.id)).toHaveLength(1);
	});

	it('having stored the request: not after the hours that were asked for', async () => {
		const request = await cut(2);
		const due = new Date(request.breakGlass?.reviewDue ?? '');
		for (const at of [new Date(due.getTime() - REVIEW_MS), due]) await sweepAt(at);
		expect(await typesOf(request.id)).toEqual(['AccessRequested', 'AccessLapsed']);
		expect(await requestOf('ruth', request.id)).toMatchObject({ state: 'expired', grant: null });
		const { list, key } = Ledger.Listing;
		const lists = [key.unreviewed, key.emergenciesOf(request.requester)];
		for (const pk of lists) expect((await list(desk.test.bank.platform, pk, { limit: 9 })).keys).toEqual([]);
	});

	it.each([
		['the request', 2, ['AccessRequested'], 'pending'],
		['that it was taken', 3, ['AccessRequested', 'AccessDecided', 'AccessReopened', 'AccessLapsed'], 'expired'],
	])('having stored %s, and lost the role: it is not opened', async (_, writes, types, state) => {
		const request = await cut(writes);
		await giveRoles('risk', 'ruth', ['consumer']);
		await desk.test.bank.sweep();
		expect(await typesOf(request.id)).toEqual(types);
		expect(await requestOf('ruth', request.id)).toMatchObject({ state, grant: null });
		expect(inLakeFormation(desk.test.bank)).toEqual(nothing);
		// Nor is it later, with the role back.
		await registerAsBefore();
		if (writes === 3) {
			await desk.test.bank.sweep();
			expect(await requestOf('ruth', request.id)).toMatchObject({ state, grant: null });
			await refused(desk.test, review('olga', request.id), 409, 'conflict');
		}
		await desk.test.world.call(post('ruth', `/requests/${request.id}/cancel`));
	});

	it('having stored the request: the sweep goes on however late, as long as there is time left', async () => {
		const request = await cut(2);
		const later = new Date(Date.now() + 3 * 3_600_000);
		await sweepAt(later);
		const { grant } = await requestOf('ruth', request.id);
		expect(await grantOf('ruth', grant)).toMatchObject({ state: 'granted', from: later.toISOString() });
		await sweepAt(new Date(Date.now() + 10 * 60_000));
		expect(await typesOf(request.id)).toEqual(['AccessRequested', 'AccessDecided']);
	});

	it('having stored that it was taken, and it is condemned before it opens: it never does', async () => {
		const request = await cut(3);
		expect((await desk.test.world.call(review('olga', request.id, 'unjustified'))).status).toBe(200);
		await desk.test.bank.sweep();
		expect(await Ledger.read(desk.test.bank.platform, Ledger.stream.grant(request.grant ?? ''))).toEqual([]);
		// It was told of once, by who took it and died.
		expect(told('access: glass broken', request.id)).toHaveLength(1);
	});

	it('or nothing can be read any more once it is stored: he is told its id, and the sweep goes on', async () => {
		const { faults } = desk.test.bank.aws;
		let stored = false;
		faults.set([
			{
				service: 'dynamodb',
				operation: 'Query',
				when: 'before',
				match: (input) => stored && JSON.stringify(input).includes('A#request#'),
			},
		]);
		const stop = faults.watch(({ operation, input }) => {
			stored ||= operation === 'ExecuteStatement' && JSON.stringify(input).includes('A#request#');
		});
		const answer = await desk.test.world.call(breaking('ruth'));
		stop();
		faults.clear();
		expect(answer.status).toBe(201);
		const { request } = answer.body as Broken;
		await desk.test.bank.sweep();
		const now = await requestOf('ruth', request.id);
		expect(now).toMatchObject({ state: 'approved', contentHash: request.contentHash, tables: request.tables });
		expect((await grantOf('ruth', now.grant)).state).toBe('granted');
	});

	it('having stored that it was taken: the sweep opens it', async () => {
		const request = await cut(3);
		expect(request.state).toBe('approved');
		await desk.test.bank.sweep();
		expect((await grantOf('ruth', request.grant)).state).toBe('granted');
	});
});
