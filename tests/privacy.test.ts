/**
 * What the ledger says of people: pseudonyms. Names, free text, literals and the constants of filters on personal
 * columns lie in the erasable payload; once that is gone, what it opened stays shut and the ledger still verifies.
 */
import { inflateRawSync } from 'node:zlib';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import * as Access from '#core/access.ts';
import * as Grants from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import * as Query from '#core/query.ts';
import { type Handle, people } from '#local/people.ts';
import type { Answer } from '#local/story/client.ts';
import { expectBody, principalOf, rawRows } from '#local/story/world.ts';
import { seen } from './api/harness.ts';
import { inLakeFormation, type TestBank, testBank } from './fixtures.ts';

let test: TestBank;
let grant: Grants.GrantView;
let requested: Answer;

const CLIENTS = 'customers.clients';
const JUSTIFICATION = 'Ada Lovelace asked for it';
const BORN = '7_%';

beforeAll(async () => {
	test = await testBank();
	await makeNickPrivacyOfficer();
	requested = await test.world.call({
		who: 'mia',
		method: 'POST',
		path: '/api/v1/requests',
		body: {
			product: CLIENTS,
			tables: [{ table: 'clients', columns: ['client_id', 'district_id'], rowFilter: `birth_token LIKE '${BORN}'` }],
			purpose: 'service-improvement',
			principal: principalOf(test.world, 'marketing', 'service-improvement'),
			duration: 'P1D',
			justification: JUSTIFICATION,
		},
	});
});

afterAll(() => test.close());

async function makeNickPrivacyOfficer(): Promise<void> {
	const { issuer } = test.bank.issuer;
	const customers = test.world.domains.find((d) => d.id === 'customers');
	const member = (who: Handle, role: string) => ({ issuer, subject: people[who].subject, roles: [role] });
	const body = {
		name: customers?.name,
		account: customers?.account,
		members: [member('peter', 'owner'), member('nick', 'privacy-officer')],
		principals: [],
	};
	const path = '/api/v1/domains/customers';
	const headers = await seen(test, path);
	const answer = await test.world.call({ who: 'stella', method: 'PUT', path, body, headers });
	expect(answer.status).toBe(200);
}

async function approve(who: Handle): Promise<{ state: string; grant: Grants.GrantView | null }> {
	const request = expectBody(requested, 201, Access.RequestView);
	const answer = await test.world.call({
		who,
		method: 'POST',
		path: `/api/v1/requests/${request.id}/decisions`,
		body: { verdict: 'approve', comment: 'Charles Babbage agrees' },
		headers: { 'if-match': requested.headers.get('etag') ?? '' },
	});
	const Decided = z.object({ request: Access.RequestView, grant: Grants.GrantView.nullable() });
	const decided = expectBody(answer, 201, Decided);
	return { state: decided.request.state, grant: decided.grant };
}

it('personal data takes the owner and the privacy officer', async () => {
	expect(expectBody(requested, 201, Access.RequestView).route).toEqual(['owner', 'privacy-officer']);
	expect(await approve('peter')).toEqual({ state: 'pending', grant: null });
	const second = await approve('nick');
	expect(second.state).toBe('approved');
	expect(second.grant?.state).toBe('granted');
	grant = second.grant as Grants.GrantView;
});

it('Lake Formation gets the constant, and the rows are those of brute force', async () => {
	const [filter] = test.bank.aws.lakeFormationState().filters;
	expect(filter?.expression).toBe(`"birth_token" LIKE '${BORN}'`);
	const started = await run(
		`SELECT client_id FROM customers.clients WHERE district_id < 4711471147 AND 'Grace Hopper' <> ''`,
	);
	const answer = await test.world.call({ who: 'mia', path: `/api/v1/queries/${started.id}/results?pageSize=999` });
	const found = expectBody(answer, 200, z.object({ rows: z.array(z.array(z.string())) })).rows.map(([id]) => id);
	const born = (await rawRows(test.world, CLIENTS)).filter((r) => /^7./.test(r['birth_token'] ?? ''));
	expect(new Set(found)).toEqual(new Set(born.map((r) => r['client_id'])));
	expect(found.length).toBe(born.length);
	expect(born.length).toBeGreaterThan(10);
});

async function run(sql: string): Promise<Query.QueryView> {
	const principal = principalOf(test.world, 'marketing', 'service-improvement');
	const answer = await test.world.call({
		who: 'mia',
		method: 'POST',
		path: '/api/v1/queries',
		body: { sql, principal },
	});
	let view = expectBody(answer, 202, Query.QueryView);
	while (view.state === 'running') {
		await new Promise((resolve) => setTimeout(resolve, 25));
		view = expectBody(await test.world.call({ who: 'mia', path: `/api/v1/queries/${view.id}` }), 200, Query.QueryView);
	}
	expect(view.state).toBe('completed');
	return view;
}

it('no entry holds a name, a free text, a literal or a personal constant', async () => {
	// So many columns, under names of the caller's own, stand in entries of theirs.
	const many = Array.from({ length: 900 }, (_, i) => `client_id AS "Lovelace ${i}"`).join(', ');
	await run(`SELECT ${many} FROM customers.clients WHERE district_id = 4711471147`);
	const ctx = test.bank.platform;
	let start: string | null = null;
	let texts = '';
	do {
		const page: Awaited<ReturnType<typeof Ledger.rawPage>> = await Ledger.rawPage(ctx, start, 100);
		texts += page.items.map(textOf).join('\n');
		start = page.next;
	} while (start !== null);
	expect(texts).toContain('"birth_token"');
	expect(texts).toMatch(/ColumnsRecorded.*"column":"client_id"/s);
	const secrets = [
		BORN,
		'Lovelace',
		'Babbage',
		'Hopper',
		'4711471147',
		...Object.values(people).flatMap((p) => [p.subject, p.name]),
	];
	expect(secrets.filter((s) => texts.includes(s))).toEqual([]);
});

/** What an entry says, and what it has deflated. */
function textOf({ bytes }: Ledger.Stored): string {
	const text = Buffer.from(bytes).toString('utf8');
	const { type, data } = JSON.parse(text) as { type: string; data?: string };
	return type === 'ColumnsRecorded' ? text + inflateRawSync(Buffer.from(data ?? '', 'base64')).toString('utf8') : text;
}

it('once the payload is erased, the grant opens nothing and the ledger still verifies', async () => {
	const { platform } = test.bank;
	const table = { account: '210000000002', database: 'customers', table: 'clients' };
	const stream = Ledger.stream.entitlement(grant.principal, table);
	const last = await Ledger.last(platform, stream, 'EntitlementChanged');
	await platform.aws.dynamodb.send(
		new DeleteItemCommand({
			TableName: platform.config.tables.payloads,
			Key: { pk: { S: `P#${last?.entry.id}` }, sk: { S: '-' } },
		}),
	);
	const principal = principalOf(test.world, 'marketing', 'service-improvement');
	const body = { sql: 'SELECT client_id FROM customers.clients', principal };
	const refused = await test.world.call({ who: 'mia', method: 'POST', path: '/api/v1/queries', body });
	expect([refused.status, (refused.body as { code: string }).code]).toEqual([403, 'table-not-granted']);
	const path = `/api/v1/grants/${grant.id}/revoke`;
	const revoked = await test.world.call({ who: 'peter', method: 'POST', path, body: { reason: 'erased' } });
	expect(expectBody(revoked, 202, Grants.GrantView).state).toBe('revoked');
	expect(inLakeFormation(test.bank).permissions).toEqual([]);
	expect((await Ledger.verifyAll(platform)).findings).toEqual([]);
});
