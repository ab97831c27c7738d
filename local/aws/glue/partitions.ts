/**
 * Glue's partitions. Who may see a table may see what partitions it has: keys cannot be hidden (LF developer guide,
 * "data-filtering-notes"). Glue takes any location for a partition; it is queries that want it under its table.
 */
import * as z from 'zod';
import { AwsError, type Caller, type Operation, operation, page } from '../../wire.ts';
import { isWithin, locationArn } from '../lookup.ts';
import type { State, Table } from '../state.ts';
import type { Store } from '../store.ts';
import { absent, badToken, CatalogId, exists, invalid, Name, refuse, Unserved } from './common.ts';
import { dataKept, filesAt } from './dropped.ts';
import { StorageDescriptor } from './input.ts';
import { databaseNamed, mustHoldOnTable, mustReachLocation, mustSeeTable } from './rights.ts';
import { writtenPartition } from './show.ts';

/** [unverified] (aws-facts section 2): no page says which permission it takes to make and drop partitions. */
const PARTITIONS_NEED = 'ALTER';

type Partition = Table['partitions'][number];

const Values = z.array(z.string().min(1).max(1024));
const PartitionInput = z.object({
	Values: Values.nullish(),
	StorageDescriptor: StorageDescriptor.nullish(),
	Parameters: Unserved,
});
const In = { CatalogId, DatabaseName: Name, TableName: Name };
type Addressed = {
	readonly CatalogId?: string | null | undefined;
	readonly DatabaseName: string;
	readonly TableName: string;
};

export function partitionOperations(store: Store, clock: () => Date): readonly (readonly [string, Operation])[] {
	return [
		...reading(store),
		[
			'CreatePartition',
			operation(z.object({ ...In, PartitionInput }), invalid, async (caller, input) => {
				await store.change((state) => created(state, caller, input, input.PartitionInput, clock()));
				return {};
			}),
		],
		[
			'BatchCreatePartition',
			operation(z.object({ ...In, PartitionInputList: z.array(PartitionInput).max(100) }), invalid, (caller, input) =>
				each(store, caller, input, input.PartitionInputList, (state, entry) =>
					created(state, caller, input, entry, clock()),
				),
			),
		],
		[
			'DeletePartition',
			operation(z.object({ ...In, PartitionValues: Values }), invalid, async (caller, input) => {
				await store.change((state) => deleted(state, caller, input, input.PartitionValues));
				return {};
			}),
		],
		[
			'BatchDeletePartition',
			operation(
				z.object({ ...In, PartitionsToDelete: z.array(z.object({ Values })).max(25) }),
				invalid,
				(caller, input) =>
					each(store, caller, input, input.PartitionsToDelete, (state, entry) =>
						deleted(state, caller, input, entry.Values),
					),
			),
		],
	];
}

function reading(store: Store): readonly (readonly [string, Operation])[] {
	return [
		[
			'GetPartition',
			operation(z.object({ ...In, PartitionValues: Values }), invalid, (caller, input) => {
				const { table, columns } = seen(store.read(), caller, input);
				const found = partitionOf(table, input.PartitionValues);
				if (found === undefined) throw absent('Cannot find partition.');
				return { Partition: writtenPartition(table, found, columns, true) };
			}),
		],
		['GetPartitions', getPartitions(store)],
		[
			'BatchGetPartition',
			operation(
				z.object({ ...In, PartitionsToGet: z.array(z.object({ Values })).max(1000) }),
				invalid,
				(caller, input) => {
					const { table, columns } = seen(store.read(), caller, input);
					const found = input.PartitionsToGet.map((entry) => partitionOf(table, entry.Values));
					const Partitions = found
						.filter((partition) => partition !== undefined)
						.map((partition) => writtenPartition(table, partition, columns, true));
					return { Partitions, UnprocessedKeys: [] };
				},
			),
		],
	];
}

