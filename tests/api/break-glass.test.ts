/**
 * Access in an emergency: who may take it and for how long, that whatever refuses a request refuses it, too, and that
 * nobody is put in the place of the approvers.
 */
import { describe, expect, it } from 'vitest';
import type { Handle } from '#local/people.ts';
import { type Body, emergencies, REASON, REVIEW_MS } from './emergencies.ts';
import { decision, file, grantTo, patch, post, refused, requestBody, rowsOf } from './harness.ts';

const desk = emergencies();
const { breaking, taken, grantOf, entriesOf, told, sweepAt, giveRoles } = desk;

describe('nobody takes access in an emergency', () => {
	it.each<[string, Handle]>([
		['who is a consumer and no risk officer', 'alice'],
		['who owns the product', 'olga'],
		['who governs the mesh', 'stella'],
		['who supervises it', 'rita'],
	])('%s', async (_, who) => {
		await refused(desk.test, breaking(who), 403, 'not-permitted');
	});

	it('who is a risk officer of another domain, or of this one and no consumer', async () => {
		await giveRoles('lending', 'alice', ['risk-officer']);
		await refused(desk.test, breaking('alice'), 403, 'not-permitted');
		await giveRoles('risk', 'ruth', ['risk-officer']);
		await refused(desk.test, breaking('ruth'), 403, 'not-permitted');
	});

	it('as a program', async () => {
		await giveRoles('risk', 'robot', ['consumer', 'risk-officer']);
		const { detail } = await refused(desk.test, breaking('robot'), 403, 'not-permitted');
		expect(detail).toContain('programs-decide-nothing');
	});

	it.each<[string, Body, number, string, string | null]>([
		['for more than eight hours', { duration: 'PT8H1S' }, 422, 'request-refused', '/duration'],
		['for days', { duration: 'P30D' }, 422, 'request-refused', '/duration'],
		['without a word on what it is', { reason: undefined }, 422, 'validation', '/reason'],
		['with a word alone', { reason: 'Emergency' }, 422, 'validation', '/reason'],
		['with blanks after it', { reason: `Emergency${' '.repeat(40)}` }, 422, 'validation', '/reason'],
		['with what nobody sees', { reason: '\u200b'.repeat(40) }, 422, 'validation', '/reason'],
		['with NULs', { reason: '\u0000'.repeat(40) }, 422, 'validation', '/reason'],
		['with half a character', { reason: `${REASON} \ud800` }, 422, 'validation', '/reason'],
		[
			'for others',
			{ beneficiaries: [{ issuer: 'https://x.example', subject: 'u-1' }] },
			422,
			'validation',
			'/beneficiaries',
		],
		['with a justification beside', { justification: 'A review' }, 422, 'validation', '/justification'],
		[
			'with members that are not his to say',
			{ reviewDue: '2030-01-01T00:00:00.000Z' },
			422,
			'validation',
			'/reviewDue',
		],
		['or without a review', { breakGlass: null }, 422, 'validation', '/breakGlass'],
		['of a product that there is not', { product: 'lending.nosuch' }, 404, 'not-found', null],
		[
			'for a purpose that the contract does not allow',
			{ purpose: 'fraud-detection', principal: 'arn:aws:iam::210000000004:role/fairlead-risk-fraud-detection' },
			422,
			'purpose-not-allowed',
			'/purpose',
		],
		['for another purpose than the principal serves', { purpose: 'model-validation' }, 422, 'validation', '/purpose'],
		[
			'of rows in no grammar',
			{ tables: [{ table: 'loans', columns: ['loan_id'], rowFilter: 'loan_id = (' }] },
			422,
			'row-filter-invalid',
			'/tables/0/rowFilter',
		],
	])('%s', async (_, more, status, code, pointer) => {
		const problem = await refused(desk.test, breaking('ruth', more), status, code as 'validation');
		if (pointer !== null) expect(problem.errors?.map((e) => e.pointer)).toContain(pointer);
	});

	it('of a raw column that a token stands for', async () => {
		const tables = [{ table: 'clients', columns: ['client_id', 'birth_number'] }];
		const asked = { product: 'customers.clients', tables };
		for (const call of [breaking('ruth', asked), post('ruth', '/requests', requestBody(desk.test.world, asked))]) {
			const { policies } = await refused(desk.test, call, 422, 'purpose-not-allowed');
			expect(policies).toContain('raw-column-stays-home');
		}
	});

	it('that would add up with what the principal holds to cells that nobody approved', async () => {
		const { id } = await grantTo(desk.test.world, 'alice', requestBody(desk.test.world));
		const tables = [{ table: 'loans', columns: ['amount', 'loan_id'], rowFilter: "status = 'A'" }];
		await refused(desk.test, breaking('ruth', { tables }), 409, 'union-not-exact');
		await desk.test.world.call(post('olga', `/grants/${id}/revoke`, { reason: 'over' }));
	});
});

