/** What the lake's store tells stands on disk, refusals included; what comes after its end is not written. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DeleteRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { State } from '#local/aws/state.ts';
import { openStore } from '#local/aws/store.ts';
import { emptyLanding, startAws } from '#local/aws.ts';

let dataDir: string;
beforeEach(() => {
	dataDir = mkdtempSync(path.join(tmpdir(), 'fairlead-store-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const REGION = 'eu-central-1';
const counted = (state: State): State => ({ ...state, versions: state.versions + 1 });
const onDisk = (): number => JSON.parse(readFileSync(path.join(dataDir, 'lake.json'), 'utf8')).versions;
const refuse = (state: State): State => {
	throw new Error(`refused at ${state.versions}`);
};

test('a refusal is told once the state that it was decided on is kept', async () => {
	const store = openStore(dataDir, REGION);
	const change = store.change(counted);
	const refused = store.change(refuse).catch((error: Error) => [error.message, onDisk(), store.read().versions]);
	expect(await refused).toEqual(['refused at 1', 1, 1]);
	await change;
});

test('a refusal decided on what could not be kept is told as that, and a later change keeps both', async () => {
	const store = openStore(dataDir, REGION);
	rmSync(dataDir, { recursive: true });
	await expect(store.change(counted)).rejects.toThrow('ENOENT');
	await expect(store.change(refuse)).rejects.toThrow('ENOENT');
	mkdirSync(dataDir);
	await store.change(counted);
	expect(onDisk()).toBe(2);
});

test('closing waits for what is being written, whatever becomes of it, and nothing is written afterwards', async () => {
	const store = openStore(dataDir, REGION);
	const change = store.change(counted);
	await store.close();
	expect(onDisk()).toBe(1);
	await change;
	await expect(store.change(counted)).rejects.toThrow('closing');
	expect(onDisk()).toBe(1);
	const failing = openStore(dataDir, REGION);
	rmSync(dataDir, { recursive: true });
	const lost = expect(failing.change(counted)).rejects.toThrow('ENOENT');
	await expect(failing.close()).resolves.toBeUndefined();
	await lost;
});

test('the folder is free after a close that failed on its way, and no late change reaches it', async () => {
	const failing = await startAws({
		dataDir,
		region: REGION,
		onEvent: () => {
			throw new Error('nobody listens');
		},
	});
	const credentials = failing.issueKey('arn:aws:iam::210000000000:user/platform');
	const iam = new IAMClient({ region: REGION, endpoint: failing.endpoint, maxAttempts: 1, credentials });
	failing.deliverEvents({ delayMs: 60_000 });
	// Its record is told at the close, where the listener fails.
	await expect(iam.send(new DeleteRoleCommand({ RoleName: 'nobody' }))).rejects.toThrow('cannot be found');
	await expect(failing.close()).rejects.toThrow('nobody listens');
	await expect(failing.provision(emptyLanding(REGION))).rejects.toThrow('closing');
	expect(() => failing.issueKey('arn:aws:iam::210000000000:user/late')).toThrow('closed');
	const again = await startAws({ dataDir, region: REGION });
	await again.close();
});
