/**
 * An approval and a revocation cut off at each write to the ledger, before or after the write took effect. The sweep
 * brings the same end as without the cut; nothing acknowledged is lost, nothing half-done stays, the ledger verifies.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as Access from '#core/access.ts';
import * as Grants from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import { COLUMNS, LOANS, ROW_FILTER } from '#local/story/access.ts';
import type { Answer } from '#local/story/client.ts';
import { ask, expectBody, startQuery } from '#local/story/world.ts';
import { inLakeFormation, type TestBank, testBank } from './fixtures.ts';

/** Not for `npm test`, where tests/faults.test.ts has some of these cuts. */
const soak = process.env['FAIRLEAD_SOAK'] !== undefined;

let test: TestBank;
/** The write to cut off, counted from when it was set; all writes after it fail, too: the process is gone. */
let cut: { left: number; when: 'before' | 'after' } | null = null;

beforeAll(async () => {
	test = await testBank();
	test.bank.platform.aws.dynamodb.middlewareStack.add(
		(next, context) => async (args) => {
			if (cut === null || context.commandName !== 'ExecuteStatementCommand') return next(args);
			cut.left -= 1;
			if (cut.left > 0) return next(args);
			if (cut.left === 0 && cut.when === 'after') await next(args);
			throw new Error('injected: cut off');
		},
		{ step: 'initialize', name: 'cut' },
	);
});

afterAll(() => test.close());

const asking = { product: LOANS, columns: COLUMNS, rowFilter: ROW_FILTER, purpose: 'credit-risk', duration: 'P1D' };

async function cutting<T>(left: number, when: 'before' | 'after', work: () => Promise<T>): Promise<T> {
	cut = { left, when };
	try {
		return await work();
	} finally {
		cut = null;
	}
}

const decide = (asked: Answer) =>
	test.world.call({
		who: 'olga',
		method: 'POST',
		path: `/api/v1/requests/${expectBody(asked, 201, Access.RequestView).id}/decisions`,
		body: { verdict: 'approve' },
		headers: { 'if-match': asked.headers.get('etag') ?? '' },
	});

const revoke = (id: string) =>
	test.world.call({ who: 'olga', method: 'POST', path: `/api/v1/grants/${id}/revoke`, body: { reason: 'over' } });

const requestOf = async (asked: Answer) => {
	const { id } = expectBody(asked, 201, Access.RequestView);
	return expectBody(await test.world.call({ who: 'alice', path: `/api/v1/requests/${id}` }), 200, Access.RequestView);
};

const grantOf = async (id: string) =>
	expectBody(await test.world.call({ who: 'alice', path: `/api/v1/grants/${id}` }), 200, Grants.GrantView);

async function approved(): Promise<string> {
	const asked = await ask(test.world, asking);
	expect((await decide(asked)).status).toBe(201);
	const { grant } = await requestOf(asked);
	expect((await grantOf(grant ?? '')).state).toBe('granted');
	return grant ?? '';
}

const mayRead = async () => (await startQuery(test.world, 'SELECT loan_id FROM lending.loans')).status === 202;

async function nothingStays(): Promise<void> {
	const { filters, permissions } = inLakeFormation(test.bank);
	expect([filters, permissions]).toEqual([[], []]);
	expect(await mayRead()).toBe(false);
	expect((await Ledger.verifyAll(test.bank.platform)).findings).toEqual([]);
}

describe.runIf(soak).each(['before', 'after'] as const)('cut off %s the write', (when) => {
	// Decision, grant, entitlement, proof, outcome: with the payload of the decision's comment absent, five writes.
	it.each([1, 2, 3, 4, 5])('number %i of an approval: granted after the sweep, or not decided', async (left) => {
		const asked = await ask(test.world, asking);
		const answer = await cutting(left, when, () => decide(asked));
		await test.bank.sweep();
		const decisionStored = left > 1 || when === 'after';
		expect(answer.status).toBe(left > 1 ? 201 : 503);
		expect((await requestOf(asked)).state).toBe(decisionStored ? 'approved' : 'pending');
		if (!decisionStored) expect((await decide(asked)).status).toBe(201);
		const { grant } = await requestOf(asked);
		expect((await grantOf(grant ?? '')).state).toBe('granted');
		expect(await mayRead()).toBe(true);
		expect((await revoke(grant ?? '')).status).toBe(202);
		await test.bank.sweep();
		await nothingStays();
	});

	// The reason's payload, ending, entitlement shut, entitlement settled, outcome.
	it.each([1, 2, 3, 4, 5])('number %i of a revocation: gone after the sweep, or not begun', async (left) => {
		const id = await approved();
		const answer = await cutting(left, when, () => revoke(id));
		const acknowledged = answer.status === 202;
		if (acknowledged) expect(await mayRead()).toBe(false);
		await test.bank.sweep();
		const begun = left > 2 || (left === 2 && when === 'after');
		expect((await grantOf(id)).state).toBe(begun ? 'revoked' : 'granted');
		if (!begun) expect((await revoke(id)).status).toBe(202);
		await test.bank.sweep();
		await nothingStays();
	});
});
