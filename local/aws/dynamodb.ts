/**
 * DynamoDB: dynalite over LevelDB in the data folder, behind our own server. Acknowledged writes survive a
 * killed process (LevelDB does not sync each one: a power cut may lose the last). The wrapper closes
 * iterators that dynalite leaves open, answers PartiQL inserts, and refuses whatever dynalite would drop in
 * silence: an option that has no effect here must not look as if it had. dynalite throws where nobody can
 * catch it when its database closes under a request, so closing waits for the requests first.
 */
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import path from 'node:path';
import dynalite from 'dynalite';
import { AwsError, type Caller } from '../wire.ts';
import { parseInsert } from './partiql.ts';
import { trackWork } from './underway.ts';

export type RawReply = {
	readonly status: number;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
};
export type RawRequest = { readonly headers: Readonly<Record<string, string>>; readonly body: string };

export type DynamoDb = {
	readonly handle: (caller: Caller, operation: string, request: RawRequest) => Promise<RawReply>;
	readonly close: () => Promise<void>;
};

const require = createRequire(import.meta.url);
const TARGET = 'DynamoDB_20120810';
const CLOSE_MS = 2000;

type Database = {
	tableDb: { awsAccountId: string; awsRegion: string };
	lifecycleManager: { gracefulClose: (done: (error?: Error | null) => void) => void };
};

export function openDynamoDb(options: { readonly dataDir: string; readonly region: string }): DynamoDb {
	closeIterators();
	const { server, database } = openDynalite(path.join(options.dataDir, 'dynamodb'));
	database.tableDb.awsRegion = options.region;
	const send = (operation: string, request: RawRequest) => emit(server, operation, request);
	const hashKeys = new Map<string, string>();
	const requests = trackWork();

	const handle = async (caller: Caller, operation: string, request: RawRequest) => {
		// The platform's own identities hold long-lived keys; roles assumed in the lake have no right on its tables.
		if (!caller.longLived) throw denied(caller, operation, options.region);
		database.tableDb.awsAccountId = caller.account;
		const input = readInput(request.body);
		if (operation === 'ExecuteStatement') return await insert(input, request, send, hashKeys);
		refuseIgnored(operation, input);
		if (operation === 'Query') refuseEmptyKeys(input);
		if (operation === 'CreateTable' || operation === 'DeleteTable') hashKeys.clear();
		return await send(operation, request);
	};
	return {
		handle: (caller, operation, request) => requests.run(() => handle(caller, operation, request)),
		async close() {
			await requests.close(CLOSE_MS);
			await new Promise<void>((resolve, reject) => {
				database.lifecycleManager.gracefulClose((error) => (error ? reject(error) : resolve()));
			});
		},
	};
}

function denied(caller: Caller, operation: string, region: string): AwsError {
	const resource = `arn:aws:dynamodb:${region}:${caller.account}:table/*`;
	return new AwsError(
		'AccessDeniedException',
		`User: ${caller.arn} is not authorized to perform: dynamodb:${operation} on resource: ${resource} because no identity-based policy allows the dynamodb:${operation} action`,
	);
}

