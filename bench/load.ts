/** Load from a process of its own, so that it does not wait for the store that lives in this one. */
import * as z from 'zod';
import { type Child, start } from './child.ts';

export type Run = {
	readonly url: string;
	readonly path: string;
	readonly headers: Readonly<Record<string, string>>;
	/** Each sends its next request when the answer to the last one is there. */
	readonly connections: number;
	readonly seconds: number;
};

const Found = z.object({ perSecond: z.number(), latencies: z.array(z.number()), other: z.int() });
export type Found = z.infer<typeof Found>;

export type Load = { readonly run: (run: Run) => Promise<Found>; readonly close: Child['close'] };

export async function startLoad(): Promise<Load> {
	const child = await start('load/child.ts', []);
	return { run: async (run) => Found.parse(await child.ask(run)), close: child.close };
}
