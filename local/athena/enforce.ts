/**
 * Lake Formation's rule for several grants on one table, in one place, as SQL that makes a table of exactly
 * the authorised cells:
 *   visible columns = the union of the grants' columns;
 *   a row is visible if the predicate of any grant is TRUE for it (NULL is not TRUE);
 *   a cell is visible if the predicate of a grant that has its column is TRUE, otherwise it is NULL.
 * With one grant no cell is ever NULLed. [unverified] AWS documents the union; the NULL cells are derived from it
 * (aws-facts: "Several filters on one principal = UNION"). Column filtering cannot be applied to partition keys: whoever
 * sees a column of the table sees its keys (Lake Formation developer guide, "data-filtering-notes").
 */
import { printRowFilter } from '#core/rowfilter.ts';
import { quoted } from '#core/sql.ts';
import { parseRowFilter } from '../rowfilter.ts';
import { type Column, isKey, type Source, scan } from './scan.ts';

export { type Column, duckType, type Format, type Partition, type Source } from './scan.ts';

/** One grant: these columns of the rows where the expression is TRUE; null means all rows. */
export type Grant = { readonly columns: readonly string[]; readonly expression: string | null };

/** The columns that the grants make visible, in table order. */
export function visibleColumns(source: Source, grants: readonly Grant[]): readonly Column[] {
	const granted = new Set(grants.flatMap((grant) => columnsOf(grant, source)));
	return source.columns.filter(({ name }) => granted.has(name));
}

/** Statements that make `database.table` of the authorised cells and nothing else. */
export function materialise(
	name: { database: string; table: string },
	source: Source,
	grants: readonly Grant[],
): string[] {
	const rules = grants.map((grant) => ({
		columns: new Set(columnsOf(grant, source)),
		predicate: predicateOf(grant, source),
	}));
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

/** What the grant opens: also the partition keys, which are not to be hidden, once it opens anything. */
function columnsOf({ columns }: Grant, source: Source): readonly string[] {
	return columns.length === 0 ? [] : [...columns, ...(source.partitionKeys ?? [])];
}

/** The filter is parsed again here, from Lake Formation's own text: what it cannot read it does not let through. */
function predicateOf(grant: Grant, source: Source): string | null {
	if (grant.expression === null) return null;
	const columns = source.columns.map(({ name, type }) => ({ name, type, partition: isKey(source, name) }));
	return printRowFilter(parseRowFilter(grant.expression, columns));
}

function any(rules: readonly { readonly predicate: string | null }[]): string {
	return rules.map((rule) => `(${rule.predicate})`).join(' OR ');
}
