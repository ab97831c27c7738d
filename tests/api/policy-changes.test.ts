/** What a change of the rules that is not merged would decide, and which live grants it would break. */
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GrantView } from '#core/grants.ts';
import type { WhyView } from '#core/why.ts';
import type { Handle } from '#local/people.ts';
import { principalOf } from '#local/story/world.ts';
import { ledgerSize, type TestBank, testBank } from '#tests/fixtures.ts';
import { decision, file, get, grantTo, post, refused, requestBody } from './harness.ts';
import { enrol } from './registration.ts';

let test: TestBank;

beforeAll(async () => {
	test = await testBank();
}, 60_000);
afterAll(() => test.close());

/** A question about loans, as their requests ask for them. */
function asking(more: Record<string, unknown> = {}) {
	const { product, tables, purpose, principal, duration } = requestBody(test.world);
	return { action: 'requestAccess', product, ask: { tables, purpose, principal, duration }, ...more };
}

async function why(who: Handle, body: unknown, search = ''): Promise<WhyView> {
	const answer = await test.world.call(post(who, `/policies/why${search}`, body));
	expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 200 });
	return answer.body as WhyView;
}

const forbidding = (action: string, condition = 'true == true') =>
	`forbid (principal, action == Fairlead::Action::"${action}", resource) when { ${condition} };`;

describe('under a change of the rules', () => {
	it('a decision comes out as it would then, and the rules in force stay', async () => {
		const policies = { 'nobody-asks': `// Ask for nothing:\n// not now.\n${forbidding('requestAccess')}` };
		const as = { roles: [{ domain: 'risk', role: 'consumer' }] };
		const before = await ledgerSize(test.world);
		const answer = await why('stella', asking({ as, policies }));
		expect(await ledgerSize(test.world)).toBe(before);
		expect(answer).toMatchObject({ allowed: true, changed: { allowed: false } });
		expect(answer.changed?.rules).toEqual([
			{ id: 'nobody-asks', domain: null, effect: 'forbid', title: 'Ask for nothing: not now.' },
		]);
		expect(answer.changed?.setHash).not.toBe(answer.setHash);
		expect(await why('alice', asking())).toMatchObject({ allowed: true, setHash: answer.setHash });
		const rules = (await test.world.call(get('alice', '/policies'))).body as { setHash: string };
		expect(rules.setHash).toBe(answer.setHash);
		await file(test.world, 'alice', requestBody(test.world));
	});

	it('a rule that is gone no longer counts', async () => {
		const as = { roles: [{ domain: 'risk', role: 'consumer' }] };
		const answer = await why('stella', asking({ as, policies: { 'owner-approves': null } }));
		expect(answer).toMatchObject({ allowed: true, changed: { allowed: false, rules: [] } });
	});

	it('two changes tried at once do not meet', async () => {
		const as = { roles: [{ domain: 'risk', role: 'consumer' }] };
		const more =
			'@requires("privacy-officer")\npermit (principal, action == Fairlead::Action::"requestAccess", resource);';
		const tried = (policies: Record<string, string>) =>
			test.world.call(post('stella', '/policies/why', asking({ as, policies })));
		const [stricter, longer] = [{ 'nobody-asks': forbidding('requestAccess') }, { 'officer-too': more }];
		const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => tried(i % 2 === 0 ? stricter : longer)));
		for (const [i, { body }] of answers.entries()) {
			const { changed } = body as WhyView;
			expect(changed).toMatchObject(
				i % 2 === 0 ? { allowed: false } : { allowed: true, route: ['owner', 'privacy-officer'] },
			);
		}
	});
});

