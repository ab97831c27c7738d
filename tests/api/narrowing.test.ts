/** Approving less than was asked for: never more, seen by the requester, and what the next approver decides on. */
import * as fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RequestView } from '#core/access.ts';
import type { GrantView } from '#core/grants.ts';
import type { Handle } from '#local/people.ts';
import { principalOf, rawRows } from '#local/story/world.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { file, get, type Problem, post, refused, requestBody, rowsOf } from './harness.ts';
import { enrol } from './registration.ts';

let test: TestBank;

beforeAll(async () => {
	test = await testBank();
	await enrol(test, 'customers', { peter: ['owner'], paula: ['privacy-officer'] });
});

afterAll(() => test.close());

type Asked = { readonly view: RequestView; readonly etag: string };
type Decided = { readonly request: RequestView; readonly grant: GrantView | null };

const columns = ['amount', 'loan_id', 'status'];
const ask = (more: Record<string, unknown> = {}) =>
	file(
		test.world,
		'alice',
		requestBody(test.world, { tables: [{ table: 'loans', columns, rowFilter: "status IN ('B','D')" }], ...more }),
	);
const approving = (who: Handle, { view, etag }: Asked, narrow?: unknown, verdict = 'approve') =>
	post(who, `/requests/${view.id}/decisions`, { verdict, narrow }, { 'if-match': etag });
const loans = (more: object) => ({ tables: [{ table: 'loans', ...more }] });
const readAgain = async (who: Handle, { view }: Asked): Promise<Asked> => {
	const { body, headers } = await test.world.call(get(who, `/requests/${view.id}`));
	return { view: body as RequestView, etag: headers.get('etag') ?? '' };
};

async function approved(who: Handle, asked: Asked, narrow?: unknown): Promise<Decided> {
	const { status, body } = await test.world.call(approving(who, asked, narrow));
	expect({ status, body }).toMatchObject({ status: 201 });
	return body as Decided;
}

const revoke = (who: Handle, { grant }: Decided) =>
	test.world.call(post(who, `/grants/${grant?.id}/revoke`, { reason: 'over' }));

describe('422 for what is not less', () => {
	let asked: Asked;
	beforeAll(async () => {
		asked = await ask();
	});

	const cases: [string, unknown, string][] = [
		['nothing', {}, '/narrow'],
		['a column that was not asked for', loans({ columns: ['loan_id', 'duration'] }), '/narrow/tables/0/columns'],
		['all columns', loans({ columns }), '/narrow/tables/0'],
		['all rows', loans({ rowFilter: "status IN ('A','B','C','D')" }), '/narrow/tables/0'],
		['a table that was not asked for', { tables: [{ table: 'accounts' }] }, '/narrow/tables/0/table'],
		[
			'a table twice',
			{ tables: [1, 2].map(() => ({ table: 'loans', columns: ['loan_id'] })) },
			'/narrow/tables/1/table',
		],
		['the same duration', { duration: 'P1D' }, '/narrow/duration'],
		['a longer duration', { duration: 'P2D' }, '/narrow/duration'],
		['no duration', { duration: 'P0D' }, '/narrow/duration'],
		['another purpose', { purpose: 'model-validation' }, '/narrow/purpose'],
		['more people', { beneficiaries: [] }, '/narrow/beneficiaries'],
	];
	it.each(cases)('%s', async (_, narrow, pointer) => {
		const problem = await refused(test, approving('olga', asked, narrow), 422, 'validation');
		expect(problem.errors?.map((e) => e.pointer)).toContain(pointer);
	});

	it('a rejection that is made less', async () => {
		const call = approving('olga', asked, { duration: 'PT1H' }, 'reject');
		const problem = await refused(test, call, 422, 'validation');
		expect(problem.errors?.map((e) => e.pointer)).toEqual(['/narrow']);
	});

	it('a filter that Lake Formation would not take', async () => {
		const narrow = loans({ rowFilter: "lower(status) = 'b'" });
		await refused(test, approving('olga', asked, narrow), 422, 'row-filter-invalid');
	});
});

it('opens what was approved, and shows what was asked', async () => {
	const asked = await ask();
	const narrow = { ...loans({ columns: ['loan_id', 'amount'], rowFilter: "status = 'D'" }), duration: 'PT6H' };
	const decided = await approved('olga', asked, narrow);
	const cells = { table: 'lending.loans', columns: ['amount', 'loan_id'], rowFilter: `"status" = 'D'` };
	expect(decided.request).toMatchObject({
		state: 'approved',
		tables: [cells],
		duration: 'PT6H',
		asked: { tables: asked.view.tables, duration: 'P1D' },
	});
	expect(decided.grant).toMatchObject({ state: 'granted', tables: [cells] });
	const { from, until } = decided.grant as GrantView;
	expect(Date.parse(until) - Date.parse(from)).toBe(6 * 3_600_000);
	expect((await readAgain('alice', asked)).view).toEqual(decided.request);
	const rows = await rowsOf(test.world, 'alice', 'SELECT loan_id, amount FROM lending.loans');
	expect(rows.length).toBeGreaterThan(0);
	await revoke('olga', decided);
});

