/**
 * Expressions of DynamoDB, as far as Fairlead writes them: conditions, key conditions, projections, and updates with SET,
 * REMOVE and ADD. What cannot be read, a name or value that is not given, and one that is given in vain are refused, as
 * DynamoDB refuses them.
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { invalid } from './memory/fault.ts';
import type { Item, KeySchema } from './memory/item.ts';

export type Bindings = {
	readonly names: Readonly<Record<string, string>>;
	readonly values: Readonly<Record<string, AttributeValue>>;
};

const TOKEN = /\s*(<>|<=|>=|[=<>(),]|[#:]?[A-Za-z_][A-Za-z0-9_]*)/y;
/** Only what is written in the code, so that this does not grow. */
const MOST_KEPT = 1000;
const read = new Map<string, readonly string[]>();

function tokens(text: string): readonly string[] {
	const known = read.get(text);
	if (known !== undefined) return known;
	const found: string[] = [];
	TOKEN.lastIndex = 0;
	while (text.slice(TOKEN.lastIndex).trim() !== '') {
		const at = TOKEN.lastIndex;
		const match = TOKEN.exec(text);
		if (match === null) throw invalid(`Invalid expression: Syntax error; token: ${text.slice(at)}`);
		found.push(match[1] ?? '');
	}
	if (read.size < MOST_KEPT) read.set(text, found);
	return found;
}

/** Names and values that texts mention, by the texts. */
const mentions = new Map<string, ReadonlySet<string>>();

function mentionedIn(texts: readonly (string | undefined)[]): ReadonlySet<string> {
	const name = texts.join('\n');
	const known = mentions.get(name);
	if (known !== undefined) return known;
	const all = texts.flatMap((text) => (text === undefined ? [] : tokens(text)));
	const found = new Set(all.filter((token) => token.startsWith('#') || token.startsWith(':')));
	if (mentions.size < MOST_KEPT) mentions.set(name, found);
	return found;
}

/** The names and values of a request. Throws where its expressions do not use just these. */
export function bindingsOf(input: object, texts: readonly (string | undefined)[]): Bindings {
	const of = input as { ExpressionAttributeNames?: Record<string, string>; ExpressionAttributeValues?: Item };
	const { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} } = of;
	const mentioned = mentionedIn(texts);
	let given = 0;
	for (const all of [names, values]) {
		for (const name in all) {
			given += 1;
			if (!mentioned.has(name))
				throw invalid(`Value provided in the expression attributes unused in expressions: ${name}`);
		}
	}
	if (given < mentioned.size) throw invalid('A name or a value that an expression uses is not defined');
	return { names, values };
}

type Comparable = { readonly type: string; readonly value: string | number };

function comparable(value: AttributeValue | undefined): Comparable | null {
	if (value?.S !== undefined) return { type: 'S', value: value.S };
	if (value?.N !== undefined) return { type: 'N', value: Number(value.N) };
	if (value?.BOOL !== undefined) return { type: 'BOOL', value: String(value.BOOL) };
	return null;
}

/** Order of two values of one type; null of two that are not comparable. Keys here are ASCII. */
export function compare(a: AttributeValue | undefined, b: AttributeValue | undefined): number | null {
	if (a?.B !== undefined && b?.B !== undefined) return Buffer.compare(a.B, b.B);
	const [x, y] = [comparable(a), comparable(b)];
	if (x === null || y === null || x.type !== y.type) return null;
	return x.value < y.value ? -1 : x.value > y.value ? 1 : 0;
}

/** Of what is not comparable only `<>` holds. */
const OPERATORS: Readonly<Record<string, (order: number | null) => boolean>> = {
	'=': (o) => o === 0,
	'<>': (o) => o !== 0,
	'<': (o) => o !== null && o < 0,
	'>': (o) => o !== null && o > 0,
	'<=': (o) => o !== null && o <= 0,
	'>=': (o) => o !== null && o >= 0,
};

