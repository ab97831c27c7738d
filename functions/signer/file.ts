/** An Ed25519 key in a file (PKCS #8 as PEM, RFC 8410). */
import { createPrivateKey, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Signer } from '#core/context.ts';

export async function signWithFile(file: string): Promise<Signer['sign']> {
	const key = createPrivateKey(await readFile(file));
	if (key.asymmetricKeyType !== 'ed25519') throw new Error('The key of the log is no Ed25519 key.');
	return (message) => Promise.resolve(new Uint8Array(sign(null, message, key)));
}
