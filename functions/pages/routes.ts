/** The pages beside the API, open to everybody: `/docs` and its files, `/errors` and a page for each code. */
import { Hono } from 'hono';
import type { Env } from '../env.ts';
import { docsRoutes } from './docs.ts';
import { errorRoutes } from './errors.ts';

export function pageRoutes({ docs }: { readonly docs: string }): Hono<Env> {
	return new Hono<Env>().route('/', docsRoutes(docs)).route('/', errorRoutes());
}
