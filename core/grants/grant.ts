/** A grant as its stream tells it, and as the API shows it. */
import * as z from 'zod';
import type { Context } from '../context.ts';
import { BrokerError } from '../error.ts';
import { AccountId, idOf, ProductId, RoleArn, Slug } from '../id.ts';
import * as Ledger from '../ledger.ts';
import { printRowFilter } from '../rowfilter.ts';
import { type Recalled, recall, tableKey } from '../scope.ts';
import { BreakGlassView, type Taken, takenBy, viewOfTaken } from './breakglass.ts';
import { Holder, holdersOf } from './holds.ts';
import { endOf, Notice, noticesOf } from './notices.ts';

type ReadCtx = Pick<Context, 'aws' | 'config'>;
type TableRef = Ledger.TableRef;

export const GrantState = z.enum([
	'granting',
	'granted',
	'partial',
	'failed',
	'suspending',
	'suspended',
	'expiring',
	'expired',
	'revoking',
	'revoked',
	'revoke_failed',
]);
export type GrantState = z.infer<typeof GrantState>;

export const TableScopeView = z
	.object({
		table: z.string().meta({ description: 'Name in SQL: database.table', example: 'lending.loans' }),
		columns: z.array(z.string()),
		rowFilter: z.string().nullable().meta({ description: 'Canonical text; null is all rows; `(erased)` if it was' }),
	})
	.meta({ id: 'TableScope' });

export const GrantView = z
	.object({
		id: idOf('grant'),
		request: idOf('request'),
		product: ProductId,
		contractVersion: z.string(),
		principal: RoleArn,
		consumerDomain: Slug,
		purpose: Slug,
		beneficiaries: z.array(idOf('person')),
		tables: z.array(
			TableScopeView.extend({
				account: AccountId,
				filter: z.string().nullable().meta({ description: 'The data cells filter that carries it' }),
				reason: z.string().nullable(),
				missing: Ledger.GrantStep.nullable().meta({ description: 'The step that was not done yet' }),
			}),
		),
		from: z.iso.datetime(),
		until: z.iso.datetime(),
		state: GrantState,
		heldBy: z.array(Holder).meta({
			description:
				'Who holds it back: roles in the domain of the product, each of which alone lifts its own, and `fairlead` for what it found itself, which an owner lifts',
		}),
		notices: z
			.array(Notice)
			.meta({ description: 'What became of it because the contract or a domain changed, oldest first' }),
		breakGlass: BreakGlassView.nullable().meta({ description: 'null unless it was taken in an emergency' }),
	})
	.meta({ id: 'Grant' });
export type GrantView = z.infer<typeof GrantView>;

/** One grant as folded from its stream. */
export type Grant = {
	readonly opened: Ledger.Recorded<'GrantOpened'>;
	readonly entries: readonly Ledger.Recorded[];
	/** ISO 8601: when it ends, which may be earlier than it was approved for. */
	readonly until: string;
	/** Who benefits now: whom it was opened for, without those who left it. */
	readonly beneficiaries: readonly string[];
	readonly scopes: readonly (Recalled & { readonly table: TableRef })[];
	readonly state: GrantState;
	/** Null unless it was taken in an emergency. */
	readonly breakGlass: Taken | null;
	readonly tables: readonly (TableRef & {
		filter?: string | null;
		leaf: string | null;
		reason: string | null;
		step: Ledger.GrantStep | null;
	})[];
};

export async function get(ctx: ReadCtx, id: string): Promise<Grant | null> {
	const entries = await Ledger.read(ctx, Ledger.stream.grant(id));
	const opened = Ledger.find(entries, 'GrantOpened');
	if (opened === undefined) return null;
	const beneficiaries = beneficiariesOf(opened, entries);
	const [scopes, breakGlass] = await Promise.all([scopesOf(ctx, opened, entries), takenBy(ctx, opened)]);
	return { opened, entries, until: endOf(opened, entries), beneficiaries, scopes, breakGlass, ...fold(entries) };
}

/** Those who gave up their part. */
export function leftBy(entries: readonly Ledger.Recorded[]): readonly string[] {
	return entries.flatMap(({ body }) => (body.type === 'GrantLeft' ? body.persons : []));
}

export function beneficiariesOf(
	{ body }: Ledger.Recorded<'GrantOpened'>,
	entries: readonly Ledger.Recorded[],
): readonly string[] {
	const left = new Set(leftBy(entries));
	return body.beneficiaries.filter((person) => !left.has(person));
}

