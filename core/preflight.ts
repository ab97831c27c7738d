/**
 * What must be right before a grant can mean anything: that Lake Formation alone decides on the table, that a filter can
 * hold what is asked for, and that nobody but Fairlead can be the principal.
 *
 * Promise: `demand` returns only where everything that blocks was looked at and is right; what could not be looked at is
 * not right. All of it only reads, so a crash leaves nothing, and it may be asked again at any time.
 */
import type { Context } from './context.ts';
import { BrokerError } from './error.ts';
import type { TableRef } from './ledger.ts';
import type { Check, Finding } from './preflight/check.ts';
import { aboutAccount, aboutPrincipal, aboutTable } from './preflight/facts.ts';
import { judgeTable } from './preflight/judge.ts';
import {
	judgeAccount,
	judgePrincipal,
	questionsOfAccount,
	questionsOfPrincipal,
	questionsOfTable,
	unansweredOf,
} from './preflight/judge-rest.ts';
import { valueOr } from './preflight/known.ts';
import type { Scope } from './scope.ts';

export { Check, checks, Finding, finding, Severity, severities, whys } from './preflight/check.ts';
export { UNREFERENCED_TYPES_BREAK_FILTERS } from './preflight/judge.ts';
export { holdersAmong, type Survey, survey } from './preflight/survey.ts';

type Ctx = Pick<Context, 'aws' | 'config'>;

/** What limits Lake Formation itself, as opposed to whether it governs. */
const quotas: ReadonlySet<Check> = new Set(['filter-quota', 'expression-length']);

/**
 * Throws unless this scope of the table can be granted to this principal, and can be proven there: `not-governed` or
 * `quota-exceeded` with what is in the way (`findings`), `unavailable` where that cannot be told now. Only what blocks is
 * asked for. `made` is when the table was made, as Glue tells it.
 */
export async function demand(ctx: Ctx, table: TableRef, of: Asked): Promise<{ made: string | null }> {
	const asked = demanded.get(ctx) ?? new Map<string, Promise<{ made: string | null }>>();
	demanded.set(ctx, asked);
	const key = JSON.stringify([table, of.principal, of.scope]);
	const known = asked.get(key) ?? judged(ctx, table, of);
	asked.set(key, known);
	return known;
}

type Asked = { readonly principal: string; readonly scope: Scope };

/** What was asked in one call: a decision and the grant that it opens rest on one look. */
const demanded = new WeakMap<Ctx, Map<string, Promise<{ made: string | null }>>>();

async function judged(ctx: Ctx, table: TableRef, of: Asked): Promise<{ made: string | null }> {
	const [facts, principal, account] = await Promise.all([
		aboutTable(ctx, table),
		aboutPrincipal(ctx, of.principal, false),
		aboutAccount(ctx, table.account, 'grantor'),
	]);
	const questions = [...questionsOfAccount(account), ...questionsOfTable(facts), ...questionsOfPrincipal(principal)];
	const found = [
		...judgeAccount(account),
		...judgeTable(facts, [of]),
		...judgePrincipal(principal, ctx.config.ownRoles),
	];
	const wrong = found.filter((f) => f.severity === 'blocks');
	refuse(
		'not-governed',
		wrong.filter((f) => !quotas.has(f.check)),
	);
	refuse('quota-exceeded', wrong);
	const open = unansweredOf(questions).filter((f) => f.severity === 'blocks');
	if (questions.some(({ answer }) => answer.unknown === 'unanswered')) {
		const detail = 'Whether Lake Formation governs the table cannot be told now; try again.';
		throw new BrokerError('unavailable', detail, { findings: open });
	}
	refuse('not-governed', open);
	return { made: valueOr(facts.glue, null)?.made ?? null };
}

function refuse(code: 'not-governed' | 'quota-exceeded', findings: readonly Finding[]): void {
	const [first] = findings;
	if (first === undefined) return;
	throw new BrokerError(code, `Nothing can be granted here: ${first.found}. ${first.fix}`, { findings });
}
