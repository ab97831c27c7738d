/**
 * The log of a whole story and of its refusals: one line per request, each of a closed form, and in none of them a
 * token, a row value, an SQL literal, a name or anything else that a caller sent.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { codes } from '#core/error.ts';
import { LOG_FILE } from '#local/bank.ts';
import { readTable } from '#local/lake.ts';
import { people } from '#local/people.ts';
import { principalOf } from '#local/story/world.ts';
import { steps, tellStory } from '#local/story.ts';
import { get, grantTo, post, requestBody, send } from './api/harness.ts';
import { operationsOf, readDocument } from './document.ts';
import { type TestBank, testBank } from './fixtures.ts';

const SECRET = 'Zq7xSecret';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

let test: TestBank;
let told: Awaited<ReturnType<typeof tellStory>>;
/** Every answer of the API after the story, in order. */
const requests: string[] = [];
let lines: string[];
let storyLines: number;

const readLines = () => readFileSync(path.join(test.bank.dataDir, LOG_FILE), 'utf8').trim().split('\n');

async function refusals(): Promise<void> {
	const { world } = test;
	const call = async (...args: Parameters<typeof world.call>) => {
		const answer = await world.call(...args);
		requests.push(answer.headers.get('x-request-id') ?? '');
		return answer;
	};
	const plain = async (...args: [string, Parameters<typeof send>[2]?]) => {
		requests.push((await send(test, ...args)).headers.get('x-request-id') ?? '');
	};
	const principal = principalOf(world, 'risk', 'credit-risk');
	const bearer = { authorization: `Bearer ${await test.bank.issuer.token('alice')}` };
	await plain(`/api/v1/${SECRET}`, { headers: { authorization: `Bearer ${SECRET}.${SECRET}.${SECRET}` } });
	await plain(`/${SECRET}?${SECRET}=${SECRET}`);
	await plain(`/api/v1/dataproducts/${SECRET}?${SECRET}`, { headers: { ...bearer, traceparent: SECRET } });
	await plain('/api/v1/requests', { method: 'POST', headers: { ...bearer, 'content-type': SECRET }, body: SECRET });
	await plain('/api/v1/me', { headers: { ...bearer, 'x-request-id': SECRET, 'user-agent': SECRET } });
	await call(post('alice', '/requests', requestBody(world, { justification: SECRET, purpose: 'no-such' })));
	await call(post('alice', '/requests', requestBody(world, { [SECRET]: SECRET })));
	const rowFilter = `status = '${SECRET}' OR ${SECRET} = 1`;
	await call(
		post('alice', '/requests', requestBody(world, { tables: [{ table: 'loans', columns: ['loan_id'], rowFilter }] })),
	);
	for (const sql of [`SELECT '${SECRET}`, `SELECT ${SECRET} FROM lending.loans`, `SELECT * FROM ${SECRET}.${SECRET}`]) {
		await call(post('alice', '/queries', { sql, principal }));
	}
	// Fails in the engine, whose message quotes the value.
	const failing = `SELECT CAST('${SECRET}' AS bigint) FROM lending.loans`;
	const query = await call(post('alice', '/queries', { sql: failing, principal }));
	await call(get('alice', `/queries/${(query.body as { id: string }).id}`));
	await call(get('mia', `/queries/${(query.body as { id: string }).id}`));
	await call({ who: 'olga', method: 'PUT', path: '/api/v1/dataproducts/lending.loans', body: `a: ${SECRET}\nb: [` });
	await call(get('nick', '/dataproducts'));
}

beforeAll(async () => {
	test = await testBank({ registered: false });
	told = await tellStory(test.bank, () => {});
	storyLines = readLines().length;
	await grantTo(test.world, 'alice', requestBody(test.world));
	await refusals();
	lines = readLines();
}, 120_000);

afterAll(() => test.close());

const time = z.iso.datetime();
const about = { level: z.number(), time, service: z.literal('fairlead'), version: z.string() };
const trace = z.string().regex(/^[0-9a-f]{32}$/);
const code = z.enum(Object.keys(codes) as [string, ...string[]]);
const name = z.string().regex(/^[A-Za-z]{1,60}$/);

