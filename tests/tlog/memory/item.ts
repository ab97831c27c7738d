/** Items: their size as DynamoDB counts it, what of them is refused, and copies that share nothing with the caller. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { invalid } from './fault.ts';

export type Item = Record<string, AttributeValue>;

/** Limits of an item and of its keys (DynamoDB Developer Guide, service quotas). */
export const MAX_ITEM_BYTES = 400 * 1024;
const MAX_HASH_BYTES = 2048;
const MAX_RANGE_BYTES = 1024;

/** Attributes are values, which nobody writes to; bytes, lists and maps are, and are copied. */
export function copyOf(item: Item): Item {
	const copy: Item = {};
	for (const name in item) {
		const value = item[name] as AttributeValue;
		if (value.B !== undefined) copy[name] = { B: new Uint8Array(value.B) };
		else copy[name] = isScalar(value) ? value : structuredClone(value);
	}
	return copy;
}

const isScalar = ({ S, N, BOOL }: AttributeValue) => S !== undefined || N !== undefined || BOOL !== undefined;

export function sizeOf(item: Item): number {
	let size = 0;
	for (const name in item) size += Buffer.byteLength(name) + valueSize(item[name] as AttributeValue);
	return size;
}

function valueSize(value: AttributeValue): number {
	if (value.S !== undefined) return Buffer.byteLength(value.S);
	if (value.B !== undefined) return value.B.length;
	if (value.N !== undefined) return Math.ceil(value.N.length / 2) + 1;
	if (value.L !== undefined) return value.L.reduce((sum, one) => sum + 1 + valueSize(one), 3);
	if (value.M !== undefined) return 3 + Object.keys(value.M).length + sizeOf(value.M);
	if (value.BOOL !== undefined || value.NULL !== undefined) return 1;
	return (value.SS ?? value.NS ?? value.BS ?? []).reduce((sum, one) => sum + one.length, 0);
}

export type KeySchema = { readonly hash: string; readonly range: string | undefined };

/** Refuses what DynamoDB would not store under these keys and those of an index. */
export function checkItem(item: Item, own: KeySchema, index: KeySchema | null): void {
	checkKey(item, own);
	for (const name in item) {
		let members = 0;
		for (const _ in item[name]) members += 1;
		if (members === 1) continue;
		throw invalid('Supplied AttributeValue is empty, must contain exactly one of the supported datatypes');
	}
	if (index !== null) {
		for (const name of [index.hash, index.range]) {
			if (name !== undefined && item[name] !== undefined) checkPart(item[name], name, name === index.hash);
		}
	}
	if (sizeOf(item) > MAX_ITEM_BYTES) throw invalid('Item size has exceeded the maximum allowed size');
}

export function checkKey(item: Item, { hash, range }: KeySchema): void {
	checkPart(item[hash], hash, true);
	if (range !== undefined) checkPart(item[range], range, false);
}

/** A key and nothing else. */
export function checkWholeKey(key: Item, schema: KeySchema): void {
	checkKey(key, schema);
	if (Object.keys(key).length === (schema.range === undefined ? 1 : 2)) return;
	throw invalid('The provided key element does not match the schema');
}

/** All keys of Fairlead's are texts. */
function checkPart(value: AttributeValue | undefined, name: string, isHash: boolean): void {
	if (value?.S === undefined) {
		throw invalid(`One or more parameter values were invalid: Missing the key ${name} in the item, or its type`);
	}
	if (value.S === '') throw invalid('The AttributeValue for a key attribute cannot contain an empty string value.');
	const most = isHash ? MAX_HASH_BYTES : MAX_RANGE_BYTES;
	if (value.S.length * 3 <= most || Buffer.byteLength(value.S) <= most) return;
	throw invalid(`One or more parameter values were invalid: the key ${name} has more than ${most} bytes`);
}
