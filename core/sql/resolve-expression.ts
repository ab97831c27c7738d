/** Expressions: each column reference to its target, each expression to its lineage. */
import { type Analysis, countFields, recordRead, recordUse, unique, withoutRecursion } from './analysis.ts';
import type { Call, ColumnReference, Expression, Lambda, Position, Query } from './ast.ts';
import { type Context, type Place, placeOf, type Result } from './context.ts';
import { isAggregate, isConditional } from './functions.ts';
import { influence, influences, type Lineage, merge, raise } from './lineage.ts';
import { invalid, refusal, ticked, unsupported } from './refuse.ts';
import { resolveWindow } from './resolve-window.ts';
import type { Target, Use } from './resolved.ts';
import { findColumn, type ScopeField } from './scope.ts';
import { parameterTypes, typeOf } from './type-of.ts';
import { type ColumnType, fieldType, shapeOf } from './types.ts';
import { children, sortKeys } from './walk.ts';

export function resolveExpression(a: Analysis, e: Expression, context: Context): Lineage {
	if (e.kind === 'column') return resolveColumn(a, e, context);
	if (e.kind === 'scalar-query') return raise(valuesOf(a, e, null, context), 'transformation');
	if (e.kind === 'exists') return influences(inner(a, e.query, context, 'constant').rows);
	if (e.kind === 'case') return resolveCase(a, e, context);
	if (e.kind === 'call') return resolveCall(a, e, context);
	if (e.kind === 'grouping') {
		return raise(merge(e.columns.map((column) => groupedColumn(a, column, context))), 'transformation');
	}
	const parts = children(e).map((child) => resolveExpression(a, child, context));
	if (e.kind === 'in-query' || e.kind === 'quantified') parts.push(valuesOf(a, e, e.operand, context));
	if (e.kind === 'field' && fieldType(typeOf(a, e.operand), e.name.text) === undefined) {
		throw refusal('column-not-found', e.name.at, `There is no field ${ticked(e.name.text)}.`, { name: e.name.text });
	}
	return raise(merge(parts), 'transformation');
}

function resolveColumn(a: Analysis, e: ColumnReference, context: Context): Lineage {
	const { field, path, type, crossed } = findColumn(e, context.scope);
	if (field.target.kind === 'output') {
		if (context.aggregate) {
			throw invalid(e.at, 'An aggregate in ORDER BY cannot use names of the select list.');
		}
		// Printed inside a sub-query, the expression behind the name would mean the tables of that one.
		if (crossed) throw unsupported(e.at, 'A sub-query in ORDER BY cannot use names of the select list.');
		if (context.lambda && field.target.expression === null) {
			throw unsupported(e.at, 'A lambda in ORDER BY cannot use names of the select list.');
		}
	}
	refer(a, e, path.length === 0 ? field.target : { kind: 'part', of: field.target, path }, field.lineage, context.use);
	a.types.set(e, type);
	if (crossed) noteCrossing(a, field.target);
	return path.length === 0 ? field.lineage : raise(field.lineage, 'transformation');
}

/** Notes that `e` means this target, and every base column behind it as read. */
export function refer(a: Analysis, e: ColumnReference, target: Target, lineage: Lineage, use: Use): void {
	a.references.set(e, target);
	markRead(a, e.at, target, use);
	recordUse(a, lineage, use, e.at);
}

export function markRead(a: Analysis, at: Position, target: Target, use: Use): void {
	if (target.kind === 'part') markRead(a, at, target.of, use);
	if (target.kind === 'merged') {
		markRead(a, at, target.left, use);
		markRead(a, at, target.right, use);
	}
	if (target.kind !== 'field') return;
	const { source, field } = target;
	source.used.add(field);
	if (source.content.kind !== 'base' || field.origin.kind !== 'base') return;
	const { column, granted } = field.origin;
	recordRead(a, { table: source.content.relation.id, column, granted, at }, use);
}

/** Something nearer than the table stands between it and where it is named. */
export function noteCrossing(a: Analysis, target: Target): void {
	if (target.kind === 'merged') {
		noteCrossing(a, target.left);
		noteCrossing(a, target.right);
	}
	if (target.kind === 'part') noteCrossing(a, target.of);
	if (target.kind === 'field') a.correlated.add(target.source);
}

function inner(a: Analysis, query: Query, { scope, commons, use }: Context, stars: Place['stars']): Result {
	return withoutRecursion(a, true, () => a.query(query, { ...placeOf(scope, commons, use), stars }));
}

