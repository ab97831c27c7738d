/**
 * What the tests of counting share: a bank whose owners of customers are consumers there, too, requests of mia for clients
 * and grants of petra to review them, and what is counted of those, also by brute force.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { systemContext } from '#core/context.ts';
import type { CountsView, TableCount } from '#core/counts.ts';
import type { GrantView } from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import type { Row } from '#local/lake.ts';
import { type Handle, people } from '#local/people.ts';
import { principalOf, rawRows } from '#local/story/world.ts';
import { ledgerSize, type TestBank, testBank } from '#tests/fixtures.ts';
import { file, get, grantTo, post, requestBody } from './harness.ts';
import { registered } from './registration.ts';

export const CLIENTS = 'customers.clients';
export const COLUMNS = ['client_id', 'district_id'];
export const nothing = () => false;
export const district = (row: Row) => Number(row['district_id']);
export const pathOf = ({ view }: { view: { id: string } }) => `/requests/${view.id}/counts`;
export type Asked = Awaited<ReturnType<typeof file>>;

const tables = (columns: readonly string[], rowFilter: string | null) => [{ table: 'clients', columns, rowFilter }];

export function counting() {
	let test: TestBank;
	let rows: Row[];

	beforeAll(async () => {
		test = await testBank();
		rows = await rawRows(test.world, CLIENTS);
		// Peter, like petra, is a consumer of the domain that he owns.
		await registered(test, 'customers', ({ members }) =>
			members.find((m) => m.subject === people.peter.subject)?.roles.push('consumer'),
		);
	});

	afterAll(() => test.close());

	/** Clients for mia of marketing. */
	function clients(rowFilter: string | null, purpose = 'service-improvement', columns: readonly string[] = COLUMNS) {
		const principal = principalOf(test.world, 'marketing', purpose);
		return requestBody(test.world, { product: CLIENTS, tables: tables(columns, rowFilter), purpose, principal });
	}

	/** The same table for who reviews access to it. */
	function reviewing(columns: readonly string[], rowFilter: string | null = null) {
		const principal = principalOf(test.world, 'customers', 'access-review');
		const body = { product: CLIENTS, tables: tables(columns, rowFilter), purpose: 'access-review', principal };
		return requestBody(test.world, body);
	}

	const review = (columns: readonly string[], rowFilter: string | null = null) =>
		grantTo(test.world, 'petra', reviewing(columns, rowFilter), ['peter']);

	const asked = (rowFilter: string | null, purpose?: string) => file(test.world, 'mia', clients(rowFilter, purpose));

	async function told(who: Handle, of: Asked): Promise<TableCount> {
		const { status, body } = await test.world.call(get(who, pathOf(of)));
		expect({ status, body }).toMatchObject({ status: 200, body: { request: of.view.id } });
		const [table, ...more] = (body as CountsView).tables;
		expect(more).toEqual([]);
		return table as TableCount;
	}

	async function counted(who: Handle, of: Asked): Promise<Extract<TableCount, { state: 'counted' }>> {
		let found = await told(who, of);
		for (let i = 0; found.state === 'running' && i < 400; i += 1) {
			await new Promise((resolve) => setTimeout(resolve, 25));
			found = await told(who, of);
		}
		expect(found.state).toBe('counted');
		return found as Extract<TableCount, { state: 'counted' }>;
	}

	const count = (who: Handle, of: Asked) => test.world.call(post(who, pathOf(of)));

	/** Not counted for this reason, asked either way; nothing runs and nothing is stored. */
	async function notCounted(who: Handle, of: Asked, reason: string, advice: RegExp): Promise<void> {
		const before = await ledgerSize(test.world);
		const answer = await count(who, of);
		expect(answer.status).toBe(200);
		expect(answer.body).toEqual((await test.world.call(get(who, pathOf(of)))).body);
		expect(await told(who, of)).toEqual({
			table: expect.stringMatching(/\./),
			state: 'not-counted',
			reason,
			advice: expect.stringMatching(advice),
		});
		expect(await ledgerSize(test.world)).toBe(before);
	}

	/** The numbers as they are in the files. */
	function brute(before: (row: Row) => boolean, after: (row: Row) => boolean) {
		const [b, a] = [rows.filter(before).length, rows.filter(after).length];
		return { rows: rows.length, before: b, after: a, shareBefore: b / rows.length, shareAfter: a / rows.length };
	}

	const end = (grant: GrantView) => test.world.call(post('peter', `/grants/${grant.id}/revoke`, { reason: 'over' }));

	/** Flows that reviews recorded, oldest first. */
	async function flows(of: Asked): Promise<Ledger.BodyOf<'FlowIntended'>[]> {
		const ctx = systemContext(test.bank.platform, '0'.repeat(32));
		const found: Ledger.BodyOf<'FlowIntended'>[] = [];
		let start: string | null = null;
		do {
			const page = await Ledger.rawPage(ctx, start, 500);
			for (const { stream, ver } of page.items) {
				if (!stream.startsWith('F#') || ver !== 1) continue;
				const intended = Ledger.find(await Ledger.read(ctx, stream), 'FlowIntended');
				if (intended?.body.review?.request === of.view.id) found.push(intended.body);
			}
			start = page.next;
		} while (start !== null);
		return found;
	}

	return {
		get test() {
			return test;
		},
		get rows() {
			return rows;
		},
		clients,
		reviewing,
		review,
		asked,
		told,
		counted,
		count,
		notCounted,
		brute,
		end,
		flows,
	};
}
