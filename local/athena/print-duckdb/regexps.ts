/** Regular expression functions: https://trino.io/docs/current/functions/regexp.html, for patterns of the common subset. */
import { type Call, stringText } from '#core/sql.ts';
import { type Pattern, readPattern } from './pattern.ts';
import { bigint, boolean, integer, literal, type Named, type Rule, takes, text, varchar, wholeNumber } from './rule.ts';
import type { Type } from './types.ts';

function patternOf(e: Call): Pattern | null {
	const written = literal(e.arguments[1]);
	return written === null ? null : readPattern(written);
}

/** The text, or the end of the query where the engines would read it differently. */
function guarded(value: string, { ascii, line }: Pattern): string {
	const strange = [
		...(ascii ? [`strlen(${value}) <> length(${value})`] : []),
		...(line ? [`contains(${value}, chr(10))`, `contains(${value}, chr(13))`] : []),
	];
	if (strange.length === 0) return value;
	const refusal = "error('runs on Athena only: this pattern on a text with line ends or beyond ASCII')";
	return `(CASE WHEN ${strange.join(' OR ')} THEN ${refusal} ELSE ${value} END)`;
}

/** `demand`: what the pattern must be for the function. */
function rule(
	result: Type,
	demand: (pattern: Pattern, e: Call) => boolean,
	write: (value: string, pattern: string, e: Call) => string,
): Rule {
	return {
		type: (types, e) => {
			const pattern = patternOf(e);
			return pattern !== null && takes(types.slice(0, 2), text) && demand(pattern, e) ? result : null;
		},
		text: ([value = ''], _types, e) => {
			const pattern = patternOf(e) ?? {
				text: '',
				empty: true,
				groups: 0,
				fixed: true,
				ascii: false,
				line: false,
				anchored: false,
			};
			return write(guarded(value, pattern), stringText(pattern.text), e);
		},
	};
}

function some({ empty }: Pattern): boolean {
	return !empty;
}

function groupOf(e: Call): bigint | null {
	return e.arguments.length > 2 ? wholeNumber(e.arguments[2]) : 0n;
}

/** A group that took no part would be NULL in one and '' in the other. */
function hasGroup({ groups, fixed }: Pattern, e: Call): boolean {
	const group = groupOf(e);
	return group !== null && group >= 0n && (group === 0n || (fixed && group <= BigInt(groups)));
}

const extract = rule(
	varchar,
	hasGroup,
	(value, pattern, e) =>
		`(CASE WHEN regexp_matches(${value}, ${pattern}) THEN regexp_extract(${value}, ${pattern}, ${groupOf(e)}) END)`,
);

const extractAll = rule(
	{ kind: 'array', element: varchar },
	(pattern, e) => some(pattern) && hasGroup(pattern, e),
	(value, pattern, e) => `regexp_extract_all(${value}, ${pattern}, ${groupOf(e)})`,
);

const count = rule(bigint, some, (value, pattern) => `CAST(len(regexp_extract_all(${value}, ${pattern})) AS BIGINT)`);

/** $1 there is \1 here. */
function replacement(e: Call): string | null {
	const written = e.arguments.length > 2 ? literal(e.arguments[2]) : '';
	if (written === null || !/^(?:[^$\\]|\$[1-9](?![0-9])|\\\$)*$/.test(written)) return null;
	return written.replace(/\\\$|\$([1-9])/g, (whole, group) => (whole === '\\$' ? '$' : `\\${group}`));
}

const replace = rule(
	varchar,
	(pattern, e) => {
		const places = replacement(e)?.match(/\\[1-9]/g) ?? [];
		const known = places.every((place) => Number(place.slice(1)) <= pattern.groups);
		return some(pattern) && replacement(e) !== null && (places.length === 0 || (pattern.fixed && known));
	},
	(value, pattern, e) => `regexp_replace(${value}, ${pattern}, ${stringText(replacement(e) ?? '')}, 'g')`,
);

/** DuckDB begins anew behind each match, where a start or an edge would be found that is none. */
const split = rule(
	{ kind: 'array', element: varchar },
	(pattern) => some(pattern) && !pattern.anchored,
	(value, pattern) => `string_split_regex(${value}, ${pattern})`,
);

const position = rule(
	integer,
	(pattern, e) => some(pattern) && e.arguments.length === 2,
	(value, pattern) =>
		`(CASE WHEN regexp_matches(${value}, ${pattern}) ` +
		`THEN CAST(length(string_split_regex(${value}, ${pattern})[1]) + 1 AS INTEGER) WHEN ${value} IS NOT NULL THEN -1 END)`,
);

export const regexps: Named = [
	[
		'regexp_like',
		rule(
			boolean,
			() => true,
			(value, pattern) => `regexp_matches(${value}, ${pattern})`,
		),
	],
	['regexp_extract', extract],
	['regexp_extract_all', extractAll],
	['regexp_count', count],
	['regexp_replace', replace],
	['regexp_split', split],
	['regexp_position', position],
];
