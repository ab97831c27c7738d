/**
 * Resource links: how an account sees a database of another one (Lake Formation Developer Guide, resource-links-about).
 *
 * Fairlead keeps one link per consuming account and database, under a name of its own, made and granted as its role in
 * that account. A grant on a link grants nothing on what it leads to, so a link that is left over opens nothing.
 * Whoever takes a link away looks afterwards whether somebody needs it, and whoever needs it looks for it after that
 * was recorded: one of the two sees the other.
 */
import {
	CreateDatabaseCommand,
	DeleteDatabaseCommand,
	GetDatabaseCommand,
	paginateGetDatabases,
} from '@aws-sdk/client-glue';
import type { Context } from '../context.ts';
import { BrokerError, errorName } from '../error.ts';
import * as LF from '../lakeformation.ts';
import * as Ledger from '../ledger.ts';

type Ctx = Pick<Context, 'aws' | 'config'>;
type TableRef = Ledger.TableRef;
type Source = Pick<TableRef, 'account' | 'database'>;

const PREFIX = 'fl_';
const accountOf = (arn: string) => arn.split(':')[4] ?? '';

/** Name of the database under which a principal's account sees the table's, or null where it is that account's own. */
export function linkOf(principal: string, { account, database }: Source): string | null {
	return accountOf(principal) === account ? null : `${PREFIX}${account}_${database}`;
}

/** Makes the link unless it stands. Throws `conflict` where its name is taken by something else. */
export const makeLink = LF.translated(async (ctx: Ctx, principal: string, table: TableRef): Promise<void> => {
	const Name = linkOf(principal, table) ?? '';
	const account = accountOf(principal);
	const TargetDatabase = { CatalogId: table.account, DatabaseName: table.database };
	const DatabaseInput = { Name, TargetDatabase, CreateTableDefaultPermissions: [] };
	// Somebody may take it away between the two: then it is made once more.
	await LF.until(ctx, async () => {
		const found = await target(ctx, account, Name);
		if (found !== null) {
			if (leads(found, table)) return true;
			const detail = `A database ${Name} exists in account ${account} and is no link of ours.`;
			throw new BrokerError('conflict', detail);
		}
		try {
			const glue = ctx.aws.consumer.glue(account);
			await LF.attempt(ctx, () => glue.send(new CreateDatabaseCommand({ CatalogId: account, DatabaseInput })));
			return true;
		} catch (cause) {
			if (errorName(cause) !== 'AlreadyExistsException') throw cause;
			return false;
		}
	});
});

const right = (principal: string, link: string): LF.Wanted => ({
	principal,
	on: { kind: 'database', account: accountOf(principal), database: link },
	permissions: ['DESCRIBE'],
});

const seatOf = (principal: string): LF.Seat => ({ account: accountOf(principal), as: 'consumer' });

/** Lets the principal see the link, which its queries need. */
export async function describeLink(ctx: Ctx, principal: string, table: TableRef): Promise<void> {
	await LF.grantAll(ctx, seatOf(principal), [right(principal, linkOf(principal, table) ?? '')]);
}

/** Whether the link leads to the table's database and the principal sees it; true where no link is needed. */
export async function linkStands(ctx: Ctx, principal: string, table: TableRef): Promise<boolean> {
	const name = linkOf(principal, table);
	if (name === null) return true;
	if (!(await leadsTo(ctx, accountOf(principal), name, table))) return false;
	const rights = await LF.rightsOnDatabase(ctx, seatOf(principal), name);
	return rights.some((r) => r.principal === principal && r.permissions.includes('DESCRIBE'));
}

async function leadsTo(ctx: Ctx, account: string, name: string, to: Source): Promise<boolean> {
	const found = await target(ctx, account, name);
	return found !== null && leads(found, to);
}

const leads = (found: Partial<Source>, to: Source) => found.account === to.account && found.database === to.database;

/** Where a database of this account leads; nowhere if it is no link. Null where there is none of this name. */
const target = LF.translated(async (ctx: Ctx, account: string, name: string): Promise<Partial<Source> | null> => {
	try {
		const { Database: found } = await LF.attempt(ctx, () =>
			ctx.aws.consumer.glue(account).send(new GetDatabaseCommand({ CatalogId: account, Name: name })),
		);
		const { CatalogId, DatabaseName } = found?.TargetDatabase ?? {};
		return CatalogId === undefined || DatabaseName === undefined ? {} : { account: CatalogId, database: DatabaseName };
	} catch (cause) {
		if (errorName(cause) === 'EntityNotFoundException') return null;
		throw cause;
	}
});

