/**
 * A table's data as DuckDB reads it: every column under its Glue name and of its Glue type. Columns of a file are found by
 * name, one that a Parquet file lacks is NULL in its rows; the values of partition keys stand in the catalog, not in the
 * files. Athena user guide, "partitions", "handling-schema-updates-chapter", "data-types".
 */
import { stringText as literal, parseType, quoted, type TypeName } from '#core/sql.ts';

export type Column = { readonly name: string; readonly type: string };

export type Format =
	| { readonly kind: 'parquet' }
	| { readonly kind: 'csv'; readonly delimiter: string; readonly header: boolean; readonly quote: string };

/** Values in the order of the keys. */
export type Partition = {
	readonly values: readonly string[];
	readonly files: readonly string[];
	readonly location?: string;
};

/** A table's data as it lies in the lake. */
export type Source = {
	readonly columns: readonly Column[];
	readonly format: Format;
	readonly files: readonly string[];
	/** Also in `columns`; with them the partitions count in place of `files`. */
	readonly partitionKeys?: readonly string[];
	readonly partitions?: readonly Partition[];
	readonly location?: string;
};

export function isKey(source: Source, name: string): boolean {
	return source.partitionKeys?.includes(name) === true;
}

/** Every file that the table's data lies in. */
export function filesOf(source: Source): readonly string[] {
	return source.partitionKeys?.length ? (source.partitions ?? []).flatMap(({ files }) => files) : source.files;
}

/** Where Hive keeps the rows whose key is NULL. */
const NULL_PARTITION = '__HIVE_DEFAULT_PARTITION__';

/** A query that gives all rows of the table, in table order of the columns. */
export function scan(source: Source): string {
	const keys = source.partitionKeys ?? [];
	if (keys.length === 0) return rowsOf(source, source.files, new Map());
	const parts = (source.partitions ?? []).map(({ values, files }) => {
		if (values.length !== keys.length) throw new Error('a partition has other keys than its table');
		return rowsOf(source, files, new Map(keys.map((key, index) => [key, values[index] ?? NULL_PARTITION])));
	});
	return parts.length === 0 ? noRows(source) : parts.join(' UNION ALL ');
}

function noRows(source: Source): string {
	const columns = source.columns.map(({ name, type }) => `CAST(NULL AS ${duckType(type)}) AS ${quoted(name)}`);
	return `SELECT ${columns.join(', ')} WHERE false`;
}

/** The rows of these files, with the keys' values beside them. */
function rowsOf(source: Source, files: readonly string[], keys: ReadonlyMap<string, string>): string {
	if (files.length === 0) return noRows(source);
	const selected = source.columns.map((column) => {
		const value = keys.get(column.name);
		return value === undefined ? checked(column) : keyValue(column, value);
	});
	const inside = source.columns.filter(({ name }) => !keys.has(name));
	return `SELECT ${selected.join(', ')} FROM (${contents(source.format, files, inside)})`;
}

function keyValue({ name, type }: Column, value: string): string {
	return `CAST(${value === NULL_PARTITION ? 'NULL' : literal(value)} AS ${duckType(type)}) AS ${quoted(name)}`;
}

function checked({ name, type }: Column): string {
	const known = parseType(type);
	const value = `CAST(${quoted(name)} AS ${duckType(type)})`;
	const finer = known === null ? null : finerThanMillis(known.name === 'timestamp' ? quoted(name) : value, known);
	const text = finer === null ? value : `CASE WHEN ${finer} THEN ${tooFine} ELSE ${value} END`;
	return `${text} AS ${quoted(name)}`;
}

