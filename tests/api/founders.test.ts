/** Founders hold the registry until the first steward is named, and no longer. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { people } from '#local/people.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { get } from './harness.ts';

let test: TestBank;
const domain = (account: string, members: unknown[] = []) => ({ name: 'A domain', account, members, principals: [] });
const put = (who: keyof typeof people, id: string, body: unknown) => ({
	who,
	method: 'PUT' as const,
	path: `/api/v1/domains/${id}`,
	body,
});

beforeAll(async () => {
	test = await testBank({ registered: false });
});
afterAll(() => test.close());

it('stewards only as long as there is none; a steward named by a founder then decides alone', async () => {
	const { world, bank } = test;
	expect((await world.call(put('stella', 'treasury', domain('210000000098')))).status).toBe(201);
	const steward = { issuer: bank.issuer.issuer, subject: people.nick.subject, roles: ['steward'] };
	expect((await world.call(put('stella', 'governance', domain('210000000009', [steward])))).status).toBe(201);
	expect((await world.call(get('stella', '/me'))).body).toMatchObject({ roles: [] });
	const call = put('stella', 'custody', domain('210000000097'));
	const answer = await world.call(call);
	expect({ status: answer.status, code: (answer.body as { code: string }).code }).toEqual({
		status: 403,
		code: 'not-permitted',
	});
	expect((await world.call(put('nick', 'custody', domain('210000000097')))).status).toBe(201);
});
