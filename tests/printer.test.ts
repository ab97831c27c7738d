/**
 * Promise 2, below our own code: whatever core prints, Lake Formation's permissions decide what is seen. Core's printer
 * is made to forget the row filter and to add a column; the caller still gets the granted cells and no other.
 */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import * as Query from '#core/query.ts';
import type * as Trino from '#core/sql/trino.ts';
import { COLUMNS, LOANS, ROW_FILTER } from '#local/story/access.ts';
import { approve, ask, expectBody, query, rawRows, startQuery } from '#local/story/world.ts';
import { type TestBank, testBank } from './fixtures.ts';

const corrupt = vi.hoisted(() => ({ print: (text: string) => text }));

vi.mock('#core/sql/trino.ts', async (load) => {
	const real = await load<typeof Trino>();
	return {
		...real,
		printTrino: (...args: Parameters<typeof real.printTrino>) => corrupt.print(real.printTrino(...args)),
	};
});

let test: TestBank;

beforeAll(async () => {
	test = await testBank();
	await approve(
		test.world,
		await ask(test.world, {
			product: LOANS,
			columns: COLUMNS,
			rowFilter: ROW_FILTER,
			purpose: 'credit-risk',
			duration: 'P1D',
		}),
	);
});

afterAll(() => test.close());

it('a printer that drops the WHERE shows no row that was not granted', async () => {
	corrupt.print = (text) => {
		const dropped = text.replace(/ WHERE "status" IN \('B', 'D'\)/, '');
		expect(dropped).not.toBe(text);
		return dropped;
	};
	const found = await query(test.world, 'SELECT loan_id, status FROM lending.loans');
	const granted = (await rawRows(test.world, LOANS)).filter((r) => r['status'] === 'B' || r['status'] === 'D');
	expect(new Set(found.rows.map(([id]) => id))).toEqual(new Set(granted.map((r) => r['loan_id'])));
	expect(found.rows.length).toBe(granted.length);
});

it('a printer that adds a column shows no column that was not granted', async () => {
	corrupt.print = (text) => {
		const added = text.replace('"loan_id"', '"loan_id", "duration"');
		expect(added).not.toBe(text);
		return added;
	};
	const started = expectBody(await startQuery(test.world, 'SELECT loan_id FROM lending.loans'), 202, Query.QueryView);
	const view = await settled(started.id);
	expect([view.state, view.reason]).toEqual(['failed', 'denied-by-lake-formation']);
	const results = await test.world.call({ who: 'alice', path: `/api/v1/queries/${started.id}/results` });
	expect(results.status).toBe(409);
	expect(JSON.stringify(results.body)).not.toContain('duration');
});

it('a printer that asks for everything shows the granted cells', async () => {
	corrupt.print = () => 'SELECT * FROM fl_210000000001_lending.loans';
	const found = await query(test.world, 'SELECT loan_id FROM lending.loans');
	expect(found.columns.toSorted()).toEqual(COLUMNS.toSorted());
	expect(new Set(found.rows.map((r) => r[found.columns.indexOf('status')]))).toEqual(new Set(['B', 'D']));
});

it('a printer that reads another table gets nothing', async () => {
	corrupt.print = () => 'SELECT account_id FROM fl_210000000009_payments.transactions';
	const started = expectBody(await startQuery(test.world, 'SELECT loan_id FROM lending.loans'), 202, Query.QueryView);
	expect((await settled(started.id)).state).toBe('failed');
});

async function settled(id: string): Promise<Query.QueryView> {
	for (;;) {
		const answer = await test.world.call({ who: 'alice', path: `/api/v1/queries/${id}` });
		const view = expectBody(answer, 200, Query.QueryView);
		if (view.state !== 'running') return view;
		await new Promise((resolve) => setTimeout(resolve, 25));
	}
}
