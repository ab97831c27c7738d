/**
 * Lambda entry of a witness, behind a function URL: for the account of somebody else (`infra/accounts/witness.yaml`). It is
 * the witness of `witness/` with its key in KMS and what it saw in a table; nothing of it is Fairlead's but the code.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetPublicKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { logsOf } from '#witness/decide.ts';
import { witnessKey } from '#witness/key.ts';
import type { Witness } from '#witness/witness.ts';
import { once } from './once.ts';
import { signWithKms } from './signer/kms.ts';
import { answerTo, type UrlAnswer, type UrlEvent } from './witness/event.ts';
import { tableStore } from './witness/store.ts';

const LIMITS = { connectionTimeout: 2000, requestTimeout: 3000, throwOnRequestTimeout: true };

/** A line of JSON; Lambda sends what is printed to its log group. */
function tell(message: string, more: Readonly<Record<string, unknown>>): void {
	process.stdout.write(`${JSON.stringify({ message, ...more })}\n`);
}

function setting(name: string): string {
	const value = process.env[name]?.trim() ?? '';
	if (value === '') throw new Error(`settings:\n${name}: is missing`);
	return value;
}

const witness = once(async (): Promise<Witness> => {
	const key = setting('WITNESS_KEY');
	const logs = logsOf(setting('WITNESS_LOGS').split(/[\s,]+/));
	const { PublicKey } = await new KMSClient({ requestHandler: LIMITS }).send(new GetPublicKeyCommand({ KeyId: key }));
	const vkey = witnessKey(setting('WITNESS_NAME'), PublicKey ?? new Uint8Array());
	tell('witness: ready', { vkey, logs: [...logs.keys()] });
	const store = tableStore(new DynamoDBClient({ requestHandler: LIMITS }), setting('WITNESS_TABLE'));
	return { vkey, logs, store, sign: signWithKms(key, {}), now: Date.now, tell };
});

export async function handler(event: UrlEvent): Promise<UrlAnswer> {
	return answerTo(await witness(), event);
}
