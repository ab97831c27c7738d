/**
 * From what is known of a table to findings: one rule per check, each a function of its own. Pure.
 *
 * Sources: Lake Formation Developer Guide, the pages that `check.ts` names with each check.
 */
import { isEverybody, isOurs, type Right } from '../lakeformation.ts';
import type { TableRef } from '../ledger.ts';
import { columnsOf, filterable, MAX_EXPRESSION, printRowFilter } from '../rowfilter.ts';
import type { Scope } from '../scope.ts';
import { at, type Finding, finding, type Where } from './check.ts';
import type { TableFacts } from './facts.ts';
import type { GlueFacts } from './glue.ts';
import { covering } from './governance.ts';
import { isKnown, valueOr } from './known.ts';

/** Somebody who is to be granted cells (`scope`), or of whom only what he holds is looked at (null). */
export type Subject = { readonly principal: string; readonly scope: Scope | null };

type Case = {
	readonly facts: TableFacts;
	readonly subjects: readonly Subject[];
	/** The account's data lake administrators, who may do anything by nature. */
	readonly admins: ReadonlySet<string>;
};
type Rule = (of: Case) => Finding[];

/**
 * [unverified] Lake Formation Developer Guide, partiql-support: "row filters that refer to a table that contains an
 * unsupported data type will result in an error". Whether a column that the filter does not name does that already is
 * not said (aws-facts 1, row-filter grammar). Assumed: it may, so it is told; not that it always does, so it blocks not.
 */
export const UNREFERENCED_TYPES_BREAK_FILTERS = true;

/** Lake Formation Developer Guide, data-filtering-notes. */
const MOST_FILTERS = 100;
/** While a filter is replaced, Fairlead holds two: the one that goes and the one that comes. */
const OWN_FILTERS = 2;
/** What makes a column filter ineffective; ALL is everything, SUPER_USER its name in newer catalogs. */
const writing: ReadonlySet<string> = new Set(['ALL', 'ALTER', 'DELETE', 'DROP', 'INSERT', 'SUPER_USER']);

const rules: readonly Rule[] = [
	tableGone,
	iamAllowedPrincipals,
	locationNotRegistered,
	hybridWithoutOptIn,
	lfTags,
	writer,
	hiddenPartitionKey,
	filterType,
	filterQuota,
	expressionLength,
];

export function judgeTable(facts: TableFacts, subjects: readonly Subject[], admins: readonly string[] = []): Finding[] {
	return rules.flatMap((rule) => rule({ facts, subjects, admins: new Set(admins) }));
}

const nameOf = (t: TableRef) => `${t.database}.${t.table}`;
const whereOf = (t: TableRef, principal: string | null = null): Where => ({
	...at(t.account, t.database, t.table),
	principal,
});
const named = (names: readonly string[]) => names.map((n) => `\`${n}\``).join(', ');

/** Whether what this identifier holds is held by the role: itself, or all principals of its account. */
export function isHeldBy(identifier: string, role: string): boolean {
	return identifier === role || identifier === `${role.split(':')[4] ?? ''}:IAMPrincipals`;
}

/** The subjects with a scope, where Glue has the table. */
function scopesIn({ facts, subjects }: Case): { principal: string; scope: Scope; glue: GlueFacts }[] {
	const glue = valueOr(facts.glue, null);
	return subjects.flatMap(({ principal, scope }) =>
		scope === null || glue === null ? [] : [{ principal, scope, glue }],
	);
}

function tableGone(of: Case): Finding[] {
	const { table, glue } = of.facts;
	if (isKnown(glue) && glue.value === null) {
		const found = `${nameOf(table)} is not in the Glue catalog of account ${table.account} any more, or Fairlead's grantor may not see it`;
		const fix = `Make the table again, or publish a contract without it; \`aws glue get-table --catalog-id ${table.account} --database-name ${table.database} --name ${table.table}\` as the grantor shows what Fairlead sees.`;
		return [finding('table-gone', { severity: 'blocks', where: whereOf(table), found, fix })];
	}
	return scopesIn(of).flatMap(({ principal, scope, glue: { types } }) => {
		const gone = scope.columns.filter((c) => !types.has(c));
		if (gone.length === 0) return [];
		const found = `${nameOf(table)} has no column ${named(gone)} any more`;
		const fix = 'Publish a contract that fits the table, and ask for the columns that it has.';
		return [finding('table-gone', { severity: 'blocks', where: whereOf(table, principal), found, fix })];
	});
}