describe('the log', () => {
	it('is of a story that held', () => {
		expect(told.filter((s) => !s.ok).map((s) => `${s.name}: ${s.note}`)).toEqual([]);
		expect(told).toHaveLength(steps.length);
		expect(storyLines).toBeGreaterThan(60);
	});

	it('has one line per request, and nothing but a closed form', async () => {
		const routes = operationsOf(await readDocument()).map((o) => o.path.replaceAll(/\{(\w+)\}/g, ':$1'));
		const Request = z.strictObject({
			...about,
			message: z.literal('request'),
			trace,
			request: z.uuid(),
			method: z.enum(['GET', 'POST', 'PUT']),
			route: z.enum(['/api/v1/*', '/*', '/openapi.json', ...routes]),
			status: z.int().min(200).max(599),
			code: code.optional(),
			caller: z
				.string()
				.regex(/^per_[0-9A-Z]{26}$/)
				.nullable(),
			ms: z.number().min(0),
		});
		const Warning = z.strictObject({
			...about,
			message: z.string().regex(/^[a-z]+: [a-z ]+$/),
			trace: trace.optional(),
			error: name,
			code: z
				.string()
				.regex(/^[\w-]+$/)
				.optional(),
		});
		const parsed = lines.map((line) => z.union([Request, Warning]).parse(JSON.parse(line)));
		const ids = parsed.flatMap((line) => ('request' in line ? [line.request] : []));
		expect(new Set(ids).size).toBe(ids.length);
		expect(requests.filter((id) => ids.filter((other) => other === id).length !== 1)).toEqual([]);
	});

	it('says who, what and how it ended', () => {
		const find = (part: Record<string, unknown>) =>
			lines
				.map((l) => JSON.parse(l) as Record<string, unknown>)
				.filter((l) => Object.entries(part).every(([k, v]) => l[k] === v));
		expect(find({ route: '/api/v1/queries', method: 'POST', status: 202 })[0]).toMatchObject({
			caller: expect.stringMatching(/^per_/),
		});
		expect(find({ code: 'invalid-token', caller: null }).length).toBeGreaterThan(0);
		expect(find({ code: 'sql-syntax', status: 422 })).toHaveLength(1);
		expect(find({ route: '/*', code: 'not-found', caller: null })).toHaveLength(1);
	});

	it('holds nothing that a caller sent, no token, no name, no literal', async () => {
		const text = lines.join('\n');
		const subjects = Object.values(people).flatMap((p) => [p.subject, ...p.name.split(' ')]);
		const literals = ["'B'", "'D'", 'SELECT', 'status =', 'Review', SECRET];
		const secrets = [test.bank.broker.secretAccessKey, test.bank.broker.accessKeyId, 'eyJ', 'Bearer', 'arn:aws'];
		expect([...subjects, ...literals, ...secrets].filter((s) => text.includes(s))).toEqual([]);
	});

	it('holds no value of any row', async () => {
		// Words of the log's own, and numbers that any duration or status could be, prove nothing.
		const own = new Set(lines.flatMap((line) => Object.keys(JSON.parse(line) as object)));
		const values = new Set(
			(await Promise.all(test.world.contracts.map(({ contract }) => readTable(test.bank.lakeDir, contract))))
				.flat()
				.flatMap((row) => Object.values(row).map(String))
				.filter((v) => v.length >= 5 && !own.has(v)),
		);
		expect(values.size).toBeGreaterThan(200);
		// Ids, times and durations are made at random or by the clock, and may look like anything.
		const told = lines.map((line) => ({ ...JSON.parse(line), trace: 0, request: 0, time: 0, caller: 0, ms: 0 }));
		const text = JSON.stringify(told);
		expect([...values].filter((v) => text.includes(v))).toEqual([]);
	});

	it('carries the trace of the caller', async () => {
		const headers = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
		await send(test, '/healthz', { headers });
		expect(JSON.parse(readLines().at(-1) ?? '{}')).toMatchObject({ route: '/healthz', trace: TRACE, status: 200 });
	});
});
