/** The end of a product: when it is, and that no access outlives it. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { mustEndInTime } from '#core/access/request.ts';
import { lifeOf, type Product } from '#core/catalog.ts';
import { parseContract, restoreContract } from '#core/contract.ts';
import { BrokerError } from '#core/error.ts';
import { changed } from './contract/cases.ts';

const ending = (dates: Record<string, string>) =>
	stringify(
		changed((d) => {
			for (const [property, value] of Object.entries(dates)) d.customProperties.push({ property, value });
		}),
	);
const product = (dates: Record<string, string>): Product => ({
	id: 'lending.loans',
	domain: 'lending',
	contract: parseContract(ending(dates), 'yaml'),
	format: 'yaml',
	hash: '',
	leaf: '',
	createdAt: '',
});
const at = (text: string) => new Date(text);

function code(dates: Record<string, string>, ends: string, now: string): string | null {
	try {
		mustEndInTime(product(dates), at(ends), at(now));
		return null;
	} catch (error) {
		return error instanceof BrokerError ? error.code : String(error);
	}
}

describe('a product', () => {
	it('without an end has none', () => {
		expect(lifeOf(product({}).contract)).toEqual({ deprecated: null, retires: null });
	});

	it('ends at the first instant of a day, UTC, or at the instant that is named', () => {
		expect(lifeOf(product({ deprecatedFrom: '2027-01-01', retiresAt: '2027-06-01T02:00:00+02:00' }).contract)).toEqual({
			deprecated: at('2027-01-01T00:00:00Z'),
			retires: at('2027-06-01T00:00:00Z'),
		});
	});

	it.each(['soon', '2027-02-30', '2027-1-1', '1893456000'])('does not end at %s', (retiresAt) => {
		expect(() => product({ retiresAt })).toThrow(BrokerError);
	});
});

describe('access to a product', () => {
	const retiresAt = '2027-01-01T00:00:00Z';

	it.each([
		['2026-12-31T00:00:00Z', '2026-12-01T00:00:00Z', null],
		['2027-01-01T00:00:00Z', '2026-12-01T00:00:00Z', null],
		['2027-01-01T00:00:00.001Z', '2026-12-31T23:59:59Z', 'validation'],
		['2027-01-02T00:00:00Z', '2027-01-01T00:00:00Z', 'product-retired'],
		['2027-02-01T00:00:00Z', '2027-01-15T00:00:00Z', 'product-retired'],
	])('until %s, asked at %s: %s', (ends, now, told) => {
		expect(code({ retiresAt }, ends, now)).toBe(told);
		expect(code({}, ends, now)).toBeNull();
	});

	it('is never let past its end', () => {
		const instant = fc.date({ min: at('2026-01-01'), max: at('2028-01-01'), noInvalidDate: true });
		fc.assert(
			fc.property(instant, instant, (ends, now) => {
				const passes = code({ retiresAt }, ends.toISOString(), now.toISOString()) === null;
				expect(passes).toBe(now < at(retiresAt) && ends <= at(retiresAt));
			}),
			{ numRuns: 50 },
		);
	});
});

describe('a contract that stands published', () => {
	it('is read again even if the standard has moved on since', () => {
		const text = stringify(changed((d) => (d['memberOfAnotherVersion'] = 1)));
		expect(() => parseContract(text, 'yaml')).toThrow(BrokerError);
		expect(restoreContract(text, 'yaml').product).toBe('lending.loans');
	});
});
