/** A bank with a witness beside it: what it publishes is cosigned, and what the witness knows stops it. */
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as Ledger from '#core/ledger.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { openCheckpoint } from '#verifier/checkpoint.ts';
import { verifyLog } from '#verifier/log.ts';
import { COSIGNATURE, type VerifierKey, verifierKey } from '#verifier/note.ts';
import { verifyProof } from '#verifier/proof.ts';
import { folderSource } from '#verifier/source.ts';
import { get } from './harness.ts';

let test: TestBank;
let keys: VerifierKey[];
let origin: string;
const text = async (who: 'alice' | 'rita', at: string) => {
	const { status, body } = await test.world.call(get(who, `/ledger/${at}`));
	expect(status).toBe(200);
	return String(body);
};

beforeAll(async () => {
	test = await testBank({ witness: true });
	const { FAIRLEAD_LEDGER_VKEY: vkey = '', FAIRLEAD_LEDGER_WITNESSES: witness = '' } = test.bank.settings;
	keys = [verifierKey(vkey), verifierKey(witness.split(' ')[1] ?? '')];
	origin = keys[0]?.name ?? '';
	await test.bank.seal();
});
afterAll(() => test.close());

it('the checkpoint is cosigned, and so is the one in a proof; with both keys the folder verifies', async () => {
	expect(keys.map((k) => k.algorithm === COSIGNATURE)).toEqual([false, true]);
	const note = await text('alice', 'checkpoint');
	expect(openCheckpoint(note, { keys, origin }).signedBy).toHaveLength(2);
	const { items } = await Ledger.rawPage(test.bank.platform, null, 1);
	const first = Ledger.recordedOf(items[0] as Ledger.Stored);
	const proof = await text('rita', `entries/${first.entry.id}/proof`);
	expect(verifyProof(proof, first.stored.bytes, { keys, origin, quorum: 1 }).index).toBeGreaterThanOrEqual(0);
	const folder = path.join(test.bank.dataDir, 'ledger');
	expect((await verifyLog(folderSource(folder), { keys })).checkpoint.signedBy).toHaveLength(2);
	expect(readFileSync(path.join(folder, 'checkpoint'), 'utf8')).toContain('\n— bank.example/witness/local ');
});

it('a folder without the cosignature does not verify', async () => {
	const copy = path.join(test.bank.dataDir, 'copy');
	cpSync(path.join(test.bank.dataDir, 'ledger', 'checkpoints'), path.join(copy, 'checkpoints'), { recursive: true });
	const [size = ''] = [/\n([0-9]+)\n/.exec(await text('alice', 'checkpoint'))?.[1]];
	cpSync(path.join(copy, 'checkpoints', size), path.join(copy, 'checkpoint'));
	cpSync(path.join(test.bank.dataDir, 'ledger', 'tile'), path.join(copy, 'tile'), { recursive: true });
	expect((await verifyLog(folderSource(copy), { keys: keys.slice(0, 1) })).archived).toBeGreaterThan(0);
	await expect(verifyLog(folderSource(copy), { keys })).rejects.toThrow(/did not cosign/);
	rmSync(copy, { recursive: true, force: true });
});

it('its key and what it saw are its own files', () => {
	const at = (name: string) => existsSync(path.join(test.bank.dataDir, name));
	expect([at('witness.pem'), at('witness'), at('witness.log')]).toEqual([true, true, false]);
});
