/**
 * The functions a query may call: an allow-list, since an unknown function may read what no column names. A call that is
 * not as Trino takes it is refused here with its position, before anything is resolved.
 *
 * Lambdas: a call takes them only at the places of its rule. That none stands anywhere else is for whoever builds the
 * tree: a lambda is built as an argument of a call and nowhere else.
 */
import type { Call, Expression, Lambda } from './ast.ts';
import { unknownFunction } from './functions/near.ts';
import { bareFunctions, type FunctionRule, rules } from './functions/rules.ts';
import { refusal, unsupported } from './refuse.ts';
import { descendants, subquery, windowParts } from './walk.ts';

export { bareFunctions } from './functions/rules.ts';

/** Trino's fields of EXTRACT; week_of_year and the like are functions only. */
export const extractFields: ReadonlySet<string> = new Set([
	'year',
	'quarter',
	'month',
	'week',
	'day',
	'day_of_month',
	'day_of_week',
	'dow',
	'day_of_year',
	'doy',
	'year_of_week',
	'yow',
	'hour',
	'minute',
	'second',
	'timezone_hour',
	'timezone_minute',
]);

export function functionRule(name: string): FunctionRule | undefined {
	return rules.get(name);
}

/** An aggregate function; with OVER its values are those of a window, which is an aggregation no less. */
export function isAggregate(e: Call): boolean {
	return rules.get(e.name)?.kind === 'aggregate';
}

/** The first argument only decides which of the others is the result. */
export function isConditional(name: string): boolean {
	return rules.get(name)?.conditional ?? false;
}

/** For documentation and for the tests that every function has samples. */
export function functionNames(): readonly string[] {
	return [...rules.keys(), ...bareFunctions];
}

/** Throws unless the function is on the list and is called as Trino lets it be called. */
export function demandAllowed(e: Call): void {
	if (e.bare) {
		if (!bareFunctions.has(e.name)) throw unsupported(e.at, unknownFunction(e.name));
		if (e.arguments.length > 0 || isModified(e)) throw wrong(e, 'takes nothing with it');
		return;
	}
	const rule = rules.get(e.name);
	if (rule === undefined) throw unsupported(e.at, unknownFunction(e.name));
	demandArguments(e, rule);
	demandLambdas(e, rule);
	if (rule.kind === 'aggregate') demandAggregate(e);
	else demandPlain(e, rule);
	demandNulls(e, rule);
	if (rule.kind === 'window' || e.over !== null) demandWindow(e, rule);
	demandNesting(e, rule);
}

function wrong(e: Call, what: string): Error {
	return refusal('validation', e.at, `The function ${e.name} ${what}.`);
}

function isModified(e: Call): boolean {
	return e.distinct || e.star || e.orderBy.length > 0 || e.filter !== null || e.over !== null || e.nulls !== null;
}

function demandArguments(e: Call, { least, most, gap }: FunctionRule): void {
	const { length } = e.arguments;
	if (e.star && (e.name !== 'count' || length > 0)) throw wrong(e, 'takes no star');
	if (length < least || length > most || length === gap) {
		throw wrong(e, `does not take ${length === 1 ? 'one argument' : `${length} arguments`}`);
	}
	if (length === 0 && e.distinct) throw wrong(e, 'takes DISTINCT only before an argument');
}

function demandLambdas(e: Call, { lambdas, orLambda }: FunctionRule): void {
	for (const [index, argument] of e.arguments.entries()) {
		const parameters = lambdas.get(index) ?? (argument.kind === 'lambda' ? orLambda.get(index) : undefined);
		if (parameters === undefined) {
			if (argument.kind === 'lambda') {
				throw refusal('validation', argument.at, `The function ${e.name} takes no lambda here.`);
			}
		} else if (argument.kind !== 'lambda' || argument.parameters.length !== parameters) {
			const wanted = parameters === 1 ? 'one parameter' : `${parameters} parameters`;
			throw refusal('validation', argument.at, `The function ${e.name} takes a lambda of ${wanted} here.`);
		} else {
			demandBody(argument);
		}
	}
}