describe('of the live grants, a change breaks', () => {
	const live: Record<string, GrantView> = {};

	beforeAll(async () => {
		const { world } = test;
		const purpose = 'model-validation';
		const principal = principalOf(world, 'risk', purpose);
		const all = [{ table: 'loans', columns: ['loan_id', 'status'] }];
		live['loans'] = await grantTo(world, 'alice', requestBody(world));
		live['others'] = await grantTo(world, 'carl', requestBody(world, { purpose, principal, tables: all }));
		const ended = await grantTo(world, 'alice', requestBody(world));
		await world.call(post('olga', `/grants/${ended.id}/revoke`, { reason: 'No longer needed' }));
		live['ended'] = ended;
		const open = await file(world, 'alice', requestBody(world, { duration: 'P2D' }));
		await world.call(decision('olga', open, 'reject'));
	}, 60_000);

	const id = (name: string) => live[name]?.id ?? '';

	async function brokenBy(policies: Record<string, string | null>) {
		const { changed } = await why('stella', { action: 'viewMe', policies }, '?pageSize=100');
		expect(changed?.unreadable).toEqual([]);
		return changed?.broken ?? [];
	}

	it('none, where it changes nothing for them', async () => {
		expect(await brokenBy({ 'nobody-reports': forbidding('requestReport') })).toEqual([]);
		const answer = await why('stella', { action: 'viewMe', policies: { 'owners-revoke': null } }, '?pageSize=100');
		expect(answer.changed?.examined).toBe(2);
	});

	it('those that it would refuse, with the rule; never one that is over', async () => {
		const purpose = 'context has asked && context.asked.purpose == "model-validation"';
		const broken = await brokenBy({ 'no-validation': forbidding('requestAccess', purpose) });
		expect(broken).toEqual([
			{
				grant: id('others'),
				product: 'lending.loans',
				consumerDomain: 'risk',
				allowed: false,
				refusedBy: ['no-validation'],
				requires: [],
				readersLost: 0,
			},
		]);
	});

	it('those whose route would be longer, with the roles', async () => {
		const more = `@requires("privacy-officer")
			permit (principal, action == Fairlead::Action::"requestAccess", resource)
			when { context has asked && context.asked.purpose == "credit-risk" };`;
		expect(await brokenBy({ 'officer-too': more })).toMatchObject([
			{ grant: id('loans'), allowed: true, refusedBy: [], requires: ['privacy-officer'] },
		]);
	});

	it('those that nothing permits any more', async () => {
		const broken = await brokenBy({ 'owner-approves': null });
		expect(broken.map((b) => b.grant).toSorted()).toEqual([id('loans'), id('others')].toSorted());
		expect(broken.every((b) => !b.allowed && b.refusedBy.length === 0)).toBe(true);
	});

	it('those that nobody could read under any more', async () => {
		const broken = await brokenBy({ 'nobody-reads': forbidding('runQuery') });
		expect(broken.map((b) => [b.allowed, b.readersLost])).toEqual([
			[true, 1],
			[true, 1],
		]);
	});

	it('the same, page by page; a page token is good for its change alone', async () => {
		const policies = { 'owner-approves': null };
		const found: string[] = [];
		let token: string | null = null;
		let pages = 0;
		do {
			const search: string = `?pageSize=1${token === null ? '' : `&pageToken=${encodeURIComponent(token)}`}`;
			const answer: WhyView = await why('stella', { action: 'viewMe', policies }, search);
			expect(answer.changed?.examined).toBeLessThanOrEqual(1);
			found.push(...(answer.changed?.broken ?? []).map((b) => b.grant));
			token = answer.nextPageToken;
			pages += 1;
			if (pages === 1) {
				const other = { action: 'viewMe', policies: { 'owners-revoke': null } };
				await refused(test, post('stella', `/policies/why${search}&pageToken=${token}`, other), 422, 'validation');
			}
		} while (token !== null && pages < 20);
		expect(found.toSorted()).toEqual([id('loans'), id('others')].toSorted());
	});

	it('those of people who have left count as theirs still', async () => {
		await enrol(test, 'risk', { carl: ['consumer'] });
		const condition = 'context.consumer == Fairlead::Domain::"risk"';
		const broken = await brokenBy({ 'no-risk': forbidding('requestAccess', condition) });
		expect(broken.map((b) => b.refusedBy)).toEqual([['no-risk'], ['no-risk']]);
		expect(await brokenBy({ 'nobody-reads': forbidding('runQuery') })).toMatchObject([{ readersLost: 1 }]);
	});

	it('one whose record cannot be read is told as such', async () => {
		const { config, aws } = test.bank.platform;
		await aws.dynamodb.send(
			new UpdateItemCommand({
				TableName: config.tables.ledger,
				Key: { pk: { S: `A#grant#${id('loans')}` }, sk: { S: 'V#0000000001' } },
				UpdateExpression: 'SET b = :b, z = :z',
				ExpressionAttributeValues: { ':b': { B: Buffer.from('{}') }, ':z': { BOOL: false } },
			}),
		);
		const { changed } = await why(
			'stella',
			{ action: 'viewMe', policies: { 'owner-approves': null } },
			'?pageSize=100',
		);
		expect(changed).toMatchObject({ examined: 1, unreadable: [id('loans')], broken: [{ grant: id('others') }] });
	});
});
