/** Where a bypass is listed: on the day that it was found on, for all, and for each domain whose products it read. */
import type { BodyOf } from './schema.ts';

type Keys = {
	readonly bypasses: (day: string) => string;
	readonly bypassesOfDomain: (domain: string, day: string) => string;
};

export function bypassLines({ account, query, event, day, tables }: BodyOf<'BypassDetected'>, key: Keys) {
	const line = `${account}#${query ?? event ?? ''}`;
	const domains = tables.flatMap(({ products }) => products.map((product) => product.slice(0, product.indexOf('.'))));
	const places = [key.bypasses(day), ...[...new Set(domains)].map((domain) => key.bypassesOfDomain(domain, day))];
	return places.map((pk) => [pk, line] as const);
}
