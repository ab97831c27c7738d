/** What was taken in an emergency is looked at afterwards: by whom, once, and told of where nobody has in time. */
import { describe, expect, it } from 'vitest';
import type { RequestView } from '#core/access.ts';
import * as Ledger from '#core/ledger.ts';
import type { Handle } from '#local/people.ts';
import type { Answer } from '#local/story/client.ts';
import { principalOf } from '#local/story/world.ts';
import { inLakeFormation } from '#tests/fixtures.ts';
import { emergencies, nothing } from './emergencies.ts';
import { expectRefusal, file, get, post, refused, requestBody } from './harness.ts';

const desk = emergencies();
const { taken, review, unreviewed, requestOf, grantOf, entriesOf, typesOf, told, sweepAt, giveRoles } = desk;

describe('a review is refused', () => {
	it.each<[string, Handle]>([
		['to who may not see the request', 'mia'],
		['to another consumer of the domain', 'alice'],
		['to a steward', 'stella'],
	])('%s', async (_, who) => {
		const { request } = await taken();
		await refused(desk.test, review(who, request.id), 404, 'not-found');
	});

	it('to who took it, in any guise, and to a regulator', async () => {
		const { request } = await taken();
		await giveRoles('lending', 'ruth', ['owner']);
		await refused(desk.test, review('ruth', request.id), 403, 'self-approval');
		await giveRoles('risk', 'olgaAsConsumer', ['consumer', 'risk-officer']);
		const other = await taken('olgaAsConsumer');
		await refused(desk.test, review('olga', other.request.id), 403, 'self-approval');
		const recorded = await desk.test.world.call(review('rita', request.id));
		expectRefusal(recorded, 403, 'not-permitted');
		expect((await desk.test.world.call(review('ruth', other.request.id, 'unjustified'))).status).toBe(200);
	});

	it.each([
		['without a comment', { verdict: 'justified' }],
		['with an empty one', { verdict: 'justified', comment: '' }],
		['with another verdict', { verdict: 'maybe', comment: 'Unclear' }],
		['with a person that did it', { verdict: 'justified', comment: 'Fine', person: 'per_0' }],
	])('%s', async (_, body) => {
		const { request } = await taken();
		await refused(desk.test, post('olga', `/requests/${request.id}/review`, body), 422, 'validation');
	});

	it('of a request that people decide on', async () => {
		const { view } = await file(desk.test.world, 'alice', requestBody(desk.test.world));
		await refused(desk.test, review('olga', view.id), 409, 'conflict');
		await desk.test.world.call(post('alice', `/requests/${view.id}/cancel`));
	});

	it('for the second time, and to the slower of two', async () => {
		const { request } = await taken();
		await giveRoles('lending', 'petra', ['owner']);
		const both = await Promise.all([
			desk.test.world.call(review('olga', request.id)),
			desk.test.world.call(review('petra', request.id, 'unjustified')),
		]);
		expect(new Set(both.map((a: Answer) => a.status))).toEqual(new Set([200, 409]));
		await refused(desk.test, review('olga', request.id), 409, 'already-decided');
		expect((await typesOf(request.id)).filter((type) => type === 'AccessReviewed')).toHaveLength(1);
		const { grant } = await requestOf('ruth', request.id);
		await desk.test.world.call(post('olga', `/grants/${grant}/revoke`, { reason: 'over' }));
	});
});

describe('a review', () => {
	it('that finds a need leaves the grant to its hours, and is shown to all who see it', async () => {
		const { request, grant } = await taken();
		const answer = await desk.test.world.call(review('olga', request.id));
		expect(answer.status).toBe(200);
		const [, , reviewed] = await entriesOf(request.id);
		const found = {
			verdict: 'justified',
			at: reviewed?.entry.at,
			person: reviewed?.entry.actor,
			comment: 'Looked at with the desk',
		};
		expect(reviewed?.body).toMatchObject({ type: 'AccessReviewed', rules: { policies: ['break-glass-is-reviewed'] } });
		expect(JSON.stringify(reviewed?.entry)).not.toContain('desk');
		expect((answer.body as RequestView).breakGlass?.review).toEqual(found);
		expect((await requestOf('ruth', request.id)).breakGlass?.review).toEqual(found);
		expect(await grantOf('ruth', grant?.id ?? '')).toMatchObject({ state: 'granted', breakGlass: { review: found } });
		await desk.test.world.call(post('olga', `/grants/${grant?.id}/revoke`, { reason: 'over' }));
	});

	it('that finds none ends the grant, in the name of the rule that let it be found', async () => {
		const { request, grant } = await taken();
		expect((await desk.test.world.call(review('olga', request.id, 'unjustified'))).status).toBe(200);
		expect((await grantOf('ruth', grant?.id ?? '')).state).toBe('revoked');
		expect(inLakeFormation(desk.test.bank)).toEqual(nothing);
		const entries = await Ledger.read(desk.test.bank.platform, Ledger.stream.grant(grant?.id ?? ''));
		expect(Ledger.find(entries, 'GrantEnding')?.body.rules.policies).toEqual(['break-glass-is-reviewed']);
		// No alarm says that it is open once more.
		await desk.test.bank.sweep();
		expect(told('access: glass broken', request.id)).toHaveLength(1);
	});

	it('that finds none, of a process that dies then: the sweep ends the grant', async () => {
		const { request, grant } = await taken();
		await desk.obstacles.cutAfter(2, () => desk.test.world.call(review('olga', request.id, 'unjustified')));
		expect((await typesOf(request.id)).at(-1)).toBe('AccessReviewed');
		expect((await grantOf('ruth', grant?.id ?? '')).state).toBe('granted');
		await desk.test.bank.sweep();
		expect((await grantOf('ruth', grant?.id ?? '')).state).toBe('revoked');
	});
});

