/** The select list, stars expanded to the columns that are granted, in table order. */
import { BrokerError } from '../error.ts';
import { type Analysis, countFields, uniqueNames } from './analysis.ts';
import type { ColumnReference, Expression, Position, Select, SelectItem } from './ast.ts';
import { bounds } from './bounds.ts';
import type { Context, Item, Place } from './context.ts';
import { nothing, raise } from './lineage.ts';
import { invalid, refusal, ticked, tooLarge, unsupported, wrongList } from './refuse.ts';
import { refer, resolveExpression } from './resolve-expression.ts';
import { fieldsOf, findColumn, type ScopeField } from './scope.ts';
import { typeOf } from './type-of.ts';
import { shapeOf } from './types.ts';

type Star = Extract<SelectItem, { kind: 'star' }>;
type NewItem = Omit<Item, 'printed'>;

/** Asked before `more` items are made, of which a list has `sofar` already. */
export function countItems(a: Analysis, more: number, at: Position, sofar = 0): void {
	if (sofar + more > bounds.items) throw tooLarge(at, `A select list may have at most ${bounds.items} columns.`);
	countFields(a, more, at);
}

export function resolveItems(a: Analysis, select: Select, context: Context, place: Place): readonly Item[] {
	const items: NewItem[] = [];
	for (const item of select.items) {
		if (item.kind === 'star') {
			items.push(...starItems(a, item, select, context, place.stars, items.length));
		} else {
			countItems(a, 1, item.at, items.length);
			const { expression, alias } = item;
			const lineage = resolveExpression(a, expression, context);
			items.push({ name: alias ?? ownName(expression), expression, lineage, type: typeOf(a, expression) });
		}
	}
	const unique = uniqueNames(items.map(({ name }) => name));
	return items.map((item, index) =>
		Object.assign({}, item, {
			printed: (place.names === 'result' ? (item.name ?? `_col${index}`) : unique[index]) ?? '',
		}),
	);
}

/** Only a name has a name, with parentheses or without: as in Trino, `f(x).y` has none. */
function ownName(e: Expression): string | null {
	if (e.kind === 'column') return e.parts.at(-1) ?? null;
	return e.kind === 'field' && ownName(e.operand) !== null ? e.name.text : null;
}

function starItems(
	a: Analysis,
	item: Star,
	select: Select,
	context: Context,
	stars: Place['stars'],
	sofar: number,
): readonly NewItem[] {
	const fields = starFields(item, select, context);
	if (fields === null) return rowItems(a, item, context, sofar);
	const granted = fields.filter((field) => field.granted);
	if (granted.length === 0) {
		throw refusal('table-not-granted', item.at, 'The star stands for no column that is granted.');
	}
	checkAliases(item, granted.length);
	if (stars === 'constant') {
		countItems(a, 1, item.at, sofar);
		const one: Expression = { kind: 'integer', value: 1n, at: item.at };
		return [{ name: null, expression: one, lineage: nothing, type: null }];
	}
	countItems(a, granted.length, item.at, sofar);
	return granted.map(({ name, target, lineage, type }, index) => {
		const expression: ColumnReference = { kind: 'column', parts: [name ?? ''], at: item.at };
		refer(a, expression, target, lineage, context.use);
		a.types.set(expression, type);
		return { name: item.aliases?.[index]?.text ?? name, expression, lineage, type };
	});
}

function checkAliases({ aliases, at }: Star, columns: number): void {
	if (aliases !== null && aliases.length !== columns) {
		throw wrongList(at, aliases.length, columns);
	}
}

/** null: the name before the star is no table. */
function starFields({ qualifier, at }: Star, select: Select, { scope }: Context): readonly ScopeField[] | null {
	if (qualifier === null) {
		if (select.from.length === 0) throw invalid(at, 'A star needs a table in FROM.');
		return scope.fields;
	}
	const fields = fieldsOf(scope.fields, qualifier);
	const sources = new Set(fields.map(({ target }) => (target.kind === 'field' ? target.source : null)));
	if (sources.size > 1) throw invalid(at, `The table ${ticked(...qualifier)} is ambiguous.`);
	if (fields.length > 0) return fields;
	for (let outer = scope.parent; outer !== null; outer = outer.parent) {
		if (fieldsOf(outer.fields, qualifier).length > 0) {
			throw unsupported(at, 'A star over a table of the query around is not supported.');
		}
	}
	return null;
}

/** `r.*` of a column that is a row stands for its fields. */
function rowItems(a: Analysis, item: Star, context: Context, sofar: number): readonly NewItem[] {
	const parts = item.qualifier ?? [];
	const type = rowType({ kind: 'column', parts, at: item.at }, context);
	if (type === null) {
		throw refusal('table-not-found', item.at, `There is no table ${ticked(...parts)} in FROM.`, {
			table: parts.join('.'),
		});
	}
	if (type.some(({ name }) => name === null)) throw unsupported(item.at, 'Name the fields of this row one by one.');
	checkAliases(item, type.length);
	countItems(a, type.length, item.at, sofar);
	return type.map(({ name }, index) => {
		const expression: ColumnReference = { kind: 'column', parts: [...parts, name?.toLowerCase() ?? ''], at: item.at };
		const lineage = raise(resolveExpression(a, expression, context), 'transformation');
		const shown = item.aliases?.[index]?.text ?? expression.parts.at(-1) ?? null;
		return { name: shown, expression, lineage, type: typeOf(a, expression) };
	});
}

/** null: no column, or none that is a row. */
function rowType(reference: ColumnReference, { scope }: Context) {
	try {
		const shape = shapeOf(findColumn(reference, scope).type);
		return shape?.name === 'row' ? shape.of : null;
	} catch (error) {
		if (error instanceof BrokerError && error.code === 'column-not-found') return null;
		throw error;
	}
}
