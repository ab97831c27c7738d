/**
 * The text of a query with every literal replaced by `?`: two queries that differ only in values, case of names, comments
 * or spacing have the same. For hashing, never for running.
 */
import { isLiteral, type Query, type Source } from './ast.ts';
import { printer, quoted, type Surface } from './print.ts';

function dotted(parts: readonly (string | null)[]): string {
	return parts.flatMap((part) => (part === null ? [] : [quoted(part)])).join('.');
}

function aliasText({ alias, columns }: Exclude<Source, { kind: 'joins' }>): string {
	if (alias === null) return '';
	const names = columns === null ? '' : ` (${columns.map(({ text }) => quoted(text)).join(', ')})`;
	return ` AS ${quoted(alias)}${names}`;
}

const surface: Surface = {
	expression: (e) => (isLiteral(e) ? '?' : null),
	reference: (e) => dotted(e.parts),
	selectList: (query, print) =>
		query.items.map((item) => {
			if (item.kind === 'star') return item.qualifier === null ? '*' : `${dotted(item.qualifier)}.*`;
			return print.expression(item.expression) + (item.alias === null ? '' : ` AS ${quoted(item.alias)}`);
		}),
	source: (source, print) => {
		const { name } = source.kind === 'table' ? source : { name: null };
		const text = source.kind === 'derived' ? `(${print.query(source.query)})` : '';
		return (name === null ? text : dotted([name.catalog, name.database, name.table])) + aliasText(source);
	},
	condition: (join, print) => {
		if (join.on !== null) return ` ON ${print.expression(join.on)}`;
		return join.using === null ? '' : ` USING (${join.using.map(({ text }) => quoted(text)).join(', ')})`;
	},
	sortKey: (item, print) => print.expression(item.expression),
	rows: (query) =>
		[query.offset === null ? [] : ['OFFSET ?'], query.limit === null ? [] : ['LIMIT ?']].flat().join(' '),
};

export function normalise(query: Query): string {
	return printer(surface).query(query);
}
