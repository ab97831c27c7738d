/** Who looked: what regulators read is in the ledger before they see it, and what is not, they do not see. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RequestView } from '#core/access.ts';
import type { GrantView } from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import type { Handle } from '#local/people.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import {
	decision,
	expectRefusal,
	file,
	get,
	grantTo,
	post,
	type Reading,
	readings,
	refused,
	requestBody,
} from './harness.ts';
import { enrol } from './registration.ts';
import { inserts, makeObstacles, type Obstacles } from './stall.ts';

let test: TestBank;
let obstacles: Obstacles;
let grant: GrantView;
let waiting: RequestView;
let report: string;

beforeAll(async () => {
	test = await testBank();
	obstacles = makeObstacles(test);
	grant = await grantTo(test.world, 'alice', requestBody(test.world));
	waiting = (await file(test.world, 'alice', requestBody(test.world))).view;
	const asked = await test.world.call(post('rita', '/reports', { kind: 'flows', product: 'lending.loans' }));
	report = (asked.body as { id: string }).id;
}, 120_000);
afterAll(() => test.close());
afterEach(() => obstacles.clear());

/** What the call adds to them. */
async function left(
	who: Handle,
	path: string,
	body?: unknown,
): Promise<{ status: number; body: unknown; added: Reading[] }> {
	const before = new Set((await readings(test)).map(({ id }) => id));
	const answer = await test.world.call(body === undefined ? get(who, path) : post(who, path, body));
	const added = (await readings(test)).filter(({ id }) => !before.has(id));
	return { status: answer.status, body: answer.body, added };
}

describe('nothing is shown that is not recorded', () => {
	const paths = (): [string, string][] => [
		['a request', `/requests/${waiting.id}`],
		['requests of a domain', '/requests?domain=lending'],
		['a grant', `/grants/${grant.id}`],
		['grants of a domain', '/grants?domain=risk'],
		['the ledger', '/ledger/entries'],
		['a stream of it', '/ledger/entries?stream=A%23product%23lending.loans'],
		['its verification', '/ledger/verification'],
		['a report', `/reports/${report}`],
		['its rows', `/reports/${report}/content`],
		['its rows as text', `/reports/${report}/content?format=csv`],
	];

	it('of whatever a regulator reads: 503, without a word of it in body or headers', async () => {
		for (const [what, path] of paths()) {
			const answer = await obstacles.cutAfter(0, () => test.world.call(get('rita', path)));
			const problem = expectRefusal(answer, 503, 'unavailable');
			expect(problem.detail, what).toMatch(/could not be recorded, so it is not shown/);
			expect(JSON.stringify(problem)).not.toMatch(/lending|credit-risk|per_|grt_|req_|led_/);
			expect([answer.headers.get('etag'), answer.headers.get('link')], what).toEqual([null, null]);
			expect(answer.headers.get('retry-after')).toBe('5');
			expect((await test.world.call(get('rita', path))).status, what).toBe(200);
		}
	});

	it('of an explanation that tells of a request', async () => {
		const body = { action: 'decide', request: waiting.id };
		const answer = await obstacles.cutAfter(0, () => test.world.call(post('rita', '/policies/why', body)));
		expectRefusal(answer, 503, 'unavailable');
	});

	it('before the entry is written', async () => {
		const { there, release } = obstacles.stall(inserts('A#reading#'));
		let answered = false;
		const reading = test.world.call(get('rita', `/requests/${waiting.id}`)).then((answer) => {
			answered = true;
			return answer;
		});
		await there;
		expect((await test.world.call(get('alice', `/requests/${waiting.id}`))).status).toBe(200);
		expect(answered).toBe(false);
		release();
		expect((await reading).status).toBe(200);
	});

	it('nor is one shown to HEAD', async () => {
		const before = (await readings(test)).length;
		const headers = { authorization: `Bearer ${await test.bank.issuer.token('rita')}` };
		const answer = await fetch(`${test.bank.api}/api/v1/requests/${waiting.id}`, { method: 'HEAD', headers });
		expect([answer.status, answer.headers.get('etag')]).toEqual([200, `"${waiting.contentHash}"`]);
		expect(await readings(test)).toHaveLength(before + 1);
	});
});

