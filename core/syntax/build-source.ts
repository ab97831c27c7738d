/** FROM: tables, derived tables and joins of the parse tree to the closed tree. */
import type { ParserRuleContext } from 'antlr4ng';
import {
	type AliasedRelationContext,
	ExpressionSourceTableContext,
	type JoinCriteriaContext,
	JoinRelationContext,
	LateralContext,
	ParenthesizedRelationContext,
	RelationDefaultContext,
	SampledRelationContext,
	SubqueryRelationContext,
	TableNameContext,
	type TableRefContext,
	UnnestContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import {
	bounds,
	type DerivedSource,
	type Expression,
	type Join,
	type Literal,
	newQuery,
	newSelect,
	type Position,
	type Query,
	refusal,
	type Select,
	type Source,
	type TableSource,
	tooLarge,
	unsupported,
} from '../sql.ts';
import { columnAliases, identifier, identifiers, tableName, visible } from './build-name.ts';
import { chainOf } from './chain.ts';
import { claim, notRead, positionOf } from './claims.ts';
import { all, type Builder } from './handler.ts';

export function source(b: Builder, context: ParserRuleContext): Source {
	claim(b.claims, context);
	if (context instanceof JoinRelationContext) return joins(b, context);
	if (context instanceof RelationDefaultContext) return source(b, context.sampledRelation());
	if (!(context instanceof SampledRelationContext)) throw notRead(context);
	const pattern = context.patternRecognition();
	if (pattern.KW_MATCH_RECOGNIZE() !== null) throw notRead(pattern);
	claim(b.claims, pattern);
	const read = aliased(b, pattern.aliasedRelation());
	return context.KW_TABLESAMPLE() === null ? read : sampled(b, context, read);
}

/** `a JOIN b .. JOIN c ..` is left-deep in the tree and flat here. */
function joins(b: Builder, outermost: JoinRelationContext): Source {
	const { first, rest } = chainOf(b, outermost, JoinRelationContext, sides);
	return {
		kind: 'joins',
		first: source(b, first),
		rest: rest.map(({ operand, link }) => join(b, link, operand)),
		at: positionOf(outermost),
	};
}

function sides({ _left: left, _right: crossed, _rightRelation: related }: JoinRelationContext) {
	return [left, crossed ?? related];
}

function join(b: Builder, context: JoinRelationContext, right: ParserRuleContext): Join {
	const at = positionOf(right);
	if (context.KW_NATURAL() !== null) throw unsupported(at, 'Name the columns of a natural join with ON or USING.');
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

/** That the grammar could read `ON a.x = b.y` by a rule of its own is decided away by the guide. */
function condition(b: Builder, context: JoinCriteriaContext): Pick<Join, 'on' | 'using'> {
	if (context.KW_USING() !== null) {
		return { on: null, using: identifiers(b.claims, context.identifier()).map(visible) };
	}
	const on = context.booleanExpression();
	if (on === null) throw notRead(context);
	return { on: b.expression(on), using: null };
}

/** TABLESAMPLE BERNOULLI only: what SYSTEM reads depends on how the files are split. */
function sampled(b: Builder, context: SampledRelationContext, of: Source): Source {
	const type = context.sampleType();
	const { _percentage: percentage } = context;
	if (type === null || percentage === undefined) throw notRead(context);
	claim(b.claims, type);
	if (type.KW_SYSTEM() !== null) throw unsupported(positionOf(type), 'Write BERNOULLI instead of SYSTEM.');
	if ((of.kind !== 'table' && of.kind !== 'derived') || of.sample !== null) {
		throw unsupported(positionOf(context), 'Only a table or a sub-query can be sampled. Write it as a sub-query.');
	}
	return { ...of, sample: percentageOf(b.expression(percentage)) };
}

function percentageOf(value: Expression): Literal {
	const numeric = value.kind === 'integer' || value.kind === 'decimal' || value.kind === 'double';
	if (!numeric) throw unsupported(value.at, 'Write the percentage of a sample as a number.');
	const number = Number(value.kind === 'integer' ? value.value : value.text);
	if (number >= 0 && number <= 100) return value;
	throw refusal('validation', value.at, 'The percentage of a sample lies between 0 and 100.');
}

function aliased(b: Builder, context: AliasedRelationContext): Source {
	claim(b.claims, context);
	const written = context.identifier();
	const alias = written === null ? null : identifier(b.claims, written).text;
	const columns = columnAliases(b.claims, context.columnAliases());
	const inner = primary(b, context.relationPrimary());
	if (alias === null) return inner;
	// (a JOIN b) AS x hides the names inside; of (t AS y) AS x only the outer name is left, unless y renames columns.
	const named = inner.kind === 'joins' || inner.columns !== null;
	const plain = named ? derived(newQuery(allOf(inner, inner.at), inner.at), inner.at) : inner;
	return { ...plain, alias, columns };
}

/** SELECT * FROM the source: what an alias for a join in parentheses names, and what TABLE t reads. */
export function allOf(from: Source, at: Position): Select {
	return newSelect([{ kind: 'star', qualifier: null, aliases: null, at }], [from], at);
}

function derived(query: Query, at: Position, lateral = false): DerivedSource {
	return { kind: 'derived', query, lateral, alias: null, columns: null, sample: null, at };
}

export function tableSource(b: Builder, context: TableRefContext): TableSource {
	countSource(b, context);
	const name = tableName(b.claims, context);
	return { kind: 'table', name, alias: null, columns: null, sample: null, at: positionOf(context) };
}

function countSource({ sources }: Builder, context: ParserRuleContext): void {
	sources.add(context);
	if (sources.size > bounds.sources) {
		throw tooLarge(positionOf(context), `A query may read at most ${bounds.sources} tables and sub-queries in FROM.`);
	}
}

function primary(b: Builder, context: ParserRuleContext): Source {
	claim(b.claims, context);
	if (context instanceof ParenthesizedRelationContext) return source(b, context.relation());
	if (context instanceof TableNameContext) return table(b, context);
	if (!(context instanceof ExpressionSourceTableContext)) throw notRead(context);
	countSource(b, context);
	const at = positionOf(context);
	const inner = context.relationSourceTable();
	claim(b.claims, inner);
	if (inner instanceof SubqueryRelationContext) return derived(b.query(inner.query()), at);
	if (inner instanceof LateralContext) return derived(b.query(inner.query()), at, true);
	if (!(inner instanceof UnnestContext)) throw notRead(inner);
	const expressions = all(b, inner.expression());
	return { kind: 'unnest', expressions, ordinality: inner.KW_ORDINALITY() !== null, alias: null, columns: null, at };
}

function table(b: Builder, context: TableNameContext): TableSource {
	const period = context.queryPeriod();
	if (period !== null) throw notRead(period);
	const written = context.tableOrViewName();
	const name = written.tableRef();
	if (name === null) throw notRead(written);
	claim(b.claims, written);
	return tableSource(b, name);
}