type Holder = { readonly principal: string; readonly table: TableRef };

/** Who of an account ever held something in a database of another one: from a listing that is never ahead of the ledger. */
async function holders(ctx: Ctx, account: string, to: Source): Promise<Holder[]> {
	const lines = await Ledger.Listing.all(ctx, Ledger.Listing.key.heldFrom(account));
	const inside = `${to.account}.${to.database}.`;
	return lines.flatMap((line) => {
		if (!line.startsWith(inside)) return [];
		const [name = '', principal = ''] = line.split('#');
		return [{ principal, table: { account: to.account, database: to.database, table: name.slice(inside.length) } }];
	});
}

/** Whether a principal holds anything on a table now: asked of its entitlement, never of a listing. */
export type Holds = (principal: string, table: TableRef) => Promise<boolean>;

/** The first of them who holds something now, or null. One after the other: most often one of the first does. */
async function firstInNeed(of: readonly Holder[], holds: Holds): Promise<Holder | null> {
	for (const h of of) if (await holds(h.principal, h.table)) return h;
	return null;
}

/**
 * Takes away what nobody of the principal's account needs to see that database: the principal's DESCRIBE, then the link.
 * What is found needed after that is made again.
 */
export async function releaseLink(ctx: Ctx, principal: string, table: TableRef, holds: Holds): Promise<void> {
	const name = linkOf(principal, table);
	if (name === null) return;
	const account = accountOf(principal);
	// Where none leads there, nothing is taken away: whoever did that looks after it, and whoever needs one makes it.
	if (!(await leadsTo(ctx, account, name, table))) return;
	const mine = async () => (await holders(ctx, account, table)).filter((h) => h.principal === principal);
	if ((await firstInNeed(await mine(), holds)) !== null) return;
	if (await leadsTo(ctx, account, name, table)) await LF.revokeAll(ctx, seatOf(principal), [right(principal, name)]);
	await removeUnless(ctx, account, table, holds);
	await mendFor(ctx, await firstInNeed(await mine(), holds));
}

/** Removes the link to a database unless somebody of the account needs it; true where it went for good. */
async function removeUnless(ctx: Ctx, account: string, to: Source, holds: Holds): Promise<boolean> {
	if ((await firstInNeed(await holders(ctx, account, to), holds)) !== null) return false;
	await removeLink(ctx, account, `${PREFIX}${to.account}_${to.database}`, to);
	const late = await firstInNeed(await holders(ctx, account, to), holds);
	await mendFor(ctx, late);
	return late === null;
}

async function mendFor(ctx: Ctx, late: Holder | null): Promise<void> {
	if (late === null || (await linkStands(ctx, late.principal, late.table))) return;
	await makeLink(ctx, late.principal, late.table);
	await describeLink(ctx, late.principal, late.table);
}

const removeLink = LF.translated(async (ctx: Ctx, account: string, name: string, to: Source): Promise<void> => {
	// What is no link of ours, or leads elsewhere, is not ours to take.
	if (!(await leadsTo(ctx, account, name, to))) return;
	const seat: LF.Seat = { account, as: 'consumer' };
	const left = (await LF.rightsOnDatabase(ctx, seat, name)).filter((r) => r.permissions.includes('DESCRIBE'));
	// The maker's own rights go with the link.
	const others = left.filter((r) => r.permissions.every((p) => p === 'DESCRIBE') && r.grantable.length === 0);
	if (others.length > 0) await LF.revokeAll(ctx, seat, others);
	try {
		const glue = ctx.aws.consumer.glue(account);
		await LF.attempt(ctx, () => glue.send(new DeleteDatabaseCommand({ CatalogId: account, Name: name })));
	} catch (cause) {
		if (errorName(cause) !== 'EntityNotFoundException') throw cause;
	}
});

/** Takes away the links of ours in a consuming account that lead where nobody of it holds anything. Returns their names. */
export const tidyLinks = LF.translated(async (ctx: Ctx, account: string, holds: Holds): Promise<string[]> => {
	const gone: string[] = [];
	const pages = paginateGetDatabases({ client: ctx.aws.consumer.glue(account) }, { CatalogId: account });
	for await (const page of pages) {
		for (const { Name: name = '', TargetDatabase: target } of page.DatabaseList ?? []) {
			const { CatalogId: owner = '', DatabaseName: database = '' } = target ?? {};
			if (name !== `${PREFIX}${owner}_${database}`) continue;
			if (await removeUnless(ctx, account, { account: owner, database }, holds)) gone.push(name);
		}
	}
	return gone;
});
