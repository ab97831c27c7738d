/** A Lambda handler behind a small HTTP server, in a process of its own: the same one for whatever is compared. */
import * as z from 'zod';
import { start } from './child.ts';

/**
 * `fairlead`: the deployed entry. `replayed`: the same, its store answering each call from memory after the first, which
 * leaves Fairlead's own work. `hono`, `zod-openapi`: one route that gives a fixed body, on that framework alone.
 */
export type Kind = 'fairlead' | 'replayed' | 'hono' | 'zod-openapi';

export type Served = { readonly url: string; readonly close: () => Promise<void> };

export async function serve(kind: Kind, settings: Readonly<Record<string, string>>): Promise<Served> {
	const child = await start('server/child.ts', [kind], settings);
	const { port } = z.object({ port: z.int() }).parse(child.ready);
	return { url: `http://127.0.0.1:${port}`, close: child.close };
}
