/**
 * `npm run contract:draft`: a folder of Parquet or CSV files without contracts gets a draft of one for each file, folder
 * or set of folders in it. Files are only read, and no contract that is already there is overwritten.
 */
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type * as z from 'zod';
import { parseContract } from '#core/contract.ts';
import { AccountId, Slug } from '#core/id.ts';
import { readColumns } from './draft/columns.ts';
import { type Described, type Draft, draft, snakeCase, type Wishes } from './draft/document.ts';
import { findTables, type TableSet } from './draft/tables.ts';

const USAGE = `npm run contract:draft -- --lake DIR [options]
  --lake DIR         folder of .parquet or .csv files; folders key=value are partitions
  --domain NAME      domain that the data products belong to (default: the name of the folder)
  --name NAME        put all tables into one data product of this name (default: one for each file or folder)
  --account ID       AWS account of the domain
  --bucket NAME      bucket that the folder stands for (default: the name of the folder)
  --out DIR          write <domain>.<name>.yaml there (default: print)`;

export type DraftOptions = {
	readonly lake: string;
	readonly domain?: string | undefined;
	readonly name?: string | undefined;
	readonly account?: string | undefined;
	readonly bucket?: string | undefined;
};

/** A draft for each set of tables. Throws an error that says what to change. */
export async function draftContracts(options: DraftOptions): Promise<Draft[]> {
	const lake = path.resolve(options.lake);
	if (statSync(lake, { throwIfNoEntry: false })?.isDirectory() !== true) throw new Error(`There is no folder ${lake}`);
	const folder = snakeCase(path.basename(lake));
	const domain = option('domain', Slug, options.domain ?? folder);
	const account = options.account === undefined ? undefined : option('account', AccountId, options.account);
	const bucket = options.bucket ?? folder.replaceAll('_', '-').padEnd(3, '-lake');
	const drafts: Draft[] = [];
	for (const { name, tables } of setsOf(findTables(lake), options.name)) {
		const described: Described[] = [];
		for (const table of tables) described.push({ ...table, ...(await readColumns(table)) });
		drafts.push(checked(draft(described, { domain, name, account, bucket } satisfies Wishes)));
	}
	return drafts;
}

function setsOf(found: readonly TableSet[], name: string | undefined): TableSet[] {
	if (name !== undefined) return [{ name: option('name', Slug, name), tables: found.flatMap((set) => set.tables) }];
	const sets = found.map((set) => ({ ...set, name: snakeCase(set.name) }));
	const twice = sets.find((set, i) => sets.findIndex((other) => other.name === set.name) !== i);
	if (twice !== undefined) throw new Error(`Two files or folders would both be data product ${twice.name}`);
	return sets;
}

function option(name: string, shape: z.ZodType<string>, value: string): string {
	const read = shape.safeParse(value);
	if (read.success) return read.data;
	throw new Error(`--${name} ${read.error.issues.map((issue) => issue.message).join(', ')}`);
}

/** A draft that could not be read again would be of no use to anybody. */
function checked(made: Draft): Draft {
	parseContract(made.text, 'yaml');
	return made;
}

async function main(): Promise<void> {
	const text = { type: 'string' } as const;
	const { values } = parseArgs({
		options: {
			lake: text,
			domain: text,
			name: text,
			account: text,
			bucket: text,
			out: text,
			help: { type: 'boolean' },
		},
	});
	const { lake, out, help, ...wishes } = values;
	if (help === true || lake === undefined) {
		process.stdout.write(`${USAGE}\n`);
		process.exitCode = help === true ? 0 : 2;
		return;
	}
	const drafts = await draftContracts({ lake, ...wishes });
	if (out === undefined) {
		process.stdout.write(drafts.map((d) => d.text).join('---\n'));
		return;
	}
	mkdirSync(out, { recursive: true });
	const there = drafts.map(({ file }) => path.join(out, file)).find((file) => existsSync(file));
	if (there !== undefined) throw new Error(`${there} is there already; nothing was written`);
	for (const { file, text } of drafts) {
		writeFileSync(path.join(out, file), text, { flag: 'wx' });
		process.stdout.write(`${path.join(out, file)}\n`);
	}
}

if (import.meta.filename === process.argv[1]) {
	try {
		await main();
	} catch (error) {
		process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
		process.exitCode = 2;
	}
}
