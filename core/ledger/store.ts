/**
 * Ledger and payload tables in DynamoDB.
 *
 * New entries are written by PartiQL INSERT alone: it fails on an existing key, and IAM can hold a writer to it
 * (`dynamodb:PartiQLInsert`; DynamoDB Developer Guide, ql-reference.insert and ql-iam), which no condition on
 * PutItem can. An insert is durable when it returns. Nothing here updates or deletes.
 */

import { deflateRawSync, inflateRawSync } from 'node:zlib';
import {
	type AttributeValue,
	DynamoDBServiceException,
	ExecuteStatementCommand,
	GetItemCommand,
	QueryCommand,
	ScanCommand,
} from '@aws-sdk/client-dynamodb';
import type { Context } from '../context.ts';
import { BrokerError, errorName } from '../error.ts';
import { MAX_ENTRY_BYTES } from './entry.ts';
import type { Stored } from './verify.ts';

type Ctx = Pick<Context, 'aws' | 'config'>;

/** The sparse index that is the sealer's work queue, in shards. */
export const UNSEALED_INDEX = 'unsealed';
export const shardName = (shard: number) => `U#${shard}`;
/** The shards in which entries may wait. */
export const shardNames = ({ config }: Pick<Context, 'config'>): string[] =>
	Array.from({ length: config.unsealedShards }, (_, shard) => shardName(shard));

export const versionKey = (ver: number) => `V#${String(ver).padStart(10, '0')}`;

export type NewItem = Stored & { readonly unsealed: { readonly shard: string; readonly key: string } };

/** Inserts one version. False when that version exists already, whoever wrote it. */
export async function insertEntry(ctx: Ctx, item: NewItem): Promise<boolean> {
	const packed = pack(item.bytes);
	return insert(ctx, ctx.config.tables.ledger, {
		pk: { S: item.stream },
		sk: { S: versionKey(item.ver) },
		b: { B: packed.bytes },
		z: { BOOL: packed.deflated },
		h: { B: Buffer.from(item.leaf, 'hex') },
		u: { S: item.unsealed.shard },
		ut: { S: item.unsealed.key },
	});
}

/** An item holds at most 400 KB, names included (DynamoDB Developer Guide, service quotas). */
const MAX_PAYLOAD_BYTES = 390 * 1024;

/** A text or JSON as a payload attribute: deflated, so that the largest body that is taken fits an item. */
export function deflated(bytes: Uint8Array): AttributeValue {
	const small = deflateRawSync(bytes);
	if (small.length > MAX_PAYLOAD_BYTES) throw new BrokerError('too-large', 'The text is too large to be recorded.');
	return { B: small };
}

/** Reads {@link deflated} back. Throws `record-corrupt`. */
export function inflated(value: AttributeValue | undefined): Uint8Array {
	try {
		return inflateRawSync(value?.B ?? new Uint8Array(), { maxOutputLength: 8 * 1024 * 1024 });
	} catch (cause) {
		throw new BrokerError('record-corrupt', 'A payload cannot be read.', {}, { cause });
	}
}

/** Inserts one payload or content-addressed blob. False when the key exists. */
export async function insertPayload(
	ctx: Ctx,
	key: string,
	attributes: Record<string, AttributeValue>,
): Promise<boolean> {
	return insert(ctx, ctx.config.tables.payloads, { pk: { S: key }, sk: { S: '-' }, ...attributes });
}

/** What DynamoDB answers to an INSERT of a key that is there, and what DynamoDB Local calls the same. */
const DUPLICATE = ['DuplicateItemException', 'DuplicateItem'];

async function insert(ctx: Ctx, table: string, item: Record<string, AttributeValue>): Promise<boolean> {
	const names = Object.keys(item);
	try {
		await ctx.aws.dynamodb.send(
			new ExecuteStatementCommand({
				Statement: `INSERT INTO "${table}" VALUE {${names.map((n) => `'${n}': ?`).join(', ')}}`,
				Parameters: Object.values(item),
			}),
		);
		return true;
	} catch (cause) {
		if (DUPLICATE.includes(errorName(cause))) return false;
		throw unavailable(cause);
	}
}

/** Versions of a stream from `from` on, strongly consistent, in order. */
export async function readVersions(ctx: Ctx, stream: string, from = 1): Promise<Stored[]> {
	const found: Stored[] = [];
	let start: Record<string, AttributeValue> | undefined;
	do {
		const page = await query(ctx, stream, { from, forward: true, ...(start === undefined ? {} : { start }) });
		found.push(...page.items);
		start = page.next;
	} while (start !== undefined);
	return found;
}

/** The last version of a stream from `from` on, strongly consistent, or null. */
export async function readLast(ctx: Ctx, stream: string, from = 1): Promise<Stored | null> {
	const { items } = await query(ctx, stream, { from, forward: false, limit: 1 });
	return items[0] ?? null;
}

/** One version, strongly consistent, or null. */
export async function readVersion(ctx: Ctx, stream: string, ver: number): Promise<Stored | null> {
	const { items } = await query(ctx, stream, { from: ver, forward: true, limit: 1 });
	return items.find((item) => item.ver === ver) ?? null;
}

type Range = { from: number; forward: boolean; limit?: number; start?: Record<string, AttributeValue> };

