/** Where a bypass is listed: on each day that tells of it, for all, and for each domain whose products it read. */
import { key } from './keys.ts';
import type { BodyOf } from './schema.ts';

type Body = BodyOf<'BypassDetected'>;

export function bypassLines(body: Body) {
	const { account, query, event, day, otherDays = [], domains = domainsOf(body) } = body;
	const line = `${account}#${query ?? event ?? ''}`;
	const places = [day, ...otherDays].flatMap((of) => [
		key.bypasses(of),
		...domains.map((domain) => key.bypassesOfDomain(domain, of)),
	]);
	return places.map((pk) => [pk, line] as const);
}

/** As far as the tables that it names tell. */
function domainsOf({ tables }: Body): string[] {
	const products = tables.flatMap((table) => table.products);
	return [...new Set(products.map((product) => product.slice(0, product.indexOf('.'))))];
}
