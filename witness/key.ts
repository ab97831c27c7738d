/** The key of a witness: Ed25519 in a file (PKCS #8 as PEM, RFC 8410), never one that signs anything else. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { COSIGNATURE, vkeyOf } from '../verifier/note.ts';
import { beginState, sync } from './folder.ts';

/**
 * Begins a witness: makes its key, in a file that is not there yet, and its state, in a folder that holds none; gives its
 * verifier key. They are made together, once: a key whose state is lost cosigns nothing more. The key comes last, so what a
 * crash leaves is a state without a key, of which the folder may be removed.
 */
export async function beginWitness(name: string, keyFile: string, stateFolder: string): Promise<string> {
	const { privateKey } = generateKeyPairSync('ed25519');
	const vkey = witnessKey(name, privateKey);
	if (existsSync(keyFile)) throw new Error(`${keyFile} is there already`);
	await beginState(stateFolder, vkey);
	const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
	await writeFile(keyFile, pem, { mode: 0o600, flag: 'wx', flush: true });
	await sync(path.dirname(keyFile));
	return vkey;
}

/** The verifier key of a witness, from a private key or a public one (PEM, or the DER that KMS gives). */
export function witnessKey(name: string, key: Uint8Array | KeyObject): string {
	const spki = publicKeyOf(key).export({ type: 'spki', format: 'der' });
	// The last 32 bytes of its SubjectPublicKeyInfo (RFC 8410).
	return vkeyOf(name, new Uint8Array(spki.subarray(-32)), COSIGNATURE);
}

function publicKeyOf(key: Uint8Array | KeyObject): KeyObject {
	if (!(key instanceof Uint8Array)) return assertEd25519(createPublicKey(key));
	const bytes = Buffer.from(key);
	const pem = bytes.includes('-----BEGIN');
	return assertEd25519(createPublicKey(pem ? bytes : { key: bytes, format: 'der', type: 'spki' }));
}

function assertEd25519(key: KeyObject): KeyObject {
	if (key.asymmetricKeyType !== 'ed25519') throw new Error('not an Ed25519 key');
	return key;
}

export function signWith(pem: Uint8Array): (message: Uint8Array) => Promise<Uint8Array> {
	const key = assertEd25519(createPrivateKey(Buffer.from(pem)));
	return async (message) => new Uint8Array(sign(null, message, key));
}
