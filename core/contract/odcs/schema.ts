/** Tables and columns of the standard. What options a column's logical type has depends on the type. */
import * as z from 'zod';
import {
	authoritativeDefinitions,
	by,
	customProperties,
	flag,
	mapping,
	memberOf,
	oneOf,
	part,
	present,
	text,
	texts,
} from './common.ts';
import { quality } from './quality.ts';
import { columnRelationships, tableRelationships } from './relationships.ts';

const may = text.optional();
const count = z.int().min(0, 'must not be negative').optional();
const number = z.number().optional();
const bounds = (bound: z.ZodType) => ({
	minimum: bound,
	maximum: bound,
	exclusiveMinimum: bound,
	exclusiveMaximum: bound,
});
const numeric = { ...bounds(number), multipleOf: z.number().positive('must be more than 0').optional() };
const instant = { format: may, ...bounds(may), timezone: flag.optional(), defaultTimezone: may };
const distinct = texts
	.min(1, 'at least one name')
	.refine((names) => new Set(names).size === names.length, 'a name twice');

const widths = ['8', '16', '32', '64', '128'];
const integers = [...widths.map((w) => `i${w}`), ...widths.map((w) => `u${w}`)] as [string, ...string[]];

const options: Readonly<Record<string, z.ZodType>> = {
	string: z.strictObject({ minLength: count, maxLength: count, pattern: may, format: may }),
	date: z.strictObject({ format: may, ...bounds(may) }),
	timestamp: z.strictObject(instant),
	time: z.strictObject(instant),
	integer: z.strictObject({ ...numeric, format: oneOf(...integers).optional() }),
	number: z.strictObject({ ...numeric, format: oneOf('f32', 'f64').optional() }),
	object: z.strictObject({ minProperties: count, maxProperties: count, required: distinct.optional() }),
	array: z.strictObject({ minItems: count, maxItems: count, uniqueItems: flag.optional() }),
	boolean: mapping,
};
const logicalTypes = Object.keys(options) as [string, ...string[]];

const element = {
	physicalType: may,
	physicalName: may,
	description: may,
	businessName: may,
	authoritativeDefinitions,
	tags: texts.optional(),
	customProperties,
	quality,
};

const column = {
	...element,
	logicalType: oneOf(...logicalTypes).optional(),
	primaryKey: flag.optional(),
	primaryKeyPosition: z.int().optional(),
	required: flag.optional(),
	unique: flag.optional(),
	partitioned: flag.optional(),
	partitionKeyPosition: z.int().optional(),
	classification: may,
	encryptedName: may,
	transformSourceObjects: texts.optional(),
	transformLogic: may,
	transformDescription: may,
	examples: z.array(present).optional(),
	criticalDataElement: flag.optional(),
	relationships: columnRelationships,
};

/** A column without a logical type has no options; what it holds may be told all the same. */
const untyped = z.strictObject({});
const none = '';

function shapeOf(type: string, name: z.ZodType): z.ZodType {
	return part({
		...column,
		name,
		logicalTypeOptions: (Object.hasOwn(options, type) ? (options[type] ?? untyped) : untyped).optional(),
		...(type === 'object' || type === none ? { properties: z.array(property).optional() } : {}),
		...(type === 'array' || type === none ? { items: item.optional() } : {}),
	});
}

/** Of a column whose logical type there is not, the options are not judged. */
const unknown = z.looseObject({ ...column });

function propertyOf(name: z.ZodType): z.ZodType {
	const shapes = new Map<string, z.ZodType>();
	return by((value) => {
		const type = memberOf(value, 'logicalType') ?? none;
		if (typeof type !== 'string' || (type !== none && !Object.hasOwn(options, type))) return unknown;
		const shape = shapes.get(type) ?? shapeOf(type, name);
		shapes.set(type, shape);
		return shape;
	});
}

const property = propertyOf(text);
/** What an array holds; it needs no name. */
const item = propertyOf(may);

export const table = part({
	...element,
	name: text,
	logicalType: oneOf('object').optional(),
	dataGranularityDescription: may,
	properties: z.array(property).optional(),
	relationships: tableRelationships,
});
