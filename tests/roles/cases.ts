/**
 * What the role matrix tries: each operation of the OpenAPI document on the things that it is about. Path, parameters
 * and body come from the document; here stands only what must be a thing of this bank. An operation below the address
 * of a known thing is tried on that thing without being named here.
 */
import type { Operation } from '#tests/document.ts';
import {
	type Ask,
	accounts,
	alicesAsk,
	askingBody,
	clients,
	districts,
	grants,
	loans,
	type Made,
	miasAsk,
	principal,
	query,
	registrationOf,
	reports,
	requests,
	risk,
	type Scene,
	type Thing,
} from './things.ts';

export type Described = { readonly method: string; readonly path: string; readonly operation: Operation };

/** What a caller sends: parameters of path and query by name, and the body. */
export type Parts = { readonly params?: Readonly<Record<string, string>>; readonly body?: unknown };

export type Case = {
	readonly on: string;
	/** What the answer is about; null where it is about nothing in particular. */
	readonly thing: Thing | null;
	/** For `made`, or for what does not exist. `example` is the document's body. */
	readonly parts: (made: Made, scene: Scene, example: unknown) => Parts | Promise<Parts>;
	/** A list, which may be answered without showing the thing. */
	readonly lists?: true;
};

const byId = (thing: Thing): Case => ({
	on: thing.name,
	thing,
	parts: ({ id }, _, body) => ({ params: { id }, body }),
});

/** Things by the address below which they live. */
const places: Readonly<Record<string, readonly Case[]>> = {
	'/api/v1/dataproducts/{id}': [byId(loans), byId(clients)],
	'/api/v1/domains/{id}': [byId(risk)],
	'/api/v1/requests/{id}': requests.map(byId),
	'/api/v1/grants/{id}': grants.map(byId),
	'/api/v1/queries/{id}': [byId(query)],
	'/api/v1/reports/{id}': reports.map(byId),
};

const mesh: Case = { on: 'the mesh', thing: null, parts: (_, __, body) => ({ body }) };

const ask = (asking: Ask): Case => ({
	on: `${asking.of.name}, for domain ${asking.domain}`,
	thing: asking.of,
	parts: async ({ id: product }, scene) => ({ body: { ...(await askingBody(scene, asking)), product } }),
});

const reportOn = (thing: Thing): Case => ({
	on: thing.name,
	thing,
	parts: ({ id: product }, _, example) => ({ body: { ...(example as object), product } }),
});

/** The contract as it is, under a version that was never published. */
const publish = (thing: Thing): Case => ({
	on: `${thing.name}, a new version`,
	thing,
	async parts({ id }, scene) {
		const known = await scene.have(thing);
		const found = scene.world.contracts.find((c) => c.contract.product === known.id);
		const text = found?.text.replace(/^version: .*$/m, `version: "1.0.${scene.next()}"`);
		return { params: { id }, body: text };
	},
});

const unchanged: Case = {
	on: `${risk.name}, unchanged`,
	thing: risk,
	async parts({ id }, scene) {
		const known = await scene.have(risk);
		return { params: { id }, body: registrationOf(scene.world, known.id) };
	},
};

const newDomain: Case = {
	on: 'a new domain',
	thing: null,
	parts(_, scene, example) {
		const nth = scene.next();
		const body = { ...(example as object), account: String(219_000_000_000 + nth), principals: [] };
		return { params: { id: `new-${nth}` }, body };
	},
};

/** Whether a thing is among those of a domain; null: among the caller's own. */
const listed = (thing: Thing, domain: string | null): Case => ({
	on: `${thing.name}, among ${domain === null ? "the caller's own" : `those of ${domain}`}`,
	thing,
	lists: true,
	parts({ id }) {
		const asked = domain === null ? {} : { domain: id === thing.absent ? 'nosuch' : domain };
		return { params: { pageSize: '100', ...asked } };
	},
});

const lists = ([one, other]: readonly [Thing, Thing]): readonly Case[] => [
	listed(one, null),
	listed(one, 'lending'),
	listed(other, 'customers'),
];

const run: Case = {
	on: principal.name,
	thing: principal,
	parts: ({ id }, _, example) => ({ body: { ...(example as object), principal: id } }),
};

const tryOut: Case = {
	...run,
	on: `${principal.name}, a dry run`,
	parts: ({ id }, _, example) => ({ body: { ...(example as object), principal: id, dryRun: true } }),
};

export const special: Readonly<Record<string, readonly Case[]>> = {
	listDataProducts: [{ ...listed(loans, null), on: `${loans.name}, among all` }],
	putDataProduct: [publish(accounts), publish(districts)],
	putDomain: [unchanged, newDomain],
	createRequest: [ask(alicesAsk), ask(miasAsk)],
	listRequests: lists(requests),
	listGrants: lists(grants),
	createQuery: [run, tryOut],
	readLineage: [{ ...mesh, on: 'SQL over loans' }],
	createReport: [reportOn(loans), reportOn(clients)],
};

/** The cases of an operation. Throws for one of which nothing here says what it is about. */
export function casesOf({ path, operation }: Described): readonly Case[] {
	const own = special[operation.operationId];
	if (own !== undefined) return own;
	const place = Object.keys(places).find((p) => path === p || path.startsWith(`${p}/`));
	if (place !== undefined) return places[place] ?? [];
	const needs = operation.parameters?.some((p) => p.required === true) === true || operation.requestBody !== undefined;
	if (needs) throw new Error(`${operation.operationId}: say in tests/roles/cases.ts what it is tried on`);
	return [path.startsWith('/api/') ? mesh : { ...mesh, on: 'the service' }];
}
