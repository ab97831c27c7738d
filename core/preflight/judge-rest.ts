/** From what is known of accounts, databases and principals to findings; and from what is not known. Pure. */
import { isEverybody } from '../lakeformation.ts';
import { at, type Check, type Finding, finding, type Severity, type Where } from './check.ts';
import type { AccountFacts, DatabaseFacts, PrincipalFacts, TableFacts } from './facts.ts';
import { isKnown, type Known, valueOr } from './known.ts';
import { accountOfRole } from './role.ts';
import { manyOf } from './trust.ts';

/** Of a consuming account it is only asked whether Fairlead's role there sees what others hold. */
export function judgeAccount(facts: AccountFacts): Finding[] {
	return [...hiddenRights(facts), ...(facts.as === 'grantor' ? defaultPermissions(facts) : [])];
}

function hiddenRights({ account, as, role, settings }: AccountFacts): Finding[] {
	if (!isKnown(settings)) return [];
	const { admins, readOnlyAdmins } = settings.value;
	if (admins.includes(role) || readOnlyAdmins.includes(role)) return [];
	const found = `${role} is no administrator of Lake Formation in account ${account}, not even a read-only one, so it does not see everything that others hold`;
	const fix = `Make it a read-only administrator: \`aws lakeformation get-data-lake-settings\` in account ${account}, add ${role} to ReadOnlyAdmins in what it prints, and put that with \`aws lakeformation put-data-lake-settings\`.`;
	const severity = as === 'grantor' ? 'blocks' : 'warns';
	return [finding('hidden-rights', { severity, where: { ...at(account), principal: role }, found, fix })];
}

function defaultPermissions({ account, settings }: AccountFacts): Finding[] {
	if (!isKnown(settings)) return [];
	const { databaseDefaults, tableDefaults } = settings.value;
	const kinds = [
		{ kind: 'database', holders: databaseDefaults },
		{ kind: 'table', holders: tableDefaults },
	];
	return kinds.flatMap(({ kind, holders }) => {
		if (holders.length === 0) return [];
		const found = `${told(holders)} is granted rights on each new ${kind} of account ${account} by itself`;
		const fix =
			'Clear the defaults: `aws lakeformation get-data-lake-settings`, set CreateDatabaseDefaultPermissions and CreateTableDefaultPermissions to [] in what it prints, and put that with `aws lakeformation put-data-lake-settings`.';
		return [finding('default-permissions', { severity: 'warns', where: at(account), found, fix })];
	});
}

export function judgeDatabase({ account, database, defaults }: DatabaseFacts): Finding[] {
	const holders = valueOr(defaults, []);
	if (holders.length === 0) return [];
	const found = `${told(holders)} is granted rights on each new table of ${database} by itself`;
	const fix = `Clear the defaults of the database: \`aws glue update-database --catalog-id ${account} --name ${database} --database-input '{"Name":"${database}","CreateTableDefaultPermissions":[]}'\`, with what else the database has.`;
	return [finding('default-permissions', { severity: 'warns', where: at(account, database), found, fix })];
}

const told = (holders: readonly string[]) =>
	[...new Set(holders)].map((h) => (isEverybody(h) ? 'IAMAllowedPrincipals' : h)).join(', ');

/** `ownRoles` are the roles that Fairlead runs as. */
export function judgePrincipal(facts: PrincipalFacts, ownRoles: readonly string[]): Finding[] {
	return [...trustPolicy(facts, ownRoles), ...describeDefault(facts)];
}

function trustPolicy({ principal, trusted }: PrincipalFacts, ownRoles: readonly string[]): Finding[] {
	if (!isKnown(trusted)) return [];
	const account = accountOfRole(principal);
	const where = { ...at(account), principal };
	const role = principal.slice(principal.lastIndexOf('/') + 1);
	if (trusted.value === null) {
		const fix = 'Make the role (infra/accounts/principal.yaml does), or register another principal for the purpose.';
		return [finding('trust-policy', { severity: 'blocks', where, found: `there is no role ${principal}`, fix })];
	}
	const others = trusted.value.filter((id) => !ownRoles.includes(id));
	if (others.length === 0) return [];
	const severity = others.some((id) => manyOf(id) !== null) ? 'blocks' : 'warns';
	const found = `the trust policy of ${principal} admits ${others.map((id) => (id === '*' ? 'anybody' : id)).join(', ')}`;
	const fix = `Let it admit Fairlead's own roles and nobody else (infra/accounts/principal.yaml): \`aws iam update-assume-role-policy --role-name ${role} --policy-document file://trust.json\`.`;
	return [finding('trust-policy', { severity, where, found, fix })];
}

