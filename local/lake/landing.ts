/**
 * The landing zone of a lake: what a platform team has made on AWS before Fairlead comes. Derived from the
 * domains file, the contracts and the files that are there, so that none of them can say what the others do not.
 */
import path from 'node:path';
import type { Contract, ContractTable } from '#core/contract.ts';
import { owns } from '#core/domains.ts';
import type { LandingInput } from '#local/aws.ts';
import { readContracts } from './contracts.ts';
import { type Domain, readDomains } from './domains.ts';
import { filesOf, formatOf } from './files.ts';

export type LandingOptions = {
	/** Holds the data: the key of `s3://<bucket>/<key>` is a path in it. */
	readonly lakeDir: string;
	/** Holds `domains.yaml` and the folder `contracts`. */
	readonly contractsDir: string;
	readonly region: string;
	/** The account that the broker runs in. */
	readonly platformAccount: string;
};

/** Throws an error that says what to change when the files contradict each other. */
export async function landing(options: LandingOptions): Promise<LandingInput> {
	const { domains } = readDomains(path.join(options.contractsDir, 'domains.yaml'));
	const contracts = readContracts(path.join(options.contractsDir, 'contracts'));
	const broker = `arn:aws:iam::${options.platformAccount}:role/fairlead-broker`;
	const tables = contracts.flatMap(({ contract }) => tablesOf(options.lakeDir, domains, contract));
	refuseRepeated(tables);
	const databases = unique(tables.map(({ account, database }) => ({ account, name: database })));
	const consumers = domains.filter(({ principals }) => principals.length > 0);
	const accounts = unique([
		...domains.map(({ account }) => account),
		...domains.flatMap(({ catalogs }) => catalogs.map(({ account }) => account)),
	]);
	return {
		region: options.region,
		accounts: accounts.map((id) => ({
			id,
			admins: [administrator(id)],
			readOnlyAdmins: [grantor(id), ...(consumers.some((domain) => domain.account === id) ? [consumer(id)] : [])],
			createTableDefaultPermissionsCleared: true as const,
		})),
		roles: [
			...[...accounts.map(grantor), ...consumers.flatMap(({ principals }) => principals.map(({ arn }) => arn))].map(
				(arn) => ({ arn, trusts: [broker] }),
			),
			...consumers.map(({ account }) => ({ arn: consumer(account), trusts: [broker], watchesQueries: true })),
			// Who has a key of it: Fairlead is nobody's administrator.
			...accounts.map((id) => ({ arn: administrator(id), trusts: [] })),
		],
		databases: [...databases, ...consumers.map(({ account }) => ({ account, name: DEFAULT }))],
		permissions: [...databases.map(grantorPermission), ...consumers.flatMap(consumerPermissions)],
		links: [],
		tables,
		workGroups: domains.map(({ id, account }) => ({ account, name: `fairlead-${id}` })),
	};
}

/** Who administers Lake Formation in an account. */
export const administrator = (account: string) => `arn:aws:iam::${account}:role/lake-admin`;
const grantor = (account: string) => `arn:aws:iam::${account}:role/fairlead-grantor`;
const consumer = (account: string) => `arn:aws:iam::${account}:role/fairlead-consumer`;

/** Athena wants to see it before any other (Athena User Guide, lf-athena-limitations). */
const DEFAULT = 'default';

type Permissions = NonNullable<LandingInput['permissions']>;

/** What an account with shared tables has given (`infra/accounts/grantor.yaml`): what Fairlead may grant there, and no more. */
function grantorPermission({
	account,
	name,
}: {
	readonly account: string;
	readonly name: string;
}): Permissions[number] {
	const permissions = ['DESCRIBE', 'SELECT'];
	const resource = { kind: 'all-tables' as const, account, database: name };
	return { principal: grantor(account), resource, permissions, grantable: permissions };
}

/** What a consuming account has given: resource links may be made in it, and its principals may start queries. */
function consumerPermissions({ account, principals }: Domain): Permissions {
	const catalog = { kind: 'catalog' as const, account };
	const database = { kind: 'database' as const, account, database: DEFAULT };
	return [
		{ principal: consumer(account), resource: catalog, permissions: ['CREATE_DATABASE'] },
		// Without a grant option it would not see what others hold (LF developer guide, viewing-permissions).
		{ principal: consumer(account), resource: database, permissions: ['DESCRIBE'], grantable: ['DESCRIBE'] },
		...principals.map(({ arn }) => ({ principal: arn, resource: database, permissions: ['DESCRIBE'] })),
	];
}

function tablesOf(lakeDir: string, domains: readonly Domain[], contract: Contract): LandingInput['tables'] {
	const domain = domains.find(({ id }) => id === contract.domain);
	if (domain === undefined) throw new Error(`The domain of contract ${contract.product} is not in the domains file`);
	return contract.tables.map((table) => {
		if (table.view)
			throw new Error(`The contract ${contract.product} has a view, ${table.name}: a lake of files has none`);
		if (!owns(domain, table.account, table.database)) {
			const place = `database ${table.database} of account ${table.account}`;
			throw new Error(`The contract ${contract.product} is in ${place}, which its domain ${domain.id} does not have`);
		}
		const files = filesOf(lakeDir, contract, table);
		return {
			account: table.account,
			database: table.database,
			name: table.name,
			location: table.location ?? '',
			columns: columnsOf(table),
			format: formatOf(contract, files),
			files,
			registered: true,
		};
	});
}

function columnsOf(table: ContractTable): LandingInput['tables'][number]['columns'] {
	return table.columns.map(({ name, type, description }) => ({
		name,
		type,
		...(description === undefined ? {} : { comment: description }),
	}));
}

/** Consumers name tables as `database.table`, whatever account has them: the name stands for one in the whole mesh. */
function refuseRepeated(tables: LandingInput['tables']): void {
	const owners = new Map<string, string>();
	const seen = new Set<string>();
	for (const { account, database, name } of tables) {
		const owner = owners.get(database) ?? account;
		if (owner !== account) throw new Error(`Two accounts have a database ${database}: ${owner} and ${account}`);
		if (seen.has(`${database}.${name}`)) throw new Error(`Two contracts describe the table ${database}.${name}`);
		owners.set(database, owner);
		seen.add(`${database}.${name}`);
	}
}

function unique<T>(list: readonly T[]): T[] {
	return [...new Map(list.map((item) => [JSON.stringify(item), item])).values()];
}
