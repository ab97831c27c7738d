/** Cells of small tables, by brute force: a second reading of row filters, on trees as the ledger has them. */
import type { RowFilter } from '#core/rowfilter.ts';
import type { Row } from '#local/lake.ts';

export type Scope = { readonly columns: readonly string[]; readonly rowFilter: RowFilter | null };

/** SQL's third truth is null. */
type Truth = boolean | null;
type Constant = Extract<RowFilter, { op: 'compare' }>['value'];

const not = (truth: Truth): Truth => (truth === null ? null : !truth);
const and = (all: readonly Truth[]): Truth => (all.includes(false) ? false : all.includes(null) ? null : true);
const or = (all: readonly Truth[]): Truth => not(and(all.map(not)));

/** -1, 0, 1; null where there is nothing to compare. */
function order(cell: string | null | undefined, constant: Constant): number | null {
	if (cell == null) return null;
	const [a, b] = constant.type === 'number' ? [Number(cell), Number(constant.value)] : [cell, String(constant.value)];
	return a < b ? -1 : a > b ? 1 : 0;
}

const operators: Readonly<Record<string, (found: number) => boolean>> = {
	'=': (n) => n === 0,
	'<>': (n) => n !== 0,
	'<': (n) => n < 0,
	'<=': (n) => n <= 0,
	'>': (n) => n > 0,
	'>=': (n) => n >= 0,
};

function compared(row: Row, column: string, operator: string, value: Constant): Truth {
	const found = order(row[column], value);
	return found === null ? null : (operators[operator]?.(found) ?? null);
}

function truth(filter: RowFilter, row: Row): Truth {
	switch (filter.op) {
		case 'and':
			return and(filter.operands.map((o) => truth(o, row)));
		case 'or':
			return or(filter.operands.map((o) => truth(o, row)));
		case 'not':
			return not(truth(filter.operand, row));
		case 'is-null':
			return row[filter.column] == null;
		case 'compare':
			return compared(row, filter.column, filter.operator, filter.value);
		case 'between':
			return and([compared(row, filter.column, '>=', filter.low), compared(row, filter.column, '<=', filter.high)]);
		case 'in':
			return or(filter.values.map((value) => compared(row, filter.column, '=', value)));
		case 'like': {
			const cell = row[filter.column];
			return cell == null ? null : patternOf(filter.pattern).test(cell);
		}
	}
}

function patternOf(like: string): RegExp {
	const plain = like.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
	return new RegExp(`^${plain.replaceAll('%', '.*').replaceAll('_', '.')}$`, 's');
}

export const lets = ({ rowFilter }: Pick<Scope, 'rowFilter'>, row: Row): boolean =>
	rowFilter === null || truth(rowFilter, row) === true;

/** Each cell as `row.column`. */
export type Cells = ReadonlySet<string>;

export const cellsOf = (scope: Scope, rows: readonly Row[]): Cells =>
	cells(
		scope.columns,
		rows.map((row) => lets(scope, row)),
	);

export function cells(columns: readonly string[], visible: readonly boolean[]): Cells {
	return new Set(visible.flatMap((seen, i) => (seen ? columns.map((column) => `${i}.${column}`) : [])));
}

export const together = (all: readonly Cells[]): Cells => new Set(all.flatMap((one) => [...one]));

/** What is in one and not in the other, a few of them. */
export const beyond = (one: Cells, other: Cells): string[] => [...one].filter((cell) => !other.has(cell)).slice(0, 3);
