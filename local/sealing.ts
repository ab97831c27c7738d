/**
 * The sealer of a bank on this machine: a key of its own and the files of the log, in the data folder. Made once per data
 * folder. A crash while the key is written leaves no log that it signed.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import type { Platform } from '#core/context.ts';
import { UNSEALED_INDEX } from '#core/ledger.ts';
import type { Pass } from '#core/tlog.ts';
import { sealingLog } from '#functions/sealer.ts';
import { sealOnce } from '#functions/sealing.ts';
import { vkeyOf } from '#verifier/note.ts';

/** The files of the log, in the data folder: what `verifier/cli.ts` takes. */
export const LEDGER_FOLDER = 'ledger';
export const KEY_FILE = 'ledger.pem';
export const ORIGIN = 'bank.example/ledger/local';

export function ledgerSettings(dataDir: string) {
	const file = path.resolve(dataDir, KEY_FILE);
	if (!existsSync(file)) {
		const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
		writeFileSync(file, pem, { mode: 0o600, flag: 'wx' });
	}
	return {
		FAIRLEAD_LEDGER_LOG: pathToFileURL(path.resolve(dataDir, LEDGER_FOLDER)).href,
		FAIRLEAD_LEDGER_VKEY: vkeyOf(ORIGIN, publicKeyOf(readFileSync(file))),
		FAIRLEAD_LEDGER_KEY: pathToFileURL(file).href,
	};
}

/** The last 32 bytes of its SubjectPublicKeyInfo (RFC 8410). */
function publicKeyOf(pem: Buffer): Uint8Array {
	const spki = createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'der' });
	return new Uint8Array(spki.subarray(-32));
}

export type Sealer = {
	/** One pass, and as many as it takes to seal what waits now. */
	readonly seal: () => Promise<Pass>;
	/** The same, unless a cheap look shows that nothing waits; then null. The first time there is more to see to. */
	readonly tick: () => Promise<Pass | null>;
};

export function makeSealer(platform: Platform, settings: Readonly<Record<string, string>>): Sealer {
	const sealing = Object.freeze({ ...platform, log: sealingLog(settings) });
	let looked = false;
	const seal = async () => {
		let pass: Pass;
		do pass = await sealOnce(sealing, randomBytes(16).toString('hex'));
		while (pass.more);
		looked = true;
		return pass;
	};
	return {
		seal,
		tick: async () => (looked && !(await waits(platform)) ? null : seal()),
	};
}

/** Whether anything is in the queue. */
async function waits({ aws, config }: Platform): Promise<boolean> {
	const command = { TableName: config.tables.ledger, IndexName: UNSEALED_INDEX, Limit: 1 };
	const { Items = [] } = await aws.dynamodb.send(new ScanCommand(command));
	return Items.length > 0;
}
