/** Results: page by page and only to whom they belong, exactly the cells of the caller's own grants, safe as CSV. */
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GrantView } from '#core/grants.ts';
import type { QueryView } from '#core/query.ts';
import { principalOf, rawRows } from '#local/story/world.ts';
import { ledgerSize, type TestBank, testBank } from '#tests/fixtures.ts';
import { expectRefusal, finished, get, grantTo, type Page, post, refused, requestBody, rowsOf } from './harness.ts';
import { enrol } from './registration.ts';

let test: TestBank;
let grant: GrantView;
let query: QueryView;
let first: Page;

const SQL = 'SELECT loan_id, status FROM lending.loans ORDER BY loan_id';
const rows = "status IN ('B','D')";
const loans = (columns: string[], rowFilter: string | null) => ({ tables: [{ table: 'loans', columns, rowFilter }] });

beforeAll(async () => {
	test = await testBank();
	await enrol(test, 'risk', { alice: ['consumer'], nick: ['consumer'] });
	const more = loans(['loan_id', 'status', 'amount', 'collateral'], rows);
	grant = await grantTo(test.world, 'alice', requestBody(test.world, more));
	query = await finished(test.world, 'alice', SQL);
	first = (await test.world.call(results('?pageSize=10'))).body as Page;
});

afterAll(() => test.close());

const results = (search = '', id = query.id) => get('alice', `/queries/${id}/results${search}`);
const paged = (token: string, id = query.id) => results(`?pageSize=10&pageToken=${encodeURIComponent(token)}`, id);
const token = () => first.nextPageToken ?? '';

