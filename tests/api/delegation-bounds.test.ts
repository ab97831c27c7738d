/** How many delegations there are at once, and who pays for reading them: what one is given costs nobody else his calls. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemContext } from '#core/context.ts';
import { inForceFor } from '#core/delegation.ts';
import { newId } from '#core/id.ts';
import * as Ledger from '#core/ledger.ts';
import type { Handle } from '#local/people.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { delegationsIn, end, inDays, ofCustomers } from './delegations.ts';
import { get, refused } from './harness.ts';

let test: TestBank;
const { member, personOf, changing, giving, give, ask, tidy } = delegationsIn(() => test);

beforeAll(async () => {
	test = await testBank();
});
afterEach(tidy);
afterAll(() => test.close());

const context = () => systemContext(test.bank.platform, '0'.repeat(32));

/** As if each had been given by somebody else, all at one instant: nobody counted. */
async function written(to: string, many: number, domain = 'lending'): Promise<string[]> {
	const ctx = context();
	const rules = { policies: [], setHash: '0'.repeat(64) };
	const one = async () => {
		const id = newId('delegation', ctx);
		const facts = { domain, role: 'owner' as const, giver: newId('person', ctx), to };
		const body = {
			type: 'DelegationGiven' as const,
			delegation: id,
			...facts,
			from: inDays(-1),
			until: inDays(1),
			rules,
		};
		await Ledger.append(ctx, { stream: Ledger.stream.delegation(id), after: null, actor: facts.giver, body });
		return id;
	};
	return Promise.all(Array.from({ length: many }, one));
}

async function endAll(ids: readonly string[]): Promise<void> {
	const ctx = context();
	const one = async (id: string) => {
		const [after = null] = await Ledger.read(ctx, Ledger.stream.delegation(id));
		if (after === null) throw new Error('there is none');
		const { domain, to, until, rules } = Ledger.as(after, 'DelegationGiven').body;
		const body = { type: 'DelegationEnded' as const, delegation: id, domain, to, until, rules };
		await Ledger.append(ctx, { stream: Ledger.stream.delegation(id), after, actor: to, body });
	};
	await Promise.all(ids.map(one));
}

/** How often the store is asked. */
async function cost(work: () => Promise<unknown>): Promise<number> {
	let calls = 0;
	const stop = test.bank.aws.faults.watch(({ service }) => {
		if (service === 'dynamodb') calls += 1;
	});
	await work();
	stop();
	return calls;
}

describe('409: nobody is given', () => {
	it('the same twice, ahead or in force; another role, another person and another domain are not the same', async () => {
		const { id } = await give('olga', 'ruth', { from: inDays(1) });
		const { detail, state } = await refused(test, giving('olga', 'ruth'), 409, 'conflict');
		expect([detail, state]).toEqual([expect.stringContaining(id), 'ahead']);
		await changing('lending', (b) => b.members.splice(0, 1, member('olga', ['owner', 'privacy-officer'])));
		await give('olga', 'ruth', { role: 'privacy-officer' });
		await give('olga', 'carl');
		await give('peter', 'ruth', ofCustomers);
		expect((await test.world.call(end('olga', id))).status).toBe(200);
		await give('olga', 'ruth');
	});

	it('more than twenty in one domain, until one of them ends', async () => {
		const ids = await written(await personOf('ruth'), 20);
		await refused(test, giving('olga', 'ruth'), 409, 'conflict');
		await give('olga', 'carl');
		await give('peter', 'ruth', ofCustomers);
		await endAll(ids.splice(0, 1));
		await give('olga', 'ruth');
		await endAll(ids);
	});
});

describe('whoever was given more than there may be', () => {
	it('pays for so many, and for none of another domain; of a domain a hundred are told, and no more given', async () => {
		const { view } = await ask('alice');
		const read = (who: Handle) => () => test.world.call(get(who, `/requests/${view.id}`));
		const usual = await cost(read('alice'));
		const alice = await personOf('alice');
		const foreign = await written(alice, 5, 'customers');
		expect(await cost(read('alice'))).toBe(usual);
		const ids = await written(alice, 20);
		const full = await cost(read('alice'));
		ids.push(...(await written(alice, 85)));
		expect(await cost(read('alice'))).toBe(full);
		const named = await inForceFor(context(), 'lending', ['owner']);
		expect([named.length, named.every((id) => ids.includes(id))]).toEqual([100, true]);
		expect(await inForceFor(context(), 'lending', ['privacy-officer'])).toEqual([]);
		await refused(test, giving('olga', 'ruth'), 409, 'conflict');
		await give('peter', 'ruth', ofCustomers);
		await endAll([...foreign, ...ids]);
		await give('olga', 'ruth');
		expect(await cost(read('alice'))).toBe(usual);
	});

	it('and the sweep for none that is over or was ended', async () => {
		const reminder = () => inForceFor(context(), 'lending', ['owner']);
		const usual = await cost(reminder);
		await endAll(await written(await personOf('ruth'), 10));
		expect(await cost(reminder)).toBe(usual);
	});
});

it('who was let decide gives it back, and so gets it off his calls; once', async () => {
	const { id } = await give('olga', 'ruth');
	for (const who of ['peter', 'carl'] as const) await refused(test, end(who, id), 404, 'not-found');
	expect((await test.world.call(end('ruth', id))).body).toMatchObject({ id, state: 'ended' });
	await refused(test, end('ruth', id), 409, 'conflict');
	const { key, all } = Ledger.Listing;
	const lines = await all(test.bank.platform, key.mandates(await personOf('ruth'), 'lending'));
	expect(lines.filter((line) => line.endsWith(id))).toEqual([]);
});
