/**
 * Where the rows of a contract's table are on this disk, and in what format. `s3://<bucket>/<key>` stands for
 * `<lake folder>/<key>`: a file, or a folder whose .csv or .parquet files together are the table. As in Athena,
 * names that start with . or _ are not data, and columns are found by position, never by the header.
 */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import type { Contract, ContractTable } from '#core/contract.ts';
import type { Landing } from '#local/aws.ts';

export type Format = Landing['tables'][number]['format'];

/** Absolute paths in order of name; throws an error that names the contract when there is nothing. */
export function filesOf(lakeDir: string, contract: Contract, table: ContractTable): string[] {
	const what = `table ${table.name} of contract ${contract.product}`;
	if (table.location === undefined) throw new Error(`The ${what} has no location`);
	const root = path.resolve(lakeDir);
	const key = table.location.replace(/^s3:\/\/[^/]+\/?/, '');
	const place = path.resolve(root, key);
	if (place === root || !place.startsWith(root + path.sep))
		throw new Error(`The ${what} lies outside the lake: ${key}`);
	const kind = statSync(place, { throwIfNoEntry: false });
	if (kind === undefined) throw new Error(`The ${what} is at ${table.location}, but there is no ${place}`);
	if (kind.isFile()) return [place];
	const names = readdirSync(place).filter((name) => /^[^._].*\.(csv|parquet)$/.test(name));
	if (names.length === 0) throw new Error(`The ${what} has no .csv or .parquet file in ${place}`);
	return names.toSorted().map((name) => path.join(place, name));
}

/** How the glue server of a contract says it writes files; all optional. */
const Server = z.looseObject({
	type: z.string(),
	format: z.string().optional(),
	customProperties: z.array(z.looseObject({ property: z.string(), value: z.unknown() })).default([]),
});

const Delimiter = z.string().length(1, 'must be one character').default(',');
const Quote = z.string().max(1, 'must be at most one character').default('"');
const Header = z.boolean().default(true);

/** The format that the contract's glue server names, else what the files are called. */
export function formatOf(contract: Contract, files: readonly string[]): Format {
	const servers = z.array(Server).parse(contract.document['servers']);
	const server = servers.find(({ type }) => type === 'glue');
	const extensions = new Set(files.map((file) => path.extname(file).slice(1)));
	const kind = server?.format?.toLowerCase() ?? [...extensions].join(' and ');
	if (kind === 'parquet') return { kind };
	if (kind !== 'csv')
		throw new Error(`The contract ${contract.product} has data of format ${kind}; csv or parquet can be read`);
	const said = new Map(server?.customProperties.map(({ property, value }) => [property, value]));
	const read = z
		.object({ delimiter: Delimiter, quote: Quote, header: Header })
		.safeParse({ delimiter: said.get('delimiter'), quote: said.get('quote'), header: said.get('header') });
	if (!read.success)
		throw new Error(`The glue server of contract ${contract.product}:\n${z.prettifyError(read.error)}`);
	return { kind, ...read.data };
}
