/**
 * Tables, views and partitions as Glue writes them, and storage formats both ways. To who was granted a part of the
 * columns, the others are not listed, nor told by the properties in which Spark keeps its schema (LF developer guide,
 * "limitations"). Partition keys are listed beside the columns and never hidden ("data-filtering-notes").
 */
import { epoch } from '../../wire.ts';
import { isRegistered, locationArn } from '../lookup.ts';
import type { State, Table, View } from '../state.ts';
import { invalid } from './common.ts';

type Format = Table['format'];
type Partition = Table['partitions'][number];

/** `listed` answers leave registration out: only GetTable tells it, lists always say no (service model). */
export function writtenTable(state: State, found: Table | View, seen: readonly string[], listed: boolean) {
	const updated = 'text' in found ? found.created : (found.updated ?? found.created);
	const common = {
		Name: found.name,
		DatabaseName: found.database,
		CatalogId: found.account,
		CreateTime: epoch(found.created),
		UpdateTime: epoch(updated),
		Retention: 0,
	};
	if ('text' in found) return { ...common, VersionId: '0', PartitionKeys: [], ...viewOf(found, seen) };
	const partial = columnsOf(found).some(({ Name }) => !seen.includes(Name));
	const registered = !listed && isRegistered(state, found.account, locationArn(found.location));
	return {
		...common,
		...(found.description === undefined ? {} : { Description: found.description }),
		VersionId: String(found.version ?? 0),
		PartitionKeys: written(found.columns.filter(({ name }) => found.partitionKeys.includes(name))),
		IsRegisteredWithLakeFormation: registered,
		TableType: 'EXTERNAL_TABLE',
		Parameters: { classification: found.format.kind, EXTERNAL: 'TRUE', ...propertiesOf(found, partial) },
		StorageDescriptor: {
			Location: found.location,
			Columns: columnsOf(found).filter(({ Name }) => seen.includes(Name)),
			...storageOf(found.format),
		},
	};
}

/** A partition describes its columns as its table does. */
export function writtenPartition(table: Table, partition: Partition, seen: readonly string[], schema: boolean) {
	const Columns = schema ? { Columns: columnsOf(table).filter(({ Name }) => seen.includes(Name)) } : {};
	return {
		Values: partition.values,
		DatabaseName: table.database,
		TableName: table.name,
		CatalogId: table.account,
		CreationTime: epoch(partition.created ?? table.created),
		StorageDescriptor: { Location: partition.location, ...Columns, ...storageOf(table.format) },
	};
}

/** The columns that lie in the files. */
function columnsOf(table: Table) {
	return written(table.columns.filter(({ name }) => !table.partitionKeys.includes(name)));
}

function written(columns: Table['columns']) {
	return columns.map(({ name, type, comment }) => ({
		Name: name,
		Type: type,
		...(comment === undefined ? {} : { Comment: comment }),
	}));
}

function propertiesOf(table: Table, partial: boolean): Readonly<Record<string, string>> {
	const all = Object.entries(table.parameters);
	return Object.fromEntries(partial ? all.filter(([key]) => !key.startsWith('spark.sql.sources.schema')) : all);
}

/** As Athena's CREATE VIEW leaves it. */
function viewOf(view: View, seen: readonly string[]) {
	return {
		IsRegisteredWithLakeFormation: false,
		TableType: 'VIRTUAL_VIEW',
		Parameters: { comment: 'Presto View', presto_view: 'true' },
		StorageDescriptor: {
			Location: '',
			Columns: written(view.columns).filter(({ Name }) => seen.includes(Name)),
			SerdeInfo: {},
		},
		ViewOriginalText: view.text,
		ViewExpandedText: '/* Presto View */',
	};
}

const PARQUET = 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe';
const CSV = 'org.apache.hadoop.hive.serde2.OpenCSVSerde';

function storageOf(format: Format) {
	if (format.kind === 'parquet') {
		return {
			InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
			OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
			SerdeInfo: { SerializationLibrary: PARQUET },
		};
	}
	return {
		InputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
		OutputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
		SerdeInfo: {
			SerializationLibrary: CSV,
			Parameters: {
				separatorChar: format.delimiter,
				quoteChar: format.quote,
				'skip.header.line.count': format.header ? '1' : '0',
			},
		},
	};
}

/** The format that a descriptor names: one of the two that queries here can read. */
export function formatOf(
	library: string | null | undefined,
	parameters: Readonly<Record<string, string>> | null | undefined,
): Format {
	if (library === PARQUET) return { kind: 'parquet' };
	if (library !== CSV) throw invalid(`The embedded Glue keeps tables of ${PARQUET} and ${CSV} only`);
	const delimiter = parameters?.['separatorChar'] ?? ',';
	const quote = parameters?.['quoteChar'] ?? '"';
	if (delimiter.length !== 1 || quote.length > 1) throw invalid('separatorChar and quoteChar are one character each');
	return { kind: 'csv', delimiter, quote, header: (parameters?.['skip.header.line.count'] ?? '0') !== '0' };
}