/** The whole result by pages of this size; `link` follows the header in place of the token. */
async function allPages(pageSize: number, link = false): Promise<Page['rows'][]> {
	const pages: Page['rows'][] = [];
	let next: string | null = `/queries/${query.id}/results?pageSize=${pageSize}`;
	while (next !== null) {
		const answer = await test.world.call(get('alice', next));
		expect(answer.status).toBe(200);
		const page = answer.body as Page;
		pages.push(page.rows);
		const named = /^<\/api\/v1(\/[^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1] ?? null;
		expect(named === null).toBe(page.nextPageToken === null);
		const token = new URLSearchParams({ pageToken: page.nextPageToken ?? '' });
		const own = `/queries/${query.id}/results?pageSize=${pageSize}&${token.toString()}`;
		next = page.nextPageToken === null ? null : link ? named : own;
	}
	return pages;
}

describe('422 for a page that is none', () => {
	it.each(['0', '-1', '1000', '1.5', 'ten', '', '1e9', 'NaN'])('pageSize=%s', async (size) => {
		await refused(test, results(`?pageSize=${size}`), 422, 'validation');
	});

	it.each(['xml', 'CSV', ''])('format=%s', async (format) => {
		await refused(test, results(`?format=${format}`), 422, 'validation');
	});

	it('a token that was made up, cut, changed, or written for another position', async () => {
		const good = token();
		const flipped = `${good.slice(0, 60)}${good[60] === 'A' ? 'B' : 'A'}${good.slice(61)}`;
		const made = Buffer.from(JSON.stringify({ token: null, rows: 0 })).toString('base64url');
		for (const bad of ['x', '.', made, 'A'.repeat(80), good.slice(0, -4), good.slice(4), `AAAA${good}`, flipped]) {
			await refused(test, paged(bad), 422, 'validation');
		}
		await refused(test, paged('x'.repeat(4001)), 422, 'validation');
	});

	it('a token of another query of hers, and of another list', async () => {
		const other = await finished(test.world, 'alice', SQL);
		await refused(test, paged(token(), other.id), 422, 'validation');
		await refused(test, get('alice', `/requests?pageToken=${encodeURIComponent(token())}`), 422, 'validation');
	});

	it('404 with a good token, for anybody else', async () => {
		const call = get('nick', `/queries/${query.id}/results?pageToken=${encodeURIComponent(token())}`);
		await refused(test, call, 404, 'not-found');
	});
});

describe('paging', () => {
	it('gives every row once, in order, whatever the size of the page', async () => {
		const all = (await rawRows(test.world, 'lending.loans'))
			.filter((r) => r['status'] === 'B' || r['status'] === 'D')
			.map((r) => [String(r['loan_id']), String(r['status'])])
			.toSorted(([a], [b]) => Number(a) - Number(b));
		expect(all.length).toBeGreaterThan(30);
		for (const size of [7, all.length - 1, all.length, all.length + 1, 999]) {
			const pages = await allPages(size);
			expect(pages.flat()).toEqual(all);
			expect(pages.slice(0, -1).every((p) => p.length === size)).toBe(true);
		}
		expect((await allPages(10, true)).flat()).toEqual(all);
	});

	it('records the delivery once, with all rows of all pages', async () => {
		await allPages(7);
		const before = await ledgerSize(test.world);
		await allPages(9);
		expect(await ledgerSize(test.world)).toBe(before);
		const { body } = await test.world.call(get('alice', `/queries/${query.id}`));
		expect((body as QueryView).rowsDelivered).toBe((await allPages(999)).flat().length);
	});
});

describe('CSV', () => {
	const csv = async (sql: string, search = '') => {
		const { id } = await finished(test.world, 'alice', sql);
		const answer = await test.world.call(results(`?format=csv${search}`, id));
		expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8']);
		return { text: String(answer.body), headers: answer.headers };
	};

	it('has the header on the first page only, and the same rows as JSON', async () => {
		const { headers, text } = await csv(SQL, '&pageSize=10');
		const link = /^<\/api\/v1([^>]+)>/.exec(headers.get('link') ?? '')?.[1] ?? '';
		expect(link).toContain('format=csv');
		const next = String((await test.world.call(get('alice', link))).body);
		const lines = [...parse(text), ...parse(next)];
		expect(lines[0]).toEqual(['loan_id', 'status']);
		expect(lines.slice(1)).toEqual((await allPages(999)).flat().slice(0, 20));
	});

	it.each(['=1+1', '+1', '@SUM(A1)', '-1+1', '\t=1', '\r=1', '=HYPERLINK("http://x","y")'])(
		'is safe to open in a spreadsheet, header and value: %j',
		async (value) => {
			const alias = value.toLowerCase();
			const { text } = await csv(`SELECT '${value}' AS "${alias.replaceAll('"', '""')}" FROM lending.loans LIMIT 1`);
			expect(parse(text, { record_delimiter: '\n' })).toEqual([[`'${alias}`], [`'${value}`]]);
		},
	);

	it('quotes what needs it', async () => {
		const { text } = await csv(`SELECT 'a,"b"' || chr_ AS x FROM (SELECT status AS chr_ FROM lending.loans) t LIMIT 1`);
		expect(parse(text)[1]?.[0]).toMatch(/^a,"b"[BD]$/);
	});

	it('tells NULL from the empty text', async () => {
		const sql = "SELECT NULLIF('a', 'a') AS n, '' AS e, loan_id FROM lending.loans ORDER BY loan_id LIMIT 1";
		const { text } = await csv(sql);
		expect(text.split(/\r?\n/)[1]).toMatch(/^,"",[0-9]+$/);
	});
});

describe('two callers on one principal', () => {
	const sql = 'SELECT * FROM lending.loans ORDER BY loan_id';

	it('each see their own columns and rows, though Lake Formation holds both grants in one filter', async () => {
		const purpose = 'model-validation';
		const principal = principalOf(test.world, 'risk', purpose);
		const columns = ['loan_id', 'status'];
		const ask = (who: 'alice' | 'nick', rowFilter: string) =>
			grantTo(test.world, who, requestBody(test.world, { purpose, principal, ...loans(columns, rowFilter) }));
		await ask('alice', "status = 'B'");
		await ask('nick', "status = 'D'");
		const statuses = async (who: 'alice' | 'nick') =>
			new Set((await rowsOf(test.world, who, sql, principal)).map((r) => r[1]));
		expect([await statuses('alice'), await statuses('nick')]).toEqual([new Set(['B']), new Set(['D'])]);
		for (const who of ['alice', 'nick'] as const) {
			const own = (await rowsOf(test.world, who, sql, principal)).length;
			const counted = await rowsOf(test.world, who, 'SELECT count(*) FROM lending.loans', principal);
			expect(counted).toEqual([[String(own)]]);
		}
	});

	it('nor one the columns of the other', async () => {
		await grantTo(test.world, 'nick', requestBody(test.world, loans(['loan_id', 'duration'], rows)));
		const principal = principalOf(test.world, 'risk', 'credit-risk');
		expect((await rowsOf(test.world, 'nick', sql))[0]).toHaveLength(2);
		expect((await rowsOf(test.world, 'alice', sql))[0]).toHaveLength(4);
		for (const [who, column] of [
			['alice', 'duration'],
			['nick', 'status'],
		] as const) {
			const call = post(who, '/queries', { sql: `SELECT ${column} FROM lending.loans`, principal });
			await refused(test, call, 403, 'column-not-granted');
		}
	});
});

describe('403 once a result may no longer be read', () => {
	it('its reader has left the domain; it is there again when she comes back', async () => {
		await enrol(test, 'risk', { nick: ['consumer'] });
		const answer = await test.world.call(results());
		await enrol(test, 'risk', { alice: ['consumer'], nick: ['consumer'] });
		expect([403, 404]).toContain(answer.status);
		expect((await test.world.call(results())).status).toBe(200);
	});

	it('its grant was revoked: also in the middle of the pages', async () => {
		expect((await test.world.call(paged(token()))).status).toBe(200);
		const revoked = await test.world.call(post('olga', `/grants/${grant.id}/revoke`, { reason: 'over' }));
		expect(revoked.status).toBe(202);
		for (const call of [results(), paged(token()), results('?format=csv')]) {
			const answer = await test.world.call(call);
			expectRefusal(answer, 403, (answer.body as { code: 'grant-revoked' }).code);
			expect(['grant-revoked', 'table-not-granted']).toContain((answer.body as { code: string }).code);
		}
	});
});