/** The same database that dynalite's own server uses: it closes it only for a server that listens, and ours never does. */
function openDynalite(folder: string) {
	const module = require('dynalite/db') as { create: (options: object) => Database };
	const create = module.create;
	let database: Database | undefined;
	module.create = (options) => {
		database = create(options);
		return database;
	};
	try {
		const server = dynalite({ path: folder, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
		if (database === undefined) throw new Error('dynalite opened no database');
		return { server, database };
	} finally {
		module.create = create;
	}
}

/**
 * dynalite reads ranges with iterators that it never closes (about 22 KB each). A stream that ends calls
 * `return` of its iterator where there is one: it gets one, in the copy of abstract-level that dynalite loads.
 */
function closeIterators(): void {
	const level = createRequire(createRequire(require.resolve('dynalite')).resolve('level'));
	const classes = level('abstract-level') as Record<string, { prototype: Closable } | undefined>;
	for (const name of ['AbstractIterator', 'AbstractKeyIterator', 'AbstractValueIterator']) {
		const prototype = classes[name]?.prototype;
		if (prototype === undefined || prototype.return !== undefined) continue;
		prototype.return = closeThis;
	}
}

function closeThis(this: Closable): Promise<void> {
	return this.close();
}

type Closable = { close: () => Promise<void>; return?: () => Promise<void> };

/** Hands a request that was read to its end to dynalite's handler: a client that goes away cannot reach it. */
function emit(server: EventEmitter, operation: string, request: RawRequest): Promise<RawReply> {
	return new Promise((resolve) => {
		const headers: Record<string, string> = {};
		const response = {
			statusCode: 200,
			setHeader(name: string, value: unknown) {
				headers[name.toLowerCase()] = String(value);
			},
			end(body = '') {
				resolve({ status: response.statusCode, headers, body });
			},
		};
		const incoming = Object.assign(new EventEmitter(), {
			method: 'POST',
			url: '/',
			headers: { ...request.headers, origin: undefined, 'x-amz-target': `${TARGET}.${operation}` },
		});
		server.emit('request', incoming, response);
		incoming.emit('data', Buffer.from(request.body));
		incoming.emit('end');
	});
}

function readInput(body: string): Record<string, unknown> {
	try {
		const value: unknown = JSON.parse(body);
		if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
	} catch {
		// Answered below like any other body that is no object.
	}
	throw new AwsError('SerializationException', 'The request body is not a JSON object');
}

/** Members that dynalite does not know would be dropped without a word, so they are refused by name. */
function refuseIgnored(operation: string, input: Record<string, unknown>): void {
	const types = shapeOf(operation);
	if (types === undefined) return;
	const { ConsistentRead: _, ...rest } = input;
	// dynalite does not know it on Scan, and reads consistently always.
	const ignored = firstUnknown(operation === 'Scan' ? rest : input, types);
	if (ignored !== undefined) {
		throw new AwsError('ValidationException', `${ignored} is not supported by the embedded DynamoDB`);
	}
}

/** A key is never empty, so DynamoDB compares none with an empty text; dynalite does. */
function refuseEmptyKeys({
	KeyConditionExpression: keys,
	ExpressionAttributeValues: values,
}: Record<string, unknown>): void {
	if (typeof keys !== 'string' || typeof values !== 'object' || values === null) return;
	const compared = new Set(keys.match(/:\w+/g));
	const empty = Object.entries(values).some(
		([name, value]) => compared.has(name) && (value as { S?: unknown })?.S === '',
	);
	if (!empty) return;
	throw new AwsError(
		'ValidationException',
		'One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value.',
	);
}

type Shape = { readonly type?: string; readonly children?: Shapes | Shape | string };
type Shapes = { readonly [member: string]: Shape | string };

/** Those that were read: finding a module again takes a good part of the time that an answer does. */
const shapesRead = new Map<string, Shapes>();

function shapeOf(operation: string): Shapes | undefined {
	const known = shapesRead.get(operation);
	if (known !== undefined) return known;
	if (!/^[A-Z][A-Za-z]+$/.test(operation)) return undefined;
	try {
		const file = `dynalite/validations/${operation.charAt(0).toLowerCase()}${operation.slice(1)}`;
		const { types } = require(file) as { types: Shapes };
		shapesRead.set(operation, types);
		return types;
	} catch {
		return undefined;
	}
}

function firstUnknown(value: Record<string, unknown>, shapes: Shapes): string | undefined {
	for (const [member, inner] of Object.entries(value)) {
		const shape = shapes[member];
		if (shape === undefined) return member;
		const nested = typeof shape === 'string' ? undefined : structOf(shape);
		if (nested === undefined) continue;
		for (const element of Array.isArray(inner) ? inner : [inner]) {
			if (typeof element !== 'object' || element === null) continue;
			const unknown = firstUnknown(element as Record<string, unknown>, nested);
			if (unknown !== undefined) return `${member}.${unknown}`;
		}
	}
	return undefined;
}

/** The members of a structure or of the structures in a list; undefined for scalars, maps and attribute values. */
function structOf(shape: Shape): Shapes | undefined {
	const { type = '', children } = shape;
	if (typeof children !== 'object') return undefined;
	if (type.startsWith('FieldStruct') || type.startsWith('ValueStruct')) return children;
	return type === 'List' ? structOf(children) : undefined;
}

const STATEMENT_MEMBERS = new Set(['Statement', 'Parameters', 'ReturnConsumedCapacity']);

async function insert(
	input: Record<string, unknown>,
	request: RawRequest,
	send: (operation: string, request: RawRequest) => Promise<RawReply>,
	hashKeys: Map<string, string>,
): Promise<RawReply> {
	const ignored = Object.keys(input).find((member) => !STATEMENT_MEMBERS.has(member));
	if (ignored !== undefined)
		throw new AwsError('ValidationException', `${ignored} is not supported by the embedded DynamoDB`);
	const { table, item } = parseInsert(input['Statement'], input['Parameters']);
	if (!hashKeys.has(table)) {
		const described = await send('DescribeTable', { ...request, body: JSON.stringify({ TableName: table }) });
		if (described.status !== 200) return described;
		hashKeys.set(table, hashKeyOf(described.body));
	}
	const reply = await send('PutItem', {
		...request,
		body: JSON.stringify({
			TableName: table,
			Item: item,
			ConditionExpression: 'attribute_not_exists(#hash)',
			ExpressionAttributeNames: { '#hash': hashKeys.get(table) },
			ReturnConsumedCapacity: input['ReturnConsumedCapacity'],
		}),
	});
	if (reply.status !== 200 && reply.body.includes('#ConditionalCheckFailedException"')) {
		throw new AwsError('DuplicateItemException', 'Duplicate primary key exists in table');
	}
	return reply;
}

function hashKeyOf(description: string): string {
	const { Table } = JSON.parse(description) as { Table: { KeySchema: { AttributeName: string; KeyType: string }[] } };
	const hash = Table.KeySchema.find((key) => key.KeyType === 'HASH');
	if (hash === undefined) throw new Error('a table without a hash key');
	return hash.AttributeName;
}
