/**
 * The record of drift: one stream per table, an entry only when something is new to say. What is found is recorded
 * before it is mended, what became of it afterwards; a crash in between leaves it told as not mended.
 *
 * A grantee that is no role (a user, somebody of a directory) may be named after a person, and a filter that Fairlead did
 * not name after anything, so they stand in the payload.
 */
import { actorOf, type Context } from '../context.ts';
import { BrokerError } from '../error.ts';
import { isEverybody, isOurs } from '../lakeformation.ts';
import * as Ledger from '../ledger.ts';

type TableRef = Ledger.TableRef;
type Drift = Ledger.Recorded<'DriftRecorded'>;
export type Finding = Ledger.BodyOf<'DriftRecorded'>['findings'][number];
export type DriftKind = Finding['kind'];

/** What fits an entry, whatever the names are. */
export const MOST_FINDINGS = 100;

/** What was last recorded of a table; `open` is what was not mended then. Null when nothing ever was. */
export type Last = { readonly recorded: Drift; readonly all: readonly Finding[]; readonly open: readonly Finding[] };

export async function lastOf(ctx: Pick<Context, 'aws' | 'config'>, table: TableRef): Promise<Last | null> {
	const recorded = await Ledger.last(ctx, Ledger.stream.table(table), 'DriftRecorded');
	if (recorded === null) return null;
	const hidden = ((await Ledger.payload(ctx, recorded.entry))?.['findings'] ?? {}) as Record<string, Named>;
	const all = recorded.body.findings.map((f, i) => ({ ...f, ...hidden[String(i)] }));
	return { recorded, all, open: all.filter((f) => f.outcome === 'alerted') };
}

/**
 * Records these findings, at most {@link MOST_FINDINGS}, unless `last` says the same. Entries need no order but their
 * own, so whoever loses a race goes on from what the other one recorded. Throws `conflict` for a second race lost.
 */
export async function record(
	ctx: Context,
	table: TableRef,
	last: Last | null,
	told: readonly Finding[],
): Promise<Last | null> {
	if (last !== null && same(last.open, told)) return last;
	try {
		await append(ctx, table, last, told);
	} catch (error) {
		if (!(error instanceof BrokerError) || error.code !== 'conflict') throw error;
		const now = await lastOf(ctx, table);
		if (now !== null && (same(now.open, told) || same(now.all, told))) return now;
		await append(ctx, table, now, told);
	}
	return lastOf(ctx, table);
}

async function append(ctx: Context, table: TableRef, last: Last | null, told: readonly Finding[]): Promise<void> {
	const names = told.map(
		({ principal, filter }): Partial<Named> => ({
			...(principal === null || isRole(principal) ? {} : { principal }),
			...(filter === null || isOurs(filter) ? {} : { filter }),
		}),
	);
	const hidden = Object.fromEntries(
		names.flatMap((n, i) => (Object.keys(n).length === 0 ? [] : [[String(i), n] as const])),
	);
	const findings = told.map(({ permissions, ...f }, i) => ({
		...f,
		permissions: [...permissions],
		...blank(names[i]),
	}));
	await Ledger.append(ctx, {
		stream: Ledger.stream.table(table),
		after: last?.recorded ?? null,
		actor: actorOf(ctx),
		body: { type: 'DriftRecorded', table, findings },
		...(Object.keys(hidden).length === 0 ? {} : { pii: { findings: hidden } }),
	});
}

type Named = { readonly principal: string; readonly filter: string };
const blank = (named: Partial<Named> = {}) => Object.fromEntries(Object.keys(named).map((key) => [key, null]));

/** Names that are given to what people share, not to a person. */
function isRole(principal: string): boolean {
	return /^arn:aws[a-z-]*:iam::[0-9]{12}:role\//.test(principal) || standsForMany(principal);
}

/** A grantee that is no one principal: whoever IAM allows, or whoever an account says. */
function standsForMany(grantee: string): boolean {
	return isEverybody(grantee) || /^[0-9]{12}(:IAMPrincipals)?$/.test(grantee);
}

const same = (a: readonly Finding[], b: readonly Finding[]) =>
	JSON.stringify(a.map(comparable)) === JSON.stringify(b.map(comparable));
const comparable = (f: Finding) => [f.kind, f.principal, f.filter, f.permissions, f.outcome];

/** Whether Lake Formation is as recorded, as far as the last look at these tables told; of one principal, if given. */
export type Health = 'healthy' | 'drifted' | 'unknown';

export async function health(
	ctx: Pick<Context, 'aws' | 'config'>,
	tables: readonly TableRef[],
	principal?: string,
): Promise<Health> {
	const each = await Promise.all(tables.map((table) => Ledger.readable(() => lastOf(ctx, table))));
	const concerns = ({ principal: of }: Finding) =>
		principal === undefined || of === null || of === principal || standsForMany(of);
	if (each.some((last) => last?.open.some(concerns) === true)) return 'drifted';
	return each.includes(null) || each.length === 0 ? 'unknown' : 'healthy';
}
