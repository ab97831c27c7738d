/**
 * `npm run bench`: measures, prints, and writes docs/performance.md. With names of sections only those are measured, and
 * only they change there; with `--quick` each is measured a few times only, and the file is left as it is; with `--full`
 * the log has a million entries, which takes some minutes and gigabytes of disk. Asserts nothing.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.ts';
import { QUIET } from './child.ts';
import { decide } from './decide.ts';
import { get } from './get.ts';
import { grants } from './grants.ts';
import { type Lab, openLab } from './lab.ts';
import { ledger } from './ledger.ts';
import { log } from './log.ts';
import { query } from './query.ts';
import { machine, renderDocument, renderSection, type Section } from './report.ts';
import { sql } from './sql.ts';

type Length = { readonly quick: boolean; readonly full: boolean };

const sections = {
	query: inBank(query),
	ledger: inBank(ledger),
	log: inFolder(log),
	get: inBank(get),
	decide: inBank(decide),
	grants: inBank(grants),
	bundle: inBank(bundle),
	sql: inBank(sql),
} as const satisfies Record<string, (length: Length) => Promise<Section>>;
const isName = (name: string): name is keyof typeof sections => Object.hasOwn(sections, name);

const print = (text: string) => process.stdout.write(`${text}\n`);

/** Each in a bank of its own: what one leaves behind would be found, or paid for, by the next. */
function inBank(measure: (lab: Lab) => Promise<Section>) {
	return async ({ quick }: Length): Promise<Section> => {
		const lab = await openLab(quick);
		try {
			return await measure(lab);
		} finally {
			await lab.close();
		}
	};
}

/** In an empty folder, without a bank. */
function inFolder(measure: (at: Length & { readonly home: string }) => Promise<Section>) {
	return async (length: Length): Promise<Section> => {
		const home = mkdtempSync(path.join(tmpdir(), 'fairlead-bench-'));
		try {
			return await measure({ ...length, home });
		} finally {
			rmSync(home, { recursive: true, force: true });
		}
	};
}

async function main(args: readonly string[]): Promise<void> {
	const length: Length = { quick: args.includes('--quick'), full: args.includes('--full') };
	const asked = args.filter((a) => a !== '--quick' && a !== '--full');
	const names = asked.length === 0 ? Object.keys(sections) : asked;
	const unknown = names.find((name) => !isName(name));
	if (unknown !== undefined) {
		throw new Error(
			`usage: npm run bench -- [--quick | --full] [${Object.keys(sections).join('] [')}]; there is no ${unknown}`,
		);
	}
	Object.assign(process.env, QUIET);
	print(`${machine()}\n`);
	const found: Section[] = [];
	for (const name of names.filter(isName)) {
		const section = await sections[name](length);
		found.push(section);
		print(`${renderSection(section)}\n`);
	}
	if (length.quick) return;
	const day = new Date().toISOString().slice(0, 10);
	const file = fileURLToPath(new URL('../docs/performance.md', import.meta.url));
	writeFileSync(file, renderDocument(readFileSync(file, 'utf8'), found, day));
}

try {
	await main(process.argv.slice(2));
} catch (error) {
	process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
	process.exitCode = 1;
}
