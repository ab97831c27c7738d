/**
 * The registry is what the store says at each call, whichever process wrote it, though a process keeps what it has read:
 * what moved is read again, and what cannot be told is not taken from what is kept.
 */
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemContext } from '#core/context.ts';
import * as Domains from '#core/domains.ts';
import * as Ledger from '#core/ledger.ts';
import { people } from '#local/people.ts';
import type { Answer } from '#local/story/client.ts';
import { type Instance, startInstance } from '#tests/faults/instance.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { get } from './harness.ts';
import { type Change, enrol, identityOf, registered, registering } from './registration.ts';
import { inserts, makeObstacles, type Obstacles } from './stall.ts';

let test: TestBank;
let other: Instance;
let obstacles: Obstacles;

beforeAll(async () => {
	test = await testBank();
	obstacles = makeObstacles(test);
	other = await startInstance(test.bank.settings);
});
afterEach(() => test.bank.aws.faults.clear());
afterAll(async () => {
	await other.close();
	await test.close();
});

const ctxOf = (platform = test.bank.platform) => systemContext(platform, '0'.repeat(32));
const head = () => Ledger.last(ctxOf(), Ledger.stream.registry(), 'DomainRegistering');
const rolesOf = ({ body }: Answer) => (body as { roles: { domain: string; role: string }[] }).roles;

/** As another process tells it. */
async function meElsewhere(): Promise<Answer> {
	const headers = { authorization: `Bearer ${await test.bank.issuer.token('carl')}` };
	const answer = await fetch(`${other.api}/api/v1/me`, { headers });
	return { status: answer.status, headers: answer.headers, body: await answer.json(), curl: '' };
}

async function announce(domain: string, version: number, since?: string): Promise<void> {
	const after = await head();
	const others = (after?.body.domains ?? []).filter((d) => d.domain !== domain);
	await Ledger.append(ctxOf(), {
		stream: Ledger.stream.registry(),
		after,
		actor: 'system',
		body: {
			type: 'DomainRegistering',
			domain,
			version,
			domains: [...others, { domain, version, ...(since === undefined ? {} : { since }) }],
		},
	});
}

const renaming = (id: string, name: string) =>
	registering(test, id, (body) => {
		body.name = name;
	});

/** What reading the registry costs: calls of the store, and of them those that read a domain. */
async function cost(work: () => Promise<unknown>): Promise<{ heads: number; domains: number }> {
	const found = { heads: 0, domains: 0 };
	const stop = test.bank.aws.faults.watch(({ input }) => {
		const asked = JSON.stringify(input);
		if (asked.includes('A#registry#mesh')) found.heads += 1;
		if (asked.includes('A#domain#')) found.domains += 1;
	});
	await work();
	stop();
	return found;
}

describe('a role', () => {
	it('that one process takes away is gone at the next call of every other one, and so is one that it gives', async () => {
		expect(rolesOf(await meElsewhere())).toContainEqual({ domain: 'risk', role: 'consumer' });
		await enrol(test, 'risk', { alice: ['consumer'] });
		expect(rolesOf(await meElsewhere())).not.toContainEqual({ domain: 'risk', role: 'consumer' });
		await enrol(test, 'risk', { alice: ['consumer'], carl: ['consumer'] });
		expect(rolesOf(await meElsewhere())).toContainEqual({ domain: 'risk', role: 'consumer' });
	});

	it('is not what was announced, but what was written: a writer that died in between changed nothing', async () => {
		const before = await Domains.get(other.platform, 'risk');
		await announce('risk', (before?.version ?? 0) + 1);
		expect(await Domains.get(other.platform, 'risk')).toEqual(before);
		await enrol(test, 'risk', { alice: ['consumer'] });
		expect(await Domains.get(other.platform, 'risk')).toMatchObject({ version: (before?.version ?? 0) + 1 });
	});
});

describe('reading it', () => {
	it('takes one call of the store, and none for a domain that did not move', async () => {
		await Domains.list(test.bank.platform);
		expect(await cost(() => Domains.list(test.bank.platform))).toEqual({ heads: 1, domains: 0 });
		expect(await cost(() => test.world.call(get('alice', '/me')))).toMatchObject({ domains: 0 });
	});

	it('reads a domain that was announced and never written each time, and no other', async () => {
		const last = await Domains.get(test.bank.platform, 'marketing');
		await announce('marketing', (last?.version ?? 0) + 1);
		await Domains.list(test.bank.platform);
		expect(await cost(() => Domains.list(test.bank.platform))).toEqual({ heads: 1, domains: 1 });
	});

	it('fails where the store does not answer, whatever is kept', async () => {
		test.bank.aws.faults.set([
			{
				service: 'dynamodb',
				operation: 'Query',
				when: 'before',
				match: (input) => JSON.stringify(input).includes('A#registry#mesh'),
			},
		]);
		await expect(Domains.get(test.bank.platform, 'risk')).rejects.toMatchObject({ code: 'unavailable' });
	});
});

