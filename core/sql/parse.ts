/**
 * Text to parse tree by the generated Trino grammar, and nothing else of that package: its own analysis prints to the
 * console and goes on with broken trees. A text that has one error anywhere, or something after its end, has no tree.
 */
import { BaseErrorListener, CommonTokenStream, type ParserRuleContext, PredictionMode, Token } from 'antlr4ng';
import { TrinoSqlParser } from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { BrokerError } from '../error.ts';
import { GuardedLexer } from './guard.ts';
import { refusal } from './refuse.ts';

class FirstError extends BaseErrorListener {
	found: { readonly line: number; readonly column: number } | null = null;

	override syntaxError(_recognizer: unknown, _symbol: unknown, line: number, column: number): void {
		this.found ??= { line, column: column + 1 };
	}
}

/** Runs one entry rule over the whole text. `read` gets the tree only when it is complete and without error. */
export function parseWith<C extends ParserRuleContext, T>(
	text: string,
	rule: (parser: TrinoSqlParser) => C,
	read: (tree: C) => T,
): T {
	const errors = new FirstError();
	const lexer = new GuardedLexer(text);
	lexer.removeErrorListeners();
	lexer.addErrorListener(errors);
	const tokens = new CommonTokenStream(lexer);
	tokens.fill();
	const parser = new TrinoSqlParser(tokens);
	parser.removeErrorListeners();
	parser.addErrorListener(errors);
	try {
		return read(parseTwice(parser, tokens, rule, errors));
	} catch (error) {
		if (!(error instanceof RangeError)) throw error;
		parser.interpreter.clearDFA();
		throw new BrokerError('unsupported', 'The query nests too deeply.', { line: 1, column: 1 }, { cause: error });
	}
}

/** SLL is right for almost every text and much faster; only an error of it is confirmed by full LL. */
function parseTwice<C extends ParserRuleContext>(
	parser: TrinoSqlParser,
	tokens: CommonTokenStream,
	rule: (parser: TrinoSqlParser) => C,
	errors: FirstError,
): C {
	for (const mode of [PredictionMode.SLL, PredictionMode.LL]) {
		errors.found = null;
		tokens.seek(0);
		parser.reset();
		parser.interpreter.predictionMode = mode;
		const tree = rule(parser);
		const next = tokens.LT(1);
		if (errors.found === null && next?.type === Token.EOF) return tree;
		if (mode === PredictionMode.LL) throw syntaxError(errors, next);
	}
	throw syntaxError(errors, null);
}

function syntaxError(errors: FirstError, next: Token | null): BrokerError {
	const at = errors.found ?? { line: next?.line ?? 1, column: (next?.column ?? 0) + 1 };
	return refusal('sql-syntax', at, `The SQL cannot be read from line ${at.line}, column ${at.column} on.`);
}
