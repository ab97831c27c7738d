/** Types of CAST to names and parameters: https://trino.io/docs/current/language/types.html */
import {
	ArrayTypeContext,
	DateTimeTypeContext,
	DoublePrecisionTypeContext,
	GenericTypeContext,
	IntervalTypeContext,
	LegacyArrayTypeContext,
	LegacyMapTypeContext,
	QuotedIdentifierContext,
	type RowFieldContext,
	RowTypeContext,
	TimeTypeContext,
	type TypeContext,
	type TypeParameterContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { type Position, refusal, type TypeName, unsupported } from '../sql.ts';
import { identifier, unquoted } from './build-name.ts';
import { type Claims, claim, notRead, positionOf } from './claims.ts';

/** With the largest value of each parameter they take. */
const plainTypes: ReadonlyMap<string, readonly number[]> = new Map<string, readonly number[]>([
	['boolean', []],
	['tinyint', []],
	['smallint', []],
	['integer', []],
	['bigint', []],
	['real', []],
	['double', []],
	['decimal', [38, 38]],
	['varchar', [2_147_483_646]],
	['char', [65_536]],
	['varbinary', []],
	['json', []],
	['date', []],
	['uuid', []],
	['ipaddress', []],
]);

/** Other words for the same, which are printed as Trino's own: of the SQL standard, and of Athena's DDL. */
const synonyms: ReadonlyMap<string, string> = new Map([
	['int', 'integer'],
	['dec', 'decimal'],
	['numeric', 'decimal'],
	['string', 'varchar'],
]);

/** Words of other systems that mean nearly the same, and Trino's own word. */
const otherNames: ReadonlyMap<string, string> = new Map([
	['text', 'varchar'],
	['float', 'real'],
	['number', 'decimal'],
	['binary', 'varbinary'],
	['datetime', 'timestamp'],
	['struct', 'row'],
]);

const maxFraction = 12;

export function typeName(claims: Claims, context: TypeContext): TypeName {
	claim(claims, context);
	if (context instanceof GenericTypeContext) return generic(claims, context);
	if (context instanceof DoublePrecisionTypeContext) return plain('double');
	if (context instanceof DateTimeTypeContext) return timeType(claims, context, 'timestamp');
	if (context instanceof TimeTypeContext) return timeType(claims, context, 'time');
	if (context instanceof RowTypeContext) {
		return { ...plain('row'), of: context.rowField().map((field) => rowField(claims, field)) };
	}
	if (context instanceof ArrayTypeContext) {
		if (context.INTEGER_VALUE() !== null) {
			throw unsupported(positionOf(context), 'An array type has no length. Leave out the number in brackets.');
		}
		return container('array', [typeName(claims, context.type())]);
	}
	if (context instanceof LegacyArrayTypeContext) return container('array', [typeName(claims, context.type())]);
	if (context instanceof LegacyMapTypeContext) {
		return container(
			'map',
			context.type_().map((part) => typeName(claims, part)),
		);
	}
	if (context instanceof IntervalTypeContext) return intervalType(claims, context);
	throw notRead(context);
}

function plain(name: string, parameters: readonly number[] = []): TypeName {
	return { name, parameters, of: [] };
}

function container(name: 'array' | 'map', types: readonly TypeName[]): TypeName {
	return { name, parameters: [], of: types.map((type) => ({ name: null, type })) };
}

function generic(claims: Claims, context: GenericTypeContext): TypeName {
	const { text, at } = identifier(claims, context.identifier());
	const parameters = context.typeParameter();
	if (text === 'array' || text === 'map') {
		const types = parameters.map((parameter) => elementType(claims, parameter));
		const wanted = text === 'array' ? 1 : 2;
		if (types.length !== wanted) throw refusal('validation', at, `The type ${text} has ${wanted} parameters.`);
		return container(text, types);
	}
	const name = synonyms.get(text) ?? text;
	const largest = plainTypes.get(name);
	if (largest === undefined) {
		const other = otherNames.get(text);
		const advice = other === undefined ? '' : ` Write ${other}.`;
		throw unsupported(at, `The type ${text} is not supported.${advice}`);
	}
	const numbers = parameters.map((parameter) => numericParameter(claims, parameter));
	demandBounds(name, numbers, largest, at);
	return plain(name, numbers);
}

function demandBounds(name: string, numbers: readonly number[], largest: readonly number[], at: Position): void {
	if (numbers.length > largest.length) {
		throw refusal('validation', at, `The type ${name} has at most ${largest.length} parameters.`);
	}
	const [precision, scale = 0] = numbers;
	const fits = numbers.every((value, index) => value <= (largest[index] ?? 0));
	if (!fits || (name === 'decimal' && precision !== undefined && (precision < 1 || scale > precision))) {
		throw refusal('validation', at, `A parameter of the type ${name} is out of range.`);
	}
}

function elementType(claims: Claims, context: TypeParameterContext): TypeName {
	claim(claims, context);
	const type = context.type();
	if (type === null) throw refusal('validation', positionOf(context), 'A type is wanted here, not a number.');
	return typeName(claims, type);
}

function numericParameter(claims: Claims, context: TypeParameterContext): number {
	claim(claims, context);
	const digits = context.INTEGER_VALUE()?.getText();
	if (digits === undefined || !/^[0-9]{1,10}$/.test(digits)) {
		throw refusal('validation', positionOf(context), 'A whole number is wanted here.');
	}
	return Number(digits);
}

function timeType(
	claims: Claims,
	context: DateTimeTypeContext | TimeTypeContext,
	base: 'time' | 'timestamp',
): TypeName {
	const precision = context.typeParameter();
	const parameters = precision === null ? [] : [numericParameter(claims, precision)];
	demandBounds(base, parameters, [maxFraction], positionOf(context));
	return plain(context.KW_WITH() === null ? base : `${base} with time zone`, parameters);
}

function intervalType(claims: Claims, context: IntervalTypeContext): TypeName {
	const fields = context.intervalField();
	claim(claims, ...fields);
	const name = `interval ${fields.map((field) => field.getText().toLowerCase()).join(' to ')}`;
	if (name === 'interval year to month' || name === 'interval day to second') return plain(name);
	throw unsupported(positionOf(context), 'Write INTERVAL YEAR TO MONTH or INTERVAL DAY TO SECOND.');
}

function rowField(claims: Claims, context: RowFieldContext): TypeName['of'][number] {
	claim(claims, context);
	const named = context.identifier();
	const folded = named === null ? null : identifier(claims, named).text;
	// A field's name is data where a row becomes JSON: Trino keeps a quoted one as it is written.
	const name = named instanceof QuotedIdentifierContext ? unquoted(named.getText()) : folded;
	return { name, type: typeName(claims, context.type()) };
}
