/** Several requests at once, and going on from a grant: all or none is filed, cut off or not. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AccessRequest, RequestView } from '#core/access.ts';
import * as Access from '#core/access.ts';
import type { Context } from '#core/context.ts';
import * as Domains from '#core/domains.ts';
import type { GrantView } from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import { type Handle, people } from '#local/people.ts';
import type { Call } from '#local/story/client.ts';
import { principalOf } from '#local/story/world.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { decision, get, grantTo, patch, post, refused, requestBody, rowsOf } from './harness.ts';
import { enrol } from './registration.ts';

let test: TestBank;
/** Writes to the ledger that still pass; the next one fails, and all after it, until this is null again. */
let left: number | null = null;

beforeAll(async () => {
	test = await testBank();
	test.bank.platform.aws.dynamodb.middlewareStack.add(
		(next, context) => async (args) => {
			if (left === null || context.commandName !== 'ExecuteStatementCommand') return next(args);
			left -= 1;
			if (left < 0) throw new Error('injected: cut off');
			return next(args);
		},
		{ step: 'initialize', name: 'cut' },
	);
});

afterAll(() => test.close());

type Filed = { readonly batch: string; readonly requests: RequestView[] };

const loans = (more: Record<string, unknown> = {}) => requestBody(test.world, more);
const accounts = (more: Record<string, unknown> = {}) =>
	loans({
		product: 'lending.accounts',
		tables: [{ table: 'accounts', columns: ['account_id', 'district_id'] }],
		...more,
	});
const all = (requests: unknown[], who: Handle = 'alice', headers: Record<string, string> = {}) =>
	post(who, '/requests/batch', { requests }, headers);

async function filed(requests: unknown[], headers: Record<string, string> = {}): Promise<Filed> {
	const { status, body } = await test.world.call(all(requests, 'alice', headers));
	expect({ status, body }).toMatchObject({ status: 200 });
	return body as Filed;
}

async function alices(): Promise<RequestView[]> {
	const { body } = await test.world.call(get('alice', '/requests?pageSize=100'));
	return (body as { requests: RequestView[] }).requests;
}

describe('a batch files nothing', () => {
	it('where one of it could not be filed, and says which', async () => {
		const bad = accounts({ tables: [{ table: 'accounts', columns: ['nosuch'] }] });
		const problem = await refused(test, all([loans(), bad]), 422, 'column-not-found');
		expect(problem.errors?.map((e) => e.pointer)).toEqual(['/requests/1/tables/0/columns']);
		const purpose = await refused(test, all([loans({ purpose: 'fraud-detection' }), loans()]), 422, 'validation');
		expect(purpose.errors?.map((e) => e.pointer)).toContain('/requests/0/purpose');
		const shape = await refused(test, all([loans(), loans({ state: 'approved' })]), 422, 'validation');
		expect(shape.errors?.map((e) => e.pointer)).toEqual(['/requests/1/state']);
	});

	it('of a product that is not there', async () => {
		const problem = await refused(test, all([loans(), loans({ product: 'lending.nosuch' })]), 404, 'not-found');
		expect(problem.errors?.map((e) => e.pointer)).toEqual(['/requests/1']);
	});

	it('by somebody who may not ask for one of it', async () => {
		await refused(test, all([loans()], 'mia'), 403, 'not-permitted');
	});

	it('with none, and with more than twenty', async () => {
		await refused(test, all([]), 422, 'validation');
		await refused(test, all(Array.from({ length: 21 }, () => loans())), 422, 'validation');
	});

	it('that together would open cells that nobody approves, though each alone would not', async () => {
		const one = loans({ tables: [{ table: 'loans', columns: ['loan_id', 'status'], rowFilter: "status = 'A'" }] });
		const other = loans({ tables: [{ table: 'loans', columns: ['loan_id', 'amount'], rowFilter: "status = 'B'" }] });
		const problem = await refused(test, all([one, accounts(), other]), 409, 'union-not-exact');
		expect(problem.errors?.map((e) => e.pointer)).toEqual(['/requests/2/tables/0']);
		const purpose = 'model-validation';
		const principal = principalOf(test.world, 'risk', purpose);
		const { requests } = await filed([one, { ...other, purpose, principal }]);
		expect(requests).toHaveLength(2);
	});
});

it('a batch is requests like any other, that share an id', async () => {
	const { batch, requests } = await filed([loans(), accounts()]);
	expect(requests.map((r) => [r.product, r.batch, r.state])).toEqual([
		['lending.loans', batch, 'pending'],
		['lending.accounts', batch, 'pending'],
	]);
	const [first] = requests;
	if (first === undefined) throw new Error('nothing was filed');
	const asked = { view: first, etag: `"${first.contentHash}"` };
	expect((await test.world.call(decision('olga', asked, 'reject'))).status).toBe(201);
	const { body } = await test.world.call(get('alice', `/requests/${requests[1]?.id}`));
	expect((body as RequestView).state).toBe('pending');
});

