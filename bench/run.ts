/**
 * `npm run bench`: measures, and writes docs/performance.md. With names of sections only those are measured, with
 * `--quick` all of them a few times only; then the findings are printed and the file is left as it is. Asserts nothing.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.ts';
import { QUIET } from './child.ts';
import { get } from './get.ts';
import { type Lab, openLab } from './lab.ts';
import { ledger } from './ledger.ts';
import { query } from './query.ts';
import { machine, renderDocument, renderSection, type Section } from './report.ts';
import { sql } from './sql.ts';

const sections = { query, ledger, get, bundle, sql } as const satisfies Record<string, (lab: Lab) => Promise<Section>>;
const isName = (name: string): name is keyof typeof sections => Object.hasOwn(sections, name);

const print = (text: string) => process.stdout.write(`${text}\n`);

async function main(args: readonly string[]): Promise<void> {
	const quick = args.includes('--quick');
	const asked = args.filter((a) => a !== '--quick');
	const names = asked.length === 0 ? Object.keys(sections) : asked;
	const unknown = names.find((name) => !isName(name));
	if (unknown !== undefined) {
		throw new Error(`usage: npm run bench -- [--quick] [${Object.keys(sections).join('] [')}]; there is no ${unknown}`);
	}
	Object.assign(process.env, QUIET);
	print(`${machine()}\n`);
	const lab = await openLab(quick);
	const found: Section[] = [];
	try {
		for (const name of names.filter(isName)) {
			found.push(await sections[name](lab));
			print(`${found.slice(-1).map(renderSection).join('')}\n`);
		}
	} finally {
		await lab.close();
	}
	if (quick || asked.length > 0) return;
	const day = new Date().toISOString().slice(0, 10);
	const file = fileURLToPath(new URL('../docs/performance.md', import.meta.url));
	writeFileSync(file, renderDocument(found, 'npm run bench', day));
}

try {
	await main(process.argv.slice(2));
} catch (error) {
	process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
	process.exitCode = 1;
}
