/** What all parts of the standard's documents share, and how a part's shape follows from what stands in it. */
import * as z from 'zod';

export const text = z.string();
export const texts = z.array(text);
export const flag = z.boolean();
/** Any mapping; what it holds is its author's. */
export const mapping = z.looseObject({});

/** Text of this form. */
export const like = (form: RegExp, error: string) => text.regex(form, error);

/** One of these words. */
export const oneOf = (...words: readonly [string, ...string[]]) => z.enum(words, `must be one of ${words.join(', ')}`);

/** Stands where a member must be there, whatever it is. */
export const present = z.unknown().refine((value) => value !== undefined, { error: 'is required', abort: true });

/** RFC 3986; braces are RFC 6570's, for a location with a part that is filled in later. */
export const uri = like(
	/^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2}|\{[^{}\s]*\})*$/,
	'must be a URI',
);

/** RFC 3339 full-date, and a day that there is. */
export const date = z.iso.date('must be a date, such as 2026-01-31');
/** RFC 3339 date-time: seconds and offset are not optional. */
export const dateTime = like(
	/^\d{4}-\d{2}-\d{2}[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/,
	'must be a date-time, such as 2026-01-31T12:00:00Z',
).refine((value) => date.safeParse(value.slice(0, 10)).success, 'must be a day that there is');

/** A name within the document that does not change when other things do. */
const id = like(/^[A-Za-z0-9_-]+$/, 'must be letters, digits, - or _').optional();

/** A mapping of these members and no others, which like most parts may have an id. */
export function part<S extends z.ZodRawShape>(members: S) {
	return z.strictObject({ id, ...members });
}

/** The shapes that `pick` finds for a value: it must have each of them. */
export function by(pick: (value: unknown) => z.ZodType | readonly z.ZodType[]): z.ZodType {
	return z.unknown().check((ctx) => {
		for (const shape of [pick(ctx.value)].flat()) {
			const { error } = shape.safeParse(ctx.value);
			for (const issue of error?.issues ?? []) ctx.issues.push({ ...issue, input: undefined });
		}
	});
}

/** A member of a value that may be anything. */
export function memberOf(value: unknown, name: string): unknown {
	return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
		? (value as Record<string, unknown>)[name]
		: undefined;
}

export const customProperties = z
	.array(part({ property: text, value: present, description: text.optional() }))
	.optional();

export const authoritativeDefinitions = z
	.array(part({ url: text, type: text, description: text.optional() }))
	.optional();

export const roles = z
	.array(
		part({
			role: text,
			description: text.optional(),
			access: text.optional(),
			firstLevelApprovers: text.optional(),
			secondLevelApprovers: text.optional(),
			customProperties,
		}),
	)
	.optional();
