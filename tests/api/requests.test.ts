/** Requests: what cannot be asked for, and that asking for it leaves nothing behind. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { people } from '#local/people.ts';
import { principalOf } from '#local/story/world.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { file, post, refused, requestBody } from './harness.ts';

let test: TestBank;

beforeAll(async () => {
	test = await testBank();
});

afterAll(() => test.close());

const body = (more: Record<string, unknown> = {}) => requestBody(test.world, more);
const asking = (more: Record<string, unknown>) => post('alice', '/requests', body(more));
const filtered = (rowFilter: unknown, table = 'loans', columns = ['loan_id']) =>
	asking({ tables: [{ table, columns, rowFilter }] });
/** Refused as `validation`, pointing at this member. */
const invalidAt = async (more: Record<string, unknown>, pointer: string) => {
	const problem = await refused(test, asking(more), 422, 'validation');
	expect(problem.errors?.map((e) => e.pointer)).toContain(pointer);
};

describe('422 for a member that is not ours to be told', () => {
	it.each([
		'',
		'$where',
		...'id status state route awaiting requester requesterId approver approvedBy grant grantId expiresAt'.split(' '),
		...'until from contentHash policies autoApprove consumerDomain seq Product workGroup outputLocation'.split(' '),
		...'constructor hasOwnProperty toString'.split(' '),
	])('%j', async (name) => {
		await invalidAt({ [name]: 'approved' }, `/${name}`);
	});

	it('__proto__', async () => {
		const text = JSON.stringify(body()).replace('{', '{"__proto__":{"state":"approved"},');
		const call = { ...asking({}), body: JSON.parse(text) as unknown };
		const problem = await refused(test, call, 422, 'validation');
		expect(problem.errors?.[0]?.pointer).toBe('/__proto__');
	});

	it('inside a table, a beneficiary or a decision', async () => {
		await invalidAt({ tables: [{ table: 'loans', columns: ['loan_id'], allColumns: true }] }, '/tables/0/allColumns');
		const who = { issuer: test.bank.issuer.issuer, subject: people.alice.subject, person: 'per_1' };
		await invalidAt({ beneficiaries: [who] }, '/beneficiaries/0/person');
		const { view, etag } = await file(test.world, 'alice', body());
		const decision = { verdict: 'approve', as: 'owner', until: '2099-01-01T00:00:00Z', outcome: 'approved' };
		const call = post('olga', `/requests/${view.id}/decisions`, decision, { 'if-match': etag });
		const problem = await refused(test, call, 422, 'validation');
		expect(problem.errors?.map((e) => e.pointer).toSorted()).toEqual(['/as', '/outcome', '/until']);
	});
});

describe('422 for a value of the wrong kind', () => {
	const members = ['product', 'tables', 'purpose', 'principal', 'duration', 'justification'];

	it.each(members.flatMap((m) => [null, 0, true, '', [], {}, [null]].map((value) => [m, value] as const)))(
		'%s: %j',
		async (name, value) => {
			const problem = await refused(test, asking({ [name]: value }), 422, 'validation');
			expect(problem.errors?.every((e) => e.pointer.startsWith(`/${name}`))).toBe(true);
		},
	);

	it.each(members)('no %s at all', (name) => invalidAt({ [name]: undefined }, `/${name}`));

	it.each([
		['a justification', { justification: 'x'.repeat(2001) }],
		['a duration', { duration: `P${'1'.repeat(60)}D` }],
		['a principal', { principal: `arn:aws:iam::210000000004:role/${'x'.repeat(300)}` }],
		['a purpose', { purpose: 'x'.repeat(64) }],
		['a product', { product: `lending.${'x'.repeat(64)}` }],
		['a column', { tables: [{ table: 'loans', columns: ['x'.repeat(256)] }] }],
		['a list of columns', { tables: [{ table: 'loans', columns: Array(1001).fill('loan_id') }] }],
		['a list of tables', { tables: Array.from({ length: 51 }, () => ({ table: 'loans', columns: ['loan_id'] })) }],
		['a row filter', { tables: [{ table: 'loans', columns: ['loan_id'], rowFilter: ' '.repeat(10_001) }] }],
	])('%s that is too long', async (_, more) => {
		await refused(test, asking(more), 422, 'validation');
	});

	it('text that is no Unicode: half a surrogate pair', async () => {
		await invalidAt({ justification: 'half \ud800' }, '/justification');
		await refused(
			test,
			post('alice', '/requests?dryRun=true', body({ justification: 'half \ud800' })),
			422,
			'validation',
		);
		await refused(test, filtered("status = '\ud800'"), 422, 'row-filter-invalid');
	});

	it.each([' \n\t', '\u200b\u3164', 'a\u0000b', 'a\u001b[2Kb'])(
		'a justification that shows nothing, or hides something: %j',
		(text) => invalidAt({ justification: text }, '/justification'),
	);

	it.each(['P0D', 'PT0S', '-P1D', 'P-1D', '+P1D', 'P', 'PT', 'P1', '1D', 'P1DT', 'xP1D', 'P1D;', 'forever', 'P367D'])(
		'the duration %s',
		(duration) => invalidAt({ duration }, '/duration'),
	);

	it('the same table twice', () => {
		const once = { table: 'loans', columns: ['loan_id'] };
		return invalidAt({ tables: [once, { ...once, table: 'LENDING.LOANS' }] }, '/tables/1/table');
	});

	it('another version than the one published', () => invalidAt({ version: '0.9.0' }, '/version'));
});

