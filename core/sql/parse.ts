/**
 * Text to parse tree by the generated Trino grammar, and nothing else of that package: its own analysis prints to the
 * console and goes on with broken trees. A text that has one error anywhere, or something after its end, has no tree.
 */
import { BaseErrorListener, CommonTokenStream, type ParserRuleContext, PredictionMode, Token } from 'antlr4ng';
import { TrinoSqlParser } from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { BrokerError } from '../error.ts';
import type { Position } from './ast.ts';
import { type Entry, GuardedLexer } from './guard.ts';
import { refusal } from './refuse.ts';

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
	const lexer = new GuardedLexer(text, entry);
	lexer.removeErrorListeners();
	lexer.addErrorListener(errors);
	const tokens = new CommonTokenStream(lexer);
	tokens.fill();
	const parser = new TrinoSqlParser(tokens);
	parser.removeErrorListeners();
	parser.addErrorListener(errors);
	// SLL alone: full LL costs a hundred times more. What only it could read, such as lower((SELECT ..)), is refused.
	parser.interpreter.predictionMode = PredictionMode.SLL;
	try {
		const tree = rule(parser);
		const next = tokens.LT(1);
		if (next?.type !== Token.EOF) throw syntaxError({ line: next?.line ?? 1, column: (next?.column ?? 0) + 1 });
		return read(tree);
	} catch (error) {
		if (!(error instanceof RangeError)) throw error;
		parser.interpreter.clearDFA();
		throw new BrokerError('unsupported', 'The query nests too deeply.', { line: 1, column: 1 }, { cause: error });
	}
}

function syntaxError(at: Position): BrokerError {
	return refusal('sql-syntax', at, `The SQL cannot be read from line ${at.line}, column ${at.column} on.`);
}
