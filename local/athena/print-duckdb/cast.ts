/**
 * CAST and TRY_CAST with Trino's results (https://trino.io/docs/current/functions/conversion.html). DuckDB reads text more
 * generously than Trino and rounds halves of doubles to even; texts outside the plain form end the query, so that nothing
 * is read differently here and there.
 */
import { type Expression, type Position, quoted, type TypeName } from '#core/sql.ts';
import { asDouble, isInexact } from './double.ts';
import {
	athenaOnly,
	common,
	fieldName,
	holdsRow,
	isInteger,
	isNumeric,
	mismatch,
	named,
	sameType,
	type Type,
	typeOfName,
	typeText,
} from './types.ts';

type Cast = Extract<Expression, { kind: 'cast' }>;

/** What both engines read alike, and what either may read at all. */
const forms: ReadonlyMap<Type['kind'], readonly [string, string]> = new Map([
	['tinyint', ['[+-]?[0-9]+', '.*[0-9].*']],
	['smallint', ['[+-]?[0-9]+', '.*[0-9].*']],
	['integer', ['[+-]?[0-9]+', '.*[0-9].*']],
	['bigint', ['[+-]?[0-9]+', '.*[0-9].*']],
	['decimal', ['[+-]?[0-9]+(\\.[0-9]+)?', '.*[0-9].*']],
	['double', ['[+-]?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?', '.*([0-9]|[nN][aA][nN]|[iI]nf).*']],
	['boolean', ['true|false|TRUE|FALSE|True|False', '(?i) *(t|f|1|0|true|false) *']],
	['date', ['[0-9]{4}-[0-9]{2}-[0-9]{2}', '.*[0-9].*']],
	['timestamp', ['[0-9]{4}-[0-9]{2}-[0-9]{2} ([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(\\.[0-9]{1,3})?', '.*[0-9].*']],
] satisfies [Type['kind'], [string, string]][]);

function target(e: Cast): Type {
	const to = typeOfName(e.type);
	if (to === null || to.kind === 'real' || holdsSized(e.type)) throw athenaOnly(e.at, `CAST to ${e.type.name}`);
	if (to.kind === 'decimal' && (to.precision < 1 || to.precision > 38 || to.scale > to.precision)) {
		throw mismatch(e.at, 'There is no such decimal type.');
	}
	return to;
}

export function castType(e: Cast, from: Type): Type {
	const to = target(e);
	if (!allowed(from, to, e)) throw athenaOnly(e.at, `CAST of ${named(from)} to ${named(to)}`);
	return to;
}

function allowed(from: Type, to: Type, e: Cast): boolean {
	if (from.kind === 'null') return true;
	if (from.kind === 'varchar') return to.kind === 'varchar' || forms.has(to.kind);
	if (e.type.name === 'varchar' && e.type.parameters.length > 0) return false;
	if (to.kind === 'varchar') return isInteger(from) || ['boolean', 'date'].includes(from.kind) || hasShownZero(from);
	if (to.kind === 'decimal') return isInteger(from) || from.kind === 'decimal';
	if (isNumeric(from) || from.kind === 'boolean') {
		return (
			isInteger(to) || to.kind === 'double' || (to.kind === 'boolean' && (isInteger(from) || from.kind === 'boolean'))
		);
	}
	if (isMoment(from)) return isMoment(to) || (to.kind === 'time' && from.kind !== 'date');
	return allowedParts(from, to, e);
}

/** DuckDB writes 0.05 as .05 if there is no digit before the point in the type; it is cast to one more digit first. */
function hasShownZero(from: Type): boolean {
	return from.kind === 'decimal' && from.scale < 38;
}

