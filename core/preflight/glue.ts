/** What Glue tells of a table and of its database, and of the database `default` of a consuming account. Reads only. */
import { GetDatabaseCommand, GetTableCommand } from '@aws-sdk/client-glue';
import type { Context } from '../context.ts';
import { errorName } from '../error.ts';
import type { TableRef } from '../ledger.ts';

type Ctx = Pick<Context, 'aws'>;

export type GlueFacts = {
	/** When the table was made: one that was dropped and made again has another instant. */
	readonly made: string | null;
	readonly location: string;
	/** Types by column, partition keys among them. */
	readonly types: ReadonlyMap<string, string>;
	readonly partitionKeys: readonly string[];
	/** GetTable is the one call that tells (service model: GetTables always says no). */
	readonly registered: boolean;
	/** No grant is made on a view: Lake Formation's filters do not reach through one. */
	readonly view: boolean;
};

/** The table, or null where there is none, or none that the grantor may see: Glue does not tell these apart. */
export function tableFacts(ctx: Ctx, { account, database, table }: TableRef): Promise<GlueFacts | null> {
	return unlessAbsent(async () => {
		const answer = await ctx.aws
			.glue(account)
			.send(new GetTableCommand({ CatalogId: account, DatabaseName: database, Name: table }));
		const found = answer.Table;
		const keys = found?.PartitionKeys ?? [];
		const columns = [...(found?.StorageDescriptor?.Columns ?? []), ...keys];
		return {
			made: found?.CreateTime?.toISOString() ?? null,
			location: found?.StorageDescriptor?.Location ?? '',
			types: new Map(columns.map((c) => [c.Name ?? '', (c.Type ?? '').toLowerCase()])),
			partitionKeys: keys.map((k) => k.Name ?? ''),
			registered: found?.IsRegisteredWithLakeFormation === true,
			view: found?.TableType === 'VIRTUAL_VIEW',
		};
	});
}

/** Who is granted something on new tables of a database by itself; nobody where there is no such database. */
export async function tableDefaults(ctx: Ctx, account: string, database: string): Promise<string[]> {
	const found = await unlessAbsent(async () => {
		const answer = await ctx.aws.glue(account).send(new GetDatabaseCommand({ CatalogId: account, Name: database }));
		return answer.Database?.CreateTableDefaultPermissions ?? [];
	});
	return (found ?? [])
		.filter((d) => (d.Permissions ?? []).length > 0)
		.map((d) => d.Principal?.DataLakePrincipalIdentifier ?? '');
}

/** Whether a consuming account has a database, as Fairlead's role there sees it. */
export async function hasDatabase(ctx: Ctx, account: string, database: string): Promise<boolean> {
	const found = await unlessAbsent(() =>
		ctx.aws.consumer.glue(account).send(new GetDatabaseCommand({ CatalogId: account, Name: database })),
	);
	return found !== null;
}

async function unlessAbsent<T>(ask: () => Promise<T>): Promise<T | null> {
	try {
		return await ask();
	} catch (cause) {
		if (errorName(cause) === 'EntityNotFoundException') return null;
		throw cause;
	}
}
