/** Decisions: who may not decide, what is no longer to be decided, and that races have one winner. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GrantView } from '#core/grants.ts';
import { people } from '#local/people.ts';
import { principalOf } from '#local/story/world.ts';
import { ledgerSize, type TestBank, testBank } from '#tests/fixtures.ts';
import { decision, expectRefusal, file, get, grantTo, type Problem, post, refused, requestBody } from './harness.ts';
import { enrol } from './registration.ts';

let test: TestBank;

beforeAll(async () => {
	test = await testBank();
});

afterAll(() => test.close());

const body = (more: Record<string, unknown> = {}) => requestBody(test.world, more);
const ask = (more: Record<string, unknown> = {}) => file(test.world, 'alice', body(more));
const stateOf = async (id: string) =>
	((await test.world.call(get('alice', `/requests/${id}`))).body as Problem)['state'];
const identity = (who: keyof typeof people) => ({ issuer: test.bank.issuer.issuer, subject: people[who].subject });
/** One table of lending.loans with these columns and rows. */
const cells = (columns: string[], rowFilter: string | null, purpose = 'credit-risk') => ({
	tables: [{ table: 'loans', columns, rowFilter }],
	purpose,
	principal: principalOf(test.world, 'risk', purpose),
});

/** What Lake Formation lets a principal of risk select on a table. */
function filtersOf(purpose: string, table: string) {
	const { filters, permissions } = test.bank.aws.lakeFormationState();
	const principal = principalOf(test.world, 'risk', purpose);
	const held = permissions.flatMap(({ resource, ...p }) =>
		p.principal === principal && resource.kind === 'filter' && resource.table === table ? [resource.name] : [],
	);
	return filters
		.filter((f) => held.includes(f.name))
		.map(({ columns, expression }) => ({ columns: columns?.toSorted(), expression }));
}

describe('403 for who may not decide', () => {
	it.each(['approve', 'reject'])('self-approval: the requester may not %s', async (verdict) => {
		const asked = await ask();
		await refused(test, decision('alice', asked, verdict), 403, 'self-approval');
		expect(await stateOf(asked.view.id)).toBe('pending');
	});

	it('self-approval: an owner who asked, and an owner who only benefits', async () => {
		await enrol(test, 'risk', { alice: ['consumer'], olga: ['consumer'] });
		const own = await file(test.world, 'olga', body());
		await refused(test, decision('olga', own), 403, 'self-approval');
		const benefits = await ask({ beneficiaries: [identity('olga'), identity('alice')] });
		await refused(test, decision('olga', benefits), 403, 'self-approval');
	});

	it('not-permitted: the regulator sees the request and decides nothing', async () => {
		const asked = await ask();
		await refused(test, decision('rita', asked), 403, 'not-permitted');
		await refused(test, post('rita', `/requests/${asked.view.id}/cancel`), 403, 'not-permitted');
		await refused(test, post('olga', `/requests/${asked.view.id}/cancel`), 403, 'not-permitted');
	});

	it('not-permitted: an officer, where the route asks for an owner alone', async () => {
		await enrol(test, 'lending', { olga: ['owner'], nick: ['privacy-officer'] });
		await refused(test, decision('nick', await ask()), 403, 'not-permitted');
	});
});

describe('404 for whom it does not concern', () => {
	it.each(['mia', 'peter', 'stella'] as const)('%s, like for an unknown id', async (who) => {
		const asked = await ask();
		const hidden = await refused(test, decision(who, asked), 404, 'not-found');
		const view = { ...asked.view, id: `req_${'0'.repeat(26)}` };
		const absent = await refused(test, decision(who, { ...asked, view }), 404, 'not-found');
		expect({ ...hidden, instance: '', traceId: '' }).toEqual({ ...absent, instance: '', traceId: '' });
	});
});