function iamAllowedPrincipals({ facts: { table, rights } }: Case): Finding[] {
	const open = valueOr(rights, []).filter((r) => isEverybody(r.principal));
	const places = [...new Set(open.map((r) => r.on.kind))];
	return places.map((kind) => {
		const all = kind === 'all-tables';
		const found = `IAMAllowedPrincipals holds rights on ${all ? `all tables of ${table.database}` : nameOf(table)}`;
		const which = all ? 'TableWildcard={}' : `Name=${table.table}`;
		const fix = `Revoke them: \`aws lakeformation revoke-permissions --principal DataLakePrincipalIdentifier=IAM_ALLOWED_PRINCIPALS --resource 'Table={CatalogId=${table.account},DatabaseName=${table.database},${which}}' --permissions ALL\`.`;
		const where = all ? at(table.account, table.database) : whereOf(table);
		return finding('iam-allowed-principals', { severity: 'blocks', where, found, fix });
	});
}

function locationNotRegistered({ facts: { table, glue, registrations } }: Case): Finding[] {
	const facts = valueOr(glue, null);
	if (facts === null) return [];
	const seen = !isKnown(registrations) || covering(facts.location, registrations.value).length > 0;
	if (facts.registered && seen) return [];
	const found = facts.registered
		? `the location of ${nameOf(table)} is registered with Lake Formation, but not in account ${table.account}, so how it is governed cannot be seen`
		: `the location of ${nameOf(table)} is not registered with Lake Formation`;
	const arn = `arn:aws:s3:::${facts.location.replace(/^s3[an]?:\/\//, '').replace(/\/+$/, '')}`;
	const fix = `Register it in account ${table.account}, not in hybrid access mode: \`aws lakeformation register-resource --resource-arn ${arn} --role-arn <role that reads the data>\`.`;
	return [finding('location-not-registered', { severity: 'blocks', where: whereOf(table), found, fix })];
}

/** Which of two registrations above a table counts is not documented: one in hybrid access mode is enough to ask. */
function hybridWithoutOptIn({ facts, subjects }: Case): Finding[] {
	const { table, glue, registrations, optIns } = facts;
	const above = covering(valueOr(glue, null)?.location ?? '', valueOr(registrations, []));
	const hybrid = above.find((r) => r.hybrid);
	if (hybrid === undefined || !isKnown(optIns)) return [];
	const place = `${hybrid.arn} is registered in hybrid access mode`;
	if (subjects.length === 0) {
		const fix = `Register it for Lake Formation alone (\`aws lakeformation update-resource --resource-arn ${hybrid.arn} --no-hybrid-access-enabled --role-arn <its role>\`), or opt in each principal before it asks.`;
		return [finding('hybrid-without-opt-in', { severity: 'warns', where: whereOf(table), found: place, fix })];
	}
	const outside = subjects.filter((s) => !optIns.value.some((o) => isHeldBy(o, s.principal)));
	return outside.map(({ principal }) => {
		const found = `${place}, and ${principal} is not opted in on ${nameOf(table)}`;
		const fix = `As an administrator of Lake Formation: \`aws lakeformation create-lake-formation-opt-in --principal DataLakePrincipalIdentifier=${principal} --resource 'Table={CatalogId=${table.account},DatabaseName=${table.database},Name=${table.table}}'\`.`;
		const where = whereOf(table, principal);
		return finding('hybrid-without-opt-in', { severity: 'blocks', where, found, fix });
	});
}

function lfTags({ facts: { table, tags } }: Case): Finding[] {
	const { database, table: own, columns } = valueOr(tags, { database: [], table: [], columns: [] });
	const places = [
		...(database.length === 0 ? [] : [`the database ${table.database} (${named(database)})`]),
		...(own.length === 0 ? [] : [`the table ${nameOf(table)} (${named(own)})`]),
		...(columns.length === 0 ? [] : [`its columns ${named(columns)}`]),
	];
	if (places.length === 0) return [];
	const found = `LF-Tags are assigned to ${places.join(' and ')}`;
	const fix = `Take them away where they are assigned (\`aws lakeformation remove-lf-tags-from-resource\`), or move the table to a database that is governed by names alone; \`aws lakeformation get-resource-lf-tags --resource 'Table={CatalogId=${table.account},DatabaseName=${table.database},Name=${table.table}}'\` lists them.`;
	return [finding('lf-tags', { severity: 'blocks', where: whereOf(table), found, fix })];
}

