/** FROM: tables, derived tables and joins of the parse tree to the closed tree. */
import type { ParserRuleContext } from 'antlr4ng';
import {
	type AliasedRelationContext,
	ExpressionSourceTableContext,
	type JoinColumnReferenceContext,
	type JoinCriteriaContext,
	JoinRelationContext,
	ParenthesizedRelationContext,
	RelationDefaultContext,
	SampledRelationContext,
	SubqueryRelationContext,
	TableNameContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import type { Expression, Identifier, Join, Source } from './ast.ts';
import { columnReference, identifier, tableName } from './build-name.ts';
import { claim, notRead, positionOf } from './claims.ts';
import type { Builder } from './handler.ts';
import { unsupported } from './refuse.ts';

/** In all of a statement, however they are joined. */
const maxSources = 128;

export function source(b: Builder, context: ParserRuleContext): Source {
	claim(b.claims, context);
	if (context instanceof JoinRelationContext) return joins(b, context);
	if (context instanceof RelationDefaultContext) return source(b, context.sampledRelation());
	if (!(context instanceof SampledRelationContext) || context.KW_TABLESAMPLE() !== null) throw notRead(context);
	const pattern = context.patternRecognition();
	claim(b.claims, pattern);
	if (pattern.KW_MATCH_RECOGNIZE() !== null) throw notRead(pattern);
	return aliased(b, pattern.aliasedRelation());
}

/** `a JOIN b .. JOIN c ..` is left-deep in the tree and flat here. */
function joins(b: Builder, outermost: JoinRelationContext): Source {
	const links: JoinRelationContext[] = [];
	let left: ParserRuleContext = outermost;
	while (left instanceof JoinRelationContext) {
		if (left !== outermost) claim(b.claims, left);
		links.push(left);
		const { _left: further }: JoinRelationContext = left;
		if (further === undefined) throw notRead(left);
		left = further;
	}
	const first = source(b, left);
	return { kind: 'joins', first, rest: links.toReversed().map((link) => join(b, link)), at: positionOf(outermost) };
}

function join(b: Builder, context: JoinRelationContext): Join {
	const { _right: crossed, _rightRelation: related } = context;
	const right = crossed ?? related;
	const at = right === undefined ? positionOf(context) : positionOf(right);
	if (context.KW_NATURAL() !== null) throw unsupported(at, 'Name the columns of a natural join with ON or USING.');
	if (right === undefined) throw notRead(context);
	if (context.KW_CROSS() !== null) return { type: 'cross', right: source(b, right), on: null, using: null, at };
	const type = context.joinType();
	const criteria = context.joinCriteria();
	if (type === null || criteria === null) throw notRead(context);
	claim(b.claims, type, criteria);
	return {
		type: type.KW_LEFT() ? 'left' : type.KW_RIGHT() ? 'right' : type.KW_FULL() ? 'full' : 'inner',
		right: source(b, right),
		...condition(b, criteria),
		at,
	};
}

function condition(
	b: Builder,
	context: JoinCriteriaContext,
): { on: Expression | null; using: readonly Identifier[] | null } {
	const general = context.booleanExpression();
	if (general !== null) return { on: b.expression(general), using: null };
	const equality = context.joinColumnEquality();
	if (equality === null) return { on: null, using: context.identifier().map((name) => identifier(b.claims, name)) };
	claim(b.claims, equality);
	const [left, right] = equality.joinColumnReference().map((reference) => joinColumn(b, reference));
	if (left === undefined || right === undefined) throw notRead(equality);
	return { on: { kind: 'compare', operator: '=', left, right, at: positionOf(equality) }, using: null };
}

/** The grammar reads `ON a.x = b.y` by a rule of its own. */
function joinColumn(b: Builder, context: JoinColumnReferenceContext): Expression {
	claim(b.claims, context);
	const name = context.columnName();
	if (name === null) throw notRead(context);
	return columnReference(b.claims, name);
}

function aliased(b: Builder, context: AliasedRelationContext): Source {
	claim(b.claims, context);
	const written = context.identifier();
	const alias = written === null ? null : identifier(b.claims, written).text;
	const list = context.columnAliases();
	claim(b.claims, list);
	const columns = list === null ? null : list.identifier().map((name) => identifier(b.claims, name));
	const plain = primary(b, context.relationPrimary());
	if (alias === null) return plain;
	if (plain.kind === 'joins' || plain.columns !== null) {
		throw unsupported(positionOf(context), 'An alias for a join in parentheses is not supported.');
	}
	return { ...plain, alias, columns };
}

function countSource({ sources }: Builder, context: ParserRuleContext): void {
	sources.add(context);
	if (sources.size > maxSources) {
		throw unsupported(positionOf(context), `A query may read at most ${maxSources} tables and sub-queries in FROM.`);
	}
}

function primary(b: Builder, context: ParserRuleContext): Source {
	claim(b.claims, context);
	const at = positionOf(context);
	if (context instanceof ParenthesizedRelationContext) return source(b, context.relation());
	if (context instanceof TableNameContext) {
		countSource(b, context);
		if (context.queryPeriod() !== null) throw unsupported(at, 'Reading a table as of another time is not supported.');
		const written = context.tableOrViewName();
		claim(b.claims, written);
		const table = written.tableRef();
		if (table === null) throw notRead(written);
		return { kind: 'table', name: tableName(b.claims, table), alias: null, columns: null, at };
	}
	if (!(context instanceof ExpressionSourceTableContext)) throw notRead(context);
	countSource(b, context);
	const inner = context.relationSourceTable();
	if (!(inner instanceof SubqueryRelationContext)) throw notRead(inner);
	claim(b.claims, inner);
	return { kind: 'derived', query: b.query(inner.query()), alias: null, columns: null, at };
}
