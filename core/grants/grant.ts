/** A grant as its stream tells it, and as the API shows it. */
import * as z from 'zod';
import type { Context } from '../context.ts';
import { BrokerError } from '../error.ts';
import { AccountId, idOf, ProductId, RoleArn, Slug } from '../id.ts';
import * as Ledger from '../ledger.ts';
import { printRowFilter } from '../rowfilter.ts';
import { type Recalled, recall, tableKey } from '../scope.ts';

type ReadCtx = Pick<Context, 'aws' | 'config'>;
type TableRef = Ledger.TableRef;

export const GrantState = z.enum([
	'granting',
	'granted',
	'partial',
	'failed',
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
			}),
		),
		from: z.iso.datetime(),
		until: z.iso.datetime(),
		state: GrantState,
	})
	.meta({ id: 'Grant' });
export type GrantView = z.infer<typeof GrantView>;

/** One grant as folded from its stream. */
export type Grant = {
	readonly opened: Ledger.Recorded<'GrantOpened'>;
	readonly entries: readonly Ledger.Recorded[];
	readonly scopes: readonly (Recalled & { readonly table: TableRef })[];
	readonly state: GrantState;
	readonly tables: readonly (TableRef & { filter?: string | null; reason: string | null })[];
};

export async function get(ctx: ReadCtx, id: string): Promise<Grant | null> {
	const entries = await Ledger.read(ctx, Ledger.stream.grant(id));
	const opened = Ledger.find(entries, 'GrantOpened');
	if (opened === undefined) return null;
	const secrets = ((await Ledger.payload(ctx, opened.entry))?.['rowFilters'] ?? {}) as Record<string, unknown>;
	const scopes = opened.body.tables.map(({ columns, rowFilter, ...table }) => ({
		table,
		...recall({ columns, rowFilter }, secrets[tableKey(table)]),
	}));
	return { opened, entries, scopes, ...fold(entries) };
}

/** A grant's life as one table: what may follow what. A stream that says otherwise is not believed. */
export const transitions: Readonly<Record<GrantState, readonly GrantState[]>> = {
	granting: ['granted', 'partial', 'failed', 'revoking', 'expiring'],
	partial: ['granted', 'partial', 'failed', 'revoking', 'expiring'],
	failed: ['granted', 'partial', 'failed', 'revoking', 'expiring'],
	granted: ['revoking', 'expiring'],
	revoking: ['revoked', 'revoke_failed'],
	expiring: ['expired', 'revoke_failed'],
	revoke_failed: ['revoked', 'expired', 'revoke_failed'],
	revoked: [],
	expired: [],
};

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
		if (body.type === 'GrantSettled' || body.type === 'GrantEnded') ({ tables } = body);
	}
	return { state, tables };
}

function after(body: Ledger.Recorded['body']): GrantState | null {
	if (body.type === 'GrantSettled' || body.type === 'GrantEnded') return body.state;
	if (body.type === 'GrantEnding') return body.cause === 'revoked' ? 'revoking' : 'expiring';
	return null;
}

export function viewOf(grant: Grant, now: Date): GrantView {
	const { body } = grant.opened;
	const lapsed = (grant.state === 'granted' || grant.state === 'partial') && body.until <= now.toISOString();
	return {
		id: body.grant,
		request: body.request,
		product: body.product,
		contractVersion: body.contract.version,
		principal: body.principal,
		consumerDomain: body.consumerDomain,
		purpose: body.purpose,
		beneficiaries: body.beneficiaries,
		tables: grant.scopes.map((s) => {
			const outcome = grant.tables.find((t) => tableKey(t) === tableKey(s.table));
			return {
				...scopeView(s),
				account: s.table.account,
				filter: outcome?.filter ?? null,
				reason: outcome?.reason ?? null,
			};
		}),
		from: body.from,
		until: body.until,
		state: lapsed ? 'expiring' : grant.state,
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
