/**
 * The types a column of an Athena table may have, by the names of Glue and of Athena's SQL
 * (https://docs.aws.amazon.com/athena/latest/ug/data-types.html).
 */

const plain: ReadonlySet<string> = new Set([
	'boolean',
	'tinyint',
	'smallint',
	'int',
	'integer',
	'bigint',
	'float',
	'real',
	'double',
	'string',
	'varchar',
	'char',
	'date',
	'timestamp',
	'binary',
	'varbinary',
]);

/** Deeper than any table that a person reads, and a bound on the work. */
const DEEPEST = 16;

/** The type in its one spelling, lower case and without spaces, or null when Athena has no such type. */
export function athenaType(text: string): string | null {
	const spelled = text
		.trim()
		.toLowerCase()
		.replaceAll(/\s*([<>(),:])\s*/g, '$1');
	return isType(spelled, 0) ? spelled : null;
}

/** Whether two spellings, Glue's Hive names or Athena's SQL names, are of one type. */
export function sameType(a: string, b: string): boolean {
	return plainName(a) === plainName(b);
}

const aliases: Readonly<Record<string, string>> = {
	string: 'varchar',
	integer: 'int',
	real: 'float',
	varbinary: 'binary',
};

function plainName(type: string): string {
	const scaled = type.replaceAll(' ', '').replaceAll(/\bdecimal\((\d+)\)/g, 'decimal($1,0)');
	return scaled.replaceAll(/[a-z_][a-z0-9_]*(?!:|\w)/g, (word) => aliases[word] ?? word);
}

function isType(text: string, depth: number): boolean {
	if (depth > DEEPEST) return false;
	if (plain.has(text)) return true;
	const sized = /^(decimal|varchar|char)\((\d{1,5})(?:,(\d{1,2}))?\)$/.exec(text);
	if (sized !== null) return isSized(sized[1], Number(sized[2]), sized[3]);
	const nested = /^(array|map|struct)<(.+)>$/.exec(text);
	if (nested === null) return false;
	const parts = split(nested[2] ?? '');
	if (nested[1] === 'array') return parts.length === 1 && isType(parts[0] ?? '', depth + 1);
	if (nested[1] === 'map') return parts.length === 2 && parts.every((part) => isType(part, depth + 1));
	return parts.every((part) => {
		const field = /^([a-z_][a-z0-9_]*):(.+)$/.exec(part);
		return field !== null && isType(field[2] ?? '', depth + 1);
	});
}

function isSized(name: string | undefined, size: number, scale: string | undefined): boolean {
	if (name === 'decimal') return size >= 1 && size <= 38 && Number(scale ?? 0) <= size;
	return scale === undefined && size >= 1 && size <= (name === 'char' ? 255 : 65_535);
}

/** The arguments of a nested type: split at the commas that no bracket encloses. */
function split(text: string): string[] {
	const parts: string[] = [''];
	let depth = 0;
	for (const c of text) {
		if (c === '<' || c === '(') depth += 1;
		if (c === '>' || c === ')') depth -= 1;
		if (c === ',' && depth === 0) parts.push('');
		else parts[parts.length - 1] += c;
	}
	return parts;
}
