/**
 * Lists entries that were listed when they were written, unless their writer died or its store failed in between. What all of
 * them come to is worked out first, and read many lines at once; only what is not so is written. That it is so already is the
 * rule, and a read costs a fifth of a write.
 */
import pMap from 'p-map';
import type { Context } from '../context.ts';
import { errorName } from '../error.ts';
import { readMany } from './batch.ts';
import { type Mark, markOf, type Projection, stays } from './mark.ts';
import { applyProjections, project } from './projection.ts';
import type { Recorded } from './record.ts';
import { text, unavailable } from './store.ts';

type Ctx = Pick<Context, 'aws' | 'config' | 'warn'>;
const CONCURRENCY = 16;
/** Of lines that are read, and looked at, at once. */
const CHUNK = 2000;

/**
 * Lists entries, of which those of one stream follow each other. A line that the store will never take (its sort key is too
 * long) is told and left out. Done again from any point it comes to the same.
 *
 * Entries that are not among these may have followed them long ago, or follow now: what a later one put stays. What a later
 * one took off may come back, until that one is listed again; such a line leads to a stream that says it is over.
 */
export async function relist(ctx: Ctx, entries: readonly Recorded[]): Promise<void> {
	const lines = new Map<string, Projection>();
	for (const line of entries.flatMap((entry) => project(entry))) {
		const said = lines.get(nameOf(line));
		if (said?.op !== 'put' || !stays(said, line)) lines.set(nameOf(line), line);
	}
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
		const marks = new Map(found.map((item) => [nameOf({ pk: text(item['pk']), sk: text(item['sk']) }), markOf(item)]));
		return lines.filter((line) => differs(marks.get(nameOf(line)), line));
	} catch (cause) {
		if (errorName(cause) === 'ValidationException') return lines;
		throw unavailable(cause);
	}
}

/** A line that an earlier entry put is put again: by its mark it could be taken off in the name of that one. */
function differs(there: Mark | undefined, line: Projection): boolean {
	if (there === undefined) return line.op === 'put';
	if (line.op === 'delete') return !stays(there, line);
	return line.ver !== undefined && (there.ver ?? 0) < line.ver;
}

async function write(ctx: Ctx, line: Projection): Promise<void> {
	try {
		await applyProjections(ctx, [line]);
	} catch (error) {
		if (errorName(error) !== 'ValidationException') throw error;
		ctx.warn('ledger: a sealed entry cannot be listed', error);
	}
}
