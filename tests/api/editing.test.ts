/** Editing what was asked, and trying out what would be: refusals first, then that nothing approved before counts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DryRunView, RequestView } from '#core/access.ts';
import * as Ledger from '#core/ledger.ts';
import { type Handle, people } from '#local/people.ts';
import type { Call } from '#local/story/client.ts';
import { principalOf } from '#local/story/world.ts';
import { ledgerSize, type TestBank, testBank } from '#tests/fixtures.ts';
import { decision, expectRefusal, file, get, patch, post, refused, requestBody } from './harness.ts';
import { enrol } from './registration.ts';

let test: TestBank;

beforeAll(async () => {
	test = await testBank();
	await enrol(test, 'risk', { alice: ['consumer'], carl: ['consumer'], nick: ['consumer'] });
});

afterAll(() => test.close());

const body = (more: Record<string, unknown> = {}) => requestBody(test.world, more);
const ask = (more: Record<string, unknown> = {}) => file(test.world, 'alice', body(more));
type Asked = Awaited<ReturnType<typeof ask>>;
const identity = (who: Handle) => ({ issuer: test.bank.issuer.issuer, subject: people[who].subject });
const editing = (who: Handle, asked: Asked, edit: unknown) =>
	patch(who, `/requests/${asked.view.id}`, edit, { 'if-match': asked.etag });
const reading = async (who: Handle, { view }: Asked) =>
	(await test.world.call(get(who, `/requests/${view.id}`))).body as RequestView;

async function edited(who: Handle, asked: Asked, edit: unknown): Promise<Asked> {
	const { status, body: view, headers } = await test.world.call(editing(who, asked, edit));
	expect({ status, view }).toMatchObject({ status: 200 });
	return { view: view as RequestView, etag: headers.get('etag') ?? '' };
}

describe('an edit is refused', () => {
	it('403 to whoever decides, and to the regulator; 404 to whom it does not concern, like an unknown id', async () => {
		const asked = await ask();
		await refused(test, editing('olga', asked, { duration: 'P2D' }), 403, 'not-permitted');
		await refused(test, editing('rita', asked, { duration: 'P2D' }), 403, 'not-permitted');
		const absent = { ...asked, view: { ...asked.view, id: `req_${'0'.repeat(26)}` } };
		for (const who of ['mia', 'peter', 'carl'] as const) {
			const hidden = await refused(test, editing(who, asked, { duration: 'P2D' }), 404, 'not-found');
			const unknown = await refused(test, editing(who, absent, { duration: 'P2D' }), 404, 'not-found');
			expect({ ...hidden, instance: '', traceId: '' }).toEqual({ ...unknown, instance: '', traceId: '' });
		}
	});

	it('428 without If-Match, 412 with that of another content', async () => {
		const asked = await ask();
		const path = `/requests/${asked.view.id}`;
		await refused(test, patch('alice', path, { duration: 'P2D' }), 428, 'precondition-required');
		await refused(test, editing('alice', { ...asked, etag: '"0"' }, { duration: 'P2D' }), 412, 'stale');
		await edited('alice', asked, { duration: 'P2D' });
		await refused(test, editing('alice', asked, { duration: 'P3D' }), 412, 'stale');
	});

	it('422 for nothing, and for what nobody could ask for', async () => {
		const asked = await ask();
		const at = async (edit: Record<string, unknown>, code: 'validation' | 'column-not-found', pointer: string) => {
			const problem = await refused(test, editing('alice', asked, edit), 422, code);
			expect(problem.errors?.map((e) => e.pointer)).toContain(pointer);
		};
		await at({}, 'validation', '');
		await at({ duration: 'P367D' }, 'validation', '/duration');
		await at({ tables: [{ table: 'loans', columns: ['nosuch'] }] }, 'column-not-found', '/tables/0/columns');
		await at({ beneficiaries: [identity('mia')] }, 'validation', '/beneficiaries/0');
		await at({ purpose: 'model-validation' }, 'validation', '/purpose');
		expect(await reading('alice', asked)).toEqual(asked.view);
	});

	it('403 or 422 for a principal of another domain, even where the caller consumes there, too', async () => {
		const purpose = 'service-improvement';
		const principal = principalOf(test.world, 'marketing', purpose);
		const asked = await ask();
		await refused(test, editing('alice', asked, { principal }), 403, 'not-permitted');
		await enrol(test, 'marketing', { mia: ['consumer'], alice: ['consumer'] });
		const problem = expectRefusal(
			await test.world.call(editing('alice', asked, { principal, purpose, beneficiaries: [identity('alice')] })),
			422,
			'purpose-not-allowed',
		);
		expect(problem.status).toBe(422);
		await enrol(test, 'marketing', { mia: ['consumer'] });
		expect(await reading('alice', asked)).toEqual(asked.view);
	});

	const ends: [string, (asked: Asked) => Call][] = [
		['rejected', (asked) => decision('olga', asked, 'reject')],
		['cancelled', (asked) => post('alice', `/requests/${asked.view.id}/cancel`)],
	];
	it.each(ends)('409 once it is %s', async (_, end) => {
		const asked = await ask();
		await test.world.call(end(asked));
		await refused(test, editing('alice', asked, { duration: 'P2D' }), 409, 'already-decided');
	});
});

describe('what an edit says', () => {
	it('stands in place of all that was asked, and what is not named stays', async () => {
		const asked = await ask({ beneficiaries: [identity('alice'), identity('carl')] });
		const principal = principalOf(test.world, 'risk', 'model-validation');
		const edit = {
			purpose: 'model-validation',
			principal,
			tables: [{ table: 'loans', columns: ['status', 'loan_id'] }],
		};
		const { view, etag } = await edited('carl', asked, edit);
		expect(etag).not.toBe(asked.etag);
		expect(etag).toBe(`"${view.contentHash}"`);
		expect(view).toEqual({
			...asked.view,
			purpose: 'model-validation',
			principal,
			tables: [{ table: 'lending.loans', columns: ['loan_id', 'status'], rowFilter: null }],
			contentHash: view.contentHash,
			lapsesAt: view.lapsesAt,
		});
		expect(await reading('olga', asked)).toEqual(view);
		const { grant } = (await test.world.call(decision('olga', { view, etag }))).body as {
			grant: { id: string; principal: string; purpose: string; tables: { rowFilter: string | null }[] };
		};
		expect(grant).toMatchObject({ principal, purpose: 'model-validation', tables: [{ rowFilter: null }] });
		await test.world.call(post('olga', `/grants/${grant.id}/revoke`, { reason: 'over' }));
	});

	it('makes whoever said it a party: an owner who edited for another does not decide', async () => {
		await enrol(test, 'lending', { olga: ['owner'], nick: ['owner'] });
		const asked = await ask({ beneficiaries: [identity('alice'), identity('nick')] });
		const again = await edited('nick', asked, { beneficiaries: [identity('alice')] });
		expect(again.view.beneficiaries).toHaveLength(1);
		await refused(test, decision('nick', again), 403, 'self-approval');
		await enrol(test, 'lending', { olga: ['owner'] });
	});

	it('is decided on by nobody who saw what was before', async () => {
		const asked = await ask();
		const again = await edited('alice', asked, { tables: [{ table: 'loans', columns: ['loan_id', 'amount'] }] });
		await refused(test, decision('olga', asked), 412, 'stale');
		expect((await reading('alice', again)).state).toBe('pending');
	});

	it('and an approval at once: one of them is first, and nothing is granted but what was seen', async () => {
		const asked = await ask({ product: 'lending.accounts', tables: [{ table: 'accounts', columns: ['account_id'] }] });
		const edit = { tables: [{ table: 'accounts', columns: ['account_id', 'district_id'] }] };
		const [approved, changed] = await Promise.all([
			test.world.call(decision('olga', asked)),
			test.world.call(editing('alice', asked, edit)),
		]);
		expect([approved.status, changed.status].filter((s) => s < 300)).toHaveLength(1);
		const { state, tables, grant } = await reading('alice', asked);
		expect([state, tables[0]?.columns]).toEqual(
			approved.status === 201 ? ['approved', ['account_id']] : ['pending', ['account_id', 'district_id']],
		);
		if (grant !== null) await test.world.call(post('olga', `/grants/${grant}/revoke`, { reason: 'over' }));
	});
});

describe('an edit of personal data', () => {
	it('drops the approval that was given before', async () => {
		const purpose = 'service-improvement';
		const asked = await file(
			test.world,
			'mia',
			body({
				product: 'customers.clients',
				tables: [{ table: 'clients', columns: ['client_id', 'district_id'], rowFilter: 'district_id = 7' }],
				purpose,
				principal: principalOf(test.world, 'marketing', purpose),
			}),
		);
		const { request } = (await test.world.call(decision('peter', asked))).body as { request: RequestView };
		expect(request.awaiting).toEqual(['privacy-officer']);
		const again = await edited('mia', asked, { justification: 'For another reason' });
		expect([again.view.awaiting, again.view.justification]).toEqual([
			['owner', 'privacy-officer'],
			'For another reason',
		]);
		await refused(test, decision('paula', asked), 412, 'stale');
		const { grant } = (await test.world.call(decision('paula', again))).body as { grant: unknown };
		expect(grant).toBeNull();
	});
});

describe('a dry run', () => {
	const trying = (who: Handle, more: Record<string, unknown> = {}) => post(who, '/requests?dryRun=true', body(more));

	it('is refused as filing is', async () => {
		const columns = ['nosuch'];
		await refused(test, trying('alice', { tables: [{ table: 'loans', columns }] }), 422, 'column-not-found');
		await refused(test, trying('alice', { purpose: 'fraud-detection' }), 422, 'validation');
		await refused(test, trying('mia'), 403, 'not-permitted');
		await refused(test, trying('alice', { state: 'approved' }), 422, 'validation');
		await refused(test, post('alice', '/requests?dryRun=yes', body()), 422, 'validation');
	});

	it('says what filing then files, and stores nothing', async () => {
		const { items } = await Ledger.rawPage(test.bank.platform, null, 1);
		expect(items).toHaveLength(1);
		const before = await ledgerSize(test.world);
		const { status, body: tried } = await test.world.call(trying('alice'));
		expect({ status, tried }).toMatchObject({ status: 200 });
		expect(await ledgerSize(test.world)).toBe(before);
		const { preview, autoApproval, legalBasis, ...said } = tried as DryRunView;
		const { view } = await ask();
		expect(view).toMatchObject(said);
		expect([autoApproval, legalBasis]).toEqual([null, expect.stringMatching(/./)]);
		expect(preview.tables.map((t) => t.after)).toEqual(
			view.tables.map(({ columns, rowFilter }) => ({ columns, rowFilter })),
		);
	});
});