describe('what is recorded', () => {
	it('names the operation, the thing, who read it in which roles, and the rules that let her', async () => {
		const { added } = await left('rita', `/requests/${waiting.id}`);
		const me = (await test.world.call(get('rita', '/me'))).body as { person: string };
		expect(added).toHaveLength(1);
		const [entry] = added;
		expect(entry).toMatchObject({
			type: 'RecordsRead',
			reading: expect.stringMatching(/^rdg_/),
			operation: 'getRequest',
			asked: { id: waiting.id },
			things: [waiting.id],
			shown: 1,
			reader: me.person,
			roles: ['governance/regulator'],
			rules: { policies: ['regulators-view-requests'], setHash: test.bank.platform.policies.hash },
			request: expect.stringMatching(/^[0-9a-f-]{36}$/),
		});
		expect([entry?.actor, entry?.ver, entry?.piiHash]).toEqual([me.person, 1, undefined]);
		expect(entry?.trace).toMatch(/^[0-9a-f]{32}$/);
	});

	it.each([
		['/requests?domain=lending&pageSize=1', 'listRequests', { domain: 'lending', pageSize: '1' }, 1],
		['/grants?domain=lending', 'listGrants', { domain: 'lending' }, 1],
		['/requests?domain=payments', 'listRequests', {}, 0],
		['/grants?domain=nowhere', 'listGrants', {}, 0],
		['/ledger/entries?pageSize=7', 'listLedgerEntries', { pageSize: '7' }, 7],
		[
			'/ledger/entries?stream=A%23product%23lending.loans',
			'listLedgerEntries',
			{ stream: 'A#product#lending.loans' },
			1,
		],
		['/ledger/verification?stream=A%23domain%23risk', 'verifyLedger', { stream: 'A#domain#risk' }, 1],
	])('of %s, once a call: what was asked, and how many things were shown', async (path, operation, asked, shown) => {
		const { status, added } = await left('rita', path);
		expect(status).toBe(200);
		expect(added.map((one) => [one.operation, one.asked, one.shown])).toEqual([[operation, asked, shown]]);
	});

	it('of a page that is gone on with, too; the token of it is not kept', async () => {
		const first = (await test.world.call(get('rita', '/ledger/entries?pageSize=2'))).body as { nextPageToken: string };
		const path = `/ledger/entries?pageSize=3&pageToken=${encodeURIComponent(first.nextPageToken)}`;
		const { added } = await left('rita', path);
		expect(added.map((one) => [one.asked, one.shown])).toEqual([[{ pageSize: '3' }, 3]]);
	});

	it('of each reading of a report, as the asking for it was', async () => {
		for (const path of [`/reports/${report}`, `/reports/${report}/content?format=csv`]) {
			const { added } = await left('rita', path);
			expect(added).toMatchObject([{ things: [report], shown: 1, rules: { policies: ['regulators-read-reports'] } }]);
		}
	});

	it('of an explanation that tells of a thing; not of one that tells of the rules alone', async () => {
		const told = await left('rita', '/policies/why', { action: 'viewGrant', grant: grant.id });
		expect(told.added.map((one) => [one.operation, one.things, one.shown])).toEqual([['explainPolicy', [grant.id], 1]]);
		expect((await left('rita', '/policies/why', { action: 'readLedger' })).added).toEqual([]);
	});

	it.each([
		['/ledger/entries', 'stream', 'A#product#alice.novak'],
		['/ledger/verification', 'stream', 'A#domain#Novak,born-1980'],
		['/ledger/verification', 'stream', 'F#Novak'],
		['/requests', 'domain', 'alice-novak'],
		['/grants', 'domain', 'alice-novak'],
		['/break-glass', 'domain', 'alice-novak'],
	])(
		'has no words of hers in clear: %s by a %s that is not there; it is in the payload, which can be erased',
		async (path, name, words) => {
			const { status, added } = await left('rita', `${path}?${name}=${encodeURIComponent(words)}`);
			expect([status, added.length]).toEqual([200, 1]);
			const [one] = added;
			expect(JSON.stringify(one)).not.toMatch(/novak/i);
			expect(one).toMatchObject({ asked: {}, shown: 0 });
			if (one === undefined) throw new Error('not recorded');
			expect(await Ledger.payload(test.bank.platform, one)).toEqual({ asked: { [name]: words } });
		},
	);

	it('of the ledger says which entries: what they held can be told from it, page by page', async () => {
		const page = await test.world.call(get('rita', '/ledger/entries?pageSize=6'));
		const { nextPageToken } = page.body as { nextPageToken: string };
		for (const search of ['', `&pageToken=${encodeURIComponent(nextPageToken)}`]) {
			const { body, added } = await left('rita', `/ledger/entries?pageSize=6${search}`);
			const { entries } = body as { entries: { stream: string; version: number; leaf: string }[] };
			const told = added[0]?.entries;
			const named = told?.spans.flatMap(({ stream, from, to }) =>
				Array.from({ length: to - from + 1 }, (_, i) => [stream, from + i]),
			);
			expect(named).toEqual(entries.map(({ stream, version }) => [stream, version]));
			expect(told?.leaves).toBe(Ledger.sha256(Buffer.from(entries.map(({ leaf }) => leaf).join(''), 'hex')));
		}
		const none = await left('rita', '/ledger/entries?stream=A%23domain%23nowhere');
		expect(none.added.map(({ entries }) => entries?.spans)).toEqual([[]]);
	});

	it('of its verification says how many entries, and of a stream of several versions which of them', async () => {
		const whole = await left('rita', '/ledger/verification');
		const { entries } = whole.body as { entries: number };
		expect(whole.added.map((one) => [one.asked, one.shown])).toEqual([[{}, entries]]);
		const stream = Ledger.stream.grant(grant.id);
		const first = `/ledger/entries?pageSize=1&stream=${encodeURIComponent(stream)}`;
		const { body, added } = await left('rita', first);
		expect(added[0]?.entries?.spans).toEqual([{ stream, from: 1, to: 1 }]);
		const { nextPageToken } = body as { nextPageToken: string };
		const rest = await left('rita', `${first.replace('=1&', '=50&')}&pageToken=${encodeURIComponent(nextPageToken)}`);
		const { length } = (rest.body as { entries: unknown[] }).entries;
		expect(rest.added[0]?.entries?.spans).toEqual([{ stream, from: 2, to: length + 1 }]);
	});

	it('of a question says which decision, and in whose place she asked', async () => {
		await enrol(test, 'lending', { olga: ['owner'], rita: ['owner'] });
		const person = ((await test.world.call(get('alice', '/me'))).body as { person: string }).person;
		const as = { person, roles: [{ domain: 'alice-novak', role: 'owner' }] };
		const { status, added } = await left('rita', '/policies/why', { action: 'decide', request: waiting.id, as });
		await enrol(test, 'lending', { olga: ['owner'] });
		expect(status).toBe(200);
		expect(added).toMatchObject([{ asked: { action: 'decide', request: waiting.id, 'as.person': person } }]);
		expect(JSON.stringify(added)).not.toMatch(/novak/);
		if (added[0] === undefined) throw new Error('not recorded');
		expect(await Ledger.payload(test.bank.platform, added[0])).toEqual({ asked: { 'as.roles': 'alice-novak/owner' } });
	});

	it('of a report names its format, which is one of those that there are', async () => {
		const { added } = await left('rita', `/reports/${report}/content?format=csv`);
		expect(added.map((one) => one.asked)).toEqual([{ id: report, format: 'csv' }]);
	});

	it('of what is hers by another role as well: the office is enough', async () => {
		await enrol(test, 'lending', { olga: ['owner'], rita: ['owner'] });
		const { added } = await left('rita', `/grants/${grant.id}`);
		expect(added).toMatchObject([
			{ roles: ['governance/regulator', 'lending/owner'], rules: { policies: ['regulators-view-grants'] } },
		]);
		await enrol(test, 'lending', { olga: ['owner'] });
	});

	it('of a refusal that tells a regulator that a thing is there, with its code and not as shown', async () => {
		for (const [path, body] of [
			[`/requests/${waiting.id}/preview`],
			[`/requests/${waiting.id}/cancel`, {}],
			[`/grants/${grant.id}/preview`],
			[`/grants/${grant.id}/revoke`, { reason: 'x' }],
		] as const) {
			const { status, added } = await left('rita', path, body);
			const things = [path.split('/')[2]];
			expect([path, status, added.map((one) => [one.things, one.refused, one.shown])]).toEqual([
				path,
				403,
				[[things, 'not-permitted', undefined]],
			]);
			const cut = await obstacles.cutAfter(0, () =>
				test.world.call(body === undefined ? get('rita', path) : post('rita', path, body)),
			);
			expect(JSON.stringify(expectRefusal(cut, 503, 'unavailable'))).not.toMatch(/not-permitted/);
		}
	});

	it('of a refusal that tells her the state of a request, though she owns the product as well', async () => {
		const asked = await file(test.world, 'alice', requestBody(test.world, { duration: 'P2D' }));
		await test.world.call(decision('olga', asked, 'reject'));
		await enrol(test, 'lending', { olga: ['owner'], rita: ['owner'] });
		const { status, added } = await left('rita', `/requests/${asked.view.id}/preview`);
		await enrol(test, 'lending', { olga: ['owner'] });
		expect(status).toBe(409);
		expect(added).toMatchObject([
			{
				operation: 'previewRequest',
				asked: { id: asked.view.id },
				things: [asked.view.id],
				refused: 'already-decided',
			},
		]);
	});

	it('of thirty readings at once: thirty entries', async () => {
		const before = new Set((await readings(test)).map(({ id }) => id));
		const call = () => test.world.call(get('rita', `/grants/${grant.id}`));
		const statuses = await Promise.all(Array.from({ length: 30 }, async () => (await call()).status));
		expect(new Set(statuses)).toEqual(new Set([200]));
		const added = (await readings(test)).filter(({ id }) => !before.has(id));
		expect(new Set(added.map(({ request }) => request)).size).toBe(30);
	}, 60_000);
});