describe('of two approvers', () => {
	beforeEach(async () => {
		await enrol(test, 'marketing', { mia: ['consumer'] });
	});

	const purpose = 'service-improvement';
	const clients = () =>
		file(
			test.world,
			'mia',
			requestBody(test.world, {
				product: 'customers.clients',
				tables: [{ table: 'clients', columns: ['client_id', 'district_id'], rowFilter: 'district_id IN (6, 7)' }],
				purpose,
				principal: principalOf(test.world, 'marketing', purpose),
			}),
		);

	it('the second decides on what the first left, and the first need not come again', async () => {
		const asked = await clients();
		const first = await approved('peter', asked, { tables: [{ table: 'clients', rowFilter: 'district_id = 7' }] });
		expect(first.request).toMatchObject({ state: 'pending', awaiting: ['privacy-officer'] });
		expect(first.request.asked?.tables).toEqual(asked.view.tables);
		await refused(test, approving('paula', asked), 412, 'stale');
		const left = await readAgain('paula', asked);
		expect(left.etag).toBe(`"${first.request.contentHash}"`);
		const wider = { tables: [{ table: 'clients', rowFilter: 'district_id IN (6, 7)' }] };
		await refused(test, approving('paula', left, wider), 422, 'validation');
		const second = await approved('paula', left, { duration: 'PT1H' });
		expect(second.request).toMatchObject({ state: 'approved', duration: 'PT1H' });
		expect(second.grant?.tables[0]).toMatchObject({ rowFilter: '"district_id" = 7' });
		await revoke('peter', second);
	});

	it('and an edit is of what they left, with all approvals gone', async () => {
		const asked = await clients();
		await approved('peter', asked, { tables: [{ table: 'clients', rowFilter: 'district_id = 7' }] });
		const left = await readAgain('mia', asked);
		const call = { ...get('mia', `/requests/${asked.view.id}`), method: 'PATCH' as const, body: { duration: 'P2D' } };
		const edited = await test.world.call({ ...call, headers: { 'if-match': left.etag } });
		expect(edited.body).toMatchObject({
			asked: null,
			awaiting: ['owner', 'privacy-officer'],
			tables: [{ rowFilter: '"district_id" = 7' }],
			duration: 'P2D',
		});
	});

	it('a constant on a personal column that an approver adds stays out of the ledger, and is enforced', async () => {
		const asked = await clients();
		const rowFilter = "birth_token LIKE '7%'";
		const first = await approved('peter', asked, { tables: [{ table: 'clients', rowFilter }] });
		expect(first.request.tables[0]?.rowFilter).toContain("LIKE '7%'");
		const stream = encodeURIComponent(`A#request#${asked.view.id}`);
		const { body } = await test.world.call(get('rita', `/ledger/entries?stream=${stream}`));
		const { entries } = body as { entries: { bytes: string }[] };
		const texts = entries.map((e) => Buffer.from(e.bytes, 'base64').toString('utf8')).join('\n');
		expect(texts).toContain('birth_token');
		expect(texts).not.toContain('7%');
	});
});

it('leaves exactly the cells that both asked for and approved, by brute force over the file', async () => {
	const statuses = ['A', 'B', 'C', 'D'];
	const some = <T>(of: readonly T[]) => fc.subarray([...of], { minLength: 1 });
	const cols = some(['amount', 'status', 'duration']).map((more) => ['loan_id', ...more]);
	const inList = (values: readonly string[]) => `status IN (${values.map((v) => `'${v}'`).join(',')})`;
	const raw = await rawRows(test.world, 'lending.loans');
	const once = async (wide: string[], rows: string[], less: string[], fewer: string[]) => {
		const asked = await ask({ tables: [{ table: 'loans', columns: wide, rowFilter: inList(rows) }] });
		const narrow = loans({ columns: less, rowFilter: inList(fewer) });
		const { status, body } = await test.world.call(approving('olga', asked, narrow));
		const within = less.every((c) => wide.includes(c));
		const changes = less.length < wide.length || rows.some((r) => !fewer.includes(r));
		if (!within || !changes) {
			expect([status, (body as Problem).code]).toEqual([422, 'validation']);
			return;
		}
		expect((body as Decided).grant?.tables[0]?.columns).toEqual(less.toSorted());
		const found = (await rowsOf(test.world, 'alice', 'SELECT loan_id FROM lending.loans')).map(([id]) => id);
		const left = raw.filter((r) => [rows, fewer].every((list) => list.includes(r['status'] ?? '')));
		expect(found).toHaveLength(left.length);
		expect(new Set(found)).toEqual(new Set(left.map((r) => r['loan_id'])));
		await revoke('olga', body as Decided);
	};
	await fc.assert(fc.asyncProperty(cols, some(statuses), cols, some(statuses), once), { numRuns: 12, seed: 6 });
}, 120_000);
