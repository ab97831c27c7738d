/** Personal data: two different people must approve, each in a role of the route that he holds when the grant is made. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RequestView } from '#core/access.ts';
import type { GrantView } from '#core/grants.ts';
import { type Handle, people } from '#local/people.ts';
import type { Call } from '#local/story/client.ts';
import { principalOf } from '#local/story/world.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { decision, file, get, post, refused, requestBody, seen } from './harness.ts';
import { enrol, identityOf, registered } from './registration.ts';

let test: TestBank;
let duration = 0;
let opened: string[] = [];

beforeAll(async () => {
	test = await testBank();
});

afterAll(() => test.close());

beforeEach(async () => {
	await enrol(test, 'customers', { peter: ['owner'], nick: ['privacy-officer'] });
	await enrol(test, 'marketing', { mia: ['consumer'] });
});

afterEach(async () => {
	await enrol(test, 'customers', { peter: ['owner'] });
	for (const id of opened) await test.world.call(post('peter', `/grants/${id}/revoke`, { reason: 'over' }));
	opened = [];
	expect(grantsOfClients()).toEqual([]);
});

type Decided = { readonly request: RequestView; readonly grant: GrantView | null };

/** Asks as mia for clients; every request has a duration, and so a content, of its own. */
async function ask(more: Record<string, unknown> = {}) {
	duration += 1;
	const purpose = 'campaign-planning';
	return file(
		test.world,
		'mia',
		requestBody(test.world, {
			product: 'customers.clients',
			tables: [{ table: 'clients', columns: ['client_id', 'district_id'], rowFilter: 'district_id = 7' }],
			purpose,
			principal: principalOf(test.world, 'marketing', purpose),
			duration: `PT${duration}H`,
			...more,
		}),
	);
}

async function taken(call: Call): Promise<Decided> {
	const { status, body } = await test.world.call(call);
	expect({ status, body }).toMatchObject({ status: 201 });
	const decided = body as Decided;
	if (decided.grant !== null) opened.push(decided.grant.id);
	return decided;
}

const grantsOfClients = () =>
	test.bank.aws.lakeFormationState().permissions.filter((p) => JSON.stringify(p.resource).includes('"clients"'));

describe('409 and 403 between the approvals', () => {
	it('409: who approved once does not count again, as owner or as officer', async () => {
		for (const who of ['peter', 'nick'] as const) {
			const asked = await ask();
			await taken(decision(who, asked));
			await refused(test, decision(who, asked), 409, 'already-decided');
		}
	});

	it('409: one who holds both roles counts once', async () => {
		await enrol(test, 'customers', { peter: ['owner', 'privacy-officer'] });
		const asked = await ask();
		expect((await taken(decision('peter', asked))).request).toMatchObject({
			state: 'pending',
			awaiting: ['privacy-officer'],
		});
		await refused(test, decision('peter', asked), 409, 'already-decided');
		expect(grantsOfClients()).toEqual([]);
	});

	it('409: both approvers again after the grant, whatever their role', async () => {
		const asked = await ask();
		await taken(decision('peter', asked));
		await taken(decision('nick', asked));
		for (const who of ['peter', 'nick'] as const) {
			await refused(test, decision(who, asked), 409, 'already-decided');
			await refused(test, decision(who, asked, 'reject'), 409, 'already-decided');
		}
	});

	it('403: a beneficiary who is an officer, too', async () => {
		await enrol(test, 'marketing', { mia: ['consumer'], nick: ['consumer'] });
		const subjects: Handle[] = ['mia', 'nick'];
		const beneficiaries = subjects.map((w) => ({ issuer: test.bank.issuer.issuer, subject: people[w].subject }));
		const asked = await ask({ beneficiaries });
		await taken(decision('peter', asked));
		await refused(test, decision('nick', asked), 403, 'self-approval');
		expect(grantsOfClients()).toEqual([]);
	});

	it('404: an officer of another domain', async () => {
		await enrol(test, 'lending', { olga: ['owner', 'privacy-officer'] });
		const asked = await ask();
		await taken(decision('peter', asked));
		await refused(test, decision('olga', asked), 404, 'not-found');
	});
});

