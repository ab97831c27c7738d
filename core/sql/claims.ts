/**
 * The coverage invariant: every context of the parse tree, and so every identifier token in it, is claimed by exactly
 * one handler. A piece of grammar that no handler reads can then not be dropped silently, whatever it would have read.
 */
import { ParserRuleContext, TerminalNode } from 'antlr4ng';
import { TrinoSqlParser } from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import type { Position } from './ast.ts';
import { unsupported } from './refuse.ts';

export type Claims = Set<ParserRuleContext>;

/** Only these name things; each stands in an identifier context, or the tree is refused. */
const identifierTokens: ReadonlySet<number> = new Set([
	TrinoSqlParser.IDENTIFIER,
	TrinoSqlParser.QUOTED_IDENTIFIER,
	TrinoSqlParser.BACKQUOTED_IDENTIFIER,
	TrinoSqlParser.DIGIT_IDENTIFIER,
]);

export function positionOf(context: ParserRuleContext): Position {
	return { line: context.start?.line ?? 1, column: (context.start?.column ?? 0) + 1 };
}

/** 'SetOperationContext' as 'set operation'. */
export function constructName(context: ParserRuleContext): string {
	const name = context.constructor.name.replace(/Context$/, '');
	return name.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
}

export function notRead(context: ParserRuleContext): Error {
	return unsupported(positionOf(context), `This part of SQL is not supported: ${constructName(context)}.`);
}

/** A handler takes each context it reads, once. */
export function claim(claims: Claims, ...contexts: readonly (ParserRuleContext | null | undefined)[]): void {
	for (const context of contexts) {
		if (context === null || context === undefined) continue;
		if (claims.has(context)) throw notRead(context);
		claims.add(context);
	}
}

/** Walks the whole tree without recursion; refuses at the first context that no handler claimed. */
export function demandAllClaimed(claims: Claims, root: ParserRuleContext): void {
	const open: ParserRuleContext[] = [root];
	for (let context = open.pop(); context !== undefined; context = open.pop()) {
		if (!claims.has(context)) throw notRead(context);
		for (const child of context.children ?? []) {
			if (child instanceof ParserRuleContext) open.push(child);
			else if (child instanceof TerminalNode) demandNamed(context, child);
		}
	}
}

function demandNamed(parent: ParserRuleContext, terminal: TerminalNode): void {
	if (!identifierTokens.has(terminal.symbol.type)) return;
	if (parent.ruleIndex !== TrinoSqlParser.RULE_identifier) throw notRead(parent);
}
