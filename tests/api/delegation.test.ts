/**
 * Who may let whom decide in his place, in which role and for how long; and that a delegate decides nothing that the giver
 * could not, and nothing of his own.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as Access from '#core/access.ts';
import { people } from '#local/people.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { deciding, delegationsIn, end, inDays, ofCustomers } from './delegations.ts';
import { decision, get, post, refused } from './harness.ts';
import type { Registration } from './registration.ts';

let test: TestBank;
const { identity, member, registered, changing, giving, give, ask, taken, as, tidy } = delegationsIn(() => test);

beforeAll(async () => {
	test = await testBank();
});
afterEach(tidy);
afterAll(() => test.close());

describe('nobody lets another decide', () => {
	it.each([
		['who holds no role', 'alice', {}],
		['an owner of another domain', 'peter', {}],
		['in a role that he does not hold', 'olga', { role: 'privacy-officer' }],
		['in a domain that there is not', 'olga', { domain: 'nosuch' }],
		['who holds another role in the domain', 'paula', ofCustomers],
	] as const)('403: %s', async (_, who, more) => {
		await refused(test, giving(who, 'ruth', more), 403, 'not-permitted');
	});

	it('403: a program, though it be an owner; a regulator likewise', async () => {
		await changing('lending', (b) => b.members.push(member('robot', ['owner'])));
		await refused(test, giving('robot', 'ruth'), 403, 'not-permitted');
		await registered('lending', (b) => b.members.push(member('rita', ['owner'])));
		await refused(test, giving('rita', 'ruth'), 403, 'not-permitted');
	});

	it('403: who was only let decide himself', async () => {
		await give('olga', 'ruth');
		await refused(test, giving('ruth', 'carl'), 403, 'not-permitted');
	});

	it.each([
		['somebody whom no domain has registered', 'nick', /no domain/],
		['himself', 'olga', /yourself/],
		['himself in another guise', 'olgaAsConsumer', /yourself/],
		['a program', 'robot', /program/],
		['a regulator', 'rita', /supervises/],
	] as const)('422: to %s', async (_, to, detail) => {
		const { errors } = await refused(test, giving('olga', to), 422, 'validation');
		expect(errors).toEqual([{ pointer: '/to', detail: expect.stringMatching(detail) }]);
	});

	it('422: to another holder of the role, in whatever guise', async () => {
		await changing('marketing', (b) => b.members.push(member('nick', ['consumer'], { actsFor: identity('petra') })));
		for (const to of ['petra', 'nick'] as const) {
			const { errors } = await refused(test, giving('peter', to, ofCustomers), 422, 'validation');
			expect(errors).toEqual([{ pointer: '/to', detail: expect.stringMatching(/owner of customers already/) }]);
		}
	});

	it.each([
		['that is over', { from: inDays(-2), until: inDays(-1) }, ['/from']],
		['that began', { from: inDays(-1) }, ['/from']],
		['that ends before it begins', { from: inDays(3), until: inDays(2) }, ['/until']],
		['that ends as it begins', { from: inDays(3), until: inDays(3) }, ['/until']],
		['beyond ninety days', { until: inDays(91) }, ['/until']],
		['that is no instant', { until: '2026-12-01' }, ['/until']],
		['without an end', { until: undefined }, ['/until']],
		['of another role', { role: 'consumer' }, ['/role']],
		['without a reason', { reason: '' }, ['/reason']],
		['to a pseudonym', { to: `per_${'0'.repeat(26)}` }, ['/to']],
		['whose giver he names', { giver: `per_${'0'.repeat(26)}` }, ['/giver']],
		['whose state he names', { state: 'in-force' }, ['/state']],
	])('422: %s', async (_, more, pointers) => {
		const { errors } = await refused(test, giving('olga', 'ruth', more), 422, 'validation');
		expect([...new Set(errors?.map((e) => e.pointer))]).toEqual(pointers);
	});
});

describe('nobody decides by a delegation', () => {
	it('422: that there is not, or that is somebody else’s: told apart by nothing', async () => {
		const { id } = await give('olga', 'carl');
		const asked = await ask();
		const absent = `dlg_${'0'.repeat(26)}`;
		const problems = [];
		for (const named of [id, absent])
			for (const who of ['alice', 'olga'] as const)
				problems.push(await refused(test, deciding(who, asked, named), 422, 'validation'));
		expect(new Set(problems.map((p) => JSON.stringify([p.detail, p.errors]))).size).toBe(1);
	});

	it('404: to whom the request is nothing, though he name one', async () => {
		const { id } = await give('olga', 'carl');
		await refused(test, deciding('ruth', await ask(), id), 404, 'not-found');
	});

	it('404: before it begins, and once it was ended; nobody else can end it', async () => {
		const ahead = await give('olga', 'ruth', { from: inDays(1) });
		const asked = await ask();
		await refused(test, deciding('ruth', asked, ahead.id), 404, 'not-found');
		await changing('lending', (b) => b.members.push(member('peter', ['owner'])));
		const { id } = await give('peter', 'ruth');
		await refused(test, deciding('ruth', asked, ahead.id), 403, 'not-permitted');
		expect((await test.world.call(get('ruth', `/requests/${asked.view.id}`))).status).toBe(200);
		await registered('lending');
		for (const who of ['petra', 'alice'] as const) await refused(test, end(who, id), 404, 'not-found');
		for (const [who, one] of [
			['peter', id],
			['olga', ahead.id],
		] as const) {
			expect((await test.world.call(end(who, one))).status).toBe(200);
			await refused(test, deciding('ruth', asked, one), 404, 'not-found');
			await refused(test, end(who, one), 409, 'conflict');
		}
	});

	it('404: from the instant of its end on, with no help from anybody', async () => {
		const { id, until } = await give('olga', 'ruth');
		const asked = await ask();
		const at = async (ms: number) => {
			const ctx = await as('ruth', new Date(Date.parse(until) + ms));
			const body = { verdict: 'reject' as const, delegation: id };
			return Access.decide(ctx, asked.view.id, body, asked.etag).then(
				({ request }) => request.state,
				(error: { code: string }) => error.code,
			);
		};
		expect([await at(0), await at(1), await at(-1)]).toEqual(['not-found', 'not-found', 'rejected']);
	});

	it('403: of another domain or role, or without naming it', async () => {
		await give('olga', 'ruth');
		const other = await give('peter', 'ruth', ofCustomers);
		const asked = await ask();
		await refused(test, decision('ruth', asked), 403, 'not-permitted');
		await refused(test, deciding('ruth', asked, other.id), 403, 'not-permitted');
		await changing('lending', (b) => b.members.push(member('paula', ['privacy-officer'])));
		const officers = await give('paula', 'ruth', { role: 'privacy-officer' });
		for (const verdict of ['approve', 'reject'])
			await refused(test, deciding('ruth', asked, officers.id, verdict), 403, 'not-permitted');
	});

	it('403: on what he asked or benefits from himself; 404 on what he asked in another guise', async () => {
		const alices = await give('olga', 'alice');
		const carls = await give('olga', 'carl');
		const beneficiaries = [identity('carl')];
		for (const verdict of ['approve', 'reject']) {
			await refused(test, deciding('alice', await ask(), alices.id, verdict), 403, 'self-approval');
			await refused(test, deciding('alice', await ask('robot'), alices.id, verdict), 404, 'not-found');
			await refused(
				test,
				deciding('carl', await ask('alice', { beneficiaries }), carls.id, verdict),
				403,
				'self-approval',
			);
		}
	});

	it('404: on what the giver asked, in whatever guise; 403 where he may decide in another’s place', async () => {
		const { id } = await give('olga', 'ruth');
		const asked = await ask('olgaAsConsumer');
		await refused(test, deciding('ruth', asked, id), 404, 'not-found');
		await changing('lending', (b) => b.members.push(member('peter', ['owner'])));
		const other = await give('peter', 'ruth');
		await refused(test, deciding('ruth', asked, id), 403, 'self-approval');
		expect((await taken(deciding('ruth', asked, other.id))).request.state).toBe('approved');
	});

	it('404: once the giver has lost the role, until he has it again', async () => {
		const { id } = await give('olga', 'ruth');
		const asked = await ask();
		await changing('lending', (b) => b.members.splice(0, 1, member('peter', ['owner'])));
		await refused(test, deciding('ruth', asked, id), 404, 'not-found');
		await registered('lending');
		expect((await taken(deciding('ruth', asked, id))).request.state).toBe('approved');
	});

	it('404: once he is a program, the giver himself, or of no domain any more', async () => {
		const { id } = await give('olga', 'ruth');
		const asked = await ask();
		const ruth = (b: Registration) => b.members.findIndex((m) => m.subject === people.ruth.subject);
		for (const more of [{ service: true }, { actsFor: identity('olga') }, null]) {
			const instead = more === null ? [] : [member('ruth', ['risk-officer'], more)];
			await changing('risk', (b) => b.members.splice(ruth(b), 1, ...instead));
			await refused(test, deciding('ruth', asked, id), 404, 'not-found');
		}
	});

	it('412 and 428: on a content that he did not see', async () => {
		const { id } = await give('olga', 'ruth');
		const { view } = await ask();
		await refused(test, deciding('ruth', { view, etag: '"other"' }, id), 412, 'stale');
		const blind = post('ruth', `/requests/${view.id}/decisions`, { verdict: 'approve', delegation: id });
		await refused(test, blind, 428, 'precondition-required');
	});
});
