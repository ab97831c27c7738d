/** The first words of a text: whether it is a query at all, told before the grammar of other statements is entered. */
import type { CommonTokenStream, Token } from 'antlr4ng';
import { TrinoSqlLexer as Lexer } from 'dt-sql-parser/dist/lib/trino/TrinoSqlLexer.js';
import { TrinoSqlParser } from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { unsupported } from '../sql.ts';
import { parenthesis } from './brackets.ts';
import { tokenPosition } from './claims.ts';
import { reasons } from './reasons.ts';

const queries: ReadonlySet<number> = new Set([
	Lexer.KW_SELECT,
	Lexer.KW_WITH,
	Lexer.KW_VALUES,
	Lexer.KW_TABLE,
	parenthesis,
]);
const statements: ReadonlySet<number> = new Set(firstTokens(TrinoSqlParser.RULE_statement));
/** Statements of Athena that the grammar does not know: https://docs.aws.amazon.com/athena/latest/ug/ddl-sql-reference.html */
const others: ReadonlySet<string> = new Set(['unload', 'msck', 'optimize', 'vacuum']);

export function demandQuery(tokens: CommonTokenStream): void {
	const first = tokens.LT(1);
	if (first === null) return;
	demandNoFunction(tokens, first);
	const known = statements.has(first.type) || others.has((first.text ?? '').toLowerCase());
	if (known && !queries.has(first.type)) {
		throw unsupported(
			tokenPosition(first),
			'Only a query can be run: one SELECT, VALUES or TABLE, with WITH before it.',
		);
	}
}

/** WITH FUNCTION f() ..; WITH function AS (..) names a query. */
function demandNoFunction(tokens: CommonTokenStream, first: Token): void {
	if (first.type !== Lexer.KW_WITH || tokens.LA(2) !== Lexer.KW_FUNCTION) return;
	const third = tokens.LA(3);
	if (third !== Lexer.KW_AS && third !== parenthesis) throw unsupported(tokenPosition(first), reasons.withFunction);
}

/** The types of the tokens a rule of the grammar can begin with. */
export function firstTokens(rule: number): readonly number[] {
	const atn = TrinoSqlParser._ATN;
	const start = atn.ruleToStartState[rule];
	return start === undefined || start === null ? [] : atn.nextTokens(start).toArray();
}
