/**
 * How many rows a request would open: told to who decides on it, counted by a query of his own under a grant that opens
 * all that is looked at, and to nobody else. What is counted is what is there.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemContext } from '#core/context.ts';
import type { GrantView } from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import type { Row } from '#local/lake.ts';
import { type Handle, people } from '#local/people.ts';
import { principalOf } from '#local/story/world.ts';
import type { TestBank } from '#tests/fixtures.ts';
import { type Asked, CLIENTS, COLUMNS, counting, district, nothing, pathOf } from './counting.ts';
import { file, get, grantTo, patch, post, refused, requestBody } from './harness.ts';
import { registered } from './registration.ts';

const desk = counting();
const { clients, reviewing, review, asked, told, counted, count, notCounted, brute, end, flows } = desk;

let test: TestBank;
let rows: readonly Row[];
beforeAll(() => {
	({ test, rows } = desk);
});

describe('a count is refused', () => {
	let one: Asked;
	beforeAll(async () => {
		one = await asked('district_id < 10');
	});
	const calls = (who: Handle) => [get(who, pathOf(one)), post(who, pathOf(one))];

	it.each(['alice', 'olga', 'stella', 'nick'] as const)('to %s, like of an unknown request', async (who) => {
		for (const call of calls(who)) await refused(test, call, 404, 'not-found');
	});

	it('to who asked, whatever else he may see of it: counts of filters of his choice would tell of hidden rows', async () => {
		for (const call of calls('mia')) await refused(test, call, 403, 'not-permitted');
		const { status, body } = await test.world.call(get('mia', `/requests/${one.view.id}/preview`));
		expect({ status, body }).toMatchObject({ status: 200, body: { counts: null } });
	});

	it('to who supervises', async () => {
		for (const call of calls('rita')) await refused(test, call, 403, 'not-permitted');
	});

	it('to an owner who is a party, himself or in another guise', async () => {
		const own = await file(test.world, 'petra', reviewing(COLUMNS));
		for (const call of [get('petra', pathOf(own)), post('petra', pathOf(own))]) {
			const { policies } = await refused(test, call, 403, 'not-permitted');
			expect(policies).toEqual(['parties-count-nothing']);
		}
		await test.world.call(post('petra', `/requests/${own.view.id}/cancel`));
		const identity = (who: Handle) => ({ issuer: test.bank.issuer.issuer, subject: people[who].subject });
		const guise = { ...identity('nick'), roles: ['consumer' as const], actsFor: identity('petra') };
		await registered(test, 'marketing', ({ members }) => members.push(guise));
		const hers = await file(test.world, 'nick', clients('district_id < 12'));
		await refused(test, get('petra', pathOf(hers)), 403, 'not-permitted');
		await refused(test, post('petra', pathOf(hers)), 403, 'not-permitted');
		expect((await told('paula', hers)).state).toBe('not-counted');
		await test.world.call(post('nick', `/requests/${hers.view.id}/cancel`));
	});

	it('once it is decided', async () => {
		const gone = await asked('district_id < 11');
		await test.world.call(post('mia', `/requests/${gone.view.id}/cancel`));
		await refused(test, get('petra', pathOf(gone)), 409, 'already-decided');
		await refused(test, post('petra', pathOf(gone)), 409, 'already-decided');
	});

	it('for another domain that would review: the purpose is the producing domain’s own', async () => {
		const principal = 'arn:aws:iam::210000000005:role/reviewer';
		await registered(test, 'marketing', ({ principals }) =>
			principals.push({ arn: principal, purpose: 'access-review' }),
		);
		const call = post('mia', '/requests', { ...clients(null), purpose: 'access-review', principal });
		const { policies } = await refused(test, call, 422, 'request-refused');
		expect(policies).toEqual(['counting-stays-home']);
	});
});

describe('a table is not counted', () => {
	const filter = "district_id < 20 AND address_note <> 'none'";
	let one: Asked;
	beforeAll(async () => {
		one = await asked(filter);
	});
	const live: GrantView[] = [];
	const clear = async () => {
		for (const grant of live.splice(0)) await end(grant);
	};
	beforeEach(clear);
	afterAll(clear);

	it('where its domain has no principal for it', async () => {
		const loans = await file(test.world, 'alice', requestBody(test.world));
		await notCounted('olga', loans, 'no-principal', /steward register a role of domain lending/);
	});

	it('for who is no consumer of his domain', async () => {
		await notCounted('paula', one, 'not-a-consumer', /consumer in domain customers/);
	});

	it('for who never asked for it', async () => {
		await notCounted('petra', one, 'no-grant', /address_note, district_id and all rows of customers\.clients, with/);
	});

	it('for who does not benefit from the grant that there is', async () => {
		live.push(await review(['client_id', 'district_id', 'address_note']));
		await notCounted('peter', one, 'not-a-beneficiary', /another owner approves/);
	});

	it('where the grant is held back', async () => {
		const grant = await review(['client_id', 'district_id', 'address_note']);
		live.push(grant);
		await test.world.call(post('peter', `/grants/${grant.id}/suspend`, { reason: 'An incident' }));
		await notCounted('petra', one, 'grant-not-in-force', /grant-suspended/);
	});

	it('where a predicate names a column that the grant lacks: nothing is told of hidden cells', async () => {
		live.push(await review(['client_id', 'district_id']));
		await notCounted('petra', one, 'columns-not-granted', /does not open address_note\. /);
		expect(await flows(one)).toEqual([]);
	});

	it('where the grant opens some rows', async () => {
		live.push(await review(['client_id', 'district_id', 'address_note'], 'district_id < 5'));
		await notCounted('petra', one, 'rows-filtered', /some of the rows/);
		expect(await flows(one)).toEqual([]);
	});

	it('where it could not be granted as it stands', async () => {
		live.push(await review(['client_id', 'district_id', 'address_note']));
		const purpose = 'campaign-planning';
		const clash = await file(test.world, 'mia', clients('district_id > 20', purpose, ['district_id']));
		live.push(
			await grantTo(test.world, 'mia', clients('district_id < 10', purpose, ['client_id']), ['peter', 'paula']),
		);
		await notCounted('petra', clash, 'union-not-exact', /clash/);
	});

	it('before anybody asks: looking starts nothing', async () => {
		live.push(await review(['client_id', 'district_id', 'address_note']));
		expect(await told('petra', one)).toMatchObject({ state: 'not-counted', reason: 'not-asked' });
		const { body } = await test.world.call(get('petra', `/requests/${one.view.id}/preview`));
		expect(body).toMatchObject({ counts: { path: `/api/v1${pathOf(one)}` } });
		expect(await flows(one)).toEqual([]);
	});
});

describe('a count', () => {
	let grant: GrantView;
	beforeAll(async () => {
		grant = await review(['client_id', 'district_id', 'address_note', 'birth_token']);
	});

	it('is what is there, by one query that the ledger has as a flow within the domain', async () => {
		const one = await asked('district_id < 20');
		const answer = await count('petra', one);
		expect(answer.status).toBe(202);
		expect(answer.headers.get('location')).toBe(`/api/v1${pathOf(one)}`);
		expect(answer.body).toMatchObject({ contentHash: one.view.contentHash, tables: [{ state: 'running' }] });
		const found = await counted('petra', one);
		expect(found).toMatchObject(brute(nothing, (row) => district(row) < 20));
		expect(found.after).toBeGreaterThan(0);
		expect(found.after).toBeLessThan(found.rows);
		const [flow, ...more] = await flows(one);
		expect(more).toEqual([]);
		expect(flow).toMatchObject({
			flow: found.query,
			domain: 'customers',
			principal: principalOf(test.world, 'customers', 'access-review'),
			purpose: 'access-review',
			legalBasis: expect.stringMatching(/^GDPR 6\(1\)\(c\)/),
			auth: [{ grants: [grant.id] }],
			from: [{ product: CLIENTS, table: 'clients', columns: [{ name: 'district_id' }] }],
			review: { request: one.view.id, contentHash: one.view.contentHash },
		});
		const query = await test.world.call(get('petra', `/queries/${found.query}`));
		expect(query.body).toMatchObject({ state: 'completed', rowsDelivered: 1 });
	});

	it('runs once, however often and at once it is asked for', async () => {
		const one = await asked('district_id < 21');
		const answers = await Promise.all([count('petra', one), count('petra', one), count('petra', one)]);
		// Whoever comes when it is over already is told what it found.
		expect(answers.map((a) => a.status)).toContain(202);
		expect(answers.filter((a) => a.status !== 202 && a.status !== 200)).toEqual([]);
		const found = await counted('petra', one);
		expect((await count('petra', one)).status).toBe(200);
		expect(await counted('petra', one)).toEqual(found);
		expect(await flows(one)).toHaveLength(1);
	});

	it('is of the rows where the predicate is true: where it is NULL, nothing is visible', async () => {
		const one = await asked("NOT (address_note = 'x') AND birth_token LIKE '%a%'");
		const holds = (row: Row) =>
			row['address_note'] !== null && row['address_note'] !== 'x' && String(row['birth_token']).includes('a');
		await count('petra', one);
		const found = await counted('petra', one);
		expect(found).toMatchObject(brute(nothing, holds));
		expect(rows.some((row) => row['address_note'] === null)).toBe(true);
		expect(found.after).toBeGreaterThan(0);
	});

	it('is of everything where there is no filter, though no column is named', async () => {
		const one = await asked(null);
		await count('petra', one);
		expect(await counted('petra', one)).toMatchObject(brute(nothing, () => true));
	});

	it('sets beside it what the principal holds already', async () => {
		const purpose = 'campaign-planning';
		const held = await grantTo(test.world, 'mia', clients('district_id BETWEEN 3 AND 9', purpose), ['peter', 'paula']);
		const one = await asked('district_id IN (1, 5, 77)', purpose);
		const before = (row: Row) => district(row) >= 3 && district(row) <= 9;
		await count('petra', one);
		const found = await counted('petra', one);
		expect(found).toMatchObject(brute(before, (row) => before(row) || [1, 5, 77].includes(district(row))));
		await end(held);
		// What the principal holds is another thing now, and so is what was counted.
		expect(await told('petra', one)).toMatchObject({ state: 'not-counted', reason: 'changed' });
		expect((await count('petra', one)).status).toBe(202);
		expect(await counted('petra', one)).toMatchObject(brute(nothing, (row) => [1, 5, 77].includes(district(row))));
	});

	it('is of the content that it was asked of: after an edit it is not told, and counted anew', async () => {
		const one = await asked('district_id < 22');
		await count('petra', one);
		await counted('petra', one);
		const { product: _, ...body } = clients('district_id < 23');
		const edited = await test.world.call(patch('mia', `/requests/${one.view.id}`, body, { 'if-match': one.etag }));
		expect(edited.status).toBe(200);
		expect(await told('petra', one)).toMatchObject({ state: 'not-counted', reason: 'changed' });
		expect((await count('petra', one)).status).toBe(202);
		expect(await counted('petra', one)).toMatchObject(brute(nothing, (row) => district(row) < 23));
		expect(await flows(one)).toHaveLength(2);
	});

	it('is of who asked for it: another approver is not shown it, and may not read the query', async () => {
		const one = await asked('district_id < 24');
		await count('petra', one);
		const { query } = await counted('petra', one);
		expect(await told('peter', one)).toMatchObject({ state: 'not-counted', reason: 'not-a-beneficiary' });
		await refused(test, get('peter', `/queries/${query}`), 404, 'not-found');
		const his = await grantTo(test.world, 'peter', reviewing(COLUMNS), ['petra']);
		expect(await told('peter', one)).toMatchObject({ state: 'not-counted', reason: 'not-asked' });
		await count('peter', one);
		expect((await counted('peter', one)).query).not.toBe(query);
		await test.world.call(post('petra', `/grants/${his.id}/revoke`, { reason: 'over' }));
	});

	it('leaves no constant in the entries of the ledger: they lie in the payload, as those of any query', async () => {
		const secret = 'NoSuchToken4711';
		const one = await asked(`birth_token = '${secret}'`);
		await count('petra', one);
		expect(await counted('petra', one)).toMatchObject(brute(nothing, nothing));
		const ctx = systemContext(test.bank.platform, '0'.repeat(32));
		const [flow] = await flows(one);
		const entries = await Ledger.read(ctx, Ledger.stream.flow(flow?.flow ?? ''));
		expect(entries.length).toBeGreaterThan(1);
		const texts = entries.map(({ stored }) => Buffer.from(stored.bytes).toString('utf8'));
		expect(texts.filter((text) => text.includes(secret))).toEqual([]);
		const pii = await Ledger.payload(ctx, entries[0]?.entry as Ledger.Recorded['entry']);
		expect(pii?.['printed']).toContain(secret);
	});

	const starting = { service: 'athena', operation: 'StartQueryExecution', when: 'before' } as const;

	it('that Athena would not take is told as failed, and is tried again when it is asked for again', async () => {
		const one = await asked('district_id < 25');
		const error = { name: 'InvalidRequestException', message: 'No', status: 400 };
		test.bank.aws.faults.set([{ ...starting, error }]);
		expect((await count('petra', one)).status).toBe(200);
		test.bank.aws.faults.clear();
		const failed = await told('petra', one);
		expect(failed).toMatchObject({ state: 'failed', code: 'not-started' });
		expect((await count('petra', one)).status).toBe(202);
		const found = await counted('petra', one);
		expect(found).toMatchObject(brute(nothing, (row) => district(row) < 25));
		expect((await flows(one)).map((flow) => flow.flow)).toContain(found.query);
		expect(await flows(one)).toHaveLength(2);
	});

	it('is not told any more once the grant that it was read under is over', async () => {
		const one = await asked('district_id < 26');
		await count('petra', one);
		await counted('petra', one);
		await end(grant);
		expect(await told('petra', one)).toMatchObject({ state: 'not-counted', reason: expect.stringMatching(/grant/) });
	});
});
