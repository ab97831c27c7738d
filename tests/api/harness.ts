/**
 * What the HTTP tests share. `refused` holds every refusal to the same terms: an RFC 9457 problem with this status and
 * code, never a 5xx, no new ledger entry but of who looked, and Lake Formation as it was.
 */
import { expect } from 'vitest';
import type { RequestView } from '#core/access.ts';
import type { Code } from '#core/error.ts';
import type { GrantView } from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import type { QueryView } from '#core/query.ts';
import { type Handle } from '#local/people.ts';
import type { Answer, Call } from '#local/story/client.ts';
import { principalOf, type World } from '#local/story/world.ts';
import { entriesIn, type TestBank } from '#tests/fixtures.ts';

export type Problem = {
	readonly status: number;
	readonly code: string;
	readonly detail: string;
	readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
	readonly [member: string]: unknown;
};

/** The answer is this problem, in the one form that problems have. */
export function expectRefusal(answer: Answer, status: number, code: Code): Problem {
	const problem = answer.body as Problem;
	expect({ status: answer.status, code: problem.code, detail: problem.detail }).toEqual({
		status,
		code,
		detail: expect.any(String),
	});
	expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
	expect(answer.headers.get('cache-control')).toBe('no-store');
	expect(problem).toMatchObject({
		type: `/errors/${code}`,
		title: expect.stringMatching(/./),
		status,
		instance: expect.stringMatching(/^urn:uuid:/),
		traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
	});
	return problem;
}

export type Reading = Ledger.BodyOf<'RecordsRead'> & Parameters<typeof Ledger.payload>[1];

/** Every reading that is recorded. */
export async function readings({ bank }: TestBank): Promise<Reading[]> {
	const found: Reading[] = [];
	let start: string | null = null;
	do {
		const page = await Ledger.rawPage(bank.platform, start, 500);
		const ours = page.items.filter(({ stream }) => stream.startsWith('A#reading#'));
		found.push(...ours.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as Reading));
		start = page.next;
	} while (start !== null);
	return found;
}

/** Everything a refusal must leave alone. That a supervisor learned something by one is recorded all the same. */
async function stored(test: TestBank): Promise<unknown> {
	return { entries: await entriesIn(test), lakeFormation: test.bank.aws.lakeFormationState() };
}

/** Makes the call, expects this refusal, and that nothing was stored. */
export async function refused(
	test: TestBank,
	call: Call | (() => Promise<Answer>),
	status: number,
	code: Code,
): Promise<Problem> {
	const before = await stored(test);
	const answer = await (typeof call === 'function' ? call() : test.world.call(call));
	const problem = expectRefusal(answer, status, code);
	expect(await stored(test)).toEqual(before);
	return problem;
}

/** A call with exactly these headers and this body, and no token but a given one. */
export async function send(
	test: TestBank,
	path: string,
	init: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
	const answer = await fetch(`${test.bank.api}${path}`, init);
	const text = await answer.text();
	const isJson = /json/.test(answer.headers.get('content-type') ?? '');
	return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text, curl: '' };
}

export const get = (who: Handle, path: string): Call => ({ who, path: `/api/v1${path}` });

export const post = (who: Handle, path: string, body: unknown = {}, headers: Record<string, string> = {}): Call => ({
	who,
	method: 'POST',
	path: `/api/v1${path}`,
	body,
	headers,
});

export const patch = (who: Handle, path: string, body: unknown, headers: Record<string, string> = {}): Call => ({
	who,
	method: 'PATCH',
	path: `/api/v1${path}`,
	body,
	headers,
});

/** A body for POST /requests over one table of one product; `more` replaces members. */
export function requestBody(world: World, more: Record<string, unknown> = {}): Record<string, unknown> {
	return {
		product: 'lending.loans',
		tables: [{ table: 'loans', columns: ['loan_id', 'status'], rowFilter: "status = 'D'" }],
		purpose: 'credit-risk',
		principal: principalOf(world, 'risk', 'credit-risk'),
		duration: 'P1D',
		justification: 'Review of loans in arrears',
		...more,
	};
}

/** Files a request that must be taken. */
export async function file(
	world: World,
	who: Handle,
	body: Record<string, unknown>,
): Promise<{ view: RequestView; etag: string }> {
	const answer = await world.call(post(who, '/requests', body));
	expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 201 });
	return { view: answer.body as RequestView, etag: answer.headers.get('etag') ?? '' };
}

export const decision = (who: Handle, asked: { view: RequestView; etag: string }, verdict = 'approve'): Call =>
	post(who, `/requests/${asked.view.id}/decisions`, { verdict }, { 'if-match': asked.etag });

/** Files a request and approves it as each of these in turn; the grant must be in force. */
export async function grantTo(
	world: World,
	who: Handle,
	body: Record<string, unknown>,
	approvers: readonly Handle[] = ['olga'],
): Promise<GrantView> {
	const asked = await file(world, who, body);
	let grant: GrantView | null = null;
	for (const approver of approvers) {
		const answer = await world.call(decision(approver, asked));
		expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 201 });
		({ grant } = answer.body as { grant: GrantView | null });
	}
	expect(grant?.state).toBe('granted');
	return grant as GrantView;
}

/** The header that says which version of this thing the steward saw; none if there is no such thing yet. */
export async function seen(test: TestBank, path: string): Promise<Record<string, string>> {
	const etag = (await test.world.call({ who: 'stella', path })).headers.get('etag');
	return etag === null ? {} : { 'if-match': etag };
}

/** Starts a query that must be taken, and waits for its end. */
export async function finished(world: World, who: Handle, sql: string, principal?: string): Promise<QueryView> {
	const body = { sql, principal: principal ?? principalOf(world, 'risk', 'credit-risk') };
	const answer = await world.call(post(who, '/queries', body));
	expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 202 });
	let view = answer.body as QueryView;
	for (let i = 0; view.state === 'running' && i < 400; i += 1) {
		await new Promise((resolve) => setTimeout(resolve, 25));
		view = (await world.call(get(who, `/queries/${view.id}`))).body as QueryView;
	}
	expect(view.state).toBe('completed');
	return view;
}

export type Page = {
	readonly columns: readonly { readonly name: string }[];
	readonly rows: readonly (readonly (string | null)[])[];
	readonly nextPageToken: string | null;
};

/** The rows that a query gives this caller, from one page. */
export async function rowsOf(world: World, who: Handle, sql: string, principal?: string): Promise<Page['rows']> {
	const { id } = await finished(world, who, sql, principal);
	const answer = await world.call(get(who, `/queries/${id}/results?pageSize=999`));
	expect(answer.status).toBe(200);
	return (answer.body as Page).rows;
}