describe('a batch that was cut off', () => {
	const wanted = () => [loans({ duration: 'P2D' }), accounts({ duration: 'P3D' }), accounts({ duration: 'P4D' })];

	// A payload and an entry for each.
	it.each([0, 1, 2, 3, 4, 5])('after %i writes goes on under its key, and files each once', async (writes) => {
		const before = (await alices()).length;
		const headers = { 'idempotency-key': randomUUID() };
		left = writes;
		const cut = await test.world.call(all(wanted(), 'alice', headers));
		left = null;
		expect(cut.status).toBeGreaterThanOrEqual(500);
		expect((await alices()).length).toBe(before + Math.floor(writes / 2));
		const done = await filed(wanted(), headers);
		expect(done.requests.map((r) => [r.duration, r.batch])).toEqual(['P2D', 'P3D', 'P4D'].map((d) => [d, done.batch]));
		expect((await alices()).length).toBe(before + 3);
		expect(await filed(wanted(), headers)).toEqual(done);
		for (const { id } of done.requests) {
			expect(await Ledger.read(test.bank.platform, Ledger.stream.request(id))).toHaveLength(1);
		}
	});

	it('is another one under another key, or with none', async () => {
		const [a, b, c] = [
			await filed([loans()], { 'idempotency-key': randomUUID() }),
			await filed([loans()], { 'idempotency-key': randomUUID() }),
			await filed([loans()]),
		];
		expect(new Set([a, b, c].flatMap(({ batch, requests }) => [batch, ...requests.map((r) => r.id)])).size).toBe(6);
	});
});

describe('a batch that is filed again', () => {
	const rows = (status: string, columns = ['loan_id', 'status']) =>
		loans({ tables: [{ table: 'loans', columns, rowFilter: `status = '${status}'` }] }) as AccessRequest;
	const wide = (status: string) => rows(status, ['amount', 'loan_id', 'status']);
	const revoke = (id: string) => test.world.call(post('olga', `/grants/${id}/revoke`, { reason: 'over' }));

	async function alice(): Promise<Context> {
		const now = new Date();
		const identity = { issuer: test.bank.issuer.issuer, subject: people.alice.subject };
		const caller = await Domains.callerOf({ ...test.bank.platform, now }, identity);
		return { ...test.bank.platform, caller, now, trace: '0'.repeat(32) };
	}

	it('is found, whatever was granted meanwhile: nothing is left to be checked', async () => {
		const requests = [rows('A'), rows('B')];
		const call = { seed: randomUUID(), began: new Date() };
		const done = await Access.submitAll(await alice(), { requests }, call);
		const grant = await grantTo(test.world, 'alice', wide('C'));
		const again = await Access.submitAll(await alice(), { requests }, call);
		expect(again.requests.map((r) => r.id)).toEqual(done.requests.map((r) => r.id));
		await revoke(grant.id);
	});

	it('is checked beside those of it that are still to be decided on, and no others', async () => {
		const requests = [rows('A'), rows('B')];
		const call = { seed: randomUUID(), began: new Date() };
		left = 2;
		await expect(Access.submitAll(await alice(), { requests }, call)).rejects.toThrow();
		left = null;
		const grant = await grantTo(test.world, 'alice', wide('B'));
		const refusing = Access.submitAll(await alice(), { requests }, call);
		await expect(refusing).rejects.toMatchObject({ code: 'union-not-exact' });
		const first = (await alices()).find(({ tables }) => tables[0]?.rowFilter === `"status" = 'A'`);
		if (first === undefined) throw new Error('nothing was filed');
		const asked = { view: first, etag: `"${first.contentHash}"` };
		expect((await test.world.call(decision('olga', asked, 'reject'))).status).toBe(201);
		const { requests: found } = await Access.submitAll(await alice(), { requests }, call);
		expect(found.map((r) => r.state)).toEqual(['rejected', 'pending']);
		expect(found[0]?.id).toBe(first.id);
		await revoke(grant.id);
	});
});

