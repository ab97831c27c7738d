/**
 * The parts of an Open Data Contract Standard v3 document that Fairlead reads, and what it asks of them beyond
 * the standard (https://bitol-io.github.io/open-data-contract-standard/v3.1.0/). Members that are not named here
 * are the contract's own business and pass untouched.
 *
 * `customProperties` carry what the standard has no field for:
 *   contract  purposes, owner (when `team` has no name), sourceCodeLocation, deprecatedFrom, retiresAt
 *   table     location
 *   column    regulatoryClass, tokenOf
 */
import * as z from 'zod';
import { AccountId, Slug } from '../id.ts';
import { athenaType } from './type.ts';

/** Ascending. */
export const classifications = ['public', 'internal', 'confidential', 'restricted'] as const;
export const regulatoryClasses = ['none', 'personal-data'] as const;

/** https://semver.org/#is-there-a-suggested-regular-expression-regex-to-check-a-semver-string */
const pre = String.raw`(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)`;
const semver = new RegExp(
	String.raw`^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(?:-${pre}(?:\.${pre})*)?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$`,
);

const Text = z.string().trim().regex(/./, 'must not be blank');
const GlueName = z
	.string()
	.max(255)
	.regex(/^[a-z0-9_]+$/, 'must be lower-case letters, digits and _, as Glue has it');
const ColumnName = z
	.string()
	.max(255)
	.regex(/^[a-z_][a-z0-9_]*$/, 'must be lower-case letters, digits and _, as Glue has it');
const S3Uri = z.string().regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[^\s]*)?$/, 'must be s3://<bucket>/<key>');
const Instant = z.union([z.iso.date(), z.iso.datetime({ offset: true })], 'must be an ISO 8601 date or date-time');

const Type = z.string().transform((text, ctx) => {
	const type = athenaType(text);
	if (type !== null) return type;
	ctx.issues.push({
		code: 'custom',
		message: 'must be a type that Athena has, such as bigint or decimal(10,2)',
		input: text,
	});
	return z.NEVER;
});

/** A fault of a part, as a fault of the whole that holds the part at `prefix`. */
function below(prefix: readonly PropertyKey[], issue: z.core.$ZodIssue): z.core.$ZodRawIssue {
	return { ...issue, path: [...prefix, ...issue.path], input: issue.input } as z.core.$ZodRawIssue;
}

/** `customProperties`, read as an object of the properties in `shape`; a property given twice is nobody's intent. */
function custom<S extends z.ZodRawShape>(shape: S) {
	const known = z.object(shape);
	return z
		.array(z.object({ property: Text, value: z.unknown() }))
		.default([])
		.transform((list, ctx) => {
			const at = new Map<string, number>();
			for (const [i, { property }] of list.entries()) {
				if (at.has(property)) {
					ctx.issues.push({ code: 'custom', path: [i, 'property'], message: `\`${property}\` twice`, input: property });
				}
				at.set(property, i);
			}
			const read = known.safeParse(Object.fromEntries(list.map(({ property, value }) => [property, value])));
			if (read.success) return read.data;
			for (const issue of read.error.issues) {
				const [property, ...path] = issue.path;
				const index = at.get(String(property));
				if (index === undefined) {
					ctx.issues.push({ code: 'custom', message: `property \`${String(property)}\` is required`, input: list });
				} else ctx.issues.push(below([index, 'value'], { ...issue, path }));
			}
			return z.NEVER;
		});
}

const SchemaProperty = z.object({
	name: Text,
	physicalName: ColumnName.optional(),
	physicalType: Type,
	classification: z.enum(classifications, `must be one of ${classifications.join(', ')}`),
	description: z.string().optional(),
	partitioned: z.boolean().default(false),
	customProperties: custom({
		regulatoryClass: z.enum(regulatoryClasses, `must be one of ${regulatoryClasses.join(', ')}`).default('none'),
		tokenOf: ColumnName.optional(),
	}),
});

const SchemaObject = z.object({
	name: Text,
	physicalName: GlueName.optional(),
	description: z.string().optional(),
	properties: z.array(SchemaProperty).min(1, 'at least one column'),
	customProperties: custom({ location: S3Uri.optional() }),
});

const GlueServer = z.object({
	server: Text,
	account: AccountId,
	database: GlueName,
	location: S3Uri.optional(),
});

/** The one server of type glue; servers of other types describe the same data elsewhere and are not read. */
const Servers = z.array(z.looseObject({ server: Text, type: Text })).transform((list, ctx) => {
	const glue = list.findIndex(({ type }) => type === 'glue');
	const second = list.findIndex(({ type }, i) => type === 'glue' && i !== glue);
	if (second !== -1) {
		ctx.issues.push({ code: 'custom', path: [second], message: 'a second server of type glue', input: list });
	}
	if (glue === -1) {
		ctx.issues.push({ code: 'custom', message: 'exactly one server of type glue is required', input: list });
		return z.NEVER;
	}
	const read = GlueServer.safeParse(list[glue]);
	if (read.success) return read.data;
	for (const issue of read.error.issues) ctx.issues.push(below([glue], issue));
	return z.NEVER;
});

/** v3.1 has an object; the list of v3.0 is still allowed and has no name. */
const Team = z.union([z.object({ name: Text.optional() }), z.array(z.unknown())], 'must be a team, with a name');

export const ContractDocument = z.object({
	apiVersion: z.string().regex(/^v3\.\d+\.\d+$/, 'must be v3.x.y, such as v3.1.0'),
	kind: z.literal('DataContract', 'must be DataContract'),
	id: Text,
	name: Text,
	version: z.string().max(64).regex(semver, 'must be a semantic version, such as 1.0.0'),
	status: Text,
	domain: Slug,
	dataProduct: Slug,
	description: z.object({ purpose: z.string().optional(), usage: z.string().optional() }).default({}),
	team: Team.optional(),
	servers: Servers,
	schema: z.array(SchemaObject).min(1, 'at least one table'),
	slaProperties: z
		.array(z.object({ property: Text, value: z.union([z.string(), z.number(), z.boolean(), z.null()]) }))
		.min(1, 'at least one promise'),
	authoritativeDefinitions: z.array(z.object({ url: Text, type: Text })).default([]),
	customProperties: custom({
		purposes: z.array(Slug).min(1, 'at least one purpose'),
		owner: Text.optional(),
		sourceCodeLocation: z.url().optional(),
		deprecatedFrom: Instant.optional(),
		retiresAt: Instant.optional(),
	}),
});
export type ContractDocument = z.infer<typeof ContractDocument>;
