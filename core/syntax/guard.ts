/**
 * Bounds on a text before the parser sees it: bytes, tokens, nesting, and runs that nest without brackets. They keep the
 * stack and the work small: what is left grows with the number of tokens. Parts of the grammar that look ahead over whole
 * expressions, and are never read, are refused here too. Counted while lexing: a text is given up at the token that goes
 * too far.
 */
import { CharStreams, Token } from 'antlr4ng';
import { TrinoSqlLexer as Lexer } from 'dt-sql-parser/dist/lib/trino/TrinoSqlLexer.js';
import { bounds, type Position, refusal, tooLarge, unsupported } from '../sql.ts';
import { parenthesis, tokenOf } from './brackets.ts';
import { reasons } from './reasons.ts';

const opening: ReadonlySet<number> = new Set([parenthesis, tokenOf('['), Lexer.KW_CASE]);
const closing: ReadonlySet<number> = new Set([tokenOf(')'), tokenOf(']'), Lexer.KW_END]);
const prefix: ReadonlySet<number> = new Set([Lexer.KW_NOT, Lexer.MINUS, Lexer.PLUS, Lexer.KW_ARRAY]);
const typed: ReadonlySet<number> = new Set([Lexer.KW_ARRAY, Lexer.KW_MAP]);
const setOperations: ReadonlySet<number> = new Set([Lexer.KW_UNION, Lexer.KW_INTERSECT, Lexer.KW_EXCEPT]);
const arrow = tokenOf('->');

/** Words that no query read here has, and those that it has not before a parenthesis. */
const neverRead: ReadonlyMap<number, string> = new Map([
	[Lexer.KW_JSON_ARRAY, reasons.jsonArray],
	[Lexer.KW_JSON_OBJECT, reasons.jsonObject],
	[Lexer.KW_JSON_TABLE, reasons.jsonTable],
]);
const neverCalled: ReadonlyMap<number, string> = new Map([
	[Lexer.KW_TABLE, reasons.tableFunction],
	[Lexer.KW_MATCH_RECOGNIZE, reasons.matchRecognize],
	[Lexer.KW_PATTERN, reasons.rowPattern],
]);

/** Half of a surrogate pair is no character: it would be stored and sent as another text than was checked. */
function demandWellFormed(text: string): void {
	const index = text.search(/\p{Surrogate}/u);
	if (index < 0) return;
	const lines = text.slice(0, index).split('\n');
	const at = { line: lines.length, column: Array.from(lines.at(-1) ?? '').length + 1 };
	throw refusal('validation', at, 'The text is not well-formed Unicode.');
}

/** A lexer that refuses, with a position, once the text is larger or deeper than the bounds. */
export class GuardedLexer extends Lexer {
	#tokens = 0;
	#depth = 0;
	#run = 0;
	#opened = 0;
	#joins = 0;
	#setOperations = 0;
	#previous = 0;
	#previousAt: Position = { line: 1, column: 1 };

	constructor(text: string) {
		if (Buffer.byteLength(text) > bounds.bytes) {
			throw tooLarge({ line: 1, column: 1 }, `A query may have at most ${bounds.bytes} bytes.`);
		}
		demandWellFormed(text);
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
		if (this.#tokens > bounds.tokens) throw tooLarge(at, `A query may have at most ${bounds.tokens} tokens.`);
		this.#nest(type, at);
		if (type === Lexer.KW_JOIN) this.#joins += 1;
		if (this.#joins > bounds.joins) throw tooLarge(at, `A query may have at most ${bounds.joins} joins.`);
		if (setOperations.has(type)) this.#setOperations += 1;
		if (this.#setOperations > bounds.setOperations) {
			throw tooLarge(at, `A query may have at most ${bounds.setOperations} UNION, INTERSECT and EXCEPT.`);
		}
		this.#refuse(type, at);
		this.#previous = type;
		this.#previousAt = at;
	}

	#nest(type: number, at: Position): void {
		if (opening.has(type)) this.#depth += 1;
		else if (closing.has(type) && this.#depth > 0) this.#depth -= 1;
		if (this.#depth > bounds.nesting) throw tooLarge(at, `A query may nest at most ${bounds.nesting} levels deep.`);
		this.#run = prefix.has(type) ? this.#run + 1 : 0;
		if (type === arrow || (type === Lexer.LT && typed.has(this.#previous))) this.#opened += 1;
		if (this.#run > bounds.prefixes) {
			throw tooLarge(at, `A query may have at most ${bounds.prefixes} signs, NOT or ARRAY after each other.`);
		}
		if (this.#opened > bounds.opened) {
			throw tooLarge(at, `A query may have at most ${bounds.opened} lambdas and types in angle brackets.`);
		}
	}

	#refuse(type: number, at: Position): void {
		const never = neverRead.get(type);
		if (never !== undefined) throw unsupported(at, never);
		const called = type === parenthesis ? neverCalled.get(this.#previous) : undefined;
		if (called !== undefined) throw unsupported(this.#previousAt, called);
	}
}