describe('412 and 428 for another content than the one seen', () => {
	it('428 without If-Match', async () => {
		const asked = await ask();
		const call = post('olga', `/requests/${asked.view.id}/decisions`, { verdict: 'approve' });
		await refused(test, call, 428, 'precondition-required');
	});

	it.each(['"0"', '*', 'W/"x"', 'x', '""', `"${'0'.repeat(64)}"`])('412 for If-Match %s', async (etag) => {
		const { view } = await ask();
		await refused(test, decision('olga', { view, etag }), 412, 'stale');
	});

	it("412 for another request's tag, and for its own in other clothes", async () => {
		const [one, other] = [await ask({ duration: 'P2D' }), await ask({ duration: 'P3D' })];
		await refused(test, decision('olga', { ...one, etag: other.etag }), 412, 'stale');
		await refused(test, decision('olga', { ...one, etag: `W/${one.etag}` }), 412, 'stale');
		await refused(test, decision('olga', { ...one, etag: one.etag.replaceAll('"', '') }), 412, 'stale');
	});
});

describe('422 for a decision that is none', () => {
	it.each([{}, { verdict: 'Approve' }, { verdict: null }, { verdict: 'approved' }, { verdict: ['approve'] }, []])(
		'%j',
		async (sent) => {
			const { view, etag } = await ask();
			const call = post('olga', `/requests/${view.id}/decisions`, sent, { 'if-match': etag });
			await refused(test, call, 422, 'validation');
		},
	);

	it('with a comment that is no Unicode', async () => {
		const { view, etag } = await ask();
		const sent = { verdict: 'reject', comment: '\udc00' };
		const call = post('olga', `/requests/${view.id}/decisions`, sent, { 'if-match': etag });
		await refused(test, call, 422, 'validation');
	});
});

describe('409 once it is decided', () => {
	const ends: [string, (asked: Awaited<ReturnType<typeof ask>>) => ReturnType<typeof post>][] = [
		['approved', (asked) => decision('olga', asked)],
		['rejected', (asked) => decision('olga', asked, 'reject')],
		['cancelled', (asked) => post('alice', `/requests/${asked.view.id}/cancel`)],
	];

	it.each(ends)('%s: no verdict and no cancellation follows', async (state, end) => {
		const asked = await ask();
		expect([200, 201]).toContain((await test.world.call(end(asked))).status);
		expect(await stateOf(asked.view.id)).toBe(state);
		await refused(test, decision('olga', asked), 409, 'already-decided');
		await refused(test, decision('olga', asked, 'reject'), 409, 'already-decided');
		await refused(test, decision('olga', { ...asked, etag: '"stale"' }), 409, 'already-decided');
		await refused(test, post('alice', `/requests/${asked.view.id}/cancel`), 409, 'already-decided');
		expect(await stateOf(asked.view.id)).toBe(state);
		const grant = ((await test.world.call(get('alice', `/requests/${asked.view.id}`))).body as Problem)['grant'];
		if (typeof grant === 'string') await test.world.call(post('olga', `/grants/${grant}/revoke`, { reason: 'over' }));
	});

	it('a rejected request opens nothing', async () => {
		const asked = await ask(cells(['loan_id'], null, 'model-validation'));
		const before = test.bank.aws.lakeFormationState();
		const { body: decided } = await test.world.call(decision('olga', asked, 'reject'));
		expect(decided).toMatchObject({ grant: null, request: { state: 'rejected', grant: null } });
		expect(test.bank.aws.lakeFormationState()).toEqual(before);
	});
});

describe('at once', () => {
	it.each([
		['approve', 'reject'],
		['approve', 'approve'],
		['reject', 'cancel'],
		['approve', 'cancel'],
	])('%s and %s: one of them wins, the other is a 409, and the ledger has one end', async (first, second) => {
		const asked = await ask({ product: 'lending.accounts', tables: [{ table: 'accounts', columns: ['account_id'] }] });
		const calls = [first, second, first].map((verb) =>
			verb === 'cancel' ? post('alice', `/requests/${asked.view.id}/cancel`) : decision('olga', asked, verb),
		);
		const answers = await Promise.all(calls.map((call) => test.world.call(call)));
		const won = answers.filter((a) => a.status < 300);
		expect(won).toHaveLength(1);
		for (const lost of answers.filter((a) => !won.includes(a))) {
			expectRefusal(lost, 409, (lost.body as Problem).code === 'conflict' ? 'conflict' : 'already-decided');
		}
		const stream = encodeURIComponent(`A#request#${asked.view.id}`);
		const { body: kept } = await test.world.call(get('rita', `/ledger/entries?stream=${stream}`));
		expect((kept as { entries: unknown[] }).entries).toHaveLength(2);
	});
});