function writer({ facts: { table, rights }, subjects, admins }: Case): Finding[] {
	const may = new Map<string, Set<string>>();
	for (const { principal, permissions } of writingRights(valueOr(rights, []))) {
		may.set(principal, new Set([...(may.get(principal) ?? []), ...permissions]));
	}
	return [...may].flatMap(([holder, permissions]) => {
		const reader = subjects.find((s) => isHeldBy(holder, s.principal));
		if (reader === undefined && admins.has(holder)) return [];
		const found = `${holder} holds ${[...permissions].toSorted().join(', ')} on ${nameOf(table)}`;
		const revoke = `\`aws lakeformation revoke-permissions --principal DataLakePrincipalIdentifier=${holder} --resource 'Table={CatalogId=${table.account},DatabaseName=${table.database},Name=${table.table}}' --permissions ${[...permissions].toSorted().join(' ')}\``;
		const fix =
			reader === undefined
				? `If it needs not write here: ${revoke} (on all tables with TableWildcard={}). Never register it as a principal.`
				: `Take the rights away: ${revoke} (on all tables with TableWildcard={}), or ask with a principal that only reads.`;
		const severity = reader === undefined ? 'warns' : 'blocks';
		return [finding('writer', { severity, where: whereOf(table, reader?.principal ?? holder), found, fix })];
	});
}

function writingRights(rights: readonly Right[]): { principal: string; permissions: string[] }[] {
	return rights
		.filter((r) => r.on.kind !== 'filter' && !isEverybody(r.principal))
		.map((r) => ({ principal: r.principal, permissions: r.permissions.filter((p) => writing.has(p)) }))
		.filter((r) => r.permissions.length > 0);
}

function hiddenPartitionKey(of: Case): Finding[] {
	const { table } = of.facts;
	return scopesIn(of).flatMap(({ principal, scope, glue }) => {
		const hidden = glue.partitionKeys.filter((k) => !scope.columns.includes(k));
		if (hidden.length === 0) return [];
		const found = `${named(hidden)} of ${nameOf(table)} partitions the table, and is not among the columns asked for`;
		const fix = `Ask for ${named(hidden)}, too: whoever sees the table sees it anyway.`;
		return [finding('hidden-partition-key', { severity: 'blocks', where: whereOf(table, principal), found, fix })];
	});
}

function filterType(of: Case): Finding[] {
	const { table } = of.facts;
	return scopesIn(of).flatMap(({ principal, scope, glue }) => {
		if (scope.rowFilter === null) return [];
		const used = new Set(columnsOf(scope.rowFilter));
		const where = whereOf(table, principal);
		const odd = [...glue.types].filter(([name, type]) => !filterable(type) && (used.has(name) || !isStruct(type)));
		const named = ([name, type]: readonly [string, string]) => `\`${name}\` (${type})`;
		const inFilter = odd.filter(([name]) => used.has(name));
		if (inFilter.length > 0) {
			const found = `the row filter compares ${inFilter.map(named).join(', ')} of ${nameOf(table)}`;
			const fix = 'Filter by columns of text, numbers and booleans only.';
			return [finding('filter-type', { severity: 'blocks', where, found, fix })];
		}
		if (odd.length === 0 || !UNREFERENCED_TYPES_BREAK_FILTERS) return [];
		const found = `${nameOf(table)} has columns of types that row filters do not support: ${odd.map(named).join(', ')}`;
		const fix = 'Look whether a query under the filter succeeds; if not, offer the table without these columns.';
		return [finding('filter-type', { severity: 'warns', where, found, fix })];
	});
}

const isStruct = (type: string) => type.startsWith('struct<');

function filterQuota({ facts: { table, rights }, subjects }: Case): Finding[] {
	return subjects.flatMap(({ principal }) => {
		const names = valueOr(rights, []).flatMap((r) =>
			r.on.kind === 'filter' && isHeldBy(r.principal, principal) && !isOurs(r.on.name) ? [r.on.name] : [],
		);
		const others = new Set(names).size;
		if (others + OWN_FILTERS <= MOST_FILTERS) return [];
		const found = `${principal} holds ${others} data filters on ${nameOf(table)} that are not Fairlead's`;
		const fix = `Revoke filters that are not needed, until at most ${MOST_FILTERS - OWN_FILTERS} are left, or ask with another principal.`;
		return [finding('filter-quota', { severity: 'blocks', where: whereOf(table, principal), found, fix })];
	});
}

function expressionLength({ facts: { table }, subjects }: Case): Finding[] {
	return subjects.flatMap(({ principal, scope }) => {
		const length = scope?.rowFilter == null ? 0 : printRowFilter(scope.rowFilter).length;
		if (length <= MAX_EXPRESSION) return [];
		const found = `the row filter on ${nameOf(table)} is printed with ${length} characters`;
		const fix = `Ask for rows that can be told in at most ${MAX_EXPRESSION} characters.`;
		return [finding('expression-length', { severity: 'blocks', where: whereOf(table, principal), found, fix })];
	});
}
