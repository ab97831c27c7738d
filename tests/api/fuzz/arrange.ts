/**
 * A call of each operation that is taken as it stands, on real things of the test bank. Bodies are the document's own
 * examples, filled with every member that their schemas have. What a call uses up is made anew by the next.
 */
import { isDeepStrictEqual } from 'node:util';
import type { GrantView } from '#core/grants.ts';
import type { Handle } from '#local/people.ts';
import { principalOf } from '#local/story/world.ts';
import type { TestBank } from '#tests/fixtures.ts';
import { decision, file, finished, get, grantTo, post, requestBody } from '../harness.ts';
import { ofCompleteness } from './completeness.ts';
import { delegatedToRuth, ofDelegations } from './delegations.ts';
import { ofErasures } from './erasures.ts';
import { ofLog } from './log.ts';

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
	// What is tried is the first of a list: the member of whom everything is said.
	const members = (example as { members: unknown[] }).members.toReversed();
	const body = { ...(example as object), charter: 'Tries everything', account, members, principals };
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
		template: null,
	},
});

const askingForSeveral: Arrange = async (test, example) => {
	const { requests } = example as { requests: object[] };
	const { who, body } = await asking(test, requests[0]);
	return { who, body: { requests: [body] } };
};

const editing: Arrange = async (test, example) => {
	const { view, etag } = await asked(test);
	const { product: _, version: __, ...all } = (await asking(test, example)).body as Record<string, unknown>;
	return { who: 'alice', params: { id: view.id }, headers: { 'if-match': etag }, body: all };
};

/** The first of two approvals, so that no grant is opened. */
const deciding: Arrange = async (test) => {
	const { world } = test;
	const purpose = 'service-improvement';
	const [table, columns] = ['clients', ['client_id', 'district_id']];
	const { view, etag } = await file(world, 'mia', {
		...requestBody(world, { product: 'customers.clients', tables: [{ table, columns }], purpose }),
		principal: principalOf(world, 'marketing', purpose),
	});
	const narrow = { tables: [{ table, columns: ['client_id'], rowFilter: 'district_id = 7' }], duration: 'PT1H' };
	const body = { verdict: 'approve', comment: 'Less will do', delegation: await delegatedToRuth(test), narrow };
	return { who: 'ruth', params: { id: view.id }, headers: { 'if-match': etag }, body };
};

/** The grant that the calls below were last made for: what one of them refused has left it as it was. */
const last = new WeakMap<TestBank, GrantView>();

/** One that stands as it was made. One that was changed ends first: a principal holds a bounded number of them. */
async function fresh(test: TestBank): Promise<GrantView> {
	const made = last.get(test);
	if (made !== undefined) {
		const { state, tables } = (await test.world.call(get('olga', `/grants/${made.id}`))).body as GrantView;
		if (state === 'granted' && isDeepStrictEqual(tables, made.tables)) return made;
		await test.world.call(post('olga', `/grants/${made.id}/revoke`, { reason: 'Used up' }));
	}
	const { body } = await test.world.call(decision('olga', await asked(test)));
	const { grant } = body as { grant: GrantView };
	last.set(test, grant);
	return grant;
}

const holding: Arrange = async (test, example) => ({
	who: 'olga',
	params: { id: (await fresh(test)).id },
	body: example,
});

const resuming: Arrange = async (test, example) => {
	const found = await holding(test, example);
	await test.world.call(post('olga', `/grants/${found.params?.['id']}/suspend`, { reason: 'An incident' }));
	return found;
};

