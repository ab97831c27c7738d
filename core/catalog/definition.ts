/**
 * What a view stands for: the query that Athena keeps in Glue, as JSON in base64 inside an SQL comment, with the schema
 * that its unqualified names meant when it was made (Trino's ConnectorViewDefinition, in the Hive connector's spelling).
 * Nothing here is trusted: it is read as a caller's text is, under the same bounds and one of its own on its length.
 */
import * as z from 'zod';
import type { Context } from '../context.ts';
import { BrokerError, isRefusal } from '../error.ts';
import * as Ledger from '../ledger.ts';
import { bounds, type Query } from '../sql.ts';
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
		.max(bounds.items),
});

/** Definitions by schema and by the hash of the text: what is kept is never out of date. */
const kept = new Map<string, Definition>();
/** Of the texts that are kept; their trees take about fifty times as much. */
const KEPT_BYTES = 500_000;
let keptBytes = 0;

/**
 * `text` is Glue's `ViewOriginalText`, `database` the view's own, `room` how many bytes the SQL may have. Throws
 * `too-large` if it has more, before it is parsed, else `unsupported` with the reason, which may hold names of the
 * definition: it is for the view's owner.
 */
export async function readDefinition(
	{ parser }: Pick<Context, 'parser'>,
	text: string,
	database: string,
	room: number = bounds.viewBytes,
): Promise<Definition> {
	// Base64 of JSON, with room for the escapes of a text and for columns.
	if (text.length > 4 * bounds.bytes) throw unreadable('it is too long');
	const key = `${database} ${Ledger.sha256(text)}`;
	const known = kept.get(key);
	if (known !== undefined) {
		demandRoom(known.bytes, room);
		return known;
	}
	const { originalSql, schema, columns } = decode(text);
	const bytes = Buffer.byteLength(originalSql);
	demandRoom(bytes, room);
	const query = await parser.query(originalSql).catch((error: unknown) => {
		if (!isRefusal(error)) throw error;
		const { line, column } = error.extensions as { line?: number; column?: number };
		throw unreadable(`${error.message} (line ${line ?? 1}, column ${column ?? 1} of the definition)`);
	});
	const names = columns.map(({ name }) => name);
	return keep(key, { query: inSchema(query, schema ?? database), columns: names, bytes });
}

function keep(key: string, definition: Definition): Definition {
	if (kept.has(key)) return definition;
	// Names and nodes that a short text has, too.
	const weight = definition.bytes + 500;
	if (keptBytes + weight > KEPT_BYTES) {
		kept.clear();
		keptBytes = 0;
	}
	kept.set(key, definition);
	keptBytes += weight;
	return definition;
}

function demandRoom(bytes: number, room: number): void {
	if (bytes <= room) return;
	const most = `The definitions of views that a query reads may have at most ${bounds.viewBytes} bytes`;
	throw new BrokerError('too-large', `${most}; this one has ${bytes}.`);
}

function decode(text: string): z.infer<typeof Stored> {
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
