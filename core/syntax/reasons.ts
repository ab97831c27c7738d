/** What is said of the parts of the grammar that are never read, and what to write instead. */
import type { ParserRuleContext } from 'antlr4ng';
import {
	BackQuotedIdentifierContext,
	CurrentCatalogContext,
	CurrentPathContext,
	CurrentSchemaContext,
	CurrentUserContext,
	DigitIdentifierContext,
	LambdaContext,
	MeasureContext,
	ParameterContext,
	ProcessingModeContext,
	QueryPeriodContext,
	TrinoSqlParser,
	WithFunctionContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';

export const reasons = {
	jsonArray: 'JSON_ARRAY is not supported. Cast an array to json instead.',
	jsonObject: 'JSON_OBJECT is not supported. Cast a map or a row to json instead.',
	jsonTable: 'JSON_TABLE is not supported. Use json_extract, and UNNEST over a cast to an array.',
	matchRecognize: 'MATCH_RECOGNIZE is not supported. Use window functions.',
	rowPattern: 'Row patterns are not supported. Use window functions.',
	tableFunction: 'Table functions are not supported. Read a table or a sub-query.',
	withFunction: "Functions of a query's own are not supported. Write their expressions where they are used.",
} as const;

const session = 'What depends on the session cannot be read. Write the value itself.';
const quoteName = 'Write a name that is not a plain word in double quotes.';

const byContext: readonly (readonly [abstract new (...args: never[]) => ParserRuleContext, string])[] = [
	[BackQuotedIdentifierContext, quoteName],
	[DigitIdentifierContext, quoteName],
	[CurrentCatalogContext, session],
	[CurrentPathContext, session],
	[CurrentSchemaContext, session],
	[CurrentUserContext, session],
	[LambdaContext, 'A lambda can only be an argument of a function that takes one.'],
	[MeasureContext, 'Measures of row patterns are not supported. Write a window function with its parentheses.'],
	[ParameterContext, 'Parameters are not supported. Write the value itself.'],
	[ProcessingModeContext, 'RUNNING and FINAL belong to row patterns, which are not supported.'],
	[QueryPeriodContext, 'Reading a table as of another time is not supported. Leave out FOR .. AS OF.'],
	[WithFunctionContext, reasons.withFunction],
];

/** Never a part of the text, which may hold a literal. */
export function reasonFor(context: ParserRuleContext): string {
	const known = byContext.find(([type]) => context instanceof type);
	return known?.[1] ?? `This part of SQL is not supported: ${ruleName(context)}.`;
}

/** 'groupingElement' as 'grouping element'. */
function ruleName({ ruleIndex }: ParserRuleContext): string {
	const name = TrinoSqlParser.ruleNames[ruleIndex] ?? 'expression';
	return name.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
}
