/**
 * One folder per function, holding all that Lambda needs: the bundle, Cedar's engine, the policies, the pages' files.
 *
 * The stack deploys these folders as they are, and `tests/bundle.test.ts` runs them. So what was tested is what runs,
 * whichever esbuild the deployment tool has inside. A crash leaves a folder half written; the next run starts over.
 */
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import type { FunctionName } from './actions.ts';
import { entries, folderOf, parser, witness } from './entries.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What packages in CommonJS expect; long names, since minified ones are short. */
const banner = [
	"import { createRequire as fairleadCreateRequire } from 'node:module';",
	"import { dirname as fairleadDirname } from 'node:path';",
	"import { fileURLToPath as fairleadFileUrlToPath } from 'node:url';",
	'const require = fairleadCreateRequire(import.meta.url);',
	'const __filename = fairleadFileUrlToPath(import.meta.url);',
	'const __dirname = fairleadDirname(__filename);',
].join('\n');

export function bundleOptions(entryPoint: string): BuildOptions & { metafile: true } {
	return {
		absWorkingDir: root,
		entryPoints: [entryPoint],
		bundle: true,
		platform: 'node',
		target: 'node20',
		format: 'esm',
		mainFields: ['module', 'main'],
		minify: true,
		// Errors are told apart by the names of their classes.
		keepNames: true,
		legalComments: 'none',
		// Node prints the line that threw: with one line for all, the whole bundle.
		lineLimit: 500,
		define: { 'process.env.NODE_ENV': '"production"' },
		banner: { js: banner },
		metafile: true,
		logLevel: 'silent',
	};
}

const folderOfPackage = (file: string) => path.dirname(createRequire(import.meta.url).resolve(file));

/** Files that a function reads beside its bundle, by their place in its folder. */
function besides(name: FunctionName): Record<string, string> {
	const pages = folderOfPackage('swagger-ui-dist/package.json');
	const docs = ['swagger-ui-bundle.js', 'swagger-ui.css', 'LICENSE', 'NOTICE'];
	return {
		'cedar_wasm_bg.wasm': path.join(folderOfPackage('@cedar-policy/cedar-wasm/nodejs'), 'cedar_wasm_bg.wasm'),
		policies: path.join(root, 'policies'),
		...(name === 'api' ? Object.fromEntries(docs.map((file) => [`docs/${file}`, path.join(pages, file)])) : {}),
	};
}

/** Makes a function's folder anew. */
export async function bundle(name: FunctionName, folder = path.join(root, folderOf(name))): Promise<Metafile> {
	rmSync(folder, { recursive: true, force: true });
	mkdirSync(folder, { recursive: true });
	const { metafile } = await build({ ...bundleOptions(entries[name]), outfile: path.join(folder, 'index.mjs') });
	// The sweep reads no SQL.
	if (name === 'api') await bundleParser(folder);
	for (const [to, from] of Object.entries(besides(name))) cpSync(from, path.join(folder, to), { recursive: true });
	return metafile;
}

/** The thread that reads SQL, as one file in a folder; its address. */
export async function bundleParser(folder: string): Promise<string> {
	const outfile = path.join(folder, 'parser.mjs');
	// No class in it is told by its name.
	await build({ ...bundleOptions(parser), keepNames: false, outfile });
	return outfile;
}

/** A witness for the account of somebody else: one file in a folder. */
export async function bundleWitness(folder = path.join(root, 'dist', 'witness')): Promise<Metafile> {
	rmSync(folder, { recursive: true, force: true });
	mkdirSync(folder, { recursive: true });
	return (await build({ ...bundleOptions(witness), outfile: path.join(folder, 'index.mjs') })).metafile;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	for (const name of Object.keys(entries) as FunctionName[]) await bundle(name);
	await bundleWitness();
}