function describeDefault({ principal, describers }: PrincipalFacts): Finding[] {
	const holders = valueOr(describers, null);
	const account = accountOfRole(principal);
	if (holders === null) return [];
	if (holders.some((h) => h === principal || h === `${account}:IAMPrincipals` || isEverybody(h))) return [];
	const where: Where = { ...at(account, 'default'), principal };
	const found = `account ${account} has a database \`default\`, and ${principal} may not describe it, as far as Fairlead's role there sees`;
	const fix = `\`aws lakeformation grant-permissions --principal DataLakePrincipalIdentifier=${principal} --resource 'Database={CatalogId=${account},Name=default}' --permissions DESCRIBE\`.`;
	return [finding('describe-default', { severity: 'warns', where, found, fix })];
}

type Question = {
	readonly answer: Known<unknown>;
	readonly action: string;
	readonly as: 'grantor' | 'consumer';
	readonly where: Where;
	/** What stays open without the answer, and whether a grant may be made all the same. */
	readonly open: readonly Check[];
	readonly severity: Severity;
};

/** A finding for each question that was not answered: what is not known to be right counts as wrong. */
export function unansweredOf(questions: readonly Question[]): Finding[] {
	return questions.flatMap(({ answer, action, as, where, open, severity }) => {
		if (isKnown(answer)) return [];
		const found = `${action} ${answer.unknown === 'denied' ? 'was refused' : 'was not answered'} (${answer.error}), so these were not checked: ${open.join(', ')}`;
		const role = as === 'grantor' ? "Fairlead's grantor role" : "Fairlead's role for consuming accounts";
		const fix =
			answer.unknown === 'denied'
				? `Allow ${action} to ${role} in account ${where.account}, and let it be assumed (infra/accounts/${as}.yaml).`
				: 'Ask again; if it stays like this, look whether AWS reports the service as impaired.';
		return [finding('not-checked', { severity, where, found, fix })];
	});
}

/** Of a table that is gone, nothing else is worth asking. */
export function questionsOfTable(facts: TableFacts): Question[] {
	if (isKnown(facts.glue) && facts.glue.value === null) return [];
	const { account, database, table } = facts.table;
	const base = { as: 'grantor', where: at(account, database, table), severity: 'blocks' } as const;
	const ofTable: readonly Check[] = ['table-gone', 'location-not-registered', 'hidden-partition-key', 'filter-type'];
	const ofRights: readonly Check[] = ['iam-allowed-principals', 'writer', 'filter-quota'];
	const hybrid: readonly Check[] = ['hybrid-without-opt-in'];
	return [
		{ ...base, answer: facts.glue, action: 'glue:GetTable', open: ofTable },
		{ ...base, answer: facts.rights, action: 'lakeformation:ListPermissions', open: ofRights },
		{ ...base, answer: facts.registrations, action: 'lakeformation:ListResources', open: hybrid },
		{ ...base, answer: facts.optIns, action: 'lakeformation:ListLakeFormationOptIns', open: hybrid },
		{ ...base, answer: facts.tags, action: 'lakeformation:GetResourceLFTags', open: ['lf-tags'] },
	];
}

export function questionsOfAccount({ account, as, settings }: AccountFacts): Question[] {
	const action = 'lakeformation:GetDataLakeSettings';
	const where = at(account);
	return as === 'grantor'
		? [{ answer: settings, action, as, where, open: ['hidden-rights', 'default-permissions'], severity: 'blocks' }]
		: [{ answer: settings, action, as, where, open: ['hidden-rights'], severity: 'warns' }];
}

export function questionsOfDatabase({ account, database, defaults }: DatabaseFacts): Question[] {
	const open: readonly Check[] = ['default-permissions'];
	const where = at(account, database);
	return [{ answer: defaults, action: 'glue:GetDatabase', as: 'grantor', where, open, severity: 'warns' }];
}

export function questionsOfPrincipal({ principal, trusted, describers }: PrincipalFacts): Question[] {
	const where = { ...at(accountOfRole(principal)), principal };
	const base = { as: 'consumer', where } as const;
	return [
		{ ...base, answer: trusted, action: 'iam:GetRole', open: ['trust-policy'], severity: 'blocks' },
		{
			...base,
			answer: describers,
			action: 'glue:GetDatabase or lakeformation:ListPermissions',
			open: ['describe-default'],
			severity: 'warns',
		},
	];
}
