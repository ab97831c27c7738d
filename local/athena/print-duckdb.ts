/**
 * Prints a resolved query for DuckDB, so that its result is what Trino gives for the same data, or refuses.
 *
 * Works from the types: DuckDB divides, rounds, concatenates and converts otherwise than Trino. What has no equal text is
 * refused as `unsupported` with "runs on Athena only"; what Trino refuses for its types is `validation`. The text depends
 * on no setting of the DuckDB connection. Names are printed as core does: `"database"."table"` inside a sub-query.
 * Doubles that are NaN compare otherwise in DuckDB (equal to themselves, above all others): no text avoids that.
 */
import { BrokerError } from '#core/error.ts';
import {
	type Dialect,
	type Expression,
	type Print,
	printResolved,
	type Resolved,
	stringText,
	unreachable,
} from '#core/sql.ts';
import { castText } from './print-duckdb/cast.ts';
import { extractText, functionText } from './print-duckdb/functions.ts';
import { quotient, remainder } from './print-duckdb/number.ts';
import { athenaOnly, coerced, type Type, typeText } from './print-duckdb/types.ts';
import { arithmeticType, checkClauses, meet, type TypeOf, typing } from './print-duckdb/typing.ts';

/** Some forms repeat an operand; a text that grows beyond this is refused. */
const maxLength = 2_000_000;
/** All texts on the way to it, those inside others too: the whole is refused before it fills the memory. */
const maxWork = 8 * maxLength;

export function printDuckDB(resolved: Resolved): string {
	const typeOf = typing(resolved);
	checkClauses(resolved, typeOf);
	let work = 0;
	const dialect: Dialect = {
		expression: (e, print) => {
			const text = expressionText(e, print, typeOf);
			work += text?.length ?? 0;
			if (work > maxWork) throw tooLarge();
			return text === null ? null : bounded(text);
		},
	};
	return bounded(printResolved(resolved, dialect));
}

function bounded(text: string): string {
	if (text.length > maxLength) throw tooLarge();
	return text;
}

function tooLarge(): BrokerError {
	return new BrokerError('too-large', 'The query is too large.', { line: 1, column: 1 });
}

function expressionText(e: Expression, print: Print, typeOf: TypeOf): string | null {
	const type = typeOf(e);
	const as = (part: Expression, to: Type) => coerced(print.expression(part), typeOf(part), to);
	switch (e.kind) {
		case 'integer':
			return `CAST(${e.value} AS ${typeText(type)})`;
		case 'decimal':
			return `CAST(${e.text} AS ${typeText(type)})`;
		case 'timestamp':
			if (/\.[0-9]{7,}$/.test(e.value)) throw athenaOnly(e.at, 'timestamps finer than microseconds');
			return null;
		case 'interval':
			return `INTERVAL ${stringText((e.negative ? '-' : '') + e.value)} ${e.unit.toUpperCase()}`;
		case 'compare': {
			const both = meet(e, [typeOf(e.left), typeOf(e.right)]);
			return `(${as(e.left, both)} ${e.operator} ${as(e.right, both)})`;
		}
		case 'distinct-from': {
			const both = meet(e, [typeOf(e.left), typeOf(e.right)]);
			return `(${as(e.left, both)} IS ${e.negated ? 'NOT ' : ''}DISTINCT FROM ${as(e.right, both)})`;
		}
		case 'between': {
			const all = meet(e, [typeOf(e.operand), typeOf(e.low), typeOf(e.high)]);
			const range = `${as(e.low, all)} AND ${as(e.high, all)}`;
			return `(${as(e.operand, all)} ${e.negated ? 'NOT ' : ''}BETWEEN ${range})`;
		}
		case 'in-list': {
			const all = meet(e, [e.operand, ...e.items].map(typeOf));
			const items = e.items.map((item) => as(item, all)).join(', ');
			return `(${as(e.operand, all)} ${e.negated ? 'NOT ' : ''}IN (${items}))`;
		}
		case 'like':
			return likeText(e);
		case 'arithmetic':
			return arithmeticText(e, print, typeOf);
		case 'case':
			return caseText(e, type, print, typeOf);
		case 'cast':
			return castText(e, typeOf(e.operand), print.expression(e.operand));
		case 'extract':
			return extractText(e, typeOf(e.operand), print.expression(e.operand));
		case 'call':
			return functionText(e, e.arguments.map(typeOf), e.arguments.map(print.expression));
		case 'column':
		case 'and':
		case 'or':
		case 'not':
		case 'negate':
		case 'concat':
		case 'exists':
		case 'in-query':
		case 'is-null':
		case 'scalar-query':
		case 'double':
		case 'string':
		case 'boolean':
		case 'null':
		case 'date':
			return null;
	}
	return unreachable(e);
}

/** Trino ends the query at an escape before anything but %, _ and itself; DuckDB does not. */
function likeText({ pattern, escape }: Extract<Expression, { kind: 'like' }>): null {
	if (escape === null) return null;
	if (pattern.kind !== 'string' || escape.kind !== 'string' || !/^.$/su.test(escape.value)) {
		throw athenaOnly(escape.at, 'LIKE with an ESCAPE that is computed');
	}
	const rest = pattern.value.split(escape.value + escape.value).join('');
	const strange = rest
		.split(escape.value)
		.slice(1)
		.some((after) => !/^[%_]/.test(after));
	if (strange) throw athenaOnly(escape.at, 'an escape before an ordinary character');
	return null;
}

function arithmeticText(e: Extract<Expression, { kind: 'arithmetic' }>, print: Print, typeOf: TypeOf): string {
	let type = typeOf(e.first);
	let text = print.expression(e.first);
	for (const { operator, operand } of e.rest) {
		const right = typeOf(operand);
		const result = arithmeticType(operand, operator, type, right);
		text = step(operator, { text, type }, { text: print.expression(operand), type: right }, operand, result);
		type = result;
	}
	return text;
}

type Operand = { readonly text: string; readonly type: Type };

function step(operator: string, left: Operand, right: Operand, e: Expression, result: Type): string {
	if (result.kind === 'date' || result.kind === 'timestamp') {
		return `CAST((${left.text} ${operator} ${right.text}) AS ${typeText(result)})`;
	}
	// Decimals keep their own scales; DuckDB's rules for them are Trino's.
	if (result.kind === 'decimal') return `(${left.text} ${operator} ${right.text})`;
	const [a, b] = [coerced(left.text, left.type, result), coerced(right.text, right.type, result)];
	if (operator === '/') return quotient(a, b, result, e);
	return operator === '%' ? remainder(a, b, result, e) : `(${a} ${operator} ${b})`;
}

function caseText(e: Extract<Expression, { kind: 'case' }>, type: Type, print: Print, typeOf: TypeOf): string {
	const value = (part: Expression) => coerced(print.expression(part), typeOf(part), type);
	const { operand } = e;
	const branches = e.branches.map(({ when, value: then }) => {
		const condition = operand === null ? print.expression(when) : equality(operand, when, print, typeOf);
		return `WHEN ${condition} THEN ${value(then)}`;
	});
	return `(CASE ${branches.join(' ')}${e.otherwise === null ? '' : ` ELSE ${value(e.otherwise)}`} END)`;
}

function equality(left: Expression, right: Expression, print: Print, typeOf: TypeOf): string {
	const both = meet(right, [typeOf(left), typeOf(right)]);
	const [a, b] = [left, right].map((side) => coerced(print.expression(side), typeOf(side), both));
	return `(${a} = ${b})`;
}
