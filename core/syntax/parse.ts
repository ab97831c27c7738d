/**
 * Text to parse tree by the generated Trino grammar, and nothing else of that package: its own analysis prints to the
 * console and goes on with broken trees. A text that has one error anywhere, or something after its end, has no tree.
 */
import { BaseErrorListener, CommonTokenStream, type ParserRuleContext, PredictionMode, Token } from 'antlr4ng';
import { TrinoSqlParser } from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { BrokerError } from '../error.ts';
import { bounds, type Position, refusal } from '../sql.ts';
import { outline } from './brackets.ts';
import { demandQuery } from './first.ts';
import { GuardedLexer } from './guard.ts';
import { guide } from './guide.ts';

/** Full LL decides exactly what SLL only guesses, but looks ahead again at each decision: for longer texts, too long. */
const maxFullTokens = 1500;

/** What a text is read as. */
type Entry = 'query' | 'expression';

/** Ends the reading at the first error: recovering from it would cost more than the text is worth. */
class FirstError extends BaseErrorListener {
	override syntaxError(_recognizer: unknown, _symbol: unknown, line: number, column: number): void {
		throw syntaxError({ line, column: column + 1 });
	}
}

/** Runs one entry rule over the whole text. `read` gets the tree only when it is complete and without error. */
export function parseWith<C extends ParserRuleContext, T>(
	text: string,
	entry: Entry,
	rule: (parser: TrinoSqlParser) => C,
	read: (tree: C) => T,
): T {
	const errors = new FirstError();
	const lexer = new GuardedLexer(text);
	lexer.removeErrorListeners();
	lexer.addErrorListener(errors);
	const tokens = new CommonTokenStream(lexer);
	tokens.fill();
	if (entry === 'query') demandQuery(tokens);
	const parser = new TrinoSqlParser(tokens);
	parser.removeErrorListeners();
	parser.addErrorListener(errors);
	guide(parser, outline(tokens.getTokens()));
	try {
		return read(treeOf(parser, tokens, rule));
	} catch (error) {
		if (!(error instanceof RangeError)) throw error;
		parser.interpreter.clearDFA();
		const sentence = `The query nests too deeply. Keep well under ${bounds.nesting} levels.`;
		throw new BrokerError('too-large', sentence, { line: 1, column: 1 }, { cause: error });
	}
}

/** SLL first; what it cannot read is read once more with full LL, and refused where the one that came further stops. */
function treeOf<C>(parser: TrinoSqlParser, tokens: CommonTokenStream, rule: (parser: TrinoSqlParser) => C): C {
	parser.interpreter.predictionMode = PredictionMode.SLL;
	try {
		return whole(parser, tokens, rule);
	} catch (error) {
		if (!(error instanceof BrokerError) || tokens.size > maxFullTokens) throw error;
		parser.reset();
		parser.interpreter.predictionMode = PredictionMode.LL;
		try {
			return whole(parser, tokens, rule);
		} catch (again) {
			throw again instanceof BrokerError && place(again) < place(error) ? error : again;
		}
	}
}

/** A number that grows along the text. */
function place({ extensions: { line, column } }: BrokerError): number {
	return Number(line) * bounds.bytes + Number(column);
}

function whole<C>(parser: TrinoSqlParser, tokens: CommonTokenStream, rule: (parser: TrinoSqlParser) => C): C {
	const tree = rule(parser);
	const next = tokens.LT(1);
	if (next?.type !== Token.EOF) throw syntaxError({ line: next?.line ?? 1, column: (next?.column ?? 0) + 1 });
	return tree;
}

function syntaxError(at: Position): BrokerError {
	return refusal('sql-syntax', at, `The SQL cannot be read from line ${at.line}, column ${at.column} on.`);
}