describe('the route', () => {
	it('asks for owner and privacy officer as soon as the product has personal data', async () => {
		const { view } = await ask();
		expect([view.route, view.awaiting, view.state]).toEqual([
			['owner', 'privacy-officer'],
			['owner', 'privacy-officer'],
			'pending',
		]);
	});

	it.each([
		['peter', 'nick'],
		['nick', 'peter'],
	] as const)('%s, then %s: pending and nothing granted after the first, granted after the second', async (a, b) => {
		const asked = await ask();
		const first = await taken(decision(a, asked));
		expect([first.request.state, first.grant, grantsOfClients()]).toEqual(['pending', null, []]);
		const second = await taken(decision(b, asked));
		expect([second.request.state, second.request.awaiting, second.grant?.state]).toEqual(['approved', [], 'granted']);
		expect(grantsOfClients()).toHaveLength(1);
	});

	it('ends with the first rejection, also after an approval', async () => {
		const asked = await ask();
		await taken(decision('peter', asked));
		const { request, grant } = await taken(decision('nick', asked, 'reject'));
		expect([request.state, grant, grantsOfClients()]).toEqual(['rejected', null, []]);
	});

	it('is made of two people at once, too: both approvals stand, or one is told to come again', async () => {
		const asked = await ask();
		const answers = await Promise.all(
			[decision('peter', asked), decision('nick', asked)].map((c) => test.world.call(c)),
		);
		expect(answers.map((a) => a.status).toSorted((a, b) => a - b)).toEqual([201, 409]);
		expect(grantsOfClients()).toEqual([]);
		const late = answers[0]?.status === 409 ? 'peter' : 'nick';
		expect((await taken(decision(late, asked))).grant?.state).toBe('granted');
	});
});

describe('a role lost between the approvals', () => {
	it('takes its approval with it: the next one does not complete the route', async () => {
		const asked = await ask();
		await taken(decision('peter', asked));
		await enrol(test, 'customers', { olga: ['owner'], nick: ['privacy-officer'] });
		const second = await taken(decision('nick', asked));
		expect([second.request.state, second.request.awaiting, second.grant]).toEqual(['pending', ['owner'], null]);
		expect(grantsOfClients()).toEqual([]);
		await refused(test, decision('peter', asked), 404, 'not-found');
		const third = await taken(decision('olga', asked));
		expect([third.request.state, third.grant?.state]).toEqual(['approved', 'granted']);
	});

	it('so does supervising the mesh: whoever came to do that only reads, and another approves in his place', async () => {
		const asked = await ask();
		await taken(decision('peter', asked));
		await registered(test, 'governance', (b) => b.members.push({ ...identityOf(test, 'peter'), roles: ['regulator'] }));
		const second = await taken(decision('nick', asked));
		expect([second.request.state, second.request.awaiting, second.grant]).toEqual(['pending', ['owner'], null]);
		await refused(test, decision('peter', asked), 403, 'not-permitted');
		await registered(test, 'governance');
		await enrol(test, 'customers', { olga: ['owner'], nick: ['privacy-officer'] });
		expect((await taken(decision('olga', asked))).grant?.state).toBe('granted');
	});

	it('shows at once in what the request waits for', async () => {
		const asked = await ask();
		await taken(decision('nick', asked));
		await enrol(test, 'customers', { peter: ['owner'] });
		const { body } = await test.world.call(get('mia', `/requests/${asked.view.id}`));
		expect((body as RequestView).awaiting).toEqual(['owner', 'privacy-officer']);
	});
});