type Test = (item: Item, bound: Bindings) => boolean;
type Operand = (item: Item, bound: Bindings) => AttributeValue | undefined;

const tests = new Map<string, Test>();

/** Whether a condition holds for an item. */
export function holds(text: string | undefined, item: Item, bound: Bindings): boolean {
	if (text === undefined) return true;
	const known = tests.get(text) ?? conditionOf(text);
	if (tests.size < MOST_KEPT) tests.set(text, known);
	return known(item, bound);
}

function conditionOf(text: string): Test {
	const all = tokens(text);
	let at = 0;
	const peek = () => all[at]?.toUpperCase();
	const next = () => all[at++] ?? '';
	const expect = (token: string) => {
		const found = next();
		if (found.toUpperCase() !== token) throw invalid(`Invalid expression: ${token} expected, not ${found}: ${text}`);
	};
	const operand = (): Operand => {
		const token = operandOf(next(), text);
		return (item, bound) => valueOf(token, item, bound);
	};
	const or = (): Test => {
		const parts = [and()];
		while (peek() === 'OR') {
			next();
			parts.push(and());
		}
		return (item, bound) => parts.some((part) => part(item, bound));
	};
	const and = (): Test => {
		const parts = [not()];
		while (peek() === 'AND') {
			next();
			parts.push(not());
		}
		return (item, bound) => parts.every((part) => part(item, bound));
	};
	const not = (): Test => {
		if (peek() !== 'NOT') return one();
		next();
		const inner = not();
		return (item, bound) => !inner(item, bound);
	};
	const one = (): Test => {
		if (peek() === '(') {
			next();
			const inner = or();
			expect(')');
			return inner;
		}
		if (all[at + 1] === '(') return called(next());
		const left = operand();
		const operator = next();
		if (operator.toUpperCase() !== 'BETWEEN') return compared(left, operator, operand());
		const low = compared(left, '>=', operand());
		expect('AND');
		const high = compared(left, '<=', operand());
		return (item, bound) => low(item, bound) && high(item, bound);
	};
	const compared = (left: Operand, operator: string, right: Operand): Test => {
		const test = OPERATORS[operator];
		if (test === undefined) throw invalid(`Invalid expression: no operator ${operator}: ${text}`);
		return (item, bound) => test(compare(left(item, bound), right(item, bound)));
	};
	const called = (name: string): Test => {
		expect('(');
		const value = operand();
		if (name === 'begins_with') {
			expect(',');
			const start = operand();
			expect(')');
			return (item, bound) => value(item, bound)?.S?.startsWith(start(item, bound)?.S ?? '') === true;
		}
		expect(')');
		if (name === 'attribute_exists') return (item, bound) => value(item, bound) !== undefined;
		if (name === 'attribute_not_exists') return (item, bound) => value(item, bound) === undefined;
		throw invalid(`Invalid expression: Invalid function name; function: ${name}`);
	};
	const condition = or();
	if (at < all.length) throw invalid(`Invalid expression: Syntax error; token: ${all.slice(at).join(' ')}`);
	return condition;
}

