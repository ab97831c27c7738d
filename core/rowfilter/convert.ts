/** From a parsed expression to a row filter, or a refusal that says what Lake Formation's grammar has no room for. */
import { BrokerError } from '../error.ts';
import type { Constant, Expression, Position, RowFilter } from '../sql.ts';
import { canonicalNumber, isNumber } from './number.ts';

/** A column of the filtered table; `type` is its Glue type. */
export type FilterColumn = { readonly name: string; readonly type: string; readonly partition: boolean };

type Column = FilterColumn & { readonly accepts: Constant['type'] };

/** Column names that Lake Formation cannot filter by (data-filtering-notes). */
const restricted: ReadonlySet<string> = new Set(
	'ctid oid xmin cmin xmax cmax tableoid insertxid deletexid importoid redcatuniqueid'.split(' '),
);

const flipped = { '=': '=', '<>': '<>', '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const;

/** Largest magnitude of the integer types. */
const integers: ReadonlyMap<string, bigint> = new Map([
	['tinyint', 2n ** 7n],
	['smallint', 2n ** 15n],
	['int', 2n ** 31n],
	['integer', 2n ** 31n],
	['bigint', 2n ** 63n],
	['long', 2n ** 63n],
]);

function invalid(at: Position, detail: string): BrokerError {
	return new BrokerError('row-filter-invalid', detail, { line: at.line, column: at.column });
}

export function convert(e: Expression, columns: readonly FilterColumn[]): RowFilter {
	if (e.kind === 'and' || e.kind === 'or') {
		return { op: e.kind, operands: e.operands.map((operand) => convert(operand, columns)) };
	}
	if (e.kind === 'not') return { op: 'not', operand: convert(e.operand, columns) };
	if (e.kind === 'compare') return comparison(e, columns);
	if (e.kind === 'between') return negated(e.negated, between(e, columns));
	if (e.kind === 'like') return negated(e.negated, like(e, columns));
	if (e.kind === 'in-list') {
		const column = columnOf(e.operand, columns);
		const values = e.items.map((item) => constantOf(item, column));
		return negated(e.negated, { op: 'in', column: column.name, values });
	}
	if (e.kind === 'is-null') {
		const column = columnOf(e.operand, columns);
		if (column.partition) throw invalid(e.at, 'A partition column cannot be tested for NULL.');
		return negated(e.negated, { op: 'is-null', column: column.name });
	}
	throw invalid(e.at, 'A row filter compares columns with constants, and nothing else.');
}

function negated(not: boolean, operand: RowFilter): RowFilter {
	return not ? { op: 'not', operand } : operand;
}

function comparison(e: Extract<Expression, { kind: 'compare' }>, columns: readonly FilterColumn[]): RowFilter {
	const swap = e.left.kind !== 'column' && e.right.kind === 'column';
	const column = columnOf(swap ? e.right : e.left, columns);
	const value = constantOf(swap ? e.left : e.right, column);
	const operator = swap ? flipped[e.operator] : e.operator;
	if (value.type === 'boolean' && operator !== '=' && operator !== '<>') {
		throw invalid(e.at, 'Booleans are only equal or not.');
	}
	return { op: 'compare', column: column.name, operator, value };
}

function between(e: Extract<Expression, { kind: 'between' }>, columns: readonly FilterColumn[]): RowFilter {
	const column = columnOf(e.operand, columns);
	if (column.accepts === 'boolean') throw invalid(e.at, 'Booleans are only equal or not.');
	return { op: 'between', column: column.name, low: constantOf(e.low, column), high: constantOf(e.high, column) };
}

function like(e: Extract<Expression, { kind: 'like' }>, columns: readonly FilterColumn[]): RowFilter {
	const column = columnOf(e.operand, columns);
	if (e.escape !== null) throw invalid(e.escape.at, 'LIKE has no ESCAPE in a row filter.');
	if (column.accepts !== 'string') throw invalid(e.at, 'LIKE needs a column of text.');
	const pattern = constantOf(e.pattern, column);
	if (pattern.type !== 'string') throw invalid(e.pattern.at, 'LIKE needs a pattern in quotes.');
	return { op: 'like', column: column.name, pattern: pattern.value };
}

function columnOf(e: Expression, columns: readonly FilterColumn[]): Column {
	if (e.kind !== 'column') throw invalid(e.at, 'A row filter has a column on one side and constants on the other.');
	const [name, ...more] = e.parts;
	if (name === undefined || more.length > 0) throw invalid(e.at, 'Write the column alone, without a table.');
	const column = columns.find((known) => known.name.toLowerCase() === name);
	if (column === undefined) {
		const extensions = { name, line: e.at.line, column: e.at.column };
		throw new BrokerError('column-not-found', `There is no column ${name}.`, extensions);
	}
	if (restricted.has(name)) throw invalid(e.at, `Lake Formation cannot filter by a column named ${name}.`);
	const accepts = accepted(column.type.toLowerCase());
	if (accepts === null) throw invalid(e.at, `Lake Formation cannot filter by the type ${column.type} of ${name}.`);
	return { ...column, name, accepts };
}

/** Whether Lake Formation can filter rows by a column of this Glue type, and of this name where one is given. */
export const filterable = (type: string, name = '') => accepted(type.toLowerCase()) !== null && !restricted.has(name);

/** `column = text`, the text read as a value of the column's type; null where it is none, or none can be filtered by. */
export function equal(column: FilterColumn, text: string): RowFilter | null {
	const accepts = accepted(column.type.toLowerCase());
	const value = accepts === null || restricted.has(column.name) ? null : valueOf(text, accepts);
	if (accepts === null || value === null) return null;
	try {
		if (value.type === 'number') demandFits(value.value, { ...column, accepts }, { line: 1, column: 1 });
	} catch (error) {
		if (error instanceof BrokerError) return null;
		throw error;
	}
	return { op: 'compare', column: column.name, operator: '=', value };
}

function valueOf(text: string, type: Constant['type']): Constant | null {
	if (type === 'string') return { type, value: text };
	if (type === 'boolean') return text === 'true' || text === 'false' ? { type, value: text === 'true' } : null;
	try {
		return { type, value: canonicalNumber(text) };
	} catch (error) {
		if (error instanceof RangeError) return null;
		throw error;
	}
}

function accepted(type: string): Constant['type'] | null {
	if (/^(?:string|(?:var)?char(?:\([0-9]+\))?)$/.test(type)) return 'string';
	if (integers.has(type) || /^(?:float|real|double|decimal(?:\([0-9]+(?:, ?[0-9]+)?\))?)$/.test(type)) return 'number';
	return type === 'boolean' ? 'boolean' : null;
}

function constantOf(e: Expression, column: Column): Constant {
	const value = constant(e);
	if (value === null) throw invalid(e.at, 'A row filter compares a column with constants only.');
	if (value.type !== column.accepts) {
		throw invalid(e.at, `The column ${column.name} has the type ${column.type}; write a constant of that type.`);
	}
	if (value.type === 'number') demandFits(value.value, column, e.at);
	return value;
}

function constant(e: Expression): Constant | null {
	if (e.kind === 'string') return { type: 'string', value: e.value };
	if (e.kind === 'boolean') return { type: 'boolean', value: e.value };
	if (e.kind === 'integer') return { type: 'number', value: number(String(e.value), e.at) };
	if (e.kind === 'decimal' || e.kind === 'double') return { type: 'number', value: number(e.text, e.at) };
	return null;
}

function number(written: string, at: Position): string {
	try {
		return canonicalNumber(written);
	} catch (error) {
		if (!(error instanceof RangeError)) throw error;
		throw invalid(at, 'This number is out of range.');
	}
}

function demandFits(value: string, { name, type }: Column, at: Position): void {
	if (!isNumber(value)) throw invalid(at, 'This number has too many digits.');
	const limit = integers.get(type.toLowerCase());
	if (limit !== undefined && (value.includes('.') || BigInt(value) >= limit || BigInt(value) < -limit)) {
		throw invalid(at, `The constant is no ${type}, the type of ${name}.`);
	}
}
