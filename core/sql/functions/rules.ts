/**
 * The functions a query may call and how each may be called, as of Athena engine version 3:
 * https://docs.aws.amazon.com/athena/latest/ug/functions-env3.html, meaning and arguments by
 * https://trino.io/docs/current/functions.html.
 *
 * Never here: a function that reads other data, tells facts of the session, runs text, or gives another answer each time
 * (random, uuid, shuffle).
 */
import { BrokerError } from '../../error.ts';

type FunctionKind = 'scalar' | 'aggregate' | 'window';

export type FunctionRule = {
	readonly kind: FunctionKind;
	readonly least: number;
	readonly most: number;
	/** A number of arguments between the two that it does not take. */
	readonly gap: number | null;
	/** The first argument decides which of the others is the result. */
	readonly conditional: boolean;
	/** The places (from 0) where a lambda must stand, with the number of its parameters. */
	readonly lambdas: ReadonlyMap<number, number>;
	/** The same where a value may stand instead. */
	readonly orLambda: ReadonlyMap<number, number>;
	/** Takes IGNORE NULLS. */
	readonly nulls: boolean;
};

type Entry = readonly [name: string, rule: FunctionRule];

/** Trino's own bound on the arguments of one call. */
const many = 127;

function entries(kind: FunctionKind, least: number, most: number, names: string): Entry[] {
	const rule: FunctionRule = {
		kind,
		least,
		most,
		gap: null,
		conditional: false,
		lambdas: new Map(),
		orLambda: new Map(),
		nulls: false,
	};
	return names.split(' ').map((name) => [name, rule] as const);
}

function scalar(least: number, most: number, names: string): Entry[] {
	return entries('scalar', least, most, names);
}

function aggregate(least: number, most: number, names: string): Entry[] {
	return entries('aggregate', least, most, names);
}

function window(least: number, most: number, names: string): Entry[] {
	return entries('window', least, most, names);
}

/** The same functions with something more to say about them. */
function but(more: Partial<FunctionRule>, found: readonly Entry[]): Entry[] {
	return found.map(([name, rule]) => [name, { ...rule, ...more }]);
}

/** Lambdas at these places, with so many parameters each. */
function higher(least: number, most: number, lambdas: readonly (readonly [number, number])[], names: string): Entry[] {
	return but({ lambdas: new Map(lambdas) }, scalar(least, most, names));
}

const aggregates = [
	...aggregate(0, 1, 'count'),
	...aggregate(1, 1, 'sum avg geometric_mean bool_and bool_or every count_if arbitrary any_value checksum'),
	...aggregate(1, 1, 'stddev stddev_samp stddev_pop variance var_samp var_pop skewness kurtosis entropy'),
	...aggregate(1, 1, 'array_agg map_union histogram bitwise_and_agg bitwise_or_agg bitwise_xor_agg'),
	...aggregate(1, 2, 'min max approx_distinct listagg'),
	...aggregate(2, 2, 'map_agg multimap_agg corr covar_pop covar_samp regr_slope regr_intercept'),
	...aggregate(2, 3, 'min_by max_by approx_percentile numeric_histogram'),
	...aggregate(3, 3, 'approx_most_frequent'),
];

const windows = [
	...window(0, 0, 'row_number rank dense_rank percent_rank cume_dist'),
	...window(1, 1, 'ntile'),
	...but({ nulls: true }, window(1, 1, 'first_value last_value')),
	...but({ nulls: true }, window(1, 3, 'lag lead')),
	...but({ nulls: true }, window(2, 2, 'nth_value')),
];

const conditionals = [
	...but({ conditional: true }, scalar(2, 3, 'if')),
	...scalar(1, 1, 'try typeof'),
	...scalar(2, 2, 'nullif'),
	...scalar(2, many, 'coalesce'),
	...scalar(1, many, 'greatest least'),
];

const texts = [
	...scalar(1, 1, 'lower upper length reverse chr codepoint soundex luhn_check to_utf8'),
	...scalar(1, 2, 'trim ltrim rtrim normalize from_utf8 word_stem'),
	...scalar(2, 2, 'starts_with levenshtein_distance hamming_distance'),
	...scalar(2, 3, 'substr substring replace split strpos'),
	...scalar(3, 3, 'split_part split_to_map split_to_multimap lpad rpad translate'),
	...scalar(2, many, 'concat concat_ws format'),
	...scalar(1, 1, 'format_number'),
	...scalar(2, 2, 'regexp_like regexp_count regexp_split'),
	...scalar(2, 3, 'regexp_extract regexp_extract_all'),
	...but({ orLambda: new Map([[2, 1]]) }, scalar(2, 3, 'regexp_replace')),
	...scalar(2, 4, 'regexp_position'),
	...scalar(1, 1, 'url_extract_fragment url_extract_host url_extract_path url_extract_port url_extract_protocol'),
	...scalar(1, 1, 'url_extract_query url_encode url_decode'),
	...scalar(2, 2, 'url_extract_parameter'),
];