/** Arrays and maps whose parts only become wider; rows field by field. */
function allowedParts(from: Type, to: Type, e: Cast): boolean {
	if (from.kind === 'row' && to.kind === 'row' && from.fields.length === to.fields.length && !e.safe) {
		return from.fields.every((field, index) => {
			const other = to.fields[index];
			return other !== undefined && (sameType(field.type, other.type) || allowed(field.type, other.type, e));
		});
	}
	if (from.kind !== to.kind || holdsRow(from) || holdsRow(to)) return sameType(from, to);
	const met = common(from, to);
	return met !== null && sameType(met, to) && !isInexact(from, to);
}

/** varchar(3) inside another type: its texts would have to be cut one by one. */
function holdsSized({ of }: TypeName): boolean {
	return of.some(({ type }) => (type.name === 'varchar' && type.parameters.length > 0) || holdsSized(type));
}

function isMoment({ kind }: Type): boolean {
	return kind === 'date' || kind === 'timestamp' || kind === 'timestamp-zone';
}

export function castText(e: Cast, from: Type, text: string): string {
	const to = target(e);
	const [length] = e.type.name === 'varchar' ? e.type.parameters : [];
	if (length !== undefined) return `left(CAST(${text} AS VARCHAR), ${length})`;
	return converted(text, from, to, e.safe, e.at);
}

function converted(text: string, from: Type, to: Type, safe: boolean, at: Position): string {
	const word = safe ? 'TRY_CAST' : 'CAST';
	if (sameType(from, to)) return text;
	if (from.kind === 'varchar') return fromText(text, to, safe, at);
	if (from.kind === 'row' && to.kind === 'row') {
		const fields = from.fields.map((field, index) => {
			const other = to.fields[index] ?? field;
			const value = converted(`(${text}).${quoted(fieldName(field, index))}`, field.type, other.type, safe, at);
			return `${quoted(fieldName(other, index))} := ${value}`;
		});
		return `(CASE WHEN ${text} IS NOT NULL THEN struct_pack(${fields.join(', ')}) END)`;
	}
	if (from.kind !== 'null' && isMoment(from) && isMoment(to)) return betweenMoments(text, from, to);
	if (from.kind === 'timestamp-zone') return `CAST((${text} AT TIME ZONE 'UTC') AS ${typeText(to)})`;
	if (from.kind === 'decimal' && to.kind === 'double') return asDouble(text, from);
	if (from.kind === 'decimal' && to.kind === 'varchar' && from.precision === from.scale) {
		const wider = typeText({ ...from, precision: from.precision + 1 });
		return `CAST(CAST(${text} AS ${wider}) AS VARCHAR)`;
	}
	const halves = isInteger(to) && (from.kind === 'double' || from.kind === 'real');
	return `${word}(${halves ? `round(${text})` : text} AS ${typeText(to)})`;
}

function betweenMoments(text: string, from: Type, to: Type): string {
	const shown = from.kind === 'timestamp-zone' ? `(${text} AT TIME ZONE 'UTC')` : text;
	if (to.kind === 'timestamp-zone') return `(CAST(${shown} AS TIMESTAMP) AT TIME ZONE 'UTC')`;
	return `CAST(${shown} AS ${typeText(to)})`;
}

function fromText(text: string, to: Type, safe: boolean, at: Position): string {
	const [plain, any] = forms.get(to.kind) ?? [];
	if (plain === undefined || any === undefined) throw athenaOnly(at, `CAST of varchar to ${named(to)}`);
	const matches = (pattern: string) => `regexp_full_match(${text}, '${pattern}', 's')`;
	const other = safe ? `WHEN NOT ${matches(any)} THEN NULL ` : '';
	return (
		`(CASE WHEN ${text} IS NULL THEN NULL WHEN ${matches(plain)} ` +
		`THEN ${safe ? 'TRY_CAST' : 'CAST'}(${text} AS ${typeText(to)}) ` +
		`${other}ELSE error('this text is not read alike as ${named(to)}') END)`
	);
}

/** A text as a date, as CAST reads it. */
export function dateForm(text: string): string {
	return fromText(text, { kind: 'date' }, false, { line: 1, column: 1 });
}
