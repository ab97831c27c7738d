/**
 * Decisions of the generated parser that are made here, from the next tokens and the brackets around them.
 *
 * The grammar decides them by looking ahead over whole expressions: through nested sub-queries that costs a multiple for
 * each level, and with SLL it goes wrong for lower((SELECT ..)). A wrong decision here cannot make a wrong tree: the
 * parser still matches each token against the alternative chosen, and refuses the text where it does not fit. Where two
 * alternatives fit, the first of the grammar is taken, as Trino's own parser does.
 *
 * The numbers are those of the grammar in dt-sql-parser 4.5.1; a test holds them against its rules.
 */
import type { ParserRuleContext, TokenStream } from 'antlr4ng';
import { TrinoSqlLexer as Lexer } from 'dt-sql-parser/dist/lib/trino/TrinoSqlLexer.js';
import { TrinoSqlParser } from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { comma, type Outline, parenthesis, tokenOf } from './brackets.ts';
import { firstTokens } from './first.ts';

/** The alternative from 1, or undefined: the grammar decides. */
type Choice = (o: Outline, index: number) => number | undefined;

const arrow = tokenOf('->');
const dot = tokenOf('.');
const square = tokenOf('[');

const comparisons: ReadonlySet<number> = new Set([Lexer.EQ, Lexer.NEQ, Lexer.LT, Lexer.LTE, Lexer.GT, Lexer.GTE]);
const quantifiers: ReadonlySet<number> = new Set([Lexer.KW_ALL, Lexer.KW_SOME, Lexer.KW_ANY]);
const predicates: ReadonlySet<number> = new Set([
	...comparisons,
	Lexer.KW_NOT,
	Lexer.KW_BETWEEN,
	Lexer.KW_IN,
	Lexer.KW_LIKE,
	Lexer.KW_IS,
]);
const signs: ReadonlySet<number> = new Set([Lexer.PLUS, Lexer.MINUS, Lexer.KW_PRECISION]);
const strings: ReadonlySet<number> = new Set([Lexer.STRING, Lexer.UNICODE_STRING]);
/** Words and signs that end a select item or a grouping set. */
const ends: ReadonlySet<number> = new Set([
	comma,
	tokenOf(')'),
	tokenOf(']'),
	Lexer.EOF,
	Lexer.SEMICOLON,
	Lexer.KW_HAVING,
	Lexer.KW_WINDOW,
	Lexer.KW_ORDER,
	Lexer.KW_OFFSET,
	Lexer.KW_LIMIT,
	Lexer.KW_FETCH,
	Lexer.KW_UNION,
	Lexer.KW_INTERSECT,
	Lexer.KW_EXCEPT,
]);
const reservedEnds: ReadonlySet<number> = new Set([
	comma,
	tokenOf(')'),
	tokenOf(']'),
	Lexer.EOF,
	Lexer.SEMICOLON,
	Lexer.KW_SELECT,
	Lexer.KW_FROM,
	Lexer.KW_WHERE,
	Lexer.KW_GROUP,
	Lexer.KW_HAVING,
	Lexer.KW_ORDER,
	Lexer.KW_UNION,
	Lexer.KW_INTERSECT,
	Lexer.KW_EXCEPT,
]);

const names: ReadonlySet<number> = new Set([
	...firstTokens(TrinoSqlParser.RULE_nonReserved),
	Lexer.IDENTIFIER,
	Lexer.QUOTED_IDENTIFIER,
	Lexer.BACKQUOTED_IDENTIFIER,
	Lexer.DIGIT_IDENTIFIER,
]);

function isName(o: Outline, index: number): boolean {
	return names.has(o.type(index));
}

/** The index of the last part of a name with dots. */
function lastPart(o: Outline, index: number): number {
	let last = index;
	while (o.type(last + 1) === dot && isName(o, last + 2)) last += 2;
	return last;
}

/** An expression, not all columns of a table: `x.*` ends before the next item, or it is none. */
function selectItem(o: Outline, index: number): number {
	if (o.type(index) === Lexer.ASTERISK) return 3;
	for (let next = index; !reservedEnds.has(o.type(next)); next = (o.bracket(next)?.close ?? next) + 1) {
		if (o.type(next) === dot && o.type(next + 1) === Lexer.ASTERISK) return 2;
	}
	return 1;
}

function groupingSet(o: Outline, index: number): number {
	const bracket = o.type(index) === parenthesis ? o.bracket(index) : undefined;
	if (bracket === undefined || o.content(index + 1) === 'query') return 2;
	return ends.has(o.type(bracket.close + 1)) ? 1 : 2;
}

function relationPrimary(o: Outline, index: number): number | undefined {
	if (o.type(index) === parenthesis) return o.content(index + 1) === 'other' ? 3 : 2;
	if (o.type(index) === Lexer.KW_LATERAL && o.type(index + 1) === parenthesis) return 2;
	return isName(o, index) ? 1 : undefined;
}

function predicate(o: Outline, index: number): number | undefined {
	const type = o.type(index);
	if (comparisons.has(type)) {
		const quantified = quantifiers.has(o.type(index + 1)) && o.type(index + 2) === parenthesis;
		return quantified && o.content(index + 3) !== 'other' ? 2 : 1;
	}
	const word = type === Lexer.KW_NOT || type === Lexer.KW_IS ? index + 1 : index;
	if (type === Lexer.KW_IS) {
		return o.type(word) === Lexer.KW_DISTINCT || o.type(word + 1) === Lexer.KW_DISTINCT ? 8 : 7;
	}
	if (o.type(word) === Lexer.KW_BETWEEN) return 3;
	if (o.type(word) === Lexer.KW_LIKE) return 6;
	if (o.type(word) !== Lexer.KW_IN) return undefined;
	return o.type(word + 1) === parenthesis && o.content(word + 2) === 'query' ? 5 : 4;
}

