/** Expressions: each column reference to its target, each expression to its lineage. */
import { type Analysis, type Place, recordRead, recordUse } from './analysis.ts';
import { type ColumnReference, children, type Expression, type Query } from './ast.ts';
import { isAggregate, isConditional } from './functions.ts';
import { influence, type Lineage, merge, raise } from './lineage.ts';
import { refusal, unsupported } from './refuse.ts';
import type { Target, Use } from './resolved.ts';
import { findColumn, type Scope, type ScopeField } from './scope.ts';

export function resolveExpression(a: Analysis, e: Expression, scope: Scope, use: Use): Lineage {
	if (e.kind === 'column') return resolveColumn(a, e, scope, use);
	if (e.kind === 'scalar-query') return oneColumn(a, e.query, scope, use);
	if (e.kind === 'exists') return a.query(e.query, { parent: scope, use, names: 'unique', exists: true }).rows;
	if (e.kind === 'case') return resolveCase(a, e, scope, use);
	if (e.kind === 'call') return resolveCall(a, e, scope, use);
	const parts = children(e).map((child) => resolveExpression(a, child, scope, use));
	if (e.kind === 'in-query') parts.push(oneColumn(a, e.query, scope, use));
	return raise(merge(parts), 'transformation');
}

function resolveColumn(a: Analysis, e: ColumnReference, scope: Scope, use: Use): Lineage {
	const field = findColumn(e, scope);
	// Printed inside a sub-query, the expression behind the name would mean the tables of that one.
	if (field.target.kind === 'output' && !scope.fields.includes(field)) {
		throw unsupported(e.at, 'A sub-query in ORDER BY cannot use names of the select list.');
	}
	refer(a, e, field, use);
	return field.lineage;
}

/** Notes that `e` means this field, and every base column behind it as read. */
export function refer(a: Analysis, e: ColumnReference, field: ScopeField, use: Use): void {
	a.references.set(e, field.target);
	markRead(a, e, field.target, use);
	recordUse(a, field.lineage, use, e.at);
}

export function markRead(a: Analysis, e: Pick<ColumnReference, 'at'>, target: Target, use: Use): void {
	if (target.kind === 'merged') {
		markRead(a, e, target.left, use);
		markRead(a, e, target.right, use);
	}
	if (target.kind !== 'field') return;
	const { source, field } = target;
	source.used.add(field);
	if (source.relation === null || field.origin.kind !== 'base') return;
	const { column, granted } = field.origin;
	recordRead(a, { table: source.relation.id, column, granted, at: e.at }, use);
}

function oneColumn(a: Analysis, query: Query, scope: Scope, use: Use): Lineage {
	const place: Place = { parent: scope, use, names: 'unique', exists: false };
	const { items, rows } = a.query(query, place);
	const [item, second] = items;
	if (item === undefined || second !== undefined) {
		throw refusal('validation', query.at, 'A sub-query in an expression has exactly one column.');
	}
	return { direct: item.lineage.direct, indirect: merge([item.lineage, rows]).indirect };
}

/** The conditions of a CASE feed the value, and they choose between values. */
function resolveCase(a: Analysis, e: Extract<Expression, { kind: 'case' }>, scope: Scope, use: Use): Lineage {
	const resolve = (part: Expression) => resolveExpression(a, part, scope, use);
	const conditions = [
		...(e.operand === null ? [] : [resolve(e.operand)]),
		...e.branches.map(({ when }) => resolve(when)),
	];
	const values = e.branches.map(({ value }) => resolve(value));
	if (e.otherwise !== null) values.push(resolve(e.otherwise));
	return choice(conditions, values);
}

function choice(conditions: readonly Lineage[], values: readonly Lineage[]): Lineage {
	const all = merge([...conditions, ...values]);
	const deciding = influence(merge(conditions), 'conditional');
	return raise({ direct: all.direct, indirect: merge([all, deciding]).indirect }, 'transformation');
}

function resolveCall(a: Analysis, e: Extract<Expression, { kind: 'call' }>, scope: Scope, use: Use): Lineage {
	const [first, ...rest] = e.arguments.map((argument) => resolveExpression(a, argument, scope, use));
	if (first === undefined) return merge([]);
	if (isConditional(e.name)) return choice([first], rest);
	return raise(merge([first, ...rest]), isAggregate(e.name) ? 'aggregation' : 'transformation');
}
