/**
 * Prints a resolved query for DuckDB, so that its result is what Trino gives for the same data, or refuses.
 *
 * Works from the types: DuckDB divides, rounds, concatenates and converts otherwise than Trino. What has no equal text is
 * refused as `unsupported` with "runs on Athena only"; what Trino refuses for its types is `validation`. The text depends
 * on no setting of the DuckDB connection. Names are printed as core does: `"database"."table"` inside a sub-query.
 * A NaN that would be compared ends the query, since DuckDB takes it for equal to itself (print-duckdb/double.ts).
 */
import { BrokerError } from '#core/error.ts';
import { type Expression, itemsOf, printResolved, type QueryBody, type Resolved } from '#core/sql.ts';
import { bodiesOf, bodyText, convertedText } from './print-duckdb/body.ts';
import { checkClauses } from './print-duckdb/clauses.ts';
import { conversions } from './print-duckdb/conversion.ts';
import { expressionText } from './print-duckdb/expression.ts';
import { unnestText } from './print-duckdb/source.ts';
import { type Typing, typing } from './print-duckdb/typing.ts';

/** Some forms repeat an operand; a text that grows beyond this is refused. */
const maxLength = 2_000_000;
/** All texts on the way to it, those inside others too: the whole is refused before it fills the memory. */
const maxWork = 8 * maxLength;

export function printDuckDB(resolved: Resolved): string {
	const types = typing(resolved);
	checkClauses(resolved, types);
	const bodies = bodiesOf(resolved, conversions(resolved, types));
	const unknown = unknownOutputs(resolved, resolved.query.body, types);
	const count = counter();
	/** Those whose text is being written, to be put into another. */
	const inside = new Set<QueryBody>();
	return bounded(
		printResolved(resolved, {
			expression: (e, print) => count(expressionText(e, { resolved, types, print })),
			item: ({ expression }, print) => {
				const text = convertedText(expression, bodies, { resolved, types, print });
				return unknown.has(expression) ? `CAST(${text} AS ${unknownText})` : text;
			},
			body: (body, print) => {
				if (body.kind !== 'select' || !bodies.windowed.has(body))
					return count(bodyText(body, bodies, { resolved, types, print }));
				if (inside.has(body)) return null;
				inside.add(body);
				const text = print.body(body);
				inside.delete(body);
				return `SELECT * FROM (${text}) AS "inner"`;
			},
			source: (source, print) =>
				source.kind === 'unnest' ? count(unnestText(source, { resolved, types, print })) : null,
		}),
	);
}

/** The type of a result that holds nothing but NULLs, and of no other; DuckDB alone would call it INTEGER. */
const unknownText = 'BIT';

function unknownOutputs(resolved: Resolved, body: QueryBody, types: Typing): ReadonlySet<Expression> {
	if (body.kind === 'query') return unknownOutputs(resolved, body.body, types);
	const outputs = body.kind === 'select' ? itemsOf(resolved, body).map(({ expression }) => expression) : [];
	return new Set(outputs.filter((e) => types.of(e).kind === 'null'));
}

/** Refuses when the texts it has seen are too much in all. */
function counter(): (text: string | null) => string | null {
	let work = 0;
	return (text) => {
		work += text?.length ?? 0;
		if (work > maxWork) throw tooLarge();
		return text === null ? null : bounded(text);
	};
}

function bounded(text: string): string {
	if (text.length > maxLength) throw tooLarge();
	return text;
}

function tooLarge(): BrokerError {
	return new BrokerError('too-large', 'The query is too large.', { line: 1, column: 1 });
}