/** What the files say; nothing is read from their paths. */
function contents(format: Format, files: readonly string[], columns: readonly Column[]): string {
	const list = `[${files.map(literal).join(', ')}]`;
	if (format.kind === 'parquet') {
		const all = columns.map(({ name }) => `NULL AS ${quoted(name)}`);
		const none = all.length === 0 ? '' : `SELECT ${all.join(', ')} WHERE false UNION ALL BY NAME `;
		return `${none}SELECT * FROM read_parquet(${list}, union_by_name=true, hive_partitioning=false)`;
	}
	const typed = columns.map((column) => {
		const type = duckType(column.type);
		if (/[[(]/.test(type) && !type.startsWith('DECIMAL('))
			throw new Error(`Columns of type ${type} cannot be read from text files here`);
		return `${literal(column.name)}: ${literal(type)}`;
	});
	const { delimiter, header, quote } = format;
	// An empty field is NULL, a quoted empty one is the empty string.
	return `SELECT * FROM read_csv(${list}, delim=${literal(delimiter)}, header=${header}, quote=${literal(quote)}, escape=${literal(quote)}, columns={${typed.join(', ')}}, nullstr='', allow_quoted_nulls=false, auto_detect=false, hive_partitioning=false)`;
}

/**
 * A timestamp of Athena has milliseconds, and what becomes of finer ones in a file is not documented
 * (https://docs.aws.amazon.com/athena/latest/ug/data-types.html); Trino rounds them.
 */
const tooFine = "error('runs on Athena only: a timestamp finer than milliseconds')";

/** By its text, since a column's nanoseconds would be lost in a TIMESTAMP; null if there is no timestamp in it. */
function finerThanMillis(value: string, { name, of }: TypeName): string | null {
	if (name === 'timestamp') return `regexp_matches(CAST(${value} AS VARCHAR), '[.][0-9]{3}[0-9]*[1-9]')`;
	const anyOf = (list: string, part: TypeName | undefined) => {
		const finer = part === undefined ? null : finerThanMillis('fl_e', part);
		return finer === null ? [] : [`len(list_filter(${list}, lambda fl_e: ${finer})) > 0`];
	};
	const [first, second] = of.map(({ type }) => type);
	const inside =
		name === 'array'
			? anyOf(value, first)
			: name === 'map'
				? [...anyOf(`map_keys(${value})`, first), ...anyOf(`map_values(${value})`, second)]
				: of.flatMap((field) => {
						const part = `struct_extract(${value}, ${literal(field.name ?? '')})`;
						return finerThanMillis(part, field.type) ?? [];
					});
	return inside.length === 0 ? null : `(${inside.join(' OR ')})`;
}

const TYPES: ReadonlyMap<string, string> = new Map([
	['boolean', 'BOOLEAN'],
	['tinyint', 'TINYINT'],
	['smallint', 'SMALLINT'],
	['integer', 'INTEGER'],
	['bigint', 'BIGINT'],
	['real', 'FLOAT'],
	['double', 'DOUBLE'],
	['varchar', 'VARCHAR'],
	['char', 'VARCHAR'],
	['date', 'DATE'],
	['timestamp', 'TIMESTAMP'],
	['varbinary', 'BLOB'],
]);

/** The DuckDB type of a Glue type, also of array<..>, map<..> and struct<..> as parquet has them. */
export function duckType(text: string): string {
	const type = parseType(text);
	const known = type === null ? null : typeText(type);
	if (known === null) throw new Error(`Columns of type ${text} cannot be read here`);
	return known;
}

function typeText({ name, parameters, of }: TypeName): string | null {
	const [first, second] = parameters;
	if (name === 'decimal') return first === undefined ? null : `DECIMAL(${first}, ${second ?? 0})`;
	if (name === 'timestamp' && first !== undefined) return null;
	const parts = of.map((part) => ({ name: part.name, type: typeText(part.type) }));
	const [element = null, value = null] = parts.map(({ type }) => type);
	if (name === 'array') return element === null ? null : `${element}[]`;
	if (name === 'map') return element === null || value === null ? null : `MAP(${element}, ${value})`;
	if (name !== 'row') return TYPES.get(name) ?? null;
	const fields = parts.flatMap((part) =>
		part.name === null || part.type === null ? [] : [`${quoted(part.name)} ${part.type}`],
	);
	return fields.length === parts.length ? `STRUCT(${fields.join(', ')})` : null;
}