function getPartitions(store: Store): Operation {
	const Segment = z
		.object({ SegmentNumber: z.number().int().min(0), TotalSegments: z.number().int().min(1).max(10) })
		.nullish();
	const Input = z.object({
		...In,
		Expression: Unserved,
		NextToken: z.string().nullish(),
		Segment,
		MaxResults: z.number().int().min(1).max(1000).nullish(),
		ExcludeColumnSchema: z.boolean().nullish(),
		TransactionId: Unserved,
		QueryAsOfTime: Unserved,
	});
	return operation(Input, invalid, (caller, input) => {
		const { Expression, TransactionId, QueryAsOfTime } = input;
		refuse({ Expression, TransactionId, QueryAsOfTime });
		const { table, columns } = seen(store.read(), caller, input);
		const { SegmentNumber: number, TotalSegments: total } = input.Segment ?? { SegmentNumber: 0, TotalSegments: 1 };
		if (number >= total) throw invalid('SegmentNumber must be less than TotalSegments');
		const mine = table.partitions.filter((_, position) => position % total === number);
		const { items, next } = page(mine, input.MaxResults ?? 1000, input.NextToken, badToken);
		const schema = input.ExcludeColumnSchema !== true;
		return { Partitions: items.map((partition) => writtenPartition(table, partition, columns, schema)), ...next };
	});
}

function seen(state: State, caller: Caller, input: Addressed) {
	const place = databaseNamed(state, caller, input.CatalogId ?? caller.account, input.DatabaseName);
	const { table, columns } = mustSeeTable(state, caller, place, input.TableName);
	if ('text' in table) throw invalid('A view has no partitions');
	return { table, columns };
}

function partitionOf(table: Table, values: readonly string[]): Partition | undefined {
	return table.partitions.find((partition) => JSON.stringify(partition.values) === JSON.stringify(values));
}

function created(state: State, caller: Caller, at: Addressed, input: z.infer<typeof PartitionInput>, now: Date): State {
	const { table } = seen(state, caller, at);
	mustHoldOnTable(state, caller, table, PARTITIONS_NEED);
	refuse({ Parameters: input.Parameters });
	const values = input.Values ?? [];
	if (table.partitionKeys.length === 0) throw invalid('The table has no partition keys');
	if (values.length !== table.partitionKeys.length) {
		throw invalid('The number of partition keys do not match the number of partition values');
	}
	if (partitionOf(table, values) !== undefined) throw exists('Partition');
	const location = input.StorageDescriptor?.Location ?? '';
	const within = isWithin(locationArn(location), locationArn(table.location));
	if (!within || !location.startsWith('s3://')) mustReachLocation(state, caller, table, location, table.name);
	const partition = { values, location, files: filesAt(state, table.account, location), created: now.getTime() };
	return withPartitions(state, table, [...table.partitions, partition]);
}

function deleted(state: State, caller: Caller, at: Addressed, values: readonly string[]): State {
	const { table } = seen(state, caller, at);
	mustHoldOnTable(state, caller, table, PARTITIONS_NEED);
	const found = partitionOf(table, values);
	if (found === undefined) throw absent('Cannot find partition.');
	const left = table.partitions.filter((partition) => partition !== found);
	return withPartitions(dataKept(state, table), table, left);
}

function withPartitions(state: State, table: Table, partitions: Partition[]): State {
	const tables = state.landing.tables.map((entry) => (entry === table ? { ...entry, partitions } : entry));
	return { ...state, landing: { ...state.landing, tables } };
}

/** Each entry by itself: one that fails is told and the others are done. A table that is not there fails them all. */
async function each<T extends { readonly Values?: readonly string[] | null | undefined }>(
	store: Store,
	caller: Caller,
	at: Addressed,
	entries: readonly T[],
	change: (state: State, entry: T) => State,
): Promise<object> {
	const errors: object[] = [];
	await store.change((before) => {
		const { table } = seen(before, caller, at);
		mustHoldOnTable(before, caller, table, PARTITIONS_NEED);
		return entries.reduce((state, entry) => {
			try {
				return change(state, entry);
			} catch (error) {
				if (!(error instanceof AwsError)) throw error;
				const ErrorDetail = { ErrorCode: error.code, ErrorMessage: error.message };
				errors.push({ PartitionValues: entry.Values ?? [], ErrorDetail });
				return state;
			}
		}, before);
	});
	return { Errors: errors };
}