function operandOf(token: string, text: string): string {
	if (/^[#:]?[A-Za-z_]/.test(token) && !/^(AND|OR|NOT|BETWEEN)$/i.test(token)) return token;
	throw invalid(`Invalid expression: Syntax error; token: ${token}: ${text}`);
}

const nameOf = (token: string, { names }: Bindings) => (token.startsWith('#') ? (names[token] ?? '') : token);

function valueOf(token: string, item: Item, bound: Bindings): AttributeValue | undefined {
	return token.startsWith(':') ? bound.values[token] : item[nameOf(token, bound)];
}

/** The part of one partition that a query reads. */
export type KeyRange = {
	readonly hash: string;
	/** Nothing before it and nothing after it is asked for. */
	readonly low: string | null;
	readonly high: string | null;
	readonly holds: (range: string) => boolean;
};

/** Reads `hash = :a`, alone or with one condition on the other key. */
export function keyRange(text: string | undefined, { hash, range }: KeySchema, bound: Bindings): KeyRange {
	const all = tokens(text ?? '');
	const wrong = () => invalid(`Query key condition not supported: ${text}`);
	const value = (token: string | undefined): string => {
		const found = token?.startsWith(':') ? bound.values[token]?.S : undefined;
		if (found === undefined) throw wrong();
		if (found === '') throw invalid('The AttributeValue for a key attribute cannot contain an empty string value.');
		return found;
	};
	const [name = '', equals, of, and, ...rest] = all;
	if (nameOf(name, bound) !== hash || equals !== '=') throw wrong();
	const partition = value(of);
	if (and === undefined) return { hash: partition, low: null, high: null, holds: () => true };
	if (and.toUpperCase() !== 'AND' || range === undefined) throw wrong();
	if (rest[0] === 'begins_with') {
		const [, open, key = '', comma, start, close, ...more] = rest;
		if (nameOf(key, bound) !== range || `${open}${comma}${close}` !== '(,)' || more.length > 0) throw wrong();
		const prefix = value(start);
		return { hash: partition, low: prefix, high: `${prefix}\uffff`, holds: (key_) => key_.startsWith(prefix) };
	}
	const [key = '', operator = '', first, also, second, ...more] = rest;
	if (nameOf(key, bound) !== range || more.length > 0) throw wrong();
	const limit = value(first);
	if (operator.toUpperCase() === 'BETWEEN') {
		const last = value(second);
		if (also?.toUpperCase() !== 'AND') throw wrong();
		return { hash: partition, low: limit, high: last, holds: (key_) => key_ >= limit && key_ <= last };
	}
	const test = OPERATORS[operator];
	if (test === undefined || operator === '<>' || also !== undefined) throw wrong();
	return {
		hash: partition,
		low: operator.startsWith('<') ? null : limit,
		high: operator.startsWith('>') ? null : limit,
		holds: (key_) => test(key_ < limit ? -1 : key_ > limit ? 1 : 0),
	};
}

/** What a projection leaves of an item. */
export function projected(text: string | undefined, item: Item, bound: Bindings): Item {
	if (text === undefined) return item;
	const left: Item = {};
	for (const token of tokens(text)) {
		const name = token === ',' ? '' : nameOf(token, bound);
		const value = item[name];
		if (value !== undefined) left[name] = value;
	}
	return left;
}

/** The item after an update, and the names of what was set. */
export function updated(text: string, item: Item, bound: Bindings): { item: Item; touched: string[] } {
	const result = { ...item };
	const touched: string[] = [];
	let clause = '';
	const left = [...tokens(text)];
	while (left.length > 0) {
		const token = left.shift() ?? '';
		if (/^(SET|REMOVE|ADD)$/i.test(token)) {
			clause = token.toUpperCase();
			continue;
		}
		if (token === ',') continue;
		if (clause === '') throw invalid(`Invalid UpdateExpression: Syntax error; token: ${token}`);
		const name = nameOf(operandOf(token, text), bound);
		touched.push(name);
		if (clause === 'REMOVE') {
			delete result[name];
			continue;
		}
		if (clause === 'SET' && left.shift() !== '=') throw invalid(`Invalid UpdateExpression: Syntax error: ${text}`);
		const value = valueOf(operandOf(left.shift() ?? '', text), item, bound);
		if (value === undefined) throw invalid('The provided expression refers to an attribute that does not exist');
		result[name] = clause === 'ADD' ? sumOf(item[name], value) : value;
	}
	return { item: result, touched };
}

function sumOf(before: AttributeValue | undefined, added: AttributeValue): AttributeValue {
	if (added.N === undefined || (before !== undefined && before.N === undefined)) {
		throw invalid('An operand in the update expression has an incorrect data type');
	}
	return { N: String(Number(before?.N ?? 0) + Number(added.N)) };
}
