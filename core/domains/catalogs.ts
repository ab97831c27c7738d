/**
 * Where a domain's tables may be: in any database of its own account, and in the databases that it has in shared
 * catalogs, which are accounts of no domain. Where two domains would have one database, registering is refused; two
 * stewards who register at the same instant are not told apart, as with accounts.
 */
import * as z from 'zod';
import type { Context } from '../context.ts';
import type { Fault } from '../error.ts';
import { AccountId } from '../id.ts';
import * as Ledger from '../ledger.ts';

type Catalogs = readonly { readonly account: string; readonly databases: readonly string[] }[];
/** The part of a domain that this is about. */
export type Places = { readonly account: string; readonly catalogs: Catalogs };
type Other = Places & { readonly id: string };

/** As Glue keeps names (Glue API, Database: folded to lower case), of the characters that Athena takes in one. */
const DatabaseName = z.string().regex(/^[a-z0-9_]{1,255}$/, 'must be lower-case letters, digits or _');

/** Databases that a domain has in the Glue catalog of an account which is no domain's own. */
export const SharedCatalog = z.strictObject({
	account: AccountId.meta({ description: 'A shared catalog account: no domain has it as its own' }),
	databases: z.array(DatabaseName).min(1).max(200).meta({ description: 'Those of this domain, and of no other' }),
});

/** An account is a domain's own or a shared catalog, never both: a domain decides alone on what its account has. */
export function catalogFaults(id: string, input: Places, all: readonly Other[]): Fault[] {
	const others = all.filter((d) => d.id !== id);
	const found: Fault[] = [];
	if (others.some((d) => d.catalogs.some((c) => c.account === input.account))) {
		found.push({ pointer: '/account', detail: 'is a shared catalog, in which another domain has databases' });
	}
	for (const [i, { account, databases }] of input.catalogs.entries()) {
		const add = (place: string, detail: string) => found.push({ pointer: `/catalogs/${i}${place}`, detail });
		if (account === input.account) add('/account', "is the domain's own account, whose databases need no naming");
		if (others.some((d) => d.account === account)) add('/account', "is another domain's own account");
		if (input.catalogs.findIndex((c) => c.account === account) !== i) add('/account', 'listed twice');
		for (const [j, database] of databases.entries()) {
			if (databases.indexOf(database) !== j) add(`/databases/${j}`, 'listed twice');
			const other = others.find((d) => hasDatabase(d.catalogs, account, database));
			if (other !== undefined) add(`/databases/${j}`, `belongs to domain ${other.id}`);
		}
	}
	return found;
}

const hasDatabase = (catalogs: Catalogs, account: string, database: string) =>
	catalogs.some((c) => c.account === account && c.databases.includes(database));

/** Whether a database is the domain's: of its own account, or named among its shared catalogs. */
export function owns(domain: Places, account: string, database: string): boolean {
	return account === domain.account || hasDatabase(domain.catalogs, account, database);
}

/**
 * What the domain gives up while it has tables there, in any version that it published: grants on an earlier version go
 * on, and who gets the place next would neither see nor end them.
 */
export async function abandoned(
	ctx: Pick<Context, 'aws' | 'config'>,
	last: Ledger.Recorded<'DomainRegistered'> | null,
	input: Places,
): Promise<Fault[]> {
	if (last === null) return [];
	const { domain, account, catalogs } = last.body;
	const moved = account !== input.account;
	if (!moved && !catalogs.some((c) => c.databases.some((name) => !owns(input, c.account, name)))) return [];
	const ids = await Ledger.Listing.all(ctx, Ledger.Listing.key.products);
	const own = ids.filter((id) => id.startsWith(`${domain}.`));
	const streams = await Promise.all(own.map((id) => Ledger.read(ctx, Ledger.stream.product(id))));
	const published = streams.flat().flatMap(({ body }) => (body.type === 'ContractPublished' ? [body] : []));
	const faults = published.flatMap(({ product, tables }) =>
		tables
			.filter((t) => owns({ account, catalogs }, t.account, t.database) && !owns(input, t.account, t.database))
			.map((t) => ({
				pointer: t.account === account ? '/account' : '/catalogs',
				detail: `product ${product} has table ${t.database}.${t.table} in catalog ${t.account}`,
			})),
	);
	return [...new Map(faults.map((f) => [f.detail, f])).values()];
}
