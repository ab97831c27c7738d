/**
 * How Lake Formation governs a table: who administers the account, what new tables start with, which locations are
 * registered and how, who opted in, which LF-Tags stand. Reads only, as the grantor role of the table's account.
 */
import {
	type DataLakePrincipal,
	GetDataLakeSettingsCommand,
	GetResourceLFTagsCommand,
	type LFTagPair,
	type PrincipalPermissions,
	paginateListLakeFormationOptIns,
	paginateListResources,
	type Resource,
} from '@aws-sdk/client-lakeformation';
import type { Context } from '../context.ts';
import { attempt } from '../lakeformation.ts';
import type { TableRef } from '../ledger.ts';

type Ctx = Pick<Context, 'aws' | 'config'>;

export type Settings = {
	readonly admins: readonly string[];
	readonly readOnlyAdmins: readonly string[];
	/** Who is granted something by itself on what is made from now on. */
	readonly databaseDefaults: readonly string[];
	readonly tableDefaults: readonly string[];
};

/** As one of Fairlead's roles there sees them. */
export async function settingsOf(ctx: Ctx, account: string, as: 'grantor' | 'consumer'): Promise<Settings> {
	const client = as === 'grantor' ? ctx.aws.lakeformation(account) : ctx.aws.consumer.lakeformation(account);
	const answer = await attempt(ctx, () => client.send(new GetDataLakeSettingsCommand({ CatalogId: account })));
	const settings = answer.DataLakeSettings;
	return {
		admins: (settings?.DataLakeAdmins ?? []).map(nameOf),
		readOnlyAdmins: (settings?.ReadOnlyAdmins ?? []).map(nameOf),
		databaseDefaults: grantees(settings?.CreateDatabaseDefaultPermissions),
		tableDefaults: grantees(settings?.CreateTableDefaultPermissions),
	};
}

function grantees(defaults: readonly PrincipalPermissions[] | undefined): string[] {
	return (defaults ?? []).filter((d) => (d.Permissions ?? []).length > 0).map((d) => nameOf(d.Principal));
}

const nameOf = (principal: DataLakePrincipal | undefined) => principal?.DataLakePrincipalIdentifier ?? '';

/** A registered location; `hybrid`: Lake Formation decides there only for who opted in. */
export type Registration = { readonly arn: string; readonly hybrid: boolean };

/** At most 10,000 in an account (AWS General Reference, Lake Formation quotas). */
export async function registrationsOf(ctx: Ctx, account: string): Promise<Registration[]> {
	return attempt(ctx, async () => {
		const found: Registration[] = [];
		for await (const page of paginateListResources({ client: ctx.aws.lakeformation(account) }, {})) {
			for (const r of page.ResourceInfoList ?? []) {
				found.push({ arn: r.ResourceArn ?? '', hybrid: r.HybridAccessEnabled === true });
			}
		}
		return found;
	});
}

/** Those of the registrations under which a location (`s3://bucket/key`) lies. */
export function covering(location: string, registrations: readonly Registration[]): Registration[] {
	const path = pathOf(location);
	return registrations.filter(({ arn }) => path.startsWith(pathOf(arn)));
}

/** `bucket/key/`, of an address or of an ARN in any partition. */
function pathOf(text: string): string {
	return `${text.replace(/^(?:s3[an]?:\/\/|arn:[^:]*:s3:::)/, '').replace(/\/+$/, '')}/`;
}

/**
 * The principals that were opted in on the table or on its whole database.
 *
 * [unverified] That a read-only administrator may list opt-ins (aws-facts 2, hybrid access). Where he may not, a hybrid
 * location is `not-checked` and blocks.
 */
export async function optedIn(ctx: Ctx, { account, database, table }: TableRef): Promise<string[]> {
	const resources: Resource[] = [
		{ Table: { CatalogId: account, DatabaseName: database, Name: table } },
		{ Database: { CatalogId: account, Name: database } },
	];
	const client = ctx.aws.lakeformation(account);
	const lists = resources.map((resource) =>
		attempt(ctx, async () => {
			const found: string[] = [];
			for await (const page of paginateListLakeFormationOptIns({ client }, { Resource: resource })) {
				// One with a condition may hold for some sessions only: it is not counted.
				const all = (page.LakeFormationOptInsInfoList ?? []).filter((o) => o.Condition === undefined);
				found.push(...all.map((o) => nameOf(o.Principal)));
			}
			return found;
		}),
	);
	return (await Promise.all(lists)).flat();
}

/** Where LF-Tags stand, by key; values are nobody's business here. */
export type Tags = {
	readonly database: readonly string[];
	readonly table: readonly string[];
	readonly columns: readonly string[];
};

/**
 * [unverified] That tags are shown, inherited ones among them, where ShowAssignedLFTags is left out: the model says of it
 * no more than its name (aws-facts 2, tags).
 */
export async function tagsOf(ctx: Ctx, { account, database, table }: TableRef): Promise<Tags> {
	const answer = await attempt(ctx, () =>
		ctx.aws.lakeformation(account).send(
			new GetResourceLFTagsCommand({
				CatalogId: account,
				Resource: { Table: { CatalogId: account, DatabaseName: database, Name: table } },
			}),
		),
	);
	const columns = (answer.LFTagsOnColumns ?? []).filter((c) => (c.LFTags ?? []).length > 0);
	return {
		database: keysOf(answer.LFTagOnDatabase),
		table: keysOf(answer.LFTagsOnTable),
		columns: columns.map((c) => c.Name ?? ''),
	};
}

const keysOf = (tags: readonly LFTagPair[] | undefined) => (tags ?? []).map((t) => t.TagKey ?? '');
