/**
 * The types a column of an Athena table may have, by the names of Glue and of Athena's SQL
 * (https://docs.aws.amazon.com/athena/latest/ug/data-types.html).
 */
import { parseType, readType, type TypeName, typeText } from '../sql.ts';

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
	const type = readType(spelled);
	return type !== null && isType(type, 0) && glueText(type) === spelled ? spelled : null;
}

/** Whether two spellings, Glue's Hive names or Athena's SQL names, are of one type. */
export function sameType(a: string, b: string): boolean {
	const [one, other] = [parseType(a), parseType(b)];
	return one === null || other === null ? a === b : typeText(one) === typeText(other);
}

/** As Glue writes it. */
function glueText({ name, parameters, of }: TypeName): string {
	if (of.length === 0) return parameters.length === 0 ? name : `${name}(${parameters.join(',')})`;
	const parts = of.map((part) => (part.name === null ? '' : `${part.name}:`) + glueText(part.type));
	return `${name}<${parts.join(',')}>`;
}

function isType({ name, parameters, of }: TypeName, depth: number): boolean {
	if (depth > DEEPEST) return false;
	const [size, scale] = parameters;
	if (size !== undefined) return isSized(name, size, scale);
	if (name === 'struct') return of.every((f) => isFieldName(f.name) && isType(f.type, depth + 1));
	if (name === 'array' || name === 'map') return of.every(({ type }) => isType(type, depth + 1));
	return plain.has(name);
}

function isFieldName(name: string | null): boolean {
	return name !== null && /^[a-z_][a-z0-9_]*$/.test(name);
}

function isSized(name: string, size: number, scale = 0): boolean {
	if (name === 'decimal') return size >= 1 && size <= 38 && scale <= size;
	return (name === 'varchar' || name === 'char') && size >= 1 && size <= (name === 'char' ? 255 : 65_535);
}
