/**
 * What a drop leaves: the data always, since the catalog only describes it, and in Lake Formation what is said here.
 */
import { isWithin, locationArn } from '../lookup.ts';
import { keptKey, type Resource, type State, type Table, type TableRef, tableKey } from '../state.ts';
import type { Place } from './rights.ts';

/**
 * [unverified] (aws-facts sections 1 and 7.3): no page says what becomes of permissions, filters, tags and opt-ins on a
 * table or database that is dropped. `stays`: they attach to the name, so that whoever makes a table of that name again
 * opens it to whom the old one was open. That is the case that a broker must be safe in.
 */
export const LEFT_BY_A_DROP: 'stays' | 'goes' = 'stays';

/** The state without what Lake Formation holds on these resources, if a drop takes that along. */
export function forgotten(
	state: State,
	concerns: (resource: Resource) => boolean,
	left: 'stays' | 'goes' = LEFT_BY_A_DROP,
): State {
	if (left === 'stays') return state;
	const kept = <T extends { readonly resource: Resource }>(map: ReadonlyMap<string, T>) =>
		new Map([...map].filter(([, { resource }]) => !concerns(resource)));
	return {
		...state,
		permissions: kept(state.permissions),
		optIns: kept(state.optIns),
		filters: new Map(
			[...state.filters].filter(([, filter]) => !concerns({ kind: 'filter', ...refOf(filter), name: filter.name })),
		),
		tags: new Map(
			[...state.tags].map(([key, tag]) => [
				key,
				{ ...tag, assigned: tag.assigned.filter(({ resource }) => !concerns(resource)) },
			]),
		),
	};
}

function refOf({ account, database, table }: TableRef): TableRef {
	return { account, database, table };
}

export const onTable = (ref: TableRef) => (resource: Resource) =>
	'table' in resource && tableKey(resource) === tableKey(ref);

/** On the database or on anything in it. */
export const onDatabase = (place: Place) => (resource: Resource) =>
	'database' in resource && resource.account === place.account && resource.database === place.database;

/** The state with the files of a table kept for whoever makes a table over them again in its catalog. */
export function dataKept(state: State, table: Table): State {
	const objects = new Map(state.objects);
	for (const { location: written, files } of [table, ...table.partitions]) {
		if (files.length === 0) continue;
		const place = { account: table.account, location: written.replace(/\/$/, '') };
		const known = objects.get(keptKey(place))?.files ?? [];
		objects.set(keptKey(place), { ...place, files: [...new Set([...known, ...files])] });
	}
	return { ...state, objects };
}

/**
 * The files that lie at this location or in it, as far as the account's own tables and partitions, there still or
 * dropped, know them. Whoever names another account's location finds nothing there: its bucket lets nobody else in.
 */
export function filesAt(state: State, account: string, location: string): string[] {
	const known = [
		...state.landing.tables
			.filter((table) => table.account === account)
			.flatMap((table) => [table, ...table.partitions]),
		...[...state.objects.values()].filter((kept) => kept.account === account),
	];
	const root = locationArn(location);
	return [
		...new Set(known.filter((piece) => isWithin(locationArn(piece.location), root)).flatMap(({ files }) => files)),
	];
}
