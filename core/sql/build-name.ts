/** Names and types of the parse tree to parts of the closed tree. Names fold to lower case, quoted ones too. */
import {
	type ColumnNameContext,
	type ColumnRefContext,
	DateTimeTypeContext,
	DoublePrecisionTypeContext,
	GenericTypeContext,
	type IdentifierContext,
	type QualifiedNameContext,
	QuotedIdentifierContext,
	type TableRefContext,
	type TypeContext,
	type TypeParameterContext,
	UnquotedIdentifierContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import type { ColumnReference, Identifier, TableName, TypeName } from './ast.ts';
import { type Claims, claim, notRead, positionOf } from './claims.ts';
import { refusal, unsupported } from './refuse.ts';

/** Athena's name of the account's Glue Data Catalog. */
const ownCatalog = 'awsdatacatalog';

export function identifier(claims: Claims, context: IdentifierContext): Identifier {
	claim(claims, context);
	const at = positionOf(context);
	const written = context.getText();
	if (context instanceof UnquotedIdentifierContext) {
		claim(claims, context.nonReserved());
		return { text: written.toLowerCase(), at };
	}
	if (!(context instanceof QuotedIdentifierContext)) {
		throw unsupported(at, 'Write a name that is not a plain word in double quotes.');
	}
	const text = written.slice(1, -1).replaceAll('""', '"').toLowerCase();
	if (text === '') throw refusal('sql-syntax', at, 'A quoted name cannot be empty.');
	if (text.includes('\0')) throw unsupported(at, 'A name cannot hold a NUL character.');
	return { text, at };
}

export function qualifiedName(claims: Claims, context: QualifiedNameContext): readonly Identifier[] {
	claim(claims, context);
	return context.identifier().map((part) => identifier(claims, part));
}

/** A column as the grammar writes it in expressions, sort items, select items and join conditions. */
export function columnReference(claims: Claims, context: ColumnNameContext | ColumnRefContext): ColumnReference {
	claim(claims, context);
	const name = context.qualifiedName();
	if (name === null) throw notRead(context);
	const parts = qualifiedName(claims, name);
	const at = positionOf(context);
	if (parts.length > 4) throw unsupported(at, 'A column has at most four name parts.');
	if (parts.some((part) => part.text.startsWith('$'))) throw unsupported(at, 'Hidden columns cannot be read.');
	return { kind: 'column', parts: parts.map((part) => part.text), at };
}

export function tableName(claims: Claims, context: TableRefContext): TableName {
	claim(claims, context);
	const at = positionOf(context);
	const [table, database = null, catalog = null, ...more] = context
		.identifier()
		.map((part) => identifier(claims, part).text)
		.toReversed();
	if (table === undefined || more.length > 0) throw unsupported(at, 'A table has at most three name parts.');
	if (catalog !== null && catalog !== ownCatalog) throw unsupported(at, 'Only the AWS Glue Data Catalog can be read.');
	if (database === 'information_schema') throw unsupported(at, 'The information schema cannot be read.');
	if (table.includes('$')) throw unsupported(at, 'Metadata tables cannot be read.');
	return { catalog, database, table };
}

/** Types of CAST, with how many parameters each takes. */
const types: ReadonlyMap<string, number> = new Map([
	['boolean', 0],
	['tinyint', 0],
	['smallint', 0],
	['integer', 0],
	['bigint', 0],
	['real', 0],
	['double', 0],
	['decimal', 2],
	['varchar', 1],
	['char', 1],
	['date', 0],
	['timestamp', 1],
]);

export function typeName(claims: Claims, context: TypeContext): TypeName {
	claim(claims, context);
	if (context instanceof DoublePrecisionTypeContext) return { name: 'double', parameters: [] };
	if (context instanceof DateTimeTypeContext) return timestampType(claims, context);
	if (!(context instanceof GenericTypeContext)) throw notRead(context);
	const { text, at } = identifier(claims, context.identifier());
	const name = text === 'int' ? 'integer' : text;
	const most = types.get(name);
	if (most === undefined || name === 'timestamp') throw unsupported(at, `The type ${text} is not supported.`);
	const parameters = context.typeParameter().map((parameter) => typeParameter(claims, parameter));
	if (parameters.length > most) throw refusal('validation', at, `The type ${name} has at most ${most} parameters.`);
	return { name, parameters };
}

function timestampType(claims: Claims, context: DateTimeTypeContext): TypeName {
	if (context.KW_WITH() !== null)
		throw unsupported(positionOf(context), 'Timestamps with a time zone are not supported.');
	const precision = context.typeParameter();
	return { name: 'timestamp', parameters: precision === null ? [] : [typeParameter(claims, precision)] };
}

function typeParameter(claims: Claims, context: TypeParameterContext): number {
	claim(claims, context);
	const digits = context.INTEGER_VALUE()?.getText();
	if (digits === undefined || !/^[0-9]{1,9}$/.test(digits)) throw notRead(context);
	return Number(digits);
}
