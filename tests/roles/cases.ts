/**
 * What the role matrix tries: each operation of the OpenAPI document on the things that it is about. Path, parameters
 * and body come from the document; here stands only what must be a thing of this bank. An operation below the address
 * of a known thing is tried on that thing without being named here.
 */

import { checkable, checkedDay } from '#tests/api/fuzz/completeness.ts';
import { withdrawn } from '#tests/api/fuzz/erasures.ts';
import { firstPlace, sealedIn } from '#tests/api/fuzz/log.ts';
import type { Operation } from '#tests/document.ts';
import {
	type Ask,
	accounts,
	alicesAsk,
	askingBody,
	clients,
	delegationBody,
	delegations,
	districts,
	emergency,
	entry,
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
	suspendedGrants,
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
	'/api/v1/delegations/{id}': delegations.map(byId),
	'/api/v1/queries/{id}': [byId(query)],
	'/api/v1/reports/{id}': reports.map(byId),
	'/api/v1/ledger/entries/{id}': [byId(entry)],
};

const mesh: Case = { on: 'the mesh', thing: null, parts: (_, __, body) => ({ body }) };

const ask = (asking: Ask): Case => ({
	on: `${asking.of.name}, for domain ${asking.domain}`,
	thing: asking.of,
	parts: async ({ id: product }, scene) => ({ body: { ...(await askingBody(scene, asking)), product } }),
});

const tryOutAsk = (asking: Ask): Case => ({
	...ask(asking),
	on: `${asking.of.name}, for domain ${asking.domain}, a dry run`,
	async parts(made, scene, example) {
		const { body } = await ask(asking).parts(made, scene, example);
		return { params: { dryRun: 'true' }, body };
	},
});

const askAtOnce = (asking: Ask): Case => ({
	...ask(asking),
	async parts(made, scene, example) {
		const { body } = await ask(asking).parts(made, scene, example);
		return { body: { requests: [body] } };
	},
});

/** The same things, in an emergency. */
const takeAtOnce = (asking: Ask): Case => ({
	...ask(asking),
	async parts(made, scene, example) {
		const { body } = await ask(asking).parts(made, scene, example);
		const { justification: _, ...asked } = body as Record<string, unknown>;
		const { duration, reason } = example as Record<string, unknown>;
		return { body: { ...asked, duration, reason } };
	},
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

/** Keeps the first column that the grant opens. */
const narrowed = (thing: Thing, table: string, column: string): Case => ({
	on: thing.name,
	thing,
	parts: ({ id }) => ({ params: { id }, body: { tables: [{ table, columns: [column] }], reason: 'Less will do' } }),
});

/** What the rules would say of a thing; nothing is done with it. */
const wonder = (thing: Thing, action: string, member: string): Case => ({
	on: `${action} on ${thing.name}`,
	thing,
	parts: ({ id }) => ({ body: { action, [member]: id } }),
});

const wonders: readonly Case[] = [
	{ ...mesh, on: 'a request for loans, by himself' },
	{
		...mesh,
		on: 'a request for loans, by somebody else',
		parts: (_, __, body) => ({ body: { ...(body as object), as: { roles: [{ domain: 'risk', role: 'consumer' }] } } }),
	},
	{
		...mesh,
		on: 'a request for loans, under a change of the rules',
		parts: (_, __, body) => ({ body: { ...(body as object), policies: { 'owner-approves': null } } }),
	},
	wonder(loans, 'publishContract', 'product'),
	wonder(requests[0], 'decide', 'request'),
	wonder(grants[1], 'revokeGrant', 'grant'),
];

/** In the place of the domain's owner, for somebody who was given none: the same is given once. */
const delegating = (domain: string): Case => ({
	on: `the owner's decisions in ${domain}`,
	thing: null,
	parts: (_, scene) => ({ body: delegationBody(scene.world, domain, 'carl') }),
});

/** Of a log with something in it. */
const sealed = (on: string, path?: (place: string) => string): Case => ({
	on,
	thing: null,
	async parts(_, { world }) {
		const { size } = await sealedIn(world);
		return path === undefined ? {} : { params: { path: path(firstPlace(size)) } };
	},
});

const erase: Case = {
	on: 'an entry of a request that was withdrawn',
	thing: null,
	parts: async (_, { world }, body) => ({ params: { id: await withdrawn(world) }, body }),
};

export const special: Readonly<Record<string, readonly Case[]>> = {
	listDataProducts: [{ ...listed(loans, null), on: `${loans.name}, among all` }],
	putDataProduct: [publish(accounts), publish(districts)],
	putDomain: [unchanged, newDomain],
	createRequest: [ask(alicesAsk), ask(miasAsk), tryOutAsk(alicesAsk)],
	createRequests: [askAtOnce(alicesAsk), askAtOnce(miasAsk)],
	breakGlass: [takeAtOnce(alicesAsk)],
	listBreakGlass: [listed(emergency, null), listed(emergency, 'lending')],
	reviewBreakGlass: [byId(emergency)],
	getRequest: [...requests, emergency].map(byId),
	listRequests: lists(requests),
	listGrants: lists(grants),
	listDelegations: lists(delegations),
	createDelegation: delegations.map((_, i) => delegating(i === 0 ? 'lending' : 'customers')),
	getGrant: [...grants, ...suspendedGrants].map(byId),
	resumeGrant: suspendedGrants.map(byId),
	narrowGrant: [narrowed(grants[0], 'loans', 'loan_id'), narrowed(grants[1], 'clients', 'client_id')],
	createQuery: [run, tryOut],
	explainPolicy: wonders,
	readLineage: [{ ...mesh, on: 'SQL over loans' }],
	reconcile: [reportOn(loans), reportOn(clients)],
	createReport: [reportOn(loans), reportOn(clients)],
	eraseEntry: [erase],
	getCompleteness: [
		{
			...mesh,
			on: 'a day that was checked',
			parts: async (_, { world }) => ({ params: { day: await checkedDay(world) } }),
		},
	],
	checkCompleteness: [{ ...mesh, on: 'a day', parts: () => ({ body: { day: checkable() } }) }],
	getCheckpoint: [sealed('the log')],
	getConsistency: [sealed('the log')],
	auditLedger: [sealed('the log')],
	getTile: [sealed('the first tile', (place) => `0/${place}`)],
	getEntryBundle: [sealed('the first entries', (place) => place)],
	examineMesh: [mesh, { ...mesh, on: 'the domain lending', parts: () => ({ params: { domain: 'lending' } }) }],
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