/** Special forms whose first word is also a name, by that word; each has a parenthesis after it. */
const forms: ReadonlyMap<number, (o: Outline, open: number) => number> = new Map<
	number,
	(o: Outline, open: number) => number
>([
	[Lexer.KW_POSITION, () => 10],
	[Lexer.KW_ROW, () => 12],
	[Lexer.KW_TRY_CAST, () => 24],
	[Lexer.KW_TRIM, (o, open) => (o.bracket(open)?.comma ? 37 : 36)],
	[Lexer.KW_SUBSTRING, (o, open) => (o.bracket(open)?.from ? 38 : 15)],
]);

function primaryExpression(o: Outline, index: number): number | undefined {
	const type = o.type(index);
	const next = o.type(index + 1);
	if (type === parenthesis) return parenthesized(o, index);
	const form = next === parenthesis ? forms.get(type) : undefined;
	if (form !== undefined) return form(o, index + 1);
	if (type === Lexer.KW_ARRAY && next === square) return 25;
	if (!names.has(type)) return undefined;
	if (next === arrow) return 17;
	if (next === Lexer.KW_OVER || type === Lexer.KW_FINAL || type === Lexer.KW_RUNNING) return undefined;
	if (type === Lexer.KW_INTERVAL || type === Lexer.KW_DOUBLE)
		return strings.has(next) || signs.has(next) ? undefined : named(o, index);
	return strings.has(next) ? 3 : named(o, index);
}

/** A call, or a column. */
function named(o: Outline, index: number): number {
	const open = lastPart(o, index) + 1;
	if (o.type(open) !== parenthesis) return 26;
	const labelled = isName(o, open + 1) && o.type(open + 2) === dot ? open + 3 : open + 1;
	return o.type(labelled) === Lexer.ASTERISK ? 14 : 15;
}

function parenthesized(o: Outline, index: number): number {
	const bracket = o.bracket(index);
	if (bracket !== undefined && o.type(bracket.close + 1) === arrow) return 18;
	if (o.content(index + 1) !== 'other') return 19;
	return bracket?.comma ? 11 : 42;
}

/** ON EMPTY comes before ON ERROR; either may be missing. */
function jsonBehaviour(o: Outline, index: number): number {
	let next = index;
	while (o.type(next) !== Lexer.KW_ON && !ends.has(o.type(next))) next = (o.bracket(next)?.close ?? next) + 1;
	return o.type(next + 1) === Lexer.KW_EMPTY ? 1 : 2;
}

const always =
	(alternative: number): Choice =>
	() =>
		alternative;

/** By the number of the decision: its rule, how many alternatives it has, and the choice. */
export const choices: ReadonlyMap<number, { rule: number; alternatives: number; choose: Choice }> = new Map([
	// A column is an expression, too.
	[152, { rule: TrinoSqlParser.RULE_sortItem, alternatives: 2, choose: always(2) }],
	[176, { rule: TrinoSqlParser.RULE_groupingTerm, alternatives: 2, choose: always(2) }],
	[183, { rule: TrinoSqlParser.RULE_selectItem, alternatives: 2, choose: always(2) }],
	[195, { rule: TrinoSqlParser.RULE_joinCriteria, alternatives: 2, choose: always(2) }],
	[175, { rule: TrinoSqlParser.RULE_groupingSet, alternatives: 2, choose: groupingSet }],
	[187, { rule: TrinoSqlParser.RULE_selectItem, alternatives: 3, choose: selectItem }],
	[230, { rule: TrinoSqlParser.RULE_relationPrimary, alternatives: 3, choose: relationPrimary }],
	[
		281,
		{
			rule: TrinoSqlParser.RULE_booleanExpression,
			alternatives: 2,
			choose: (o, index) => (predicates.has(o.type(index)) ? 1 : 2),
		},
	],
	[293, { rule: TrinoSqlParser.RULE_predicate, alternatives: 8, choose: predicate }],
	[
		331,
		{
			rule: TrinoSqlParser.RULE_primaryExpression,
			alternatives: 2,
			choose: (o, index) => (o.bracket(index - 1)?.from ? 1 : 2),
		},
	],
	[339, { rule: TrinoSqlParser.RULE_primaryExpression, alternatives: 2, choose: jsonBehaviour }],
	[361, { rule: TrinoSqlParser.RULE_primaryExpression, alternatives: 48, choose: primaryExpression }],
	// A table and a view are written the same.
	[461, { rule: TrinoSqlParser.RULE_tableOrViewName, alternatives: 2, choose: always(1) }],
	[
		469,
		{
			rule: TrinoSqlParser.RULE_qualifiedName,
			alternatives: 2,
			choose: (o, index) => (o.type(index) === dot && isName(o, index + 1) ? 1 : 2),
		},
	],
]);

/** Puts the choices before the parser's own prediction. */
export function guide(parser: TrinoSqlParser, o: Outline): void {
	const { interpreter } = parser;
	const predict = interpreter.adaptivePredict.bind(interpreter);
	interpreter.adaptivePredict = (input: TokenStream, decision: number, context: ParserRuleContext | null) =>
		choices.get(decision)?.choose(o, o.indexOf(input.index)) ?? predict(input, decision, context);
}