async function query(ctx: Ctx, stream: string, range: Range) {
	const answer = await sendRead(() =>
		ctx.aws.dynamodb.send(
			new QueryCommand({
				TableName: ctx.config.tables.ledger,
				ConsistentRead: true,
				KeyConditionExpression: 'pk = :pk AND sk >= :from',
				ExpressionAttributeValues: { ':pk': { S: stream }, ':from': { S: versionKey(range.from) } },
				ScanIndexForward: range.forward,
				...(range.limit === undefined ? {} : { Limit: range.limit }),
				...(range.start === undefined ? {} : { ExclusiveStartKey: range.start }),
			}),
		),
	);
	return { items: (answer.Items ?? []).map(stored), next: answer.LastEvaluatedKey };
}

/** A page over the whole ledger, stream by stream; for regulators and rebuilds, never on a request's path. */
export async function scanEntries(ctx: Ctx, start: string | null, limit: number) {
	const answer = await sendRead(() =>
		ctx.aws.dynamodb.send(
			new ScanCommand({
				TableName: ctx.config.tables.ledger,
				ConsistentRead: true,
				Limit: limit,
				...(start === null ? {} : { ExclusiveStartKey: JSON.parse(start) as Record<string, AttributeValue> }),
			}),
		),
	);
	const next = answer.LastEvaluatedKey === undefined ? null : JSON.stringify(answer.LastEvaluatedKey);
	return { items: (answer.Items ?? []).filter((item) => !isHead(item)).map(stored), next };
}

/** Keys of unsealed entries of one shard, oldest first, from `after` (an index key) on. */
export async function unsealed(ctx: Ctx, shard: string, after: string, limit: number) {
	const answer = await sendRead(() =>
		ctx.aws.dynamodb.send(
			new QueryCommand({
				TableName: ctx.config.tables.ledger,
				IndexName: UNSEALED_INDEX,
				KeyConditionExpression: 'u = :u AND ut > :after',
				ExpressionAttributeValues: { ':u': { S: shard }, ':after': { S: after } },
				Limit: limit,
			}),
		),
	);
	return (answer.Items ?? []).map((item) => ({
		stream: text(item['pk']),
		ver: Number(text(item['sk']).slice(2)),
		key: text(item['ut']),
	}));
}

/** Whether an entry is in the log. The sealer marks it last, when a checkpoint that covers it is published. */
export async function isSealed(ctx: Ctx, { stream, ver }: Pick<Stored, 'stream' | 'ver'>): Promise<boolean> {
	const answer = await sendRead(() =>
		ctx.aws.dynamodb.send(
			new GetItemCommand({
				TableName: ctx.config.tables.ledger,
				ConsistentRead: true,
				Key: { pk: { S: stream }, sk: { S: versionKey(ver) } },
				ProjectionExpression: 'li',
			}),
		),
	);
	return answer.Item?.['li'] !== undefined;
}

/** One payload, strongly consistent; null when it was erased or never written. */
export async function readPayload(ctx: Ctx, key: string): Promise<Record<string, AttributeValue> | null> {
	const answer = await sendRead(() =>
		ctx.aws.dynamodb.send(
			new GetItemCommand({
				TableName: ctx.config.tables.payloads,
				ConsistentRead: true,
				Key: { pk: { S: key }, sk: { S: '-' } },
			}),
		),
	);
	return answer.Item ?? null;
}

async function sendRead<T>(send: () => Promise<T>): Promise<T> {
	try {
		return await send();
	} catch (cause) {
		throw unavailable(cause);
	}
}

/** Whatever DynamoDB refused, the caller can only come back later: nothing was acknowledged. */
export function unavailable(cause: unknown): BrokerError {
	const known = cause instanceof DynamoDBServiceException ? cause.name : errorName(cause);
	return new BrokerError('unavailable', 'The store does not answer; try again.', {}, { cause: cause ?? known });
}

/** The sealer's own item, by the name of its log: no entry, and never read as one. */
export const headKey = (origin: string) => ({ pk: { S: `L#${origin}` }, sk: { S: 'HEAD' } });
export const isHead = ({ pk, sk }: Record<string, AttributeValue>) =>
	sk?.S === 'HEAD' && pk?.S?.startsWith('L#') === true;

/** Reads an item of an entry. Throws `record-corrupt` where an attribute is missing. */
export function stored(item: Record<string, AttributeValue>): Stored {
	const bytes = item['b']?.B;
	const leaf = item['h']?.B;
	if (bytes === undefined || leaf === undefined)
		throw new BrokerError('record-corrupt', 'A ledger item lacks its bytes.');
	return {
		stream: text(item['pk']),
		ver: Number(text(item['sk']).slice(2)),
		bytes: item['z']?.BOOL === true ? unpack(bytes) : bytes,
		leaf: Buffer.from(leaf).toString('hex'),
	};
}

export function text(value: AttributeValue | undefined): string {
	if (value?.S === undefined) throw new BrokerError('record-corrupt', 'A stored item lacks an attribute.');
	return value.S;
}

/** DynamoDB bills by whole kilobytes: deflate where that saves one. About 120 bytes go to keys and hash. */
function pack(bytes: Uint8Array): { bytes: Uint8Array; deflated: boolean } {
	const units = (n: number) => Math.ceil((n + 120) / 1024);
	if (units(bytes.length) === 1) return { bytes, deflated: false };
	const small = deflateRawSync(bytes);
	return units(small.length) < units(bytes.length) ? { bytes: small, deflated: true } : { bytes, deflated: false };
}

/** Bytes that no longer inflate are handed on as they are: the hash check names them. */
function unpack(bytes: Uint8Array): Uint8Array {
	try {
		return inflateRawSync(bytes, { maxOutputLength: MAX_ENTRY_BYTES });
	} catch {
		return bytes;
	}
}
