/** The types of a contract's columns. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { parseContract } from '#core/contract.ts';
import { BrokerError } from '#core/error.ts';
import { changed } from './contract/cases.ts';

describe('column types are those of Athena', () => {
	const scalar = fc.constantFrom(
		'boolean',
		'INT',
		'bigint',
		'double',
		'string',
		'varchar(20)',
		'char(3)',
		'Decimal( 10 , 2 )',
		'date',
		'timestamp',
	);
	const { type } = fc.letrec<{ type: string }>((tie) => ({
		type: fc.oneof(
			{ maxDepth: 3, withCrossShrink: true },
			scalar,
			tie('type').map((t) => `array<${t}>`),
			fc.tuple(scalar, tie('type')).map(([k, t]) => `map<${k}, ${t}>`),
			fc
				.array(tie('type'), { minLength: 1, maxLength: 3 })
				.map((list) => `struct<${list.map((t, i) => `f${i}: ${t}`).join(', ')}>`),
		),
	}));
	const columnType = (physicalType: string) => {
		const document = changed((d) => (d.schema[0].properties[1]['physicalType'] = physicalType));
		return parseContract(stringify(document), 'yaml').tables[0]?.columns[1]?.type;
	};

	test('in one spelling, which stays the same when read again', () => {
		fc.assert(
			fc.property(type, (written) => {
				const once = columnType(written);
				expect(once).toBe(written.toLowerCase().replaceAll(' ', ''));
				expect(columnType(once ?? '')).toBe(once);
			}),
			{ numRuns: 40 },
		);
	});

	test.each([
		'number',
		'varchar(0)',
		'varchar(65536)',
		'char(256)',
		'char(3,1)',
		'decimal(0)',
		'decimal(5,6)',
		'decimal(39)',
		'array<>',
		'array<int,int>',
		'map<int>',
		'struct<int>',
		'struct<a:int>>',
		'array<int',
		'int; drop table x',
		`${'array<'.repeat(30)}int${'>'.repeat(30)}`,
	])('%s is refused', (written) => {
		expect(() => columnType(written)).toThrow(BrokerError);
	});
});
