/**
 * The files of the log in S3, read. Whoever may not list a bucket is refused (403) what is not there: reading takes
 * `s3:ListBucket`, too (S3 API reference, GetObject).
 */
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { BrokerError, errorName } from '#core/error.ts';
import { isMoving, type Place, type Reading } from './place.ts';

export type Buckets = Exclude<Place, { folder: string }>;

export function readBuckets(buckets: Buckets, client = clientOf(buckets)): Reading {
	return { get: async (key) => (await getObject(client, buckets, key))?.bytes ?? null };
}

export function clientOf({ client }: Buckets): S3Client {
	const requestHandler = { connectionTimeout: 5000, requestTimeout: 20_000, throwOnRequestTimeout: true };
	return new S3Client({ maxAttempts: 4, requestHandler, ...client });
}

/** What comes and goes has a bucket of its own, where two are given. */
export function locate({ fixed, moving }: Buckets, key: string): { Bucket: string; Key: string } {
	const { bucket, prefix } = isMoving(key) ? moving : fixed;
	return { Bucket: bucket, Key: `${prefix}${key}` };
}

export type Found = { readonly bytes: Uint8Array; readonly etag: string };

export async function getObject(client: S3Client, buckets: Buckets, key: string): Promise<Found | null> {
	try {
		const answer = await client.send(new GetObjectCommand(locate(buckets, key)));
		return { bytes: (await answer.Body?.transformToByteArray()) ?? new Uint8Array(), etag: answer.ETag ?? '' };
	} catch (cause) {
		if (errorName(cause) === 'NoSuchKey') return null;
		throw unavailable(cause);
	}
}

export function unavailable(cause: unknown): BrokerError {
	return new BrokerError('unavailable', 'The store of the log does not answer; try again.', {}, { cause });
}
