/**
 * What kind of statement a text is, as Athena tells it in GetQueryExecution and in events: by its first words, comments
 * left out. Only queries run here; the others are named so that their failure is told as AWS tells it. EXPLAIN and CTAS
 * as measured, which is otherwise than the API reference says (aws-facts section 3, "API details").
 */
export type Statement = { readonly type: 'DML' | 'DDL' | 'UTILITY'; readonly subtype?: string };

const QUERY: Statement = { type: 'DML', subtype: 'SELECT' };
const UTILITIES: ReadonlySet<string> = new Set(['SHOW', 'DESCRIBE', 'DESC']);
const DML: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE', 'UNLOAD', 'EXPLAIN']);
const QUERIES: ReadonlySet<string> = new Set(['SELECT', 'WITH', 'VALUES', 'TABLE']);

export function statementOf(text: string): Statement {
	const words = text
		.replace(/\/\*[\s\S]*?\*\/|--[^\n]*/g, ' ')
		.toUpperCase()
		.split(/[^A-Z_]+/)
		.filter((word) => word !== '');
	const [first = '', second = ''] = words;
	if (QUERIES.has(first)) return QUERY;
	if (first === 'CREATE' && second === 'TABLE' && words.includes('AS'))
		return { type: 'DDL', subtype: 'CREATE_TABLE_AS_SELECT' };
	if (first === 'DESC' || first === 'DESCRIBE') return { type: 'UTILITY', subtype: 'DESCRIBE_TABLE' };
	if (UTILITIES.has(first)) return { type: 'UTILITY', subtype: `SHOW_${second}` };
	if (DML.has(first)) return { type: 'DML', subtype: first };
	return { type: 'DDL' };
}
