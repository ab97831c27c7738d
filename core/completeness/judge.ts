/**
 * What a record means. Nothing is a bypass that a flow accounts for: this query, as this principal, on this table, through
 * Athena. What no flow accounts for is a domain's own business where its own roles read its own tables, and where nothing
 * that is published was read; everything else went past Fairlead. A principal that is registered here, and a work group that
 * is made for it, are there for Fairlead alone: what runs as the one or in the other without a flow is a bypass, whatever
 * it reads.
 */
import type * as Ledger from '../ledger.ts';
import type { Flow } from '../lineage.ts';
import { tableKey } from '../scope.ts';
import { type Catalog, domainIn } from './catalog.ts';
import type { Flows } from './flows.ts';
import type { Access, Start } from './record.ts';

export type Reason = Ledger.BodyOf<'BypassDetected'>['reasons'][number];

export type Verdict =
	| { readonly of: 'matched' | 'refused' | 'ungoverned' | 'elsewhere' }
	| { readonly of: 'ownDomain'; readonly products: readonly string[] }
	/** The flow that it may belong to cannot be read. */
	| { readonly of: 'unreadable' }
	/** It may belong to a flow of an account whose trail could not be read: nobody knows yet. */
	| { readonly of: 'unsure' }
	| {
			readonly of: 'bypassing';
			readonly reasons: readonly Reason[];
			readonly flow: string | null;
			readonly products: readonly string[];
	  };

export type Knowing = {
	readonly catalog: Catalog;
	readonly flows: Flows;
	readonly day: string;
	/** Accounts of which it is not known what was started there. */
	readonly unread: ReadonlySet<string>;
};

export async function judgeAccess({ catalog, flows, day, unread }: Knowing, seen: Access): Promise<Verdict> {
	const { asker, table, query } = seen;
	const products = catalog.productsOf(table, seen.at);
	if (products.length === 0) return { of: 'ungoverned' };
	if (seen.refused) return { of: 'refused' };
	const flow = query === null ? null : await flows.ofExecution(query, products, day);
	if (flow === 'unreadable') return { of: 'unreadable' };
	const differs = query === null ? (['no-query'] as const) : differences(flow, seen);
	const otherwise: Reason[] = seen.service === 'ATHENA' || seen.service === null ? [] : ['other-service'];
	if (differs.length + otherwise.length === 0) return { of: 'matched' };
	const known = asker.principal !== null && catalog.isRegistered(asker.principal);
	if (!known && isOwn(catalog, asker.account, products)) return { of: 'ownDomain', products };
	if (flow === null && query !== null && unread.has(asker.account) && flows.isUnsure(asker.account))
		return { of: 'unsure' };
	const stranger: Reason[] = asker.principal === null || known ? [] : ['unregistered-principal'];
	const reasons = [...differs, ...otherwise, ...stranger];
	return { of: 'bypassing', reasons, flow: flow?.id ?? null, products };
}

/** How what was seen differs from the flow that it says to be. */
function differences(flow: Flow | null, { asker, table }: Access): readonly Reason[] {
	if (flow === null) return ['unknown-query'];
	const { principal, from } = flow.intended.body;
	const same = asker.principal === null ? accountOf(principal) === asker.account : asker.principal === principal;
	const reads = from.some((source) => tableKey(source) === tableKey(table));
	return [...(same ? [] : (['other-principal'] as const)), ...(reads ? [] : (['other-table'] as const))];
}

const accountOf = (arn: string) => arn.split(':')[4] ?? '';

/** Of the domain whose account asked. A table that several domains publish is the own of each. */
function isOwn(catalog: Catalog, account: string, products: readonly string[]): boolean {
	const domain = catalog.domainOf(account);
	return domain !== null && products.some((product) => domainIn(product) === domain);
}

export async function judgeStart({ catalog, flows, day }: Knowing, seen: Start): Promise<Verdict> {
	const { asker, query, token, workGroup } = seen;
	if (seen.refused || query === null) return { of: 'refused' };
	const suspect =
		(asker.principal !== null && catalog.isRegistered(asker.principal)) ||
		(workGroup !== null && catalog.isOurs(asker.account, workGroup));
	const byToken = token === null ? null : await flows.ofToken(token, query);
	const flow = byToken ?? (await flows.ofExecution(query, suspect ? catalog.products : [], day));
	if (flow === 'unreadable') return { of: 'unreadable' };
	if (flow?.intended.body.principal === asker.principal && flow !== null) return { of: 'matched' };
	if (flow !== null) return { of: 'bypassing', reasons: ['other-principal'], flow: flow.id, products: [] };
	if (!suspect) return { of: 'elsewhere' };
	return { of: 'bypassing', reasons: ['started-directly', 'unknown-query'], flow: null, products: [] };
}

export async function judgeExecution(
	{ catalog, flows, day }: Knowing,
	{ account, group, id }: { readonly account: string; readonly group: string; readonly id: string },
): Promise<Verdict> {
	const ours = catalog.isOurs(account, group);
	const flow = await flows.ofExecution(id, ours ? catalog.products : [], day);
	if (flow === 'unreadable') return { of: 'unreadable' };
	if (flow !== null) return { of: 'matched' };
	if (!ours) return { of: 'elsewhere' };
	return { of: 'bypassing', reasons: ['started-directly', 'unknown-query'], flow: null, products: [] };
}
