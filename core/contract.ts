/**
 * Data contracts: the Open Data Contract Standard document (v3) that describes one data product, read into what
 * Fairlead needs of it. Pure: the same text always gives the same contract or the same list of faults, all of them
 * at once, each with its JSON pointer and line. The document itself is kept as it was written.
 * The standard: https://bitol-io.github.io/open-data-contract-standard/v3.1.0/
 */
import * as z from 'zod';
import { at, ruleFaults } from './contract/rules.ts';
import { ContractDocument, classifications } from './contract/schema.ts';
import { type ContractFault, faultAt, invalid, readText, type Source } from './contract/text.ts';

export { classifications } from './contract/schema.ts';
export type { ContractFault } from './contract/text.ts';

export const Classification = z.enum(classifications);
export type Classification = z.infer<typeof Classification>;

export const Column = z
	.object({
		name: z.string(),
		type: z.string().meta({ description: 'Glue or Athena type, lower case' }),
		classification: Classification,
		personal: z.boolean().meta({ description: 'Whether the regulatory class is personal-data' }),
		partition: z.boolean(),
		description: z.string().optional(),
		tokenOf: z.string().optional().meta({ description: 'The raw column that this one stands for' }),
	})
	.meta({ id: 'Column' });
export type Column = z.infer<typeof Column>;

export const ContractTable = z
	.object({
		name: z.string(),
		account: z.string(),
		database: z.string(),
		location: z.string().optional(),
		columns: z.array(Column),
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
		owner: z.string(),
		sourceCodeLocation: z.string().optional(),
		tables: z.array(ContractTable),
		classification: Classification.meta({ description: 'The highest among the columns' }),
		personal: z.boolean(),
		deprecatedFrom: z.string().optional(),
		retiresAt: z.string().optional(),
	})
	.meta({ id: 'Contract' });
export type ContractView = z.infer<typeof ContractView>;

export type Contract = ContractView & {
	/** The ODCS document as parsed; nothing is lost. */
	readonly document: Readonly<Record<string, unknown>>;
};

/**
 * Throws `too-large` over 512 KiB, else `contract-invalid` with `errors: ContractFault[]`: every fault of the text, or
 * if the text can be read, every fault of the contract.
 */
export function parseContract(text: string, format: 'yaml' | 'json'): Contract {
	const source = readText(text, format);
	const read = ContractDocument.safeParse(source.value);
	const shape = read.success ? [] : read.error.issues.map((issue) => shapeFault(source, issue));
	const faults = [...shape, ...ruleFaults(source)];
	if (!read.success || faults.length > 0) throw invalid(faults);
	return { ...viewOfDocument(read.data), document: source.value };
}

/** The contract without its document. */
export function contractView(contract: Contract): ContractView {
	const { document: _, ...view } = contract;
	return view;
}

function shapeFault(source: Source, issue: z.core.$ZodIssue): ContractFault {
	const missing = issue.code === 'invalid_type' && at(source.value, issue.path) === undefined;
	return faultAt(source, issue.path, missing ? 'is required' : issue.message);
}

function viewOfDocument(document: ContractDocument): ContractView {
	const tables = document.schema.map((table) => tableOf(document, table));
	const columns = tables.flatMap((table) => table.columns);
	const { purposes, deprecatedFrom, retiresAt } = document.customProperties;
	const { purpose = '', usage = '' } = document.description;
	const sourceCodeLocation = sourceOf(document);
	return {
		product: `${document.domain}.${document.dataProduct}`,
		domain: document.domain,
		name: document.dataProduct,
		version: document.version,
		status: document.status,
		title: document.name,
		description: [purpose.trim(), usage.trim()].filter(Boolean).join('\n'),
		purposes: [...new Set(purposes)],
		owner: ownerOf(document) ?? '',
		tables,
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
	const location = table.customProperties.location ?? (base === undefined ? undefined : under(base, name));
	return {
		name,
		account,
		database,
		columns: table.properties.map(columnOf),
		...(location === undefined ? {} : { location }),
	};
}

/** The standard writes `{model}` in a server's location where the table's name belongs; else it comes last. */
function under(base: string, table: string): string {
	return base.includes('{model}') ? base.replaceAll('{model}', table) : `${base.replace(/\/+$/, '')}/${table}`;
}

function columnOf(property: SchemaProperty): Column {
	const { tokenOf, regulatoryClass } = property.customProperties;
	return {
		name: columnName(property),
		type: property.physicalType,
		classification: property.classification,
		personal: regulatoryClass === 'personal-data',
		partition: property.partitioned,
		...(property.description === undefined ? {} : { description: property.description }),
		...(tokenOf === undefined ? {} : { tokenOf }),
	};
}

const columnName = (property: SchemaProperty) => property.physicalName ?? property.name;

function ownerOf(document: ContractDocument): string | undefined {
	const { team, customProperties } = document;
	return (Array.isArray(team) ? undefined : team?.name) ?? customProperties.owner;
}

function sourceOf(document: ContractDocument): string | undefined {
	const implementation = document.authoritativeDefinitions.find(({ type }) => type === 'implementation');
	return document.customProperties.sourceCodeLocation ?? implementation?.url;
}

function highest(found: readonly Classification[]): Classification {
	return classifications[Math.max(...found.map((c) => classifications.indexOf(c)))] ?? 'restricted';
}
