/** What a history knows of itself as it goes on, and the calls that its commands are made of. */

import { parse } from 'yaml';
import type { RequestView } from '#core/access.ts';
import type { GrantView } from '#core/grants.ts';
import { registrationOf } from '#local/lake.ts';
import type { Handle } from '#local/people.ts';
import { type Answer, type Call } from '#local/story/client.ts';
import { contractOf, ownerOf, principalOf } from '#local/story/world.ts';
import type { Mesh } from './mesh.ts';
import { type Ask, guises } from './pool.ts';
import type { Tables } from './tables.ts';

export type Asked = { readonly id: string; readonly ask: Ask; readonly by: Handle; readonly etags: string[] };
/** A delegation, by whom and to whom. */
export type Delegated = {
	readonly id: string;
	readonly domain: string;
	readonly by: Handle;
	readonly to: Handle;
};
export type Given = {
	readonly id: string;
	readonly ask: Ask;
	readonly purpose: string;
	/** First the one that tells rows apart, where it is among them. */
	readonly columns: readonly string[];
};

type Domain = Mesh['test']['world']['domains'][number];

export type History = {
	readonly mesh: Mesh;
	readonly tables: Tables;
	/** Requests and grants as they came to be. */
	readonly asked: Asked[];
	readonly given: Given[];
	/** Of the requests, what was taken in an emergency. */
	readonly taken: Asked[];
	readonly delegated: Delegated[];
	readonly registry: Map<string, Domain>;
	/** The contract of a product that is published now. */
	readonly contracts: Map<string, Document>;
	/** What was wrong with an answer. */
	readonly wrong: string[];
	readonly count: Map<string, number>;
};

export type Document = {
	version: string;
	readonly schema: { readonly name: string; properties: { readonly name: string; classification: string }[] }[];
	customProperties: { readonly property: string; readonly value: unknown }[];
};

/** What is counted besides the answers. */
export const GRANTS = 'grants';

export function begin(mesh: Mesh, tables: Tables, count: History['count']): History {
	const { domains, contracts } = mesh.test.world;
	return {
		mesh,
		tables,
		asked: [],
		given: [],
		taken: [],
		delegated: [],
		registry: new Map(domains.map((d) => [d.id, d])),
		contracts: new Map(contracts.map(({ contract, text }) => [contract.product, parse(text) as Document])),
		wrong: [],
		count,
	};
}

/** One of them; any number will do. */
export const pick = <T>(from: readonly T[], n: number): T => {
	const one = from[n % Math.max(1, from.length)];
	if (one === undefined) throw new Error('there is nothing to choose from');
	return one;
};

export async function send({ mesh, count }: History, what: Call): Promise<Answer> {
	const answer = await mesh.call(what);
	const code = answer.status < 300 ? answer.status : (answer.body as { code: string }).code;
	const path = what.path
		.replace('/api/v1', '')
		.replace(/\?.*/, '')
		.replaceAll(/(req|grt|qry|dlg)_\w+/g, '{id}');
	const line = `${what.method ?? 'GET'} ${path.replaceAll(/(domains|dataproducts)\/[^/]+/g, '$1/{id}')} ${code}`;
	count.set(line, (count.get(line) ?? 0) + 1);
	return answer;
}

export const post = (who: Handle, path: string, body: object = {}, ifMatch: string | null = null): Call => ({
	who,
	method: 'POST',
	path: `/api/v1${path}`,
	body,
	headers: ifMatch === null ? {} : { 'if-match': ifMatch },
});

export const principal = ({ mesh }: History, { domain }: Ask, purpose: string): string =>
	principalOf(mesh.test.world, domain, purpose);

export const tableOf = (ask: Ask): string => ask.product.slice(ask.product.indexOf('.') + 1);

/** Takes up what an answer tells: a request that was filed or edited, `by` somebody, and a grant that came of one. */
export function learn(history: History, ask: Ask, by: Handle, answer: Answer): Asked | null {
	if (answer.status >= 300) return null;
	const body = answer.body as RequestView | { request: RequestView; grant: GrantView | null };
	const view = 'request' in body ? body.request : body;
	const known = history.asked.find(({ id }) => id === view.id);
	const asked = known ?? { id: view.id, ask, by, etags: [] };
	if (known === undefined) history.asked.push(asked);
	const etag = `"${view.contentHash}"`;
	if (!asked.etags.includes(etag)) asked.etags.push(etag);
	const { grant } = view;
	if (grant !== null && !history.given.some(({ id }) => id === grant)) {
		const [key = ''] = ask.columns[0] ?? [];
		const columns = (view.tables[0]?.columns ?? []).filter((column) => column !== key);
		history.given.push({ id: grant, ask, purpose: view.purpose, columns: [key, ...columns] });
		history.count.set(GRANTS, (history.count.get(GRANTS) ?? 0) + 1);
	}
	return asked;
}

export async function decide(history: History, who: Handle, asked: Asked, body: object, etag: string | null) {
	const stands = asked.etags.at(-1);
	const answer = await send(history, post(who, `/requests/${asked.id}/decisions`, body, etag));
	if (answer.status < 300 && etag !== stands) {
		history.wrong.push(`${who} decided on ${etag ?? 'nothing that he saw'}, and ${stands} stands there`);
	}
	return learn(history, asked.ask, asked.by, answer);
}

/** Registers a domain as it is to be from now on; the registry says no to what contradicts itself. */
export async function register(history: History, next: Domain): Promise<void> {
	const path = `/api/v1/domains/${next.id}`;
	const seen = await send(history, { who: 'stella', path });
	const body = registrationOf(next, history.mesh.test.bank.issuer.issuer);
	const headers = { 'if-match': seen.headers.get('etag') ?? '' };
	const answer = await send(history, { who: 'stella', method: 'PUT', path, body, headers });
	if (answer.status < 300) history.registry.set(next.id, next);
}

/** Publishes what a change makes of the contract that stands; `breaking` says so in the version. */
export async function publish(
	history: History,
	product: string,
	change: (document: Document) => void,
	breaking = false,
): Promise<void> {
	const document = structuredClone(history.contracts.get(product));
	if (document === undefined) return;
	const [major = 1, minor = 0] = document.version.split('.').map(Number);
	document.version = breaking ? `${major + 1}.0.0` : `${major}.${minor + 1}.0`;
	change(document);
	const { world } = history.mesh.test;
	const who = ownerOf(world, contractOf(world, product).domain);
	const path = `/api/v1/dataproducts/${product}`;
	const answer = await send(history, { who, method: 'PUT', path, body: { ...document } });
	if (answer.status < 300) history.contracts.set(product, document);
}

/** A domain's members after somebody was given a role, or lost it where he had it. */
export function toggled(domain: Domain, who: Handle, role: Domain['members'][number]['roles'][number]): Domain {
	const found = domain.members.find(({ person }) => person === who);
	const has = found?.roles.includes(role) === true;
	const roles = has ? found.roles.filter((r) => r !== role) : [...(found?.roles ?? []), role];
	const others = domain.members.filter((m) => m !== found);
	const member = { ...guises[who], ...found, person: who, roles };
	return { ...domain, members: roles.length === 0 ? others : [...others, member] };
}
