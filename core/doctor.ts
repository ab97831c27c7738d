/**
 * The doctor: whatever keeps grants from meaning what was approved, looked for over every published table, every
 * registered principal and the accounts they lie in; and what the last reconciliation left unmended.
 *
 * Promise: it reads and changes nothing, in AWS or in the ledger; what could not be looked at is among the findings.
 */
import * as z from 'zod';
import type { Context } from './context.ts';
import { domainOf, type Part, partOf, type Selection } from './doctor/part.ts';
import { BrokerError } from './error.ts';
import * as Grants from './grants.ts';
import * as Ledger from './ledger.ts';
import { authorize, Entity, may } from './policy.ts';
import { checks, Finding, finding, holdersAmong, type Survey, survey } from './preflight.ts';
import * as Reconcile from './reconcile.ts';
import { tableKey } from './scope.ts';

const Drift = z
	.object({
		account: z.string(),
		database: z.string(),
		table: z.string(),
		kind: Ledger.DriftKind,
		principal: z.string().nullable(),
		filter: z.string().nullable(),
		permissions: z.array(z.string()),
		recordedAt: z.iso.datetime(),
		leaf: Ledger.Hash.meta({ description: 'Ledger entry that records it' }),
	})
	.meta({ id: 'OpenDrift' });
type Drift = z.infer<typeof Drift>;

export const Examination = z
	.object({
		checkedAt: z.iso.datetime(),
		examined: z.object({ products: z.int(), tables: z.int(), principals: z.int(), accounts: z.int() }),
		counts: z.object({ blocks: z.int(), warns: z.int(), drift: z.int() }),
		findings: z.array(Finding).meta({ description: 'Those that block first, then in the order of the checks' }),
		drift: z
			.array(Drift)
			.meta({ description: 'How Lake Formation differed at the last reconciliation, as far as it was not mended' }),
	})
	.meta({ id: 'Examination' });
export type Examination = z.infer<typeof Examination>;

/** Tables, and principals, that are looked at at a time: the accounts behind them serve others, too. */
const AT_A_TIME = 4;

/** Throws `not-permitted` for who may not look there, and `not-found` for a domain or product that is not there. */
export async function examine(ctx: Context, selection: Selection): Promise<Examination> {
	demandRight(ctx, domainOf(selection));
	const part = await partOf(ctx, selection);
	const look = survey(ctx);
	const places = [...new Map(part.tables.map((t) => [`${t.account}.${t.database}`, t])).values()];
	const accounts = [...new Set(part.tables.map((t) => t.account))];
	const tables = await inTurn(part.tables, (table) => ofTable(ctx, look, table, part.registered));
	const rest = [
		...(await inTurn(accounts, (account) => look.account(account))),
		...(await inTurn(places, (t) => look.database(t.account, t.database))),
		...(await inTurn(part.principals, (arn) => look.principal(arn))),
	].flat();
	const findings = sorted([...tables.flatMap((t) => t.findings), ...rest, ...unreadable(part)]);
	const drift = tables.flatMap((t) => t.drift);
	const counted = (severity: Finding['severity']) => findings.filter((f) => f.severity === severity).length;
	return {
		checkedAt: ctx.now.toISOString(),
		examined: {
			products: part.products.length,
			tables: part.tables.length,
			principals: part.principals.length,
			accounts: accounts.length,
		},
		counts: { blocks: counted('blocks'), warns: counted('warns'), drift: drift.length },
		findings,
		drift,
	};
}

/** Who may examine the mesh may examine each part of it; others their own domain, if any. */
function demandRight(ctx: Context, domain: string | undefined): void {
	const mesh = Entity.mesh(ctx.config.governance);
	if (may(ctx, 'examine', mesh)) return;
	if (domain !== undefined && may(ctx, 'examine', Entity.domain(domain))) return;
	try {
		authorize(ctx, 'examine', domain === undefined ? mesh : Entity.domain(domain));
	} catch (error) {
		if (!(error instanceof BrokerError) || error.code !== 'not-permitted') throw error;
		const detail =
			'You may not examine this. Policy governance-examines permits it to operators and stewards of the governance domain, policy owners-examine to an owner for his own `domain`.';
		throw new BrokerError('not-permitted', detail, error.extensions);
	}
}

async function ofTable(
	ctx: Context,
	look: Survey,
	table: Ledger.TableRef,
	registered: readonly string[],
): Promise<{ findings: Finding[]; drift: Drift[] }> {
	const scopeOf = async (principal: string) => {
		const standing = await Ledger.readable(() => Grants.standing(ctx, principal, table));
		return standing?.desired?.scope ?? null;
	};
	const [{ findings, view }, drift] = await Promise.all([
		look.table(table, holdersAmong(registered, scopeOf)),
		driftOf(ctx, table),
	]);
	// Nothing is granted on a view: what it reads is examined where that is published.
	return { findings: view ? [] : findings, drift };
}

async function driftOf(ctx: Context, table: Ledger.TableRef): Promise<Drift[]> {
	const last = await Ledger.readable(() => Reconcile.lastOf(ctx, table));
	if (last === null) return [];
	const { entry, leaf } = last.recorded;
	return last.open.map(({ kind, principal, filter, permissions }) => ({
		...table,
		kind,
		principal,
		filter,
		permissions: [...permissions],
		recordedAt: entry.at,
		leaf,
	}));
}

function unreadable({ unreadable: lost }: Part): Finding[] {
	return lost.map(({ what, account }) => {
		const where = { account, database: null, table: null, principal: null };
		const found = `the ledger's last entry on ${what} cannot be read, so nothing of it was checked`;
		const fix = 'Have the ledger verified: `GET /api/v1/ledger/verification` names the first bad entry of each stream.';
		return finding('not-checked', { severity: 'blocks', where, found, fix });
	});
}

/** Each once, what blocks first. */
function sorted(findings: readonly Finding[]): Finding[] {
	const once = [...new Map(findings.map((f) => [JSON.stringify(f), f])).values()];
	const rank = (f: Finding) => [f.severity === 'blocks' ? 0 : 1, checks.indexOf(f.check)] as const;
	const place = ({ where: w }: Finding) =>
		`${tableKey({ account: w.account, database: w.database ?? '', table: w.table ?? '' })} ${w.principal ?? ''}`;
	return once.toSorted((a, b) => {
		const [[aSeverity, aCheck], [bSeverity, bCheck]] = [rank(a), rank(b)];
		return aSeverity - bSeverity || aCheck - bCheck || (place(a) < place(b) ? -1 : 1);
	});
}

/** In the order given, a few at a time. */
async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
	const done: R[] = [];
	const queue = items.entries();
	const worker = async () => {
		for (const [i, item] of queue) done[i] = await work(item);
	};
	await Promise.all(Array.from({ length: AT_A_TIME }, worker));
	return done;
}
