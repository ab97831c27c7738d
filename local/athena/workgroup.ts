/**
 * What a work group is, and what its settings make of a query: whose result location counts, how many bytes it may
 * read. Rules: Athena API reference, WorkGroupConfiguration; user guide, "workgroups-settings-override" and
 * "managed-results"; values of `primary` as measured (aws-facts section 3, "Results and workgroups").
 */
import * as z from 'zod';
import type { AwsError } from '../wire.ts';
import { invalid } from './refusal.ts';

/** A work group as the lake keeps it. */
export type WorkGroup = {
	readonly account: string;
	readonly name: string;
	readonly description: string | null;
	readonly enabled: boolean;
	/** Athena's WorkGroupConfiguration; what a landing zone leaves out of it is `LANDING_CONFIGURATION`. */
	readonly configuration: Readonly<Record<string, unknown>>;
	/** Epoch milliseconds. */
	readonly created: number;
};

/** The one work group that every account has, and that cannot be deleted. */
export const PRIMARY = 'primary';

/** "Maximum number of workgroups you can create" in a Region of an account (Athena service quotas). */
export const MOST_WORK_GROUPS = 1000;

/** The least that BytesScannedCutoffPerQuery takes: 10 MB. */
const LEAST_CUTOFF = 10_000_000;

const Location = z.strictObject({
	OutputLocation: z.string().nullish(),
	EncryptionConfiguration: z.looseObject({}).nullish(),
	ExpectedBucketOwner: z.string().nullish(),
	AclConfiguration: z.looseObject({}).nullish(),
});

/** The settings that are honoured here. Any other one that the model knows is refused instead of being ignored. */
export const Configuration = z.looseObject({
	ResultConfiguration: Location.nullish(),
	ManagedQueryResultsConfiguration: z.looseObject({ Enabled: z.boolean() }).nullish(),
	EnforceWorkGroupConfiguration: z.boolean().nullish(),
	PublishCloudWatchMetricsEnabled: z.boolean().nullish(),
	BytesScannedCutoffPerQuery: z.number().int().min(LEAST_CUTOFF).nullish(),
	RequesterPaysEnabled: z.boolean().nullish(),
	EngineVersion: z.looseObject({ SelectedEngineVersion: z.string().nullish() }).nullish(),
	EnableMinimumEncryptionConfiguration: z.boolean().nullish(),
});
export type Configuration = z.infer<typeof Configuration>;

const ENGINE = { SelectedEngineVersion: 'AUTO', EffectiveEngineVersion: 'Athena engine version 3' };
const HONOURED: ReadonlySet<string> = new Set(Object.keys(Configuration.shape));
/** [unverified] What CreateWorkGroup fills in: taken from `primary`, the only work group that was measured. */
export const CREATED_CONFIGURATION: Configuration = {
	ResultConfiguration: {},
	ManagedQueryResultsConfiguration: { Enabled: false },
	EnforceWorkGroupConfiguration: false,
	PublishCloudWatchMetricsEnabled: false,
	RequesterPaysEnabled: false,
	EnableMinimumEncryptionConfiguration: false,
};
/** A work group of the landing zone keeps its results with Athena unless it says where, and lets no client choose. */
const LANDING_CONFIGURATION: Configuration = {
	...CREATED_CONFIGURATION,
	EnforceWorkGroupConfiguration: true,
};

export function primaryOf(account: string, created: number): WorkGroup {
	const configuration: Readonly<Record<string, unknown>> = CREATED_CONFIGURATION;
	return { account, name: PRIMARY, description: null, enabled: true, configuration, created };
}

export function settingsOf(group: WorkGroup): Configuration {
	const given = Configuration.parse(group.configuration);
	const Enabled = !given.ResultConfiguration?.OutputLocation;
	return { ...LANDING_CONFIGURATION, ManagedQueryResultsConfiguration: { Enabled }, ...given };
}

export function isManaged(settings: Configuration): boolean {
	return settings.ManagedQueryResultsConfiguration?.Enabled === true;
}

/** [unverified] The text; that both cannot be is documented ("managed-results"). */
const BOTH_LOCATIONS = 'OutputLocation cannot be specified when managed query results are enabled';

/** Throws what Athena says of settings that contradict each other or are not honoured here. */
export function checkSettings(settings: Configuration): void {
	const unknown = Object.entries(settings).find(([name, value]) => !HONOURED.has(name) && isSet(value));
	if (unknown !== undefined) throw invalid(`${unknown[0]} is not supported by the embedded Athena`);
	const location = settings.ResultConfiguration?.OutputLocation;
	if (location) checkLocation(location);
	if (location && isManaged(settings)) throw invalid(BOTH_LOCATIONS);
	const engine = settings.EngineVersion?.SelectedEngineVersion ?? ENGINE.SelectedEngineVersion;
	if (!Object.values(ENGINE).includes(engine)) throw invalid(`${engine} is not supported by the embedded Athena`);
}

/** Switched off is how the embedded Athena is. */
function isSet(value: unknown): boolean {
	if (typeof value !== 'object' || value === null) return value !== undefined && value !== null && value !== false;
	return Object.values(value).some(isSet);
}

export function checkLocation(location: string): void {
	if (!/^s3:\/\/[^/]+/.test(location)) throw invalid('outputLocation is not a valid S3 path.');
}

/** Where a query's results go; null: Athena keeps them itself. */
export function outputOf(settings: Configuration, asked: string | null): string | null {
	const own = settings.ResultConfiguration?.OutputLocation || null;
	if (isManaged(settings)) {
		// [unverified] What becomes of a client's location that the work group does not override.
		if (asked !== null && !settings.EnforceWorkGroupConfiguration) throw invalid(BOTH_LOCATIONS);
		return null;
	}
	const location = settings.EnforceWorkGroupConfiguration ? own : (asked ?? own);
	if (location === null) throw noLocation();
	return location;
}

function noLocation(): AwsError {
	return invalid(
		'No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input.',
	);
}

/** GetWorkGroup's answer; a description that is empty is left out. */
export function writtenWorkGroup(group: WorkGroup, epoch: (ms: number) => number): object {
	const { ManagedQueryResultsConfiguration: managed, ...settings } = settingsOf(group);
	return {
		Name: group.name,
		State: group.enabled ? 'ENABLED' : 'DISABLED',
		...(group.description ? { Description: group.description } : {}),
		Configuration: {
			...dropEmpty(settings),
			...(managed?.Enabled ? { ManagedQueryResultsConfiguration: managed } : {}),
			EngineVersion: { ...ENGINE, ...dropEmpty(settings.EngineVersion ?? {}) },
		},
		CreationTime: epoch(group.created),
	};
}

/** ListWorkGroups's entry; a description that is empty is the empty string. */
export function listedWorkGroup(group: WorkGroup, epoch: (ms: number) => number): object {
	return {
		Name: group.name,
		State: group.enabled ? 'ENABLED' : 'DISABLED',
		Description: group.description ?? '',
		CreationTime: epoch(group.created),
		EngineVersion: ENGINE,
	};
}

function dropEmpty<T extends object>(settings: T): Partial<T> {
	return Object.fromEntries(
		Object.entries(settings).filter(([, value]) => value !== null && value !== undefined),
	) as Partial<T>;
}
