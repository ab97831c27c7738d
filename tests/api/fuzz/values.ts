/** Values that are not what was asked for: what each field of each operation is tried with. */

/** Any text: also what has no glyph, no meaning, or too much of it. */
const oddTexts: readonly string[] = [
	'',
	' ',
	'\t\r\n',
	'null',
	'0',
	'__proto__',
	'\u0000',
	'a\u0000b',
	'\u202egnp.exe',
	'\u200b',
	'e\u0301',
	'\u{1f469}\u200d\u{1f4bb}',
	'İ',
	'\ud800',
	'\udc00\ud800',
	'../../etc/passwd',
	'%00',
	"' OR 1=1 --",
	'${jndi:ldap://x}',
	'x'.repeat(300),
	'x'.repeat(300_000),
	'\u{10000}'.repeat(2001),
];

const oddNumbers: readonly number[] = [0, -1, 0.5, 2 ** 53 + 2, 1.797_693_134_862_315_7e308];

/** A member of this name that JSON.stringify writes down, too. */
export function member(name: string, value: unknown): Record<string, unknown> {
	return Object.defineProperty({}, name, { value, enumerable: true, configurable: true, writable: true });
}

export function deep(levels: number): unknown {
	let value: unknown = [];
	for (let i = 0; i < levels; i += 1) value = i % 2 === 0 ? [value] : { a: value };
	return value;
}

const otherTypes: readonly unknown[] = [
	null,
	true,
	[],
	{},
	[null],
	deep(1000),
	member('__proto__', { admin: true }),
	member('toString', 'x'),
];

/** What a text that is right becomes with a small thing wrong, or only written differently. */
const spoilt = (text: string): readonly string[] => [
	`${text}\n`,
	`\n${text}`,
	` ${text} `,
	`${text}\u0000`,
	`${text}\u200b`,
	text.toUpperCase(),
	text.slice(0, -1),
	`${text}${text}`,
	// Letters of full width.
	text.replaceAll(/[a-z]/g, (c) => String.fromCodePoint((c.codePointAt(0) ?? 0) + 0xfee0)),
];

/** What stands in place of this value, or is left out (undefined). */
export function insteadOf(value: unknown): readonly unknown[] {
	const others = [undefined, ...otherTypes, ...oddNumbers];
	if (typeof value === 'string') return [...others, ...oddTexts, ...spoilt(value), [value], { value }];
	if (Array.isArray(value)) return [...others, 'x', Array.from({ length: 10_001 }, () => value[0]), [...value, null]];
	if (typeof value === 'object' && value !== null) {
		const extra = ['extra', '__proto__', 'constructor', 'Id', ''].map((name) => withMember(value, name));
		return [...others, 'x', JSON.stringify(value), [value], ...extra];
	}
	return [...others, 'x', '1', ...oddTexts.slice(0, 8)];
}

const withMember = (value: object, name: string) =>
	Object.defineProperties({ ...value }, Object.getOwnPropertyDescriptors(member(name, 'x')));

/** As they stand in an address: some are no percent-encoding, some no UTF-8. */
export function inAddress(valid: string): readonly string[] {
	const odd = [
		'',
		' ',
		'null',
		'0',
		'__proto__',
		'\u0000',
		'\u202egnp',
		'e\u0301',
		'../../etc/passwd',
		"' OR 1=1 --",
		'x'.repeat(300),
	];
	const wellFormed = [...odd, ...spoilt(valid)];
	return [
		...wellFormed.map(encodeURIComponent),
		'%',
		'%ff',
		'%zz',
		'%ed%a0%80',
		'%c0%ae%c0%ae',
		'%25',
		'x'.repeat(7000),
	];
}

/** As header values: bytes, no line ends. */
export const inHeader: readonly string[] = [
	'',
	'*',
	'"',
	'""',
	'W/"1"',
	'"1", "2"',
	'\u00e9\u00ff',
	'null',
	'__proto__',
	'${jndi:ldap://x}',
	'a'.repeat(7000),
];

export type Pointer = readonly (string | number)[];

/** Every place in a JSON value, of a list the first item. */
export function placesOf(value: unknown, at: Pointer = []): Pointer[] {
	if (Array.isArray(value)) return [at, ...(value.length > 0 ? placesOf(value[0], [...at, 0]) : [])];
	if (typeof value !== 'object' || value === null) return [at];
	return [at, ...Object.entries(value).flatMap(([name, inner]) => placesOf(inner, [...at, name]))];
}

export function valueAt(value: unknown, [head, ...rest]: Pointer): unknown {
	return head === undefined ? value : valueAt((value as Record<string | number, unknown>)[head], rest);
}

/** The value with another one in this place; undefined takes it away. */
export function replaced(value: unknown, [head, ...rest]: Pointer, by: unknown): unknown {
	if (head === undefined) return by;
	const inner = replaced((value as Record<string | number, unknown>)[head], rest, by);
	if (Array.isArray(value))
		return value.flatMap((item, i) => (i !== head ? [item] : inner === undefined ? [] : [inner]));
	return { ...(value as object), [head]: inner };
}
