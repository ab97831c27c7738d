/** What GetResourceLFTags tells: a resource's tags with those that it inherits, or only its own (service model). */
import { findTable } from './lookup.ts';
import type { Resource, State } from './state.ts';
import { assignedTags, columnOf, columnTags, databaseTags, tableTags } from './tagging.ts';

type Table = { readonly account: string; readonly database: string; readonly name: string };

export function tagsOfResource(state: State, resource: Resource, onlyOwn: boolean): object {
	const { account } = resource;
	const pairs = (tags: ReadonlyMap<string, string>) =>
		[...tags].map(([TagKey, value]) => ({ CatalogId: account, TagKey, TagValues: [value] }));
	if (resource.kind === 'database') return { LFTagOnDatabase: pairs(databaseTags(state, account, resource.database)) };
	if (resource.kind !== 'table' && resource.kind !== 'columns') return {};
	const table: Table = { account, database: resource.database, name: resource.table };
	const all = findTable(state, account, table.database, table.name)?.columns.map(({ name }) => name) ?? [];
	const columns = resource.kind === 'columns' ? (resource.columns ?? all) : all;
	const onColumns = columns
		.map((Name) => ({
			Name,
			LFTags: pairs(onlyOwn ? assignedTags(state, columnOf(table, Name)) : columnTags(state, table, Name)),
		}))
		.filter(({ LFTags }) => LFTags.length > 0);
	const own: Resource = { kind: 'table', account, database: table.database, table: table.name };
	return {
		LFTagOnDatabase: onlyOwn ? [] : pairs(databaseTags(state, account, table.database)),
		LFTagsOnTable: pairs(onlyOwn ? assignedTags(state, own) : tableTags(state, table)),
		LFTagsOnColumns: onColumns,
	};
}
