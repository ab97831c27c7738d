/**
 * Everything that preflight judges by, asked for in parallel. Reads only; what is not answered is a fact, too, and
 * one question without an answer leaves the others their own.
 */
import type { Context } from '../context.ts';
import { type Right, rightsOn, rightsOnDatabase } from '../lakeformation.ts';
import type { TableRef } from '../ledger.ts';
import { type GlueFacts, hasDatabase, tableDefaults, tableFacts } from './glue.ts';
import {
	covering,
	optedIn,
	type Registration,
	registrationsOf,
	type Settings,
	settingsOf,
	type Tags,
	tagsOf,
} from './governance.ts';
import { type Known, known, valueOr } from './known.ts';
import { accountOfRole, trusted } from './role.ts';

type Ctx = Pick<Context, 'aws' | 'config'>;

export type TableFacts = {
	readonly table: TableRef;
	readonly glue: Known<GlueFacts | null>;
	readonly rights: Known<readonly Right[]>;
	/** Of the whole account. */
	readonly registrations: Known<readonly Registration[]>;
	/** Asked for only where a registration above the table is hybrid. */
	readonly optIns: Known<readonly string[]>;
	readonly tags: Known<Tags>;
};

/** An account as one of Fairlead's roles there sees it. */
export type AccountFacts = {
	readonly account: string;
	readonly as: 'grantor' | 'consumer';
	/** The role's ARN. */
	readonly role: string;
	readonly settings: Known<Settings>;
};
export type DatabaseFacts = {
	readonly account: string;
	readonly database: string;
	readonly defaults: Known<readonly string[]>;
};

export type PrincipalFacts = {
	readonly principal: string;
	/** Who may assume it; null where there is no such role. */
	readonly trusted: Known<readonly string[] | null>;
	/** Who may see the database `default` of its account; null where there is none. Not asked for: known to be none. */
	readonly describers: Known<readonly string[] | null>;
};

/** `ask` may remember what is the same for all tables of an account. */
export async function aboutTable(
	ctx: Ctx,
	table: TableRef,
	ask: (account: string) => Promise<Known<readonly Registration[]>> = (account) => aboutLocations(ctx, account),
): Promise<TableFacts> {
	const [glue, rights, registrations, tags] = await Promise.all([
		known(() => tableFacts(ctx, table)),
		known(() => rightsOn(ctx, table)),
		ask(table.account),
		known(() => tagsOf(ctx, table)),
	]);
	const above = covering(valueOr(glue, null)?.location ?? '', valueOr(registrations, []));
	const hybrid = above.some((r) => r.hybrid);
	const optIns: Known<readonly string[]> = hybrid ? await known(() => optedIn(ctx, table)) : { value: [] };
	return { table, glue, rights, registrations, optIns, tags };
}

export function aboutLocations(ctx: Ctx, account: string): Promise<Known<readonly Registration[]>> {
	return known(() => registrationsOf(ctx, account));
}

export async function aboutAccount(ctx: Ctx, account: string, as: AccountFacts['as']): Promise<AccountFacts> {
	return { account, as, role: ctx.aws.roleIn[as](account), settings: await known(() => settingsOf(ctx, account, as)) };
}

export async function aboutDatabase(ctx: Ctx, account: string, database: string): Promise<DatabaseFacts> {
	return { account, database, defaults: await known(() => tableDefaults(ctx, account, database)) };
}

/** Whoever is on the way to a grant needs to know of the trust alone; `default` keeps nobody from anything but Athena. */
export async function aboutPrincipal(ctx: Ctx, principal: string, whole: boolean): Promise<PrincipalFacts> {
	const account = accountOfRole(principal);
	const [trust, describers] = await Promise.all([
		known(() => trusted(ctx, principal)),
		whole ? known(() => describersOf(ctx, account)) : { value: null },
	]);
	return { principal, trusted: trust, describers };
}

async function describersOf(ctx: Ctx, account: string): Promise<string[] | null> {
	if (!(await hasDatabase(ctx, account, 'default'))) return null;
	const rights = await rightsOnDatabase(ctx, { account, as: 'consumer' }, 'default');
	return rights.filter((r) => r.permissions.some((p) => p === 'DESCRIBE' || p === 'ALL')).map((r) => r.principal);
}
