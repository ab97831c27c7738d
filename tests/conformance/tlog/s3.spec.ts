/**
 * The log's files in S3, by moto: what every store of them has to do, and a log that is sealed into a bucket under Object
 * Lock and verified from what the bucket then holds. FAIRLEAD_MOTO_ENDPOINT names the server.
 */
import {
	CreateBucketCommand,
	DeleteObjectCommand,
	GetObjectCommand,
	ListObjectVersionsCommand,
	PutObjectLockConfigurationCommand,
	S3Client,
	type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import type { Objects } from '#core/context.ts';
import { consistencyBetween, type SealCtx, seal } from '#core/tlog.ts';
import { placeOf, writeObjects } from '#functions/objects.ts';
import { storesObjects } from '#tests/functions/objects.ts';
import { makeWorld, write } from '#tests/tlog/world.ts';
import { verifyLog } from '#verifier/log.ts';
import { verifyConsistency } from '#verifier/merkle.ts';
import { verifierKey } from '#verifier/note.ts';

const client: S3ClientConfig = {
	endpoint: process.env['FAIRLEAD_MOTO_ENDPOINT'] ?? '',
	region: 'eu-central-1',
	credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
	forcePathStyle: true,
};
const s3 = new S3Client(client);
const LocationConstraint = 'eu-central-1' as const;
let count = 0;

/** A bucket under lock for what stays, and one for what comes and goes. */
async function buckets() {
	count += 1;
	const [fixed, moving] = [`fairlead-log-${process.pid}-${count}`, `fairlead-moving-${process.pid}-${count}`];
	const CreateBucketConfiguration = { LocationConstraint };
	await s3.send(new CreateBucketCommand({ Bucket: moving, CreateBucketConfiguration }));
	await s3.send(
		new CreateBucketCommand({ Bucket: fixed, CreateBucketConfiguration, ObjectLockEnabledForBucket: true }),
	);
	await s3.send(
		new PutObjectLockConfigurationCommand({
			Bucket: fixed,
			ObjectLockConfiguration: {
				ObjectLockEnabled: 'Enabled',
				Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 3650 } },
			},
		}),
	);
	const place = placeOf(`s3://${fixed}/log s3://${moving}/log`, client);
	return { fixed, moving, open: () => writeObjects(place) };
}

storesObjects('S3, by moto', async () => (await buckets()).open);

/** A process that seals into the objects; new ones for each of its passes, as a function has. */
const sealing = (ctx: SealCtx, objects: Objects): SealCtx => ({ ...ctx, log: { ...ctx.log, objects } });

describe('a log in S3', () => {
	it('verifies from what the buckets hold, and goes on from its earlier checkpoint', async () => {
		const { fixed, moving, open } = await buckets();
		const ctx = (await makeWorld(5)).process();
		const names = Array.from({ length: 300 }, (_, i) => `d${i % 40}`);
		await write(ctx, names.slice(0, 255));
		expect(await seal(sealing(ctx, open()))).toMatchObject({ size: 255 });
		const known = (await open().get('checkpoint')) ?? new Uint8Array();
		await write(ctx, names.slice(255));
		expect(await seal(sealing(ctx, open()))).toMatchObject({ size: 300, sealed: 45 });

		const store = open();
		const source = { ahead: 4, read: (name: string) => store.get(name) };
		const keys = [verifierKey(ctx.log.signer.vkey)];
		expect(await verifyLog(source, { keys, known })).toMatchObject({ known: 255, streams: 40 });
		verifyConsistency(await consistencyBetween(sealing(ctx, store), 255, 300));

		const held = async (Bucket: string) =>
			(await s3.send(new ListObjectVersionsCommand({ Bucket }))).Versions?.map(({ Key }) => Key).toSorted();
		expect(await held(fixed)).toEqual(
			['checkpoints/255', 'checkpoints/300', 'tile/0/000', 'tile/entries/000'].map(under),
		);
		expect(await held(moving)).toEqual(
			['checkpoint', 'tile/0/001.p/44', 'tile/1/000.p/1', 'tile/entries/001.p/44'].map(under),
		);
	});

	it('keeps each version of a full tile, whatever is deleted', async () => {
		const { fixed, open } = await buckets();
		const Key = under('tile/0/000');
		await open().create('tile/0/000', new Uint8Array(32));
		const { Versions } = await s3.send(new ListObjectVersionsCommand({ Bucket: fixed, Prefix: Key }));
		const VersionId = Versions?.[0]?.VersionId;
		await expect(s3.send(new DeleteObjectCommand({ Bucket: fixed, Key, VersionId }))).rejects.toMatchObject({
			name: 'AccessDenied',
		});
		const kept = await s3.send(new GetObjectCommand({ Bucket: fixed, Key, VersionId }));
		expect(kept.ObjectLockMode).toBe('COMPLIANCE');
	});
});

function under(key: string): string {
	return `log/${key}`;
}