describe('going on from a grant', () => {
	const purpose = 'model-validation';
	const cells = () => {
		const tables = [{ table: 'loans', columns: ['loan_id', 'status'], rowFilter: "status = 'D'" }];
		return loans({ tables, purpose, principal: principalOf(test.world, 'risk', purpose) });
	};
	const again = { duration: 'P5D', justification: 'The review goes on' };
	const renewing = (who: Handle, id: string, body: object = again) => post(who, `/grants/${id}/renew`, body);
	const revoke = (id: string) => test.world.call(post('olga', `/grants/${id}/revoke`, { reason: 'over' }));

	it('is for who benefits: 403 to the owner, 404 to whom it does not concern, 409 once it is over', async () => {
		const grant = await grantTo(test.world, 'alice', cells());
		await refused(test, renewing('olga', grant.id), 403, 'not-permitted');
		await refused(test, renewing('mia', grant.id), 404, 'not-found');
		await refused(test, renewing('alice', `grt_${'0'.repeat(26)}`), 404, 'not-found');
		await refused(test, renewing('alice', grant.id, { ...again, duration: 'P367D' }), 422, 'validation');
		await refused(test, renewing('alice', grant.id, { ...again, tables: [] }), 422, 'validation');
		await revoke(grant.id);
		await refused(test, renewing('alice', grant.id), 409, 'conflict');
	});

	it('asks for what it opens now, and leads to a grant beside it, without a gap', async () => {
		const grant = await grantTo(test.world, 'alice', cells());
		const less = { tables: [{ table: 'loans', columns: ['loan_id'] }], reason: 'Less will do' };
		await test.world.call(post('olga', `/grants/${grant.id}/narrow`, less));
		const answer = await test.world.call(renewing('alice', grant.id));
		const view = answer.body as RequestView;
		expect(answer.status).toBe(201);
		expect(answer.headers.get('location')).toBe(`/api/v1/requests/${view.id}`);
		expect(view).toMatchObject({
			renews: grant.id,
			state: 'pending',
			tables: [{ columns: ['loan_id'], rowFilter: `"status" = 'D'` }],
			principal: grant.principal,
			beneficiaries: grant.beneficiaries,
			...again,
		});
		const asked = { view, etag: answer.headers.get('etag') ?? '' };
		const { grant: next } = (await test.world.call(decision('olga', asked))).body as { grant: GrantView };
		expect(next.state).toBe('granted');
		expect(next.id).not.toBe(grant.id);
		expect((await test.world.call(get('alice', `/grants/${grant.id}`))).body).toMatchObject({ state: 'granted' });
		const sql = 'SELECT loan_id FROM lending.loans';
		const rows = await rowsOf(test.world, 'alice', sql, grant.principal);
		await revoke(grant.id);
		expect(await rowsOf(test.world, 'alice', sql, grant.principal)).toEqual(rows);
		await revoke(next.id);
	}, 90_000);

	it('leaves out who has left the domain', async () => {
		await enrol(test, 'risk', { alice: ['consumer'], carl: ['consumer'] });
		const { issuer } = test.bank.issuer;
		const beneficiaries = ['u-7f3a91c4', 'u-c3917e5b'].map((subject) => ({ issuer, subject }));
		const grant = await grantTo(test.world, 'alice', { ...cells(), beneficiaries });
		await enrol(test, 'risk', { alice: ['consumer'] });
		const { body } = await test.world.call(renewing('alice', grant.id));
		expect((body as RequestView).beneficiaries).toEqual([(body as RequestView).requester]);
		await revoke(grant.id);
	});
});

describe('422 for members that nobody is asked for, in every body; nothing is stored', () => {
	const names =
		'status state approver approvedBy expiresAt route grantId requester seq contentHash outcome batch renews'.split(
			' ',
		);
	const placed = (body: object) => ({ ...body, ...Object.fromEntries(names.map((name) => [name, 'approved'])) });
	const id = `req_${'0'.repeat(26)}`;
	const grants = `/grants/grt_${'0'.repeat(26)}`;
	const headers = { 'if-match': '"0"' };
	const duration = 'P2D';

	const bodies: [string, () => Call, string][] = [
		['a request', () => post('alice', '/requests', placed(loans())), ''],
		['a dry run', () => post('alice', '/requests?dryRun=true', placed(loans())), ''],
		[
			'a table',
			() => post('alice', '/requests', loans({ tables: [placed({ table: 'loans', columns: ['a'] })] })),
			'/tables/0',
		],
		['a batch', () => post('alice', '/requests/batch', placed({ requests: [loans()] })), ''],
		['one of a batch', () => all([loans(), placed(loans())]), '/requests/1'],
		['an edit', () => patch('alice', `/requests/${id}`, placed({ duration }), headers), ''],
		['a decision', () => post('olga', `/requests/${id}/decisions`, placed({ verdict: 'approve' }), headers), ''],
		[
			'what a decision leaves',
			() => post('olga', `/requests/${id}/decisions`, { verdict: 'approve', narrow: placed({ duration }) }, headers),
			'/narrow',
		],
		['a renewal', () => post('alice', `${grants}/renew`, placed({ duration, justification: 'On' })), ''],
		[
			'a narrowing',
			() => post('olga', `${grants}/narrow`, placed({ tables: [{ table: 'loans' }], reason: 'Less' })),
			'',
		],
	];
	it.each(bodies)('%s', async (_, call, at) => {
		const problem = await refused(test, call(), 422, 'validation');
		expect(problem.errors?.map((e) => e.pointer).toSorted()).toEqual(names.map((n) => `${at}/${n}`).toSorted());
	});
});
