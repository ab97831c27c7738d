/**
 * Lake Formation: data cells filters, permissions, opt-ins, LF-Tags, the settings of an account's data lake and the
 * locations that it registered. Everything is kept in the store before it is answered, so a restart keeps it; the
 * landing zone made again at a start (landing.ts) leaves what was changed since.
 */
import * as z from 'zod';
import { accountOf, type Caller, type Operation, type Operations, operation } from '../wire.ts';
import { filterOperations } from './filters.ts';
import { listPermissions } from './listing.ts';
import { locationOperations } from './locations.ts';
import { EVERYBODY, isAdmin } from './lookup.ts';
import { optInOperations } from './optins.ts';
import { permissionsForPath } from './paths.ts';
import { DefaultsInput, mustBePrincipal, permissionOperations, UNCLEARED } from './permissions.ts';
import { denied, invalid } from './resource.ts';
import { put, type Settings, type State } from './state.ts';
import type { Store } from './store.ts';
import { tagOperations } from './tags.ts';

/** GR/lake-formation. */
const MOST_ADMINS = 30;
const CatalogId = z.string().nullish();
const Principals = z.array(z.object({ DataLakePrincipalIdentifier: z.string().min(1).max(255) })).nullish();
const SettingsInput = z.object({
	DataLakeAdmins: Principals,
	ReadOnlyAdmins: Principals,
	CreateDatabaseDefaultPermissions: DefaultsInput.nullish(),
	CreateTableDefaultPermissions: DefaultsInput.nullish(),
	Parameters: z
		.object({ CROSS_ACCOUNT_VERSION: z.enum(['1', '2', '3', '4', '5']).optional() })
		.catchall(z.string())
		.nullish(),
	TrustedResourceOwners: z.array(z.string()).nullish(),
});

export function makeLakeFormation(store: Store, clock: () => Date): Operations {
	return new Map([
		...filterOperations(store),
		...permissionOperations(store, clock),
		['ListPermissions', listPermissions(store)] as const,
		...settingsOperations(store),
		...locationOperations(store, clock),
		...optInOperations(store, clock),
		...tagOperations(store, clock),
		['GetEffectivePermissionsForPath', permissionsForPath(store)] as const,
	]);
}

function settingsOperations(store: Store): readonly (readonly [string, Operation])[] {
	return [
		[
			'GetDataLakeSettings',
			operation(z.object({ CatalogId }), invalid, (caller, input) => {
				mustBeOwn(caller, input.CatalogId);
				const settings = store.read().settings.get(caller.account);
				return { DataLakeSettings: writtenSettings(settings ?? noSettings(caller.account)) };
			}),
		],
		[
			'PutDataLakeSettings',
			operation(z.object({ CatalogId, DataLakeSettings: SettingsInput }), invalid, async (caller, input) => {
				mustBeOwn(caller, input.CatalogId);
				const settings = readSettings(caller.account, input.DataLakeSettings);
				await store.change((state) => {
					if (!isAdmin(state, caller.account, caller.principal)) throw denied();
					for (const admin of [...settings.admins, ...settings.readOnlyAdmins]) mustBeOwnRole(state, caller, admin);
					return { ...state, settings: put(state.settings, caller.account, settings) };
				});
				return {};
			}),
		],
	];
}

/** An administrator is a role that IAM knows, of the account itself. */
function mustBeOwnRole(state: State, caller: Caller, admin: string): void {
	if (admin === EVERYBODY || accountOf(admin) !== caller.account) throw invalid('Invalid principal');
	mustBePrincipal(state, admin);
}

function mustBeOwn(caller: Caller, catalog: string | null | undefined): void {
	if (catalog && catalog !== caller.account) throw denied();
}

function noSettings(account: string): Settings {
	const defaults = { CreateDatabaseDefaultPermissions: UNCLEARED, CreateTableDefaultPermissions: UNCLEARED };
	return readSettings(account, defaults);
}

function readSettings(account: string, input: z.infer<typeof SettingsInput>): Settings {
	const admins = (input.DataLakeAdmins ?? []).map((admin) => admin.DataLakePrincipalIdentifier);
	const readOnlyAdmins = (input.ReadOnlyAdmins ?? []).map((admin) => admin.DataLakePrincipalIdentifier);
	if (Math.max(admins.length, readOnlyAdmins.length) > MOST_ADMINS)
		throw invalid(`The number of data lake admins exceeds ${MOST_ADMINS}`);
	return {
		account,
		admins,
		readOnlyAdmins,
		createDatabaseDefaults: input.CreateDatabaseDefaultPermissions ?? [],
		createTableDefaults: input.CreateTableDefaultPermissions ?? [],
		parameters: Object.fromEntries(
			Object.entries(input.Parameters ?? {}).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
		),
		trustedResourceOwners: input.TrustedResourceOwners ?? [],
	};
}

const principal = (arn: string) => ({ DataLakePrincipalIdentifier: arn });

function writtenSettings(settings: Settings) {
	return {
		DataLakeAdmins: settings.admins.map(principal),
		ReadOnlyAdmins: settings.readOnlyAdmins.map(principal),
		CreateDatabaseDefaultPermissions: settings.createDatabaseDefaults,
		CreateTableDefaultPermissions: settings.createTableDefaults,
		Parameters: settings.parameters,
		TrustedResourceOwners: settings.trustedResourceOwners,
		AllowExternalDataFiltering: false,
		ExternalDataFilteringAllowList: [],
	};
}
