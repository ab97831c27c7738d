/**
 * What a view stands for: the query that Athena keeps in Glue, as JSON in base64 inside an SQL comment, with the schema
 * that its unqualified names meant when it was made (Trino's ConnectorViewDefinition, in the Hive connector's spelling).
 * Nothing here is trusted: it is read as a caller's text is, under the same bounds.
 */
import * as z from 'zod';
import type { Context } from '../context.ts';
import { BrokerError, codes } from '../error.ts';
import { MAX_BYTES } from '../parser.ts';
import type { Query } from '../sql.ts';
import { inSchema } from './mentions.ts';

export type Definition = {
	/** Every table in it has its database. */
	readonly query: Query;
	/** The names of its columns, in order. */
	readonly columns: readonly string[];
	/** Of the SQL text. */
	readonly bytes: number;
};

const wrapping = /^\/\* Presto View: ([A-Za-z0-9+/]+={0,2}) \*\/$/;

const Stored = z.object({
	originalSql: z.string().min(1),
	catalog: z
		.string()
		.toLowerCase()
		.pipe(z.literal('awsdatacatalog', 'it is of another catalog than awsdatacatalog'))
		.nullish(),
	schema: z.string().min(1).toLowerCase().nullish(),
	columns: z
		.array(z.object({ name: z.string().min(1).toLowerCase() }))
		.min(1)
		.max(1000),
});

/**
 * `text` is Glue's `ViewOriginalText`, `database` the view's own. Throws `unsupported` with the reason, which may hold
 * names of the definition: it is for the view's owner.
 */
export async function readDefinition(
	{ parser }: Pick<Context, 'parser'>,
	text: string,
	database: string,
): Promise<Definition> {
	const { originalSql, schema, columns } = decode(text);
	const query = await parser.query(originalSql).catch((error: unknown) => {
		if (!isRefusal(error)) throw error;
		const { line, column } = error.extensions as { line?: number; column?: number };
		throw unreadable(`${error.message} (line ${line ?? 1}, column ${column ?? 1} of the definition)`);
	});
	return {
		query: inSchema(query, schema ?? database),
		columns: columns.map(({ name }) => name),
		bytes: Buffer.byteLength(originalSql),
	};
}

/** Whether it says what is wrong with what was sent, and not that something failed. */
export function isRefusal(error: unknown): error is BrokerError {
	return error instanceof BrokerError && codes[error.code].status < 500;
}

function decode(text: string): z.infer<typeof Stored> {
	// Base64 of JSON, with room for the escapes of a text and for columns.
	if (text.length > 4 * MAX_BYTES) throw unreadable('it is too long');
	const found = wrapping.exec(text.trim());
	if (found === null) throw unreadable('it is not kept as Athena keeps a view');
	const read = Stored.safeParse(json(Buffer.from(found[1] ?? '', 'base64').toString('utf8')));
	if (read.success) return read.data;
	const [issue] = read.error.issues;
	throw unreadable(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

function json(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		throw unreadable('it is not kept as Athena keeps a view');
	}
}

function unreadable(reason: string): BrokerError {
	return new BrokerError('unsupported', `The definition of the view cannot be read: ${reason}`);
}
