/** What a contract document says, as the rest of Fairlead knows it and as the API shows it. */
import * as z from 'zod';
import { isView } from './rules.ts';
import { type ContractDocument, classifications, type NestedProperty } from './schema.ts';
import { AccessTemplate, templatesOf } from './templates.ts';

export const Classification = z.enum(classifications);
export type Classification = z.infer<typeof Classification>;

export const Column = z
	.object({
		name: z.string(),
		type: z.string().meta({ description: 'Glue or Athena type, lower case' }),
		classification: Classification.meta({
			description: 'The highest of the column and all within it; of all, where the contract names none',
		}),
		personal: z
			.boolean()
			.meta({ description: 'Whether it, or anything within it, is personal-data, or its class is not named' }),
		partition: z.boolean(),
		required: z.boolean().default(false).meta({ description: 'Whether the contract promises a value in every row' }),
		description: z.string().optional(),
		tokenOf: z.string().optional().meta({ description: 'The raw column that this one stands for' }),
	})
	.meta({ id: 'Column' });
export type Column = z.infer<typeof Column>;

/** A row is seen from other domains where this column equals that attribute of the consuming domain. */
export const RowScope = z.object({
	column: z.string(),
	attribute: z.string().meta({ description: 'Name of an attribute of domains, such as jurisdiction' }),
});
export type RowScope = z.infer<typeof RowScope>;

export const ContractTable = z
	.object({
		name: z.string(),
		account: z.string(),
		database: z.string(),
		view: z
			.boolean()
			.meta({ description: 'Whether it is a view: no grant opens one, those on the tables it reads do' }),
		location: z.string().optional(),
		columns: z.array(Column),
		rowScope: z.array(RowScope).meta({
			description:
				'For principals of other domains, each column equals this attribute of their domain in every row they see',
		}),
	})
	.meta({ id: 'ContractTable' });
export type ContractTable = z.infer<typeof ContractTable>;

/** A contract as the API shows it. */
export const ContractView = z
	.object({
		product: z.string(),
		domain: z.string(),
		name: z.string(),
		version: z.string(),
		status: z.string(),
		title: z.string(),
		description: z.string(),
		purposes: z.array(z.string()),
		residency: z
			.array(z.string())
			.meta({ description: 'Jurisdictions, one of which the domain of a principal must have; any if empty' }),
		owner: z.string().meta({ description: 'The team that answers for the product' }),
		sourceCodeLocation: z.string().optional(),
		tables: z.array(ContractTable),
		accessTemplates: z.array(AccessTemplate).meta({ description: 'What requests may name in place of tables' }),
		classification: Classification.meta({ description: 'The highest among the columns' }),
		personal: z.boolean(),
		deprecatedFrom: z.string().optional().meta({ description: 'Date or date-time from which to look for another' }),
		retiresAt: z.string().optional().meta({
			description:
				'Date or date-time from which no request is taken; no grant made from now on outlives it, those in force keep their end',
		}),
	})
	.meta({ id: 'Contract' });
export type ContractView = z.infer<typeof ContractView>;

export type Contract = ContractView & {
	/** The ODCS document as parsed; nothing is lost. */
	readonly document: Readonly<Record<string, unknown>>;
};

/** The contract without its document. */
export function contractView(contract: Contract): ContractView {
	const { document: _, ...view } = contract;
	return view;
}

export function viewOfDocument(document: ContractDocument): ContractView {
	const tables = document.schema.map((table) => tableOf(document, table));
	const columns = tables.flatMap((table) => table.columns);
	const { purposes, residency = [], deprecatedFrom, retiresAt } = document.customProperties;
	const { purpose = '', usage = '' } = document.description;
	const sourceCodeLocation = sourceOf(document);
	return {
		product: `${document.domain}.${document.dataProduct}`,
		domain: document.domain,
		name: document.dataProduct,
		version: document.version,
		status: document.status,
		title: document.name ?? document.dataProduct,
		description: [purpose.trim(), usage.trim()].filter(Boolean).join('\n'),
		purposes: [...new Set(purposes)],
		residency,
		owner: ownerOf(document) ?? '',
		tables,
		accessTemplates: templatesOf(document.customProperties.accessTemplates),
		classification: highest(columns.map((c) => c.classification)),
		personal: columns.some((c) => c.personal),
		...(sourceCodeLocation === undefined ? {} : { sourceCodeLocation }),
		...(deprecatedFrom === undefined ? {} : { deprecatedFrom }),
		...(retiresAt === undefined ? {} : { retiresAt }),
	};
}

type SchemaObject = ContractDocument['schema'][number];
type SchemaProperty = SchemaObject['properties'][number];

function tableOf(document: ContractDocument, table: SchemaObject): ContractTable {
	const { account, database, location: base } = document.servers;
	const name = table.physicalName ?? table.name;
	const view = isView(table);
	const below = view || base === undefined ? undefined : under(base, name);
	const location = table.customProperties.location ?? below;
	return {
		name,
		account,
		database,
		view,
		columns: table.properties.map(columnOf),
		rowScope: table.customProperties.rowScope ?? [],
		...(location === undefined ? {} : { location }),
	};
}

/** The standard writes `{model}` in a server's location where the table's name belongs; else it comes last. */
function under(base: string, table: string): string {
	return base.includes('{model}') ? base.replaceAll('{model}', table) : `${base.replace(/\/+$/, '')}/${table}`;
}

function columnOf(property: SchemaProperty): Column {
	const { tokenOf, regulatoryClass } = property.customProperties;
	const within = nestedIn(property);
	return {
		name: columnName(property),
		type: property.physicalType,
		// Publication asks for both (policies/); where a text has neither, the strictest stands.
		classification: highest([
			property.classification ?? 'restricted',
			...within.flatMap((p) => p.classification ?? []),
		]),
		personal: regulatoryClass !== 'none' || within.some((p) => p.customProperties.regulatoryClass === 'personal-data'),
		partition: property.partitioned,
		required: property.required,
		...(property.description === undefined ? {} : { description: property.description }),
		...(tokenOf === undefined ? {} : { tokenOf }),
	};
}

/** The columns for which another one of the table stands. */
export function rawColumnsOf({ columns }: Pick<ContractTable, 'columns'>): ReadonlySet<string> {
	return new Set(columns.flatMap(({ tokenOf }) => tokenOf ?? []));
}

/** Everything within a column, at any depth: access is to the whole column. */
function nestedIn({ properties = [], items }: Pick<NestedProperty, 'properties' | 'items'>): NestedProperty[] {
	return [...properties, ...(items === undefined ? [] : [items])].flatMap((part) => [part, ...nestedIn(part)]);
}

const columnName = (property: SchemaProperty) => property.physicalName ?? property.name;

function ownerOf({ team, customProperties }: ContractDocument): string | undefined {
	const name = (team as { readonly name?: unknown } | undefined)?.name;
	return typeof name === 'string' && name.trim() !== '' ? name : customProperties.owner;
}

function sourceOf(document: ContractDocument): string | undefined {
	const implementation = document.authoritativeDefinitions.find(({ type }) => type === 'implementation');
	return document.customProperties.sourceCodeLocation ?? implementation?.url;
}

function highest(found: readonly Classification[]): Classification {
	return classifications[Math.max(...found.map((c) => classifications.indexOf(c)))] ?? 'restricted';
}
