/** What a function needs to read SQL, to be bundled alone. */
export { printTrino, resolve } from '#core/sql.ts';
export { parseQuery } from '#core/syntax.ts';
