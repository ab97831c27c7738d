/**
 * Counts when something is in the way: who may not have them whatever other role he holds, and one table, one principal
 * or one query that cannot be had: that is told of the table, and refuses nothing.
 */

import { decodeTime } from 'ulid';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CountsView } from '#core/counts.ts';
import { emptyLanding } from '#local/aws.ts';
import { people } from '#local/people.ts';
import { principalOf } from '#local/story/world.ts';
import { COLUMNS, counting, district, nothing, pathOf } from './counting.ts';
import { get, grantTo, post, refused } from './harness.ts';
import { identityOf, type Member, registered } from './registration.ts';

const desk = counting();
const { asked, told, counted, count, brute, flows, review } = desk;

afterEach(() => desk.test.bank.aws.faults.clear());

const starting = { service: 'athena', operation: 'StartQueryExecution', when: 'before' } as const;
const denied = { ...starting, error: { name: 'AccessDeniedException', message: 'No', status: 400 } };
const taken = { ...starting, error: { name: 'InvalidRequestException', message: 'No', status: 400 } };

describe('nothing is counted by whoever decides nothing, though he owns the product', () => {
	it.each([
		['a program', 'robot', 'programs-decide-nothing'],
		['who supervises the mesh', 'rita', 'regulators-only-read'],
	] as const)('%s', async (_, who, rule) => {
		const one = await asked('district_id < 30');
		const member: Member = { ...identityOf(desk.test, who), roles: ['owner', 'consumer'] };
		if (who === 'robot') Object.assign(member, { actsFor: identityOf(desk.test, 'alice'), service: true });
		await registered(desk.test, 'customers', ({ members }) => members.push(member));
		for (const call of [get(who, pathOf(one)), post(who, pathOf(one))]) {
			const { policies } = await refused(desk.test, call, 403, 'not-permitted');
			expect(policies).toEqual([rule]);
		}
		await registered(desk.test, 'customers');
	});
});

describe('a count that was cut off', () => {
	beforeAll(async () => {
		await review(COLUMNS);
	});
	const before = (limit: number) => brute(nothing, (row) => district(row) < limit);

	it('before Athena heard of it is told as that, and is gone on with by looking', async () => {
		const one = await asked('district_id < 31');
		desk.test.bank.aws.faults.set([denied]);
		const answer = await count('petra', one);
		expect(answer.status).toBe(200);
		const [table] = (answer.body as CountsView).tables;
		expect(table).toMatchObject({
			state: 'not-counted',
			reason: 'unavailable',
			advice: expect.stringMatching(/Athena.*principal/),
		});
		expect(await told('petra', one)).toEqual(table);
		desk.test.bank.aws.faults.clear();
		expect(await flows(one)).toHaveLength(1);
		expect(await counted('petra', one)).toMatchObject(before(31));
		expect(await flows(one)).toHaveLength(1);
	});

	it('and that Athena then takes for no query is told as failed, to who looks first, too', async () => {
		const one = await asked('district_id < 32');
		desk.test.bank.aws.faults.set([denied]);
		await count('petra', one);
		desk.test.bank.aws.faults.set([taken]);
		expect(await told('petra', one)).toMatchObject({ state: 'failed', code: 'not-started' });
		desk.test.bank.aws.faults.clear();
		expect((await count('petra', one)).status).toBe(202);
		expect(await counted('petra', one)).toMatchObject(before(32));
	});

	it('has an id of the moment at which it was begun, as every query has', async () => {
		const from = Date.now();
		const one = await asked('district_id < 33');
		await count('petra', one);
		const { query } = await counted('petra', one);
		expect(decodeTime(query.slice(-26))).toBeGreaterThanOrEqual(from);
		expect(decodeTime(query.slice(-26))).toBeLessThanOrEqual(Date.now());
	});

	it('under one principal goes on under another that would do as well', async () => {
		const arn = 'arn:aws:iam::210000000002:role/fairlead-customers-review-2';
		const first = principalOf(desk.test.world, 'customers', 'access-review');
		const role = { arn, trusts: ['arn:aws:iam::210000000000:role/fairlead-broker'] };
		const resource = { kind: 'database' as const, account: '210000000002', database: 'default' };
		const permissions = [{ principal: arn, resource, permissions: ['DESCRIBE'] }];
		await desk.test.bank.aws.provision({ ...emptyLanding('eu-central-1'), roles: [role], permissions });
		await registered(desk.test, 'customers', ({ members, principals }) => {
			members.find((m) => m.subject === people.peter.subject)?.roles.push('consumer');
			principals.push({ arn, purpose: 'access-review' });
		});
		await grantTo(desk.test.world, 'petra', { ...desk.reviewing(COLUMNS), principal: arn }, ['peter']);
		const one = await asked('district_id < 34');
		desk.test.bank.aws.faults.set([{ ...denied, principal: first }]);
		expect((await count('petra', one)).status).toBe(202);
		expect(await counted('petra', one)).toMatchObject(before(34));
		expect((await flows(one)).map((flow) => flow.principal).toSorted()).toEqual([first, arn].toSorted());
	});
});
