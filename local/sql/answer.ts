/**
 * One line of the bulk tool: what a statement reads, where its outputs come from and how it prints, or why it is refused.
 * Whatever the line holds, there is an answer; no answer repeats a literal of the text.
 */
import { isRefusal } from '#core/error.ts';
import { type Lookup, type Output, printTrino, type Resolved, resolve, type Use } from '#core/sql.ts';
import { parseQuery } from '#core/syntax.ts';
import { printDuckDB } from '../athena/print-duckdb.ts';

type Id = string | number | null;

type Refusal = {
	readonly code: string;
	readonly message: string;
	/** null: the line has no statement to point into. */
	readonly line: number | null;
	readonly column: number | null;
};

export type Answer =
	| ({ readonly id: Id; readonly ok: false } & Refusal)
	| {
			readonly id: Id;
			readonly ok: true;
			readonly tables: readonly string[];
			readonly reads: readonly string[];
			readonly uses: Readonly<Record<string, readonly string[]>>;
			readonly outputs: readonly AnsweredOutput[];
			readonly trino: string;
			/** null: it runs on Athena only, for the reason in `duckdbRefusal`. */
			readonly duckdb: string | null;
			readonly duckdbRefusal?: Refusal;
	  };

type AnsweredOutput = {
	readonly name: string | null;
	/** What its value is made of or decided by; not what only decides which rows there are. */
	readonly sources: readonly string[];
	readonly direct: Readonly<Record<string, string>>;
	/** Everything that it depends on without being made of it, what decides the rows too. */
	readonly indirect: Readonly<Record<string, readonly string[]>>;
};

const useOrder: readonly Use[] = ['select', 'filter', 'join', 'group', 'having', 'sort', 'window'];
const indirectOrder = ['filter', 'join', 'group', 'sort', 'window', 'conditional'] as const;

type Column = { readonly table: string; readonly column: string };
const nameOf = ({ table, column }: Column): string => `${table}.${column}`;

/** Hears of what is a fault of this tool, whose cause no answer has. */
export type Report = (cause: unknown) => void;

/** `text` is one line, null one that is too long to be read. */
export function answer(text: string | null, lookup: Lookup, report: Report): Answer {
	if (text === null) return refused(null, 'too-large', 'The line is too long.');
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		return refused(null, 'bad-request', 'The line is not JSON.');
	}
	if (typeof value !== 'object' || value === null || Array.isArray(value)) {
		return refused(null, 'bad-request', 'The line is not an object with "id" and "sql".');
	}
	const { id, sql } = value as Readonly<Record<string, unknown>>;
	if (typeof id !== 'string' && typeof id !== 'number') {
		return refused(null, 'bad-request', '"id" must be a string or a number.');
	}
	if (typeof sql !== 'string') return refused(id, 'bad-request', '"sql" must be a string.');
	try {
		return { id, ok: true, ...analyse(sql, lookup, report) };
	} catch (error) {
		return { id, ok: false, ...refusalOf(error, report) };
	}
}

function analyse(sql: string, lookup: Lookup, report: Report): Omit<Extract<Answer, { ok: true }>, 'id' | 'ok'> {
	const resolved = resolve(parseQuery(sql), lookup);
	return {
		tables: [...resolved.tables].toSorted(),
		reads: resolved.reads.map(nameOf).toSorted(),
		uses: usesOf(resolved),
		outputs: resolved.outputs.map((output) => answered(output, resolved)),
		trino: printTrino(resolved),
		...inDuckDB(resolved, report),
	};
}

function usesOf({ reads }: Resolved): Record<string, readonly string[]> {
	const sorted = reads.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
	return record(sorted.map((read) => [nameOf(read), useOrder.filter((use) => read.uses.includes(use))]));
}

function answered({ name, sources, indirect }: Output, { rows }: Resolved): AnsweredOutput {
	const direct = record(sources.map((s): [string, string] => [nameOf(s), s.kind]).toSorted(byName));
	const own = indirect.filter(({ by }) => by === 'expression');
	const depends = new Map<string, Set<string>>();
	for (const source of [...indirect, ...rows]) {
		const uses = depends.get(nameOf(source)) ?? new Set();
		depends.set(nameOf(source), uses.add(source.use));
	}
	return {
		name,
		sources: [...new Set([...sources, ...own].map(nameOf))].toSorted(),
		direct,
		indirect: record(
			[...depends]
				.toSorted(byName)
				.map(([column, uses]): [string, string[]] => [column, indirectOrder.filter((use) => uses.has(use))]),
		),
	};
}

function inDuckDB(resolved: Resolved, report: Report): { duckdb: string | null; duckdbRefusal?: Refusal } {
	try {
		return { duckdb: printDuckDB(resolved) };
	} catch (error) {
		return { duckdb: null, duckdbRefusal: refusalOf(error, report) };
	}
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);

/** Also for names that an object would take for something else. */
function record<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
	return Object.fromEntries(entries);
}

function refused(id: Id, code: string, message: string): Answer {
	return { id, ok: false, code, message, line: null, column: null };
}

function refusalOf(error: unknown, report: Report): Refusal {
	if (isRefusal(error)) {
		const { line, column } = error.extensions as Readonly<Record<string, unknown>>;
		const at = (place: unknown) => (typeof place === 'number' ? place : null);
		return { code: error.code, message: error.message, line: at(line), column: at(column) };
	}
	if (error instanceof RangeError) {
		return { code: 'too-large', message: 'The statement nests too deeply.', line: null, column: null };
	}
	report(error);
	return {
		code: 'internal',
		message: 'The statement could not be read: a fault of this tool.',
		line: null,
		column: null,
	};
}
