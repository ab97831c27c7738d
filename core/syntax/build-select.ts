/** One SELECT of the parse tree to the closed tree. */
import {
	CubeContext,
	type GroupByContext,
	type GroupingElementContext,
	type GroupingSetContext,
	MultipleGroupingSetsContext,
	ParenthesizedExpressionContext,
	type QuerySpecificationContext,
	RollupContext,
	type SelectItemContext,
	SingleGroupingSetContext,
	type TableAllColumnsContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { type Expression, type GroupingElement, type Select, type SelectItem, unsupported } from '../sql.ts';
import { columnAliases, identifier } from './build-name.ts';
import { source } from './build-source.ts';
import { namedWindow, onlyExpression } from './build-window.ts';
import { claim, notRead, positionOf } from './claims.ts';
import type { Builder } from './handler.ts';

export function select(b: Builder, context: QuerySpecificationContext): Select {
	const list = context.selectList();
	const quantifier = context.setQuantifier();
	const where = context.whereClause();
	const having = context.havingClause();
	const grouping = context.groupBy();
	claim(b.claims, context, list, quantifier, where, having);
	return {
		kind: 'select',
		distinct: quantifier !== null && quantifier.KW_DISTINCT() !== null,
		items: list.selectItem().map((item) => selectItem(b, item)),
		from: context.relation().map((relation) => source(b, relation)),
		where: where === null ? null : b.expression(where.booleanExpression()),
		groupBy: grouping === null ? null : groupBy(b, grouping),
		having: having === null ? null : b.expression(having.booleanExpression()),
		windows: context.windowDefinition().map((definition) => namedWindow(b, definition)),
		at: positionOf(context),
	};
}

function selectItem(b: Builder, context: SelectItemContext): SelectItem {
	claim(b.claims, context);
	const at = positionOf(context);
	const all = context.selectAllWithoutTable();
	if (all !== null) {
		claim(b.claims, all);
		return { kind: 'star', qualifier: null, aliases: null, at };
	}
	const allOf = context.tableAllColumns();
	if (allOf !== null) return qualifiedStar(b, context, allOf);
	const written = context.identifier();
	const alias = written === null ? null : identifier(b.claims, written).text;
	return { kind: 'expression', expression: selected(b, context), alias, at };
}

function selected(b: Builder, context: SelectItemContext): Expression {
	const general = context.selectExpressionColumnName();
	if (general === null) throw notRead(context);
	claim(b.claims, general);
	return b.expression(general.expression());
}

/** Only of a table: all fields of a value, (r).*, cannot be told from its text. */
function qualifiedStar(b: Builder, item: SelectItemContext, context: TableAllColumnsContext): SelectItem {
	claim(b.claims, context);
	const at = positionOf(item);
	const qualifier = context.primaryExpression();
	const of = b.expression(qualifier);
	if (of.kind !== 'column' || qualifier instanceof ParenthesizedExpressionContext) {
		throw unsupported(at, 'Only a table can have a star after it. Name the fields of a value one by one.');
	}
	return { kind: 'star', qualifier: of.parts, aliases: columnAliases(b.claims, item.columnAliases()), at };
}

function groupBy(b: Builder, context: GroupByContext): NonNullable<Select['groupBy']> {
	const quantifier = context.setQuantifier();
	claim(b.claims, context, quantifier);
	return {
		distinct: quantifier !== null && quantifier.KW_DISTINCT() !== null,
		elements: context.groupingElement().map((element) => groupingElement(b, element)),
	};
}

function groupingElement(b: Builder, context: GroupingElementContext): GroupingElement {
	claim(b.claims, context);
	const at = positionOf(context);
	if (context instanceof SingleGroupingSetContext) {
		return { kind: 'terms', terms: groupingSet(b, context.groupingSet()), at };
	}
	if (context instanceof RollupContext) return { kind: 'rollup', sets: groupingSets(b, context.groupingSet()), at };
	if (context instanceof CubeContext) return { kind: 'cube', sets: groupingSets(b, context.groupingSet()), at };
	if (!(context instanceof MultipleGroupingSetsContext)) throw notRead(context);
	return { kind: 'sets', sets: groupingSets(b, context.groupingSet()), at };
}

function groupingSets(b: Builder, contexts: readonly GroupingSetContext[]): readonly (readonly Expression[])[] {
	return contexts.map((context) => groupingSet(b, context));
}

function groupingSet(b: Builder, context: GroupingSetContext): readonly Expression[] {
	const terms = context.groupingTerm();
	claim(b.claims, context, ...terms);
	return terms.map((term) => onlyExpression(b, term));
}