/** The body of a lambda is computed for each element: nothing that looks at rows stands in it. */
function demandBody({ body }: Lambda): void {
	const found = findIn([body], (e) => subquery(e) !== null || looksAtRows(e));
	if (found === null) return;
	if (subquery(found) !== null) throw unsupported(found.at, 'A sub-query in a lambda is not supported.');
	throw refusal('validation', found.at, 'A lambda holds no aggregate, window function or GROUPING.');
}

function demandAggregate(e: Call): void {
	if (e.name === 'listagg' && e.orderBy.length === 0) {
		throw wrong(e, 'takes its order: write listagg(x, separator) WITHIN GROUP (ORDER BY y)');
	}
	if (e.over === null) return;
	// As in Trino: https://github.com/trinodb/trino/blob/450/core/trino-main/src/main/java/io/trino/sql/analyzer/
	if (e.distinct) throw wrong(e, 'does not take DISTINCT together with OVER');
	if (e.orderBy.length > 0) throw wrong(e, 'does not take an order of its own together with OVER');
	if (e.filter !== null) throw wrong(e, 'does not take FILTER together with OVER');
}

function demandPlain(e: Call, { kind }: FunctionRule): void {
	if (e.distinct) throw wrong(e, 'is no aggregate and takes no DISTINCT');
	if (e.orderBy.length > 0) throw wrong(e, 'is no aggregate and takes no ORDER BY');
	if (e.filter !== null) throw wrong(e, 'is no aggregate and takes no FILTER');
	if (kind === 'scalar' && e.over !== null) throw wrong(e, 'is no window function and takes no OVER');
	if (kind === 'window' && e.over === null) throw wrong(e, 'is a window function and needs OVER');
}

function demandNulls(e: Call, rule: FunctionRule): void {
	if (e.nulls !== null && !rule.nulls) {
		throw wrong(e, `does not take ${e.nulls === 'ignore' ? 'IGNORE' : 'RESPECT'} NULLS`);
	}
}

/** lag and lead count rows in an order, and look at no frame; that of a window named elsewhere is Trino's to check. */
function demandWindow(e: Call, rule: FunctionRule): void {
	const { over } = e;
	if (over?.kind !== 'window' || (e.name !== 'lag' && e.name !== 'lead')) return;
	if (rule.kind !== 'window') return;
	if (over.base === null && over.orderBy.length === 0) throw wrong(e, 'needs ORDER BY in its window');
	if (over.frame !== null) throw wrong(e, 'takes no frame in its window');
}

/** Aggregates stand in window functions, never the other way round, and neither in its own kind. */
function demandNesting(e: Call, rule: FunctionRule): void {
	if (rule.kind === 'scalar') return;
	const parts = [...e.arguments, ...e.orderBy.map(({ expression }) => expression)];
	if (e.over !== null) {
		const inner = findIn([...parts, ...windowParts(e.over)], (part) => part.kind === 'call' && part.over !== null);
		if (inner !== null) throw refusal('validation', inner.at, 'A window function cannot stand inside another one.');
		return;
	}
	const inner = findIn(e.filter === null ? parts : [...parts, e.filter], looksAtRows);
	if (inner !== null) {
		const sentence = 'An aggregate, a window function or GROUPING cannot stand inside an aggregate.';
		throw refusal('validation', inner.at, `${sentence} Compute it in a derived table first.`);
	}
}

function looksAtRows(e: Expression): boolean {
	return e.kind === 'grouping' || (e.kind === 'call' && (e.over !== null || isAggregate(e)));
}

/** Sub-queries are not entered: they have rows of their own. */
function findIn(parts: readonly Expression[], wanted: (e: Expression) => boolean): Expression | null {
	for (const part of parts) for (const e of descendants(part)) if (wanted(e)) return e;
	return null;
}
