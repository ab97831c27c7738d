/**
 * Whom an entry is proven to, by the thing that its stream is about: who may see the request, the grant or the delegation;
 * owners of the product and consumers of the domain that reads it; who asked for the report; regulators all of them.
 * Whoever may not is told what he is told of an entry that does not exist, sealed or not, and the search takes the same
 * calls; asking whether he may takes a few more. That tells who already holds an id, whose 80 random bits nobody guesses,
 * that there is such an entry, and nothing of it.
 */
import * as Access from './access.ts';
import * as Catalog from './catalog.ts';
import type { Context } from './context.ts';
import * as Delegation from './delegation.ts';
import * as Domains from './domains.ts';
import { BrokerError } from './error.ts';
import * as Grants from './grants.ts';
import * as Ledger from './ledger.ts';
import * as Lineage from './lineage.ts';
import { authorize, Entity, may, notFound, permits } from './policy.ts';
import * as Report from './report.ts';
import { find, proofAt } from './tlog.ts';

/**
 * The proof of an entry, as text (C2SP tlog-proof). Throws `not-finished` for one that is not sealed yet, `record-corrupt`
 * for one that is put aside, and `not-found` alike for one that is not there and one that the caller is not entitled to.
 */
export async function prove(ctx: Context, id: string): Promise<string> {
	const mesh = Entity.mesh(ctx.config.governance);
	authorize(ctx, 'proveEntry', mesh);
	const all = permits(ctx, 'readLedger', mesh) !== null;
	const found = await find(ctx, id);
	if (found.state === 'unknown') throw notFound();
	// Before anything of it is read: what is wrong with an entry is for those alone who may know that it is there.
	if (!all && !(await isEntitled(ctx, found.stream))) throw notFound();
	if (found.state === 'sealed') return proofAt(ctx, id, found.place);
	if (found.state === 'quarantined') {
		throw new BrokerError('record-corrupt', 'This entry is not sealed: it was put aside, for the operator to look at.');
	}
	throw new BrokerError('not-finished', 'This entry is recorded and not sealed yet; ask again.', { retryAfter: 10 });
}

/** Where it cannot be read whose a thing is, nobody but regulators may know of it: an error would tell that it is there. */
async function isEntitled(ctx: Context, stream: string): Promise<boolean> {
	try {
		return await isConcerned(ctx, stream);
	} catch (error) {
		if (!(error instanceof BrokerError && error.code === 'record-corrupt')) throw error;
		ctx.warn('evidence: whom an entry may be proven to cannot be read', error);
		return false;
	}
}

/** Whether the caller may have the entries of a stream proven. Nobody is, of what the mesh records about itself. */
async function isConcerned(ctx: Context, stream: string): Promise<boolean> {
	const [, kind = '', id = ''] = /^(?:A#([a-z]+)|F)#(.*)$/.exec(stream) ?? [];
	if (stream.startsWith('F#')) return ofFlow(ctx, id);
	const checks: Readonly<Record<string, () => Promise<boolean>>> = {
		product: () => ofProduct(ctx, id),
		table: () => ofTable(ctx, id),
		request: () => isFound(() => Access.find(ctx, id)),
		grant: () => isFound(() => Grants.find(ctx, id)),
		delegation: () => isFound(() => Delegation.find(ctx, id)),
		report: () => isFound(() => Report.find(ctx, id)),
		bypass: () => ofBypass(ctx, stream),
		entitlement: () => ofEntitlement(ctx, stream, id.split('#')[0] ?? ''),
	};
	return (await checks[kind]?.()) ?? false;
}

async function isFound(find: () => Promise<unknown>): Promise<boolean> {
	try {
		await find();
		return true;
	} catch (error) {
		if (error instanceof BrokerError && error.code === 'not-found') return false;
		throw error;
	}
}

async function ofProduct(ctx: Context, id: string): Promise<boolean> {
	const product = await Catalog.get(ctx, id);
	return product !== null && owns(ctx, product);
}

const owns = (ctx: Context, product: Catalog.Product) =>
	may(ctx, 'proveEntry', Entity.product(Catalog.factsOf(product), ctx.config.governance));
const consumesIn = (ctx: Context, domain: string) => may(ctx, 'proveEntry', Entity.domain(domain));

/** By its name in Glue, which begins with the account: neither that nor a database's has a dot. */
async function ofTable(ctx: Context, name: string): Promise<boolean> {
	const [, database = '', ...table] = name.split('.');
	const found = await Catalog.byTable(ctx, database, table.join('.'));
	return found !== null && owns(ctx, found.product);
}

async function ofFlow(ctx: Context, id: string): Promise<boolean> {
	const flow = await Lineage.get(ctx, id);
	if (flow === null) return false;
	const { domain, from } = flow.intended.body;
	if (consumesIn(ctx, domain)) return true;
	return anyProduct(ctx, [...new Set(from.map(({ product }) => product))]);
}

async function anyProduct(ctx: Context, ids: readonly string[]): Promise<boolean> {
	for (const id of ids) if (await ofProduct(ctx, id)) return true;
	return false;
}

/** Of the products that were read past Fairlead, or of a domain whose products are among the tables that are not named. */
async function ofBypass(ctx: Context, stream: string): Promise<boolean> {
	const { body } = (await Ledger.last(ctx, stream, 'BypassDetected')) ?? {};
	if (body?.domains?.some((domain) => may(ctx, 'viewCompleteness', Entity.domain(domain)))) return true;
	return anyProduct(ctx, [...new Set(body?.tables.flatMap(({ products }) => products))]);
}

/** Of the product that it is on, and of the domain that the principal is registered for. */
async function ofEntitlement(ctx: Context, stream: string, arn: string): Promise<boolean> {
	const principal = await Domains.principal(ctx, arn);
	if (principal !== null && consumesIn(ctx, principal.domain.id)) return true;
	const last = await Ledger.last(ctx, stream, 'EntitlementChanged');
	return last !== null && ofProduct(ctx, last.body.product);
}
