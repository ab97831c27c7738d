/**
 * The files of the log in S3, written by conditional writes alone: `If-None-Match: *` for what is made once, `If-Match`
 * for the checkpoint (S3 User Guide, "Conditional writes"). 412: something is there, or another; 409: somebody writes the
 * same key now. An answer that got lost is asked for again by the client and then meets its own object, so what is there is
 * compared before anything is said.
 */
import { DeleteObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Objects } from '#core/context.ts';
import { BrokerError, errorName } from '#core/error.ts';
import { notFull, removable } from './place.ts';
import { type Buckets, clientOf, getObject, locate, readBuckets, unavailable } from './s3.ts';

export function writeBuckets(buckets: Buckets, client = clientOf(buckets)): Objects {
	return {
		...readBuckets(buckets, client),
		async create(key, bytes) {
			if (await put(client, buckets, key, bytes, { IfNoneMatch: '*' })) return;
			const found = await getObject(client, buckets, key);
			// Somebody writes it now, and may not come to an end.
			if (found === null) throw unavailable(new Error('a conditional write was refused'));
			if (!same(found.bytes, bytes)) {
				throw new BrokerError('record-corrupt', 'A file of the log holds other bytes.', { object: key });
			}
		},
		async replace(key, bytes, over) {
			const found = await getObject(client, buckets, key);
			if (found === null ? over !== null : over === null || !same(found.bytes, over)) return false;
			const condition = found === null ? { IfNoneMatch: '*' } : { IfMatch: found.etag };
			if (await put(client, buckets, key, bytes, condition)) return true;
			const now = await getObject(client, buckets, key);
			return now !== null && same(now.bytes, bytes);
		},
		async remove(key) {
			const partial = removable(key);
			if (partial === null) return remove(client, locate(buckets, key));
			if ((await getObject(client, buckets, partial.full)) === null) throw notFull();
			for (const found of await listPartials(client, locate(buckets, `${key}/`))) await remove(client, found);
		},
	};
}

type Located = ReturnType<typeof locate>;

async function remove(client: S3Client, object: Located): Promise<void> {
	await client.send(new DeleteObjectCommand(object)).catch((cause: unknown) => {
		throw unavailable(cause);
	});
}

/** There are at most 255, which one answer holds (S3 API reference, ListObjectsV2). */
async function listPartials(client: S3Client, { Bucket, Key: Prefix }: Located): Promise<Located[]> {
	const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix })).catch((cause: unknown) => {
		throw unavailable(cause);
	});
	return Contents.flatMap(({ Key }) => (Key === undefined ? [] : [{ Bucket, Key }]));
}

type Condition = { readonly IfNoneMatch: string } | { readonly IfMatch: string };

/** False where the condition does not hold. The checksum is what a bucket with Object Lock asks of each object. */
async function put(client: S3Client, buckets: Buckets, key: string, bytes: Uint8Array, condition: Condition) {
	const what = { Body: bytes, ContentType: typeOf(key), ChecksumAlgorithm: 'SHA256' as const };
	try {
		await client.send(new PutObjectCommand({ ...locate(buckets, key), ...what, ...condition }));
		return true;
	} catch (cause) {
		if (refused.has(errorName(cause))) return false;
		throw unavailable(cause);
	}
}

/** With `If-Match` also 404, where the object went meanwhile. */
const refused: ReadonlySet<string> = new Set(['PreconditionFailed', 'ConditionalRequestConflict', 'NoSuchKey']);

const typeOf = (key: string) =>
	key.startsWith('checkpoint') ? 'text/plain; charset=utf-8' : 'application/octet-stream';

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;
