/**
 * An answer as it is kept: deflated, then sealed with AES-256-GCM, for it may hold personal data. The seal is bound to
 * the item that it lies in, and so to the caller, the call and the key, and to the rights that the caller had: an answer
 * that was moved to another item does not open, nor does one to a caller whose roles are others now.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import * as z from 'zod';

const IV = 12;
const TAG = 16;
const HEAD = 4;
/** An item holds at most 400 KB, names included (DynamoDB Developer Guide, service quotas). */
const MAX_SEALED = 390 * 1024;
const MAX_OPENED = 64 * 1024 * 1024;

const Head = z.object({
	status: z.int(),
	headers: z.record(z.string(), z.string()),
	/** Code of a problem, for the log. */
	code: z.string().nullable(),
	/** False where the body did not fit an item. */
	whole: z.boolean(),
});

export type KeptAnswer = Omit<z.infer<typeof Head>, 'whole'> & {
	/** null where it was too large to be kept. */
	readonly body: Uint8Array<ArrayBuffer> | null;
};

type Seal = { readonly key: Uint8Array; readonly binding: string };

/** Seals an answer; without its body if that does not fit an item. `iv` is 12 fresh random bytes. */
export function seal({ key, binding }: Seal, iv: Uint8Array, { body, ...head }: KeptAnswer): Uint8Array {
	const packed = pack({ ...head, whole: body !== null }, body);
	const fits = IV + TAG + packed.length <= MAX_SEALED;
	const text = fits ? packed : pack({ ...head, whole: false }, null);
	const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(binding));
	const sealed = Buffer.concat([cipher.update(text), cipher.final()]);
	return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
}

function pack(head: z.infer<typeof Head>, body: Uint8Array | null): Buffer {
	const text = Buffer.from(JSON.stringify(head));
	const length = Buffer.alloc(HEAD);
	length.writeUInt32BE(text.length);
	return deflateRawSync(Buffer.concat([length, text, body ?? new Uint8Array()]));
}

/** Opens what {@link seal} made. Throws on anything else: altered, moved, or sealed under another key. */
export function unseal({ key, binding }: Seal, bytes: Uint8Array): KeptAnswer {
	const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV), { authTagLength: TAG });
	decipher.setAAD(Buffer.from(binding)).setAuthTag(bytes.subarray(IV, IV + TAG));
	const text = Buffer.concat([decipher.update(bytes.subarray(IV + TAG)), decipher.final()]);
	const packed = inflateRawSync(text, { maxOutputLength: MAX_OPENED });
	const end = HEAD + packed.readUInt32BE();
	const { whole, ...head } = Head.parse(JSON.parse(packed.toString('utf8', HEAD, end)));
	return { ...head, body: whole ? new Uint8Array(packed.subarray(end)) : null };
}
