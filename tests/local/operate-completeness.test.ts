/** `npm run completeness` against a mesh that takes its time: it waits as it is told, for one day, and not for ever. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { run } from '#local/operate/run.ts';

const pauses: number[] = [];
vi.mock('node:timers/promises', () => ({ setTimeout: (ms: number) => Promise.resolve(pauses.push(ms)) }));

type Answer = { readonly status: number; readonly body: unknown; readonly retryAfter?: string };
let asked: { method: string; body: string }[] = [];
let answer: (method: string, nth: number) => Answer;

beforeEach(() => {
	pauses.length = 0;
	asked = [];
	vi.stubGlobal('fetch', (_: URL, { method, body = '' }: { method: string; body?: string }) => {
		const nth = asked.filter((a) => a.method === method).length;
		asked.push({ method, body });
		const { status, body: content, retryAfter } = answer(method, nth);
		const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
		return Promise.resolve(Response.json(content, { status, headers }));
	});
});
afterEach(() => vi.unstubAllGlobals());

const unfinished = { day: '2026-03-01', state: 'unfinished' };
const clean = { day: '2026-03-01', state: 'clean', accounts: 6, unreadAccounts: 0, counts: {} };
const page = { unread: [], orphaned: [], unreadable: [], bypasses: [], nextPageToken: null };

async function ran() {
	const said = { out: [] as string[], err: [] as string[] };
	const output = { out: (text: string) => void said.out.push(text), err: (text: string) => void said.err.push(text) };
	const code = await run(['completeness', '--token', 'x'], output, {});
	return { code, out: said.out.join('\n'), err: said.err.join('\n') };
}

it('gives up on a day that is not gone through after hundreds of calls, with exit code 2', async () => {
	answer = () => ({ status: 202, body: unfinished, retryAfter: '5' });
	expect(await ran()).toMatchObject({
		code: 2,
		out: '',
		err: expect.stringMatching(/^2026-03-01 is not gone through/),
	});
	expect(asked).toHaveLength(500);
	expect(new Set(pauses)).toEqual(new Set([5000]));
});

it('gives up on a listing that leads to itself', async () => {
	answer = (method) => ({ status: 200, body: method === 'POST' ? clean : { ...page, nextPageToken: 'again' } });
	expect(await ran()).toMatchObject({ code: 2, err: expect.stringContaining('for ever') });
	expect(asked).toHaveLength(3);
});

it('asks again when it is told to, a minute later at the latest, and for the day that was meant at first', async () => {
	const waits = ['5', '3600', 'soon'];
	answer = (method, nth) => {
		const retryAfter = waits[nth];
		if (method === 'GET') return { status: 200, body: page };
		return retryAfter === undefined ? { status: 200, body: clean } : { status: 202, body: unfinished, retryAfter };
	};
	expect(await ran()).toMatchObject({ code: 0, out: expect.stringContaining('2026-03-01: clean. 6 accounts.') });
	expect(pauses).toEqual([5000, 60_000, 0]);
	const days = asked.filter(({ method }) => method === 'POST').map(({ body }) => body);
	expect(days).toEqual(['{}', ...Array.from({ length: 3 }, () => '{"day":"2026-03-01"}')]);
});
