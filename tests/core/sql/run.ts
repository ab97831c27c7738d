/** Runs texts over the tables of the tests, and compares what came of them. */
import { type Resolved, resolve } from '#core/sql.ts';
import { parseQuery } from '#core/syntax.ts';
import { factsOf } from './fixture.ts';
import { lookup } from './tables.ts';

export function run(sql: string): Resolved {
	return resolve(parseQuery(sql), lookup);
}

/** Without what a printed text changes: names that were given, and what its sub-queries read besides. */
export function meaning(resolved: Resolved): unknown {
	const { tables, outputs, rows } = factsOf(resolved);
	return { tables, outputs: outputs.map(([, ...rest]) => rest), rows };
}

export function columnsRead(resolved: Resolved): readonly string[] {
	return Object.keys(factsOf(resolved).reads);
}

/** A printed text with the tables themselves in the place of their sub-queries. */
export function plainTables(text: string): string {
	return text.replaceAll(/\(SELECT (?:"(?:[^"]|"")+"(?:, )?)+ FROM ("\w+"\."\w+")\) AS/g, '$1 AS');
}
