/**
 * The parts of an Open Data Contract Standard v3 document that Fairlead reads, and what it needs of them beyond
 * the standard (needs.ts). Members that are not named here are the contract's own business and pass untouched.
 *
 * `customProperties` carry what the standard has no field for:
 *   contract  purposes, owner (when `team` has no name), sourceCodeLocation, deprecatedFrom, retiresAt, residency,
 *             accessTemplates
 *   table     location, rowScope
 *   column    regulatoryClass, tokenOf
 */
import * as z from 'zod';
import { needs } from './needs.ts';
import { athenaType } from './type.ts';

/** Ascending. */
export const classifications = ['public', 'internal', 'confidential', 'restricted'] as const;
export const regulatoryClasses = ['none', 'personal-data'] as const;

/** https://semver.org/#is-there-a-suggested-regular-expression-regex-to-check-a-semver-string */
const pre = String.raw`(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)`;
const semver = new RegExp(
	String.raw`^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(?:-${pre}(?:\.${pre})*)?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$`,
);

const text = z.string(needs['text-value']);
const Text = text.trim().regex(/./, needs['not-blank']);
const ProductPart = text.regex(/^[a-z][a-z0-9_-]{0,62}$/, needs['product-id']);
const PurposeId = text.regex(/^[a-z][a-z0-9_-]{0,62}$/, needs['purpose-id']);
const GlueName = text.regex(/^[a-z0-9_]{1,255}$/, needs['glue-name']);
const ColumnName = text.regex(/^[a-z_][a-z0-9_]{0,254}$/, needs['glue-name']);
const S3Uri = text.regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[^\s]*)?$/, needs['s3-location']);
const AttributeName = text.regex(/^[a-z][a-z0-9_-]{0,62}$/, needs['row-scope-attribute']);
const Jurisdiction = z.string(needs.residency).regex(/^[A-Za-z0-9_-]{1,100}$/, needs.residency);
const Instant = z.union([z.iso.date(), z.iso.datetime({ offset: true })], needs.instant);

const Type = text.transform((written, ctx) => {
	const type = athenaType(written);
	if (type !== null) return type;
	ctx.issues.push({ code: 'custom', message: needs['athena-type'], input: written });
	return z.NEVER;
});

/** A fault of a part, as a fault of the whole that holds the part at `prefix`. */
function below(prefix: readonly PropertyKey[], issue: z.core.$ZodIssue): z.core.$ZodRawIssue {
	return { ...issue, path: [...prefix, ...issue.path], input: issue.input } as z.core.$ZodRawIssue;
}

/** `customProperties`, read as an object of the properties in `shape`; one of them given twice is nobody's intent. */
function custom<S extends z.ZodRawShape>(shape: S) {
	const known = z.object(shape);
	return z
		.array(z.object({ property: text, value: z.unknown() }))
		.default([])
		.transform((list, ctx) => {
			const at = new Map<string, number>();
			for (const [i, { property }] of list.entries()) {
				if (at.has(property) && Object.hasOwn(shape, property)) {
					ctx.issues.push({
						code: 'custom',
						path: [i, 'property'],
						message: needs['custom-property-once'],
						input: property,
					});
				}
				at.set(property, i);
			}
			const read = known.safeParse(Object.fromEntries(list.map(({ property, value }) => [property, value])));
			if (read.success) return read.data;
			for (const issue of read.error.issues) {
				const [property, ...path] = issue.path;
				const index = at.get(String(property));
				if (index === undefined) ctx.issues.push({ code: 'custom', message: issue.message, input: list });
				else ctx.issues.push(below([index, 'value'], { ...issue, path }));
			}
			return z.NEVER;
		});
}

/** A field of a struct, or what an array holds: read for its class alone, which is a question of the whole column. */
const NestedProperty = z.object({
	classification: z.enum(classifications, needs.classification).optional(),
	customProperties: custom({ regulatoryClass: z.enum(regulatoryClasses, needs['regulatory-class']).optional() }),
	get properties(): z.ZodOptional<z.ZodArray<typeof NestedProperty>> {
		return z.array(NestedProperty).optional();
	},
	get items(): z.ZodOptional<typeof NestedProperty> {
		return NestedProperty.optional();
	},
});
export type NestedProperty = z.infer<typeof NestedProperty>;

