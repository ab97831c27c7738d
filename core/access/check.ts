/** Everything about a request that is looked at before something is stored. Stores nothing. */
import * as Catalog from '../catalog.ts';
import { actorOf, type Context, type Identity } from '../context.ts';
import * as Domains from '../domains.ts';
import * as Grants from '../grants.ts';
import { personOf } from '../person.ts';
import { authorize, Entity, notFound, type Permit, reveal } from '../policy.ts';
import { printRowFilter } from '../rowfilter.ts';
import type { ReadScope } from './content.ts';
import { type AccessRequest, invalid, mustEndInTime, type RequestedScope, scopesOf, until } from './request.ts';
import { withoutRowScope, withRowScope } from './rowscope.ts';
import { judge } from './rules.ts';
import { refuseViews } from './views.ts';

/** What is asked for: as it was sent, or with beneficiaries who are known by pseudonym. */
export type Wanted = Omit<AccessRequest, 'beneficiaries'> & {
	readonly beneficiaries?: readonly Identity[] | { readonly persons: readonly string[] } | undefined;
};

export type Checked = {
	readonly product: Catalog.Product;
	readonly consumer: Domains.Domain;
	readonly principal: string;
	readonly purpose: string;
	readonly legalBasis: string;
	readonly scopes: readonly RequestedScope[];
	readonly beneficiaries: readonly string[];
	readonly duration: string;
	readonly justification: string;
	readonly permit: Permit<'requestAccess'>;
	/** The rules that approve it by themselves, if any do. */
	readonly auto: Permit<'autoApprove'> | null;
};

/** Throws unless everything about it could be granted if approved. */
export async function check(ctx: Context, wanted: Wanted): Promise<Checked> {
	const checked = await examine(ctx, wanted);
	await mustBeFeasible(ctx, checked);
	return checked;
}

/**
 * All of {@link check} but whether Lake Formation has room for it. `known` are its tables where they were read before,
 * under the contract that stands: a process that reads no SQL can ask, too.
 */
export async function examine(
	ctx: Context,
	wanted: Wanted,
	known: readonly RequestedScope[] | null = null,
): Promise<Checked> {
	const [product, serving] = await Promise.all([
		Catalog.get(ctx, wanted.product),
		Domains.principal(ctx, wanted.principal),
	]);
	if (product === null) throw notFound();
	const facts = Entity.product(Catalog.factsOf(product), ctx.config.governance);
	reveal(ctx, 'viewProduct', facts);
	if (serving === null) throw invalid('/principal', 'no domain has registered this principal');
	const { domain: consumer } = serving;
	const about = Entity.along(facts, Entity.domain(consumer.id));
	authorize(ctx, 'requestAccess', about, { consumer: Entity.domainRef(consumer.id) });
	const { version } = product.contract;
	if (wanted.version !== undefined && wanted.version !== version) {
		throw invalid('/version', `the current version is ${version}`);
	}
	await refuseViews(ctx, product, wanted.tables);
	const scopes = known ?? (await scopesOf(ctx.parser, product, wanted.tables));
	const { principal, purpose, duration, justification } = wanted;
	mustEndInTime(product, until(duration, ctx.now), ctx.now);
	const beneficiaries = await beneficiariesOf(ctx, wanted.beneficiaries, consumer.id);
	const personal = await Catalog.personalColumns(ctx, product.id);
	const { permit, auto } = judge(ctx, { product, serving, scopes, purpose, duration, personal });
	const legalBasis = ctx.config.purposes.find((p) => p.id === purpose)?.legalBasis ?? '';
	const forced = withRowScope(product, consumer, scopes);
	const rest = { principal, purpose, legalBasis, duration, justification, permit, auto };
	return { product, consumer, scopes: forced, beneficiaries, ...rest };
}

/** Throws `not-governed`, `quota-exceeded`, `union-not-exact`. */
export async function mustBeFeasible(ctx: Context, checked: Checked): Promise<void> {
	const { product, purpose, beneficiaries } = checked;
	const asking = { product: product.id, purpose, beneficiaries };
	await Grants.feasible(ctx, checked.principal, checked.scopes, null, asking);
}

async function beneficiariesOf(ctx: Context, asked: Wanted['beneficiaries'], consumer: string): Promise<string[]> {
	if (asked === undefined) return [actorOf(ctx)];
	const consumers = await Domains.holders(ctx, consumer, 'consumer');
	const persons = 'persons' in asked ? asked.persons : await Promise.all(asked.map((who) => personOf(ctx, who)));
	const found = persons.map((person, i) => {
		if (person !== null && consumers.includes(person)) return person;
		throw invalid(`/beneficiaries/${i}`, `must be a consumer of domain ${consumer}`);
	});
	// All who benefited from what is renewed or edited may have gone.
	if (found.length === 0) throw invalid('/beneficiaries', `nobody is left; name consumers of domain ${consumer}`);
	return [...new Set(found)];
}

/** Scopes that stand somewhere already, as somebody would ask for them. */
export function tablesOf(scopes: readonly ReadScope[]): AccessRequest['tables'] {
	return scopes.map(({ table, columns, rowFilter }) => ({
		table: `${table.database}.${table.table}`,
		columns: [...columns],
		rowFilter: rowFilter === null ? null : printRowFilter(rowFilter),
	}));
}

/** The same to be asked for again, for domain `consumer`: the rows that the contract leaves to it are forced anew. */
export async function tablesAgain(
	ctx: Pick<Context, 'aws' | 'config'>,
	productId: string,
	consumer: string,
	scopes: readonly ReadScope[],
): Promise<AccessRequest['tables']> {
	const product = await Catalog.get(ctx, productId);
	if (product === null) throw notFound();
	return tablesOf(withoutRowScope(product, consumer, scopes));
}
