/** Names, literals and types as text. */
import type { Literal, TypeName } from './ast.ts';
import { unreachable } from './refuse.ts';

export function quoted(name: string): string {
	return `"${name.replaceAll('"', '""')}"`;
}

export function stringText(value: string): string {
	return `'${value.replaceAll("'", "''")}'`;
}

export function literalText(e: Literal): string {
	switch (e.kind) {
		case 'integer':
			return e.value < 0n ? `(${e.value})` : String(e.value);
		// Athena reads 1.5 as a double; only with its type is it a decimal in every engine.
		case 'decimal':
			return `DECIMAL ${stringText(e.text)}`;
		case 'double':
			return e.text.startsWith('-') ? `(${e.text})` : e.text;
		case 'string':
			return stringText(e.value);
		case 'binary':
			return `X'${e.value}'`;
		case 'boolean':
			return e.value ? 'TRUE' : 'FALSE';
		case 'null':
			return 'NULL';
		case 'date':
			return `DATE ${stringText(e.value)}`;
		case 'time':
			return `TIME ${stringText(e.value)}`;
		case 'timestamp':
		case 'timestamp-zone':
			return `TIMESTAMP ${stringText(e.value)}`;
		case 'interval': {
			const units = [e.unit, ...(e.to === null ? [] : [e.to])].join(' TO ').toUpperCase();
			return `INTERVAL ${e.negative ? '- ' : ''}${stringText(e.value)} ${units}`;
		}
	}
	return unreachable(e);
}

/** `timestamp(3) with time zone`: the parameters follow the first word. */
export function typeText({ name, parameters, of }: TypeName): string {
	const [first = '', ...words] = name.toUpperCase().split(' ');
	const inner = of.map((part) => (part.name === null ? '' : `${quoted(part.name)} `) + typeText(part.type));
	const list = [...parameters.map(String), ...inner].join(', ');
	return [list === '' ? first : `${first}(${list})`, ...words].join(' ');
}
