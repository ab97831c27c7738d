/**
 * The key of the log by its address: `file:///key.pem` on a laptop, the ARN of a KMS key on AWS. Loaded when something is
 * signed; only the sealer holds code for it.
 */
import { fileURLToPath } from 'node:url';
import type { KMSClientConfig } from '@aws-sdk/client-kms';
import type { Signer } from '#core/context.ts';
import { once } from './once.ts';

const ARN = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)\/[\w/-]+$/;

/** Throws, saying what is wrong with the address. */
export function signerOf(address: string, vkey: string, client: KMSClientConfig): Signer {
	const open = once(openerOf(address.trim(), client));
	return { vkey, sign: async (message) => (await open())(message) };
}

function openerOf(address: string, client: KMSClientConfig): () => Promise<Signer['sign']> {
	if (address.startsWith('file:///') && URL.canParse(address)) {
		const file = fileURLToPath(address);
		return async () => (await import('./signer/file.ts')).signWithFile(file);
	}
	if (!ARN.test(address)) throw new Error('must be file:///key.pem or the ARN of a KMS key');
	return async () => (await import('./signer/kms.ts')).signWithKms(address, client);
}