describe('registering', () => {
	it('several domains at once: each is registered, or refused because another was', async () => {
		const ids = ['lending', 'payments', 'customers'];
		const calls = await Promise.all(ids.map((id) => renaming(id, `${id} of the bank`)));
		const answers = await Promise.all(calls.map((call) => test.world.call(call)));
		const refused = answers.filter(({ status }) => status !== 200);
		expect(refused.length).toBeLessThan(ids.length);
		for (const answer of refused) expect(answer).toMatchObject({ status: 409, body: { code: 'conflict' } });
		const stand = await Promise.all(ids.map((id) => Domains.get(ctxOf(), id)));
		for (const [i, { status }] of answers.entries()) {
			expect(stand[i]?.name === `${ids[i]} of the bank`).toBe(status === 200);
		}
	});
});

describe('who registers while another registration is under way', () => {
	const robot = () => ({ ...identityOf(test, 'robot'), roles: ['owner' as const] });
	const withRobot: Change = (body) => body.members.push(robot());
	const withoutRobot: Change = (body) => {
		body.members = body.members.filter((m) => m.subject !== people.robot.subject);
	};

	it('is refused until it is written: neither would see what the other takes away', async () => {
		await registered(test, 'risk');
		const { there, release } = obstacles.stall(inserts('A#domain#lending'));
		const first = test.world.call(await registering(test, 'lending', withRobot));
		await there;
		const second = await registering(test, 'risk', withoutRobot);
		expect(await test.world.call(second)).toMatchObject({ status: 409, body: { code: 'conflict' } });
		release();
		expect((await first).status).toBe(200);
		// Only risk says whose program the robot is, and lending lists it now.
		expect(await test.world.call(second)).toMatchObject({ status: 422, body: { code: 'validation' } });
		expect((await test.world.call(get('robot', '/me'))).body).toMatchObject({ service: true });
		await registered(test, 'lending');
	});

	it('goes on where that one died a while ago', async () => {
		const last = await Domains.get(ctxOf(), 'payments');
		await announce('payments', (last?.version ?? 0) + 1, new Date(Date.now() - 61_000).toISOString());
		await registered(test, 'lending');
	});

	it('is refused where he did not see what was announced of the domain itself', async () => {
		const before = await Domains.get(ctxOf(), 'customers');
		const call = await registering(test, 'customers', (body) => body.members.pop());
		const { there, release } = obstacles.stall((_, input) => input.includes('A#domain#customers'));
		const late = test.world.call(call);
		await there;
		await announce('customers', (before?.version ?? 0) + 2);
		release();
		expect(await late).toMatchObject({ status: 409, body: { code: 'conflict' } });
		expect(await Domains.get(ctxOf(), 'customers')).toEqual(before);
	});
});

/** The last: what was damaged stays so. */
describe('an announcement that cannot be read', () => {
	beforeAll(async () => {
		const last = await head();
		await announce('risk', ((await Domains.get(ctxOf(), 'risk'))?.version ?? 0) + 1);
		const { config, aws } = test.bank.platform;
		await aws.dynamodb.send(
			new UpdateItemCommand({
				TableName: config.tables.ledger,
				Key: {
					pk: { S: Ledger.stream.registry() },
					sk: { S: `V#${String((last?.ver ?? 0) + 1).padStart(10, '0')}` },
				},
				UpdateExpression: 'SET b = :b, z = :z',
				ExpressionAttributeValues: { ':b': { B: Buffer.from('{}') }, ':z': { BOOL: false } },
			}),
		);
	});

	it('lets nobody believe what is kept: every domain is read', async () => {
		expect(await cost(() => Domains.list(test.bank.platform))).toEqual({
			heads: 1,
			domains: test.world.domains.length,
		});
	});

	it('holds up registering, and nothing else', async () => {
		expect((await test.world.call(get('alice', '/me'))).status).toBe(200);
		const refused = { status: 500, body: { code: 'record-corrupt' } };
		expect(await test.world.call(await renaming('risk', 'Risks'))).toMatchObject(refused);
	});
});