const narrowing: Arrange = async (test, example) => {
	const found = await holding(test, example);
	const tables = [{ table: 'loans', columns: ['loan_id'], rowFilter: "status = 'D'" }];
	return { ...found, body: { ...(example as object), tables } };
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

/** Everything that may be asked at once: in another's place, of a request, under a change of the rules. */
const wondering: Arrange = (_, example) => {
	const as = { person: `per_${'0'.repeat(26)}`, roles: [{ domain: 'risk', role: 'consumer' }] };
	const policies = { 'nobody-asks': 'forbid (principal, action == Fairlead::Action::"requestAccess", resource);' };
	const { ask, ...rest } = example as { ask: object };
	return Promise.resolve({
		who: 'stella',
		body: { ...rest, ask, as, policies: { ...policies, 'owner-approves': null } },
	});
};

/** Under a principal of its own: others ask for other rows. */
const emergency: Arrange = ({ world }, example) => {
	const purpose = 'model-validation';
	const tables = [{ table: 'loans', columns: ['loan_id', 'status'], rowFilter: "status = 'D'" }];
	const principal = principalOf(world, 'risk', purpose);
	return Promise.resolve({
		who: 'ruth',
		body: { ...(example as object), version: '1.0.0', tables, purpose, principal },
	});
};

const taken = new WeakMap<TestBank, string>();

/** What nobody has reviewed: taken anew after each review. */
const reviewing: Arrange = async (test, example) => {
	const known = taken.get(test);
	const { unreviewed } = (await test.world.call(get('stella', '/break-glass?pageSize=100'))).body as {
		unreviewed: { request: string }[];
	};
	let id = unreviewed.find(({ request }) => request === known)?.request;
	if (id === undefined) {
		const reason = 'What it is stands in the record of the incident';
		const { body } = await emergency(test, { product: 'lending.loans', duration: 'PT1H', reason });
		const answer = await test.world.call(post('ruth', '/requests/break-glass', body));
		({ id } = (answer.body as { request: { id: string } }).request);
		taken.set(test, id);
	}
	return { who: 'olga', params: { id }, body: example };
};

export const arrangements: Readonly<Record<string, Arrange>> = {
	getMe: as('alice'),
	listPurposes: as('alice'),
	listPolicies: as('alice'),
	explainPolicy: wondering,
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
	createRequests: askingForSeveral,
	breakGlass: emergency,
	listBreakGlass: as('stella'),
	reviewBreakGlass: reviewing,
	editRequest: editing,
	listRequests: as('alice'),
	getRequest: of('alice', (t) => t.request),
	previewRequest: async (test) => ({ who: 'olga', params: { id: (await asked(test)).view.id } }),
	countRequest: async (test) => ({ who: 'olga', params: { id: (await asked(test)).view.id } }),
	getRequestCounts: async (test) => ({ who: 'olga', params: { id: (await asked(test)).view.id } }),
	decideRequest: deciding,
	...ofDelegations,
	cancelRequest: async (test) => ({ who: 'alice', params: { id: (await asked(test)).view.id } }),
	listGrants: as('alice'),
	getGrant: of('alice', (t) => t.grant.id),
	previewGrant: of('alice', (t) => t.grant.id),
	revokeGrant: holding,
	suspendGrant: holding,
	resumeGrant: resuming,
	narrowGrant: narrowing,
	leaveGrant: async (test) => ({ who: 'alice', params: { id: (await fresh(test)).id } }),
	renewGrant: async (test, example) => ({ ...(await holding(test, example)), who: 'alice' }),
	createQuery: querying,
	getQuery: of('alice', (t) => t.query),
	getQueryResults: of('alice', (t) => t.query),
	readLineage: (_test, example) => Promise.resolve({ who: 'alice', body: example }),
	cancelQuery: of('alice', (t) => t.query),
	reconcile: (_test, example) => Promise.resolve({ who: 'oscar', body: example }),
	listUnapproved: as('stella'),
	createReport: reporting,
	getReport: of('rita', (t) => t.report),
	getReportContent: of('rita', (t) => t.report),
	listLedgerEntries: as('rita'),
	verifyLedger: as('rita'),
	...ofLog,
	...ofErasures,
	...ofCompleteness,
	examineMesh: as('oscar'),
	getHealth: open,
	getReadiness: open,
	getVersion: open,
	getResourceMetadata: open,
};
