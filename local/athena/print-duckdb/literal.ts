/** Literals, each with the type it has in Trino. */
import { type Literal, stringText } from '#core/sql.ts';
import { athenaOnly, type Type, typeText } from './types.ts';

/** null: the common form. */
export function literalText(e: Literal, type: Type): string | null {
	switch (e.kind) {
		case 'integer':
			return `CAST(${e.value} AS ${typeText(type)})`;
		case 'decimal':
			return `CAST(${e.text} AS ${typeText(type)})`;
		case 'binary':
			return `unhex(${stringText(e.value)})`;
		case 'time':
			if (!/^\d{2}:\d{2}:\d{2}(\.\d{1,3})?$/.test(e.value))
				throw athenaOnly(e.at, 'a time of another form than 01:02:03.456');
			return null;
		case 'timestamp':
			if (/\.[0-9]{4,}$/.test(e.value)) throw athenaOnly(e.at, 'timestamps finer than milliseconds');
			return null;
		case 'timestamp-zone':
			return zonedText(e.value, e);
		case 'interval':
			return `INTERVAL ${stringText((e.negative ? '-' : '') + e.value)} ${e.unit.toUpperCase()}`;
		case 'boolean':
		case 'null':
		case 'double':
		case 'string':
		case 'date':
			return null;
	}
}

function zonedText(value: string, e: Literal): string {
	const [, moment] = /^([0-9-]{10} \d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?) UTC$/.exec(value) ?? [];
	if (moment === undefined) throw athenaOnly(e.at, 'a time zone other than UTC');
	return `(TIMESTAMP ${stringText(moment)} AT TIME ZONE 'UTC')`;
}
