/**
 * A table in memory, in the order of a hash of its partition keys, as DynamoDB has it: streams come whole and in order,
 * and in no order among each other. Its index may lag: what a write has for it waits in `behind` until it is shown.
 */
import type { AttributeValue, CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import { invalid } from './fault.ts';
import { checkItem, type Item, type KeySchema } from './item.ts';
import { Sorted } from './sorted.ts';

type Index = KeySchema & { readonly name: string; readonly shown: ReadonlySet<string> };

export type Table = KeySchema & {
	readonly name: string;
	readonly items: Sorted<Item>;
	readonly index: Index | null;
	/** Items as the index shows them, in its order; and by the place of an item, where it stands there. */
	readonly indexed: Sorted<Item>;
	readonly standing: Map<string, string>;
	/** Items, by their place, that the index does not show as they are. */
	readonly behind: Map<string, Item>;
};

const KNOWN = ['TableName', 'BillingMode', 'AttributeDefinitions', 'KeySchema', 'GlobalSecondaryIndexes'];

export function tableOf(input: CreateTableCommandInput): Table {
	const ignored = Object.keys(input).find((member) => !KNOWN.includes(member));
	if (ignored !== undefined) throw invalid(`${ignored} is not supported by the store in memory`);
	const { TableName: name = '', AttributeDefinitions: types = [], GlobalSecondaryIndexes: all = [] } = input;
	if (types.some((type) => type.AttributeType !== 'S') || all.length > 1) {
		throw invalid('The store in memory has keys of texts, and one index');
	}
	const [index] = all;
	return {
		name,
		...schemaOf(input.KeySchema),
		items: new Sorted(),
		index: index === undefined ? null : { ...schemaOf(index.KeySchema), ...shownBy(input, index) },
		indexed: new Sorted(),
		standing: new Map(),
		behind: new Map(),
	};
}

type Keys = CreateTableCommandInput['KeySchema'];
type IndexInput = NonNullable<CreateTableCommandInput['GlobalSecondaryIndexes']>[number];

function schemaOf(keys: Keys): KeySchema {
	const of = (type: string) => keys?.find((key) => key.KeyType === type)?.AttributeName;
	return { hash: of('HASH') ?? '', range: of('RANGE') };
}

function shownBy(input: CreateTableCommandInput, { IndexName, KeySchema: keys, Projection }: IndexInput) {
	if (Projection?.ProjectionType === 'ALL') throw invalid('The index of the store in memory shows a part');
	const own = [...(input.KeySchema ?? []), ...(keys ?? [])].map((key) => key.AttributeName ?? '');
	return { name: IndexName ?? '', shown: new Set([...own, ...(Projection?.NonKeyAttributes ?? [])]) };
}

/** The same, apart from this one. Items are never written to, so that both may hold them. */
export function copyOfTable(table: Table): Table {
	return {
		...table,
		items: table.items.copy(),
		indexed: table.indexed.copy(),
		standing: new Map(table.standing),
		behind: new Map(table.behind),
	};
}

/** Between the parts of a place; no key holds it. */
const END = '\u0000';

/** Where an item stands in its table. */
export function placeOf({ hash, range }: KeySchema, key: Item): string {
	return startOf(key[hash]?.S ?? '') + (range === undefined ? '' : (key[range]?.S ?? ''));
}

/** What the places of a partition begin with. */
export const startOf = (partition: string): string => bucketOf(partition) + partition + END;

/** FNV-1a. */
function bucketOf(text: string): string {
	let hash = 0x811c9dc5;
	for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
	return hash.toString(16).padStart(8, '0');
}

/** What the places of a partition of the index begin with, and where an item would stand there. */
export const startInIndex = (partition: string): string => partition + END;
export const placeInIndex = (index: KeySchema, item: Item, place: string): string =>
	`${item[index.hash]?.S ?? ''}${END}${item[index.range ?? '']?.S ?? ''}${END}${place}`;

/** Puts an item in the place of whatever was there. Refuses what DynamoDB would not store. */
export function write(table: Table, item: Item, lagging: boolean): void {
	checkItem(item, table, table.index);
	const place = placeOf(table, item);
	table.items.set(place, item);
	if (table.index !== null) follow(table, place, item, lagging);
}

export function drop(table: Table, key: Item, lagging: boolean): void {
	const place = placeOf(table, key);
	table.items.delete(place);
	if (table.index !== null) follow(table, place, {}, lagging);
}

function follow(table: Table, place: string, item: Item, lagging: boolean): void {
	if (lagging) table.behind.set(place, item);
	else show(table, place, item);
}

/** Lets the index show an item as it now is; an empty one is gone. */
export function show(table: Table, place: string, item: Item): void {
	const { index, indexed, standing, behind } = table;
	behind.delete(place);
	if (index === null) return;
	const before = standing.get(place);
	const isShown = item[index.hash] !== undefined && item[index.range ?? ''] !== undefined;
	const now = isShown ? placeInIndex(index, item, place) : undefined;
	if (before !== undefined && before !== now) {
		indexed.delete(before);
		standing.delete(place);
	}
	if (now === undefined) return;
	const shown: Record<string, AttributeValue> = {};
	for (const name in item) if (index.shown.has(name)) shown[name] = item[name] as AttributeValue;
	indexed.set(now, shown);
	standing.set(place, now);
}
