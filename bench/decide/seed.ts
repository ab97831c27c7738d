/**
 * Products, requests and grants by the thousand, as their calls would have left them in the ledger: nothing of it is in
 * Lake Formation, which no read asks.
 */
import pMap from 'p-map';
import { type Context, systemContext } from '#core/context.ts';
import { newId } from '#core/id.ts';
import * as Ledger from '#core/ledger.ts';
import { personOf } from '#core/person.ts';
import type { Bank } from '#local/bank.ts';
import { readContracts } from '#local/lake.ts';
import { people } from '#local/people.ts';

/** Grants that share an entitlement which is previewed. */
export const HELD = [1, 10, 100] as const;

export type Seeded = {
	/** Some of them, to be read in turns. */
	readonly grants: readonly string[];
	readonly requests: readonly string[];
	readonly previews: readonly { readonly held: number; readonly request: string }[];
	/** One item of the ledger table. */
	readonly item: { readonly pk: string; readonly sk: string };
};

type Product = {
	readonly id: string;
	readonly table: Ledger.TableRef;
	readonly contract: { readonly version: string; readonly hash: string; readonly leaf: string };
};

const ACCOUNT = '210000000001';
const DATABASE = 'lending';
const PRINCIPAL = 'arn:aws:iam::210000000004:role/fairlead-risk-credit-risk';
const PURPOSE = 'credit-risk';
/** Of those that are read. */
const SOME = 200;
const AT_ONCE = 16;
const DAY_MS = 86_400_000;

type Seeding = { readonly ctx: Context; readonly person: string; readonly text: string };

export async function seed(bank: Bank, size: { readonly products: number; readonly grants: number }): Promise<Seeded> {
	const ctx = systemContext(bank.platform, '0'.repeat(32));
	const person = await personOf(ctx, { issuer: bank.issuer.issuer, subject: people.alice.subject });
	const text = readContracts(`${bank.contractsDir}/contracts`).find(
		(c) => c.contract.product === 'lending.loans',
	)?.text;
	if (person === null || text === undefined) throw new Error('the sample bank is not registered');
	const seeding = { ctx, person, text };
	const numbers = Array.from({ length: size.products }, (_, n) => n);
	const products = await pMap(numbers, (n) => publish(seeding, `p${String(n).padStart(4, '0')}`), {
		concurrency: AT_ONCE,
	});
	const each = size.grants / size.products;
	const made = await pMap(products, (product) => hold(seeding, product, each), { concurrency: AT_ONCE });
	const previews = [];
	for (const held of HELD) {
		const product = await publish(seeding, `held${held}`);
		await hold(seeding, product, held);
		const { request } = await ask(seeding, product, scopeOf(held + 1));
		previews.push({ held, request });
	}
	const all = made.flat();
	const some = all.filter((_, i) => i % Math.ceil(all.length / SOME) === 0);
	return {
		grants: some.map(({ grant }) => grant),
		requests: some.map(({ request }) => request),
		previews,
		item: { pk: Ledger.stream.product('lending.loans'), sk: 'V#0000000001' },
	};
}

async function publish({ ctx, text }: Seeding, name: string): Promise<Product> {
	const own = text
		.replaceAll(/^( {2}- name:|dataProduct:) loans$/gm, `$1 ${name}`)
		.replaceAll('lending.loans', `lending.${name}`);
	const hash = await Ledger.putText(ctx, own);
	const table = { account: ACCOUNT, database: DATABASE, table: name };
	const id = `${DATABASE}.${name}`;
	const { leaf } = await Ledger.append(ctx, {
		stream: Ledger.stream.product(id),
		after: null,
		actor: 'system',
		body: {
			type: 'ContractPublished',
			product: id,
			domain: DATABASE,
			version: '1.0.0',
			contractHash: hash,
			format: 'yaml',
			classification: 'confidential',
			personal: false,
			tables: [table],
			rules: rulesOf(ctx),
		},
	});
	return { id, table, contract: { version: '1.0.0', hash, leaf } };
}

const rulesOf = ({ policies }: Context) => ({ policies: ['owner-approves'], setHash: policies.hash });

