/** Texts as measured on Athena (aws-facts section 0). */
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { violations, wrongType } from '#local/validation.ts';

const Input = z.object({
	NextToken: z.string().min(1).nullish(),
	MaxResults: z.number().int().min(1).max(50).nullish(),
	QueryExecutionId: z.string(),
	WorkGroup: z
		.string()
		.regex(/^[a-z]+$/)
		.nullish(),
	Ids: z.array(z.string().max(3)).nullish(),
	Context: z.object({}).nullish(),
	Enabled: z.boolean().nullish(),
});
const issuesOf = (input: object) => Input.safeParse(input).error?.issues ?? [];
const id = { QueryExecutionId: 'x' };

describe('a value of the wrong type is told first, by the type it has and the one it should have', () => {
	test.each<[object, string]>([
		[{ MaxResults: '1' }, 'STRING_VALUE can not be converted to an Integer'],
		[{ ...id, MaxResults: true }, 'TRUE_VALUE can not be converted to an Integer'],
		[{ QueryExecutionId: 1 }, 'NUMBER_VALUE can not be converted to a String'],
		[{ QueryExecutionId: false }, 'FALSE_VALUE can not be converted to a String'],
		[{ QueryExecutionId: [] }, 'Start of list found where not expected'],
		[{ ...id, MaxResults: {} }, 'Start of structure or map found where not expected.'],
		[{ ...id, Ids: 'a' }, 'Expected list or null'],
		[{ ...id, Context: 'a' }, 'Expected null'],
		[{ ...id, Ids: ['a', 1] }, 'NUMBER_VALUE can not be converted to a String'],
	])('%j', (input, text) => {
		expect(wrongType(issuesOf(input), input)).toBe(text);
	});

	test('a member that is missing or null has no type', () => {
		for (const input of [{}, { QueryExecutionId: null }]) expect(wrongType(issuesOf(input), input)).toBeUndefined();
	});
});

describe('what the model refuses is told by member and rule', () => {
	test.each<[object, string]>([
		[
			{},
			"1 validation error detected: Value null at 'queryExecutionId' failed to satisfy constraint: Member must not be null",
		],
		[
			{ ...id, MaxResults: 51 },
			"1 validation error detected: Value at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 50",
		],
		[
			{ ...id, MaxResults: 0, NextToken: '' },
			"2 validation errors detected: Value at 'nextToken' failed to satisfy constraint: Member must have length greater than or equal to 1; Value at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1",
		],
		[
			{ ...id, WorkGroup: 'A' },
			"1 validation error detected: Value at 'workGroup' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z]+",
		],
		[
			{ ...id, Ids: ['a', 'long'] },
			"1 validation error detected: Value at 'ids.2.member' failed to satisfy constraint: Member must have length less than or equal to 3",
		],
	])('%j', (input, text) => {
		expect(violations(issuesOf(input), input)).toBe(text);
	});
});
