/**
 * What a row can hold in one column, as far as a filter can tell: enough points that a filter which is TRUE on all of
 * them is TRUE on every value. Where engines may differ (rounding of numbers, order and padding of text), a point stands
 * for each way, or says that it does not know.
 */
import type { Constant, RowFilter } from '../sql.ts';
import { not, type Point, pointOf } from './holds.ts';
import { compareNumbers } from './number.ts';

/** What is known of a column. */
export type ColumnFacts = {
	readonly name: string;
	/** Its Glue type. */
	readonly type: string;
	/** Whether every row has a value. */
	readonly required: boolean;
	/** Every value that there is; null where that is not known. */
	readonly values: readonly Constant[] | null;
	/** Bounds of a number. */
	readonly limits: readonly Limit[];
};

export type Limit = {
	readonly side: 'low' | 'high';
	/** Canonical. */
	readonly value: string;
	/** Whether the value itself is out of bounds. */
	readonly strict: boolean;
};

/** Beyond this, ways to order text and to match patterns are not tried out. */
const MOST_GUESSES = 6;

/** With more points than that, nothing is said: each is tried on the whole filter. */
const MOST_POINTS = 2000;

/** Not a number: equal to nothing and in no range (IEEE 754). */
export const NAN: Point = { equals: () => false, below: () => false, above: () => false, like: () => null };

/** Every value that the column's type lets it have; null where they are too many to try. */
export function anyValue(f: RowFilter, facts: ColumnFacts): readonly Point[] | null {
	const constants = constantsOf(f);
	switch (constants[0]?.type) {
		case 'number':
			return numbers(constants, facts, []);
		case 'boolean':
			return [true, false].map((value) => exactly({ type: 'boolean', value }, facts));
		case 'string':
		case undefined:
			return texts(f, constants);
	}
}

/** Every value that the contract lets it have; null where it says nothing about that, or they are too many to try. */
export function contractValue(f: RowFilter, facts: ColumnFacts): readonly Point[] | null {
	const { values, limits } = facts;
	if (values !== null) return values.length > MOST_POINTS ? null : values.map((value) => exactly(value, facts));
	const constants = constantsOf(f);
	if (limits.length === 0 || constants[0]?.type !== 'number') return null;
	return numbers(constants, facts, limits);
}

const BITS: Readonly<Record<string, bigint>> = {
	tinyint: 8n,
	smallint: 16n,
	int: 32n,
	integer: 32n,
	bigint: 64n,
	long: 64n,
};

/** What the type alone holds its values to: two's complement of as many bits; null where they are no whole numbers. */
function limitsOf(type: string): Limit[] | null {
	const bits = BITS[type.toLowerCase()];
	if (bits === undefined) return null;
	const half = 2n ** (bits - 1n);
	return [
		{ side: 'low', value: String(-half), strict: false },
		{ side: 'high', value: String(half - 1n), strict: false },
	];
}

const exact = (a: string, b: string) => compareNumbers(a, b);
const asDouble = (a: string, b: string) => Number(a) - Number(b);
const asReal = (a: string, b: string) => Math.fround(Number(a)) - Math.fround(Number(b));

/** Each constant, and what lies before, between and after them, in whichever of the number types the column has. */
function numbers(
	constants: readonly Constant[],
	{ type }: ColumnFacts,
	contracted: readonly Limit[],
): readonly Point[] | null {
	const own = limitsOf(type);
	const limits = [...(own ?? []), ...contracted];
	const texts = [...new Set([...constants.map((c) => String(c.value)), ...limits.map((limit) => limit.value)])];
	const orders = [exact, asDouble, asReal];
	if (orders.length * (2 * texts.length + 1) > MOST_POINTS) return null;
	return orders.flatMap((order) => {
		const sorted: string[] = [];
		const known = new Map<string, number>();
		for (const text of texts.toSorted(order)) {
			const last = sorted.at(-1);
			if (last === undefined || order(last, text) !== 0) sorted.push(text);
			known.set(text, 2 * sorted.length - 1);
		}
		const place = (text: string) => known.get(text) ?? Number.NaN;
		const isEmpty = (at: number) => own !== null && at % 2 === 0 && neighbours(sorted[at / 2 - 1], sorted[at / 2]);
		const isWithin = (at: number) =>
			limits.every(({ side, value, strict }) => {
				const inside = side === 'low' ? at - place(value) : place(value) - at;
				return inside > 0 || (inside === 0 && !(strict && isSharp(value, type)));
			});
		return Array.from({ length: 2 * sorted.length + 1 }, (_, at) => at)
			.filter((at) => isWithin(at) && !isEmpty(at))
			.map((at): Point => {
				const side = ({ value }: Constant) => at - place(String(value));
				return pointOf(
					(c) => side(c) === 0,
					(c) => side(c) < 0,
				);
			});
	});
}

