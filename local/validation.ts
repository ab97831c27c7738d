/**
 * What AWS's own framework says of an input that its service model refuses: which members, and why. Texts as measured
 * on Athena (aws-facts section 0 and 3, "API details"); the services of this family share them.
 */
import type * as z from 'zod';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** A value of the wrong JSON type, which is told before anything else is looked at; undefined if there is none. */
export function wrongType(issues: readonly Issue[], input: unknown): string | undefined {
	for (const issue of issues) {
		if (issue.code !== 'invalid_type') continue;
		const value = valueAt(input, issue.path);
		// A whole number where the model has none is cut off by AWS and refused here as out of range.
		if (value !== undefined && value !== null) return conversion(value, issue.expected);
	}
	return undefined;
}

/** Every member that is missing or out of range, in one text. */
export function violations(issues: readonly Issue[], input: unknown): string {
	const texts = issues.map((issue) => `${memberText(issue, input)} failed to satisfy constraint: ${constraint(issue)}`);
	return `${texts.length} validation error${texts.length === 1 ? '' : 's'} detected: ${texts.join('; ')}`;
}

function conversion(value: unknown, expected: string): string {
	if (Array.isArray(value)) return 'Start of list found where not expected';
	if (typeof value === 'object') return 'Start of structure or map found where not expected.';
	if (expected === 'array') return 'Expected list or null';
	if (expected === 'object' || expected === 'record') return 'Expected null';
	const what = expected === 'string' ? 'a String' : expected === 'boolean' ? 'a Boolean' : 'an Integer';
	return `${tokenOf(value)} can not be converted to ${what}`;
}

function tokenOf(value: unknown): string {
	if (typeof value === 'string') return 'STRING_VALUE';
	if (typeof value === 'number') return 'NUMBER_VALUE';
	return value === true ? 'TRUE_VALUE' : 'FALSE_VALUE';
}

function memberText(issue: Issue, input: unknown): string {
	const value = valueAt(input, issue.path);
	const missing = value === undefined || value === null;
	return `Value ${missing ? 'null ' : ''}at '${issue.path.map(memberName).join('.')}'`;
}

/** Members are told in lower camel case, however the protocol writes them; elements of a list count from one. */
function memberName(key: PropertyKey): string {
	if (typeof key === 'number') return `${key + 1}.member`;
	const name = String(key);
	return name.charAt(0).toLowerCase() + name.slice(1);
}

function constraint(issue: Issue): string {
	if (issue.code === 'too_small')
		return `Member must have ${measure(issue.origin)} greater than or equal to ${issue.minimum}`;
	if (issue.code === 'too_big')
		return `Member must have ${measure(issue.origin)} less than or equal to ${issue.maximum}`;
	if (issue.code === 'invalid_type') return 'Member must not be null';
	if (issue.code === 'invalid_format') {
		const pattern = (issue.pattern ?? '').replace(/^\/\^?|\$?\/[a-z]*$/g, '');
		return `Member must satisfy regular expression pattern: ${pattern}`;
	}
	if (issue.code === 'invalid_value')
		return `Member must satisfy enum value set: [${issue.values.map(String).join(', ')}]`;
	return issue.message;
}

function measure(origin: string): string {
	return origin === 'string' || origin === 'array' ? 'length' : 'value';
}

function valueAt(input: unknown, path: Path): unknown {
	let value = input;
	for (const key of path) {
		if (typeof value !== 'object' || value === null) return undefined;
		value = (value as Record<PropertyKey, unknown>)[key];
	}
	return value;
}
