/**
 * DynamoDB in memory: what the ledger and the sealer ask of it, answered as the real one does (tests/contract holds both to
 * one suite), with an index that may lag. For tests that take a copy of a whole world for each fault, and for logs that an
 * embedded DynamoDB would take hours to fill. A member of a request that would have no effect is refused.
 */
import {
	type BatchGetItemCommandInput,
	ConditionalCheckFailedException,
	type CreateTableCommandInput,
	type DeleteItemCommandInput,
	type DescribeTableCommandInput,
	DuplicateItemException,
	type DynamoDBClient,
	type ExecuteStatementCommandInput,
	type GetItemCommandInput,
	type KeysAndAttributes,
	type PutItemCommandInput,
	type QueryCommandInput,
	ResourceInUseException,
	ResourceNotFoundException,
	type ScanCommandInput,
	type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { parseInsert } from '#local/aws/partiql.ts';
import { AwsError } from '#local/wire.ts';
import { type Bindings, bindingsOf, holds, keyRange, projected, updated } from './expressions.ts';
import { fault, invalid, meta } from './memory/fault.ts';
import { checkWholeKey, copyOf, type Item, sizeOf } from './memory/item.ts';
import {
	copyOfTable,
	drop,
	placeInIndex,
	placeOf,
	show,
	startInIndex,
	startOf,
	type Table,
	tableOf,
	write,
} from './memory/table.ts';

export { type MemoryObjects, memoryObjects } from './memory/objects.ts';

export type MemoryStore = {
	readonly client: DynamoDBClient;
	readonly tables: ReadonlyMap<string, Table>;
	/** Until `catchUp`, the index shows nothing of what is written. */
	lagging: boolean;
	/** Lets the index show what `these` says of what it has not shown yet. */
	readonly catchUp: (these?: (item: Item) => boolean) => void;
	readonly items: (table: string) => Item[];
	/** Takes items out of a table as nobody can who asks over its API: for logs that are longer than memory. */
	readonly forget: (table: string, these: (item: Item) => boolean) => void;
};

/** With the tables of another, it begins as that one stands. */
export function memoryStore(from: ReadonlyMap<string, Table> = new Map()): MemoryStore {
	const tables = new Map([...from].map(([name, table]) => [name, copyOfTable(table)]));
	const store: MemoryStore = {
		client: {} as DynamoDBClient,
		tables,
		lagging: false,
		catchUp: (these = () => true) => {
			for (const table of tables.values()) {
				for (const [place, item] of table.behind) if (these(item)) show(table, place, item);
			}
		},
		items: (name) => [...named(tables, name).items.entries(null, false)].map(([, item]) => copyOf(item)),
		forget: (name, these) => {
			const table = named(tables, name);
			const gone = [...table.items.entries(null, false)].filter(([, item]) => these(item));
			for (const [, item] of gone) drop(table, item, false);
		},
	};
	const operations = operationsOn(tables, store);
	const send = async (command: { readonly constructor: { readonly name: string }; readonly input: object }) => {
		const operation = command.constructor.name.replace(/Command$/, '');
		const answer = operations[operation];
		if (answer === undefined) throw fault('UnknownOperationException', `${operation} is not answered here`);
		refuseIgnored(operation, command.input);
		return answer(command.input as never);
	};
	return Object.assign(store, { client: { send } as unknown as DynamoDBClient });
}

/** What an expression may be made of; TableName, and what each operation reads. */
const BOUND = ['ExpressionAttributeNames', 'ExpressionAttributeValues'];
const PAGED = ['IndexName', 'ConsistentRead', 'Limit', 'ExclusiveStartKey', 'ProjectionExpression', ...BOUND];
const READ: Readonly<Record<string, readonly string[]>> = {
	ExecuteStatement: ['Statement', 'Parameters'],
	GetItem: ['Key', 'ConsistentRead', 'ProjectionExpression', ...BOUND],
	BatchGetItem: ['RequestItems'],
	PutItem: ['Item', 'ConditionExpression', ...BOUND],
	DeleteItem: ['Key', 'ConditionExpression', 'ReturnValues', ...BOUND],
	UpdateItem: ['Key', 'UpdateExpression', 'ConditionExpression', 'ReturnValues', ...BOUND],
	Query: [...PAGED, 'KeyConditionExpression', 'ScanIndexForward'],
	Scan: PAGED,
};

function refuseIgnored(operation: string, input: object): void {
	const read = READ[operation];
	if (read === undefined) return;
	for (const [member, value] of Object.entries(input)) {
		if (value === undefined || member === 'TableName' || read.includes(member)) continue;
		throw invalid(`${member} is not supported by the store in memory`);
	}
}

function named(tables: ReadonlyMap<string, Table>, name: string | undefined): Table {
	const found = tables.get(name ?? '');
	if (found !== undefined) return found;
	throw new ResourceNotFoundException({ message: 'Requested resource not found', ...meta });
}

type Operations = Readonly<Record<string, (input: never) => object>>;

function operationsOn(tables: Map<string, Table>, index: { readonly lagging: boolean }): Operations {
	const table = (name: string | undefined) => named(tables, name);
	return {
		CreateTable: (input: CreateTableCommandInput) => {
			const made = tableOf(input);
			if (tables.has(made.name)) {
				throw new ResourceInUseException({ message: `Table already exists: ${made.name}`, ...meta });
			}
			tables.set(made.name, made);
			return { TableDescription: described(made) };
		},
		DescribeTable: ({ TableName }: DescribeTableCommandInput) => ({ Table: described(table(TableName)) }),
		DeleteTable: ({ TableName }: DescribeTableCommandInput) => {
			const gone = table(TableName);
			tables.delete(gone.name);
			return { TableDescription: described(gone) };
		},
		ExecuteStatement: (input: ExecuteStatementCommandInput) => insert(tables, input, index.lagging),
		GetItem: (input: GetItemCommandInput) => {
			const { TableName, Key = {}, ProjectionExpression } = input;
			const found = find(table(TableName), Key);
			const bound = bindingsOf(input, [ProjectionExpression]);
			return found === undefined ? {} : { Item: copyOf(projected(ProjectionExpression, found, bound)) };
		},
		BatchGetItem: (input: BatchGetItemCommandInput) => batch(tables, input),
		PutItem: (input: PutItemCommandInput) => {
			const { TableName, Item = {}, ConditionExpression } = input;
			const t = table(TableName);
			check(ConditionExpression, t.items.get(placeOf(t, Item)), bindingsOf(input, [ConditionExpression]));
			write(t, copyOf(Item), index.lagging);
			return {};
		},
		DeleteItem: (input: DeleteItemCommandInput) => {
			const { TableName, Key = {}, ConditionExpression, ReturnValues = 'NONE' } = input;
			const t = table(TableName);
			const before = find(t, Key);
			check(ConditionExpression, before, bindingsOf(input, [ConditionExpression]));
			if (ReturnValues !== 'NONE' && ReturnValues !== 'ALL_OLD') throw invalid('Return values set to invalid value');
			drop(t, Key, index.lagging);
			return ReturnValues === 'NONE' || before === undefined ? {} : { Attributes: copyOf(before) };
		},
		UpdateItem: (input: UpdateItemCommandInput) => update(table(input.TableName), input, index.lagging),
		Query: (input: QueryCommandInput) => query(table(input.TableName), input),
		Scan: (input: ScanCommandInput) => scan(table(input.TableName), input),
	};
}

const described = ({ name }: Table) => ({
	TableName: name,
	TableStatus: 'ACTIVE',
	TableArn: `arn:aws:dynamodb:eu-central-1:210000000000:table/${name}`,
});

function find(table: Table, key: Item): Item | undefined {
	checkWholeKey(key, table);
	return table.items.get(placeOf(table, key));
}

function check(condition: string | undefined, item: Item | undefined, bound: Bindings): void {
	if (holds(condition, item ?? {}, bound)) return;
	throw new ConditionalCheckFailedException({ message: 'The conditional request failed', ...meta });
}

function insert(tables: ReadonlyMap<string, Table>, input: ExecuteStatementCommandInput, lagging: boolean): object {
	const { table: name, item } = statementOf(input);
	const table = named(tables, name);
	if (table.items.get(placeOf(table, item)) !== undefined) {
		throw new DuplicateItemException({ message: 'Duplicate primary key exists in table', ...meta });
	}
	write(table, copyOf(item), lagging);
	return {};
}

function statementOf({ Statement, Parameters }: ExecuteStatementCommandInput): { table: string; item: Item } {
	try {
		const { table, item } = parseInsert(Statement, Parameters);
		return { table, item: item as Item };
	} catch (error) {
		if (error instanceof AwsError) throw fault(error.code, error.message);
		throw error;
	}
}

const MOST_KEYS = 100;
/** Of one answer to BatchGetItem, and of one page of a query or a scan (API reference). */
const BATCH_BYTES = 16 * 1024 * 1024;
const PAGE_BYTES = 1024 * 1024;

function batch(tables: ReadonlyMap<string, Table>, { RequestItems = {} }: BatchGetItemCommandInput): object {
	const Responses: Record<string, Item[]> = {};
	const UnprocessedKeys: Record<string, KeysAndAttributes> = {};
	let bytes = 0;
	const asked = Object.values(RequestItems).reduce((sum, { Keys = [] }) => sum + Keys.length, 0);
	if (asked === 0 || asked > MOST_KEYS) throw invalid('Too many items requested for the BatchGetItem call, or none');
	for (const [name, { Keys = [], ...rest }] of Object.entries(RequestItems)) {
		const table = named(tables, name);
		if (new Set(Keys.map((key) => placeOf(table, key))).size !== Keys.length) {
			throw invalid('Provided list of item keys contains duplicates');
		}
		const items: Item[] = [];
		const left: Item[] = [];
		for (const key of Keys) {
			const item = find(table, key);
			if (item === undefined) continue;
			bytes += sizeOf(item);
			if (bytes > BATCH_BYTES) left.push(key);
			else items.push(copyOf(item));
		}
		Responses[name] = items;
		if (left.length > 0) UnprocessedKeys[name] = { Keys: left, ...rest };
	}
	return { Responses, UnprocessedKeys };
}

function update(table: Table, input: UpdateItemCommandInput, lagging: boolean): object {
	const { Key = {}, UpdateExpression = '', ConditionExpression, ReturnValues = 'NONE' } = input;
	const bound = bindingsOf(input, [ConditionExpression, UpdateExpression]);
	const before = find(table, Key);
	check(ConditionExpression, before, bound);
	const { item, touched } = updated(UpdateExpression, before ?? copyOf(Key), {
		...bound,
		values: copyOf(bound.values),
	});
	if (touched.some((name) => name === table.hash || name === table.range)) {
		throw invalid('One or more parameter values were invalid: Cannot update attribute. It is part of the key');
	}
	write(table, item, lagging);
	if (ReturnValues === 'NONE') return {};
	if (ReturnValues === 'ALL_NEW') return { Attributes: copyOf(item) };
	if (ReturnValues !== 'UPDATED_NEW') throw invalid(`ReturnValues ${ReturnValues} is not supported here`);
	return { Attributes: copyOf(Object.fromEntries(Object.entries(item).filter(([name]) => touched.includes(name)))) };
}

function indexOf(table: Table, { IndexName, ConsistentRead }: Pick<QueryCommandInput, 'IndexName' | 'ConsistentRead'>) {
	if (IndexName === undefined) return null;
	if (table.index?.name !== IndexName) throw invalid(`The table does not have the specified index: ${IndexName}`);
	if (ConsistentRead === true) throw invalid('Consistent reads are not supported on global secondary indexes');
	return table.index;
}

function query(table: Table, input: QueryCommandInput): object {
	const index = indexOf(table, input);
	const bound = bindingsOf(input, [input.KeyConditionExpression, input.ProjectionExpression]);
	const wanted = keyRange(input.KeyConditionExpression, index ?? table, bound);
	const back = input.ScanIndexForward === false;
	const start = index === null ? startOf(wanted.hash) : startInIndex(wanted.hash);
	const edge = back ? (wanted.high ?? '\uffff') + (wanted.high === null ? '' : '\uffff') : (wanted.low ?? '');
	const after = placeAfter(table, index, input.ExclusiveStartKey);
	if (after?.startsWith(start) === false) throw invalid('The provided starting key is outside query boundaries');
	const range = (index ?? table).range ?? '';
	const items = (function* () {
		let begun = false;
		for (const [place, item] of (index === null ? table.items : table.indexed).entries(after ?? start + edge, back)) {
			if (!place.startsWith(start)) return;
			if (place === after) continue;
			if (wanted.holds(item[range]?.S ?? '')) {
				begun = true;
				yield item;
			} else if (begun) return;
		}
	})();
	return page(items, input, { keys: keysOf(table, index), bound });
}

function scan(table: Table, input: ScanCommandInput): object {
	const index = indexOf(table, input);
	const bound = bindingsOf(input, [input.ProjectionExpression]);
	const after = placeAfter(table, index, input.ExclusiveStartKey);
	const items = (function* () {
		for (const [place, item] of (index === null ? table.items : table.indexed).entries(after, false)) {
			if (place !== after) yield item;
		}
	})();
	return page(items, input, { keys: keysOf(table, index), bound });
}

const keysOf = (table: Table, index: Table['index']): string[] =>
	[table.hash, table.range, index?.hash, index?.range].filter((name) => name !== undefined);

/** Where reading goes on; null from the beginning. */
function placeAfter(table: Table, index: Table['index'], key: Item | undefined): string | null {
	if (key === undefined) return null;
	const keys = keysOf(table, index);
	if (Object.keys(key).length !== keys.length || keys.some((name) => key[name]?.S === undefined)) {
		throw invalid('The provided starting key is invalid');
	}
	const place = placeOf(table, key);
	return index === null ? place : placeInIndex(index, key, place);
}

type Page = Pick<QueryCommandInput, 'Limit' | 'ProjectionExpression'>;

function page(items: Iterable<Item>, { Limit, ProjectionExpression }: Page, of: { keys: string[]; bound: Bindings }) {
	if (Limit !== undefined && Limit < 1) throw invalid('Limit must be at least 1');
	const Items: Item[] = [];
	let bytes = 0;
	for (const item of items) {
		Items.push(copyOf(projected(ProjectionExpression, item, of.bound)));
		bytes += sizeOf(item);
		if (Items.length === Limit || bytes >= PAGE_BYTES) {
			const own = of.keys.map((name) => [name, item[name]] as const);
			return { Items, Count: Items.length, LastEvaluatedKey: Object.fromEntries(own) };
		}
	}
	return { Items, Count: Items.length };
}
