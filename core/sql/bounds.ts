/**
 * How large a query may be, in one place. They keep the work, the stack and what one text stands for small, and are far
 * above what analysts write; docs/sql.md prints them. A refusal by one of them is `too-large` and names the number.
 */
export const bounds = {
	/** Athena's own bound on a query string: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html */
	bytes: 262_144,
	tokens: 10_000,
	/** Brackets and CASE inside each other. */
	nesting: 64,
	/** NOT NOT .., - - .., array array ..: nesting without brackets. */
	prefixes: 64,
	/** x -> y -> .., array<array<..: the same, counted in all of the text. */
	opened: 128,
	/** Parts of an expression inside each other: more than brackets need, and what chains of a[1][1].. are held by. */
	expressionDepth: 1000,
	joins: 128,
	/** UNION, INTERSECT and EXCEPT. */
	setOperations: 128,
	/** Tables and sub-queries in FROM, in all of a statement, however they are joined. */
	sources: 128,
	/** Catalog, database, table and column, and fields of the column's value below. */
	nameParts: 8,
	/** Columns of one select list: stars multiply, so that a list is refused before it is built. */
	items: 1000,
	/** Columns of all sources and select lists: stars and common tables multiply. */
	fields: 5000,
	/** Its lineage is solved in at most as many rounds as there are columns, for each kind. */
	recursiveColumns: 100,
	/** Views inside views. */
	viewDepth: 16,
	/** Tables and views in all, those inside views too; and what views read, each as often as the query reads it. */
	tables: 256,
	/** Definitions of views, each as often as the query reads it: about what one text of so many tokens has. */
	viewBytes: 40_000,
	/** Columns that a lineage names, over all outputs. */
	links: 10_000,
} as const;
