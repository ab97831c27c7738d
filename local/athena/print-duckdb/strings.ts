/** String functions: https://trino.io/docs/current/functions/string.html. Both engines count code points. */
import { stringText } from '#core/sql.ts';
import {
	bigint,
	boolean,
	integer,
	integers,
	literal,
	type Named,
	type Rule,
	same,
	takes,
	text,
	varbinary,
	varchar,
	wholeNumber,
	word,
} from './rule.ts';
import { coerced, commonOf, type Type } from './types.ts';

/** Java's white space, which Trino trims; DuckDB alone trims blanks only. */
const blanks = stringText(
	'\t\n\v\f\r\u001c\u001d\u001e\u001f \u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u2028\u2029\u205f\u3000',
);

function trimmed(name: string): Rule {
	return {
		type: (types) => (types.length === 1 && takes(types, text) ? varchar : null),
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

function concatenated(types: readonly Type[]): Type | null {
	const all = commonOf(types);
	if (all?.kind === 'null') return varchar;
	const known = all?.kind === 'varchar' || all?.kind === 'varbinary';
	if (known) return all;
	return all?.kind === 'array' && types.every((type) => type.kind !== 'null') ? all : null;
}

/** Texts, bytes or arrays; NULL if any of them is. */
const concat: Rule = {
	type: concatenated,
	text: (texts, types) => {
		const all = concatenated(types) ?? varchar;
		const parts = texts.map((value, index) => coerced(value, types[index] ?? all, all));
		return `(${parts.join(' || ')})`;
	},
};

/** NULLs among the parts are passed by. */
const concatWith: Rule = {
	type: (types) => (takes(types, text) ? varchar : null),
	text: (texts) => `concat_ws(${texts.join(', ')})`,
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

/** The first place; the n-th one runs on Athena only. */
const found: Rule = {
	type: (types) => (types.length === 2 && takes(types, text) ? bigint : null),
	text: ([value, part]) => `strpos(${value}, ${part})`,
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

/** Code points from the last to the first; DuckDB's own keeps together what is drawn as one. Arrays, too. */
const reverse: Rule = {
	type: ([type]) => (type?.kind === 'varchar' || type?.kind === 'array' ? type : null),
	text: ([value], [type]) =>
		type?.kind === 'array'
			? `list_reverse(${value})`
			: `array_to_string(list_reverse(regexp_extract_all(${value}, '(?s).')), '')`,
};

/** The last of so many parts is all that is left. */
const split: Rule = {
	type: (types, e) => {
		const limit = e.arguments.length > 2 ? (wholeNumber(e.arguments[2]) ?? 0n) : 1n;
		const delimiter = literal(e.arguments[1]) ?? '';
		const known = takes(types, text, text, integers) && delimiter !== '' && limit > 0n;
		return known ? { kind: 'array', element: varchar } : null;
	},
	text: ([value, delimiter], _types, e) => {
		const parts = `string_split(${value}, ${delimiter})`;
		const limit = wholeNumber(e.arguments[2]);
		if (limit === null) return parts;
		const rest = `array_to_string(${parts}[${limit}:], ${delimiter})`;
		const first = limit === 1n ? `[${rest}]` : `list_append(${parts}[1:${limit - 1n}], ${rest})`;
		return `(CASE WHEN ${value} IS NULL THEN NULL WHEN len(${parts}) <= ${limit} THEN ${parts} ELSE ${first} END)`;
	},
};

/** Distances are counted in bytes there: the same for ASCII, and other texts end the query. */
function distance(name: string): Rule {
	return {
		type: (types) => (takes(types, text) ? bigint : null),
		text: ([a, b]) =>
			`(CASE WHEN strlen(${a}) <> length(${a}) OR strlen(${b}) <> length(${b}) ` +
			`THEN error('runs on Athena only: a distance of texts that are not ASCII') ` +
			`ELSE CAST(${name}(${a}, ${b}) AS BIGINT) END)`,
	};
}

const codepoint: Rule = {
	type: (_types, e) => (Array.from(literal(e.arguments[0]) ?? '').length === 1 ? integer : null),
	text: ([value]) => `CAST(unicode(${value}) AS INTEGER)`,
};

const character: Rule = {
	type: (types) => (takes(types, integers) ? varchar : null),
	text: ([value]) => `chr(CAST(${value} AS INTEGER))`,
};

const normalized: Rule = {
	type: (types, e) => {
		const form = e.arguments.length === 1 ? 'nfc' : word(e.arguments[1]);
		return takes(types, text) && form === 'nfc' ? varchar : null;
	},
	text: ([value]) => `nfc_normalize(${value})`,
};

const length: Rule = {
	type: (types) => (takes(types, ['varchar', 'varbinary']) ? bigint : null),
	text: ([value], [type]) => `${type?.kind === 'varbinary' ? 'octet_length' : 'length'}(${value})`,
};

const decode: Rule = {
	type: (types) => (types.length === 1 && takes(types, ['varbinary']) ? varchar : null),
	text: ([value]) => `decode(${value})`,
};

/** A form's encoding: a blank is +, and - _ . * stand for themselves. */
const urlEncode: Rule = {
	type: (types) => (takes(types, text) ? varchar : null),
	text: ([value]) => `replace(replace(replace(url_encode(${value}), '%20', '+'), '~', '%7E'), '%2A', '*')`,
};

const urlDecode: Rule = {
	type: (types) => (takes(types, text) ? varchar : null),
	text: ([value]) =>
		`(CASE WHEN NOT regexp_full_match(${value}, '([^%]|%[0-9A-Fa-f]{2})*', 's') ` +
		`THEN error('this text is no encoding of another') ELSE url_decode(replace(${value}, '+', ' ')) END)`,
};

export const strings: Named = [
	['lower', same([text], varchar)],
	['upper', upper],
	['length', length],
	['reverse', reverse],
	['split', split],
	['chr', character],
	['codepoint', codepoint],
	['normalize', normalized],
	['levenshtein_distance', distance('levenshtein')],
	['hamming_distance', distance('hamming')],
	['translate', same([text], varchar)],
	['to_utf8', same([text], varbinary, 'encode')],
	['from_utf8', decode],
	['url_encode', urlEncode],
	['url_decode', urlDecode],
	['concat_ws', concatWith],
	['substr', substring],
	['substring', substring],
	['trim', trimmed('trim')],
	['ltrim', trimmed('ltrim')],
	['rtrim', trimmed('rtrim')],
	['replace', replace],
	['concat', concat],
	['starts_with', same([text], boolean)],
	['strpos', found],
	['split_part', splitPart],
	['lpad', pad],
	['rpad', pad],
];
