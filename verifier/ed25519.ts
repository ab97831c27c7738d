/**
 * Ed25519 (RFC 8032) by node:crypto, for keys that can be trusted to belong to somebody.
 *
 * OpenSSL refuses a signature whose S is not below the group's order, and one whose R is not what it computes. It
 * takes any 32 bytes for a key, so that is looked at here: y below the field's prime (one encoding for each key), a
 * point of the curve, and not one of the eight small-order points, for which anybody can make signatures.
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { hexOf } from './encoding.ts';
import { Unverified } from './error.ts';

export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

const P = 2n ** 255n - 19n;
/** d of the curve -x^2 + y^2 = 1 + d x^2 y^2 is -121665/121666. */
const D = mod(-121665n * power(121666n, P - 2n));

function mod(n: bigint): bigint {
	const rest = n % P;
	return rest < 0n ? rest + P : rest;
}

function power(base: bigint, exponent: bigint): bigint {
	let result = 1n;
	let square = mod(base);
	for (let rest = exponent; rest > 0n; rest /= 2n) {
		if (rest % 2n === 1n) result = mod(result * square);
		square = mod(square * square);
	}
	return result;
}

/** Throws `Unverified` unless the bytes are the one encoding of a point of large order. */
export function assertPublicKey(key: Uint8Array): void {
	if (key.length !== PUBLIC_KEY_BYTES) throw new Unverified(`an Ed25519 key has ${PUBLIC_KEY_BYTES} bytes`);
	const y = BigInt(`0x${hexOf(key.toReversed())}`) % 2n ** 255n;
	if (y >= P) throw new Unverified('the Ed25519 key is not encoded canonically');
	const yy = mod(y * y);
	const above = mod(yy - 1n);
	const below = mod(D * yy + 1n);
	// x^2 = (y^2 - 1) / (d y^2 + 1) has a root if and only if the product of both does (Euler's criterion).
	if (power(above * below, (P - 1n) / 2n) === P - 1n) throw new Unverified('the Ed25519 key is no point of the curve');
	// Orders 1 and 2 have y^2 = 1, order 4 has y = 0; order 8 has x^2 = -y^2, so that d y^4 + 2 y^2 = 1.
	if (above === 0n || y === 0n || mod(D * yy * yy + 2n * yy) === 1n) {
		throw new Unverified('the Ed25519 key is of small order');
	}
}

const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** Keys that were looked at, by their bytes: a log has few, and many signatures of each. */
const seen = new Map<string, KeyObject>();
const MAX_SEEN = 64;

function publicKeyOf(key: Uint8Array): KeyObject {
	const name = hexOf(key);
	const known = seen.get(name);
	if (known !== undefined) return known;
	assertPublicKey(key);
	const made = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, key]), format: 'der', type: 'spki' });
	if (seen.size >= MAX_SEEN) seen.clear();
	seen.set(name, made);
	return made;
}

/** Whether it is the key's signature of the message. Throws `Unverified` on a key nobody can have. */
export function ed25519Verifies(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
	const publicKey = publicKeyOf(key);
	return signature.length === SIGNATURE_BYTES && verify(null, message, publicKey, signature);
}
