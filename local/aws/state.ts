/**
 * What the embedded lake knows, as one value: the landing zone, the registered locations and Lake
 * Formation's settings, filters and permissions. Values are never changed in place; the store keeps them.
 */
import * as z from 'zod';

const Column = z.strictObject({ name: z.string(), type: z.string(), comment: z.string().optional() });

const Format = z.discriminatedUnion('kind', [
	z.strictObject({ kind: z.literal('parquet') }),
	z.strictObject({
		kind: z.literal('csv'),
		delimiter: z.string().length(1),
		header: z.boolean(),
		quote: z.string().max(1),
	}),
]);

/** What a platform team's landing zone has made before Fairlead comes. */
export const Landing = z.strictObject({
	region: z.string(),
	/** `admins`: ARNs of the Lake Formation data lake administrators' roles. */
	accounts: z.array(
		z.strictObject({
			id: z.string(),
			admins: z.array(z.string()),
			createTableDefaultPermissionsCleared: z.literal(true),
		}),
	),
	/** `trusts`: ARNs that may assume the role. */
	roles: z.array(z.strictObject({ arn: z.string(), trusts: z.array(z.string()) })),
	databases: z.array(z.strictObject({ account: z.string(), name: z.string() })),
	/** Database resource links. */
	links: z.array(
		z.strictObject({
			account: z.string(),
			name: z.string(),
			target: z.strictObject({ account: z.string(), database: z.string() }),
		}),
	),
	tables: z.array(
		z.strictObject({
			account: z.string(),
			database: z.string(),
			name: z.string(),
			/** `s3://bucket/key` */
			location: z.string(),
			columns: z.array(Column),
			format: Format,
			/** Absolute local paths that hold the data. */
			files: z.array(z.string()),
			/** Whether the location is registered with Lake Formation. */
			registered: z.boolean(),
		}),
	),
	/** Views as Athena keeps them in Glue; `text` is what Glue has as `ViewOriginalText`. */
	views: z
		.array(
			z.strictObject({
				account: z.string(),
				database: z.string(),
				name: z.string(),
				columns: z.array(Column),
				text: z.string(),
			}),
		)
		.default([]),
	workGroups: z.array(z.strictObject({ account: z.string(), name: z.string() })),
});
export type Landing = z.infer<typeof Landing>;
/** A landing zone as its author writes it. */
export type LandingInput = z.input<typeof Landing>;
export type Table = Landing['tables'][number];
export type View = Landing['views'][number];

const Settings = z.strictObject({
	account: z.string(),
	admins: z.array(z.string()),
	readOnlyAdmins: z.array(z.string()),
	createDatabaseDefaults: z.array(z.unknown()),
	createTableDefaults: z.array(z.unknown()),
	parameters: z.record(z.string(), z.string()),
	trustedResourceOwners: z.array(z.string()),
});
export type Settings = z.infer<typeof Settings>;

const Registration = z.strictObject({
	account: z.string(),
	arn: z.string(),
	roleArn: z.string(),
	modified: z.number(),
});
export type Registration = z.infer<typeof Registration>;

export const TableRef = z.strictObject({ account: z.string(), database: z.string(), table: z.string() });
export type TableRef = z.infer<typeof TableRef>;

const Filter = z.strictObject({
	...TableRef.shape,
	name: z.string(),
	/** Explicit columns, or all of them but `excluded`. */
	columns: z.array(z.string()).nullable(),
	excluded: z.array(z.string()),
	/** The expression as it came; null for all rows. */
	expression: z.string().nullable(),
	version: z.string(),
});
export type Filter = z.infer<typeof Filter>;

/** A resource of Lake Formation with every default filled in; equal resources have equal keys. */
const Resource = z.discriminatedUnion('kind', [
	z.strictObject({ kind: z.literal('catalog'), account: z.string() }),
	z.strictObject({ kind: z.literal('database'), account: z.string(), database: z.string() }),
	z.strictObject({ kind: z.literal('table'), ...TableRef.shape }),
	z.strictObject({ kind: z.literal('all-tables'), account: z.string(), database: z.string() }),
	z.strictObject({
		kind: z.literal('columns'),
		...TableRef.shape,
		columns: z.array(z.string()).nullable(),
		excluded: z.array(z.string()),
	}),
	z.strictObject({ kind: z.literal('filter'), ...TableRef.shape, name: z.string() }),
	z.strictObject({ kind: z.literal('location'), account: z.string(), arn: z.string() }),
]);
export type Resource = z.infer<typeof Resource>;

const Permission = z.strictObject({
	principal: z.string(),
	resource: Resource,
	permissions: z.array(z.string()),
	grantable: z.array(z.string()),
	updated: z.number(),
	updatedBy: z.string(),
});
export type Permission = z.infer<typeof Permission>;

/** The stored form: plain lists. */
export const StateFile = z.strictObject({
	landing: Landing,
	settings: z.array(Settings),
	registrations: z.array(Registration),
	filters: z.array(Filter),
	permissions: z.array(Permission),
	versions: z.number(),
});

export type State = {
	readonly landing: Landing;
	readonly settings: ReadonlyMap<string, Settings>;
	readonly registrations: ReadonlyMap<string, Registration>;
	readonly filters: ReadonlyMap<string, Filter>;
	readonly permissions: ReadonlyMap<string, Permission>;
	/** Counts the filter versions handed out, so that a name made again has another version. */
	readonly versions: number;
};

export function tableKey(ref: TableRef): string {
	return JSON.stringify([ref.account, ref.database, ref.table]);
}

export function filterKey(filter: TableRef & { readonly name: string }): string {
	return JSON.stringify([filter.account, filter.database, filter.table, filter.name]);
}

export function registrationKey(registration: Pick<Registration, 'account' | 'arn'>): string {
	return JSON.stringify([registration.account, registration.arn]);
}

export function resourceKey(resource: Resource): string {
	return JSON.stringify(Object.entries(resource).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

export function permissionKey(permission: Pick<Permission, 'principal' | 'resource'>): string {
	return `${permission.principal} ${resourceKey(permission.resource)}`;
}

export function emptyLanding(region: string): Landing {
	return { region, accounts: [], roles: [], databases: [], links: [], tables: [], views: [], workGroups: [] };
}

export function emptyState(region: string): State {
	return fromFile({
		landing: emptyLanding(region),
		settings: [],
		registrations: [],
		filters: [],
		permissions: [],
		versions: 0,
	});
}

export function fromFile(file: z.infer<typeof StateFile>): State {
	return {
		landing: file.landing,
		settings: keyed(file.settings, (settings) => settings.account),
		registrations: keyed(file.registrations, registrationKey),
		filters: keyed(file.filters, filterKey),
		permissions: keyed(file.permissions, permissionKey),
		versions: file.versions,
	};
}

export function toFile(state: State): z.infer<typeof StateFile> {
	return {
		landing: state.landing,
		settings: [...state.settings.values()],
		registrations: [...state.registrations.values()],
		filters: [...state.filters.values()],
		permissions: [...state.permissions.values()],
		versions: state.versions,
	};
}

function keyed<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, T> {
	return new Map(items.map((item) => [key(item), item]));
}

/** The map with this entry, or without it when there is no value. */
export function put<T>(map: ReadonlyMap<string, T>, key: string, value: T | undefined): ReadonlyMap<string, T> {
	const copy = new Map(map);
	if (value === undefined) copy.delete(key);
	else copy.set(key, value);
	return copy;
}
