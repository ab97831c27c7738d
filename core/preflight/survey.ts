/**
 * Everything that can be found in a part of the mesh: tables with who holds what on them, the accounts and databases
 * they lie in, principals. What is the same for all tables of an account is asked once in a survey. Reads only.
 */
import type { Context } from '../context.ts';
import type { TableRef } from '../ledger.ts';
import type { Scope } from '../scope.ts';
import type { Finding } from './check.ts';
import {
	type AccountFacts,
	aboutAccount,
	aboutDatabase,
	aboutLocations,
	aboutPrincipal,
	aboutTable,
	type TableFacts,
} from './facts.ts';
import type { Registration } from './governance.ts';
import { isHeldBy, judgeTable, type Subject } from './judge.ts';
import {
	judgeAccount,
	judgeDatabase,
	judgePrincipal,
	questionsOfAccount,
	questionsOfDatabase,
	questionsOfPrincipal,
	questionsOfTable,
	unansweredOf,
} from './judge-rest.ts';
import { type Known, valueOr } from './known.ts';
import { accountOfRole } from './role.ts';

type Ctx = Pick<Context, 'aws' | 'config'>;

export type Survey = {
	readonly table: (
		table: TableRef,
		subjects: (facts: TableFacts) => Promise<readonly Subject[]>,
	) => Promise<{ findings: Finding[]; made: string | null; view: boolean }>;
	readonly account: (account: string) => Promise<Finding[]>;
	readonly database: (account: string, database: string) => Promise<Finding[]>;
	/** And of its account what Fairlead's role there sees. A caller that asks for several finds that once for each. */
	readonly principal: (principal: string) => Promise<Finding[]>;
};

export function survey(ctx: Ctx): Survey {
	const accounts = remembered((account): Promise<AccountFacts> => aboutAccount(ctx, account, 'grantor'));
	const consumers = remembered((account): Promise<AccountFacts> => aboutAccount(ctx, account, 'consumer'));
	const locations = remembered((account): Promise<Known<readonly Registration[]>> => aboutLocations(ctx, account));
	return {
		async table(table, subjectsOf) {
			const [facts, account] = await Promise.all([aboutTable(ctx, table, locations), accounts(table.account)]);
			const glue = valueOr(facts.glue, null);
			const admins = valueOr(account.settings, null)?.admins ?? [];
			const findings = [
				...judgeTable(facts, await subjectsOf(facts), admins),
				...unansweredOf(questionsOfTable(facts)),
			];
			return { findings, made: glue?.made ?? null, view: glue?.view === true };
		},
		async account(id) {
			const facts = await accounts(id);
			return [...judgeAccount(facts), ...unansweredOf(questionsOfAccount(facts))];
		},
		async database(account, database) {
			const facts = await aboutDatabase(ctx, account, database);
			return [...judgeDatabase(facts), ...unansweredOf(questionsOfDatabase(facts))];
		},
		async principal(arn) {
			const [facts, account] = await Promise.all([aboutPrincipal(ctx, arn, true), consumers(accountOfRole(arn))]);
			return [
				...judgePrincipal(facts, ctx.config.ownRoles),
				...judgeAccount(account),
				...unansweredOf([...questionsOfPrincipal(facts), ...questionsOfAccount(account)]),
			];
		},
	};
}

/** Those of the principals that hold something on a table, each with the scope that is recorded for it. */
export function holdersAmong(
	principals: readonly string[],
	scopeOf: (principal: string) => Promise<Scope | null>,
): (facts: TableFacts) => Promise<Subject[]> {
	return (facts) => {
		const rights = valueOr(facts.rights, []);
		const holders = principals.filter((p) => rights.some((r) => isHeldBy(r.principal, p)));
		return Promise.all(holders.map(async (principal) => ({ principal, scope: await scopeOf(principal) })));
	};
}

function remembered<T>(ask: (key: string) => Promise<T>): (key: string) => Promise<T> {
	const answers = new Map<string, Promise<T>>();
	return (key) => {
		const known = answers.get(key) ?? ask(key);
		answers.set(key, known);
		return known;
	};
}
