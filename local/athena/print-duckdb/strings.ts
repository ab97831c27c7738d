/** String functions: https://trino.io/docs/current/functions/string.html. Both engines count code points. */
import { stringText } from '#core/sql.ts';
import {
	bigint,
	boolean,
	integers,
	type Named,
	type Rule,
	same,
	takes,
	text,
	varchar,
	wholeNumber,
	word,
} from './rule.ts';

/** Java's white space, which Trino trims; DuckDB alone trims blanks only. */
const blanks = stringText(
	'\t\n\v\f\r\u001c\u001d\u001e\u001f \u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u2028\u2029\u205f\u3000',
);

function trimmed(name: string): Rule {
	return {
		type: (types) => (takes(types, text) ? varchar : null),
		text: ([value]) => `${name}(${value}, ${blanks})`,
	};
}

/** Java has no capital ß; the two names swapped in are code points that mean nothing. */
const upper: Rule = {
	type: (types) => (takes(types, text) ? varchar : null),
	text: ([value]) => `replace(upper(replace(${value}, 'ß', chr(1114109))), chr(1114109), 'ß')`,
};

/** From 1, or from the end if negative; Trino gives '' outside of the text, and for a length below 1. */
const substring: Rule = {
	type: (types) => (takes(types, text, integers) ? varchar : null),
	text: ([value, start, length], _types, e) => {
		const rest = length === undefined ? '' : `, greatest(${length}, 0)`;
		const missing = length === undefined ? '' : ` OR ${length} IS NULL`;
		const first = wholeNumber(e.arguments[1]);
		if (first !== null && first > 0n && length === undefined) return `substr(${value}, ${first})`;
		return (
			`(CASE WHEN ${value} IS NULL OR ${start} IS NULL${missing} THEN NULL ` +
			`WHEN ${start} > 0 OR (${start} < 0 AND - ${start} <= length(${value})) THEN substr(${value}, ${start}${rest}) ELSE '' END)`
		);
	},
};

const replace: Rule = {
	type: (types, e) =>
		takes(types, text) && e.arguments[1]?.kind === 'string' && word(e.arguments[1]) !== '' ? varchar : null,
	text: ([value, search, by = "''"]) => `replace(${value}, ${search}, ${by})`,
};

const concat: Rule = {
	type: (types) => (takes(types, text) ? varchar : null),
	text: (texts) => `(${texts.join(' || ')})`,
};

/** A place behind the last part is NULL in Trino. */
const splitPart: Rule = {
	type: (types, e) => {
		const delimiter = word(e.arguments[1]);
		const place = wholeNumber(e.arguments[2]) ?? 0n;
		return takes(types, text, text, integers) && delimiter !== null && delimiter !== '' && place > 0n ? varchar : null;
	},
	text: ([value, delimiter], _types, e) => `string_split(${value}, ${delimiter})[${wholeNumber(e.arguments[2])}]`,
};

const pad: Rule = {
	type: (types, e) => {
		const size = wholeNumber(e.arguments[1]) ?? -1n;
		const filler = word(e.arguments[2]) ?? '';
		const bounded = size >= 0n && size <= 10_000n && filler !== '';
		return takes(types, text, integers, text) && bounded ? varchar : null;
	},
	text: ([value, , filler], _types, e) => `${e.name}(${value}, ${wholeNumber(e.arguments[1])}, ${filler})`,
};

export const strings: Named = [
	['lower', same([text], varchar)],
	['upper', upper],
	['length', same([text], bigint)],
	['substr', substring],
	['substring', substring],
	['trim', trimmed('trim')],
	['ltrim', trimmed('ltrim')],
	['rtrim', trimmed('rtrim')],
	['replace', replace],
	['concat', concat],
	['starts_with', same([text], boolean)],
	['strpos', same([text], bigint)],
	['split_part', splitPart],
	['lpad', pad],
	['rpad', pad],
];
