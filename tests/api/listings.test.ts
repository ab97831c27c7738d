/**
 * Lists by pages: whoever sees nothing is told of nothing, whoever sees some has every line once and no page that is empty,
 * and a next page is named only where there is something on it for him.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as Ledger from '#core/ledger.ts';
import { PASSED_OVER } from '#functions/api/listing.ts';
import type { Handle } from '#local/people.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { delegationsIn } from './delegations.ts';
import { file, get, readings, requestBody } from './harness.ts';
import { enrol } from './registration.ts';

let test: TestBank;
const { give, tidy } = delegationsIn(() => test);
/** What nick, who has a role in the domain, sees as its requester; and all that there is, newest first. */
let his: string[];
let all: string[];

type Page = { readonly requests: readonly { readonly id: string }[]; readonly nextPageToken: string | null };
async function pageOf(who: Handle, search: string): Promise<Page & { readonly link: string | null }> {
	const { status, body, headers } = await test.world.call(get(who, `/requests?domain=lending${search}`));
	expect({ status, body }).toMatchObject({ status: 200 });
	return { ...(body as Page), link: headers.get('link') };
}

/** Every page, as it came. */
async function pagesOf(who: Handle, size: number): Promise<string[][]> {
	const pages: string[][] = [];
	let search = '';
	do {
		const { requests, nextPageToken, link } = await pageOf(who, `&pageSize=${size}${search}`);
		pages.push(requests.map(({ id }) => id));
		expect(link === null).toBe(nextPageToken === null);
		search = nextPageToken === null ? '' : `&pageToken=${nextPageToken}`;
	} while (search !== '');
	return pages;
}

beforeAll(async () => {
	test = await testBank();
	await enrol(test, 'risk', { alice: ['consumer'], nick: ['consumer'], ruth: ['risk-officer'] });
	await enrol(test, 'lending', { olga: ['owner'], paula: ['privacy-officer'], nick: ['consumer'] });
	for (const who of ['alice', 'alice', 'nick', 'alice', 'alice', 'alice', 'nick', 'nick', 'alice'] as const)
		await file(test.world, who, requestBody(test.world));
	all = (await pageOf('olga', '&pageSize=100')).requests.map(({ id }) => id);
	his = (await pageOf('nick', '&pageSize=100')).requests.map(({ id }) => id);
	expect([all.length, his.length]).toEqual([9, 3]);
});
afterAll(() => test.close());

describe('tells nothing of what its reader does not see', () => {
	it('a delegate whose role nobody waits for: one empty page, though there are requests', async () => {
		await give('paula', 'ruth', { role: 'privacy-officer' });
		for (const size of [1, 3, 100])
			expect(await pageOf('ruth', `&pageSize=${size}`)).toEqual({ requests: [], nextPageToken: null, link: null });
		await tidy();
	});

	it.each([1, 2, 3, 4])('who sees some: by %i, every line once, and no page that is empty', async (size) => {
		const pages = await pagesOf('nick', size);
		expect(pages.flat()).toEqual(his);
		expect(pages.map((page) => page.length)).toEqual(
			Array.from({ length: Math.ceil(3 / size) }, (_, i) => Math.min(size, 3 - i * size)),
		);
	});

	it('who sees all: every line once', async () => {
		for (const size of [1, 4, 9]) expect((await pagesOf('olga', size)).flat()).toEqual(all);
		expect((await pagesOf('olga', 9)).length).toBe(1);
	});
});

it('what was looked at beyond a page is not recorded as read', async () => {
	const { requests, nextPageToken } = await pageOf('rita', '&pageSize=2');
	const last = (await readings(test)).find(({ asked }) => asked['pageSize'] === '2');
	expect(last).toMatchObject({ things: requests.map(({ id }) => id).toSorted(), shown: 2 });
	expect(nextPageToken).toEqual(expect.any(String));
});

it('goes on in the next call where there is too much to pass over, and loses nothing', {
	timeout: 120_000,
}, async () => {
	const pk = Ledger.Listing.key.requestsOfDomain('lending');
	const lines = Array.from({ length: PASSED_OVER + 100 }, (_, i) => `req_0${String(i).padStart(25, '0')}`);
	const { applyProjections, remove } = Ledger.Listing;
	await applyProjections(
		test.bank.platform,
		lines.map((sk) => ({ op: 'put' as const, pk, sk })),
	);
	const pages = await pagesOf('nick', 2);
	expect(pages.flat()).toEqual(his);
	expect(pages.length).toBe(3);
	for (const sk of lines) await remove(test.bank.platform, pk, sk);
});
