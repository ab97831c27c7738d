/** Approvals in somebody's place: delegate and giver are one word wherever they are counted; what is recorded and shown. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as Access from '#core/access.ts';
import * as Ledger from '#core/ledger.ts';
import { sweep } from '#core/sweep.ts';
import { type Handle, people } from '#local/people.ts';
import type { Answer } from '#local/story/client.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { DAY_MS, deciding, delegationsIn, end, inDays, ofCustomers } from './delegations.ts';
import { decision, get, post, refused } from './harness.ts';
import type { Member } from './registration.ts';

let test: TestBank;
const { identity, member, personOf, registered, changing, give, ask, askForNames, taken, as, tidy } = delegationsIn(
	() => test,
);

beforeAll(async () => {
	test = await testBank();
});
afterEach(tidy);
afterAll(() => test.close());

describe('one person and one mandate count once', () => {
	const both = async () => {
		const asked = await askForNames();
		expect(asked.view.route).toEqual(['owner', 'owner', 'privacy-officer']);
		return asked;
	};

	it('the giver beside his delegate, whoever comes first', async () => {
		const { id } = await give('peter', 'ruth', ofCustomers);
		const [first, second] = [await both(), await both()];
		await taken(decision('peter', first));
		await refused(test, deciding('ruth', first, id), 409, 'already-decided');
		expect((await taken(deciding('ruth', second, id))).request.awaiting).toEqual(['owner', 'privacy-officer']);
		await refused(test, decision('peter', second), 409, 'already-decided');
		expect((await taken(decision('petra', second))).request.awaiting).toEqual(['privacy-officer']);
		expect((await taken(decision('paula', second))).grant?.state).toBe('granted');
	});

	it('one delegate of two givers, and two delegates of one', async () => {
		const [ofPeter, ofPetra] = [await give('peter', 'ruth', ofCustomers), await give('petra', 'ruth', ofCustomers)];
		const other = await give('peter', 'carl', ofCustomers);
		const asked = await both();
		await taken(deciding('ruth', asked, ofPeter.id));
		await refused(test, deciding('ruth', asked, ofPetra.id), 409, 'already-decided');
		await refused(test, deciding('carl', asked, other.id), 409, 'already-decided');
		await refused(test, decision('ruth', asked), 403, 'not-permitted');
	});

	it('an officer who was let decide as owner is still one', async () => {
		const { id } = await give('peter', 'paula', ofCustomers);
		const asked = await both();
		await taken(deciding('paula', asked, id));
		await refused(test, decision('paula', asked), 409, 'already-decided');
	});

	it('two delegates of two owners are two', async () => {
		const [one, other] = [await give('peter', 'ruth', ofCustomers), await give('petra', 'carl', ofCustomers)];
		const asked = await both();
		await taken(deciding('ruth', asked, one.id));
		await taken(deciding('carl', asked, other.id));
		const { request, grant } = await taken(decision('paula', asked));
		expect([request.state, grant?.state]).toEqual(['approved', 'granted']);
		const [peter, petra, ruth, carl] = await Promise.all((['peter', 'petra', 'ruth', 'carl'] as const).map(personOf));
		expect(request.delegated).toEqual([
			{ delegation: one.id, as: 'owner', by: ruth, giver: peter },
			{ delegation: other.id, as: 'owner', by: carl, giver: petra },
		]);
	});

	it('two givers who turn out to be one person are one', async () => {
		const [one, other] = [await give('peter', 'ruth', ofCustomers), await give('petra', 'carl', ofCustomers)];
		const asked = await both();
		await taken(deciding('ruth', asked, one.id));
		await taken(deciding('carl', asked, other.id));
		await changing('customers', (b) => {
			const at = b.members.findIndex((m) => m.subject === people.petra.subject);
			b.members.splice(at, 1, member('petra', ['owner'], { actsFor: identity('peter') }));
		});
		const { request, grant } = await taken(decision('paula', asked));
		expect([request.state, request.awaiting, grant]).toEqual(['pending', ['owner'], null]);
	});
});

describe('when the grant is made', () => {
	it('an approval goes with the role of who gave the delegation', async () => {
		const { id } = await give('peter', 'ruth', ofCustomers);
		const asked = await askForNames();
		await taken(deciding('ruth', asked, id));
		await taken(decision('petra', asked));
		await changing('customers', (b) => b.members.splice(0, 1, member('nick', ['owner'])));
		const { request, grant } = await taken(decision('paula', asked));
		expect([request.state, request.awaiting, grant]).toEqual(['pending', ['owner'], null]);
		expect((await taken(decision('nick', asked))).grant?.state).toBe('granted');
	});

	it.each([
		['who decided became a program', { service: true }],
		['who decided is of no domain any more', null],
	] as const)('and where %s', async (_, more) => {
		const { id } = await give('peter', 'ruth', ofCustomers);
		const asked = await askForNames();
		await taken(deciding('ruth', asked, id));
		await changing('risk', (b) => {
			const at = b.members.findIndex((m) => m.subject === people.ruth.subject);
			b.members.splice(at, 1, ...(more === null ? [] : [member('ruth', ['risk-officer'], more)]));
		});
		expect((await taken(decision('petra', asked))).request.awaiting).toEqual(['owner', 'privacy-officer']);
	});

	it.each([
		['an owner', 'petra', { owner: 'petra', giver: 'peter' }],
		['who gave the delegation', 'petra', { owner: 'peter', giver: 'petra' }],
		['who decided by it', 'ruth', { owner: 'peter', giver: 'petra' }],
	] as const)('and one goes where %s is a program, whichever domain says so', async (_, who, { owner, giver }) => {
		const { id } = await give(giver, 'ruth', ofCustomers);
		const asked = await askForNames();
		await taken(decision(owner, asked));
		await taken(deciding('ruth', asked, id));
		await registered('marketing', (b) => b.members.push(member(who, ['consumer'], { service: true })));
		const { request, grant } = await taken(decision('paula', asked));
		// What one domain alone says of him is not taken back while another lists him.
		const home = who === 'ruth' ? 'risk' : 'customers';
		const program = (m: Member) => (m.subject === people[who].subject ? { ...m, service: true } : m);
		await registered(home, (b) => b.members.splice(0, b.members.length, ...b.members.map(program)));
		for (const domain of ['marketing', home]) await registered(domain);
		expect([request.state, request.awaiting, grant]).toEqual(['pending', ['owner'], null]);
	});

	it.each(['peter', 'ruth'] as const)(
		'and where %s, who gave the delegation or decided by it, supervises the mesh',
		async (who) => {
			const { id } = await give('peter', 'ruth', ofCustomers);
			const asked = await askForNames();
			await taken(deciding('ruth', asked, id));
			await taken(decision('petra', asked));
			await changing('governance', (b) => b.members.push(member(who, ['regulator'])));
			const { request, grant } = await taken(decision('paula', asked));
			await registered('governance');
			expect([request.state, request.awaiting, grant]).toEqual(['pending', ['owner'], null]);
		},
	);

	it('it stands when the delegation was ended since', async () => {
		const { id } = await give('peter', 'ruth', ofCustomers);
		const asked = await askForNames();
		await taken(deciding('ruth', asked, id));
		expect((await test.world.call(end('petra', id))).status).toBe(200);
		await taken(decision('petra', asked));
		expect((await taken(decision('paula', asked))).grant?.state).toBe('granted');
	});

	it('it does not stand when the delegation was over by the instant that was recorded', async () => {
		const { id, until } = await give('olga', 'ruth');
		const asked = await ask();
		const late = await as('ruth', new Date(Date.parse(until) - 1), new Date(until));
		const body = { verdict: 'approve' as const, delegation: id };
		const { request, grant } = await Access.decide(late, asked.view.id, body, asked.etag);
		expect([request.state, grant]).toEqual(['pending', null]);
	});
});

describe('a decision by delegation', () => {
	it('says by whose, and by which entry', async () => {
		const { id } = await give('olga', 'ruth');
		const asked = await ask();
		const { request, grant } = await taken(deciding('ruth', asked, id));
		expect([request.state, grant?.state]).toEqual(['approved', 'granted']);
		const { platform } = test.bank;
		const [[first], entries] = await Promise.all([
			Ledger.read(platform, Ledger.stream.delegation(id)),
			Ledger.read(platform, Ledger.stream.request(asked.view.id)),
		]);
		const [olga, ruth] = await Promise.all([personOf('olga'), personOf('ruth')]);
		const decided = entries.find((e) => e.body.type === 'AccessDecided');
		expect(decided).toMatchObject({
			entry: { actor: ruth },
			body: {
				as: 'owner',
				delegation: { id, giver: olga, leaf: first?.leaf },
				rules: { policies: ['delegates-decide'] },
			},
		});
		expect(first?.body).toMatchObject({
			type: 'DelegationGiven',
			giver: olga,
			to: ruth,
			domain: 'lending',
			role: 'owner',
		});
		expect(JSON.stringify(first?.entry)).not.toContain('On leave');
	});

	it('ends a request, too, and leaves less', async () => {
		const { id } = await give('olga', 'ruth');
		expect((await taken(deciding('ruth', await ask(), id, 'reject'))).request.state).toBe('rejected');
		const { view, etag } = await ask();
		const narrow = { tables: [{ table: 'loans', columns: ['loan_id'] }] };
		const body = { verdict: 'approve', delegation: id, narrow };
		const less = await taken(post('ruth', `/requests/${view.id}/decisions`, body, { 'if-match': etag }));
		expect(less.request.tables[0]?.columns).toEqual(['loan_id']);
	});
});

describe('what a delegate sees', () => {
	const idsOf = ({ body }: Answer, member: string) =>
		((body as Record<string, { id: string }[]>)[member] ?? []).map((one) => one.id);

	it('requests of the domain and what they would open, as long as it is in force', async () => {
		const asked = await ask();
		const paths = [`/requests/${asked.view.id}`, `/requests/${asked.view.id}/preview`];
		const listed = async () =>
			idsOf(await test.world.call(get('ruth', '/requests?domain=lending')), 'requests').includes(asked.view.id);
		const hidden = async () => {
			for (const path of paths) await refused(test, get('ruth', path), 404, 'not-found');
			expect(await listed()).toBe(false);
		};
		await hidden();
		const { id } = await give('olga', 'ruth');
		for (const path of paths) expect((await test.world.call(get('ruth', path))).status).toBe(200);
		expect(await listed()).toBe(true);
		const foreign = await askForNames();
		await refused(test, get('ruth', `/requests/${foreign.view.id}`), 404, 'not-found');
		await refused(test, post('ruth', `/requests/${asked.view.id}/cancel`), 403, 'not-permitted');
		await test.world.call(end('olga', id));
		await hidden();
	});

	it('and delegations are seen by both, and by the owners and officers of the domain', async () => {
		const { id } = await give('peter', 'ruth', ofCustomers);
		for (const who of ['peter', 'ruth', 'petra', 'paula'] as const)
			expect((await test.world.call(get(who, `/delegations/${id}`))).body).toMatchObject({ id, state: 'in-force' });
		for (const who of ['olga', 'carl', 'stella', 'rita', 'mia'] as const)
			await refused(test, get(who, `/delegations/${id}`), 404, 'not-found');
		const own = async (who: Handle, query = '') =>
			idsOf(await test.world.call(get(who, `/delegations${query}`)), 'delegations').includes(id);
		expect(await Promise.all([own('peter'), own('ruth'), own('petra'), own('olga')])).toEqual([
			true,
			true,
			false,
			false,
		]);
		const among = '?domain=customers';
		expect(await Promise.all([own('petra', among), own('paula', among), own('olga', among)])).toEqual([
			true,
			true,
			false,
		]);
		expect((await test.world.call(end('petra', id))).body).toMatchObject({ id, state: 'ended' });
	});

	it('and nobody else learns how many a domain has: to him its list is empty, and there is no next page', async () => {
		for (const to of ['ruth', 'carl', 'alice'] as const) await give('peter', to, ofCustomers);
		const page = async (who: Handle) =>
			(await test.world.call(get(who, '/delegations?domain=customers&pageSize=1'))).body;
		for (const who of ['olga', 'mia', 'stella', 'rita', 'oscar', 'nick', 'ruth'] as const)
			expect([who, await page(who)]).toEqual([who, { delegations: [], nextPageToken: null }]);
		for (const who of ['petra', 'paula'] as const)
			expect(await page(who)).toMatchObject({
				delegations: [{ domain: 'customers' }],
				nextPageToken: expect.any(String),
			});
	});

	it('who is reminded is told of delegations in force', async () => {
		const { id } = await give('olga', 'ruth', { until: inDays(60) });
		const { view } = await ask();
		const now = new Date(Date.parse(view.lapsesAt ?? '') - 2 * DAY_MS);
		await sweep({ ...test.bank.platform, clock: () => now }, '0'.repeat(32));
		const entries = await Ledger.read(test.bank.platform, Ledger.stream.request(view.id));
		const reminded = entries.map(({ body }) => body).find((body) => body.type === 'AccessReminded');
		expect(reminded).toMatchObject({ awaiting: ['owner'], delegations: expect.arrayContaining([id]) });
	});
});

it('listings can be built anew, and decide nothing: a line that leads to somebody else’s delegation opens nothing', async () => {
	const { id, until } = await give('olga', 'carl');
	const asked = await ask();
	const { platform } = test.bank;
	const { key, applyProjections, all } = Ledger.Listing;
	const ruth = await personOf('ruth');
	await applyProjections(platform, [{ op: 'put', pk: key.mandates(ruth, 'lending'), sk: `${until}#${id}` }]);
	await refused(test, get('ruth', `/requests/${asked.view.id}`), 404, 'not-found');
	const pk = key.mandates(await personOf('carl'), 'lending');
	const before = await all(platform, pk);
	expect(before).toContain(`${until}#${id}`);
	await Ledger.Listing.remove(platform, pk, `${until}#${id}`);
	await Ledger.rebuildListings(platform);
	expect(await all(platform, pk)).toEqual(before);
});
