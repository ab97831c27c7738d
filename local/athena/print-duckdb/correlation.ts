/** The places where DuckDB takes no column of an outer query: lambdas, windows and the conditions of outer joins. */
import {
	children,
	type Expression,
	groupingTerms,
	itemsOf,
	type Join,
	type Resolved,
	type ResolvedSource,
	type Select,
	type SortItem,
	type Source,
	sortKeys,
	sourceOf,
	type Target,
	targetOf,
	windowParts,
} from '#core/sql.ts';
import { athenaOnly } from './types.ts';

export function checkCorrelation(resolved: Resolved, orderBy: readonly SortItem[], select: Select): void {
	const sources = select.from.flatMap(flat);
	const own = new Set<ResolvedSource>();
	for (const source of sources) if (source.kind !== 'joins') own.add(sourceOf(resolved, source));
	const check = (e: Expression, closed: boolean): void => {
		if (closed && e.kind === 'column' && !sourcesOf(targetOf(resolved, e)).every((source) => own.has(source)))
			throw athenaOnly(e.at, 'a column of an outer query in a lambda, a window or the condition of an outer join');
		const closes = e.kind === 'lambda' || (e.kind === 'call' && e.over !== null);
		for (const child of children(e)) check(child, closed || closes);
	};
	const open = [
		...itemsOf(resolved, select).map(({ expression }) => expression),
		...sources.flatMap((source) => conditions(source, false)),
		...(select.where === null ? [] : [select.where]),
		...groupingTerms(select),
		...(select.having === null ? [] : [select.having]),
		...sortKeys(orderBy),
	];
	for (const part of open) check(part, false);
	const windows = select.windows.flatMap(({ window }) => windowParts(window));
	for (const part of [...windows, ...sources.flatMap((source) => conditions(source, true))]) check(part, true);
}

/** The source and all that are joined in it. */
function flat(source: Source): readonly Source[] {
	if (source.kind !== 'joins') return [source];
	return [source, ...[source.first, ...source.rest.map(({ right }) => right)].flatMap(flat)];
}

function conditions(source: Source, outer: boolean): readonly Expression[] {
	if (source.kind === 'unnest') return outer ? [] : source.expressions;
	if (source.kind !== 'joins') return [];
	const isOuter = ({ type }: Join) => type !== 'inner' && type !== 'cross';
	return source.rest.flatMap((join) => (join.on !== null && isOuter(join) === outer ? [join.on] : []));
}

function sourcesOf(target: Target): readonly ResolvedSource[] {
	switch (target.kind) {
		case 'field':
			return [target.source];
		case 'merged':
			return [...sourcesOf(target.left), ...sourcesOf(target.right)];
		case 'part':
			return sourcesOf(target.of);
		case 'parameter':
		case 'output':
			return [];
	}
}
