/**
 * CAST and TRY_CAST with Trino's results (https://trino.io/docs/current/functions/conversion.html). DuckDB reads text more
 * generously than Trino and rounds halves of doubles to even; texts outside the plain form end the query, so that nothing
 * is read differently here and there.
 */
import type { Expression, TypeName } from '#core/sql.ts';
import { athenaOnly, isInteger, isNumeric, mismatch, named, type Type, typeText } from './types.ts';

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
	['timestamp', ['[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,3})?', '.*[0-9].*']],
] satisfies [Type['kind'], [string, string]][]);

function target(e: Cast): Type {
	const { name, parameters }: TypeName = e.type;
	const [first, second = 0] = parameters;
	if (name === 'decimal') {
		const precision = first ?? 38;
		if (precision < 1 || precision > 38 || second > precision) throw mismatch(e.at, 'There is no such decimal type.');
		return { kind: 'decimal', precision, scale: second };
	}
	if (name === 'timestamp' && (first ?? 3) !== 3) throw athenaOnly(e.at, 'timestamps of another precision than 3');
	if (name === 'char' || name === 'real') throw athenaOnly(e.at, `CAST to ${name}`);
	return { kind: name } as Type;
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
	if (to.kind === 'varchar') return isInteger(from) || ['boolean', 'date', 'decimal'].includes(from.kind);
	if (to.kind === 'decimal') return isInteger(from) || from.kind === 'decimal';
	if (isNumeric(from) || from.kind === 'boolean') {
		return (
			isInteger(to) || to.kind === 'double' || (to.kind === 'boolean' && (isInteger(from) || from.kind === 'boolean'))
		);
	}
	if (from.kind === 'date' || from.kind === 'timestamp') return to.kind === 'date' || to.kind === 'timestamp';
	return false;
}

export function castText(e: Cast, from: Type, text: string): string {
	const to = target(e);
	const word = e.safe ? 'TRY_CAST' : 'CAST';
	const [length] = e.type.name === 'varchar' ? e.type.parameters : [];
	if (length !== undefined) return `left(CAST(${text} AS VARCHAR), ${length})`;
	if (from.kind === 'varchar' && to.kind !== 'varchar') return fromText(e, to, text, word);
	const halves = isInteger(to) && (from.kind === 'double' || from.kind === 'real');
	return `${word}(${halves ? `round(${text})` : text} AS ${typeText(to)})`;
}

function fromText(e: Cast, to: Type, text: string, word: string): string {
	const [plain, any] = forms.get(to.kind) ?? [];
	if (plain === undefined || any === undefined) throw athenaOnly(e.at, `CAST of varchar to ${named(to)}`);
	const matches = (pattern: string) => `regexp_full_match(${text}, '${pattern}', 's')`;
	const other = e.safe ? `WHEN NOT ${matches(any)} THEN NULL ` : '';
	return (
		`(CASE WHEN ${text} IS NULL THEN NULL WHEN ${matches(plain)} THEN ${word}(${text} AS ${typeText(to)}) ` +
		`${other}ELSE error('this text is not read alike as ${named(to)}') END)`
	);
}
