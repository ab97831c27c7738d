/** The rows that a contract leaves to other domains, by brute force over small tables, and what is refused. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { RequestedScope } from '#core/access/request.ts';
import { keepsRowScope, withRowScope } from '#core/access/rowscope.ts';
import type { Product } from '#core/catalog.ts';
import { parseContract } from '#core/contract.ts';
import { BrokerError } from '#core/error.ts';
import { printRowFilter, type RowFilter } from '#core/rowfilter.ts';
import { changed } from './contract/cases.ts';

function productWith(...value: { column: string; attribute: string }[]): Product {
	const document = changed((d) => (d.schema[0]['customProperties'] = [{ property: 'rowScope', value }]));
	const contract = parseContract(stringify(document), 'yaml');
	return { id: 'lending.loans', domain: 'lending', contract, format: 'yaml', hash: '', leaf: '', createdAt: '' };
}

const byLine = productWith({ column: 'status', attribute: 'line-of-business' });
const line = (value: string) => consumer({ 'line-of-business': value });
const table = { account: '210000000001', database: 'lending', table: 'loans' };
const scope = (rowFilter: RowFilter | null): RequestedScope => ({ table, columns: ['loan_id'], rowFilter });
const consumer = (attributes: Record<string, string>, id = 'risk') => ({ id, attributes });
const equals = (column: string, value: string): RowFilter => ({
	op: 'compare',
	column,
	operator: '=',
	value: { type: 'string', value },
});

/** The code of the refusal, and the place of each fault. */
function refusal(run: () => unknown): { code: string; errors: readonly (readonly [string, string])[] } {
	try {
		run();
	} catch (error) {
		if (!(error instanceof BrokerError)) throw error;
		return { code: error.code, errors: (error.extensions.errors ?? []).map((e) => [e.pointer, e.detail]) };
	}
	throw new Error('nothing was refused');
}

describe('a domain of which the rows cannot be told is refused, at each table', () => {
	it.each([{}, { jurisdiction: 'CZ' }, { 'line-of-busines': 'A', y: 'A' }])('with the attributes %j', (attributes) => {
		const product = productWith(
			{ column: 'status', attribute: 'constructor' },
			{ column: 'collateral', attribute: 'x' },
		);
		expect(refusal(() => withRowScope(product, consumer(attributes), [scope(null)]))).toEqual({
			code: 'request-refused',
			errors: [
				['/tables/0', 'a steward must register the attribute `constructor` of the domain'],
				['/tables/0', 'a steward must register the attribute `x` of the domain'],
			],
		});
	});

	it.each([
		['loan_id', 'many'],
		['loan_id', '1.5'],
		['loan_id', '9223372036854775808'],
		['duration', '1e999'],
		['amount', ' '],
	])('with an attribute that is no value of %s: %j', (column, value) => {
		const product = productWith({ column, attribute: 'number' });
		const { code, errors } = refusal(() => withRowScope(product, consumer({ number: value }), [scope(null)]));
		expect([code, errors]).toEqual(['request-refused', [['/tables/0', expect.stringContaining(`\`${column}\``)]]]);
	});

	it('and a table that the contract no longer has opens nothing', () => {
		const gone = { ...scope(null), table: { ...table, table: 'gone' } };
		const { errors } = refusal(() => withRowScope(byLine, line('A'), [scope(null), gone]));
		expect(errors).toEqual([['/tables/1', 'is not a table of the contract']]);
	});

	it('and a filter that becomes too long is refused where it stands', () => {
		const scopes = [scope(null), scope(equals('collateral', 'x'.repeat(2010)))];
		expect(refusal(() => withRowScope(byLine, line('A'), scopes))).toMatchObject({
			code: 'row-filter-invalid',
			errors: [['/tables/1/rowFilter', expect.any(String)]],
		});
	});
});

describe('the rows of other domains', () => {
	it.each([
		['status', 'A', `"status" = 'A'`],
		['status', "O'Brien", `"status" = 'O''Brien'`],
		['status', "' OR ''='", `"status" = ''' OR ''''='''`],
		['loan_id', '4960', '"loan_id" = 4960'],
		['loan_id', '4960.0', '"loan_id" = 4960'],
		['amount', '1.50', '"amount" = 1.5'],
	])('are those where %s is %j', (column, value, filter) => {
		const product = productWith({ column, attribute: 'x' });
		const [forced] = withRowScope(product, consumer({ x: value }), [scope(null)]);
		expect(forced?.rowFilter == null ? null : printRowFilter(forced.rowFilter)).toBe(filter);
	});

	it("are all of them for the product's own domain", () => {
		const asked = [scope(null), scope(equals('status', 'B'))];
		expect(withRowScope(byLine, consumer({}, 'lending'), asked)).toEqual(asked);
	});

	it('are exactly those that both the filter and the row scope let through; asking again changes nothing', () => {
		fc.assert(
			fc.property(fc.option(filters), letters, fc.array(row, { maxLength: 12 }), (asked, value, rows) => {
				const forced = withRowScope(byLine, line(value), [scope(asked)]);
				const passing = (f: RowFilter | null) => rows.filter((r) => f === null || passes(f, r));
				const expected = passing(asked).filter((r) => r.status === value);
				expect(passing(forced[0]?.rowFilter ?? null)).toEqual(expected);
				expect(withRowScope(byLine, line(value), forced)).toEqual(forced);
				expect(keepsRowScope(byLine, line(value), forced)).toBe(true);
				expect([line('Z'), consumer({})].map((who) => keepsRowScope(byLine, who, forced))).toEqual([false, false]);
			}),
			{ numRuns: 300 },
		);
	});
});

const letters = fc.constantFrom('A', 'B', 'C');
const row = fc.record({ status: fc.option(letters), collateral: fc.option(letters) });
const atom = fc.tuple(fc.constantFrom('status', 'collateral'), letters).map(([c, v]) => equals(c, v));
const { filters } = fc.letrec<{ filters: RowFilter }>((tie) => ({
	filters: fc.oneof(
		{ depthSize: 'small' },
		atom,
		fc.record({
			op: fc.constantFrom('and' as const, 'or' as const),
			operands: fc.array(tie('filters'), { minLength: 1, maxLength: 3 }),
		}),
	),
}));

type Row = Readonly<Record<string, string | null>>;

/** The filter as SQL reads it, of comparisons of text with AND and OR: NULL passes nothing. */
function passes(f: RowFilter, of: Row): boolean {
	if (f.op === 'and') return f.operands.every((o) => passes(o, of));
	if (f.op === 'or') return f.operands.some((o) => passes(o, of));
	if (f.op === 'in') return f.values.some((v) => v.value === of[f.column]);
	if (f.op === 'compare' && f.operator === '=') return f.value.value === of[f.column];
	throw new Error(`no ${f.op} here`);
}
