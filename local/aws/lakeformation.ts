/**
 * Lake Formation: data cells filters, permissions, the settings of an account's data lake and the
 * locations it registered. Everything is kept in the store before it is answered, so a restart keeps it; the
 * landing zone made again at a start (landing.ts) only adds to settings that are there, but decides for the
 * locations of its own tables whether they are registered.
 */
import * as z from 'zod';
import { AwsError, type Caller, epoch, type Operation, type Operations, operation } from '../wire.ts';
import { filterOperations } from './filters.ts';
import { listPermissions } from './listing.ts';
import { isAdmin, serviceLinkedRole } from './lookup.ts';
import { permissionOperations } from './permissions.ts';
import { denied, invalid, notFound } from './resource.ts';
import { put, registrationKey, type Settings } from './state.ts';
import type { Store } from './store.ts';

const MOST_ADMINS = 30;
const CatalogId = z.string().nullish();
const Principals = z.array(z.object({ DataLakePrincipalIdentifier: z.string().min(1).max(255) })).nullish();
const SettingsInput = z.object({
	DataLakeAdmins: Principals,
	ReadOnlyAdmins: Principals,
	CreateDatabaseDefaultPermissions: z.array(z.object({}).loose()).nullish(),
	CreateTableDefaultPermissions: z.array(z.object({}).loose()).nullish(),
	Parameters: z.record(z.string(), z.string()).nullish(),
	TrustedResourceOwners: z.array(z.string()).nullish(),
});

export function makeLakeFormation(store: Store, clock: () => Date): Operations {
	return new Map([
		...filterOperations(store),
		...permissionOperations(store, clock),
		['ListPermissions', listPermissions(store)] as const,
		...settingsOperations(store),
		...locationOperations(store, clock),
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
					return { ...state, settings: put(state.settings, caller.account, settings) };
				});
				return {};
			}),
		],
	];
}

function mustBeOwn(caller: Caller, catalog: string | null | undefined): void {
	if (catalog && catalog !== caller.account) throw denied();
}

function noSettings(account: string): Settings {
	return readSettings(account, {});
}

function readSettings(account: string, input: z.infer<typeof SettingsInput>): Settings {
	const admins = (input.DataLakeAdmins ?? []).map((admin) => admin.DataLakePrincipalIdentifier);
	if (admins.length > MOST_ADMINS) throw invalid(`The number of data lake admins exceeds ${MOST_ADMINS}`);
	return {
		account,
		admins,
		readOnlyAdmins: (input.ReadOnlyAdmins ?? []).map((admin) => admin.DataLakePrincipalIdentifier),
		createDatabaseDefaults: input.CreateDatabaseDefaultPermissions ?? [],
		createTableDefaults: input.CreateTableDefaultPermissions ?? [],
		parameters: input.Parameters ?? {},
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

function locationOperations(store: Store, clock: () => Date): readonly (readonly [string, Operation])[] {
	const Arn = z.string().regex(/^arn:aws:s3:::[^/]+(\/.*)?$/);
	return [
		[
			'DescribeResource',
			operation(z.object({ ResourceArn: Arn }), invalid, (caller, { ResourceArn }) => {
				const found = store.read().registrations.get(registrationKey({ account: caller.account, arn: ResourceArn }));
				if (found === undefined) throw notFound('Resource not found.');
				const { arn, roleArn, modified } = found;
				return {
					ResourceInfo: {
						ResourceArn: arn,
						RoleArn: roleArn,
						LastModified: epoch(modified),
						HybridAccessEnabled: false,
					},
				};
			}),
		],
		[
			'RegisterResource',
			operation(RegisterInput.extend({ ResourceArn: Arn }), invalid, async (caller, input) => {
				if (input.HybridAccessEnabled) throw invalid('Hybrid access is not supported by the embedded Lake Formation');
				const serviceRole = input.UseServiceLinkedRole === true;
				if (serviceRole === Boolean(input.RoleArn))
					throw invalid('Exactly one of RoleArn and UseServiceLinkedRole must be given');
				const roleArn = input.RoleArn ?? serviceLinkedRole(caller.account);
				const registration = { account: caller.account, arn: input.ResourceArn, roleArn, modified: clock().getTime() };
				const key = registrationKey(registration);
				await store.change((state) => {
					if (!isAdmin(state, caller.account, caller.principal)) throw denied();
					if (state.registrations.has(key))
						throw new AwsError('AlreadyExistsException', 'Resource is already registered');
					return { ...state, registrations: put(state.registrations, key, registration) };
				});
				return {};
			}),
		],
	];
}

const RegisterInput = z.object({
	UseServiceLinkedRole: z.boolean().nullish(),
	RoleArn: z.string().nullish(),
	HybridAccessEnabled: z.boolean().nullish(),
});
