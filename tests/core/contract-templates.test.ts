/** Access templates of a contract: told with the place of each fault, shown as written, and never of consequence. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { until } from '#core/access/request.ts';
import { filled } from '#core/access/template.ts';
import { type AccessTemplate, type ContractFault, compare, parseContract, restoreContract } from '#core/contract.ts';
import { BrokerError } from '#core/error.ts';
import { changed, type Document } from './contract/cases.ts';

const arrears = {
	id: 'arrears',
	name: 'Loans in arrears',
	tables: [{ table: 'loans', columns: ['loan_id', 'status'], rowFilter: "status = 'D'" }],
	purpose: 'credit-risk',
	duration: 'P30D',
} satisfies AccessTemplate;
const [table] = arrears.tables;

const withTemplates = (value: unknown, more: (d: Document) => void = () => {}) =>
	stringify(
		changed((d) => {
			d.customProperties.push({ property: 'accessTemplates', value });
			more(d);
		}),
	);
const read = (value: unknown) => parseContract(withTemplates(value), 'yaml');

function faults(text: string): readonly ContractFault[] {
	try {
		parseContract(text, 'yaml');
	} catch (error) {
		if (!(error instanceof BrokerError) || error.code !== 'contract-invalid') throw error;
		return error.extensions.errors ?? [];
	}
	throw new Error('was not refused');
}

const base = '/customProperties/1/value';
const first = (more: object) => [{ ...arrears, ...more }];
const inTable = (more: object) => first({ tables: [{ ...table, ...more }] });

describe('templates are refused with the pointer of the fault', () => {
	it.each<readonly [string, unknown, string, string]>([
		['no list', { arrears }, '', 'template'],
		['a text', ['arrears'], '/0', 'template'],
		['a member that templates do not have', first({ approved: true }), '/0/approved', 'template'],
		['no id', first({ id: undefined }), '/0/id', 'required'],
		['an id in capitals', first({ id: 'Arrears' }), '/0/id', 'template-id'],
		['the same id twice', [arrears, { ...arrears, name: 'Others' }], '/1/id', 'template-once'],
		['a blank name', first({ name: ' ' }), '/0/name', 'not-blank'],
		['a long name', first({ name: 'x'.repeat(81) }), '/0/name', 'template-size'],
		['no tables', first({ tables: [] }), '/0/tables', 'tables'],
		['a table of another product', inTable({ table: 'accounts' }), '/0/tables/0/table', 'template-table'],
		['the same table twice', first({ tables: [table, table] }), '/0/tables/1/table', 'template-table'],
		['no columns', inTable({ columns: [] }), '/0/tables/0/columns', 'columns'],
		['a column that is none', inTable({ columns: ['loan_id', 'iban'] }), '/0/tables/0/columns/1', 'template-column'],
		['a column twice', inTable({ columns: ['loan_id', 'loan_id'] }), '/0/tables/0/columns/1', 'template-column'],
		['a star', inTable({ columns: ['*'] }), '/0/tables/0/columns/0', 'template-column'],
		['an empty filter', inTable({ rowFilter: '' }), '/0/tables/0/rowFilter', 'not-blank'],
		['a member that tables do not have', inTable({ rows: 'all' }), '/0/tables/0/rows', 'template'],
		['a purpose of other contracts', first({ purpose: 'campaign-planning' }), '/0/purpose', 'template-purpose'],
		['a duration in words', first({ duration: 'a month' }), '/0/duration', 'template-duration'],
		['no time at all', first({ duration: 'PT0S' }), '/0/duration', 'template-duration'],
		['more than a year', first({ duration: 'P367D' }), '/0/duration', 'template-duration'],
		['many', Array.from({ length: 21 }, (_, i) => ({ ...arrears, id: `a${i}` })), '', 'template-size'],
	])('%s', (_, value, pointer, rule) => {
		const found = faults(withTemplates(value));
		expect(found.map((f) => [f.pointer, f.rule])).toEqual([[`${base}${pointer}`, rule]]);
		expect(found[0]?.line).toBeGreaterThan(100);
	});

	it('a view, and a table without its partition key', () => {
		const asView = withTemplates([arrears], (d) => (d.schema[0]['physicalType'] = 'view'));
		expect(faults(asView)).toMatchObject([{ pointer: `${base}/0/tables/0/table`, rule: 'template-table' }]);
		const parted = withTemplates([arrears], (d) => (d.schema[0].properties[1]['partitioned'] = true));
		expect(faults(parted)).toMatchObject([{ pointer: `${base}/0/tables/0/columns`, rule: 'template-partition' }]);
	});

	it('given twice', () => {
		const twice = withTemplates([arrears], (d) => d.customProperties.push({ property: 'accessTemplates', value: [] }));
		expect(faults(twice)).toMatchObject([{ pointer: '/customProperties/2/property', rule: 'custom-property-once' }]);
	});
});

describe('templates are read', () => {
	it('as they are written', () => {
		const plain = { id: 'all', name: 'All', tables: [{ table: 'loans', columns: ['loan_id'] }] };
		expect(read([arrears, plain]).accessTemplates).toEqual([arrears, plain]);
		expect(read([]).accessTemplates).toEqual([]);
		expect(parseContract(stringify(changed(() => {})), 'yaml').accessTemplates).toEqual([]);
	});

	it('as none where a stored contract has others: it stays readable', () => {
		for (const value of ['x', { a: 1 }, [{ id: 7 }], null]) {
			expect(restoreContract(withTemplates(value), 'yaml').accessTemplates).toEqual([]);
		}
	});
});

const columnNames = ['loan_id', 'account_id', 'granted_on', 'amount', 'status'];
const templates = fc.uniqueArray(
	fc.record(
		{
			id: fc.constantFrom('a', 'b', 'c'),
			name: fc.constantFrom('One', 'Two'),
			tables: fc.subarray(columnNames, { minLength: 1 }).map((columns) => [{ table: 'loans', columns }]),
			purpose: fc.constantFrom('credit-risk', 'model-validation'),
			duration: fc.constantFrom('P1D', 'P1M', 'P90D', 'PT8H', 'P1Y'),
		},
		{ requiredKeys: ['id', 'name', 'tables'] },
	),
	{ selector: (t) => t.id },
);

describe('a change of templates', () => {
	it('breaks nothing, lowers nothing and raises nothing, whatever it is; each is told once', () => {
		fc.assert(
			fc.property(templates, templates, (before, after) => {
				const { changes, breaking, raised, lowered } = compare(read(before), read(after));
				expect({ breaking, raised, lowered }).toEqual({ breaking: false, raised: false, lowered: false });
				const ids = (list: readonly { id: string }[]) => list.map((t) => t.id);
				const told = (kind: string) => changes.filter((c) => c.kind === kind);
				expect(told('template-removed').map((c) => c.from)).toEqual(ids(before).filter((i) => !ids(after).includes(i)));
				expect(told('template-added').map((c) => c.to)).toEqual(ids(after).filter((i) => !ids(before).includes(i)));
			}),
			{ numRuns: 40 },
		);
	});

	it('is told in words', () => {
		const less = { ...arrears, tables: [{ table: 'loans', columns: ['loan_id'] }] };
		expect(compare(read([arrears]), read([less])).changes).toEqual([
			{
				kind: 'template-changed',
				from: "arrears: loans (loan_id, status) where status = 'D', credit-risk, P30D",
				to: 'arrears: loans (loan_id), credit-risk, P30D',
				breaking: false,
			},
		]);
	});
});

describe('what a template stands for', () => {
	it('is its tables, its purpose, and never longer than it says', () => {
		const now = new Date(Date.UTC(2026, 1, 1));
		const durations = ['P1D', 'P1M', 'P31D', 'P90D', 'PT8H', 'P1Y'];
		const sent = fc.record(
			{ purpose: fc.constantFrom('credit-risk', 'model-validation'), duration: fc.constantFrom(...durations) },
			{ requiredKeys: [] },
		);
		fc.assert(
			fc.property(templates, sent, (list, body) => {
				for (const template of list as AccessTemplate[]) {
					const longer =
						body.duration !== undefined &&
						template.duration !== undefined &&
						until(body.duration, now) > until(template.duration, now);
					const other =
						body.purpose !== undefined && template.purpose !== undefined && body.purpose !== template.purpose;
					if (longer || other) {
						expect(() => filled(template, body, now)).toThrow(BrokerError);
						continue;
					}
					const { tables, purpose, duration } = filled(template, body, now);
					expect(tables).toEqual(template.tables);
					expect(purpose).toBe(template.purpose ?? body.purpose);
					expect(duration).toBe(body.duration ?? template.duration);
				}
			}),
			{ numRuns: 200 },
		);
	});
});
