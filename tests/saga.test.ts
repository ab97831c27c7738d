/**
 * A grant under faults: each Lake Formation call fails before, or after it took effect. The grant is never called
 * granted or revoked too early, our gate follows at once, and the sweep brings the end that there would have been.
 */
import {
	CreateDataCellsFilterCommand,
	DeleteDataCellsFilterCommand,
	type LakeFormationClient,
} from '@aws-sdk/client-lakeformation';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as Grants from '#core/grants.ts';
import { COLUMNS, LOANS, ROW_FILTER } from '#local/story/access.ts';
import { approve, ask, expectBody, startQuery } from '#local/story/world.ts';
import { inLakeFormation, type TestBank, testBank } from './fixtures.ts';

let test: TestBank;
let lf: LakeFormationClient;
let fault: { command: string; when: 'before' | 'after' } | null = null;
/** Runs once, while the process that makes this call waits for it. */
let meanwhile: { command: string; run: () => Promise<void> } | null = null;

beforeAll(async () => {
	test = await testBank();
	lf = test.bank.platform.aws.lakeformation('210000000001');
	lf.middlewareStack.add(
		(next, context) => async (args) => {
			if (meanwhile !== null && context.commandName === `${meanwhile.command}Command`) {
				const { run } = meanwhile;
				meanwhile = null;
				await run();
			}
			const hit = fault !== null && context.commandName === `${fault.command}Command`;
			if (hit && fault?.when === 'before') throw new Error('injected: never sent');
			const answer = await next(args);
			if (hit) throw new Error('injected: done, but the answer was lost');
			return answer;
		},
		{ step: 'initialize', name: 'faults' },
	);
});

afterEach(() => {
	fault = null;
	meanwhile = null;
});

afterAll(() => test.close());

const grantOf = async (id: string) =>
	expectBody(await test.world.call({ who: 'alice', path: `/api/v1/grants/${id}` }), 200, Grants.GrantView);

const standing = () => {
	const { filters, permissions } = inLakeFormation(test.bank);
	const held = permissions.filter((p) => p.resource.kind === 'filter');
	return { filters: filters.map((f) => f.name), held: held.map((p) => p.permissions) };
};

const asking = { product: LOANS, columns: COLUMNS, rowFilter: ROW_FILTER, purpose: 'credit-risk', duration: 'P1D' };
const sql = 'SELECT loan_id FROM lending.loans';

describe.each(['before', 'after'] as const)('failing %s it took effect', (when) => {
	it.each(['CreateDataCellsFilter', 'BatchGrantPermissions', 'GetDataCellsFilter', 'ListDataCellsFilter'])(
		'%s: not granted, not readable; after the sweep exactly as without the fault',
		async (command) => {
			const asked = await ask(test.world, asking);
			fault = { command, when };
			const grant = await approve(test.world, asked);
			expect(grant.state).toBe('failed');
			expect((await startQuery(test.world, sql)).status).toBe(403);
			fault = null;
			await test.bank.sweep();
			expect((await grantOf(grant.id)).state).toBe('granted');
			expect(standing()).toEqual({ filters: [(await grantOf(grant.id)).tables[0]?.filter], held: [['SELECT']] });
			expect((await startQuery(test.world, sql)).status).toBe(202);
			await revoke(grant.id);
		},
	);

	it('ListPermissions before the decision: the decision is refused and can be made again', async () => {
		const asked = await ask(test.world, asking);
		fault = { command: 'ListPermissions', when };
		const path = `/api/v1/requests/${(asked.body as { id: string }).id}/decisions`;
		const headers = { 'if-match': asked.headers.get('etag') ?? '' };
		const decision = { who: 'olga' as const, method: 'POST' as const, path, body: { verdict: 'approve' }, headers };
		expect((await test.world.call(decision)).status).toBe(503);
		fault = null;
		await revoke((await approve(test.world, asked)).id);
	});

	it.each(['BatchRevokePermissions', 'DeleteDataCellsFilter', 'ListPermissions'])(
		'%s on the way out: refused at once, not called revoked; gone after the sweep',
		async (command) => {
			const grant = await approve(test.world, await ask(test.world, asking));
			fault = { command, when };
			await revoke(grant.id);
			expect((await startQuery(test.world, sql)).status).toBe(403);
			expect((await grantOf(grant.id)).state).toBe('revoke_failed');
			fault = null;
			await test.bank.sweep();
			expect((await grantOf(grant.id)).state).toBe('revoked');
			expect(standing()).toEqual({ filters: [], held: [] });
		},
	);
});

async function revoke(id: string): Promise<void> {
	const path = `/api/v1/grants/${id}/revoke`;
	const answer = await test.world.call({ who: 'olga', method: 'POST', path, body: { reason: 'over' } });
	expect(answer.status).toBe(202);
}

it('a filter widened by hand is not taken for ours: the grant stays unproven until it is gone', async () => {
	const asked = await ask(test.world, asking);
	fault = { command: 'BatchGrantPermissions', when: 'before' };
	const grant = await approve(test.world, asked);
	fault = null;
	const [name] = standing().filters;
	const at = { TableCatalogId: '210000000001', DatabaseName: 'lending', TableName: 'loans', Name: name ?? '' };
	await lf.send(new DeleteDataCellsFilterCommand(at));
	const wider = { ...at, ColumnNames: [...COLUMNS, 'duration'], RowFilter: { AllRowsWildcard: {} } };
	await lf.send(new CreateDataCellsFilterCommand({ TableData: wider }));
	await test.bank.sweep();
	expect((await grantOf(grant.id)).state).toBe('failed');
	expect(standing()).toEqual({ filters: [name], held: [] });
	expect((await startQuery(test.world, sql)).status).toBe(403);
	await lf.send(new DeleteDataCellsFilterCommand(at));
	await test.bank.sweep();
	expect((await grantOf(grant.id)).state).toBe('granted');
	await revoke(grant.id);
});

describe.each(['CreateDataCellsFilter', 'BatchGrantPermissions', 'GetDataCellsFilter'])(
	'a revocation while the opening waits in %s',
	(command) => {
		const revokeNewest = async () => {
			const answer = await test.world.call({ who: 'alice', path: '/api/v1/grants?pageSize=1' });
			const [newest] = (answer.body as { grants: Grants.GrantView[] }).grants;
			expect(newest?.state).toBe('granting');
			await revoke(newest?.id ?? '');
		};

		it('wins: nothing of the grant is left in Lake Formation, and nothing can be read', async () => {
			const asked = await ask(test.world, asking);
			meanwhile = { command, run: revokeNewest };
			const grant = await approve(test.world, asked);
			expect(['revoking', 'revoked']).toContain(grant.state);
			expect((await startQuery(test.world, sql)).status).toBe(403);
			await test.bank.sweep();
			expect((await grantOf(grant.id)).state).toBe('revoked');
			expect(standing()).toEqual({ filters: [], held: [] });
		});

		it('wins although the opening dies right after that call: a filter that it left opens nothing, and goes with the next grant', async () => {
			const asked = await ask(test.world, asking);
			meanwhile = {
				command,
				run: async () => {
					await revokeNewest();
					fault = { command: 'DeleteDataCellsFilter', when: 'before' };
				},
			};
			const grant = await approve(test.world, asked);
			fault = null;
			expect((await startQuery(test.world, sql)).status).toBe(403);
			await test.bank.sweep();
			expect((await grantOf(grant.id)).state).toBe('revoked');
			expect(standing().held).toEqual([]);
			await revoke((await approve(test.world, await ask(test.world, asking))).id);
			expect(standing()).toEqual({ filters: [], held: [] });
		});
	},
);
