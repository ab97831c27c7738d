/**
 * Bounds on a text before the parser sees it: bytes, tokens, nesting, runs of prefix operators, and the parentheses and
 * lists around sub-queries, for each of which the grammar looks ahead a multiple further. They keep the stack and the
 * lookahead small; the work that is left grows with the number of tokens. Counted while lexing: a text is given up at
 * the token that goes too far.
 */
import { CharStreams, Token } from 'antlr4ng';
import { TrinoSqlLexer } from 'dt-sql-parser/dist/lib/trino/TrinoSqlLexer.js';
import { BrokerError } from '../error.ts';
import type { Position } from './ast.ts';
import { refusal, unsupported } from './refuse.ts';

/** Athena's own bound on a query string, https://docs.aws.amazon.com/athena/latest/ug/service-limits.html */
const maxBytes = 262_144;
const maxTokens = 10_000;
const maxNesting = 64;
const maxJoins = 128;
/** NOT NOT .., - - .., x -> y -> .., array<array<..: nesting without parentheses. */
const maxPrefixes = 64;

/** Sub-queries inside select and GROUP BY lists inside each other: the grammar looks ahead twice as far for each level. */
const maxListed = 3;
/** Parentheses directly before SELECT, a call's own aside: one of the sub-query, one of an operator or a join around it. */
const maxParentheses = 2;

const opening: ReadonlySet<number> = new Set([tokenOf('('), tokenOf('['), TrinoSqlLexer.KW_CASE]);
const closing: ReadonlySet<number> = new Set([tokenOf(')'), tokenOf(']'), TrinoSqlLexer.KW_END]);
const prefix: ReadonlySet<number> = new Set([TrinoSqlLexer.KW_NOT, TrinoSqlLexer.MINUS, TrinoSqlLexer.PLUS]);
const nesting: ReadonlySet<number> = new Set([tokenOf('->'), TrinoSqlLexer.KW_BEGIN, TrinoSqlLexer.KW_WITH]);
/** Reserved words after which a select list or a GROUP BY list is over. */
const afterList: ReadonlySet<number> = new Set([TrinoSqlLexer.KW_HAVING, TrinoSqlLexer.KW_ORDER]);
const parenthesis = tokenOf('(');
/** Before the parenthesis of a call or of IN. */
const called: ReadonlySet<number> = new Set([TrinoSqlLexer.IDENTIFIER, TrinoSqlLexer.KW_IN, TrinoSqlLexer.KW_EXISTS]);
const typed: ReadonlySet<number> = new Set([TrinoSqlLexer.KW_ARRAY, TrinoSqlLexer.KW_MAP]);

/** The type of a token the grammar names by its text only. */
function tokenOf(literal: string): number {
	return TrinoSqlLexer.literalNames.indexOf(`'${literal}'`);
}

/** What a text is read as; an expression alone needs no sub-query, and has none. */
export type Entry = 'query' | 'expression';

/** Half of a surrogate pair is no character: it would be stored and sent as another text than was checked. */
export function demandWellFormed(text: string): void {
	const index = text.search(/\p{Surrogate}/u);
	if (index < 0) return;
	const lines = text.slice(0, index).split('\n');
	const at = { line: lines.length, column: Array.from(lines.at(-1) ?? '').length + 1 };
	throw refusal('validation', at, 'The text is not well-formed Unicode.');
}

/** A lexer that refuses, with a position, once the text is larger or deeper than the bounds. */
export class GuardedLexer extends TrinoSqlLexer {
	#tokens = 0;
	/** One entry for each open bracket: whether a select list or a GROUP BY list is being written at its level. */
	readonly #levels: boolean[] = [false];
	readonly #entry: Entry;
	#previous = 0;
	#parentheses = 0;
	#run = 0;
	#prefixes = 0;
	#joins = 0;

	constructor(text: string, entry: Entry) {
		demandWellFormed(text);
		if (Buffer.byteLength(text) > maxBytes) {
			throw new BrokerError('too-large', `A query may have at most ${maxBytes} bytes.`, { line: 1, column: 1 });
		}
		super(CharStreams.fromString(text));
		this.#entry = entry;
	}

	override nextToken(): Token {
		const token = super.nextToken();
		if (token.channel === Token.DEFAULT_CHANNEL) this.#count(token);
		return token;
	}

	#count({ type, line, column }: Token): void {
		const at = { line, column: column + 1 };
		this.#tokens += 1;
		if (this.#tokens > maxTokens) throw refusal('too-large', at, `A query may have at most ${maxTokens} tokens.`);
		this.#run = prefix.has(type) ? this.#run + 1 : 0;
		if (nesting.has(type) || (type === TrinoSqlLexer.LT && typed.has(this.#previous))) this.#prefixes += 1;
		if (this.#run > maxPrefixes || this.#prefixes > maxPrefixes) {
			throw unsupported(at, `A query may have at most ${maxPrefixes} nested operators without parentheses.`);
		}
		this.#nest(type, at);
		if (type === TrinoSqlLexer.KW_JOIN) this.#joins += 1;
		if (this.#joins > maxJoins) throw unsupported(at, `A query may have at most ${maxJoins} joins.`);
	}

	#nest(type: number, at: Position): void {
		if (opening.has(type)) this.#levels.push(false);
		else if (closing.has(type) && this.#levels.length > 1) this.#levels.pop();
		if (this.#levels.length > maxNesting + 1) {
			throw unsupported(at, `A query may nest at most ${maxNesting} levels deep.`);
		}
		if (type === TrinoSqlLexer.KW_SELECT) this.#select(at);
		if (type === TrinoSqlLexer.KW_BY && this.#previous === TrinoSqlLexer.KW_GROUP) this.#list(true);
		// IS DISTINCT FROM does not end a select list.
		const from = type === TrinoSqlLexer.KW_FROM && this.#previous !== TrinoSqlLexer.KW_DISTINCT;
		if (from || afterList.has(type)) this.#list(false);
		this.#parentheses = type === parenthesis ? this.#parentheses + 1 : 0;
		// The parenthesis of a call is not counted, nor are those of other calls around it.
		if (type === parenthesis && called.has(this.#previous)) this.#parentheses = 0;
		this.#previous = type;
	}

	#select(at: Position): void {
		if (this.#entry === 'expression') throw unsupported(at, 'An expression alone cannot have a sub-query.');
		if (this.#parentheses > maxParentheses) throw unsupported(at, 'Write a sub-query in one pair of parentheses.');
		if (this.#levels.filter(Boolean).length > maxListed) {
			const detail = `Sub-queries in select lists and GROUP BY may nest at most ${maxListed} levels deep.`;
			throw unsupported(at, detail);
		}
		this.#list(true);
	}

	#list(open: boolean): void {
		this.#levels[this.#levels.length - 1] = open;
	}
}
