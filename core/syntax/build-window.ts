/** OVER, WINDOW and the orders in them, and ORDER BY everywhere else. */
import {
	BoundedFrameContext,
	CurrentRowBoundContext,
	type FrameBoundContext,
	type GroupingTermContext,
	type OverContext,
	type SortItemContext,
	UnboundedFrameContext,
	type WindowDefinitionContext,
	type WindowFrameContext,
	type WindowSpecificationContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import {
	descendants,
	type Expression,
	type Frame,
	type FrameBound,
	type NamedWindow,
	type Select,
	type SortItem,
	subquery,
	unsupported,
	type Window,
} from '../sql.ts';
import { identifier } from './build-name.ts';
import { claim, notRead, positionOf } from './claims.ts';
import { all, type Builder } from './handler.ts';

export function sortItem(b: Builder, context: SortItemContext): SortItem {
	claim(b.claims, context);
	const first = context.KW_FIRST() !== null;
	return {
		expression: onlyExpression(b, context),
		descending: context.KW_DESC() !== null,
		nulls: context.KW_NULLS() === null ? null : first ? 'first' : 'last',
	};
}

/** That the grammar could read a bare column by a rule of its own is decided away by the guide. */
export function onlyExpression(b: Builder, context: SortItemContext | GroupingTermContext): Expression {
	const expression = context.expression();
	if (expression === null) throw notRead(context);
	return b.expression(expression);
}

export function namedWindow(b: Builder, context: WindowDefinitionContext): Select['windows'][number] {
	claim(b.claims, context);
	return {
		name: identifier(b.claims, context.identifier()),
		window: windowOf(b, context.windowSpecification()),
	};
}

export function over(b: Builder, context: OverContext | null): Window | NamedWindow | null {
	if (context === null) return null;
	claim(b.claims, context);
	const named = context.identifier();
	if (named !== null) return { kind: 'named-window', name: identifier(b.claims, named).text, at: positionOf(named) };
	const specification = context.windowSpecification();
	if (specification === null) throw notRead(context);
	return { ...windowOf(b, specification), at: positionOf(context) };
}

function windowOf(b: Builder, context: WindowSpecificationContext): Window {
	const base = context.identifier();
	const partition = context.partitionBy();
	const frame = context.windowFrame();
	claim(b.claims, context, partition);
	return {
		kind: 'window',
		base: base === null ? null : identifier(b.claims, base),
		partitionBy: partition === null ? [] : all(b, partition.expression()),
		orderBy: context.sortItem().map((item) => sortItem(b, item)),
		frame: frame === null ? null : frameOf(b, frame),
		at: positionOf(context),
	};
}

function frameOf(b: Builder, context: WindowFrameContext): Frame {
	const extent = context.frameExtent();
	const [measure] = context.measureDefinition();
	const [subset] = context.subsetDefinition();
	const [definition] = context.variableDefinition();
	const pattern = measure ?? subset ?? definition ?? context.skipTo() ?? context.rowPattern();
	if (pattern !== null || context.KW_INITIAL() !== null || context.KW_SEEK() !== null) {
		const at = positionOf(pattern ?? context);
		throw unsupported(at, 'Row patterns in a window are not supported. Use window functions.');
	}
	claim(b.claims, context, extent);
	const [start, end] = extent.frameBound().map((bound) => frameBound(b, bound));
	if (start === undefined) throw notRead(extent);
	const unit = extent.KW_RANGE() ? 'range' : extent.KW_ROWS() ? 'rows' : 'groups';
	return { unit, start, end: end ?? null };
}

function frameBound(b: Builder, context: FrameBoundContext): FrameBound {
	claim(b.claims, context);
	if (context instanceof CurrentRowBoundContext) return { kind: 'current-row' };
	if (context instanceof UnboundedFrameContext) {
		return { kind: context.KW_PRECEDING() === null ? 'unbounded-following' : 'unbounded-preceding' };
	}
	if (!(context instanceof BoundedFrameContext)) throw notRead(context);
	const value = b.expression(context.expression());
	if ([...descendants(value)].some((e) => subquery(e) !== null)) {
		throw unsupported(value.at, 'A bound of a window frame cannot hold a sub-query. Write a number or a column.');
	}
	return { kind: context.KW_PRECEDING() === null ? 'following' : 'preceding', value };
}
