/**
 * The functions whose Trino result DuckDB can give, by argument types. A function of core's allow-list that is not here,
 * or not for these types, runs on Athena only. Trino's results: https://trino.io/docs/current/functions.html
 */
import type { Call, Expression } from '#core/sql.ts';
import { aggregates } from './aggregates.ts';
import { conditionals } from './conditionals.ts';
import { dates, field } from './dates.ts';
import { mathematics } from './mathematics.ts';
import type { Rule } from './rule.ts';
import { strings } from './strings.ts';
import { athenaOnly, mismatch, named, type Type } from './types.ts';

const rules: ReadonlyMap<string, Rule> = new Map([
	...aggregates,
	...conditionals,
	...dates,
	...mathematics,
	...strings,
]);

function ruleOf(e: Call): Rule {
	const rule = rules.get(e.name);
	if (rule === undefined) throw athenaOnly(e.at, e.name);
	return rule;
}

export function functionType(e: Call, types: readonly Type[]): Type {
	const type = ruleOf(e).type(types, e);
	if (type === null) throw athenaOnly(e.at, `${e.name} of ${types.map(named).join(', ')}`);
	return type;
}

export function functionText(e: Call, types: readonly Type[], texts: readonly string[]): string {
	return ruleOf(e).text(texts, types, e);
}

type Extraction = Extract<Expression, { kind: 'extract' }>;

export function extractText(e: Extraction, type: Type, text: string): string {
	const found = field(e.field);
	if (found === undefined) throw athenaOnly(e.at, `EXTRACT(${e.field})`);
	if (type.kind !== 'timestamp' && !(type.kind === 'date' && found.date)) {
		throw mismatch(e.at, `A ${named(type)} has no ${e.field}.`);
	}
	return `${found.name}(${text})`;
}
