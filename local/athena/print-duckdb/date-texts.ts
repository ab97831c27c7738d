/** Dates and times as text and back: https://trino.io/docs/current/functions/datetime.html */
import { type Call, stringText } from '#core/sql.ts';
import { dateForm } from './cast.ts';
import { shown } from './dates.ts';
import { type Format, javaFormat, mysqlFormat } from './formats.ts';
import { day, moment, moments, type Named, type Rule, takes, varchar, zoned } from './rule.ts';
import { coerced, type Type } from './types.ts';

const fromIsoDate: Rule = {
	type: (types) => (takes(types, ['varchar']) ? day : null),
	text: ([value = '']) => dateForm(value),
};

const toIso: Rule = {
	type: (types) => (takes(types, ['date']) ? varchar : null),
	text: ([value]) => `strftime(${value}, '%Y-%m-%d')`,
};

const isoMoment = '[0-9]{4}-[0-9]{2}-[0-9]{2}(T([01][0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,3})?)?Z?)?';

/** Without an offset, or with Z: other zones would be shown. */
const fromIso: Rule = {
	type: (types) => (takes(types, ['varchar']) ? zoned : null),
	text: ([value]) =>
		`(CASE WHEN regexp_full_match(${value}, '${isoMoment}') ` +
		`THEN (CAST(replace(replace(${value}, 'T', ' '), 'Z', '') AS TIMESTAMP) AT TIME ZONE 'UTC') ` +
		`WHEN ${value} IS NOT NULL THEN error('runs on Athena only: a time of this form') END)`,
};

function formatted(format: (e: Call) => Format | null): Rule {
	return {
		type: (types, e) => (takes(types.slice(0, 1), moments) && format(e) !== null ? varchar : null),
		text: ([value = ''], [type], e) =>
			`strftime(CAST(${shown(value, type)} AS TIMESTAMP), ${stringText(format(e)?.text ?? '')})`,
	};
}

function parsed(format: (e: Call) => Format | null, type: Type): Rule {
	return {
		type: (types, e) => (takes(types.slice(0, 1), ['varchar']) && (format(e)?.form ?? null) !== null ? type : null),
		text: ([value], _types, e) => {
			const { text = '', form = '' } = format(e) ?? {};
			const read = `strptime(${value}, ${stringText(text.replaceAll('%-', '%'))})`;
			return (
				`(CASE WHEN regexp_full_match(${value}, ${stringText(form ?? '')}) THEN ${coerced(read, moment, type)} ` +
				`WHEN ${value} IS NOT NULL THEN error('runs on Athena only: a text that has not just this form') END)`
			);
		},
	};
}

export const dateTexts: Named = [
	['date_format', formatted(mysqlFormat)],
	['format_datetime', formatted(javaFormat)],
	['date_parse', parsed(mysqlFormat, moment)],
	['parse_datetime', parsed(javaFormat, zoned)],
	['to_iso8601', toIso],
	['from_iso8601_date', fromIsoDate],
	['from_iso8601_timestamp', fromIso],
];
