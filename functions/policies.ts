/**
 * Policies and purposes as files. Promise: a process starts with a whole, valid set or not at all, and a later set that is
 * broken is not taken: the last good one goes on, marked stale, which `/readyz` tells. Reads only.
 *
 * `global/<rule>.cedar` binds every domain and has its file's name as id; `domains/<domain>/<rule>.cedar` binds the
 * products of that domain and has the id `<domain>/<rule>`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import * as z from 'zod';
import type { PolicySet, Purpose } from '#core/context.ts';
import { Slug } from '#core/id.ts';
import { loadPolicies } from '#core/policy.ts';

const ENDING = '.cedar';

/** The texts of a folder of policies: the schema, and each policy by its id. */
export function readTexts(folder: string): { schema: string; policies: Record<string, string> } {
	const domains = readdirSync(folder).includes('domains') ? foldersIn(join(folder, 'domains')) : [];
	const policies = [
		...policiesIn(join(folder, 'global'), ''),
		...domains.flatMap((domain) => policiesIn(join(folder, 'domains', domain), `${domain}/`)),
	];
	return {
		schema: readFileSync(join(folder, 'schema.cedarschema'), 'utf8'),
		policies: Object.fromEntries(policies),
	};
}

/** What editors and file systems leave beside the files that are written, such as `.rule.cedar.swp`. */
const isAside = (name: string) => name.startsWith('.') || name.endsWith('~');

function foldersIn(folder: string): string[] {
	const found = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !isAside(name));
	return found.map((entry) => {
		if (entry.isDirectory()) return entry.name;
		throw new Error(`policies: domains/${entry.name} is no folder of a domain`);
	});
}

/** A file that is no policy is a mistake: a rule under a misspelt name would bind nobody. */
function policiesIn(folder: string, prefix: string): [string, string][] {
	const files = readdirSync(folder).filter((name) => !isAside(name));
	return files.map((file) => {
		if (!file.endsWith(ENDING)) throw new Error(`policies: ${prefix}${file} does not end in ${ENDING}`);
		return [`${prefix}${file.slice(0, -ENDING.length)}`, readFileSync(join(folder, file), 'utf8')];
	});
}

export type PolicySource = {
	/** The set in force. */
	readonly current: () => PolicySet;
	/** Reads the files again. Null if what they hold is in force now, else why it is not. */
	readonly reload: () => string | null;
};

/** Throws if the folder holds no whole, valid set. */
export function policySource(folder: string, warn: (message: string, error: unknown) => void): PolicySource {
	const read = () => {
		const { schema, policies } = readTexts(folder);
		return loadPolicies(schema, policies);
	};
	let current = read();
	return {
		current: () => current,
		reload() {
			try {
				current = read();
				return null;
			} catch (error) {
				current = { ...current, stale: true };
				warn('policies: a new set is broken; the one before goes on', error);
				return error instanceof Error ? error.message : String(error);
			}
		},
	};
}

const Purposes = z.array(
	z.strictObject({
		id: Slug,
		name: z.string().trim().min(1),
		/** Absent or empty where there is none: then nothing personal is read for it. */
		legalBasis: z
			.string()
			.trim()
			.nullish()
			.transform((text) => text ?? ''),
		retention: z.iso.duration(),
	}),
);

/** The governed purposes. Throws with each entry that is wrong. */
export function readPurposes(folder: string): Purpose[] {
	const read = Purposes.safeParse(parseYaml(readFileSync(join(folder, 'purposes.yaml'), 'utf8')));
	if (!read.success) {
		const faults = read.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`);
		throw new Error(`policies: purposes.yaml: ${faults.join('; ')}`);
	}
	const ids = read.data.map(({ id }) => id);
	const twice = ids.find((id, i) => ids.indexOf(id) !== i);
	if (twice !== undefined) throw new Error(`policies: purposes.yaml: ${twice} stands twice`);
	return read.data;
}
