/**
 * The coverage invariant: every context of the parse tree, and every token in it that names something, is claimed by
 * exactly one handler. A piece of grammar that no handler reads can then not be dropped silently, whatever it would
 * have read.
 */
import { ParserRuleContext, TerminalNode, type Token } from 'antlr4ng';
import { TrinoSqlParser } from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { type Position, refusal, unsupported } from '../sql.ts';
import { reasonFor } from './reasons.ts';

export type Claims = { readonly contexts: Set<ParserRuleContext>; readonly names: Set<Token> };

/** Only these name things; so do the words that are not reserved, where the grammar takes them for names. */
const nameTokens: ReadonlySet<number> = new Set([
	TrinoSqlParser.IDENTIFIER,
	TrinoSqlParser.QUOTED_IDENTIFIER,
	TrinoSqlParser.BACKQUOTED_IDENTIFIER,
	TrinoSqlParser.DIGIT_IDENTIFIER,
]);

export function newClaims(): Claims {
	return { contexts: new Set(), names: new Set() };
}

export function positionOf(context: ParserRuleContext): Position {
	return { line: context.start?.line ?? 1, column: (context.start?.column ?? 0) + 1 };
}

export function tokenPosition(token: Token): Position {
	return { line: token.line, column: token.column + 1 };
}

export function notRead(context: ParserRuleContext): Error {
	return unsupported(positionOf(context), reasonFor(context));
}

/** The text is not SQL, though the grammar takes it. */
export function notSql(at: Position, detail: string): Error {
	return refusal('sql-syntax', at, detail);
}

/** A handler takes each context it reads, once. */
export function claim({ contexts }: Claims, ...read: readonly (ParserRuleContext | null | undefined)[]): void {
	for (const context of read) {
		if (context === null || context === undefined) continue;
		if (contexts.has(context)) throw notRead(context);
		contexts.add(context);
	}
}

/** The one token of an identifier, once. */
export function claimName({ names }: Claims, context: ParserRuleContext): void {
	const { start } = context;
	if (start === null || start !== context.stop || names.has(start)) throw notRead(context);
	names.add(start);
}

/** Walks the whole tree without recursion; refuses at the first context or name that no handler claimed. */
export function demandAllClaimed({ contexts, names }: Claims, root: ParserRuleContext): void {
	const open: ParserRuleContext[] = [root];
	for (let context = open.pop(); context !== undefined; context = open.pop()) {
		if (!contexts.has(context)) throw notRead(context);
		for (const child of context.children ?? []) {
			if (child instanceof ParserRuleContext) open.push(child);
			else if (child instanceof TerminalNode && isName(context, child) && !names.has(child.symbol))
				throw notRead(context);
		}
	}
}

function isName(parent: ParserRuleContext, { symbol }: TerminalNode): boolean {
	return nameTokens.has(symbol.type) || parent.ruleIndex === TrinoSqlParser.RULE_nonReserved;
}