const SchemaProperty = z.object({
	name: Text,
	physicalName: ColumnName.optional(),
	physicalType: Type,
	/** A missing one is a question for the rules of publication; a misspelt one must not pass for any. */
	classification: z.enum(classifications, needs.classification).optional(),
	description: z.string().optional(),
	required: z.boolean().default(false),
	partitioned: z.boolean().default(false),
	customProperties: custom({
		regulatoryClass: z.enum(regulatoryClasses, needs['regulatory-class']).optional(),
		tokenOf: ColumnName.optional(),
	}),
	properties: z.array(NestedProperty).optional(),
	items: NestedProperty.optional(),
});

const SchemaObject = z.object({
	name: Text,
	physicalName: GlueName.optional(),
	/** `view`; everything else is a table. The standard has no closed list, so Glue is asked whether it agrees. */
	physicalType: z.string().optional().catch(undefined),
	description: z.string().optional(),
	properties: z.array(SchemaProperty, needs.columns).min(1, needs.columns),
	customProperties: custom({
		location: S3Uri.optional(),
		/** For principals of other domains: the column equals this attribute of their domain, in every row they see. */
		rowScope: z
			.array(
				z.strictObject({ column: z.string(needs['row-scope']), attribute: AttributeName }, needs['row-scope']),
				needs['row-scope'],
			)
			.min(1, needs['row-scope'])
			.optional(),
	}),
});

const GlueServer = z.object({
	account: text.regex(/^[0-9]{12}$/, needs['account-id']),
	database: GlueName,
	location: S3Uri.optional(),
});

/** The one server of type glue; servers of other types describe the same data elsewhere and are not read. */
const Servers = z.array(z.looseObject({ type: text }), needs['one-glue-server']).transform((list, ctx) => {
	const glue = list.findIndex(({ type }) => type === 'glue');
	const second = list.findIndex(({ type }, i) => type === 'glue' && i !== glue);
	if (second !== -1) {
		ctx.issues.push({ code: 'custom', path: [second], message: needs['one-glue-server'], input: list });
	}
	if (glue === -1) {
		ctx.issues.push({ code: 'custom', message: needs['one-glue-server'], input: list });
		return z.NEVER;
	}
	const read = GlueServer.safeParse(list[glue]);
	if (read.success) return { ...read.data, index: glue };
	for (const issue of read.error.issues) ctx.issues.push(below([glue], issue));
	return z.NEVER;
});

export const ContractDocument = z.object({
	apiVersion: text.regex(/^v3\./, needs['api-version']),
	name: Text.optional(),
	version: text.max(64, needs['semantic-version']).regex(semver, needs['semantic-version']),
	status: Text,
	domain: ProductPart,
	dataProduct: ProductPart,
	description: z.object({ purpose: z.string().optional(), usage: z.string().optional() }).default({}),
	/** v3.1 has an object; the list of v3.0 is still allowed and has no name. */
	team: z.unknown().optional(),
	servers: Servers,
	schema: z.array(SchemaObject, needs.tables).min(1, needs.tables),
	authoritativeDefinitions: z.array(z.object({ url: z.string(), type: z.string() })).default([]),
	customProperties: custom({
		purposes: z.array(PurposeId, needs.purposes).min(1, needs.purposes),
		owner: Text.optional(),
		sourceCodeLocation: z.url(needs['source-url']).optional(),
		deprecatedFrom: Instant.optional(),
		retiresAt: Instant.optional(),
		/** Where the domain of a principal must be; anywhere if absent. */
		residency: z
			.array(Jurisdiction, needs.residency)
			.min(1, needs.residency)
			.refine((list) => new Set(list).size === list.length, needs.residency)
			.optional(),
		/** Read by templates.ts, which refuses at publication alone. */
		accessTemplates: z.unknown().optional(),
	}),
});
export type ContractDocument = z.infer<typeof ContractDocument>;