describe('409 union-not-exact: two approvals never add up to cells that nobody approved', () => {
	const purpose = 'model-validation';
	const inTrouble = () => cells(['loan_id', 'status'], "status IN ('B','D')", purpose);
	const others = () => cells(['loan_id', 'amount'], "status = 'A'", purpose);

	it('when the second is asked for, and when it is decided; nothing is stored', async () => {
		await enrol(test, 'risk', { alice: ['consumer'] });
		const [first, second] = [await ask(inTrouble()), await ask(others())];
		const answer = await test.world.call(decision('olga', first));
		const grant = (answer.body as { grant: GrantView }).grant;
		expect(grant.state).toBe('granted');
		const problem = await refused(test, decision('olga', second), 409, 'union-not-exact');
		expect(problem['unapproved']).toEqual([
			{ columns: ['amount'], rowFilter: `"status" IN ('B', 'D')` },
			{ columns: ['status'], rowFilter: `"status" = 'A'` },
		]);
		await refused(test, post('alice', '/requests', body(others())), 409, 'union-not-exact');
		expect(await stateOf(second.view.id)).toBe('pending');
		expect((await test.world.call(decision('olga', second, 'reject'))).status).toBe(201);
		await test.world.call(post('alice', `/grants/${grant.id}/revoke`, { reason: 'over' }));
	});

	it('not even when both are approved at once: one is in force, the other opens nothing', async () => {
		const [first, second] = [await ask(inTrouble()), await ask(others())];
		const answers = await Promise.all([first, second].map((asked) => test.world.call(decision('olga', asked))));
		const grants = answers.flatMap((a) => (a.status === 201 ? [(a.body as { grant: GrantView }).grant] : []));
		expect(grants.filter((g) => g.state === 'granted')).toHaveLength(1);
		for (const lost of grants.filter((g) => g.state !== 'granted')) {
			expect([lost.state, lost.tables[0]?.reason]).toEqual(['failed', 'union-not-exact']);
		}
		expect(filtersOf(purpose, 'loans')).toHaveLength(1);
		const size = await ledgerSize(test.world);
		await test.bank.sweep();
		await test.bank.sweep();
		expect(await ledgerSize(test.world)).toBe(size);
	});

	it('and the exact ones are taken: more columns of the same rows, as one filter', async () => {
		await grantTo(test.world, 'alice', body(cells(['loan_id', 'duration'], "status = 'C'", 'credit-risk')));
		await grantTo(test.world, 'alice', body(cells(['loan_id', 'amount'], "status = 'C'", 'credit-risk')));
		expect(filtersOf('credit-risk', 'loans')).toEqual([
			{ columns: ['amount', 'duration', 'loan_id'], expression: `"status" = 'C'` },
		]);
	});

	it('and so are more rows of the same columns', async () => {
		const accounts = (rowFilter: string) => ({
			product: 'lending.accounts',
			tables: [{ table: 'accounts', columns: ['account_id', 'district_id'], rowFilter }],
		});
		const serving = { purpose, principal: principalOf(test.world, 'risk', purpose) };
		for (const district of [1, 2]) {
			await grantTo(test.world, 'alice', body({ ...accounts(`district_id = ${district}`), ...serving }));
		}
		expect(filtersOf(purpose, 'accounts')).toEqual([
			{ columns: ['account_id', 'district_id'], expression: '"district_id" IN (1, 2)' },
		]);
	});
});
