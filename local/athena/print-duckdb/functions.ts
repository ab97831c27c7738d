/**
 * The functions whose Trino result DuckDB can give, by argument types. A function of core's allow-list that is not here,
 * or not for these types, runs on Athena only. Trino's results: https://trino.io/docs/current/functions.html
 *
 * A lambda counts as an argument of the type of its body and is written `lambda "x", "y": body`. It is typed after the
 * arguments before it, with the parameter types of `lambdaTypes`.
 */
import type { Call, Expression } from '#core/sql.ts';
import { aggregates } from './aggregates.ts';
import { arraySets } from './array-sets.ts';
import { arrayFunctions } from './arrays.ts';
import { binaries } from './binaries.ts';
import { bitwise } from './bitwise.ts';
import { conditionals } from './conditionals.ts';
import { dateTexts } from './date-texts.ts';
import { dates, extraction, field } from './dates.ts';
import { formatting } from './formatting.ts';
import { json } from './json.ts';
import { lambdaFunctions } from './lambdas.ts';
import { mapFunctions } from './maps.ts';
import { mathematics } from './mathematics.ts';
import { regexps } from './regexps.ts';
import { noSuffix, type Rule, type Suffix } from './rule.ts';
import { sequences } from './sequences.ts';
import { strings } from './strings.ts';
import { athenaOnly, mismatch, named, type Type } from './types.ts';
import { windows } from './windows.ts';

export { noSuffix, type Suffix } from './rule.ts';

const rules: ReadonlyMap<string, Rule> = new Map([
	...aggregates,
	...arrayFunctions,
	...arraySets,
	...binaries,
	...bitwise,
	...conditionals,
	...dates,
	...dateTexts,
	...formatting,
	...json,
	...lambdaFunctions,
	...mapFunctions,
	...mathematics,
	...regexps,
	...sequences,
	...strings,
	...windows,
]);

function ruleOf(e: Call): Rule {
	const rule = rules.get(e.name);
	if (rule === undefined) throw athenaOnly(e.at, e.name);
	return rule;
}

/** `types`: of the arguments before the lambda that is the argument at `place` (from 0). */
export function lambdaTypes(e: Call, types: readonly Type[], place: number): readonly Type[] {
	const found = ruleOf(e).lambda?.(types, place, e) ?? null;
	if (found === null) throw athenaOnly(e.at, `${e.name} of ${types.map(named).join(', ')}`);
	return found;
}

export function functionType(e: Call, types: readonly Type[]): Type {
	const type = ruleOf(e).type(types, e);
	if (type === null) throw athenaOnly(e.at, `${e.name} of ${types.map(named).join(', ')}`);
	return type;
}

/** `suffix`: the order inside an aggregate call, and FILTER or OVER after it. */
export function functionText(
	e: Call,
	types: readonly Type[],
	texts: readonly string[],
	suffix: Suffix = noSuffix,
): string {
	return ruleOf(e).text(texts, types, e, suffix);
}

type Extraction = Extract<Expression, { kind: 'extract' }>;

export function extractText(e: Extraction, type: Type, text: string): string {
	const found = field(e.field);
	if (found === undefined) throw athenaOnly(e.at, `EXTRACT(${e.field})`);
	if (type.kind === 'other') throw athenaOnly(e.at, `EXTRACT from ${type.name}`);
	const written = extraction(found, type, text);
	if (written === null) throw mismatch(e.at, `A ${named(type)} has no ${e.field}.`);
	return written;
}
