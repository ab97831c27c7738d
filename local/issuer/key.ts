/** The issuer's signing key: a P-256 key pair in one file of `dataDir`, mode 0600, made on first use. */
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';

export type SigningKey = { readonly kid: string; readonly privateKey: CryptoKey; readonly publicJwk: JWK };

export async function openKey(dataDir: string): Promise<SigningKey> {
	mkdirSync(dataDir, { recursive: true, mode: 0o700 });
	const file = path.join(dataDir, 'issuer-key.json');
	const jwk =
		read(file) ?? keep(file, await exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey));
	const privateKey = await importJWK({ ...jwk, alg: 'ES256' }, 'ES256');
	if (privateKey instanceof Uint8Array) throw new Error(`${file} holds no ES256 key; remove it to get a new one`);
	const { d: _, ...open } = jwk;
	const kid = await calculateJwkThumbprint(open);
	return { kid, privateKey, publicJwk: { ...open, kid, alg: 'ES256', use: 'sig' } };
}

function read(file: string): JWK | null {
	try {
		return JSON.parse(readFileSync(file, 'utf8')) as JWK;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
		throw new Error(`${file} cannot be read; remove it to get a new key`, { cause: error });
	}
}

/** Complete or not at all, and the first of two processes wins: the file appears by a link to one already written. */
function keep(file: string, jwk: JWK): JWK {
	const draft = `${file}.${randomBytes(6).toString('hex')}`;
	writeFileSync(draft, JSON.stringify(jwk), { mode: 0o600, flush: true, flag: 'wx' });
	try {
		linkSync(draft, file);
		return jwk;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
		return read(file) ?? jwk;
	} finally {
		unlinkSync(draft);
	}
}
