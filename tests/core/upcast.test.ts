/**
 * Schema versions: an entry of an earlier one is read as the present one would have it, and stays what was written; one
 * of a version that nobody knows is told. The types and steps here are of the test: none of the product's has any yet.
 */
import { describe, expect, it } from 'vitest';
import { seal } from '#core/ledger/entry.ts';
import { recordedOf } from '#core/ledger/record.ts';
import { isKnown, type Upcasts, upcasts, versionOf } from '#core/ledger/upcast.ts';
import { verifyStream } from '#core/ledger/verify.ts';
import * as Ledger from '#core/ledger.ts';

/** Three versions: the first said `lines` and in words, the second a number, the third calls it `rows`. */
const known: Upcasts = {
	FlowDelivered: [
		({ lines, ...rest }) => ({ ...rest, lines: Number(lines) }),
		({ lines, ...rest }) => ({ ...rest, rows: lines }),
	],
};

const stream = 'F#qry_01M7YD5Q0000000000VA8E4671';
const envelope = {
	type: 'FlowDelivered',
	stream,
	ver: 1,
	id: 'led_01M7YD5Q0000000000E7B4KQ2V',
	at: '2026-03-02T09:00:00.000Z',
	actor: 'system',
	trace: '0'.repeat(32),
	flow: 'qry_01M7YD5Q0000000000VA8E4671',
};

function storedAs(v: number, members: Record<string, unknown>) {
	const { bytes, leaf } = seal({ ...envelope, v, ...members });
	return { stream, ver: 1, bytes, leaf };
}

const corrupt = expect.objectContaining({ code: 'record-corrupt' });

describe('an entry of a version that is not known', () => {
	it.each([2, 7])('%s of a type that has one is record-corrupt, and verification names it', (v) => {
		const stored = storedAs(v, { rows: 3 });
		expect(() => recordedOf(stored)).toThrow(corrupt);
		expect(() => Ledger.readEntry(stored.bytes)).toThrow(corrupt);
		expect(verifyStream(stream, [stored])).toEqual({ stream, ver: 1, fault: 'unreadable' });
	});

	it.each([4, 0, -1, 1.5, '1', null, undefined])('%s of a type that has three is record-corrupt', (v) => {
		const text = JSON.stringify({ ...envelope, v, rows: 3 });
		const bytes = new TextEncoder().encode(text);
		expect(() => recordedOf({ stream, ver: 1, bytes, leaf: Ledger.leafHash(bytes) }, known)).toThrow(corrupt);
	});

	it('is not known by the name of what every object has', () => {
		for (const type of ['constructor', '__proto__', 'toString']) {
			expect([versionOf(type), isKnown({ type, v: 2 })]).toEqual([1, false]);
		}
	});
});

describe('an entry of an earlier version', () => {
	it.each([
		[1, { lines: '3' }],
		[2, { lines: 3 }],
		[3, { rows: 3 }],
	])('%s is read as the present one, by each step once', (v, members) => {
		expect(recordedOf(storedAs(v, members), known).body).toEqual({
			type: 'FlowDelivered',
			flow: envelope.flow,
			rows: 3,
		});
	});

	it('stays what was written: bytes, leaf and envelope', () => {
		const stored = storedAs(1, { lines: '3' });
		const { entry, leaf, stored: kept } = recordedOf(stored, known);
		expect([kept, leaf, Ledger.leafHash(kept.bytes)]).toEqual([stored, stored.leaf, stored.leaf]);
		expect(entry).toMatchObject({ v: 1, lines: '3' });
		expect(entry).not.toHaveProperty('rows');
	});

	it.each([
		[1, { rows: 3 }],
		[2, { rows: 3 }],
		[1, { lines: 'three' }],
	])('%s that says what its version did not is record-corrupt: %j', (v, members) => {
		expect(() => recordedOf(storedAs(v, members), known)).toThrow(corrupt);
	});

	it('is record-corrupt where a step throws, whatever it throws', () => {
		const throwing: Upcasts = { FlowDelivered: [() => JSON.parse('{') as never] };
		expect(() => recordedOf(storedAs(1, { rows: 3 }), throwing)).toThrow(corrupt);
	});

	it('cannot be made another type, nor changed in place, by a step', () => {
		const other: Upcasts = { FlowDelivered: [(m) => ({ ...m, type: 'FlowFailed' })] };
		expect(recordedOf(storedAs(1, { rows: 3 }), other).body.type).toBe('FlowDelivered');
		const inPlace: Upcasts = { FlowDelivered: [(m) => Object.assign(m as object, { rows: 4 }) as never] };
		expect(() => recordedOf(storedAs(1, { rows: 3 }), inPlace)).toThrow(corrupt);
	});
});

it('every step of the product is of a type that it has', () => {
	expect(Object.values(upcasts).every((steps) => steps.length > 0)).toBe(true);
	expect(versionOf('FlowDelivered', known)).toBe(3);
	expect(versionOf('FlowDelivered')).toBe(1);
});
