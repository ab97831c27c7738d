/** Grants, reports and the ledger: who sees them, who may end them, and that lists have every line once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GrantView } from '#core/grants.ts';
import { type Handle, people } from '#local/people.ts';
import { principalOf } from '#local/story/world.ts';
import { ledgerSize, type TestBank, testBank } from '#tests/fixtures.ts';
import { finished, get, grantTo, post, refused, requestBody } from './harness.ts';
import { enrol } from './registration.ts';

let test: TestBank;
let grant: GrantView;
let shared: GrantView;

beforeAll(async () => {
	test = await testBank();
	await enrol(test, 'risk', { alice: ['consumer'], nick: ['consumer'] });
	grant = await grantTo(test.world, 'alice', requestBody(test.world));
	const purpose = 'model-validation';
	const both: Handle[] = ['alice', 'nick'];
	const beneficiaries = both.map((w) => ({ issuer: test.bank.issuer.issuer, subject: people[w].subject }));
	const principal = principalOf(test.world, 'risk', purpose);
	shared = await grantTo(test.world, 'alice', requestBody(test.world, { purpose, principal, beneficiaries }));
	await finished(test.world, 'alice', 'SELECT loan_id FROM lending.loans');
});

afterAll(() => test.close());

const revoke = (who: Handle, { id }: { id: string }, body: unknown = { reason: 'The review is over' }) =>
	post(who, `/grants/${id}/revoke`, body);
const read = async (who: Handle, path: string) => {
	const { status, body } = await test.world.call(get(who, path));
	expect(status).toBe(200);
	return body as Record<string, never>;
};
const ids = (list: readonly { id: string }[]) => list.map((g) => g.id).toSorted();

describe('404 for a grant of others', () => {
	it.each(['mia', 'peter', 'stella'] as const)('%s: read and revoked, as for an unknown id', async (who) => {
		const unknown = { id: `grt_${'0'.repeat(26)}` };
		for (const call of [(g: { id: string }) => get(who, `/grants/${g.id}`), (g: { id: string }) => revoke(who, g)]) {
			const absent = await refused(test, call(unknown), 404, 'not-found');
			const hidden = await refused(test, call(grant), 404, 'not-found');
			expect({ ...hidden, instance: '', traceId: '' }).toEqual({ ...absent, instance: '', traceId: '' });
		}
	});

	it('a colleague who does not benefit', async () => {
		await refused(test, get('nick', `/grants/${grant.id}`), 404, 'not-found');
		await refused(test, revoke('nick', grant), 404, 'not-found');
	});
});

describe('403 for who sees it and may not end it', () => {
	it('the regulator', async () => {
		expect((await read('rita', `/grants/${grant.id}`))['id']).toBe(grant.id);
		await refused(test, revoke('rita', grant), 403, 'not-permitted');
	});

	it('one of several beneficiaries: it is not hers alone to give back', async () => {
		for (const who of ['alice', 'nick'] as const) await refused(test, revoke(who, shared), 403, 'not-permitted');
	});

	it('an officer of the domain', async () => {
		await enrol(test, 'lending', { olga: ['owner'], peter: ['privacy-officer'] });
		expect((await read('peter', `/grants/${grant.id}`))['id']).toBe(grant.id);
		await refused(test, revoke('peter', grant), 403, 'not-permitted');
		await enrol(test, 'lending', { olga: ['owner'] });
		await refused(test, get('peter', `/grants/${grant.id}`), 404, 'not-found');
	});
});

describe('422 for a revocation that is none', () => {
	it.each([{}, { reason: '' }, { reason: null }, { reason: 'x'.repeat(2001) }, { reason: 'x', force: true }, []])(
		'%j',
		async (body) => {
			await refused(test, revoke('olga', grant, body), 422, 'validation');
		},
	);

	it('a reason that is no Unicode', async () => {
		await refused(test, revoke('olga', grant, { reason: '\ud800' }), 422, 'validation');
		expect((await read('alice', `/grants/${grant.id}`))['state']).toBe('granted');
	});
});

describe('lists', () => {
	it('show everybody his own, and a domain to those who may see it', async () => {
		const listed = async (who: Handle, search = '') => ids((await read(who, `/grants${search}`))['grants'] ?? []);
		const all = ids([grant, shared]);
		expect(await listed('alice')).toEqual(all);
		expect(await listed('nick')).toEqual([shared.id]);
		for (const search of ['?domain=lending', '?domain=risk']) {
			expect(await listed('rita', search)).toEqual(all);
			for (const who of ['mia', 'peter', 'stella'] as const) expect(await listed(who, search)).toEqual([]);
		}
		// A domain's list is for those with a role in it.
		expect([await listed('olga', '?domain=lending'), await listed('olga', '?domain=risk')]).toEqual([all, []]);
		expect([await listed('nick', '?domain=risk'), await listed('nick', '?domain=lending')]).toEqual([[shared.id], []]);
		for (const who of ['olga', 'rita', 'mia'] as const) expect(await listed(who)).toEqual([]);
		expect(await listed('olga', '?domain=nosuch')).toEqual([]);
	});

	it.each(['requests', 'grants'] as const)('of %s by pages have every line once, newest first', async (list) => {
		for (let i = 1; i < 6; i += 1) {
			const body = requestBody(test.world, { duration: `P${i}D` });
			await test.world.call(post('alice', '/requests', body));
		}
		const whole = ((await read('olga', `/${list}?domain=lending&pageSize=100`))[list] ?? []) as { id: string }[];
		expect(whole.map((g) => g.id)).toEqual(ids(whole).toReversed());
		for (const size of [1, 2, whole.length, whole.length + 1]) {
			const found: string[] = [];
			let search = '';
			do {
				const page = await read('olga', `/${list}?domain=lending&pageSize=${size}${search}`);
				found.push(...((page[list] ?? []) as { id: string }[]).map((g) => g.id));
				const token: string | null = page['nextPageToken'] ?? null;
				search = token === null ? '' : `&pageToken=${encodeURIComponent(token)}`;
			} while (search !== '');
			expect(found).toEqual(whole.map((g) => g.id));
		}
	});

	it('422: a page token of another list, domain or person', async () => {
		const token = (await read('olga', '/requests?domain=lending&pageSize=1'))['nextPageToken'];
		const search = `&pageToken=${encodeURIComponent(token ?? '')}`;
		await refused(test, get('olga', `/grants?domain=lending${search}`), 422, 'validation');
		const ritas = (await read('rita', '/requests?domain=lending&pageSize=1'))['nextPageToken'] ?? '';
		await refused(test, get('rita', `/requests?domain=risk&pageToken=${encodeURIComponent(ritas)}`), 422, 'validation');
		await refused(test, get('rita', `/requests?domain=lending${search}`), 422, 'validation');
	});
});

describe('reports and ledger', () => {
	const report = (more: Record<string, unknown> = {}) => ({ kind: 'flows', product: 'lending.loans', ...more });

	it('403: the ledger is for regulators, owners and stewards included', async () => {
		for (const who of ['alice', 'mia', 'olga', 'peter', 'stella'] as const) {
			for (const path of [
				'entries',
				'verification',
				'entries?stream=A%23domain%23risk',
				'verification?stream=A%23domain%23risk',
			]) {
				await refused(test, get(who, `/ledger/${path}`), 403, 'not-permitted');
			}
		}
	});

	it('404: a report is read by who asked for it alone', async () => {
		const asked = await test.world.call(post('rita', '/reports', report()));
		const { id } = asked.body as { id: string };
		for (const who of ['alice', 'olga', 'stella', 'nick'] as const) {
			for (const path of [`/reports/${id}`, `/reports/${id}/content`, `/reports/${id}/content?format=csv`]) {
				await refused(test, get(who, path), 404, 'not-found');
			}
		}
	});

	it('422: a period or a kind that is none', async () => {
		for (const more of [
			{ from: '2024-01-01', until: '2024-02-01' },
			{ from: '2024-02-01T00:00:00Z', until: '2024-01-01T00:00:00Z' },
			{ from: '2024-01-01T00:00:00Z', until: '2024-01-01T00:00:00Z' },
			{ from: '2020-01-01T00:00:00Z', until: '2024-01-01T00:00:00Z' },
			{ from: '9999-12-31T00:00:00Z' },
			{ kind: 'entitlements' },
			{ all: true },
			{ consumerDomains: ['risk'] },
		]) {
			await refused(test, post('rita', '/reports', report(more)), 422, 'validation');
		}
	});

	it('nobody’s roles widen a report that was asked for before', async () => {
		const asked = await test.world.call(post('mia', '/reports', report()));
		const { id } = asked.body as { id: string };
		expect((await read('mia', `/reports/${id}/content`))['rows']).toEqual([]);
		await enrol(test, 'risk', { alice: ['consumer'], nick: ['consumer'], mia: ['consumer'] });
		expect((await read('mia', `/reports/${id}/content`))['rows']).toEqual([]);
	});
});

describe('revocation', () => {
	it('twice is once: the second changes nothing and stores nothing', async () => {
		const first = await test.world.call(revoke('alice', grant));
		expect([first.status, (first.body as GrantView).state]).toEqual([202, 'revoked']);
		const size = await ledgerSize(test.world);
		for (const who of ['alice', 'olga'] as const) {
			const again = await test.world.call(revoke(who, grant));
			expect([again.status, (again.body as GrantView).state]).toEqual([202, 'revoked']);
		}
		expect(await ledgerSize(test.world)).toBe(size);
		const { permissions } = test.bank.aws.lakeFormationState();
		expect(permissions.filter((p) => p.principal === grant.principal)).toEqual([]);
	});

	it('by several at once ends it once', async () => {
		const answers = await Promise.all([1, 2, 3].map(() => test.world.call(revoke('olga', shared))));
		for (const { status } of answers) expect([202, 409]).toContain(status);
		await test.bank.sweep();
		expect((await read('alice', `/grants/${shared.id}`))['state']).toBe('revoked');
		const stream = encodeURIComponent(`A#grant#${shared.id}`);
		const { entries } = await read('rita', `/ledger/entries?stream=${stream}`);
		const types = ((entries ?? []) as { bytes: string }[]).map(
			(e) => (JSON.parse(Buffer.from(e.bytes, 'base64').toString()) as { type: string }).type,
		);
		expect(types).toEqual(['GrantOpened', 'GrantSettled', 'GrantEnding', 'GrantEnded']);
		expect(test.bank.aws.lakeFormationState().filters).toEqual([]);
	});
});