const numbers = [
	...scalar(0, 0, 'pi e nan infinity'),
	...scalar(1, 1, 'abs sign floor ceil ceiling sqrt cbrt exp ln log2 log10 degrees radians'),
	...scalar(1, 1, 'sin cos tan asin acos atan sinh cosh tanh is_nan is_finite is_infinite bitwise_not'),
	...scalar(1, 2, 'round truncate'),
	...scalar(2, 2, 'mod power pow log atan2 from_base to_base bit_count cosine_similarity'),
	...scalar(2, 2, 'bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift'),
	...scalar(2, 2, 'bitwise_right_shift_arithmetic'),
	...scalar(3, 3, 'normal_cdf inverse_normal_cdf'),
	...but({ gap: 3 }, scalar(2, 4, 'width_bucket')),
];

const dates = [
	...scalar(0, 0, 'now'),
	...scalar(1, 1, 'year quarter month week week_of_year day day_of_month day_of_week dow day_of_year doy'),
	...scalar(1, 1, 'year_of_week yow hour minute second millisecond timezone_hour timezone_minute'),
	...scalar(1, 1, 'date last_day_of_month to_unixtime to_iso8601 to_milliseconds human_readable_seconds'),
	...scalar(1, 1, 'from_iso8601_date from_iso8601_timestamp parse_duration from_unixtime_nanos'),
	...scalar(1, 3, 'from_unixtime'),
	...scalar(2, 2, 'date_trunc date_format date_parse format_datetime parse_datetime at_timezone with_timezone'),
	...scalar(3, 3, 'date_diff date_add'),
];

const json = [
	...scalar(1, 1, 'json_parse json_format json_array_length is_json_scalar'),
	...scalar(2, 2, 'json_extract json_extract_scalar json_array_get json_array_contains json_size'),
];

const collections = [
	...scalar(1, 1, 'cardinality array_distinct array_max array_min flatten'),
	...scalar(1, 1, 'map_keys map_values map_entries map_from_entries multimap_from_entries'),
	...scalar(2, 2, 'contains contains_sequence element_at repeat array_intersect array_union array_except'),
	...scalar(2, 2, 'array_position array_remove arrays_overlap combinations ngrams trim_array'),
	...scalar(2, 3, 'array_join sequence'),
	...scalar(2, 5, 'zip'),
	...scalar(3, 3, 'slice'),
	...scalar(2, many, 'map_concat'),
	...but({ gap: 1 }, scalar(0, 2, 'map')),
	...higher(1, 2, [[1, 2]], 'array_sort'),
	...higher(2, 2, [[1, 1]], 'transform filter any_match all_match none_match'),
	...higher(2, 2, [[1, 2]], 'map_filter transform_keys transform_values'),
	...higher(3, 3, [[2, 2]], 'zip_with'),
	...higher(3, 3, [[2, 3]], 'map_zip_with'),
	...higher(
		4,
		4,
		[
			[2, 2],
			[3, 1],
		],
		'reduce',
	),
	...but(
		{
			lambdas: new Map([
				[2, 2],
				[3, 2],
			]),
		},
		aggregate(4, 4, 'reduce_agg'),
	),
];

const binaries = [
	...scalar(1, 1, 'md5 sha1 sha256 sha512 xxhash64 murmur3 crc32 to_hex from_hex to_base64 from_base64'),
	...scalar(1, 1, 'to_base64url from_base64url'),
	...scalar(2, 2, 'hmac_md5 hmac_sha1 hmac_sha256 hmac_sha512'),
];

export const rules = once([
	...aggregates,
	...windows,
	...conditionals,
	...texts,
	...numbers,
	...dates,
	...json,
	...collections,
	...binaries,
]);

/** A later rule would take the place of an earlier one without a word. */
export function once(list: readonly Entry[]): ReadonlyMap<string, FunctionRule> {
	const found = new Map(list);
	if (found.size < list.length) throw new BrokerError('internal', 'A function has two rules.');
	return found;
}

/** Written without parentheses. */
export const bareFunctions: ReadonlySet<string> = new Set([
	'current_date',
	'current_time',
	'current_timestamp',
	'localtime',
	'localtimestamp',
]);
