/**
 * An Ed25519 key of AWS KMS (key spec ECC_NIST_EDWARDS25519), which never leaves it. Signed is the message itself: with
 * ED25519_SHA_512 that is RAW, of at most 4096 bytes; ED25519_PH_SHA_512 signs a digest, which is another signature than
 * signed notes have (KMS API reference, Sign).
 */
import { KMSClient, type KMSClientConfig, SignCommand } from '@aws-sdk/client-kms';
import type { Signer } from '#core/context.ts';
import { BrokerError } from '#core/error.ts';

export function signWithKms(key: string, config: KMSClientConfig): Signer['sign'] {
	const requestHandler = { connectionTimeout: 5000, requestTimeout: 20_000, throwOnRequestTimeout: true };
	const client = new KMSClient({ maxAttempts: 4, requestHandler, ...config });
	const how = { KeyId: key, MessageType: 'RAW', SigningAlgorithm: 'ED25519_SHA_512' } as const;
	return async (message) => {
		const answer = await client.send(new SignCommand({ ...how, Message: message })).catch((cause: unknown) => {
			throw new BrokerError('unavailable', 'The key of the log does not answer; try again.', {}, { cause });
		});
		return answer.Signature ?? new Uint8Array();
	};
}
