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

export const TableRef = z.strictObject({ account: z.string(), database: z.string(), table: z.string() });
export type TableRef = z.infer<typeof TableRef>;

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
	z.strictObject({ kind: z.literal('tag'), account: z.string(), key: z.string(), values: z.array(z.string()) }),
	/** Whatever carries one of the values of every key. */
	z.strictObject({
		kind: z.literal('tag-policy'),
		account: z.string(),
		on: z.enum(['DATABASE', 'TABLE']),
		expression: z.array(z.strictObject({ key: z.string(), values: z.array(z.string()) })),
	}),
]);
export type Resource = z.infer<typeof Resource>;

/** When the landing zone says that everything in it was made. */
export const MADE = Date.UTC(2026, 0, 1);

/** What a platform team's landing zone has made before Fairlead comes. */
export const Landing = z.strictObject({
	region: z.string(),
	/** `admins`: ARNs of the Lake Formation data lake administrators' roles. */
	accounts: z.array(
		z.strictObject({
			id: z.string(),
			admins: z.array(z.string()),
			readOnlyAdmins: z.array(z.string()).default([]),
			/** False: new databases and tables are granted to IAM_ALLOWED_PRINCIPALS, as in an account that nobody touched. */
			createTableDefaultPermissionsCleared: z.boolean(),
		}),
	),
	/** `trusts`: ARNs that may assume the role. */
	roles: z.array(
		z.strictObject({
			arn: z.string(),
			trusts: z.array(z.string()),
			/** The trust policy as IAM was given it; in place of `trusts`. */
			document: z.string().optional(),
			/** Its IAM policy lets it see the executions of every work group of its account, not their results. */
			watchesQueries: z.boolean().optional(),
			created: z.number().default(MADE),
		}),
	),
	databases: z.array(
		z.strictObject({
			account: z.string(),
			name: z.string(),
			location: z.string().nullable().default(null),
			/** What new tables in it are granted by themselves, as Glue's CreateTableDefaultPermissions. */
			tableDefaults: z.array(z.unknown()).default([]),
			description: z.string().optional(),
			parameters: z.record(z.string(), z.string()).default({}),
			/** Epoch milliseconds. */
			created: z.number().default(MADE),
		}),
	),
	/** Database resource links. */
	links: z.array(
		z.strictObject({
			account: z.string(),
			name: z.string(),
			target: z.strictObject({ account: z.string(), database: z.string() }),
			description: z.string().optional(),
			parameters: z.record(z.string(), z.string()).default({}),
			created: z.number().default(MADE),
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
			/** Also in `columns`, after the others: their values stand in the partitions, not in the files. */
			partitionKeys: z.array(z.string()).default([]),
			/** In place of `files`, where there are partition keys; values in the order of the keys. */
			partitions: z
				.array(
					z.strictObject({
						values: z.array(z.string()),
						location: z.string(),
						files: z.array(z.string()),
						created: z.number().optional(),
					}),
				)
				.default([]),
			parameters: z.record(z.string(), z.string()).default({}),
			description: z.string().optional(),
			/** Epoch milliseconds: a table that is dropped and made again has another one. */
			created: z.number().default(MADE),
			/** How often it was updated, and when last. */
			version: z.number().optional(),
			updated: z.number().optional(),
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
				created: z.number().default(MADE),
			}),
		)
		.default([]),
	workGroups: z.array(
		z.strictObject({
			account: z.string(),
			name: z.string(),
			description: z.string().nullable().default(null),
			enabled: z.boolean().default(true),
			/** Athena's WorkGroupConfiguration as it was given; what it leaves out is the embedded Athena's default. */
			configuration: z.record(z.string(), z.json()).default({}),
			created: z.number().default(MADE),
		}),
	),
	/** Granted once, when the landing zone first names it: what is revoked since does not come back. */
	permissions: z
		.array(
			z.strictObject({
				principal: z.string(),
				resource: Resource,
				permissions: z.array(z.string()),
				grantable: z.array(z.string()).default([]),
			}),
		)
		.default([]),
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
	/** Governed only for principals that opted in; IAM decides for the others. */
	hybrid: z.boolean().default(false),
});
export type Registration = z.infer<typeof Registration>;

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

const Permission = z.strictObject({
	principal: z.string(),
	resource: Resource,
	permissions: z.array(z.string()),
	grantable: z.array(z.string()),
	updated: z.number(),
	updatedBy: z.string(),
});
export type Permission = z.infer<typeof Permission>;

/** A principal for whom Lake Formation decides on a resource of a hybrid location. */
const OptIn = z.strictObject({ principal: z.string(), resource: Resource, updated: z.number(), updatedBy: z.string() });
export type OptIn = z.infer<typeof OptIn>;

/** An LF-Tag with its possible values, and where it is assigned. */
const Tag = z.strictObject({
	account: z.string(),
	key: z.string(),
	values: z.array(z.string()),
	assigned: z.array(z.strictObject({ resource: Resource, value: z.string() })),
});
export type Tag = z.infer<typeof Tag>;

/** The stored form: plain lists. */
export const StateFile = z.strictObject({
	landing: Landing,
	settings: z.array(Settings),
	registrations: z.array(Registration),
	filters: z.array(Filter),
	permissions: z.array(Permission),
	optIns: z.array(OptIn).default([]),
	tags: z.array(Tag).default([]),
	objects: z
		.array(z.strictObject({ account: z.string().default(''), location: z.string(), files: z.array(z.string()) }))
		.default([]),
	landed: Landing.optional(),
	versions: z.number(),
});

/** Files of a dropped table, for the account whose catalog had it. */
export type Kept = { readonly account: string; readonly location: string; readonly files: readonly string[] };

export type State = {
	readonly landing: Landing;
	readonly settings: ReadonlyMap<string, Settings>;
	readonly registrations: ReadonlyMap<string, Registration>;
	readonly filters: ReadonlyMap<string, Filter>;
	readonly permissions: ReadonlyMap<string, Permission>;
	readonly optIns: ReadonlyMap<string, OptIn>;
	readonly tags: ReadonlyMap<string, Tag>;
	/** The files behind locations whose tables were dropped: what lies in S3 outlives the catalog's entries. */
	readonly objects: ReadonlyMap<string, Kept>;
	/** Each entry of a landing zone as it was last provisioned; what differs from it was changed since. */
	readonly landed: Landing;
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

export function tagKey(tag: Pick<Tag, 'account' | 'key'>): string {
	return JSON.stringify([tag.account, tag.key]);
}

export function keptKey(kept: Pick<Kept, 'account' | 'location'>): string {
	return JSON.stringify([kept.account, kept.location]);
}

export function emptyLanding(region: string): Landing {
	return {
		region,
		accounts: [],
		roles: [],
		databases: [],
		links: [],
		tables: [],
		views: [],
		workGroups: [],
		permissions: [],
	};
}

export function emptyState(region: string): State {
	return fromFile({
		landing: emptyLanding(region),
		settings: [],
		registrations: [],
		filters: [],
		permissions: [],
		optIns: [],
		tags: [],
		objects: [],
		landed: emptyLanding(region),
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
		optIns: keyed(file.optIns, permissionKey),
		tags: keyed(file.tags, tagKey),
		objects: keyed(file.objects, keptKey),
		landed: file.landed ?? emptyLanding(file.landing.region),
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
		optIns: [...state.optIns.values()],
		tags: [...state.tags.values()],
		objects: [...state.objects.values()].map((kept) => ({ ...kept, files: [...kept.files] })),
		landed: state.landed,
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
