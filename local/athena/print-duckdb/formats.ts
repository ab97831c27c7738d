/**
 * Date formats that are written out, for DuckDB: MySQL's of date_format and date_parse, Java's of format_datetime and
 * parse_datetime (https://trino.io/docs/current/functions/datetime.html). What one of the engines writes or reads
 * otherwise is not among them.
 */
import type { Call } from '#core/sql.ts';
import { literal } from './rule.ts';

/** `text`: for strftime. `form`: what it must look like when read, null if it is only written. */
type Part = { readonly text: string; readonly form: string | null; readonly field?: Field };

type Field = 'year' | 'month' | 'day';

export type Format = {
	readonly text: string;
	/** The regular expression of the texts both engines read alike; null if there are none. */
	readonly form: string | null;
};

const names = {
	months: 'January|February|March|April|May|June|July|August|September|October|November|December',
	short: 'Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec',
};

const year: Part = { text: '%Y', form: '[0-9]{4}', field: 'year' };
const month: Part = { text: '%m', form: '[0-9]{2}', field: 'month' };
const day: Part = { text: '%d', form: '[0-9]{2}', field: 'day' };
const hour: Part = { text: '%H', form: '[0-9]{2}' };
const minute: Part = { text: '%M', form: '[0-9]{2}' };
const second: Part = { text: '%S', form: '[0-9]{2}' };
const longMonth: Part = { text: '%B', form: `(${names.months})`, field: 'month' };
const shortMonth: Part = { text: '%b', form: `(${names.short})`, field: 'month' };
const written = (text: string): Part => ({ text, form: null });

const mysql: ReadonlyMap<string, Part> = new Map([
	['Y', year],
	['y', written('%y')],
	['m', month],
	['c', { text: '%-m', form: '[0-9]{1,2}', field: 'month' }],
	['M', longMonth],
	['b', shortMonth],
	['d', day],
	['e', { text: '%-d', form: '[0-9]{1,2}', field: 'day' }],
	['j', written('%j')],
	['a', written('%a')],
	['W', written('%A')],
	['v', written('%V')],
	['x', written('%G')],
	['H', hour],
	['k', { text: '%-H', form: '[0-9]{1,2}' }],
	['h', written('%I')],
	['I', written('%I')],
	['l', written('%-I')],
	['i', minute],
	['s', second],
	['S', second],
	['p', written('%p')],
	['r', written('%I:%M:%S %p')],
	['T', { text: '%H:%M:%S', form: '[0-9]{2}:[0-9]{2}:[0-9]{2}' }],
	['%', { text: '%%', form: '%' }],
]);

const java: ReadonlyMap<string, Part> = new Map([
	['yyyy', year],
	['yy', written('%y')],
	['MM', month],
	['M', written('%-m')],
	['MMM', shortMonth],
	['MMMM', longMonth],
	['dd', day],
	['d', written('%-d')],
	['DDD', written('%j')],
	['EEE', written('%a')],
	['EEEE', written('%A')],
	['e', written('%u')],
	['ww', written('%V')],
	['xxxx', written('%G')],
	['HH', hour],
	['H', written('%-H')],
	['hh', written('%I')],
	['h', written('%-I')],
	['mm', minute],
	['ss', second],
	['SSS', { text: '%g', form: '[0-9]{3}' }],
	['a', written('%p')],
]);

function plain(character: string): Part {
	const text = character === '%' ? '%%' : character;
	return { text, form: /[\w\s]/.test(character) ? character : `[${character.replace(/[\\\]^]/, '\\$&')}]` };
}

function mysqlParts(text: string): readonly Part[] | null {
	const parts: Part[] = [];
	for (const [whole, specifier] of text.matchAll(/%(.?)|[^%]/gsu)) {
		const part = specifier === undefined ? plain(whole) : mysql.get(specifier);
		if (part === undefined) return null;
		parts.push(part);
	}
	return parts;
}

/** Letters stand for fields; 'quoted' ones and other characters for themselves. */
function javaParts(text: string): readonly Part[] | null {
	const parts: Part[] = [];
	for (const [whole, quoted] of text.matchAll(/'([^']*)'|([A-Za-z])\2*|./gsu)) {
		if (whole === "'") return null;
		if (quoted !== undefined) {
			parts.push(...Array.from(quoted === '' ? "'" : quoted, plain));
			continue;
		}
		const part = /[A-Za-z]/.test(whole) ? java.get(whole) : plain(whole);
		if (part === undefined) return null;
		parts.push(part);
	}
	return parts;
}

/** A date is read only from all of its fields, each once: what stands in for those missing differs. */
function formOf(parts: readonly Part[]): string | null {
	const fields = parts.flatMap(({ field }) => (field === undefined ? [] : [field]));
	const whole = fields.length === 3 && new Set(fields).size === 3;
	const texts = parts.map(({ text }) => text).filter((text) => text.startsWith('%') && text !== '%%');
	if (!whole || new Set(texts).size < texts.length) return null;
	const forms = parts.flatMap(({ form }) => (form === null ? [] : [form]));
	return forms.length < parts.length ? null : forms.join('');
}

function format(parts: readonly Part[] | null): Format | null {
	return parts === null ? null : { text: parts.map(({ text }) => text).join(''), form: formOf(parts) };
}

/** The format that is the second argument. */
export function mysqlFormat(e: Call): Format | null {
	const text = literal(e.arguments[1]);
	return text === null ? null : format(mysqlParts(text));
}

export function javaFormat(e: Call): Format | null {
	const text = literal(e.arguments[1]);
	return text === null ? null : format(javaParts(text));
}
