/**
 * Who sees which of Fairlead's resource links: each link is looked at once in a pass, however many tables it leads to.
 * Looked at with Fairlead's role in the consuming account, as core/grants makes them.
 */
import { GetDatabaseCommand, paginateGetDatabases } from '@aws-sdk/client-glue';
import type { Context } from '../context.ts';
import { errorName } from '../error.ts';
import type { Standing } from '../grants.ts';
import * as LF from '../lakeformation.ts';
import type { TableRef } from '../ledger.ts';

type Ctx = Pick<Context, 'aws' | 'config'>;

export type Links = {
	/** Those of the entitlements' principals that see the table's database through the link that they need. */
	readonly seenBy: (ctx: Ctx, standings: readonly Standing[]) => Promise<ReadonlySet<string>>;
	/** The same, looked at anew. */
	readonly seenNow: (ctx: Ctx, standings: readonly Standing[]) => Promise<ReadonlySet<string>>;
	/** Whether the account has links of Fairlead's that nobody was found to need in this pass. */
	readonly anyLeft: (ctx: Ctx, account: string) => Promise<boolean>;
};

const accountOf = (arn: string) => arn.split(':')[4] ?? '';

/** Tables come sorted by account and database, so what was read of one database is of no use after the next began. */
export function makeLinks(): Links {
	let database = '';
	const known = new Map<string, Promise<ReadonlySet<string>>>();
	const needed = new Set<string>();
	const look = async (ctx: Ctx, standings: readonly Standing[], fresh: boolean) => {
		const linked = standings.filter((s) => s.link !== null && s.desired !== null);
		const [first] = linked;
		if (first === undefined) return new Set<string>();
		const here = `${first.table.account}.${first.table.database}`;
		if (here !== database || fresh) known.clear();
		database = here;
		const accounts = [...new Set(linked.map((s) => accountOf(s.principal)))];
		const seen = await Promise.all(
			accounts.map((account) => {
				const link = linked.find((s) => accountOf(s.principal) === account)?.link ?? '';
				const key = `${account} ${link}`;
				needed.add(key);
				const found = known.get(key) ?? whoSees(ctx, account, link, first.table);
				known.set(key, found);
				// The next table asks anew: one failure is not every table's of the database.
				found.catch(() => known.get(key) === found && known.delete(key));
				return found;
			}),
		);
		return new Set(seen.flatMap((principals) => [...principals]));
	};
	return {
		seenBy: (ctx, standings) => look(ctx, standings, false),
		seenNow: (ctx, standings) => look(ctx, standings, true),
		anyLeft: (ctx, account) => anyBut(ctx, account, needed),
	};
}

/** The principals with DESCRIBE on the link; nobody where there is none, or it leads elsewhere. */
const whoSees = LF.translated(async (ctx: Ctx, account: string, link: string, to: TableRef) => {
	const glue = ctx.aws.consumer.glue(account);
	try {
		const { Database: found } = await LF.attempt(ctx, () =>
			glue.send(new GetDatabaseCommand({ CatalogId: account, Name: link })),
		);
		const target = found?.TargetDatabase;
		if (target?.CatalogId !== to.account || target.DatabaseName !== to.database) return new Set<string>();
	} catch (cause) {
		if (errorName(cause) !== 'EntityNotFoundException') throw cause;
		return new Set<string>();
	}
	const rights = await LF.rightsOnDatabase(ctx, { account, as: 'consumer' }, link);
	return new Set(rights.filter((r) => r.permissions.includes('DESCRIBE')).map((r) => r.principal));
});

const anyBut = LF.translated(async (ctx: Ctx, account: string, needed: ReadonlySet<string>) => {
	const pages = paginateGetDatabases({ client: ctx.aws.consumer.glue(account) }, { CatalogId: account });
	for await (const page of pages) {
		const links = (page.DatabaseList ?? []).filter((d) => d.TargetDatabase !== undefined);
		if (links.some(({ Name = '' }) => Name.startsWith('fl_') && !needed.has(`${account} ${Name}`))) return true;
	}
	return false;
});
