/**
 * The tables that the bulk tool knows: `{"table": {"column": "trino type"}}`, read from a file. Names fold to lower case, as
 * Athena does. Every column counts as granted. A table is `database.table`, or a plain name: then a query names it so,
 * without a database, and it prints so. A type that Trino does not have is one of which nothing is known.
 */
import { readFileSync } from 'node:fs';
import type { Lookup, Relation } from '#core/sql.ts';

/** The catalog that Athena's own tables are in. */
const CATALOG = 'awsdatacatalog';

/** Throws an error that says what is wrong with the file. */
export function readSchema(file: string): Lookup {
	let text: string;
	try {
		text = readFileSync(file, 'utf8');
	} catch (error) {
		throw new Error(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
			cause: error,
		});
	}
	let value: unknown;
	try {
		value = JSON.parse(text.replace(/^\uFEFF/, ''));
	} catch (error) {
		throw new Error(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
	}
	try {
		return lookupIn(value);
	} catch (error) {
		throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
	}
}

export function lookupIn(schema: unknown): Lookup {
	const tables = new Map<string, Relation>();
	for (const [name, columns] of entriesOf(schema, 'the schema must be an object of tables')) {
		const id = name.toLowerCase();
		if (!/^[^.]+(\.[^.]+)?$/.test(id)) throw new Error(`table "${name}" is neither database.table nor a plain name`);
		if (tables.has(id)) throw new Error(`table "${name}" is there twice`);
		tables.set(id, relationOf(id, columns));
	}
	if (tables.size === 0) throw new Error('the schema has no table');
	return ({ catalog, database, table }) => {
		if (catalog !== null && (catalog !== CATALOG || database === null)) return undefined;
		// A quoted name may have a dot in it, and is then no name of a database and a table.
		if (table.includes('.') || database?.includes('.') === true) return undefined;
		return tables.get(database === null ? table : `${database}.${table}`);
	};
}

function relationOf(id: string, schema: unknown): Relation {
	const columns = new Map<string, string>();
	for (const [name, type] of entriesOf(schema, `table "${id}" must be an object of columns`)) {
		const folded = name.toLowerCase();
		if (name === '' || typeof type !== 'string' || type.trim() === '') {
			throw new Error(`column "${name}" of table "${id}" must have a name and a type`);
		}
		if (columns.has(folded)) throw new Error(`column "${name}" of table "${id}" is there twice`);
		columns.set(folded, type.trim().toLowerCase());
	}
	if (columns.size === 0) throw new Error(`table "${id}" has no column`);
	return {
		id,
		printed: id.split('.'),
		columns: [...columns].map(([name, type]) => ({ name, type, granted: true })),
		rowFilter: null,
	};
}

function entriesOf(value: unknown, otherwise: string): [string, unknown][] {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(otherwise);
	return Object.entries(value);
}