describe('what is to be reviewed', () => {
	it('is listed to those who answer for the product and to regulators, and to nobody else', async () => {
		const { request, grant } = await taken();
		const line = {
			request: request.id,
			product: 'lending.loans',
			consumerDomain: 'risk',
			purpose: 'credit-risk',
			requester: request.requester,
			grant: grant?.id,
			until: grant?.until,
			reviewDue: request.breakGlass?.reviewDue,
			overdue: false,
		};
		for (const [who, query] of [
			['olga', '?domain=lending'],
			['rita', ''],
			['rita', '?domain=lending'],
		] as const) {
			expect([who, await unreviewed(who, query)]).toEqual([who, [line]]);
		}
		for (const [who, query] of [
			['olga', ''],
			['peter', '?domain=lending'],
			['olga', '?domain=customers'],
			['ruth', ''],
			['ruth', '?domain=risk'],
			['alice', '?domain=lending'],
			['oscar', ''],
			['stella', ''],
			['stella', '?domain=lending'],
		] as const) {
			expect([who, query, await unreviewed(who, query)]).toEqual([who, query, []]);
		}
		await desk.test.world.call(review('olga', request.id, 'unjustified'));
		expect(await unreviewed('rita')).toEqual([]);
	});

	it('is listed with the first that is due before the others, page by page', async () => {
		const long = await taken('ruth', { duration: 'PT3H' });
		const short = await taken('ruth', {
			duration: 'PT1H',
			principal: principalOf(desk.test.world, 'risk', 'model-validation'),
			purpose: 'model-validation',
		});
		const ids = [short.request.id, long.request.id];
		expect((await unreviewed('rita')).map((u) => u.request)).toEqual(ids);
		const { body } = await desk.test.world.call(get('rita', '/break-glass?pageSize=1'));
		const { nextPageToken } = body as { nextPageToken: string };
		expect((await unreviewed('rita', `?pageSize=1&pageToken=${encodeURIComponent(nextPageToken)}`))[0]?.request).toBe(
			ids[1],
		);
	});

	it('is told of once when nobody has in time, and stays on the list as overdue', async () => {
		const { request } = await taken('ruth', { duration: 'PT1S' });
		const due = Date.parse(request.breakGlass?.reviewDue ?? '');
		await sweepAt(new Date(due - 1));
		expect(await typesOf(request.id)).not.toContain('AccessReviewOverdue');
		for (const later of [0, 60_000]) await sweepAt(new Date(due + later));
		expect((await typesOf(request.id)).filter((type) => type === 'AccessReviewOverdue')).toHaveLength(1);
		expect(told('access: review overdue', request.id)).toMatchObject([{ level: 40, error: 'ReviewOverdue' }]);
		while (Date.now() < due) await new Promise((resolve) => setTimeout(resolve, 50));
		expect(await unreviewed('rita')).toMatchObject([{ request: request.id, overdue: true }]);
		expect((await requestOf('ruth', request.id)).breakGlass?.overdue).toBe(true);
		await desk.test.world.call(review('olga', request.id));
		expect(await requestOf('ruth', request.id)).toMatchObject({ state: 'approved', breakGlass: { overdue: false } });
	}, 120_000);

	it('is told of no more once it was reviewed in time', async () => {
		const { request } = await taken('ruth', { duration: 'PT1S' });
		await desk.test.world.call(review('olga', request.id));
		await sweepAt(new Date(Date.parse(request.breakGlass?.reviewDue ?? '') + 60_000));
		expect(await typesOf(request.id)).toEqual(['AccessRequested', 'AccessDecided', 'AccessReviewed']);
	});
});
