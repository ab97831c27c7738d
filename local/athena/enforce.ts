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
	const columns = source.columns.map(({ name, type }) => ({ name, type: duckType(type) }));
	if (source.format.kind === 'parquet') {
		const selected = columns.map(({ name, type }) => `CAST(${quoted(name)} AS ${type}) AS ${quoted(name)}`);
		return `SELECT ${selected.join(', ')} FROM read_parquet(${files})`;
	}
	const nested = columns.find(({ type }) => /[[(]/.test(type) && !type.startsWith('DECIMAL('));
	if (nested !== undefined) throw new Error(`Columns of type ${nested.type} cannot be read from text files here`);
	const { delimiter, header, quote } = source.format;
	const typed = columns.map(({ name, type }) => `${literal(name)}: ${literal(type)}`);
	// An empty field is NULL, a quoted empty one is the empty string.
	return `SELECT * FROM read_csv(${files}, delim=${literal(delimiter)}, header=${header}, quote=${literal(quote)}, escape=${literal(quote)}, columns={${typed.join(', ')}}, nullstr='', allow_quoted_nulls=false, auto_detect=false)`;
}

const TYPES: ReadonlyMap<string, string> = new Map([
	['boolean', 'BOOLEAN'],
	['tinyint', 'TINYINT'],
	['smallint', 'SMALLINT'],
	['int', 'INTEGER'],
	['integer', 'INTEGER'],
	['bigint', 'BIGINT'],
	['float', 'FLOAT'],
	['real', 'FLOAT'],
	['double', 'DOUBLE'],
	['string', 'VARCHAR'],
	['varchar', 'VARCHAR'],
	['char', 'VARCHAR'],
	['date', 'DATE'],
	['timestamp', 'TIMESTAMP'],
	['binary', 'BLOB'],
]);

/** The DuckDB type of a Glue type, also of array<..>, map<..> and struct<..> as parquet has them. */
export function duckType(type: string): string {
	const text = type.trim().toLowerCase();
	const decimal = /^decimal\((\d{1,2})(?:,\s*(\d{1,2}))?\)$/.exec(text);
	if (decimal !== null) return `DECIMAL(${decimal[1]}, ${decimal[2] ?? 0})`;
	const [, kind, inner = ''] = /^(array|map|struct)\s*<(.*)>$/s.exec(text) ?? [];
	const known = kind === undefined ? TYPES.get(text.replace(/^(varchar|char)\(\d+\)$/, '$1')) : compound(kind, inner);
	if (known === undefined) throw new Error(`Columns of type ${type} cannot be read here`);
	return known;
}

function compound(kind: string, inner: string): string | undefined {
	const parts = split(inner);
	if (kind === 'struct') {
		const fields = parts.map((part) => /^([^:]+):(.*)$/s.exec(part));
		const texts = fields.flatMap((field) =>
			field === null ? [] : [`${quoted((field[1] ?? '').trim())} ${duckType(field[2] ?? '')}`],
		);
		return texts.length === parts.length ? `STRUCT(${texts.join(', ')})` : undefined;
	}
	const [first = '', second, ...more] = parts.map(duckType);
	if (more.length > 0 || (kind === 'map') !== (second !== undefined)) return undefined;
	return second === undefined ? `${first}[]` : `MAP(${first}, ${second})`;
}

/** At the commas that stand in no brackets of their own. */
function split(inner: string): readonly string[] {
	let depth = 0;
	const parts = [''];
	for (const character of inner) {
		if (character === '<' || character === '(') depth += 1;
		if (character === '>' || character === ')') depth -= 1;
		if (character === ',' && depth === 0) parts.push('');
		else parts.push(`${parts.pop() ?? ''}${character}`);
	}
	return parts;
}

function quoted(name: string): string {
	return `"${name.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
	return `'${text.replaceAll("'", "''")}'`;
}
