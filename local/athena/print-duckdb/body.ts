/** Bodies of queries that DuckDB reads otherwise than in the common form. */
import { type CommonTable, children, type Expression, type QueryBody, type Resolved, type Select } from '#core/sql.ts';
import { type Context, textAs } from './context.ts';
import { isOutput, type Recursion, recursionOf } from './relation.ts';
import { recursiveText } from './source.ts';
import { athenaOnly, type Type, typeText } from './types.ts';
import { nodesOf } from './visit.ts';

export type Bodies = {
	/** The type each of these expressions is printed as. */
	readonly converted: ReadonlyMap<Expression, Type>;
	readonly recursive: ReadonlyMap<QueryBody, readonly [CommonTable, Recursion]>;
	/** With a window whose name another SELECT has too: DuckDB keeps the names of some together. */
	readonly windowed: ReadonlySet<Select>;
};

export function bodiesOf(resolved: Resolved, converted: Bodies['converted']): Bodies {
	return { converted, recursive: recursiveBodies(resolved), windowed: windowedBodies(resolved) };
}

/** null: the common form. */
export function bodyText(body: QueryBody, bodies: Bodies, context: Context): string | null {
	const recursion = bodies.recursive.get(body);
	if (recursion !== undefined) return recursiveText(...recursion, context);
	switch (body.kind) {
		case 'values': {
			const rows = body.rows.map((row) => `(${row.map((e) => convertedText(e, bodies, context)).join(', ')})`);
			return `VALUES ${rows.join(', ')}`;
		}
		// DuckDB reads no clause after parentheses that has it inside too.
		case 'query':
			return `SELECT * FROM (${context.print.query(body)}) AS "inner"`;
		case 'select':
		case 'set':
			return null;
	}
}

/** The text as the type that the place around it has. */
export function convertedText(e: Expression, { converted }: Bodies, context: Context): string {
	const to = converted.get(e) ?? context.types.of(e);
	const text = textAs(e, to, context);
	return holdsNull(e) && hasName(to) ? `CAST(${text} AS ${typeText(to)})` : text;
}

/** DuckDB makes an INTEGER of most that it computes of a NULL without a type. */
function holdsNull(e: Expression): boolean {
	return e.kind === 'null' || children(e).some(holdsNull);
}

/** Whether DuckDB has a name for the type that is no other type's. */
function hasName(type: Type): boolean {
	if (type.kind === 'array') return hasName(type.element);
	if (type.kind === 'map') return hasName(type.key) && hasName(type.value);
	if (type.kind === 'row') return type.fields.every((field) => hasName(field.type));
	return !['null', 'other', 'interval', 'json'].includes(type.kind);
}

function recursiveBodies(resolved: Resolved): Bodies['recursive'] {
	const found = new Map<QueryBody, readonly [CommonTable, Recursion]>();
	for (const table of resolved.commons.keys()) {
		const recursion = recursionOf(resolved, table.query);
		if (recursion !== null) found.set(table.query.body, [table, recursion]);
	}
	return found;
}

function windowedBodies(resolved: Resolved): ReadonlySet<Select> {
	const nodes = [...nodesOf(resolved)];
	const selects = nodes.filter((node) => node.kind === 'select');
	const once = new Set<string>();
	const twice = new Set<string>();
	for (const { name } of selects.flatMap(({ windows }) => windows)) (once.has(name.text) ? twice : once).add(name.text);
	const found = new Set(selects.filter(({ windows }) => windows.some(({ name }) => twice.has(name.text))));
	for (const node of nodes) {
		if (node.kind !== 'query' || node.body.kind !== 'select' || !found.has(node.body)) continue;
		const inner = node.orderBy.find(({ expression }) => !isOutput(resolved, expression));
		if (inner !== undefined)
			throw athenaOnly(inner.expression.at, 'sorting by more than outputs where a window has the name of another');
	}
	return found;
}
