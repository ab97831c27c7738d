/** What the steps of the story share: the bank, what earlier steps made, and how to expect things. */
import assert from 'node:assert/strict';
import path from 'node:path';
import * as z from 'zod';
import * as Access from '#core/access.ts';
import * as Grants from '#core/grants.ts';
import * as Query from '#core/query.ts';
import type { Bank } from '#local/bank.ts';
import { type ContractFile, type DomainFile, type Row, readContracts, readDomains, readTable } from '#local/lake.ts';
import type { Handle } from '#local/people.ts';
import { linksIn } from './aws.ts';
import { type Answer, type Call, call } from './client.ts';

export type World = {
	readonly bank: Bank;
	readonly domains: DomainFile['domains'];
	readonly contracts: readonly ContractFile[];
	/** Left by one step for later ones. */
	readonly made: {
		request?: Answer;
		grants: Grants.GrantView[];
		/** Queries of loans, of which there is a report. */
		flows: string[];
		/** Queries of other products. */
		others: string[];
	};
	readonly say: (note: string) => void;
	readonly call: (call: Call) => Promise<Answer>;
	/** Names the command that repeats what the step shows; without it, the step's last call is named. */
	readonly show: (curl: string) => void;
};

export type Step = { readonly name: string; readonly tells: string; readonly run: (world: World) => Promise<void> };

export function makeWorld(
	bank: Bank,
	say: (note: string) => void = () => {},
	show: (curl: string) => void = () => {},
	heard: (answer: Answer) => void = () => {},
): World {
	return {
		bank,
		domains: readDomains(path.join(bank.contractsDir, 'domains.yaml')).domains,
		contracts: readContracts(path.join(bank.contractsDir, 'contracts')),
		made: { grants: [], flows: [], others: [] },
		say,
		show,
		async call(what) {
			const answer = await call(bank, what);
			heard(answer);
			return answer;
		},
	};
}

/** The answer's body, if it has this status and shape; else an error that shows what came instead. */
export function expectBody<T extends z.ZodType>(answer: Answer, status: number, schema: T): z.infer<T> {
	assert.equal(answer.status, status, `expected ${status}, got ${answer.status}: ${JSON.stringify(answer.body)}`);
	return schema.parse(answer.body);
}

const Refusal = z.looseObject({ code: z.string(), detail: z.string() });

export function expectProblem(answer: Answer, status: number, code: string): z.infer<typeof Refusal> {
	const problem = expectBody(answer, status, Refusal);
	assert.equal(problem.code, code, `expected ${code}, got ${problem.code}: ${problem.detail}`);
	assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
	return problem;
}

/** Who owns the products of a domain, says the domains file. */
export function ownerOf(world: World, domain: string): Handle {
	const found = world.domains.find((d) => d.id === domain)?.members.find((m) => m.roles.includes('owner'));
	assert.ok(found, `domain ${domain} has no owner`);
	return found.person;
}

/** The principal of a domain that serves a purpose. */
export function principalOf(world: World, domain: string, purpose: string): string {
	const found = world.domains.find((d) => d.id === domain)?.principals.find((p) => p.purpose === purpose);
	assert.ok(found, `domain ${domain} has no principal for ${purpose}`);
	return found.arn;
}

export function contractOf(world: World, product: string): ContractFile['contract'] {
	const found = world.contracts.find((c) => c.contract.product === product);
	assert.ok(found, `there is no contract of ${product}`);
	return found.contract;
}

export const domainOf = (product: string) => product.split('.')[0] ?? '';

/** Name of the database under which a principal's account sees the product's: that of the link which leads there. */
export async function seenAs(world: World, principal: string, product: string): Promise<string> {
	const [table] = contractOf(world, product).tables;
	const links = await linksIn(world.bank, principal.split(':')[4] ?? '');
	const [link, ...more] = links.filter((l) => l.account === table?.account && l.database === table.database);
	assert.ok(link !== undefined && more.length === 0, `there are ${links.length} links, not one to ${product}`);
	return link.name;
}

