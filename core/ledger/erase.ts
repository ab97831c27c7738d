/**
 * The one place that takes anything away for good: the payload of one entry, never the entry. The eraser alone may do
 * this (infra/actions.ts). Done again it finds nothing, which it says; a crash leaves the payload or leaves none.
 */
import { type AttributeValue, DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import type { Context } from '../context.ts';
import { payloadHash } from './entry.ts';
import type { BodyOf } from './schema.ts';
import { inflated, unavailable } from './store.ts';

type Found = BodyOf<'PayloadErased'>['found'];

/** Erases the payload of an entry with this id, whose salted hash is `hash`; what was there. */
export async function erasePayload(
	{ aws, config }: Pick<Context, 'aws' | 'config'>,
	{ id, hash }: { readonly id: string; readonly hash: string },
): Promise<Found> {
	const command = new DeleteItemCommand({
		TableName: config.tables.payloads,
		Key: { pk: { S: `P#${id}` }, sk: { S: '-' } },
		ReturnValues: 'ALL_OLD',
	});
	const { Attributes } = await aws.dynamodb.send(command).catch((cause: unknown) => {
		throw unavailable(cause);
	});
	if (Attributes === undefined) return 'gone';
	return hashOf(Attributes) === hash ? 'whole' : 'altered';
}

function hashOf({ salt, pii }: Record<string, AttributeValue>): string | null {
	try {
		return payloadHash(salt?.B ?? new Uint8Array(), inflated(pii));
	} catch {
		return null;
	}
}
