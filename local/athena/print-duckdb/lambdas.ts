/**
 * Functions that take lambdas, on arrays and maps: https://trino.io/docs/current/functions/lambda.html. A lambda comes as
 * `lambda "x", "y": body`; its type is that of its body.
 */
import { elementOf, hasNull } from './arrays.ts';
import { boolean, type Named, type Rule } from './rule.ts';
import { sameType, type Type } from './types.ts';

type Written = { readonly parameters: readonly string[]; readonly body: string };

const name = '"(?:[^"]|"")*"';
const form = new RegExp(`^lambda (${name}(?:, ${name})*): (.*)$`, 's');

function written(text: string): Written {
	const [, parameters = '', body = ''] = form.exec(text) ?? [];
	return { parameters: parameters.match(new RegExp(name, 'g')) ?? [], body };
}

/** The body with these values in place of the parameters: DuckDB's own lambdas take no two values of our choice. */
export function applied(lambda: string, values: readonly string[]): string {
	const { parameters, body } = written(lambda);
	return parameters.reduceRight(
		(inner, parameter, index) => `list_transform([${values[index]}], lambda ${parameter}: ${inner})[1]`,
		body,
	);
}

export function isTruth(type: Type | undefined): boolean {
	return type?.kind === 'boolean' || type?.kind === 'null';
}

const ofElement: NonNullable<Rule['lambda']> = ([array]) => {
	const element = elementOf(array);
	return element === null ? null : [element];
};

const transform: Rule = {
	lambda: ofElement,
	type: ([, element]) => (element === undefined || element.kind === 'interval' ? null : { kind: 'array', element }),
	text: ([array, lambda]) => `list_transform(${array}, ${lambda})`,
};

const filter: Rule = {
	lambda: ofElement,
	type: ([array, truth]) => (array !== undefined && isTruth(truth) ? array : null),
	text: ([array, lambda]) => `list_filter(${array}, ${lambda})`,
};

/** NULL where what is not known could change the answer. */
function matching(decisive: string, otherwise: string, found: string): Rule {
	return {
		lambda: ofElement,
		type: ([, truth]) => (isTruth(truth) ? boolean : null),
		text: ([array, lambda]) => {
			const truths = `CAST(list_transform(${array}, ${lambda}) AS BOOLEAN[])`;
			return (
				`(CASE WHEN ${array} IS NULL THEN NULL WHEN list_contains(${truths}, ${decisive}) THEN ${found} ` +
				`WHEN ${hasNull(truths)} THEN NULL ELSE ${otherwise} END)`
			);
		},
	};
}

/** The state goes from element to element beside a row of its own, as DuckDB's states have the type of the elements. */
const reduce: Rule = {
	lambda: ([array, state], place) => {
		const element = elementOf(array);
		if (element === null || state === undefined) return null;
		return place === 2 ? [state, element] : [state];
	},
	type: ([, state, next, result]) =>
		state !== undefined && next !== undefined && (sameType(state, next) || next.kind === 'null')
			? (result ?? null)
			: null,
	text: ([array, state, step = '', last = '']) => {
		const rows = `list_transform(${array}, lambda fl_e: struct_pack(s := ${state}, x := fl_e))`;
		const next = `struct_pack(s := ${applied(step, ['fl_s.s', 'fl_x.x'])}, x := fl_x.x)`;
		const done = `list_reduce(list_prepend(struct_pack(s := ${state}, x := NULL), ${rows}), lambda fl_s, fl_x: ${next}).s`;
		return `(CASE WHEN ${array} IS NOT NULL THEN ${applied(last, [done])} END)`;
	},
};

const zipWith: Rule = {
	lambda: ([a, b]) => {
		const [x, y] = [elementOf(a), elementOf(b)];
		return x === null || y === null ? null : [x, y];
	},
	type: ([, , element]) => (element === undefined || element.kind === 'interval' ? null : { kind: 'array', element }),
	text: ([a, b, lambda = '']) =>
		`(CASE WHEN ${a} IS NOT NULL AND ${b} IS NOT NULL ` +
		`THEN list_transform(list_zip(${a}, ${b}), lambda fl_z: ${applied(lambda, ['fl_z[1]', 'fl_z[2]'])}) END)`,
};

export const lambdaFunctions: Named = [
	['transform', transform],
	['filter', filter],
	['any_match', matching('TRUE', 'FALSE', 'TRUE')],
	['none_match', matching('TRUE', 'TRUE', 'FALSE')],
	['all_match', matching('FALSE', 'TRUE', 'FALSE')],
	['reduce', reduce],
	['zip_with', zipWith],
];
