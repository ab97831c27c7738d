/** A TableInput as the state keeps it. What would be taken and then forgotten is refused. */
import * as z from 'zod';
import type { State, Table, View } from '../state.ts';
import { Description, invalid, Location, Name, Parameters, refuse, Unserved } from './common.ts';
import { filesAt } from './dropped.ts';
import type { Place } from './rights.ts';
import { formatOf } from './show.ts';

const Column = z.object({
	Name,
	Type: z.string().max(131_072).nullish(),
	Comment: z.string().max(255).nullish(),
	Parameters: Unserved,
});

export const StorageDescriptor = z.object({
	Columns: z.array(Column).nullish(),
	Location: Location.nullish(),
	InputFormat: z.string().max(128).nullish(),
	OutputFormat: z.string().max(128).nullish(),
	SerdeInfo: z.object({ Name: z.string().nullish(), SerializationLibrary: z.string().nullish(), Parameters }).nullish(),
	AdditionalLocations: Unserved,
	BucketColumns: Unserved,
	SortColumns: Unserved,
	SkewedInfo: Unserved,
	SchemaReference: Unserved,
	Parameters: Unserved,
});

export const TableInput = z.object({
	Name,
	Description,
	TableType: z.string().max(255).nullish(),
	Parameters,
	StorageDescriptor: StorageDescriptor.nullish(),
	PartitionKeys: z.array(Column).nullish(),
	ViewOriginalText: z.string().max(409_600).nullish(),
	TargetTable: Unserved,
	ViewDefinition: Unserved,
});
export type TableInput = z.infer<typeof TableInput>;

/** Told by Glue itself with each table, so they need not be kept. */
const TOLD = new Set(['classification', 'EXTERNAL']);

export type Described = Pick<
	Table,
	'location' | 'columns' | 'partitionKeys' | 'format' | 'parameters' | 'description' | 'files'
>;

export function readTable(state: State, account: string, input: TableInput): Described {
	const storage = input.StorageDescriptor;
	refuseUnserved(input);
	const location = storage?.Location ?? '';
	const keys = columnsOf(input.PartitionKeys);
	const columns = [...columnsOf(storage?.Columns), ...keys];
	if (columns.length === keys.length) throw invalid('The embedded Glue needs columns in StorageDescriptor');
	if (new Set(columns.map(({ name }) => name)).size !== columns.length) throw invalid('A column is named twice');
	const parameters = Object.entries(input.Parameters ?? {}).filter(([key]) => !TOLD.has(key));
	return {
		location,
		columns,
		partitionKeys: keys.map(({ name }) => name),
		format: formatOf(storage?.SerdeInfo?.SerializationLibrary, storage?.SerdeInfo?.Parameters),
		parameters: Object.fromEntries(parameters),
		// A partitioned table has no files but those of its partitions.
		files: keys.length === 0 ? filesAt(state, account, location) : [],
		...(input.Description ? { description: input.Description } : {}),
	};
}

/** The definition of a view is kept as its text; its columns are what it says they are. */
export function readView(place: Place, input: TableInput, created: number): View {
	refuseUnserved(input);
	const columns = columnsOf(input.StorageDescriptor?.Columns);
	if (!input.ViewOriginalText || columns.length === 0) throw invalid('A view needs ViewOriginalText and columns');
	return { ...place, name: input.Name, columns, text: input.ViewOriginalText, created };
}

function refuseUnserved({ TargetTable, ViewDefinition, StorageDescriptor: storage }: TableInput): void {
	const { AdditionalLocations, BucketColumns, SortColumns, SkewedInfo, SchemaReference } = storage ?? {};
	refuse({ TargetTable, ViewDefinition, AdditionalLocations, BucketColumns, SortColumns, SkewedInfo, SchemaReference });
}

function columnsOf(columns: TableInput['PartitionKeys']): Table['columns'] {
	return (columns ?? []).map(({ Name: name, Type, Comment }) => ({
		name,
		type: Type ?? '',
		...(Comment ? { comment: Comment } : {}),
	}));
}
