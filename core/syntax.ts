/**
 * A text of SQL to the closed tree of core/sql.ts, or a refusal with `line` and `column`: `sql-syntax` for a text that
 * is no SQL, `unsupported` for SQL that is not read here, `validation` for SQL that Trino would refuse, `too-large`.
 *
 * Parsed with the generated Trino grammar of dt-sql-parser, used as a parser only; nothing else in core imports it. The
 * calls are synchronous and bounded, but may take long for a hostile text: run them in a worker with a deadline. Nothing
 * is stored, so a crash leaves nothing.
 */
export { parseExpression, parseQuery } from './syntax/build.ts';
export { warm } from './syntax/warm.ts';
