/**
 * Lists entries that were listed when they were written, unless their writer died or its store failed in between. What all of
 * them come to is worked out first, and read many lines at once; only what is not so is written. That it is so already is the
 * rule, and a read costs a fifth of a write.
 */
import pMap from 'p-map';
import type { Context } from '../context.ts';
import { errorName } from '../error.ts';
import { readMany } from './batch.ts';
import { applyProjections, type Projection, project } from './projection.ts';
import type { Recorded } from './record.ts';
import { unavailable } from './store.ts';

type Ctx = Pick<Context, 'aws' | 'config' | 'warn'>;
const CONCURRENCY = 16;
/** Of lines that are read, and looked at, at once. */
const CHUNK = 2000;

/**
 * Lists entries, of which those of one stream follow each other. A line that the store will never take (its sort key is too
 * long) is told and left out. Done again from any point it comes to the same.
 */
export async function relist(ctx: Ctx, entries: readonly Recorded[]): Promise<void> {
	const lines = new Map<string, Projection>();
	for (const entry of entries) for (const line of project(entry)) lines.set(nameOf(line), line);
	const wanted = [...lines.values()];
	const missing: Projection[] = [];
	for (let from = 0; from < wanted.length; from += CHUNK) {
		missing.push(...(await differing(ctx, wanted.slice(from, from + CHUNK))));
	}
	// What a thing is followed by comes before what it was followed by goes.
	for (const op of ['put', 'delete'] as const) {
		const those = missing.filter((line) => line.op === op);
		await pMap(those, (line) => write(ctx, line), { concurrency: CONCURRENCY });
	}
}

const nameOf = ({ pk, sk }: { readonly pk: string; readonly sk: string }) => `${pk}\n${sk}`;

/** Those that the listings do not agree with; all of them where the store does not take one for a key. */
async function differing(ctx: Ctx, lines: readonly Projection[]): Promise<readonly Projection[]> {
	try {
		const found = await readMany(ctx, ctx.config.tables.projections, lines);
		const there = new Set(found.map(({ pk, sk }) => nameOf({ pk: pk?.S ?? '', sk: sk?.S ?? '' })));
		return lines.filter((line) => (line.op === 'put') !== there.has(nameOf(line)));
	} catch (cause) {
		if (errorName(cause) === 'ValidationException') return lines;
		throw unavailable(cause);
	}
}

async function write(ctx: Ctx, line: Projection): Promise<void> {
	try {
		await applyProjections(ctx, [line]);
	} catch (error) {
		if (errorName(error) !== 'ValidationException') throw error;
		ctx.warn('ledger: a sealed entry cannot be listed', error);
	}
}
