/** Decimal numbers as text: one spelling per value, compared exactly. */

const MAX_EXPONENT = 400;

/** Without exponent, plus sign, or zeros that say nothing: '1.50' is '1.5', '1E2' is '100', '-0' is '0'. */
export function canonicalNumber(written: string): string {
	const [, sign, whole = '', fraction = '', exponent = '0'] =
		/^([+-]?)([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]+))?$/.exec(written) ?? [];
	if (whole + fraction === '') throw new RangeError('not a decimal number');
	const shift = Number(exponent);
	// No column type reaches further; padding with zeros must stay small.
	if (Math.abs(shift) > MAX_EXPONENT) throw new RangeError('the exponent is out of range');
	const digits = whole + fraction;
	const point = whole.length + shift;
	const left = digits.slice(0, Math.max(0, point)).padEnd(Math.max(0, point), '0').replace(/^0+/, '');
	const right = (point < 0 ? '0'.repeat(-point) : '') + digits.slice(Math.max(0, point));
	const tail = right.replace(/0+$/, '');
	const magnitude = `${left === '' ? '0' : left}${tail === '' ? '' : `.${tail}`}`;
	return sign === '-' && magnitude !== '0' ? `-${magnitude}` : magnitude;
}

const canonicalForm = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?$/;

/** Canonical, and a literal in every engine: a whole number fits a bigint, any other has at most 38 digits. */
export function isNumber(text: string): boolean {
	if (!canonicalForm.test(text) || text === '-0') return false;
	if (text.includes('.')) return text.replace(/[-.]/g, '').length <= 38;
	return text.length <= 20 && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

/** Exactly: negative, zero or positive as a is less than, equal to or greater than b. */
export function compareNumbers(a: string, b: string): number {
	const scale = Math.max(fractionOf(a).length, fractionOf(b).length);
	const difference = scaled(a, scale) - scaled(b, scale);
	return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

function fractionOf(canonical: string): string {
	return canonical.split('.')[1] ?? '';
}

function scaled(canonical: string, scale: number): bigint {
	const fraction = fractionOf(canonical);
	return BigInt(canonical.replace('.', '') + '0'.repeat(scale - fraction.length));
}
