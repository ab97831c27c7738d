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
import { mayBeOfDayBefore } from './days.ts';
import type { Flows } from './flows.ts';
import type { Access, Start } from './record.ts';

export type Reason = Ledger.BodyOf<'BypassDetected'>['reasons'][number];

export type Verdict =
	| { readonly of: 'matched' | 'refused' | 'ungoverned' | 'elsewhere' }
	| { readonly of: 'ownDomain'; readonly products: readonly string[] }
	/** The flow that it may belong to cannot be read. */
	| { readonly of: 'unreadable' }
	/** It may belong to a flow of an account whose trail was not read as far as that, or that was not looked for: nobody knows yet. */
	| { readonly of: 'unsure' }
	| {
			readonly of: 'bypassing';
			readonly reasons: readonly Reason[];
			readonly flow: string | null;
			readonly products: readonly string[];
	  };

export type Knowing = {
	/** That is looked at. */
	readonly day: string;
	readonly catalog: Catalog;
	readonly flows: Flows;
	/** Accounts of which it is not known what was started there. */
	readonly unread: ReadonlySet<string>;
	/** Those of which that is not known of the day before. */
	readonly unreadBefore: ReadonlySet<string>;
	/** Whether there is time left to look for a flow whose listing was lost. */
	readonly goesOn: () => Promise<boolean>;
};

export async function judgeAccess(knowing: Knowing, seen: Access): Promise<Verdict> {
	const { catalog, flows, goesOn } = knowing;
	const { asker, table, query, at } = seen;
	const products = catalog.productsOf(table, at);
	const known = asker.principal !== null && catalog.isRegistered(asker.principal, at);
	const otherwise: Reason[] = seen.service === 'ATHENA' || seen.service === null ? [] : ['other-service'];
	// What a registered principal reads through Athena, whatever it is, is judged by the start of that query.
	if (products.length === 0 && !(known && otherwise.length > 0)) return { of: 'ungoverned' };
	if (seen.refused) return { of: 'refused' };
	const flow = query === null ? null : await flows.ofExecution(query, { products, at, goesOn });
	if (flow === 'unreadable') return { of: 'unreadable' };
	if (flow === 'unsought') return { of: 'unsure' };
	const differs = query === null ? (['no-query'] as const) : differences(flow, seen);
	if (differs.length + otherwise.length === 0) return { of: 'matched' };
	if (!known && isOwn(catalog, seen, products)) return { of: 'ownDomain', products };
	if (flow === null && query !== null && mayBeUnread(knowing, seen) && flows.isUnsure(asker, at))
		return { of: 'unsure' };
	const stranger: Reason[] = asker.principal === null || known ? [] : ['unregistered-principal'];
	const reasons = [...differs, ...otherwise, ...stranger];
	return { of: 'bypassing', reasons, flow: flow?.id ?? null, products };
}

/** Whether the start of the query may be where nobody could look yet. */
function mayBeUnread({ day, unread, unreadBefore }: Knowing, { asker: { account }, at }: Access): boolean {
	return unread.has(account) || (unreadBefore.has(account) && mayBeOfDayBefore(day, at));
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
function isOwn(catalog: Catalog, { asker, at }: Access, products: readonly string[]): boolean {
	const domain = catalog.domainOf(asker.account, at);
	return domain !== null && products.some((product) => domainIn(product) === domain);
}

export async function judgeStart({ catalog, flows, goesOn }: Knowing, seen: Start): Promise<Verdict> {
	const { asker, query, token, workGroup, at } = seen;
	if (seen.refused || query === null) return { of: 'refused' };
	const suspect =
		(asker.principal !== null && catalog.isRegistered(asker.principal, at)) ||
		(workGroup !== null && catalog.isOurs(asker.account, workGroup, at));
	const { principal } = asker;
	const byToken = token === null ? null : await flows.ofToken(token, query, { principal, at, workGroup });
	const products = suspect ? catalog.products : [];
	const flow = byToken ?? (await flows.ofExecution(query, { products, at, goesOn }));
	if (flow === 'unreadable') return { of: 'unreadable' };
	if (flow === 'unsought') return { of: 'unsure' };
	if (flow?.intended.body.principal === asker.principal && flow !== null) return { of: 'matched' };
	if (flow !== null) return { of: 'bypassing', reasons: ['other-principal'], flow: flow.id, products: [] };
	if (!suspect) return { of: 'elsewhere' };
	return { of: 'bypassing', reasons: ['started-directly', 'unknown-query'], flow: null, products: [] };
}

export async function judgeExecution(
	{ catalog, flows, goesOn }: Knowing,
	{
		account,
		group,
		id,
		at,
	}: { readonly account: string; readonly group: string; readonly id: string; readonly at: string },
): Promise<Verdict> {
	const ours = catalog.isOurs(account, group, at);
	const flow = await flows.ofExecution(id, { products: ours ? catalog.products : [], at, goesOn });
	if (flow === 'unreadable') return { of: 'unreadable' };
	if (flow === 'unsought') return { of: 'unsure' };
	if (flow !== null) return { of: 'matched' };
	if (!ours) return { of: 'elsewhere' };
	return { of: 'bypassing', reasons: ['started-directly', 'unknown-query'], flow: null, products: [] };
}
