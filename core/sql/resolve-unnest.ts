/**
 * UNNEST (https://trino.io/docs/current/sql/select.html#unnest): an array gives one column, a map two, an array of rows
 * one for each field. Where the type is not known, the names given to the columns say how many there are.
 */
import { type Analysis, addSource, countFields, uniqueNames } from './analysis.ts';
import type { Expression, UnnestSource } from './ast.ts';
import { contextOf, type Place } from './context.ts';
import { influences, type Lineage, merge, nothing, raise } from './lineage.ts';
import { demandNoneOf } from './placement.ts';
import { invalid, unsupported, wrongList } from './refuse.ts';
import { resolveExpression } from './resolve-expression.ts';
import type { Offered } from './resolve-source.ts';
import type { Field } from './resolved.ts';
import type { Scope, ScopeField } from './scope.ts';
import { typeOf } from './type-of.ts';
import { type ColumnType, inside } from './types.ts';

type Column = { readonly name: string | null; readonly type: ColumnType };

type Part = Column & { readonly origin: Field['origin']; readonly lineage: Lineage };

export function resolveUnnest(a: Analysis, source: UnnestSource, before: Scope | null, place: Place): Offered {
	demandNoneOf(source.expressions, 'UNNEST', 'rows');
	const context = contextOf(before, place, 'select');
	const lineages = source.expressions.map((e) => resolveExpression(a, e, context));
	const parts = source.expressions.flatMap((expression, index): Part[] =>
		columnsOf(a, source, expression).map((column, part) => ({
			...column,
			origin: { kind: 'element', expression, part },
			lineage: elements(lineages[index] ?? nothing),
		})),
	);
	if (source.ordinality) parts.push({ name: null, type: 'bigint', origin: { kind: 'ordinality' }, lineage: nothing });
	if (source.columns !== null && source.columns.length !== parts.length) {
		throw wrongList(source.at, source.columns.length, parts.length);
	}
	const named = parts.map((part, index) => ({ ...part, name: source.columns?.[index]?.text ?? part.name }));
	return { fields: addFields(a, source, named), rows: influences(merge(lineages)) };
}

/** What decided on the array decides on the rows. */
function elements({ direct }: Lineage): Lineage {
	return raise({ direct, indirect: new Map() }, 'transformation');
}

function addFields(a: Analysis, source: UnnestSource, parts: readonly Part[]): readonly ScopeField[] {
	countFields(a, parts.length, source.at);
	const printed = uniqueNames(parts.map(({ name }) => name));
	const fields = parts.map(({ origin }, index): Field => ({ printed: printed[index] ?? '', origin }));
	const resolved = addSource(a, source, source.alias ?? 'unnested', { kind: 'unnest', source }, fields);
	const qualifier = source.alias === null ? null : [source.alias];
	return parts.flatMap(({ name, type, lineage }, index): ScopeField[] => {
		const field = fields[index];
		if (field === undefined) return [];
		const target = { kind: 'field', source: resolved, field } as const;
		return [{ name, qualifier, target, lineage, granted: true, type, relation: null }];
	});
}

function columnsOf(a: Analysis, source: UnnestSource, e: Expression): readonly Column[] {
	return known(a, e) ?? Array.from({ length: fromNames(a, source, e) }, () => ({ name: null, type: null }));
}

function known(a: Analysis, e: Expression): readonly Column[] | null {
	const type = typeOf(a, e);
	if (type === null) return null;
	if (type.name === 'map') return type.of;
	if (type.name !== 'array') throw invalid(e.at, 'UNNEST takes arrays and maps.');
	const element = inside(type, 0);
	if (element === null) return null;
	return element.name === 'row' ? element.of : [{ name: null, type: element }];
}

/** The names that are left over are those of the one expression of unknown type, or of several with one each. */
function fromNames(a: Analysis, source: UnnestSource, e: Expression): number {
	if (source.columns !== null) {
		const shapes = source.expressions.map((expression) => known(a, expression));
		const unknown = shapes.filter((shape) => shape === null).length;
		const taken = shapes.reduce((sum, shape) => sum + (shape?.length ?? 0), source.ordinality ? 1 : 0);
		const left = source.columns.length - taken;
		if (left >= unknown && (unknown === 1 || left === unknown)) return left / unknown;
	}
	throw unsupported(e.at, 'The type of this value is not known. Name the columns: UNNEST(..) AS t (a, b).');
}