/** All rows of a product's only table, straight from the files. */
export async function rawRows(world: World, product: string): Promise<Row[]> {
	return readTable(world.bank.lakeDir, contractOf(world, product));
}

export type Asking = {
	readonly product: string;
	readonly columns: readonly string[];
	readonly rowFilter?: string;
	readonly purpose: string;
	readonly duration: string;
};

/** Files a request as alice of the risk domain. */
export async function ask(world: World, asking: Asking): Promise<Answer> {
	const { product, columns, rowFilter, purpose, duration } = asking;
	const table = contractOf(world, product).tables[0]?.name;
	return world.call({
		who: 'alice',
		method: 'POST',
		path: '/api/v1/requests',
		body: {
			product,
			tables: [{ table, columns, ...(rowFilter === undefined ? {} : { rowFilter }) }],
			purpose,
			principal: principalOf(world, 'risk', purpose),
			duration,
			justification: 'Quarterly review of loans in arrears',
		},
	});
}

const Decided = z.object({ decision: z.string(), request: Access.RequestView, grant: Grants.GrantView.nullable() });

/** Approves, as the owner, exactly the version that the answer showed. Returns the grant. */
export async function approve(world: World, asked: Answer): Promise<Grants.GrantView> {
	const request = expectBody(asked, 201, Access.RequestView);
	if (request.grant !== null) return opened(world, request.grant);
	const decided = await world.call({
		who: ownerOf(world, domainOf(request.product)),
		method: 'POST',
		path: `/api/v1/requests/${request.id}/decisions`,
		body: { verdict: 'approve', comment: 'Needed for the review' },
		headers: { 'if-match': asked.headers.get('etag') ?? '' },
	});
	const { grant } = expectBody(decided, 201, Decided);
	assert.ok(grant, 'the approval opened no grant');
	world.made.grants.push(grant);
	return grant;
}

/** What a rule approved by itself. */
async function opened(world: World, id: string): Promise<Grants.GrantView> {
	const grant = expectBody(await world.call({ who: 'alice', path: `/api/v1/grants/${id}` }), 200, Grants.GrantView);
	world.made.grants.push(grant);
	return grant;
}

const Results = z.object({
	columns: z.array(z.object({ name: z.string(), type: z.string() })),
	rows: z.array(z.array(z.string().nullable())),
	nextPageToken: z.string().nullable(),
});

export type Table = { readonly columns: string[]; readonly rows: (string | null)[][] };
/** A result, and the call that started the query. */
export type Found = Table & { readonly curl: string };

export async function startQuery(world: World, sql: string, purpose = 'credit-risk'): Promise<Answer> {
	const body = { sql, principal: principalOf(world, 'risk', purpose) };
	return world.call({ who: 'alice', method: 'POST', path: '/api/v1/queries', body });
}

/** Runs a query as alice and reads its whole result, page by page. */
export async function query(world: World, sql: string, purpose?: string): Promise<Found> {
	const answer = await startQuery(world, sql, purpose);
	const started = expectBody(answer, 202, Query.QueryView);
	world.made.flows.push(started.id);
	let view = started;
	for (let i = 0; view.state === 'running'; i += 1) {
		assert.ok(i < 400, `query ${started.id} does not end`);
		await new Promise((resolve) => setTimeout(resolve, 25));
		view = expectBody(await world.call({ who: 'alice', path: `/api/v1/queries/${started.id}` }), 200, Query.QueryView);
	}
	assert.equal(view.state, 'completed', `query ended ${view.state} (${view.reason}): ${sql}`);
	const rows: (string | null)[][] = [];
	let token: string | null = null;
	let columns: string[] = [];
	do {
		const next: string = token === null ? '' : `?pageToken=${encodeURIComponent(token)}`;
		const page = expectBody(
			await world.call({ who: 'alice', path: `/api/v1/queries/${started.id}/results${next}` }),
			200,
			Results,
		);
		columns = page.columns.map((c) => c.name);
		rows.push(...page.rows);
		token = page.nextPageToken;
	} while (token !== null);
	return { columns, rows, curl: answer.curl };
}
