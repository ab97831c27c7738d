/**
 * Lake Formation's rule for several grants on one table, in one place, as SQL that makes a table of exactly
 * the authorised cells:
 *   visible columns = the union of the grants' columns;
 *   a row is visible if the predicate of any grant is TRUE for it (NULL is not TRUE);
 *   a cell is visible if the predicate of a grant that has its column is TRUE, otherwise it is NULL.
 * With one grant no cell is ever NULLed. AWS documents the union; the NULL cells are derived from it and
 * not verified on a live account (aws-facts: "Several filters on one principal = UNION").
 */
import { printRowFilter } from '#core/rowfilter.ts';
import { stringText as literal, parseType, quoted, type TypeName } from '#core/sql.ts';
import { parseRowFilter } from '../rowfilter.ts';

export type Column = { readonly name: string; readonly type: string };

export type Format =
	| { readonly kind: 'parquet' }
	| { readonly kind: 'csv'; readonly delimiter: string; readonly header: boolean; readonly quote: string };

/** A table's data as it lies in the lake. */
export type Source = {
	readonly columns: readonly Column[];
	readonly format: Format;
	readonly files: readonly string[];
};

/** One grant: these columns of the rows where the expression is TRUE; null means all rows. */
export type Grant = { readonly columns: readonly string[]; readonly expression: string | null };

/** The columns that the grants make visible, in table order. */
export function visibleColumns(source: Source, grants: readonly Grant[]): readonly Column[] {
	const granted = new Set(grants.flatMap(({ columns }) => columns));
	return source.columns.filter(({ name }) => granted.has(name));
}

/** Statements that make `database.table` of the authorised cells and nothing else. */
export function materialise(
	name: { database: string; table: string },
	source: Source,
	grants: readonly Grant[],
): string[] {
	const rules = grants.map((grant) => ({ columns: new Set(grant.columns), predicate: predicateOf(grant, source) }));
	const cells = visibleColumns(source, grants).map(({ name: column }) => {
		const covering = rules.filter((rule) => rule.columns.has(column));
		const everywhere = covering.length === rules.length || covering.some((rule) => rule.predicate === null);
		if (everywhere) return quoted(column);
		return `CASE WHEN ${any(covering)} THEN ${quoted(column)} END AS ${quoted(column)}`;
	});
	if (cells.length === 0) throw new Error('a table without a visible column is never loaded');
	const rows = rules.some((rule) => rule.predicate === null) ? '' : ` WHERE ${any(rules)}`;
	return [
		`CREATE SCHEMA IF NOT EXISTS ${quoted(name.database)}`,
		`CREATE TABLE ${quoted(name.database)}.${quoted(name.table)} AS SELECT ${cells.join(', ')} FROM (${scan(source)})${rows}`,
	];
}

/** The filter is parsed again here, from Lake Formation's own text: what it cannot read it does not let through. */
function predicateOf(grant: Grant, source: Source): string | null {
	if (grant.expression === null) return null;
	const columns = source.columns.map(({ name, type }) => ({ name, type, partition: false }));
	return printRowFilter(parseRowFilter(grant.expression, columns));
}

function any(rules: readonly { readonly predicate: string | null }[]): string {
	return rules.map((rule) => `(${rule.predicate})`).join(' OR ');
}

/** The data, every column under its Glue name and of its Glue type. */
function scan(source: Source): string {
	const files = `[${source.files.map(literal).join(', ')}]`;
	const columns = source.columns.map((column) => ({
		...column,
		type: duckType(column.type),
		known: parseType(column.type),
	}));
	const selected = columns.map(({ name, type, known }) => {
		const value = `CAST(${quoted(name)} AS ${type})`;
		const finer = known === null ? null : finerThanMillis(known.name === 'timestamp' ? quoted(name) : value, known);
		const text = finer === null ? value : `CASE WHEN ${finer} THEN ${tooFine} ELSE ${value} END`;
		return `${text} AS ${quoted(name)}`;
	});
	if (source.format.kind === 'parquet') {
		return `SELECT ${selected.join(', ')} FROM read_parquet(${files})`;
	}
	const nested = columns.find(({ type }) => /[[(]/.test(type) && !type.startsWith('DECIMAL('));
	if (nested !== undefined) throw new Error(`Columns of type ${nested.type} cannot be read from text files here`);
	const { delimiter, header, quote } = source.format;
	const typed = columns.map(({ name, type }) => `${literal(name)}: ${literal(type)}`);
	// An empty field is NULL, a quoted empty one is the empty string.
	return `SELECT ${selected.join(', ')} FROM read_csv(${files}, delim=${literal(delimiter)}, header=${header}, quote=${literal(quote)}, escape=${literal(quote)}, columns={${typed.join(', ')}}, nullstr='', allow_quoted_nulls=false, auto_detect=false)`;
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