/** The values of a sub-query in an expression, and as its influences whatever decides on its rows. */
function valuesOf(
	a: Analysis,
	e: Extract<Expression, { readonly query: Query }>,
	operand: Expression | null,
	context: Context,
): Lineage {
	const { items, rows } = inner(a, e.query, context, 'columns');
	const [first, second] = items;
	const fields = operand === null ? 1 : fieldCount(a, operand);
	const whole = second === undefined && mayBeRow(first?.type ?? null);
	if (items.length !== fields && !(fields > 1 && whole)) {
		throw invalid(
			e.query.at,
			fields === 1 ? 'This sub-query has one column.' : `This sub-query has ${fields} columns.`,
		);
	}
	a.types.set(e, first?.type ?? null);
	return merge([...items.map(({ lineage }) => lineage), influences(rows)]);
}

/** A row is compared with as many columns as it has fields, or with one that is a row. */
function fieldCount(a: Analysis, operand: Expression): number {
	const type = typeOf(a, operand);
	return type?.name === 'row' ? type.of.length : 1;
}

function mayBeRow(type: ColumnType): boolean {
	const shape = shapeOf(type);
	return shape === null || shape.name === 'row';
}

/** GROUPING takes columns that are grouped by, as plain columns only. */
export function groupedColumn(a: Analysis, e: Expression, context: Context): Lineage {
	if (e.kind !== 'column')
		throw invalid(e.at, 'Only columns can stand here. Compute the value in a derived table first.');
	const lineage = resolveColumn(a, e, context);
	const target = a.references.get(e);
	if (target?.kind === 'merged') {
		throw unsupported(
			e.at,
			'A column of JOIN .. USING cannot stand here. Join with ON, and name the column of one table.',
		);
	}
	if (target?.kind !== 'field') {
		throw invalid(e.at, 'Only columns can stand here. Compute the value in a derived table first.');
	}
	return lineage;
}

/** The conditions of a CASE choose between values; they are no part of them. */
function resolveCase(a: Analysis, e: Extract<Expression, { kind: 'case' }>, context: Context): Lineage {
	const resolve = (part: Expression) => resolveExpression(a, part, context);
	const conditions = [
		...(e.operand === null ? [] : [resolve(e.operand)]),
		...e.branches.map(({ when }) => resolve(when)),
	];
	const values = e.branches.map(({ value }) => resolve(value));
	if (e.otherwise !== null) values.push(resolve(e.otherwise));
	return choice(conditions, values);
}

function choice(conditions: readonly Lineage[], values: readonly Lineage[]): Lineage {
	return raise(merge([...values, influence(merge(conditions), 'conditional')]), 'transformation');
}

function resolveCall(a: Analysis, e: Call, context: Context): Lineage {
	const inside: Context = isAggregate(e) && e.over === null ? { ...context, aggregate: true } : context;
	const values = new Map<Expression, Lineage>();
	for (const argument of e.arguments) {
		if (argument.kind !== 'lambda') values.set(argument, resolveExpression(a, argument, inside));
	}
	const given = merge([...values.values()]);
	for (const argument of e.arguments) {
		if (argument.kind === 'lambda') values.set(argument, resolveLambda(a, argument, e, given, context));
	}
	const [first, ...rest] = e.arguments.map((argument) => values.get(argument) ?? given);
	const own = first === undefined ? [] : isConditional(e.name) ? [choice([first], rest)] : [first, ...rest];
	const within = (parts: readonly Expression[], use: 'sort' | 'filter') =>
		influence(merge(parts.map((part) => resolveExpression(a, part, { ...inside, use }))), use);
	return merge([
		raise(merge(own), isAggregate(e) ? 'aggregation' : 'transformation'),
		within(sortKeys(e.orderBy), 'sort'),
		within(e.filter === null ? [] : [e.filter], 'filter'),
		...(e.over === null ? [] : [resolveWindow(e.over, context, (part, inner) => resolveExpression(a, part, inner))]),
	]);
}

/** A parameter stands for what is in the values that the function was given. */
function resolveLambda(a: Analysis, lambda: Lambda, call: Call, given: Lineage, context: Context): Lineage {
	countFields(a, lambda.parameters.length, lambda.at);
	const printed = lambda.parameters.map(({ text }) => unique(a.names, text));
	const types = parameterTypes(a, call, lambda);
	const lineage = raise(given, 'transformation');
	a.lambdas.set(lambda, printed);
	const fields = lambda.parameters.map(
		({ text }, index): ScopeField => ({
			name: text,
			qualifier: null,
			target: { kind: 'parameter', lambda, index, printed: printed[index] ?? text },
			lineage,
			granted: true,
			type: types[index] ?? null,
			relation: null,
		}),
	);
	const scope = { kind: 'parameters', fields, parent: context.scope } as const;
	return resolveExpression(a, lambda.body, { ...context, scope, lambda: true });
}
