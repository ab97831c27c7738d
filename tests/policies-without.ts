/** The rules of this repository without some of them, for tests that these would stand in the way of. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A folder with them, and how to take it away again. */
export function policiesWithout(names: readonly string[]): { readonly folder: string; readonly remove: () => void } {
	const home = mkdtempSync(path.join(tmpdir(), 'fairlead-rules-'));
	const folder = path.join(home, 'policies');
	cpSync(path.resolve('policies'), folder, { recursive: true });
	for (const name of names) rmSync(path.join(folder, 'global', `${name}.cedar`));
	return { folder, remove: () => rmSync(home, { recursive: true, force: true }) };
}

/** Those by which past emergencies count. */
export const ofPastEmergencies = ['break-glass-few-unreviewed', 'break-glass-none-after-unjustified'];
