/**
 * A call of each operation that is taken as it stands, on real things of the test bank. Bodies are the document's own
 * examples, filled with every member that their schemas have. What a call uses up is made anew by the next.
 */
import type { GrantView } from '#core/grants.ts';
import type { Handle } from '#local/people.ts';
import type { TestBank } from '#tests/fixtures.ts';
import { decision, file, finished, get, grantTo, post, requestBody } from '../harness.ts';

export type Fuzzed = {
	/** null: without a token. */
	readonly who: Handle | null;
	readonly params?: Readonly<Record<string, string>>;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: unknown;
};

export type Arrange = (test: TestBank, example: unknown) => Promise<Fuzzed>;

/** One object of each kind, for reading; each caller of an operation below sees it. */
type Things = { readonly request: string; readonly grant: GrantView; readonly query: string; readonly report: string };
const things = new WeakMap<TestBank, Promise<Things>>();

async function makeThings({ world }: TestBank): Promise<Things> {
	const grant = await grantTo(world, 'alice', requestBody(world));
	const query = await finished(world, 'alice', 'SELECT loan_id, status FROM lending.loans');
	const report = await world.call(post('rita', '/reports', { kind: 'flows', product: 'lending.loans' }));
	return { request: grant.request, grant, query: query.id, report: (report.body as { id: string }).id };
}

function thingsOf(test: TestBank): Promise<Things> {
	const made = things.get(test) ?? makeThings(test);
	things.set(test, made);
	return made;
}

const as =
	(who: Handle, params?: Record<string, string>): Arrange =>
	() =>
		Promise.resolve({ who, ...(params === undefined ? {} : { params }) });
const of =
	(who: Handle, thing: (things: Things) => string): Arrange =>
	async (test) => ({ who, params: { id: thing(await thingsOf(test)) } });
const version = { id: 'lending.loans', version: '1.0.0' };
const open: Arrange = () => Promise.resolve({ who: null });

const asked = async ({ world }: TestBank) => file(world, 'alice', requestBody(world));

/** A domain of its own, so that nobody loses a role; each change says which version it saw. */
const registering: Arrange = async ({ world }, example) => {
	const account = '219999999999';
	const id = 'fuzzed';
	const found = await world.call(get('stella', `/domains/${id}`));
	const etag = found.headers.get('etag');
	const principals = [{ arn: `arn:aws:iam::${account}:role/fuzzed`, purpose: 'credit-risk' }];
	const body = { ...(example as object), charter: 'Tries everything', account, principals };
	return { who: 'stella', params: { id }, body, ...(etag === null ? {} : { headers: { 'if-match': etag } }) };
};

/** The next version of a product that no other call here reads. */
const publishing: Arrange = async ({ bank, world }) => {
	const id = 'customers.districts';
	const { contract } = world.contracts.find((c) => c.contract.product === id) ?? {};
	const current = await world.call(get('peter', `/dataproducts/${id}`));
	const [major, minor, patch] = (current.body as { version: string }).version.split('.').map(Number);
	const version = `${major}.${minor}.${(patch ?? 0) + 1}`;
	if (contract === undefined) throw new Error(`no contract of ${id} in ${bank.contractsDir}`);
	return { who: 'peter', params: { id }, body: { ...(contract.document as object), version } };
};

/** The first version has none before it. */
const comparing: Arrange = async (test, example) => {
	const next = await publishing(test, example);
	const { id = '' } = next.params ?? {};
	await test.world.call({ who: 'peter', method: 'PUT', path: `/api/v1/dataproducts/${id}`, body: next.body });
	return { who: 'peter', params: { id, version: (next.body as { version: string }).version } };
};

const asking: Arrange = async ({ bank, world }, example) => ({
	who: 'alice',
	body: {
		...requestBody(world),
		...(example as object),
		version: '1.0.0',
		beneficiaries: [{ issuer: bank.issuer.issuer, subject: 'u-7f3a91c4' }],
		tables: [{ table: 'loans', columns: ['loan_id', 'status'], rowFilter: "status = 'D'" }],
	},
});

const deciding: Arrange = async (test) => {
	const { view, etag } = await asked(test);
	const body = { verdict: 'reject', comment: 'Not needed' };
	return { who: 'olga', params: { id: view.id }, headers: { 'if-match': etag }, body };
};

const revoking: Arrange = async (test, example) => {
	const found = await asked(test);
	const { body } = await test.world.call(decision('olga', found));
	const { grant } = body as { grant: GrantView };
	return { who: 'olga', params: { id: grant.id }, body: example };
};

const querying: Arrange = async (test, example) => {
	await thingsOf(test);
	return { who: 'alice', body: { ...(example as object), purpose: 'credit-risk', dryRun: false } };
};

const reporting: Arrange = (_, example) =>
	Promise.resolve({
		who: 'rita',
		body: { ...(example as object), from: '2026-01-01T00:00:00Z', until: '2026-02-01T00:00:00Z' },
	});

export const arrangements: Readonly<Record<string, Arrange>> = {
	getMe: as('alice'),
	listPurposes: as('alice'),
	listDomains: as('alice'),
	getDomain: as('alice', { id: 'risk' }),
	putDomain: registering,
	listDataProducts: as('alice'),
	getDataProduct: as('alice', { id: 'lending.loans' }),
	listDataProductVersions: as('alice', { id: 'lending.loans' }),
	getDataProductVersion: as('alice', version),
	getDataProductContract: as('alice', version),
	compareDataProductVersions: comparing,
	putDataProduct: publishing,
	createRequest: asking,
	listRequests: as('alice'),
	getRequest: of('alice', (t) => t.request),
	decideRequest: deciding,
	cancelRequest: async (test) => ({ who: 'alice', params: { id: (await asked(test)).view.id } }),
	listGrants: as('alice'),
	getGrant: of('alice', (t) => t.grant.id),
	revokeGrant: revoking,
	createQuery: querying,
	getQuery: of('alice', (t) => t.query),
	getQueryResults: of('alice', (t) => t.query),
	readLineage: (_test, example) => Promise.resolve({ who: 'alice', body: example }),
	cancelQuery: of('alice', (t) => t.query),
	createReport: reporting,
	getReport: of('rita', (t) => t.report),
	getReportContent: of('rita', (t) => t.report),
	listLedgerEntries: as('rita'),
	verifyLedger: as('rita'),
	getHealth: open,
	getReadiness: open,
	getVersion: open,
	getResourceMetadata: open,
};
