/** Requests for access and the decisions on them. */
import { breakGlassRoutes } from './access/breakglass.ts';
import { decidingRoutes } from './access/deciding.ts';
import { filingRoutes } from './access/filing.ts';
import { readingRoutes } from './access/reading.ts';
import { newRouter } from './router.ts';

export function accessRoutes() {
	const app = newRouter();
	for (const routes of [filingRoutes, readingRoutes, decidingRoutes, breakGlassRoutes]) app.route('/', routes());
	return app;
}
