/**
 * The landing zone of a lake: what a platform team has made on AWS before Fairlead comes. Derived from the
 * domains file, the contracts and the files that are there, so that none of them can say what the others do not.
 */
import path from 'node:path';
import type { Contract, ContractTable } from '#core/contract.ts';
import type { Landing, LandingInput } from '#local/aws.ts';
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
	return {
		region: options.region,
		accounts: domains.map(({ account: id }) => ({
			id,
			admins: [grantor(id)],
			createTableDefaultPermissionsCleared: true as const,
		})),
		roles: domains
			.flatMap(({ account, principals }) => [grantor(account), ...principals.map(({ arn }) => arn)])
			.map((arn) => ({ arn, trusts: [broker] })),
		databases,
		links: domains
			.filter(({ principals }) => principals.length > 0)
			.flatMap(({ account }) => linksOf(account, databases)),
		tables,
		workGroups: domains.map(({ id, account }) => ({ account, name: `fairlead-${id}` })),
	};
}

const grantor = (account: string) => `arn:aws:iam::${account}:role/fairlead-grantor`;

/** A consumer finds every producer's database under its own name. */
function linksOf(account: string, databases: Landing['databases']): Landing['links'] {
	return databases
		.filter((database) => database.account !== account)
		.map(({ account: owner, name }) => ({ account, name, target: { account: owner, database: name } }));
}

function tablesOf(lakeDir: string, domains: readonly Domain[], contract: Contract): Landing['tables'] {
	const domain = domains.find(({ id }) => id === contract.domain);
	if (domain === undefined) throw new Error(`The domain of contract ${contract.product} is not in the domains file`);
	return contract.tables.map((table) => {
		if (table.view)
			throw new Error(`The contract ${contract.product} has a view, ${table.name}: a lake of files has none`);
		if (table.account !== domain.account) {
			throw new Error(
				`The contract ${contract.product} is in account ${table.account}, its domain in ${domain.account}`,
			);
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

function columnsOf(table: ContractTable): Landing['tables'][number]['columns'] {
	return table.columns.map(({ name, type, description }) => ({
		name,
		type,
		...(description === undefined ? {} : { comment: description }),
	}));
}

/** Links have the name of the database they lead to, so a name stands for one database in the whole mesh. */
function refuseRepeated(tables: Landing['tables']): void {
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
