/** Personal data: two different people must approve, each in a role of the route that he holds when the grant is made. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RequestView } from '#core/access.ts';
import type { GrantView } from '#core/grants.ts';
import { type Handle, people } from '#local/people.ts';
import type { Call } from '#local/story/client.ts';
import { principalOf } from '#local/story/world.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { decision, enrol, file, get, post, refused, requestBody } from './harness.ts';

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

	it('shows at once in what the request waits for', async () => {
		const asked = await ask();
		await taken(decision('nick', asked));
		await enrol(test, 'customers', { peter: ['owner'] });
		const { body } = await test.world.call(get('mia', `/requests/${asked.view.id}`));
		expect((body as RequestView).awaiting).toEqual(['owner', 'privacy-officer']);
	});
});
