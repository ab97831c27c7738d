/** Builds a function as the deployment does, and weighs it. */
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Metafile } from 'esbuild';
import { bundle, bundleOptions } from '../../infra/bundle.ts';

export type Built = {
	readonly file: string;
	readonly bytes: number;
	readonly gzipped: number;
	/** Files that the code reads from beside it. */
	readonly beside: number;
	readonly besideGzipped: number;
	/** Bytes in the output by package, or by folder of ours. */
	readonly inputs: ReadonlyMap<string, number>;
};

const CODE = 'index.mjs';

/** The folder of the API function, as it is deployed. */
export async function buildApi(folder: string): Promise<Built> {
	return weigh(folder, await bundle('api', folder));
}

/** What it is compared with, built with the same options. */
export async function buildBaseline(folder: string): Promise<Built> {
	mkdirSync(folder, { recursive: true });
	const entry = fileURLToPath(new URL('baseline.ts', import.meta.url));
	const { metafile } = await build({ ...bundleOptions(entry), outfile: path.join(folder, CODE) });
	return weigh(folder, metafile);
}

function weigh(folder: string, { outputs }: Metafile): Built {
	const all = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((f) => f !== CODE);
	const beside = all
		.map((f) => path.join(folder, f))
		.filter((f) => statSync(f).isFile())
		.map((f) => readFileSync(f));
	const file = path.join(folder, CODE);
	const code = readFileSync(file);
	const gzipped = (bytes: Buffer) => gzipSync(bytes, { level: 9 }).length;
	const [output] = Object.values(outputs);
	return {
		file,
		bytes: code.length,
		gzipped: gzipped(code),
		beside: beside.reduce((sum, f) => sum + f.length, 0),
		besideGzipped: beside.reduce((sum, f) => sum + gzipped(f), 0),
		inputs: sumByPackage(output?.inputs ?? {}),
	};
}

function sumByPackage(inputs: Metafile['outputs'][string]['inputs']): Map<string, number> {
	const sums = new Map<string, number>();
	for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
		const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? `${file.split('/')[0] ?? file}/`;
		sums.set(name, (sums.get(name) ?? 0) + bytesInOutput);
	}
	return sums;
}
