/**
 * The tables that a folder of CSV and Parquet files holds, by its shape: a file is a table; so is a folder of files or of
 * partition folders (`key=value`, as Hive and Athena name them); a folder of such folders is a set of tables. Names that
 * start with . or _ are not data.
 */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';

export type Kind = 'csv' | 'parquet';

export type FoundTable = {
	/** File or folder name, without its ending. */
	readonly name: string;
	readonly kind: Kind;
	/** Path below the lake, with / between its parts. */
	readonly key: string;
	/** Absolute, in order of name. */
	readonly files: readonly string[];
	/** Keys of the partition folders, lower case, from the outside in. */
	readonly partitions: readonly string[];
};

/** Tables that belong together: what one contract would describe. */
export type TableSet = { readonly name: string; readonly tables: readonly FoundTable[] };

/** One set for each file and folder of the lake. Throws an error that names what is not understood. */
export function findTables(lake: string): TableSet[] {
	const sets = entries(lake).flatMap((name): TableSet[] => {
		const place = path.join(lake, name);
		const tables = isTable(place)
			? [tableAt(lake, place)]
			: entries(place)
					.map((below) => path.join(place, below))
					.filter(isTable)
					.map((below) => tableAt(lake, below));
		return tables.length === 0 ? [] : [{ name: withoutEnding(name), tables }];
	});
	if (sets.length === 0) throw new Error(`There is no .csv or .parquet file in ${lake}`);
	return sets;
}

const isFile = (place: string) => statSync(place).isFile();
const isPartition = (name: string) => /^[^=]+=/.test(name);
const withoutEnding = (name: string) => name.replace(/\.(csv|parquet)$/i, '');

function entries(folder: string): string[] {
	if (isFile(folder)) return [];
	return readdirSync(folder)
		.filter((name) => /^[^._]/.test(name))
		.toSorted();
}

function kindOf(name: string): Kind | null {
	const ending = path.extname(name).slice(1).toLowerCase();
	return ending === 'csv' || ending === 'parquet' ? ending : null;
}

function isTable(place: string): boolean {
	if (isFile(place)) return kindOf(place) !== null;
	return entries(place).some((name) => {
		const below = path.join(place, name);
		return isFile(below) ? kindOf(name) !== null : isPartition(name);
	});
}

function tableAt(lake: string, place: string): FoundTable {
	const files = filesIn(place);
	const kinds = new Set(files.map(kindOf));
	const [kind] = kinds;
	const key = path.relative(lake, place).split(path.sep).join('/');
	if (kind == null || kinds.size !== 1) throw new Error(`${key} holds files of two formats; a table has one`);
	const keys = new Set(files.map((file) => partitionsOf(path.relative(place, file)).join('/')));
	if (keys.size !== 1) throw new Error(`${key} is not partitioned by the same keys everywhere`);
	const [partitions = ''] = keys;
	return {
		name: withoutEnding(path.basename(place)),
		kind,
		key,
		files,
		partitions: partitions.split('/').filter(Boolean),
	};
}

function partitionsOf(file: string): string[] {
	const folders = file.split(path.sep).slice(0, -1);
	return folders.map((folder) => folder.slice(0, folder.indexOf('=')).toLowerCase());
}

function filesIn(place: string): string[] {
	if (isFile(place)) return kindOf(place) === null ? [] : [place];
	return entries(place).flatMap((name) => {
		const below = path.join(place, name);
		return isFile(below) || isPartition(name) ? filesIn(below) : [];
	});
}