describe('access in an emergency', () => {
	it('is open at once, for him alone, until the hours are over', async () => {
		const { request, grant } = await taken();
		expect(request).toMatchObject({ state: 'approved', awaiting: [], route: ['owner'], grant: grant?.id });
		expect(grant).toMatchObject({ state: 'granted', beneficiaries: [request.requester] });
		expect(Date.parse(grant?.until ?? '') - Date.parse(grant?.from ?? '')).toBe(4 * 3_600_000);
		const due = new Date(Date.parse(grant?.until ?? '') + REVIEW_MS).toISOString();
		const shown = { reason: REASON, reviewDue: due, overdue: false, review: null };
		expect([request.breakGlass, grant?.breakGlass]).toEqual([shown, shown]);
		expect((await grantOf('olga', request.grant)).breakGlass).toEqual(shown);
		expect((await rowsOf(desk.test.world, 'ruth', 'SELECT loan_id FROM lending.loans')).length).toBeGreaterThan(0);
		await refused(
			desk.test,
			post('alice', '/queries', { sql: 'SELECT loan_id FROM lending.loans', principal: grant?.principal }),
			403,
			'table-not-granted',
		);
		await sweepAt(new Date(grant?.until ?? ''));
		expect((await grantOf('ruth', request.grant)).state).toBe('expired');
	});

	it('is recorded as decided by nobody, with the rules that let it, and its reason in no leaf', async () => {
		const { request } = await taken();
		const [filed, decided, ...more] = await entriesOf(request.id);
		expect(more).toEqual([]);
		const { until, reviewDue } = {
			until: decided?.body.type === 'AccessDecided' ? decided.body.until : '',
			reviewDue: request.breakGlass?.reviewDue,
		};
		expect(filed?.body).toMatchObject({ type: 'AccessRequested', route: ['owner'], breakGlass: { until, reviewDue } });
		expect(decided?.body).toMatchObject({
			type: 'AccessDecided',
			as: 'break-glass',
			outcome: 'approved',
			contentHash: request.contentHash,
			rules: { policies: ['break-glass-by-risk-officers'] },
		});
		expect(decided?.entry.actor).toBe('system');
		expect(JSON.stringify([filed?.entry, decided?.entry])).not.toContain('Incident');
	});

	it('is told in the log before it opens, by its id', async () => {
		const { request } = await taken();
		expect(told('access: glass broken', request.id)).toMatchObject([{ level: 40, error: 'BreakGlass' }]);
	});

	it('is for nobody to approve, to change or to prolong', async () => {
		const { request, grant } = await taken();
		const asked = { view: request, etag: `"${request.contentHash}"` };
		await refused(desk.test, decision('olga', asked), 409, 'already-decided');
		await refused(
			desk.test,
			patch('ruth', `/requests/${request.id}`, { duration: 'P1D' }, { 'if-match': asked.etag }),
			409,
			'already-decided',
		);
		const renewal = { duration: 'P30D', justification: 'It goes on' };
		const problem = await refused(desk.test, post('ruth', `/grants/${grant?.id}/renew`, renewal), 409, 'conflict');
		expect(problem.detail).toContain('file a request');
	});

	it('approves nothing else: a request for the same goes its way', async () => {
		await taken();
		const { view } = await file(desk.test.world, 'ruth', requestBody(desk.test.world, { duration: 'PT4H' }));
		expect(view).toMatchObject({ state: 'pending', awaiting: ['owner'], breakGlass: null });
		await desk.test.world.call(post('ruth', `/requests/${view.id}/cancel`));
	});
});
