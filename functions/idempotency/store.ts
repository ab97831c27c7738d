/**
 * One item per key in the calls table: claimed by a conditional put before the call runs, then answered or lost, by the
 * one attempt that claimed it. An item that a crash leaves stays claimed; its age tells that nobody will finish it.
 * Nothing is deleted here: an item whose day is over, or whose key was released, may be claimed anew, and DynamoDB
 * deletes it in time.
 */
import { type AttributeValue, GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { Context } from '#core/context.ts';
import { errorName } from '#core/error.ts';
import { EXPIRES, epochSeconds, unavailable } from '../calls.ts';

type Ctx = Pick<Context, 'aws' | 'config' | 'now'>;

/** A keyed call. `pk` hashes caller, method, path and key; `print` all else that makes it this call. */
export type KeyedCall = { readonly pk: string; readonly print: string };

export type Attempt = KeyedCall & {
	/** Names this attempt among those that race for the key. */
	readonly id: string;
};

export type Claim =
	| { readonly state: 'ours' }
	| { readonly state: 'running' }
	/** `by` is the attempt that was lost, `first` when the first of them began. */
	| { readonly state: 'lost'; readonly by: string; readonly first: Date }
	| { readonly state: 'other-call' }
	| { readonly state: 'answered'; readonly sealed: Uint8Array };

const KEPT_SECONDS = 24 * 60 * 60;
/** Longer than any call may run (30 s), whatever the clocks of two processes differ by. */
const ABANDONED_MS = 60_000;

const conditionFailed = (error: unknown) => errorName(error) === 'ConditionalCheckFailedException';

/** Takes the key for this attempt, or tells what became of the one that took it before. */
export async function claim(ctx: Ctx, attempt: Attempt): Promise<Claim> {
	try {
		await put(ctx, attempt);
		return { state: 'ours' };
	} catch (error) {
		if (!conditionFailed(error)) throw unavailable(error);
	}
	const item = await read(ctx, attempt.pk);
	// The SDK repeats a put whose answer was lost, and so can meet its own.
	if (item?.['attempt']?.S === attempt.id) return { state: 'ours' };
	return stateOf(ctx, attempt, item);
}

function put({ aws, config, now }: Ctx, { pk, print, id }: Attempt) {
	return aws.dynamodb.send(
		new PutItemCommand({
			TableName: config.tables.calls,
			Item: {
				pk: { S: pk },
				print: { S: print },
				attempt: { S: id },
				began: { N: String(now.getTime()) },
				first: { N: String(now.getTime()) },
				[EXPIRES]: { N: String(epochSeconds(now) + KEPT_SECONDS) },
			},
			ConditionExpression: 'attribute_not_exists(#pk) OR #expires <= :now',
			ExpressionAttributeNames: { '#pk': 'pk', '#expires': EXPIRES },
			ExpressionAttributeValues: { ':now': { N: String(epochSeconds(now)) } },
		}),
	);
}

async function read({ aws, config }: Ctx, pk: string) {
	try {
		const command = new GetItemCommand({
			TableName: config.tables.calls,
			Key: { pk: { S: pk } },
			ConsistentRead: true,
		});
		return (await aws.dynamodb.send(command)).Item;
	} catch (cause) {
		throw unavailable(cause);
	}
}

function stateOf({ now }: Ctx, { print }: KeyedCall, item: Record<string, AttributeValue> | undefined): Claim {
	// It was there a moment ago: deleted or released between the two steps, so that the next try will have it.
	if (item === undefined || Number(item[EXPIRES]?.N) <= epochSeconds(now)) return { state: 'running' };
	if (item['print']?.S !== print) return { state: 'other-call' };
	const sealed = item['answer']?.B;
	if (sealed !== undefined) return { state: 'answered', sealed };
	const abandoned = now.getTime() - Number(item['began']?.N) > ABANDONED_MS;
	if (item['lost'] === undefined && !abandoned) return { state: 'running' };
	const first = new Date(Number(item['first']?.N ?? item['began']?.N));
	return { state: 'lost', by: item['attempt']?.S ?? '', first };
}

/** Takes the key over from an attempt that was lost; false if somebody else was quicker. */
export async function takeOver({ aws, config, now }: Ctx, { pk, id }: Attempt, by: string): Promise<boolean> {
	try {
		await aws.dynamodb.send(
			new UpdateItemCommand({
				TableName: config.tables.calls,
				Key: { pk: { S: pk } },
				UpdateExpression: 'SET #attempt = :mine, #began = :now REMOVE #lost',
				ConditionExpression: '#attempt = :by AND attribute_not_exists(#answer)',
				ExpressionAttributeNames: { '#attempt': 'attempt', '#began': 'began', '#lost': 'lost', '#answer': 'answer' },
				ExpressionAttributeValues: { ':mine': { S: id }, ':by': { S: by }, ':now': { N: String(now.getTime()) } },
			}),
		);
		return true;
	} catch (error) {
		if (conditionFailed(error)) return false;
		throw unavailable(error);
	}
}

/** Keeps the answer of an attempt that holds the key. */
export function keepAnswer(ctx: Ctx, attempt: Attempt, sealed: Uint8Array): Promise<void> {
	return finish(ctx, attempt, 'answer', { B: sealed });
}

/** Records that nobody knows how far an attempt got. */
export function giveUp(ctx: Ctx, attempt: Attempt): Promise<void> {
	return finish(ctx, attempt, 'lost', { BOOL: true });
}

/** Frees the key of an attempt that had no effect: its day is over at once, for clocks that are behind, too. */
export function release(ctx: Ctx, attempt: Attempt): Promise<void> {
	return finish(ctx, attempt, EXPIRES, { N: String(epochSeconds(ctx.now) - ABANDONED_MS / 1000) });
}

async function finish({ aws, config }: Ctx, { pk, id }: Attempt, name: string, value: AttributeValue): Promise<void> {
	await aws.dynamodb.send(
		new UpdateItemCommand({
			TableName: config.tables.calls,
			Key: { pk: { S: pk } },
			UpdateExpression: 'SET #name = :value',
			ConditionExpression: '#attempt = :attempt',
			ExpressionAttributeNames: { '#name': name, '#attempt': 'attempt' },
			ExpressionAttributeValues: { ':value': value, ':attempt': { S: id } },
		}),
	);
}
