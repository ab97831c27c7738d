/**
 * A contract for tables that have none, as far as files can tell it. What only a person can say is left open and marked
 * FILL IN, so that the rules of publication refuse the draft until somebody has said it; what a person may relax stands
 * at its strictest and is marked CHECK.
 */
import { Document, isMap, isScalar } from 'yaml';
import type { FoundColumn, FoundFormat, Read } from './columns.ts';
import type { FoundTable } from './tables.ts';

export type Described = FoundTable & Read;

export type Wishes = {
	readonly domain: string;
	readonly name: string;
	/** 12 digits; none is nobody's account. */
	readonly account: string | undefined;
	readonly bucket: string;
};

export type Draft = { readonly file: string; readonly text: string };

type Mark = { readonly path: readonly (string | number)[]; readonly says: string };
type Marked = { readonly value: object; readonly marks: readonly Mark[] };

const NOBODY = '000000000000';

/** Throws when the tables cannot stand in one contract, whose server has one format. */
export function draft(tables: readonly Described[], wishes: Wishes): Draft {
	const { domain, name, account, bucket } = wishes;
	const drafted = distinct(tables.map((t) => snakeCase(t.name))).map((table, i) => tableOf(tables[i], table, bucket));
	const document = new Document({
		apiVersion: 'v3.1.0',
		kind: 'DataContract',
		id: `urn:data-product:${domain}.${name}`,
		name: title(name),
		version: '1.0.0',
		status: 'draft',
		domain,
		dataProduct: name,
		description: { purpose: '' },
		servers: [
			{
				server: 'production',
				type: 'glue',
				account: account ?? NOBODY,
				database: snakeCase(domain),
				...formatOf(tables),
			},
		],
		schema: drafted.map(({ value }) => value),
		team: { members: [] as object[] },
		slaProperties: [],
		customProperties: [{ property: 'purposes', value: ['purpose-to-be-named'] }],
	});
	document.commentBefore = ' Drafted from files. FILL IN what is open; CHECK what stands at its strictest.';
	const marks: Mark[] = [
		{ path: ['status'], says: 'CHECK active, once it is' },
		{ path: ['description', 'purpose'], says: 'FILL IN what the product is for, one row for what' },
		...(account === undefined ? [{ path: ['servers', 0, 'account'], says: 'FILL IN the account of the domain' }] : []),
		{ path: ['servers', 0, 'database'], says: 'CHECK the Glue database' },
		{ path: ['team', 'members'], says: 'FILL IN name: the team that answers for the product' },
		{ path: ['slaProperties'], says: 'FILL IN frequency or latency, and retention, each with value and unit' },
		{ path: ['customProperties', 0, 'value', 0], says: 'FILL IN ids of governed purposes' },
		...drafted.flatMap(({ marks }, i) => marks.map((m) => ({ ...m, path: ['schema', i, ...m.path] }))),
	];
	for (const mark of marks) put(document, mark);
	return { file: `${domain}.${name}.yaml`, text: document.toString({ lineWidth: 0 }) };
}

/** Beside a value; above the key of an empty list, where there is no value to stand beside. */
function put(document: Document, { path, says }: Mark): void {
	const node = document.getIn(path, true);
	if (isScalar(node)) node.comment = ` ${says}`;
	const holder = document.getIn(path.slice(0, -1), true);
	const pair = isMap(holder) ? holder.items.find(({ key }) => isScalar(key) && key.value === path.at(-1)) : undefined;
	if (!isScalar(node) && isScalar(pair?.key)) pair.key.commentBefore = ` ${says}`;
}

function formatOf(tables: readonly Described[]) {
	const formats = new Map(tables.map(({ kind, format }) => [JSON.stringify([kind, format]), { kind, format }]));
	const [found, other] = [...formats.values()];
	if (found === undefined || other !== undefined) {
		const names = tables.map((t) => t.key).join(', ');
		throw new Error(`These are written in more than one way, and a contract has one: ${names}`);
	}
	return { format: found.kind, ...(found.format === null ? {} : { customProperties: csvProperties(found.format) }) };
}

function csvProperties({ delimiter, quote, header }: FoundFormat) {
	return [
		{ property: 'delimiter', value: delimiter },
		{ property: 'quote', value: quote },
		{ property: 'header', value: header },
	];
}

function tableOf(table: Described | undefined, name: string, bucket: string): Marked {
	if (table === undefined) throw new Error('a table without columns');
	const names = distinct(table.columns.map((c) => snakeCase(c.original)));
	const position = ({ original }: FoundColumn) => table.partitions.findIndex((p) => p === original.toLowerCase());
	// Athena has partition keys last, from the outside in.
	const columns = table.columns
		.map((column, i) => ({
			drafted: columnOf(column, names[i] ?? '', table.kind, position(column)),
			at: position(column),
		}))
		.toSorted((a, b) => a.at - b.at)
		.map(({ drafted }) => drafted);
	const value = {
		name,
		logicalType: 'object',
		physicalType: 'table',
		description: '',
		customProperties: [{ property: 'location', value: `s3://${bucket}/${table.key}` }],
		properties: columns.map((c) => c.value),
	};
	const marks = columns.flatMap((c, i) => c.marks.map((m) => ({ ...m, path: ['properties', i, ...m.path] })));
	return { value, marks: [{ path: ['description'], says: 'FILL IN what a row is' }, ...marks] };
}

function columnOf(column: FoundColumn, name: string, kind: FoundTable['kind'], key: number): Marked {
	const renamed = kind === 'parquet' && name !== column.original.toLowerCase();
	const doubts = [
		...(column.doubt === undefined ? [] : [column.doubt]),
		...(kind === 'csv' ? ['guessed from the rows'] : []),
	];
	const value = {
		name,
		logicalType: column.logicalType,
		physicalType: column.type,
		...(key === -1 ? {} : { partitioned: true, partitionKeyPosition: key + 1 }),
		classification: 'restricted',
		customProperties: [{ property: 'regulatoryClass', value: 'personal-data' }],
	};
	const original = JSON.stringify(column.original);
	const marks: Mark[] = [
		...(renamed
			? [{ path: ['name'], says: `CHECK ${original} in the files, where Athena looks columns up by name` }]
			: []),
		...(doubts.length > 0 ? [{ path: ['physicalType'], says: `CHECK ${doubts.join('; ')}` }] : []),
		{ path: ['classification'], says: 'CHECK public, internal, confidential, restricted' },
		{ path: ['customProperties', 0, 'value'], says: 'CHECK none, personal-data' },
	];
	return { value, marks };
}

/** Lower-case words and digits with single underscores between them, starting with a letter. */
export function snakeCase(text: string): string {
	const words = text
		.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
		.normalize('NFKD')
		.toLowerCase()
		.replaceAll(/\p{M}/gu, '')
		.split(/[^a-z0-9]+/)
		.filter(Boolean)
		.join('_')
		.slice(0, 60)
		.replace(/_$/, '');
	return /^[a-z]/.test(words) ? words : `c${words === '' ? '' : `_${words}`}`;
}

/** Each name once: later ones get a number. */
function distinct(names: readonly string[]): string[] {
	const taken = new Set<string>();
	return names.map((name) => {
		let free = name;
		for (let n = 2; taken.has(free); n += 1) free = `${name}_${n}`;
		taken.add(free);
		return free;
	});
}

const title = (name: string) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ');
