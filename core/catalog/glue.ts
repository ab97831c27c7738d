/** Glue, read as the owning account's grantor role: what a table really has. Translates Glue's errors. */
import { GetTableCommand } from '@aws-sdk/client-glue';
import type { Context } from '../context.ts';
import { BrokerError, errorName } from '../error.ts';
import type { TableRef } from '../ledger.ts';

export type GlueTable = {
	readonly columns: ReadonlyMap<string, string>;
	readonly partitionKeys: ReadonlySet<string>;
	/** The definition as Glue keeps it (`ViewOriginalText`), where this is a view; null where it is a table. */
	readonly view: string | null;
	/** ISO 8601; a table that was dropped and made again under its name has another one. */
	readonly made: string | null;
};

/** The table as Glue has it, or null when there is none (or the grantor may not see it, which Glue does not tell apart). */
export async function glueTable(ctx: Pick<Context, 'aws'>, table: TableRef): Promise<GlueTable | null> {
	try {
		const answer = await ctx.aws
			.glue(table.account)
			.send(new GetTableCommand({ CatalogId: table.account, DatabaseName: table.database, Name: table.table }));
		const columns = answer.Table?.StorageDescriptor?.Columns ?? [];
		const keys = answer.Table?.PartitionKeys ?? [];
		return {
			columns: new Map([...columns, ...keys].map((c) => [c.Name ?? '', (c.Type ?? '').toLowerCase()])),
			partitionKeys: new Set(keys.map((k) => k.Name ?? '')),
			view: answer.Table?.TableType === 'VIRTUAL_VIEW' ? (answer.Table.ViewOriginalText ?? '') : null,
			made: answer.Table?.CreateTime?.toISOString() ?? null,
		};
	} catch (cause) {
		if (errorName(cause) === 'EntityNotFoundException') return null;
		throw new BrokerError('unavailable', 'The Glue catalog does not answer; try again.', {}, { cause });
	}
}
