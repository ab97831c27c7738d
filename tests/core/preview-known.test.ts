/** What a contract knows of its columns' values; what it says in another way, it does not say. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseContract } from '#core/contract.ts';
import { knownOf } from '#core/preview/known.ts';
import { sampleContracts } from '#local/lake.ts';

const text = readFileSync(path.join(sampleContracts, 'contracts', 'lending.loans.yaml'), 'utf8');
const table = { account: '210000000001', database: 'lending', table: 'loans' };

/** The facts of a column of loans, with these members in the contract. */
function known(column: string, members: string) {
	const written = text.replace(`      - name: ${column}\n`, `      - name: ${column}\n${members}`);
	const contract = parseContract(written, 'yaml');
	const product = { id: 'lending.loans', domain: 'lending', contract, format: 'yaml' as const };
	const facts = knownOf({ ...product, hash: '', leaf: '', createdAt: '' }, table);
	return facts.find(({ name }) => name === column);
}

const pattern = (form: string) => `        logicalTypeOptions: { pattern: "${form}" }\n`;
const valid = (values: string, then = 'mustBe: 0') =>
	`        quality:\n          - { type: library, metric: invalidValues, arguments: { validValues: ${values} }, ${then} }\n`;
const words = (...values: string[]) => values.map((value) => ({ type: 'string', value }));

describe('all values', () => {
	it.each([
		['valid values of which none may fail', 'status', valid('[A, B]'), words('A', 'B')],
		['numbers among them', 'duration', valid('[12, 24.0]'), ['12', '24'].map((value) => ({ type: 'number', value }))],
		['a pattern that is a list', 'status', pattern('^(A|in debt)$'), words('A', 'in debt')],
		['or a list of letters', 'status', pattern('^[ABCD]$'), words('A', 'B', 'C', 'D')],
		['not of a pattern that is more', 'status', pattern('^[A-D]$'), null],
		['nor of one that is open at an end', 'status', pattern('^(A|B)'), null],
		['nor where some may fail', 'status', valid('[A, B]', 'mustBeLessThan: 5'), null],
		['nor where one is no value of the column', 'duration', valid('[12, many]'), null],
		['nor of a type that no filter takes', 'granted_on', valid('["2026-01-01"]'), null],
		['nor of nothing', 'status', '', null],
	])('%s', (_, column, members, values) => {
		expect(known(column, members)).toMatchObject({ name: column, values, limits: [] });
	});
});

it('bounds of a number, whether they are among the values, and whether each row has one', () => {
	const bounds = '        logicalTypeOptions: { minimum: 1, exclusiveMinimum: 0, exclusiveMaximum: 61 }\n';
	expect(known('duration', bounds)).toMatchObject({
		limits: [
			{ side: 'low', value: '1', strict: false },
			{ side: 'low', value: '0', strict: true },
			{ side: 'high', value: '61', strict: true },
		],
		required: true,
		type: 'int',
	});
	expect(known('collateral', '')).toMatchObject({ required: false, limits: [] });
});

it('nothing of a table that the contract does not name', () => {
	const contract = parseContract(text, 'yaml');
	const product = { id: 'lending.loans', domain: 'lending', contract, format: 'yaml' as const };
	expect(knownOf({ ...product, hash: '', leaf: '', createdAt: '' }, { ...table, table: 'nosuch' })).toEqual([]);
});
