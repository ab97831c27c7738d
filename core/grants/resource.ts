/**
 * A grant as the rules are told of it: the product, who uses it, who benefits, and everybody who had a hand in asking for
 * it. Only reads.
 */
import * as Catalog from '../catalog.ts';
import type { Context } from '../context.ts';
import * as Domains from '../domains.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import { Entity, type Resource } from '../policy.ts';
import type { Grant } from './grant.ts';
import { officesOn, roleOf } from './holds.ts';

type Opened = Pick<Grant, 'opened' | 'beneficiaries' | 'entries'>;

/** Where it cannot be told who asked for it, that may be the caller. `known` is its product, where that was read. */
export async function resourceOf(
	ctx: Pick<Context, 'aws' | 'config' | 'caller'>,
	grant: Opened,
	known: Catalog.Product | null = null,
): Promise<Resource> {
	const [product, found] = await Promise.all([
		productOf(ctx, grant, known),
		Ledger.readable(() => peopleOf(ctx, grant)),
	]);
	const unknown = [...grant.opened.body.beneficiaries, ctx.caller.person].filter((p) => p !== null);
	return entityOf(ctx, grant, product, found ?? { parties: unknown, holders: grant.beneficiaries });
}

/** The same for who only looks at it: in that, whoever had asked for it plays no part, so his request is not read. */
export async function lookedAt(
	ctx: Pick<Context, 'aws' | 'config'>,
	grant: Opened,
	known: Catalog.Product | null = null,
): Promise<Resource> {
	return entityOf(ctx, grant, await productOf(ctx, grant, known), { parties: grant.beneficiaries });
}

async function productOf(
	ctx: Pick<Context, 'aws' | 'config'>,
	{ opened }: Opened,
	known: Catalog.Product | null,
): Promise<Catalog.Product> {
	const product = known ?? (await Catalog.get(ctx, opened.body.product));
	if (product === null) throw new BrokerError('record-corrupt', 'A grant names a product without entries.');
	return product;
}

function entityOf(
	{ config }: Pick<Context, 'config'>,
	{ opened, beneficiaries, entries }: Opened,
	product: Catalog.Product,
	people: { readonly parties: readonly string[]; readonly holders?: readonly string[] },
): Resource {
	const { grant: id, consumerDomain } = opened.body;
	const holds = officesOn(entries).map((office) => roleOf[office]);
	const facts = { id, product: Catalog.factsOf(product), consumerDomain, beneficiaries, holds, ...people };
	return Entity.grant(facts, config.governance);
}

/** The people behind whoever asked for it, edited that, or was to benefit; and those behind whoever benefits. */
async function peopleOf(ctx: Pick<Context, 'aws' | 'config'>, { opened, beneficiaries }: Opened) {
	const entries = await Ledger.read(ctx, Ledger.stream.request(opened.body.request));
	const said = entries.filter(({ body }) => body.type === 'AccessRequested' || body.type === 'AccessEdited');
	const persons = [...new Set([...said.map(({ entry }) => entry.actor), ...opened.body.beneficiaries])];
	const selves = await Domains.selvesOf(ctx, persons);
	const holders = selves.filter((_, i) => beneficiaries.includes(persons[i] ?? ''));
	return { parties: [...new Set(selves)], holders: [...new Set(holders)] };
}
