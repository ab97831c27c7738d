/** A query of the parse tree to the closed tree: WITH, set operations, ORDER BY and the number of rows. */
import {
	InlineTableContext,
	type NamedQueryContext,
	type QueryContext,
	type QueryNoWithContext,
	type QueryPrimaryContext,
	QueryPrimaryDefaultContext,
	QueryStatementContext,
	type QueryTermContext,
	QueryTermDefaultContext,
	type RowCountContext,
	SetOperationContext,
	SubqueryContext,
	TableContext,
	type WithContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import {
	type CommonTable,
	type Expression,
	type Query,
	type QueryBody,
	refusal,
	type SetStep,
	unsupported,
	type Values,
} from '../sql.ts';
import { largest } from './build-literal.ts';
import { columnAliases, identifier } from './build-name.ts';
import { select } from './build-select.ts';
import { allOf, tableSource } from './build-source.ts';
import { sortItem } from './build-window.ts';
import { chainOf } from './chain.ts';
import { claim, notRead, positionOf } from './claims.ts';
import type { Builder } from './handler.ts';

type With = Pick<Query, 'recursive' | 'commons'>;

export function query(b: Builder, context: QueryContext): Query {
	if (!(context instanceof QueryStatementContext)) throw notRead(context);
	claim(b.claims, context);
	const common = context.with();
	const read = common === null ? { recursive: false, commons: [] } : commonTables(b, common);
	return { ...queryNoWith(b, context.queryNoWith(), read), at: positionOf(context) };
}

function commonTables(b: Builder, context: WithContext): With {
	claim(b.claims, context);
	return {
		recursive: context.KW_RECURSIVE() !== null,
		commons: context.namedQuery().map((named) => commonTable(b, named)),
	};
}

function commonTable(b: Builder, context: NamedQueryContext): CommonTable {
	claim(b.claims, context);
	return {
		name: identifier(b.claims, context.identifier()),
		columns: columnAliases(b.claims, context.columnAliases()),
		query: b.query(context.query()),
	};
}

function queryNoWith(b: Builder, context: QueryNoWithContext, common: With): Query {
	claim(b.claims, context);
	const { _offset: offset } = context;
	const orderBy = context.sortItem().map((item) => sortItem(b, item));
	const ties = context.KW_TIES() !== null;
	if (ties && orderBy.length === 0) {
		throw refusal('validation', positionOf(context), 'FETCH .. WITH TIES needs an ORDER BY before it.');
	}
	const read: Query = {
		kind: 'query',
		...common,
		body: queryTerm(b, context.queryTerm()),
		orderBy,
		offset: rowCount(b, offset),
		limit: limit(b, context),
		ties,
		at: positionOf(context),
	};
	return withoutParentheses(read);
}

/** A query in parentheses with nothing around it is that query: printed in two pairs, IN (..) would be a list of one. */
function withoutParentheses(query: Query): Query {
	const { commons, body, orderBy, offset, limit: rows } = query;
	const plain = commons.length === 0 && orderBy.length === 0 && offset === null && rows === null;
	return plain && body.kind === 'query' ? body : query;
}

function limit(b: Builder, context: QueryNoWithContext): bigint | null {
	const { _fetchFirst: first, _limit: counted } = context;
	if (context.KW_FETCH() === null) {
		claim(b.claims, counted);
		return rowCount(b, counted?.rowCount());
	}
	const count = rowCount(b, first) ?? 1n;
	if (count === 0n) throw refusal('validation', positionOf(first ?? context), 'FETCH FIRST takes one row or more.');
	return count;
}

function rowCount(b: Builder, context: RowCountContext | null | undefined): bigint | null {
	if (context === null || context === undefined) return null;
	claim(b.claims, context);
	const digits = context.INTEGER_VALUE();
	if (digits === null) throw unsupported(positionOf(context), 'Parameters are not supported. Write the number itself.');
	const count = BigInt(digits.getText().replaceAll('_', ''));
	if (count > largest) throw refusal('validation', positionOf(context), 'This number does not fit a bigint.');
	return count;
}

/** The chain of one precedence is left-deep in the tree and flat here. */
function queryTerm(b: Builder, outermost: QueryTermContext): QueryBody {
	claim(b.claims, outermost);
	if (outermost instanceof QueryTermDefaultContext) return queryPrimary(b, outermost.queryPrimary());
	if (!(outermost instanceof SetOperationContext)) throw notRead(outermost);
	const binding = outermost.KW_INTERSECT() !== null;
	const { first, rest } = chainOf(
		b,
		outermost,
		SetOperationContext,
		({ _left: left, _right: right }) => [left, right],
		(link) => (link.KW_INTERSECT() !== null) === binding,
	);
	return {
		kind: 'set',
		first: queryTerm(b, first),
		rest: rest.map(({ operand, link }) => setStep(b, link, operand)),
		at: positionOf(outermost),
	};
}

function setStep(b: Builder, context: SetOperationContext, right: QueryTermContext): SetStep {
	const quantifier = context.setQuantifier();
	claim(b.claims, quantifier);
	return {
		operator: context.KW_INTERSECT() ? 'intersect' : context.KW_EXCEPT() ? 'except' : 'union',
		all: quantifier !== null && quantifier.KW_ALL() !== null,
		body: queryTerm(b, right),
		at: positionOf(right),
	};
}

function queryPrimary(b: Builder, context: QueryPrimaryContext): QueryBody {
	claim(b.claims, context);
	const at = positionOf(context);
	if (context instanceof QueryPrimaryDefaultContext) return select(b, context.querySpecification());
	if (context instanceof SubqueryContext) {
		return queryNoWith(b, context.queryNoWith(), { recursive: false, commons: [] });
	}
	if (context instanceof TableContext) return allOf(tableSource(b, context.tableRef()), at);
	if (!(context instanceof InlineTableContext)) throw notRead(context);
	return values(b, context);
}

/** Parentheses around one expression make no row of it, and a row written out is the row of values itself. */
function values(b: Builder, context: InlineTableContext): Values {
	const rows = context.expression().map((row): readonly Expression[] => {
		const value = b.expression(row);
		if (value.kind === 'cast' && value.type.name === 'row') {
			throw unsupported(value.at, 'Write a row of VALUES as its values in parentheses.');
		}
		return value.kind === 'row' ? value.items : [value];
	});
	return { kind: 'values', rows, at: positionOf(context) };
}