/**
 * Whether a value beyond the bound is beyond it for every engine. A rounded type may hold the bound's own rounding, which
 * one engine finds beyond the bound and another equal to it; whole numbers of up to 24 bits are never rounded.
 */
const isSharp = (value: string, type: string) =>
	!/^(?:double|real|float)$/i.test(type) || (!value.includes('.') && Math.abs(Number(value)) <= 2 ** 24);

const neighbours = (a: string | undefined, b: string | undefined) =>
	a !== undefined && b !== undefined && !`${a}${b}`.includes('.') && BigInt(b) - BigInt(a) === 1n;

/** Each constant and anything else; in every order of the constants that a range names, with every pattern or without. */
function texts(f: RowFilter, constants: readonly Constant[]): Point[] | null {
	const guessed = guessesOf(f);
	if (guessed.length > MOST_GUESSES) return null;
	const written = [...new Set(constants.map((c) => String(c.value)))];
	if ((1 + written.length) * 2 ** guessed.length > MOST_POINTS) return null;
	return [null, ...written].flatMap((value) =>
		Array.from({ length: 2 ** guessed.length }, (_, guess): Point => {
			const says = (what: string) => (guess & (2 ** guessed.indexOf(what))) !== 0;
			const equals = (c: Constant) => alike(value, String(c.value));
			const below = (c: Constant) => (equals(c) === false ? says(order(c)) : not(equals(c)));
			return pointOf(equals, below, (pattern) => isEverything(pattern) || says(match(pattern)));
		}),
	);
}

const order = ({ value }: Constant) => `< ${value}`;
const match = (pattern: string) => `LIKE ${pattern}`;

/** A column of type char ignores blanks at the end: then nobody knows. */
function alike(value: string | null, constant: string): boolean | null {
	if (value === null) return false;
	if (value === constant) return true;
	return value.trimEnd() === constant.trimEnd() ? null : false;
}

const isEverything = (pattern: string) => /^%+$/.test(pattern);

/** Constants of ranges, and patterns: what nothing is known about but that it is the same each time it is written. */
function guessesOf(f: RowFilter): string[] {
	const found = atomsOf(f).flatMap((atom) => {
		if (atom.op === 'between') return [order(atom.low), order(atom.high)];
		if (atom.op === 'like') return isEverything(atom.pattern) ? [] : [match(atom.pattern)];
		return atom.op === 'compare' && atom.operator !== '=' && atom.operator !== '<>' ? [order(atom.value)] : [];
	});
	return [...new Set(found)];
}

/** A value that is known. */
function exactly(value: Constant, { type }: ColumnFacts): Point {
	const text = String(value.value);
	if (value.type !== 'number') {
		const padded = /^char/i.test(type);
		const like = (pattern: string) => isEverything(pattern) || (padded ? null : matches(text, pattern));
		return pointOf(
			(c) => alike(text, String(c.value)),
			() => null,
			like,
		);
	}
	const side = (c: Constant): number | null => {
		const all = [exact, asDouble, asReal].map((by) => Math.sign(by(text, String(c.value))));
		return all.every((d) => d === all[0]) ? (all[0] ?? null) : null;
	};
	const given = (d: number | null, is: boolean) => (d === null ? null : is);
	return pointOf(
		(c) => given(side(c), side(c) === 0),
		(c) => given(side(c), side(c) === -1),
	);
}

/** LIKE: `%` is any text, `_` any one character. Never goes back further than to the last `%`. */
function matches(written: string, pattern: string): boolean {
	const [text, form] = [Array.from(written), Array.from(pattern)];
	let [at, next, star, from] = [0, 0, -1, 0];
	while (at < text.length) {
		if (form[next] === '%') [star, from, next] = [next, at, next + 1];
		else if (form[next] === '_' || (next < form.length && form[next] === text[at])) [at, next] = [at + 1, next + 1];
		else if (star === -1) return false;
		else [from, at, next] = [from + 1, from + 1, star + 1];
	}
	return form.slice(next).every((c) => c === '%');
}

type Atom = Exclude<RowFilter, { op: 'and' | 'or' | 'not' }>;

function atomsOf(f: RowFilter): Atom[] {
	if ('operands' in f) return f.operands.flatMap(atomsOf);
	return 'operand' in f ? atomsOf(f.operand) : [f];
}

function constantsOf(f: RowFilter): Constant[] {
	return atomsOf(f).flatMap((atom) => {
		if (atom.op === 'compare') return [atom.value];
		if (atom.op === 'between') return [atom.low, atom.high];
		return atom.op === 'in' ? [...atom.values] : [];
	});
}
