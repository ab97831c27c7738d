/**
 * The fixture of the SQL front end: valid.json says what each query reads and where its outputs come from, refused.json
 * what is refused and at which place. Both were derived by hand from Trino's rules, not from what the code gives.
 */
import type { IndirectUse, Output, Read, Resolved } from '#core/sql.ts';
import refused from './refused.json' with { type: 'json' };
import valid from './valid.json' with { type: 'json' };

/** Names of columns, each with its uses or kinds: sorted, with blanks between. */
export type Columns = Readonly<Record<string, string>>;

/** Its name, its direct sources, and the indirect ones of its own. */
export type ExpectedOutput = readonly [name: string | null, direct: Columns, own: Columns];

export type Facts = {
	readonly tables: readonly string[];
	/** A column that is not granted has `!` after its name. */
	readonly reads: Columns;
	readonly outputs: readonly ExpectedOutput[];
	/** What decides which rows there are. */
	readonly rows: Columns;
};

export type ValidCase = { readonly construct: string; readonly sql: string; readonly facts: Facts };

export type RefusedCase = {
	readonly construct: string;
	readonly sql: string;
	readonly code: string;
	readonly line: number;
	readonly column: number;
};

/** As they stand in valid.json: `rows` and an output's own indirect sources are left out when there are none. */
type WrittenCase = {
	readonly sql: string;
	readonly tables: readonly string[];
	readonly reads: Columns;
	readonly outputs: readonly (readonly [name: string | null, direct: Columns, own?: Columns])[];
	readonly rows?: Columns;
	readonly note?: string;
};
type WrittenRefusal = readonly [sql: string, code: string, line: number, column: number];
type Written<C> = readonly { readonly construct: string; readonly cases: readonly C[] }[];

export const validCases: readonly ValidCase[] = (valid.groups as unknown as Written<WrittenCase>).flatMap(
	({ construct, cases }) =>
		cases.map(({ sql, tables, reads, outputs, rows }) => ({
			construct,
			sql,
			facts: {
				tables: tables.toSorted(),
				reads,
				outputs: outputs.map(([name, direct, own]) => [name, direct, own ?? {}] as const),
				rows: rows ?? {},
			},
		})),
);

export const refusedCases: readonly RefusedCase[] = (refused.groups as unknown as Written<WrittenRefusal>).flatMap(
	({ construct, cases }) => cases.map(([sql, code, line, column]) => ({ construct, sql, code, line, column })),
);

/** What a resolved query says, in the words of the fixture. */
export function factsOf({ tables, reads, outputs, rows }: Resolved): Facts {
	return {
		tables: tables.toSorted(),
		reads: Object.fromEntries(reads.map(readFact)),
		outputs: outputs.map(outputFact),
		rows: usesByColumn(rows),
	};
}

function readFact({ table, column, granted, uses }: Read): [string, string] {
	return [`${table}.${column}${granted ? '' : '!'}`, uses.toSorted().join(' ')];
}

function outputFact({ name, sources, indirect }: Output): ExpectedOutput {
	const direct = sources.map(({ table, column, kind }) => [`${table}.${column}`, kind]);
	return [name, Object.fromEntries(direct), usesByColumn(indirect)];
}

type Indirect = { readonly table: string; readonly column: string; readonly use: IndirectUse };

function usesByColumn(list: readonly Indirect[]): Columns {
	const columns = new Map<string, Set<string>>();
	for (const { table, column, use } of list) {
		const id = `${table}.${column}`;
		columns.set(id, (columns.get(id) ?? new Set()).add(use));
	}
	return Object.fromEntries([...columns].map(([id, uses]) => [id, [...uses].toSorted().join(' ')]));
}