/** What the grant opens: as it was opened, and as it was narrowed since. */
async function scopesOf(
	ctx: ReadCtx,
	opened: Ledger.Recorded<'GrantOpened'>,
	entries: readonly Ledger.Recorded[],
): Promise<Grant['scopes']> {
	const narrowed = entries.filter((e) => e.body.type === 'GrantNarrowed').map((e) => Ledger.as(e, 'GrantNarrowed'));
	const scopes = new Map<string, Grant['scopes'][number]>();
	for (const { body, entry } of [opened, ...narrowed]) {
		const secrets = ((await Ledger.payload(ctx, entry))?.['rowFilters'] ?? {}) as Record<string, unknown>;
		for (const { columns, rowFilter, ...table } of body.tables) {
			const key = tableKey(table);
			scopes.set(key, { table, ...recall({ columns, rowFilter }, secrets[key]) });
		}
	}
	return [...scopes.values()];
}

/** A grant's life as one table: what may follow what. A stream that says otherwise is not believed. */
export const transitions: Readonly<Record<GrantState, readonly GrantState[]>> = {
	granting: ['granted', 'partial', 'failed', 'suspending', 'revoking', 'expiring'],
	partial: ['granting', 'granted', 'partial', 'failed', 'suspending', 'revoking', 'expiring'],
	failed: ['granted', 'partial', 'failed', 'suspending', 'revoking', 'expiring'],
	granted: ['granting', 'suspending', 'revoking', 'expiring'],
	suspending: ['suspending', 'suspended', 'revoking', 'expiring'],
	suspended: ['granting', 'revoking', 'expiring'],
	revoking: ['revoked', 'revoke_failed'],
	expiring: ['expired', 'revoke_failed'],
	revoke_failed: ['revoked', 'expired', 'revoke_failed'],
	revoked: [],
	expired: [],
};

const over: ReadonlySet<GrantState> = new Set(['revoking', 'expiring', 'revoke_failed', 'revoked', 'expired']);

/** Whether it was ended, as far as that has come. */
export const isOver = ({ state }: Pick<Grant, 'state'>) => over.has(state);

/** Folds a grant's stream. Throws `record-corrupt` on a step that {@link transitions} does not know. */
function fold(entries: readonly Ledger.Recorded[]): Pick<Grant, 'state' | 'tables'> {
	let state: GrantState = 'granting';
	let tables: Grant['tables'] = [];
	for (const { body } of entries) {
		const next = after(body);
		if (next === null) continue;
		if (!transitions[state].includes(next)) {
			throw new BrokerError('record-corrupt', 'A grant took a step that does not exist.', { from: state, to: next });
		}
		state = next;
		if ('tables' in body && 'state' in body) ({ tables } = body);
	}
	return { state, tables };
}

function after(body: Ledger.Recorded['body']): GrantState | null {
	if (body.type === 'GrantSettled' || body.type === 'GrantEnded' || body.type === 'GrantSuspended') return body.state;
	if (body.type === 'GrantSuspending') return 'suspending';
	if (body.type === 'GrantResuming' || body.type === 'GrantNarrowed') return 'granting';
	if (body.type === 'GrantEnding') return body.cause === 'revoked' ? 'revoking' : 'expiring';
	return null;
}

export function viewOf(grant: Grant, now: Date): GrantView {
	const { body } = grant.opened;
	const lapsed = (grant.state === 'granted' || grant.state === 'partial') && grant.until <= now.toISOString();
	return {
		id: body.grant,
		request: body.request,
		product: body.product,
		contractVersion: body.contract.version,
		principal: body.principal,
		consumerDomain: body.consumerDomain,
		purpose: body.purpose,
		beneficiaries: [...grant.beneficiaries],
		tables: grant.scopes.map((s) => {
			const outcome = grant.tables.find((t) => tableKey(t) === tableKey(s.table));
			return {
				...scopeView(s),
				account: s.table.account,
				filter: outcome?.filter ?? null,
				reason: outcome?.reason ?? null,
				missing: outcome?.step ?? null,
			};
		}),
		from: body.from,
		until: grant.until,
		state: lapsed ? 'expiring' : grant.state,
		heldBy: holdersOf(grant.entries),
		notices: noticesOf(grant.entries),
		breakGlass: grant.breakGlass === null ? null : viewOfTaken(grant.breakGlass, now),
	};
}

export function scopeView(scope: Recalled & { readonly table: TableRef }) {
	const rows = scope.rowFilter === null ? null : printRowFilter(scope.rowFilter);
	return {
		table: `${scope.table.database}.${scope.table.table}`,
		columns: [...scope.columns],
		rowFilter: scope.readable ? rows : ERASED,
	};
}

/** What stands for a filter that was erased. */
const ERASED = '(erased)';
