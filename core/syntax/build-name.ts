/** Names of the parse tree to parts of the closed tree. They fold to lower case, quoted ones too. */
import {
	type ColumnAliasesContext,
	type ColumnNameContext,
	type IdentifierContext,
	type QualifiedNameContext,
	QuotedIdentifierContext,
	type TableRefContext,
	UnquotedIdentifierContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { bounds, type ColumnReference, type Identifier, type TableName, tooLarge, unsupported } from '../sql.ts';
import { type Claims, claim, claimName, notRead, notSql, positionOf } from './claims.ts';

/** Athena's name of the account's Glue Data Catalog. */
const ownCatalog = 'awsdatacatalog';

export function identifier(claims: Claims, context: IdentifierContext): Identifier {
	claim(claims, context);
	claimName(claims, context);
	const at = positionOf(context);
	const written = context.getText();
	if (context instanceof UnquotedIdentifierContext) {
		claim(claims, context.nonReserved());
		return { text: written.toLowerCase(), at };
	}
	if (!(context instanceof QuotedIdentifierContext)) throw notRead(context);
	const text = unquoted(written).toLowerCase();
	if (text === '') throw notSql(at, 'A quoted name cannot be empty.');
	if (text.includes('\0')) throw unsupported(at, 'A name cannot hold a NUL character.');
	if (isFoldedOtherwise(text)) throw unsupported(at, 'A name with a letter that has two small forms cannot be read.');
	return { text, at };
}

export function unquoted(written: string): string {
	return written.slice(1, -1).replaceAll('""', '"');
}

/** Trino compares names letter by letter, upper case first: for it ı is i, and ς is σ. */
function isFoldedOtherwise(text: string): boolean {
	return Array.from(text).some((letter) => {
		const upper = letter.toUpperCase();
		return Array.from(upper).length === 1 && upper.toLowerCase() !== letter;
	});
}

export function identifiers(claims: Claims, contexts: readonly IdentifierContext[]): readonly Identifier[] {
	return contexts.map((context) => identifier(claims, context));
}

export function columnAliases(claims: Claims, context: ColumnAliasesContext | null): readonly Identifier[] | null {
	claim(claims, context);
	return context === null ? null : identifiers(claims, context.identifier());
}

export function qualifiedName(claims: Claims, context: QualifiedNameContext): readonly Identifier[] {
	claim(claims, context);
	return identifiers(claims, context.identifier());
}

export function columnReference(claims: Claims, context: ColumnNameContext): ColumnReference {
	claim(claims, context);
	return columnOf(qualifiedName(claims, context.qualifiedName()));
}

export function columnOf(parts: readonly Identifier[]): ColumnReference {
	const [first] = parts;
	const at = first?.at ?? { line: 1, column: 1 };
	if (parts.length > bounds.nameParts) {
		throw tooLarge(at, `A column with its fields may have at most ${bounds.nameParts} name parts.`);
	}
	return { kind: 'column', parts: parts.map((part) => visible(part).text), at };
}

/** A name that may stand where a column is read: Athena's hidden columns, such as "$path", have none of a table's own. */
export function visible(name: Identifier): Identifier {
	if (name.text.startsWith('$')) {
		throw unsupported(name.at, 'Hidden columns cannot be read. Leave out names that begin with a dollar sign.');
	}
	return name;
}

export function tableName(claims: Claims, context: TableRefContext): TableName {
	claim(claims, context);
	const at = positionOf(context);
	const parts = identifiers(claims, context.identifier()).map(({ text }) => text);
	const [table, database = null, catalog = null, ...more] = parts.toReversed();
	if (table === undefined || more.length > 0) throw unsupported(at, 'A table has at most three name parts.');
	if (catalog !== null && catalog !== ownCatalog) {
		throw unsupported(at, `Only the catalog ${ownCatalog} can be read. Leave out the name of the catalog.`);
	}
	if (database === 'information_schema') {
		throw unsupported(at, "The information schema cannot be read. Fairlead's own catalog lists tables and columns.");
	}
	if (table.includes('$')) throw unsupported(at, 'Metadata tables cannot be read. Name the table itself.');
	return { catalog, database, table };
}