describe('restricted data', () => {
	const named = () =>
		ask({
			tables: [{ table: 'clients', columns: ['client_id', 'full_name'], rowFilter: 'district_id = 7' }],
			purpose: 'service-improvement',
			principal: principalOf(test.world, 'marketing', 'service-improvement'),
		});

	beforeEach(async () => {
		await enrol(test, 'customers', {
			peter: ['owner', 'privacy-officer'],
			petra: ['owner'],
			nick: ['privacy-officer'],
		});
	});

	it('needs two owners: the same one twice is one, whatever else he holds', async () => {
		const asked = await named();
		expect(asked.view.route).toEqual(['owner', 'owner', 'privacy-officer']);
		const first = await taken(decision('peter', asked));
		expect(first.request.awaiting).toEqual(['owner', 'privacy-officer']);
		await refused(test, decision('peter', asked), 409, 'already-decided');
		expect((await taken(decision('nick', asked))).request.awaiting).toEqual(['owner']);
		const last = await taken(decision('petra', asked));
		expect([last.request.state, last.grant?.state]).toEqual(['approved', 'granted']);
	});

	it('approved by one and rejected by the other at once: one of them wins, and nobody decides after a rejection', async () => {
		for (let round = 0; round < 3; round += 1) {
			const asked = await named();
			const calls = [decision('peter', asked), decision('petra', asked, 'reject'), decision('nick', asked)];
			const answers = await Promise.all(calls.map((c) => test.world.call(c)));
			expect(answers.filter((a) => a.status === 201).length).toBeGreaterThan(0);
			for (const { status } of answers) expect([201, 409]).toContain(status);
			const { body } = await test.world.call(get('mia', `/requests/${asked.view.id}`));
			const { state, awaiting } = body as RequestView;
			expect(state).toBe(answers[1]?.status === 201 ? 'rejected' : 'pending');
			if (state === 'pending') expect(awaiting.length).toBeGreaterThan(0);
			else await refused(test, decision('nick', asked), 409, 'already-decided');
		}
		expect(grantsOfClients()).toEqual([]);
	});
});

describe('one person in several guises', () => {
	const who = (handle: Handle) => ({ issuer: test.bank.issuer.issuer, subject: people[handle].subject });
	const member = (handle: Handle, roles: string[], more: object = {}) => ({ ...who(handle), roles, ...more });

	async function registered(domain: string, members: readonly object[]): Promise<void> {
		const { id: _, ...found } = test.world.domains.find((d) => d.id === domain) ?? { id: domain };
		const path = `/api/v1/domains/${domain}`;
		const body = { ...found, members };
		const headers = await seen(test, path);
		const { status, body: answer } = await test.world.call({ who: 'stella', method: 'PUT', path, body, headers });
		expect({ status, answer }).toMatchObject({ status: 200 });
	}

	it('counts once: a second identity completes no route, and has not approved for another', async () => {
		await registered('customers', [
			member('peter', ['owner']),
			member('petra', ['privacy-officer'], { actsFor: who('peter') }),
			member('nick', ['privacy-officer']),
		]);
		const asked = await ask();
		await taken(decision('peter', asked));
		await refused(test, decision('petra', asked), 409, 'already-decided');
		expect(grantsOfClients()).toEqual([]);
		expect((await taken(decision('nick', asked))).grant?.state).toBe('granted');
	});

	it('counts once, too, where it is said only after both have approved', async () => {
		await registered('customers', [
			member('peter', ['owner']),
			member('petra', ['owner']),
			member('nick', ['privacy-officer']),
		]);
		const asked = await ask({
			tables: [{ table: 'clients', columns: ['client_id', 'full_name'], rowFilter: 'district_id = 7' }],
			purpose: 'service-improvement',
			principal: principalOf(test.world, 'marketing', 'service-improvement'),
		});
		await taken(decision('peter', asked));
		expect((await taken(decision('petra', asked))).request.awaiting).toEqual(['privacy-officer']);
		await registered('customers', [
			member('peter', ['owner']),
			member('petra', ['owner'], { actsFor: who('peter') }),
			member('olga', ['owner']),
			member('nick', ['privacy-officer']),
		]);
		const third = await taken(decision('nick', asked));
		expect([third.request.state, third.request.awaiting, third.grant]).toEqual(['pending', ['owner'], null]);
		expect((await taken(decision('olga', asked))).grant?.state).toBe('granted');
	});

	it('a program approves nothing, and what it approved before it was known as one counts no more', async () => {
		await registered('customers', [
			member('peter', ['owner']),
			member('petra', ['owner']),
			member('nick', ['privacy-officer']),
		]);
		const asked = await ask();
		await taken(decision('petra', asked));
		await registered('customers', [
			member('peter', ['owner']),
			member('petra', ['owner'], { service: true }),
			member('nick', ['privacy-officer']),
		]);
		const second = await taken(decision('nick', asked));
		expect([second.request.state, second.request.awaiting]).toEqual(['pending', ['owner']]);
		await refused(test, decision('petra', asked), 403, 'not-permitted');
		expect((await taken(decision('peter', asked))).grant?.state).toBe('granted');
	});
});
