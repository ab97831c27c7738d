/** Entries that rest on others: what a principal holds, and a flow that it allows. */
import * as Ledger from '#core/ledger.ts';
import type { SealCtx } from '#core/tlog.ts';

export const HASH = '0'.repeat(64);
export const principal = 'arn:aws:iam::210000000004:role/risk';
export const table = { account: '210000000001', database: 'lending', table: 'loans' };

export async function entitle(ctx: SealCtx, after: Ledger.Recorded | null = null): Promise<Ledger.Recorded> {
	return Ledger.append(ctx, {
		stream: Ledger.stream.entitlement(principal, table),
		after,
		actor: 'system',
		body: {
			type: 'EntitlementChanged',
			principal,
			product: 'lending.loans',
			table,
			grants: [],
			scope: null,
			filter: { desired: null, retiring: [] },
			step: 'settled',
			made: null,
		},
	});
}

export async function flow(ctx: SealCtx, id: string, ver: number, leaf: string): Promise<Ledger.Recorded> {
	return Ledger.append(ctx, {
		stream: Ledger.stream.flow(id),
		after: null,
		actor: 'per_a',
		body: {
			type: 'FlowIntended',
			flow: id,
			domain: 'risk',
			principal,
			purpose: 'p',
			legalBasis: '',
			auth: [{ grants: ['g'], table, ver, leaf }],
			query: { engine: 'athena', workGroup: 'w', sqlNormHash: HASH },
			from: [{ ...table, product: 'lending.loans', version: '1', columns: [] }],
			to: { domain: 'risk', columns: [], rows: [] },
			until: '2026-01-01T00:00:00.000Z',
		},
	});
}

/** The end of a flow. */
export async function end(ctx: SealCtx, begun: Ledger.Recorded): Promise<Ledger.Recorded> {
	const { flow: id } = Ledger.as(begun, 'FlowIntended').body;
	const body = { type: 'FlowCancelled', flow: id, execution: 'x', cause: 'caller' } as const;
	return Ledger.append(ctx, { stream: begun.stored.stream, after: begun, actor: 'per_a', body });
}
