/**
 * The things that the role matrix tries operations on. A thing is made when first needed and serves every cell until
 * somebody changed it; then the next cell gets a fresh one. So no cell depends on those before it.
 */
import { registrationOf as registration } from '#local/lake.ts';
import { type Handle, people } from '#local/people.ts';
import { contractOf, principalOf, type World } from '#local/story/world.ts';
import { sealedIn } from '#tests/api/fuzz/log.ts';
import { file, finished, get, grantTo, post, requestBody } from '#tests/api/harness.ts';

/** What an operation needs to name it. */
export type Made = { readonly id: string; readonly etag?: string };

export type Thing = {
	readonly name: string;
	/** The operation that shows it: who is refused there may not know that it exists. */
	readonly seenBy: string;
	/** An id, of the same form, of something that does not exist. */
	readonly absent: string;
	readonly make: (scene: Scene) => Promise<Made>;
};

export type Scene = {
	readonly world: World;
	readonly have: (thing: Thing) => Promise<Made>;
	/** The next cell gets a fresh one. */
	readonly spend: (thing: Thing) => void;
	/** 1, 2, 3: for what must be new each time. */
	readonly next: () => number;
};

export function makeScene(world: World): Scene {
	const made = new Map<Thing, Promise<Made>>();
	let count = 0;
	const scene: Scene = {
		world,
		have(thing) {
			const found = made.get(thing) ?? thing.make(scene);
			made.set(thing, found);
			return found;
		},
		spend: (thing) => made.delete(thing),
		next() {
			count += 1;
			return count;
		},
	};
	return scene;
}

const ZEROS = '0'.repeat(26);

const product = (id: string): Thing => ({
	name: id,
	seenBy: 'getDataProduct',
	absent: `${id.split('.')[0]}.nosuch`,
	make: async () => ({ id }),
});

/** Nothing else is done with the last two, so that their contracts may change. */
export const loans = product('lending.loans');
export const clients = product('customers.clients');
export const accounts = product('lending.accounts');
export const districts = product('customers.districts');

const registered = (id: string): Thing => ({
	name: `domain ${id}`,
	seenBy: 'getDomain',
	absent: 'nosuch',
	async make({ world }) {
		const { headers } = await world.call(get('stella', `/domains/${id}`));
		const etag = headers.get('etag');
		return etag === null ? { id } : { id, etag };
	},
});

export const risk = registered('risk');

/** What registers a domain as the domains file has it. */
export function registrationOf({ bank, domains }: World, domain: string): object {
	const found = domains.find((d) => d.id === domain);
	if (found === undefined) throw new Error(`the domains file has no ${domain}`);
	return registration(found, bank.issuer.issuer);
}

/** Loans in arrears for alice of the risk domain; clients, which are personal data, for mia of marketing. */
export type Ask = { readonly who: Handle; readonly domain: string; readonly purpose: string; readonly of: Thing };
export const alicesAsk: Ask = { who: 'alice', domain: 'risk', purpose: 'model-validation', of: loans };
export const miasAsk: Ask = { who: 'mia', domain: 'marketing', purpose: 'service-improvement', of: clients };
/** What alice queries under; nobody ends it. */
const readersAsk: Ask = { ...alicesAsk, purpose: 'credit-risk' };

export async function askingBody(scene: Scene, { domain, purpose, of }: Ask): Promise<Record<string, unknown>> {
	const { id } = await scene.have(of);
	const [table] = contractOf(scene.world, id).tables;
	// Restricted data needs two owners, and what a token stands for is for nobody outside.
	const columns = table?.columns.filter((c) => c.classification !== 'restricted').map((c) => c.name);
	const principal = principalOf(scene.world, domain, purpose);
	return requestBody(scene.world, { product: id, tables: [{ table: table?.name, columns }], purpose, principal });
}

const request = (ask: Ask): Thing => ({
	name: `${ask.who}'s request for ${ask.of.name}`,
	seenBy: 'getRequest',
	absent: `req_${ZEROS}`,
	async make(scene) {
		const { view, etag } = await file(scene.world, ask.who, await askingBody(scene, ask));
		return { id: view.id, etag };
	},
});

