/** What the tests of reconciliation share: a bank with a hand in its Lake Formation, and passes by the schedule. */
import { type LakeFormationClient, type Permission, type Resource } from '@aws-sdk/client-lakeformation';
import { expect } from 'vitest';
import { type Context, systemContext } from '#core/context.ts';
import * as Grants from '#core/grants.ts';
import * as Reconcile from '#core/reconcile.ts';
import { COLUMNS, LOANS, ROW_FILTER } from '#local/story/access.ts';
import { approve, ask, expectBody, principalOf } from '#local/story/world.ts';
import { type TestBank, testBank } from './fixtures.ts';

export const TABLE = { account: '210000000001', database: 'lending', table: 'loans' };
export const asking = {
	product: LOANS,
	columns: COLUMNS,
	rowFilter: ROW_FILTER,
	purpose: 'credit-risk',
	duration: 'P1D',
};
export const sql = 'SELECT loan_id FROM lending.loans';

export const address = (Name: string) => ({
	TableCatalogId: TABLE.account,
	DatabaseName: TABLE.database,
	TableName: TABLE.table,
	Name,
});
export const onFilter = (name: string): Resource => ({ DataCellsFilter: address(name) });
export const onTable: Resource = {
	Table: { CatalogId: TABLE.account, DatabaseName: TABLE.database, Name: TABLE.table },
};
export const on = (
	principal: string,
	Resource: Resource,
	names: Permission[] = ['SELECT'],
	grantable: Permission[] = [],
) => ({
	Principal: { DataLakePrincipalIdentifier: principal },
	Resource,
	Permissions: names,
	PermissionsWithGrantOption: grantable,
});
/** A filter of everything. */
export const all = { ColumnWildcard: {}, RowFilter: { AllRowsWildcard: {} } };

/** Fails the next calls of this name, as often as it says; `after`: they took effect, and the answer was lost. */
export type Fault = { readonly command: string; times: number; readonly error: string; readonly after?: true };

export type Hands = {
	readonly test: TestBank;
	readonly lf: LakeFormationClient;
	readonly alice: string;
	readonly other: string;
	readonly inject: (fault: Fault | null) => void;
	/** Fairlead's context so many minutes from now. */
	readonly later: (minutes?: number) => Context;
	readonly pass: (minutes?: number) => Promise<Reconcile.Reconciled | null>;
	readonly tally: () => Promise<Reconcile.Tally | undefined>;
	/** Kind, principal and outcome of each finding. */
	readonly told: (found: Reconcile.Reconciled | null) => unknown[][];
	readonly loans: (purpose?: string) => Promise<Grants.GrantView>;
	readonly read: (id: string) => Promise<Grants.GrantView>;
	readonly revoke: (id: string) => Promise<void>;
	/** Filters and what is held on them. */
	readonly standing: () => {
		readonly filters: { name: string; columns: readonly string[] | undefined; expression: string | null }[];
		readonly held: unknown[][];
	};
};

export async function openHands(): Promise<Hands> {
	const test = await testBank();
	const { bank, world } = test;
	const { platform } = bank;
	const lf = platform.aws.lakeformation(TABLE.account);
	const glue = platform.aws.glue(TABLE.account);
	const alice = principalOf(world, 'risk', 'credit-risk');
	let fault: Fault | null = null;
	for (const stack of [lf.middlewareStack, glue.middlewareStack as typeof lf.middlewareStack]) {
		// Where an answer of AWS would come: below the SDK's own retries.
		stack.add(
			(next, { commandName }) =>
				async (args) => {
					if (fault === null || fault.times === 0 || commandName !== `${fault.command}Command`) return next(args);
					fault.times -= 1;
					const { error, after } = fault;
					if (after === true) await next(args);
					throw Object.assign(new Error('injected'), { name: error });
				},
			{ step: 'finalizeRequest', name: 'faults', priority: 'low' },
		);
	}
	const later = (minutes = 0) => {
		const clock = () => new Date(Date.now() + minutes * 60_000);
		return systemContext({ ...platform, clock }, '0'.repeat(32));
	};
	const pass = (minutes?: number) => Reconcile.reconcile(later(minutes));
	const read = async (id: string) =>
		expectBody(await world.call({ who: 'alice', path: `/api/v1/grants/${id}` }), 200, Grants.GrantView);
	return {
		test,
		lf,
		alice,
		other: principalOf(world, 'risk', 'model-validation'),
		inject(next) {
			fault = next;
		},
		later,
		pass,
		tally: async () => (await pass())?.tally,
		told: (found) =>
			(found?.findings ?? []).map((f) => [f.kind, f.principal === alice ? 'alice' : f.principal, f.outcome]),
		async loans(purpose = 'credit-risk') {
			const grant = await approve(world, await ask(world, { ...asking, purpose }));
			expect(grant.state).toBe('granted');
			return grant;
		},
		read,
		async revoke(id) {
			const path = `/api/v1/grants/${id}/revoke`;
			await world.call({ who: 'olga', method: 'POST', path, body: { reason: 'over' } });
			expect((await read(id)).state).toBe('revoked');
		},
		standing() {
			const { filters, permissions } = bank.aws.lakeFormationState();
			const onFilters = permissions.filter((p) => p.resource.kind === 'filter');
			return {
				filters: filters.map(({ name, columns, expression }) => ({
					name,
					columns: columns?.toSorted(),
					expression,
				})),
				held: onFilters.map((p) => [p.principal, p.permissions, p.grantable]),
			};
		},
	};
}
