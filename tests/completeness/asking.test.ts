/** How long AWS is asked: no call is made, and none made again, once the time is over. */
import type { AthenaClient } from '@aws-sdk/client-athena';
import { expect, it } from 'vitest';
import { ask, Unread } from '#core/completeness/asking.ts';
import { executions, workGroups } from '#core/completeness/executions.ts';
import type { Context } from '#core/context.ts';

const config = { retryMs: 1 } as Context['config'];
const outOfTime = new Unread('unfinished', new Error('out of time'));

/** Time for so many calls. */
function timeFor(calls: number) {
	let left = calls;
	const goesOn = () => (left > 0 ? Promise.resolve((left -= 1) >= 0) : Promise.reject(outOfTime));
	return { everyMs: 0, goesOn };
}

/** An account whose Athena answers everything with this, and what it was asked. */
function account(answer: object) {
	const asked: string[] = [];
	const send = (command: object) => {
		asked.push(command.constructor.name);
		return Promise.resolve(answer);
	};
	const athena = () => ({ send }) as unknown as AthenaClient;
	return { asked, ctx: { config, aws: { consumer: { athena } } as unknown as Context['aws'] } };
}

it.each([
	[0, 'unfinished'],
	[1, 'unfinished'],
	[2, 'unfinished'],
	[3, 'throttled'],
])('a call that AWS takes for one too many is made %s times where there is time for that: %s', async (calls, why) => {
	let made = 0;
	const call = () => {
		made += 1;
		return Promise.reject(Object.assign(new Error('slow down'), { name: 'ThrottlingException' }));
	};
	await expect(ask({ config }, timeFor(calls), call)).rejects.toMatchObject({ why });
	expect(made).toBe(calls);
});

it('nothing is asked for whom somebody else took over from', async () => {
	const asking = { everyMs: 0, goesOn: () => Promise.resolve(false) };
	const call = () => Promise.reject(new Error('it was asked'));
	await expect(ask({ config }, asking, call)).rejects.toMatchObject({ why: 'unfinished' });
});

it('a page of executions, whose times are another call, ends between the two', async () => {
	const { asked, ctx } = account({ QueryExecutionIds: ['a'], QueryExecutions: [] });
	const page = { account: '210000000001', group: 'adhoc', token: null };
	await expect(executions(ctx, page, timeFor(1))).rejects.toBe(outOfTime);
	expect(asked).toEqual(['ListQueryExecutionsCommand']);
	expect(await executions(ctx, page, timeFor(2))).toEqual({ executions: [], next: null });
});

it('the work groups of an account that never end do not hold it up', async () => {
	const { asked, ctx } = account({ WorkGroups: [], NextToken: 'more' });
	await expect(workGroups(ctx, '210000000001', timeFor(5))).rejects.toBe(outOfTime);
	expect(asked).toHaveLength(5);
});