const grant = (ask: Ask, approvers: readonly Handle[]): Thing => ({
	name: `${ask.who}'s grant on ${ask.of.name}`,
	seenBy: 'getGrant',
	absent: `grt_${ZEROS}`,
	make: async (scene) => grantTo(scene.world, ask.who, await askingBody(scene, ask), approvers),
});

export const requests = [request(alicesAsk), request(miasAsk)] as const;
export const grants = [grant(alicesAsk, ['olga']), grant(miasAsk, ['peter', 'paula'])] as const;

/** Taken in an emergency, and not looked at yet. */
export const emergency: Thing = {
	name: "ruth's emergency on lending.loans",
	seenBy: 'getRequest',
	absent: `req_${ZEROS}`,
	async make(scene) {
		const { justification: _, ...asked } = await askingBody(scene, alicesAsk);
		const body = { ...asked, duration: 'PT1H', reason: 'What it is stands in the record of the incident' };
		const answer = await scene.world.call(post('ruth', '/requests/break-glass', body));
		return { id: (answer.body as { request: { id: string } }).request.id };
	},
};

/** Held back by the owner, to be taken up again. */
const suspended = (ask: Ask, approvers: readonly Handle[], owner: Handle): Thing => ({
	...grant(ask, approvers),
	name: `${ask.who}'s suspended grant on ${ask.of.name}`,
	async make(scene) {
		const { id } = await grantTo(scene.world, ask.who, await askingBody(scene, ask), approvers);
		await scene.world.call(post(owner, `/grants/${id}/suspend`, { reason: 'An incident' }));
		return { id };
	},
});

export const suspendedGrants = [
	suspended(alicesAsk, ['olga'], 'olga'),
	suspended(miasAsk, ['peter', 'paula'], 'peter'),
];

/** The principal with what alice may read through it. */
export const principal: Thing = {
	name: "loans through risk's principal for credit-risk",
	seenBy: 'getDomain',
	absent: 'arn:aws:iam::210000000004:role/nosuch',
	async make(scene) {
		await grantTo(scene.world, readersAsk.who, await askingBody(scene, readersAsk), ['olga']);
		return { id: principalOf(scene.world, readersAsk.domain, readersAsk.purpose) };
	},
};

export const query: Thing = {
	name: "alice's query",
	seenBy: 'getQuery',
	absent: `qry_${ZEROS}`,
	async make(scene) {
		const { id } = await scene.have(principal);
		return finished(scene.world, readersAsk.who, `SELECT count(*) AS loans FROM ${loans.name}`, id);
	},
};

const report = (who: Handle): Thing => ({
	name: `${who}'s report on lending.loans`,
	seenBy: 'getReport',
	absent: `rep_${ZEROS}`,
	async make({ world }) {
		const answer = await world.call(post(who, '/reports', { kind: 'flows', product: 'lending.loans' }));
		return answer.body as Made;
	},
});

export const reports = [report('rita'), report('olga')] as const;

const DAY_MS = 86_400_000;

/** From next week on, so that nobody decides by it meanwhile. */
export function delegationBody({ bank }: World, domain: string, whom: Handle = 'ruth'): object {
	const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();
	const to = { issuer: bank.issuer.issuer, subject: people[whom].subject };
	return { domain, role: 'owner', to, from: inDays(7), until: inDays(14), reason: 'On leave' };
}

const delegation = (who: Handle, domain: string): Thing => ({
	name: `${who}'s delegation to ruth in ${domain}`,
	seenBy: 'getDelegation',
	absent: `dlg_${ZEROS}`,
	async make({ world }) {
		const answer = await world.call(post(who, '/delegations', delegationBody(world, domain)));
		return answer.body as Made;
	},
});

export const delegations = [delegation('olga', 'lending'), delegation('peter', 'customers')] as const;

/** An entry about a product of the lending domain, sealed. */
export const entry: Thing = {
	name: 'an entry on lending.loans',
	seenBy: 'getEntryProof',
	absent: `led_${ZEROS}`,
	async make({ world }) {
		const { entry: id } = await sealedIn(world);
		return { id };
	},
};
