/** Access in an emergency is no way around the approvers: what was taken before counts, in every guise. */
import { describe, expect, it } from 'vitest';
import { systemContext } from '#core/context.ts';
import * as Ledger from '#core/ledger.ts';
import { sweep } from '#core/sweep.ts';
import type { Handle } from '#local/people.ts';
import { type Body, type Broken, emergencies } from './emergencies.ts';
import { post, refused } from './harness.ts';

const desk = emergencies({ counting: true });
const { breaking, taken, review, giveRoles, typesOf, unreviewed } = desk;

/** Takes it and gives it back at once, so that only the review is left. */
async function over(who: Handle): Promise<string> {
	const { request, grant } = await taken(who, { duration: 'PT1H' });
	await desk.test.world.call(post('olga', `/grants/${grant?.id}/revoke`, { reason: 'over' }));
	return request.id;
}

const refusedBy = async (who: Handle, more: Body = {}) => {
	const problem = await refused(desk.test, breaking(who, more), 422, 'request-refused');
	return problem.errors?.map(({ pointer, rule }: Body) => ({ pointer, rule }));
};
const few = [{ pointer: '', rule: 'break-glass-few-unreviewed' }];
const none = [{ pointer: '', rule: 'break-glass-none-after-unjustified' }];

describe('an emergency is refused', () => {
	it('to whoever has more than three that nobody reviewed, until somebody has', async () => {
		const ids = [await over('ruth'), await over('ruth'), await over('ruth'), await over('ruth')];
		expect(await refusedBy('ruth')).toEqual(few);
		await desk.test.world.call(review('olga', ids[0] ?? ''));
		const fourth = await over('ruth');
		for (const id of [...ids.slice(1), fourth]) await desk.test.world.call(review('olga', id));
		expect(await unreviewed('olga', '?domain=lending')).toEqual([]);
	});

	it('to one of many that are asked for at once: they are no more than three and one', async () => {
		const asked = Array.from({ length: 8 }, () => desk.test.world.call(breaking('ruth', { duration: 'PT1H' })));
		const answers = await Promise.all(asked);
		const opened = answers.filter(({ status }) => status === 201).map(({ body }) => body as Broken);
		expect(opened.length).toBeLessThanOrEqual(4);
		await desk.test.bank.sweep();
		const open = await unreviewed('olga', '?domain=lending');
		expect(open.length).toBeLessThanOrEqual(4);
		for (const { request, grant } of open) {
			await desk.test.world.call(review('olga', request));
			await desk.test.world.call(post('olga', `/grants/${grant}/revoke`, { reason: 'over' }));
		}
	}, 120_000);

	it('for 90 days once one was without need, to him in every guise, also to what was cut off', async () => {
		await giveRoles('risk', 'robot', ['consumer']);
		await giveRoles('risk', 'olgaAsConsumer', ['consumer', 'risk-officer']);
		await giveRoles('lending', 'petra', ['owner']);
		const id = await over('olgaAsConsumer');
		const late = await desk.obstacles.cutAfter(2, () => desk.test.world.call(breaking('olgaAsConsumer')));
		const { request } = late.body as Broken;
		expect((await desk.test.world.call(review('petra', id, 'unjustified'))).status).toBe(200);
		expect(await refusedBy('olgaAsConsumer')).toEqual(none);
		await giveRoles('risk', 'olga', ['consumer', 'risk-officer']);
		expect(await refusedBy('olga')).toEqual(none);
		await desk.test.bank.sweep();
		expect(await typesOf(request.id)).toEqual(['AccessRequested']);
		const { platform } = desk.test.bank;
		const clock = () => new Date(Date.now() + 91 * 86_400_000);
		await sweep({ ...platform, clock }, '0'.repeat(32));
		expect(await typesOf(request.id)).toEqual(['AccessRequested', 'AccessLapsed']);
	});

	it('by what the ledger says, whatever the list says of others', async () => {
		const { platform } = desk.test.bank;
		const { request } = await taken();
		await desk.test.world.call(review('olga', request.id));
		const { key, applyProjections } = Ledger.Listing;
		const pk = key.condemnedOf(request.requester);
		await applyProjections(platform, [
			{ op: 'put', pk, sk: `${systemContext(platform, '').now.toISOString()}#${request.id}` },
		]);
		expect(await desk.test.world.call(breaking('ruth', { duration: 'P1D' }))).toMatchObject({
			body: { policies: ['break-glass-for-hours'] },
		});
		await desk.test.world.call(post('olga', `/grants/${request.grant}/revoke`, { reason: 'over' }));
	});
});