describe('422 for what the product does not have', () => {
	it.each(['payments.transactions', ...'nosuch transactions lending loans$partitions "loans" loans; *'.split(' ')])(
		'the table %s',
		async (table) => {
			await refused(test, asking({ tables: [{ table, columns: ['loan_id'] }] }), 422, 'table-not-found');
		},
	);

	it.each(['nosuch', '*', 'loan_id ', '"loan_id"', '$path', 'loan_id,duration', 'loans.loan_id', '__proto__'])(
		'the column %s',
		async (column) => {
			const call = asking({ tables: [{ table: 'loans', columns: ['loan_id', column] }] });
			const problem = await refused(test, call, 422, 'column-not-found');
			expect(problem.errors?.[0]?.pointer).toBe('/tables/0/columns');
		},
	);

	it('a column that only the row filter names', async () => {
		await refused(test, filtered("nosuch = 'x'"), 422, 'column-not-found');
	});
});

describe('422 for a row filter that Lake Formation would not take', () => {
	it.each([
		['a function', "lower(status) = 'b'"],
		['a cast', "CAST(loan_id AS varchar) = '1'"],
		['arithmetic', 'amount + 1 > 2'],
		['a column against a column', 'amount > payments'],
		['a column against itself', 'amount = amount'],
		['a constant against a constant', '1 = 1'],
		['a constant alone', 'true'],
		['a column alone', 'status'],
		['a date column', "granted_on > '2020-01-01'"],
		['a date literal', "granted_on > DATE '2020-01-01'"],
		['the current time', 'granted_on > current_date'],
		['NULL as a constant', 'status = NULL'],
		['text against a number', 'status = 1'],
		['a number against text', "amount = '1'"],
		['LIKE on a number', "loan_id LIKE '1%'"],
		['an ESCAPE', "status LIKE 'a!%' ESCAPE '!'"],
		['IS DISTINCT FROM', "status IS DISTINCT FROM 'A'"],
		['CASE', "CASE WHEN status = 'A' THEN true ELSE false END"],
		['a qualified column', "loans.status = 'A'"],
		['a sub-query', 'status IN (SELECT status FROM lending.loans)'],
		['EXISTS', 'EXISTS (SELECT 1)'],
		['an array', "status = ANY (ARRAY['A'])"],
		['a parameter', 'status = ?'],
		['a semicolon', "status = 'A'; DROP TABLE loans"],
		['UNION', "status = 'A' UNION SELECT 1"],
		['a statement', 'SELECT 1'],
		['text after it', "status = 'A' ORDER BY 1"],
		['an open quote', "status = 'A"],
		['an open parenthesis', "(status = 'A'"],
		['a closing parenthesis', "status = 'A')"],
		['blanks only', '   '],
		['a comment only', '-- status'],
		['a NUL', "status = 'a\0'"],
		['a fraction of an integer', 'loan_id = 1.5'],
		['a number beyond its type', 'loan_id = 9223372036854775808'],
		['a number with a vast exponent', 'amount > 1E99999'],
		['a number of a thousand digits', 'amount > 1E999'],
	])('%s', async (_, rowFilter) => {
		const problem = await refused(test, filtered(rowFilter), 422, 'row-filter-invalid');
		expect(problem.errors?.[0]?.pointer).toBe('/tables/0/rowFilter');
		expect(problem).toMatchObject({ line: expect.any(Number), column: expect.any(Number) });
	});

	it('one that is printed with more than 2,047 characters; with 2,047 it is taken', async () => {
		const long = (length: number) => `collateral = '${'x'.repeat(length - `"collateral" = ''`.length)}'`;
		await refused(test, filtered(long(2048)), 422, 'row-filter-invalid');
		const { view } = await file(test.world, 'alice', filtered(long(2047)).body as Record<string, unknown>);
		expect(view.tables[0]?.rowFilter).toHaveLength(2047);
	});

	it.each([
		['a thousand parentheses', `${'('.repeat(1000)}status = 'A'${')'.repeat(1000)}`],
		['a thousand NOTs', `${'NOT '.repeat(1000)}status = 'A'`],
		['two thousand items', `loan_id IN (${Array.from({ length: 2000 }, (_, i) => i).join(',')})`],
	])('%s', async (_, rowFilter) => {
		await refused(test, filtered(rowFilter), 422, 'row-filter-invalid');
	});

	it('and what a comment hides is not kept: the filter is printed from its tree', async () => {
		const asked = filtered("status /* x */ = 'A' -- OR true").body as Record<string, unknown>;
		const { view } = await file(test.world, 'alice', asked);
		expect(view.tables[0]?.rowFilter).toBe(`"status" = 'A'`);
	});
});

