/** format(..) with a constant text of plain places: %s, %d and whole numbers with a width, zeros or commas. */
import { type Call, stringText } from '#core/sql.ts';
import { literal, type Named, type Rule, varchar } from './rule.ts';
import { isInteger, type Type } from './types.ts';

type Place = { readonly flags: string; readonly width: number; readonly conversion: 's' | 'd' };

type Template = readonly (string | Place)[];

/** null: places that Java fills otherwise than DuckDB could. */
function template(e: Call): Template | null {
	const text = literal(e.arguments[0]);
	if (text === null) return null;
	const parts: (string | Place)[] = [];
	for (const [whole] of text.matchAll(/%[^%a-zA-Z]*[%a-zA-Z]?|[^%]+/g)) {
		if (!whole.startsWith('%')) parts.push(whole);
		else if (whole === '%%') parts.push('%');
		else {
			const [match, flags = '', width = '', conversion] = /^%([0,]?)([1-9][0-9]?)?([sd])$/.exec(whole) ?? [];
			if (match === undefined || (flags === '0') !== (width !== '') || (conversion === 's' && flags !== ''))
				return null;
			parts.push({ flags, width: Number(width), conversion: conversion === 's' ? 's' : 'd' });
		}
	}
	return parts;
}

function fills(place: Place, type: Type | undefined): boolean {
	if (type === undefined) return false;
	if (place.conversion === 'd') return isInteger(type);
	return isInteger(type) || ['varchar', 'boolean', 'date'].includes(type.kind);
}

function filled({ flags, width, conversion }: Place, value: string): string {
	if (conversion === 's' || flags === '') return `CAST(${value} AS VARCHAR)`;
	if (flags === ',') return `format('{:,}', ${value})`;
	return `printf('%0${width}d', ${value})`;
}

const format: Rule = {
	type: ([, ...types], e) => {
		const places = template(e)?.filter((part) => typeof part !== 'string');
		const known = places?.length === types.length && places.every((place, index) => fills(place, types[index]));
		return known ? varchar : null;
	},
	text: ([, ...values], _types, e) => {
		let next = 0;
		const parts = (template(e) ?? []).map((part) => {
			if (typeof part === 'string') return stringText(part);
			const value = values[next] ?? 'NULL';
			next += 1;
			return `coalesce(${filled(part, value)}, 'null')`;
		});
		return `(${["''", ...parts].join(' || ')})`;
	},
};

export const formatting: Named = [['format', format]];