describe('no entry is left', () => {
	it.each(['/me', '/purposes', '/domains', '/policies', '/dataproducts', '/dataproducts/lending.loans', '/requests'])(
		'by a regulator on %s: that is open to everybody, or his own',
		async (path) => {
			expect(await left('rita', path)).toMatchObject({ status: 200, added: [] });
		},
	);

	it.each<[Handle, () => string]>([
		['alice', () => `/requests/${waiting.id}`],
		['olga', () => `/requests/${waiting.id}`],
		['olga', () => '/requests?domain=lending'],
		['alice', () => `/grants/${grant.id}`],
		['oscar', () => '/ledger/verification'],
	])('by %s, who reads what concerns him, or nothing that entries hold', async (who, path) => {
		expect(await left(who, path())).toMatchObject({ status: 200, added: [] });
	});

	it('by a refusal that tells nothing', async () => {
		const before = (await readings(test)).length;
		await refused(test, get('rita', `/requests/req_${'0'.repeat(26)}`), 404, 'not-found');
		await refused(test, get('rita', '/ledger/entries?pageSize=0'), 422, 'validation');
		await refused(test, get('rita', '/unapproved'), 403, 'not-permitted');
		await refused(test, get('stella', '/ledger/entries'), 403, 'not-permitted');
		await refused(test, get('stella', `/requests/${waiting.id}/preview`), 404, 'not-found');
		expect(await readings(test)).toHaveLength(before);
	});
});