/** The same columns and other rows each, which one filter holds. */
const scopeOf = (n: number) => ({
	columns: ['amount', 'loan_id', 'status'],
	rowFilter: {
		op: 'compare' as const,
		column: 'loan_id',
		operator: '=' as const,
		value: { type: 'number' as const, value: String(1000 + n) },
	},
});
type Scope = ReturnType<typeof scopeOf>;

const windowOf = ({ now }: Context) => ({
	from: now.toISOString(),
	until: new Date(now.getTime() + 90 * DAY_MS).toISOString(),
});

async function ask({ ctx, person }: Seeding, product: Product, scope: Scope) {
	const request = newId('request', ctx);
	const filed = await Ledger.append(ctx, {
		stream: Ledger.stream.request(request),
		after: null,
		actor: person,
		body: {
			type: 'AccessRequested',
			request,
			product: product.id,
			productDomain: DATABASE,
			contract: product.contract,
			consumerDomain: 'risk',
			principal: PRINCIPAL,
			purpose: PURPOSE,
			legalBasis: 'bench',
			tables: [{ ...product.table, ...scope }],
			requester: person,
			beneficiaries: [person],
			duration: 'P90D',
			route: ['owner'],
			rules: rulesOf(ctx),
			contentHash: '0'.repeat(64),
		},
		pii: { justification: 'bench', nonce: '0'.repeat(32) },
	});
	return { request, filed };
}

type Given = { readonly request: string; readonly grant: string; readonly leaf: string; readonly scope: Scope };

async function give(seeding: Seeding, product: Product, scope: Scope): Promise<Given> {
	const { ctx, person } = seeding;
	const { request, filed } = await ask(seeding, product, scope);
	const grant = newId('grant', ctx);
	const window = windowOf(ctx);
	const decided = await Ledger.append(ctx, {
		stream: Ledger.stream.request(request),
		after: filed,
		actor: person,
		body: {
			type: 'AccessDecided',
			request,
			decision: newId('decision', ctx),
			verdict: 'approve',
			as: 'owner',
			contentHash: '0'.repeat(64),
			outcome: 'approved',
			grant,
			...window,
			rules: rulesOf(ctx),
		},
	});
	const opened = await Ledger.append(ctx, {
		stream: Ledger.stream.grant(grant),
		after: null,
		actor: person,
		body: {
			type: 'GrantOpened',
			grant,
			request,
			decisionLeaf: decided.leaf,
			product: product.id,
			productDomain: DATABASE,
			contract: product.contract,
			consumerDomain: 'risk',
			principal: PRINCIPAL,
			purpose: PURPOSE,
			legalBasis: 'bench',
			tables: [{ ...product.table, ...scope }],
			beneficiaries: [person],
			...window,
		},
	});
	const table = { ...product.table, leaf: opened.leaf, reason: null, step: null, filter: 'fl_bench_1' };
	const stream = Ledger.stream.grant(grant);
	const body = { type: 'GrantSettled' as const, grant, state: 'granted' as const, tables: [table] };
	await Ledger.append(ctx, { stream, after: opened, actor: person, body });
	return { request, grant, leaf: opened.leaf, scope };
}

/** So many grants on a product's table, and the entitlement that they share. */
async function hold(seeding: Seeding, product: Product, grants: number): Promise<Given[]> {
	const { ctx, person } = seeding;
	const given: Given[] = [];
	for (let n = 0; n < grants; n += 1) given.push(await give(seeding, product, scopeOf(n)));
	const window = windowOf(ctx);
	const values = given.map(({ scope }) => scope.rowFilter.value);
	const [first] = given;
	if (first === undefined) return [];
	const together = values.length === 1 ? first.scope.rowFilter : { op: 'in' as const, column: 'loan_id', values };
	await Ledger.append(ctx, {
		stream: Ledger.stream.entitlement(PRINCIPAL, product.table),
		after: null,
		actor: person,
		body: {
			type: 'EntitlementChanged',
			principal: PRINCIPAL,
			product: product.id,
			table: product.table,
			grants: given.map(({ grant, leaf, scope }) => ({
				...scope,
				grant,
				leaf,
				purpose: PURPOSE,
				beneficiaries: [person],
				...window,
				proven: true,
				ended: null,
			})),
			scope: { columns: first.scope.columns, rowFilter: together },
			filter: { desired: 'fl_bench_1', retiring: [] },
			step: 'settled',
			made: ctx.now.toISOString(),
		},
	});
	return given;
}
