/** Quality rules of the standard: in words, from its library, in SQL, or for another engine. */
import * as z from 'zod';
import {
	authoritativeDefinitions,
	by,
	customProperties,
	mapping,
	memberOf,
	oneOf,
	part,
	text,
	texts,
} from './common.ts';

const number = z.number();
const between = z
	.tuple([number, number], 'must be a list of two numbers')
	.refine(([low, high]) => low !== high, 'must be two different numbers')
	.optional();

const common = {
	name: text.optional(),
	type: oneOf('text', 'library', 'sql', 'custom').optional(),
	description: text.optional(),
	dimension: oneOf(
		'accuracy',
		'completeness',
		'conformity',
		'consistency',
		'coverage',
		'timeliness',
		'uniqueness',
	).optional(),
	method: text.optional(),
	severity: text.optional(),
	businessImpact: text.optional(),
	unit: text.optional(),
	scheduler: text.optional(),
	schedule: text.optional(),
	tags: texts.optional(),
	authoritativeDefinitions,
	customProperties,
};

const operators = {
	mustBe: z.unknown().optional(),
	mustNotBe: z.unknown().optional(),
	mustBeGreaterThan: number.optional(),
	mustBeGreaterOrEqualTo: number.optional(),
	mustBeLessThan: number.optional(),
	mustBeLessOrEqualTo: number.optional(),
	mustBeBetween: between,
	mustNotBeBetween: between,
};
const operatorNames = Object.keys(operators);

const library = {
	metric: oneOf('nullValues', 'missingValues', 'invalidValues', 'duplicateValues', 'rowCount'),
	rule: text.optional(),
	arguments: mapping.optional(),
};
const sql = { query: text };
const engine = { engine: text, implementation: z.union([text, mapping], 'must be text or a mapping') };

/** Says how many operators there are, whether or not the rest of the rule is sound. */
const oneOperator = z.unknown().check((ctx) => {
	const count = operatorNames.filter((name) => memberOf(ctx.value, name) !== undefined).length;
	if (count === 1) return;
	const message = count === 0 ? `one of ${operatorNames.join(', ')} is required` : 'only one operator';
	ctx.issues.push({ code: 'custom', message, input: ctx.value });
});

const types = ['text', 'library', 'sql', 'custom'];

/** A rule that names a metric of the library is one of the library's, whatever its type says besides. */
function shapesOf(type: unknown, metric: boolean): readonly z.ZodType[] {
	const measured = metric || type === 'library';
	const compared = measured || type === 'sql';
	const rule = part({
		...common,
		...(measured ? library : {}),
		...(type === 'sql' ? sql : {}),
		...(compared ? operators : {}),
		...(type === 'custom' ? engine : {}),
	});
	return compared ? [rule, oneOperator] : [rule];
}

const shapes = new Map(
	['', ...types].flatMap((type) => [true, false].map((metric) => [`${type} ${metric}`, shapesOf(type, metric)])),
);

const rule = by((value) => {
	const type = types.find((t) => t === memberOf(value, 'type')) ?? '';
	return shapes.get(`${type} ${typeof memberOf(value, 'metric') === 'string'}`) ?? [];
});

export const quality = z.array(rule).optional();
