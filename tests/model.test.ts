/**
 * Random histories of requests, decisions and grants over HTTP: whatever came before, no grant is in force without all
 * its approvals over exactly its content, and nobody sees a cell that was not approved. FAIRLEAD_SEED repeats a run,
 * FAIRLEAD_MODEL_RUNS says how many histories.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { anySeed } from '#local/aws/chance.ts';
import { type Step, step } from './model/commands.ts';
import { begin, GRANTS } from './model/history.ts';
import { faults } from './model/holds.ts';
import { type Mesh, openMesh } from './model/mesh.ts';
import { openTables, type Tables } from './model/tables.ts';

const { FAIRLEAD_SOAK: level } = process.env;
const whole = level === 'whole';
const seed = Number(process.env['FAIRLEAD_SEED'] ?? (whole ? anySeed() : 1));
const runs = Number(process.env['FAIRLEAD_MODEL_RUNS'] ?? (whole ? 150 : 12));
const most = 60;

let mesh: Mesh;
let tables: Tables;
const count = new Map<string, number>();

beforeAll(async () => {
	mesh = await openMesh();
	tables = await openTables(mesh.test.world);
});
afterAll(async () => {
	tables.close();
	await mesh.close();
});

/** How long shorter histories that fail, too, are looked for. */
const SHRINK_MS = whole ? 900_000 : 90_000;
let until = Number.POSITIVE_INFINITY;

async function play(history: readonly Step[]): Promise<void> {
	if (Date.now() > until) return;
	try {
		await judge(history);
	} catch (error) {
		until = Math.min(until, Date.now() + SHRINK_MS);
		throw error;
	}
}

/** Throws what is wrong after one of its steps, or at its end. */
async function judge(history: readonly Step[]): Promise<void> {
	await mesh.reset();
	const known = begin(mesh, tables, count);
	let taken = 0;
	for (const one of history) {
		if (!(await one.take(known))) continue;
		taken += 1;
		const found = [...known.wrong, ...(await faults(mesh, tables, one.name === 'sweep'))];
		if (found.length > 0) throw new Error(`after ${taken} steps (${one.name}):\n${[...new Set(found)].join('\n')}`);
	}
	await mesh.sweep();
	const found = await faults(mesh, tables, true);
	if (found.length > 0) throw new Error(`after the last sweep:\n${[...new Set(found)].join('\n')}`);
}

it(`${runs} histories, seed ${seed}`, { timeout: 7_200_000 }, async () => {
	const history = fc.noBias(fc.array(step, { minLength: 1, maxLength: most, size: 'max' }));
	const property = fc.asyncProperty(history, play);
	await fc.assert(property, { seed, numRuns: runs });
	if (level !== undefined || process.env['FAIRLEAD_MODEL_RUNS'] !== undefined) {
		const lines = [...count].toSorted(([a], [b]) => a.localeCompare(b)).map(([line, times]) => `${times} ${line}`);
		process.stdout.write(`${lines.join('\n')}\n`);
	}
	expect(count.get(GRANTS)).toBeGreaterThan(0);
});
