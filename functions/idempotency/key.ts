/**
 * The Idempotency-Key header: 1 to 255 visible ASCII characters, bare as most clients send it, or as the quoted string
 * of RFC 9651 section 3.3.3 that draft-ietf-httpapi-idempotency-key-header-07 asks for. Both forms name the same key.
 */
import { BrokerError } from '#core/error.ts';

const visible = /^[\x21-\x7e]{1,255}$/;
const quoted = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/** The key that a header names. Throws `bad-request`; two headers arrive joined by ", " and are refused, too. */
export function parseKey(header: string): string {
	const inner = quoted.exec(header)?.[1]?.replaceAll(/\\(.)/g, '$1');
	const key = header.startsWith('"') ? inner : header;
	if (key !== undefined && visible.test(key)) return key;
	const detail = '`Idempotency-Key` must be 1 to 255 visible ASCII characters, bare or as one quoted string.';
	throw new BrokerError('bad-request', detail);
}
