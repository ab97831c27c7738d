/**
 * Bounds on a text before the parser sees it: bytes, tokens, nesting and runs of prefix operators, so that no text costs
 * more than a fraction of a second or reaches the end of the stack. Counted while lexing: a text is given up at the
 * token that goes too far.
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

/** Sub-queries inside select lists inside each other: the grammar looks ahead twice as far for each level. */
const maxListed = 3;

const opening: ReadonlySet<number> = new Set([tokenOf('('), tokenOf('['), TrinoSqlLexer.KW_CASE]);
const closing: ReadonlySet<number> = new Set([tokenOf(')'), tokenOf(']'), TrinoSqlLexer.KW_END]);
const prefix: ReadonlySet<number> = new Set([TrinoSqlLexer.KW_NOT, TrinoSqlLexer.MINUS, TrinoSqlLexer.PLUS]);
const nesting: ReadonlySet<number> = new Set([tokenOf('->'), TrinoSqlLexer.KW_BEGIN, TrinoSqlLexer.KW_WITH]);
const typed: ReadonlySet<number> = new Set([TrinoSqlLexer.KW_ARRAY, TrinoSqlLexer.KW_MAP]);

/** The type of a token the grammar names by its text only. */
function tokenOf(literal: string): number {
	return TrinoSqlLexer.literalNames.indexOf(`'${literal}'`);
}

/** A lexer that refuses, with a position, once the text is larger or deeper than the bounds. */
export class GuardedLexer extends TrinoSqlLexer {
	#tokens = 0;
	/** One entry for each open bracket: whether a select list is being written at its level. */
	readonly #levels: boolean[] = [false];
	#previous = 0;
	#run = 0;
	#prefixes = 0;
	#joins = 0;

	constructor(text: string) {
		if (Buffer.byteLength(text) > maxBytes) {
			throw new BrokerError('too-large', `A query may have at most ${maxBytes} bytes.`, { line: 1, column: 1 });
		}
		super(CharStreams.fromString(text));
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
		if (type === TrinoSqlLexer.KW_SELECT) {
			if (this.#levels.filter(Boolean).length > maxListed) {
				throw unsupported(at, `Sub-queries in select lists may nest at most ${maxListed} levels deep.`);
			}
			this.#levels[this.#levels.length - 1] = true;
		}
		// IS DISTINCT FROM does not end a select list.
		if (type === TrinoSqlLexer.KW_FROM && this.#previous !== TrinoSqlLexer.KW_DISTINCT) {
			this.#levels[this.#levels.length - 1] = false;
		}
		this.#previous = type;
	}
}
