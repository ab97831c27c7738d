/**
 * Which checkpoints a log has archived. The port of the log's files reads by key alone, as nothing that runs needs more:
 * whoever exports lists them with credentials of his own (`s3:ListBucket`).
 */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { clientOf } from '#functions/objects/s3.ts';
import type { Place } from '#functions/objects.ts';

const FOLDER = 'checkpoints';

/** In no order. */
export async function archivedSizes(place: Place): Promise<number[]> {
	const names = 'folder' in place ? await readdir(path.join(place.folder, FOLDER)) : await listed(place);
	return names.filter((name) => /^(0|[1-9][0-9]{0,15})$/.test(name)).map(Number);
}

async function listed(place: Exclude<Place, { folder: string }>): Promise<string[]> {
	const client = clientOf(place);
	const { bucket, prefix } = place.fixed;
	const Prefix = `${prefix}${FOLDER}/`;
	const names: string[] = [];
	for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix })) {
		names.push(...(page.Contents ?? []).map(({ Key = '' }) => Key.slice(Prefix.length)));
	}
	return names;
}