describe('403 and 422 for purposes and principals', () => {
	it.each(['fraud-detection', 'model-validation', 'not-governed'])(
		'422 the purpose %s, which the principal does not serve',
		(purpose) => invalidAt({ purpose }, '/purpose'),
	);

	it('422 a governed purpose of the principal that the contract does not allow', async () => {
		const purpose = 'fraud-detection';
		const call = asking({ purpose, principal: principalOf(test.world, 'risk', purpose) });
		await refused(test, call, 422, 'purpose-not-allowed');
	});

	it('422 a principal that nobody registered, or that is no full role ARN', async () => {
		await invalidAt({ principal: 'arn:aws:iam::210000000004:role/nosuch' }, '/principal');
		for (const principal of ['role/x', 'arn:aws:iam::210000000004:user/x', 'IAM_ALLOWED_PRINCIPALS', '*']) {
			await invalidAt({ principal }, '/principal');
		}
	});

	// Which principals a domain has is metadata that every member sees (GET /domains): so 403, not 422 or 404.
	it('403 a principal of another domain', async () => {
		const purpose = 'campaign-planning';
		const principal = principalOf(test.world, 'marketing', purpose);
		await refused(test, asking({ purpose, principal }), 403, 'not-permitted');
		const other = post('mia', '/requests', body());
		await refused(test, other, 403, 'not-permitted');
	});

	it('403 somebody who is no consumer: owner, regulator, steward', async () => {
		for (const who of ['olga', 'rita', 'stella'] as const) {
			await refused(test, post(who, '/requests', body()), 403, 'not-permitted');
		}
	});

	it('422 beneficiaries who are not consumers of the domain, unknown ones alike', async () => {
		const { issuer } = test.bank.issuer;
		const subjects = [people.mia.subject, people.olga.subject, people.nick.subject, 'nobody'];
		const problems = [];
		for (const subject of subjects) {
			const call = asking({ beneficiaries: [{ issuer, subject }] });
			problems.push((await refused(test, call, 422, 'validation')).errors);
		}
		expect(new Set(problems.map((p) => JSON.stringify(p))).size).toBe(1);
		const elsewhere = { issuer: 'https://other.example', subject: people.alice.subject };
		await invalidAt({ beneficiaries: [elsewhere] }, '/beneficiaries/0');
	});
});
