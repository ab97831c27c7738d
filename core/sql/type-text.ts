/**
 * The one reader of a type's text, in Glue's and in Trino's spelling: `array<struct<a:int>>` and `array(row(a integer))`
 * (https://docs.aws.amazon.com/athena/latest/ug/data-types.html, https://trino.io/docs/current/language/types.html).
 * A text that is no type of a column gives null.
 */
import type { TypeName } from './ast.ts';

type Field = TypeName['of'][number];

const bare =
	'boolean tinyint smallint integer bigint real double varbinary json date uuid ipaddress number variant unknown ' +
	'hyperloglog p4hyperloglog setdigest tdigest geometry sphericalgeography bingtile kdbtree color';

/** The types with nothing inside, by Trino's own names, and how many parameters each may have. */
const most: ReadonlyMap<string, number> = new Map<string, number>([
	...bare.split(' ').map((name): [string, number] => [name, 0]),
	['decimal', 2],
	['varchar', 1],
	['char', 1],
	['time', 1],
	['time with time zone', 1],
	['timestamp', 1],
	['timestamp with time zone', 1],
	['interval year to month', 0],
	['interval day to second', 0],
]);

/** Other words for them and for `row`: Glue's own, and those of the SQL standard. */
const synonyms: ReadonlyMap<string, string> = new Map([
	['string', 'varchar'],
	['int', 'integer'],
	['long', 'bigint'],
	['float', 'real'],
	['binary', 'varbinary'],
	['struct', 'row'],
	['double precision', 'double'],
	['dec', 'decimal'],
	['numeric', 'decimal'],
	['time without time zone', 'time'],
	['timestamp without time zone', 'timestamp'],
]);

const trinoName = (word: string): string => synonyms.get(word) ?? word;

/** What may follow the first word of a name, and its parameters. */
const further: readonly (readonly [first: string, rest: readonly string[]])[] = [
	...most.keys(),
	...synonyms.keys(),
].flatMap((name) => {
	const [first = '', ...rest] = name.split(' ');
	return rest.length === 0 ? [] : [[first, rest] as const];
});

const token = /\s*("(?:[^"]|"")*"|[^\s<>(),:"]+|[<>(),:])/y;

function tokensOf(text: string): string[] | null {
	const tokens: string[] = [];
	token.lastIndex = 0;
	let end = 0;
	for (let found = token.exec(text); found !== null; found = token.exec(text)) {
		tokens.push(found[1] ?? '');
		end = token.lastIndex;
	}
	return text.slice(end).trim() === '' ? tokens : null;
}

const maxDepth = 64;

type Reader = { readonly tokens: readonly string[]; next: number };

/** With the names that the text has: `struct`, `string`. null: not a type that can be read. */
export function readType(text: string): TypeName | null {
	const tokens = tokensOf(text.toLowerCase());
	if (tokens === null) return null;
	const reader: Reader = { tokens, next: 0 };
	const type = typeAt(reader, 0);
	return reader.next === tokens.length ? type : null;
}

/** In Trino's own names, and `decimal` with its scale. null: not a type that can be read. */
export function parseType(text: string): TypeName | null {
	const type = readType(text);
	return type === null ? null : inTrino(type);
}

function inTrino({ name: word, parameters, of }: TypeName): TypeName {
	const name = trinoName(word);
	const [precision, scale = 0] = parameters;
	return {
		name,
		parameters: name === 'decimal' && precision !== undefined ? [precision, scale] : parameters,
		of: of.map((part) => ({ name: part.name, type: inTrino(part.type) })),
	};
}

function take(reader: Reader, wanted: string): boolean {
	if (reader.tokens[reader.next] !== wanted) return false;
	reader.next += 1;
	return true;
}

function typeAt(reader: Reader, depth: number): TypeName | null {
	const name = reader.tokens[reader.next];
	if (name === undefined || depth > maxDepth) return null;
	reader.next += 1;
	if (name === 'array' || name === 'map' || name === 'qdigest') {
		const of = list(reader, () => unnamed(typeAt(reader, depth + 1)));
		return of === null || of.length !== (name === 'map' ? 2 : 1) ? null : { name, parameters: [], of };
	}
	if (name === 'struct' || name === 'row') {
		const of = list(reader, () => rowField(reader, depth));
		return of === null ? null : { name, parameters: [], of };
	}
	return plain(reader, name);
}

function unnamed(type: TypeName | null): Field | null {
	return type === null ? null : { name: null, type };
}

/** Parameters and further words: decimal(10,2), timestamp(3) with time zone, double precision. */
function plain(reader: Reader, first: string): TypeName | null {
	const parameters = take(reader, '(') ? numbers(reader) : [];
	const rest = further.find(([word, more]) => word === first && followed(reader, more))?.[1] ?? [];
	reader.next += rest.length;
	const name = [first, ...rest].join(' ');
	if (parameters === null || parameters.length > (most.get(trinoName(name)) ?? -1)) return null;
	return { name, parameters, of: [] };
}

function followed({ tokens, next }: Reader, more: readonly string[]): boolean {
	return more.every((word, index) => tokens[next + index] === word);
}

function numbers(reader: Reader): readonly number[] | null {
	const found: number[] = [];
	do {
		const digits = reader.tokens[reader.next] ?? '';
		if (!/^\d{1,10}$/.test(digits)) return null;
		found.push(Number(digits));
		reader.next += 1;
	} while (take(reader, ','));
	return take(reader, ')') ? found : null;
}

function list(reader: Reader, item: () => Field | null): readonly Field[] | null {
	const close = take(reader, '<') ? '>' : take(reader, '(') ? ')' : null;
	if (close === null) return null;
	const items: Field[] = [];
	for (;;) {
		const found = item();
		if (found === null) return null;
		items.push(found);
		if (take(reader, close)) return items;
		if (!take(reader, ',')) return null;
	}
}

/** `a:int`, `a integer`, `"a b" integer` or, where it is a type all by itself, `double precision`. */
function rowField(reader: Reader, depth: number): Field | null {
	const start = reader.next;
	const [first = '', second] = reader.tokens.slice(start, start + 2);
	const alone = second === ':' ? null : typeAt(reader, depth + 1);
	if (alone !== null && [',', ')', '>'].includes(reader.tokens[reader.next] ?? '')) return unnamed(alone);
	if (!/^[^<>(),:]/.test(first)) return null;
	reader.next = start + (second === ':' ? 2 : 1);
	const type = typeAt(reader, depth + 1);
	const name = first.startsWith('"') ? first.slice(1, -1).replaceAll('""', '"') : first;
	return type === null ? null : { name, type };
}
