/**
 * The text of a query with every literal replaced by `?`: two queries that differ only in values, case of names, comments
 * or spacing have the same. For hashing, never for running.
 */
import type { Identifier, Query, Source } from './ast.ts';
import { printer, type Surface } from './print.ts';
import { quoted } from './print-literal.ts';
import { isLiteral } from './walk.ts';

function dotted(parts: readonly (string | null)[]): string {
	return parts.flatMap((part) => (part === null ? [] : [quoted(part)])).join('.');
}

function nameList(names: readonly Identifier[] | null): string {
	return names === null ? '' : ` (${names.map(({ text }) => quoted(text)).join(', ')})`;
}

type Named = Exclude<Source, { kind: 'joins' }>;

function aliasText({ alias, columns }: Named): string {
	return alias === null ? '' : ` AS ${quoted(alias)}${nameList(columns)}`;
}

const surface: Surface = {
	expression: (e, print) => {
		if (e.kind === 'json-path') return `${e.name.toUpperCase()}(${print.expression(e.operand)}, ?)`;
		if (e.kind === 'call' && e.name === 'normalize')
			return `NORMALIZE(${e.arguments.map(print.expression).join(', ')})`;
		return isLiteral(e) ? '?' : null;
	},
	body: () => null,
	reference: (e) => dotted(e.parts),
	parameters: (e) => e.parameters.map(({ text }) => text),
	selectList: (select, print) =>
		select.items.map((item) => {
			if (item.kind === 'expression') {
				return print.expression(item.expression) + (item.alias === null ? '' : ` AS ${quoted(item.alias)}`);
			}
			const names = item.aliases === null ? '' : ` AS${nameList(item.aliases)}`;
			return item.qualifier === null ? '*' : `${dotted(item.qualifier)}.*${names}`;
		}),
	source: (source, print) => {
		const alias = aliasText(source);
		if (source.kind === 'table') {
			return dotted([source.name.catalog, source.name.database, source.name.table]) + alias;
		}
		if (source.kind === 'derived') return `${source.lateral ? 'LATERAL ' : ''}(${print.query(source.query)})${alias}`;
		const values = source.expressions.map(print.expression).join(', ');
		return `UNNEST(${values})${source.ordinality ? ' WITH ORDINALITY' : ''}${alias}`;
	},
	common: ({ name, columns }) => quoted(name.text) + nameList(columns),
	condition: (join, print) => {
		if (join.on !== null) return ` ON ${print.expression(join.on)}`;
		return join.using === null ? '' : ` USING${nameList(join.using)}`;
	},
	sortKey: (item, print) => print.expression(item.expression),
	rows: ({ offset, limit, ties }) => {
		const parts = offset === null ? [] : ['OFFSET ?'];
		if (limit !== null) parts.push(ties ? 'FETCH FIRST ? ROWS WITH TIES' : 'LIMIT ?');
		return parts.join(' ');
	},
};

export function normalise(query: Query): string {
	return printer(surface).query(query);
}
