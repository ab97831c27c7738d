/** What the guide decides is what the grammar with full lookahead decides, for everything the fixtures hold. */
import {
	BaseErrorListener,
	CharStreams,
	CommonTokenStream,
	type ParseTree,
	PredictionMode,
	TerminalNode,
	Token,
} from 'antlr4ng';
import { TrinoSqlLexer } from 'dt-sql-parser/dist/lib/trino/TrinoSqlLexer.js';
import { TrinoSqlParser } from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { describe, expect, test } from 'vitest';
import { outline } from '#core/syntax/brackets.ts';
import { choices, guide } from '#core/syntax/guide.ts';
import refused from '../sql/refused.json' with { type: 'json' };
import valid from '../sql/valid.json' with { type: 'json' };

/** Where the grammar has a rule of its own for a column, the guide takes the general one: these rules say no more. */
const transparent: ReadonlySet<number> = new Set([
	TrinoSqlParser.RULE_selectLiteralColumnName,
	TrinoSqlParser.RULE_selectExpressionColumnName,
	TrinoSqlParser.RULE_expression,
	TrinoSqlParser.RULE_columnName,
	TrinoSqlParser.RULE_columnRef,
	TrinoSqlParser.RULE_joinColumnReference,
	TrinoSqlParser.RULE_joinColumnEquality,
	TrinoSqlParser.RULE_comparisonOperator,
]);
const transparentNames = new Set([
	'ColumnReferenceContext',
	'ValueExpressionDefaultContext',
	'PredicatedContext',
	'ComparisonContext',
]);

function shape(tree: ParseTree): string {
	if (tree instanceof TerminalNode) return tree.getText();
	const children = Array.from({ length: tree.getChildCount() }, (_, index) => tree.getChild(index));
	const inner = children.map((child) => (child === null ? '' : shape(child))).join(' ');
	const rule = 'ruleIndex' in tree ? Number(tree.ruleIndex) : -1;
	const { name } = tree.constructor;
	return transparent.has(rule) || transparentNames.has(name) ? inner : `(${name} ${inner})`;
}

class Throwing extends BaseErrorListener {
	override syntaxError(): void {
		throw new Error('refused');
	}
}

function parse(text: string, guided: boolean): string | null {
	const lexer = new TrinoSqlLexer(CharStreams.fromString(text));
	lexer.removeErrorListeners();
	const tokens = new CommonTokenStream(lexer);
	tokens.fill();
	const parser = new TrinoSqlParser(tokens);
	parser.removeErrorListeners();
	parser.addErrorListener(new Throwing());
	parser.interpreter.predictionMode = guided ? PredictionMode.SLL : PredictionMode.LL;
	if (guided) guide(parser, outline(tokens.getTokens()));
	try {
		const tree = parser.singleStatement();
		return tokens.LA(1) === Token.EOF ? shape(tree) : null;
	} catch {
		return null;
	}
}

const twins = [
	'SELECT a FROM t WHERE a IN ((SELECT 1)) OR a IN ((SELECT 1) UNION SELECT 2)',
	'SELECT ((SELECT 1)), ((a)), ((a, b)), (a) + (b), ((SELECT 1) + 1), ((SELECT 1) ORDER BY 1), ((WITH x AS (TABLE y) TABLE x))',
	'SELECT * FROM ((SELECT 1)), ((SELECT 1) UNION SELECT 2) x, ((SELECT 1) x JOIN t ON a = b), (((t))), ((WITH x AS (TABLE y) TABLE x)) z',
	'SELECT 1 FROM t GROUP BY ((a)), (a) + 1, (a, b), ((SELECT 1)), (SELECT 1), ((SELECT 1) UNION SELECT 2), ()',
	'SELECT 1 FROM t GROUP BY (a) ORDER BY 1',
	'SELECT x.y.z, a.*, s.t.* AS (p, q), * FROM t',
	'SELECT row(1), array[1], array, row, row.a FROM t',
	"SELECT interval '1' day, interval, interval - 1, interval - '1' day, date '2020-01-01', date, date(x), u&'x' FROM t",
	'SELECT over, a over, sum(a) over (order by b), m over w FROM t',
	'SELECT any, some, all FROM t WHERE a > all AND a = any (SELECT 1) AND a = some(b)',
	'SELECT position(a in b), substring(a from 1 for 2), substring(a, 1), substring FROM t',
	'SELECT trim(a), trim(a, b), trim(leading from a), trim(both a from b), trim(a from b), trim(leading a || b from c) FROM t',
	'SELECT try_cast(a AS int), coalesce(a, b), count(*), count(t.*), count(a), count(distinct a), x.count(y), f() FROM t',
	'SELECT f(a -> b, (a, b) -> c, () -> 1)',
	'SELECT * FROM lateral, t',
	'SELECT * FROM lateral (SELECT 1) AS limit LIMIT 1',
	"SELECT double, double precision, double precision '1', final, running, final a FROM t",
	'SELECT 1 FROM t WHERE a IS NOT DISTINCT FROM b AND NOT a IS NULL AND NOT a NOT LIKE b OR (a = 1) = (b = 2)',
	"SELECT json_value(a, 'x' DEFAULT b ON ERROR), json_value(a, 'x' DEFAULT (b) ON EMPTY NULL ON ERROR)",
	"SELECT -1, - 1, a -1, a - -1, a[1].b.c, f(x).y, (a).b, a.b[1], 'a' 'b'",
	'SELECT ()',
	'SELECT (',
	'SELECT (()',
	'SELECT (a',
	'SELECT a)',
	'SELECT a.',
	'SELECT 1 FROM a.b.c.d',
];

describe('the guide', () => {
	test('knows the decisions of the grammar by their numbers', () => {
		const { decisionToState } = TrinoSqlParser._ATN;
		for (const [decision, { rule, alternatives }] of choices) {
			const state = decisionToState[decision];
			expect([decision, state?.ruleIndex, state?.transitions.length]).toEqual([decision, rule, alternatives]);
		}
	});

	test.each(twins)('chooses as full lookahead does: %s', (text) => {
		expect(parse(text, true)).toBe(parse(text, false));
	});

	const fixtures = [
		...valid.groups.map(({ construct, cases }) => [construct, cases.map(({ sql }) => sql)] as const),
		...refused.groups.map(
			({ construct, cases }) => [`refused: ${construct}`, cases.map(([sql]) => String(sql))] as const,
		),
	];
	test.each(fixtures)('chooses as full lookahead does, all of %s', (_construct, texts) => {
		for (const text of texts.filter((sql) => sql.length < 2000)) {
			expect(parse(text, true), text).toBe(parse(text, false));
		}
	});
});
