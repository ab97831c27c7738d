/**
 * What is done to a bank while something fails: each brings the bank to where it starts, does one thing, and knows what
 * somebody does who got no answer. All of it through the API, on one table that needs a resource link.
 */
import * as Access from '#core/access.ts';
import * as Grants from '#core/grants.ts';
import { COLUMNS, LOANS, ROW_FILTER } from '#local/story/access.ts';
import type { Answer, Call } from '#local/story/client.ts';
import { ask, expectBody, startQuery, type World } from '#local/story/world.ts';
import type { Instance } from './instance.ts';

/** Somebody's view of one instance. */
export type Side = { readonly world: World; readonly instance: Instance };

/** What a case is about: requests whose grants are looked at, and ended when it is over. */
export type Subject = { readonly requests: readonly string[] };

export type Scenario = {
	readonly name: string;
	readonly arrange: (healthy: Side) => Promise<{ subject: Subject; act: (side: Side) => Promise<Acted> }>;
	/** How far the clock of sweeps is ahead. */
	readonly aheadMs?: number;
	/** What an acknowledgement promises at once, sweep or no sweep. */
	readonly closesAtOnce?: boolean;
};

/** `acknowledged`: whoever asked was told that it is done, or will be. */
export type Acted = { readonly acknowledged: boolean };

export const SQL = 'SELECT loan_id FROM lending.loans';
const DAY_MS = 24 * 3600 * 1000;
const asking = { product: LOANS, columns: COLUMNS, rowFilter: ROW_FILTER, purpose: 'credit-risk', duration: 'P1D' };

const answered = ({ status }: Answer): Acted => ({ acknowledged: status < 300 });
const idOf = (asked: Answer) => expectBody(asked, 201, Access.RequestView).id;

const decision = (asked: Answer): Call => ({
	who: 'olga',
	method: 'POST',
	path: `/api/v1/requests/${idOf(asked)}/decisions`,
	body: { verdict: 'approve' },
	headers: { 'if-match': asked.headers.get('etag') ?? '' },
});

const change = (id: string, what: 'revoke' | 'suspend' | 'resume' | 'narrow', more: object = {}): Call => ({
	who: 'olga',
	method: 'POST',
	path: `/api/v1/grants/${id}/${what}`,
	body: { reason: 'over', ...more },
});

export async function grantOf(world: World, request: string): Promise<Grants.GrantView | null> {
	const path = `/api/v1/requests/${request}`;
	const { grant } = expectBody(await world.call({ who: 'alice', path }), 200, Access.RequestView);
	if (grant === null) return null;
	return expectBody(await world.call({ who: 'alice', path: `/api/v1/grants/${grant}` }), 200, Grants.GrantView);
}

export async function revokeAll({ world }: Side, { requests }: Subject): Promise<void> {
	for (const request of requests) {
		const grant = await grantOf(world, request);
		if (grant !== null) expectBody(await world.call(change(grant.id, 'revoke')), 202, Grants.GrantView);
	}
}

/** A request of alice's, and a grant for it. */
async function granted({ world }: Side, columns = COLUMNS): Promise<{ request: string; grant: string }> {
	const asked = await ask(world, { ...asking, columns });
	const { status } = await world.call(decision(asked));
	const grant = await grantOf(world, idOf(asked));
	if (status !== 201 || grant?.state !== 'granted')
		throw new Error(`no grant to begin with: ${grant?.state} ${status}`);
	return { request: idOf(asked), grant: grant.id };
}

async function changing(healthy: Side, call: (grant: string) => Call) {
	const { request, grant } = await granted(healthy);
	return {
		subject: { requests: [request] },
		act: async (side: Side) => answered(await side.world.call(call(grant))),
	};
}

export const scenarios: readonly Scenario[] = [
	{
		name: 'grant',
		async arrange({ world }) {
			const asked = await ask(world, asking);
			return {
				subject: { requests: [idOf(asked)] },
				act: async (side) => answered(await side.world.call(decision(asked))),
			};
		},
	},
	{
		name: 'grant beside another one',
		async arrange(healthy) {
			const first = await granted(healthy, COLUMNS.slice(0, 2));
			const asked = await ask(healthy.world, asking);
			return {
				subject: { requests: [first.request, idOf(asked)] },
				act: async (side) => answered(await side.world.call(decision(asked))),
			};
		},
	},
	{
		name: 'revoke',
		closesAtOnce: true,
		arrange: (healthy) => changing(healthy, (id) => change(id, 'revoke')),
	},
	{
		name: 'suspend',
		closesAtOnce: true,
		arrange: (healthy) => changing(healthy, (id) => change(id, 'suspend')),
	},
	{
		name: 'resume',
		async arrange(healthy) {
			const { request, grant } = await granted(healthy);
			expectBody(await healthy.world.call(change(grant, 'suspend')), 202, Grants.GrantView);
			return {
				subject: { requests: [request] },
				act: async (side) => answered(await side.world.call(change(grant, 'resume'))),
			};
		},
	},
	{
		name: 'narrow',
		arrange: (healthy) =>
			changing(healthy, (id) => change(id, 'narrow', { tables: [{ table: 'loans', columns: COLUMNS.slice(0, 2) }] })),
	},
	{
		name: 'expiry',
		aheadMs: 2 * DAY_MS,
		async arrange(healthy) {
			const { request } = await granted(healthy);
			return {
				subject: { requests: [request] },
				act: async (side) => ({ acknowledged: (await side.instance.sweep(2 * DAY_MS)).failed === 0 }),
			};
		},
	},
	{
		name: 'query',
		async arrange(healthy) {
			const { request } = await granted(healthy);
			return {
				subject: { requests: [request] },
				act: async (side) => answered(await startQuery(side.world, SQL)),
			};
		},
	},
];
