/**
 * What the tokens of a text tell before it is parsed: which brackets belong together, and whether a parenthesis holds a
 * query. Found once for a text, in time that grows with its tokens only, and read by the guide of the parser.
 */
import { Token } from 'antlr4ng';
import { TrinoSqlLexer as Lexer } from 'dt-sql-parser/dist/lib/trino/TrinoSqlLexer.js';

/** The type of a token that the grammar names by its text only. */
export function tokenOf(literal: string): number {
	return Lexer.literalNames.indexOf(`'${literal}'`);
}

export const parenthesis = tokenOf('(');
export const comma = tokenOf(',');
const opening: ReadonlySet<number> = new Set([parenthesis, tokenOf('[')]);
const closing: ReadonlySet<number> = new Set([tokenOf(')'), tokenOf(']')]);

/** The first words of a query; all of them are reserved. */
const queryWords: ReadonlySet<number> = new Set([Lexer.KW_SELECT, Lexer.KW_WITH, Lexer.KW_VALUES, Lexer.KW_TABLE]);
/** What may follow a query in parentheses inside a query, and no expression. */
const afterQuery: ReadonlySet<number> = new Set([
	Lexer.KW_UNION,
	Lexer.KW_INTERSECT,
	Lexer.KW_EXCEPT,
	Lexer.KW_ORDER,
	Lexer.KW_OFFSET,
	Lexer.KW_LIMIT,
	Lexer.KW_FETCH,
]);

/** `either`: a query in parentheses, which is also a sub-query as an expression, or a derived table. */
type Content = 'query' | 'either' | 'other';

type Bracket = {
	/** The index of the closing bracket, or of the end of the text. */
	close: number;
	/** Whether a comma, or the FROM of a special form, stands directly inside. */
	comma: boolean;
	from: boolean;
};

export type Outline = {
	/** Of the tokens that are neither comments nor blanks; past the end of the text stands its end. */
	readonly type: (index: number) => number;
	/** From the index of the token stream to the one used here. */
	readonly indexOf: (streamIndex: number) => number;
	readonly bracket: (index: number) => Bracket | undefined;
	/** What the parenthesis whose first token inside is at `index` holds. */
	readonly content: (index: number) => Content;
};

export function outline(tokens: readonly Token[]): Outline {
	const types: number[] = [];
	const indices: number[] = [];
	for (const { type, channel } of tokens) {
		indices.push(types.length);
		if (channel === Token.DEFAULT_CHANNEL) types.push(type);
	}
	const brackets = pairs(types);
	const known = new Map<number, Content>();
	const type = (index: number) => types[index] ?? Token.EOF;
	const content = (index: number): Content => {
		const found = known.get(index) ?? read(index);
		known.set(index, found);
		return found;
	};
	const read = (index: number): Content => {
		if (queryWords.has(type(index))) return 'query';
		const inner = type(index) === parenthesis ? brackets.get(index) : undefined;
		// A query with WITH takes one pair of parentheses: those around it are of an expression or a join.
		if (inner === undefined || type(index + 1) === Lexer.KW_WITH || content(index + 1) === 'other') return 'other';
		const next = type(inner.close + 1);
		return afterQuery.has(next) ? 'query' : closing.has(next) ? 'either' : 'other';
	};
	return { type, content, indexOf: (index) => indices[index] ?? types.length, bracket: (index) => brackets.get(index) };
}

function pairs(types: readonly number[]): ReadonlyMap<number, Bracket> {
	const brackets = new Map<number, Bracket>();
	const open: Bracket[] = [];
	for (const [index, type] of types.entries()) {
		const around = open.at(-1);
		if (opening.has(type)) {
			const bracket = { close: types.length - 1, comma: false, from: false };
			brackets.set(index, bracket);
			open.push(bracket);
		} else if (around !== undefined) {
			if (closing.has(type)) {
				around.close = index;
				open.pop();
			}
			if (type === comma) around.comma = true;
			// IS DISTINCT FROM is an operator.
			if (type === Lexer.KW_FROM && types[index - 1] !== Lexer.KW_DISTINCT) around.from = true;
		}
	}
	return brackets;
}
