/** What a query is completed with, and what a filter that can no longer be read tells: nothing. */
import type { AthenaClient } from '@aws-sdk/client-athena';
import { GetTableCommand, UpdateTableCommand } from '@aws-sdk/client-glue';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFilter, filterNamed, grant, tableNamed } from '#tests/local/calls.ts';
import { GRANTOR, type Lake, openLake, RISK_ROLE, runQuery } from '#tests/local/harness.ts';

let lake: Lake;
let athena: AthenaClient;
beforeEach(async () => {
	lake = await openLake();
	athena = await lake.athena(RISK_ROLE);
});
afterEach(() => lake.close());

describe('a query', () => {
	test('in a catalog that is not there fails, however it is named', async () => {
		await grant(await lake.lakeformation(GRANTOR), tableNamed('loans'));
		const sql = 'SELECT loan_id FROM loans';
		const of = async (Catalog: string, text = sql) =>
			(await runQuery(athena, text, { QueryExecutionContext: { Catalog, Database: 'lending' } })).Status;
		const missing = { State: 'FAILED', StateChangeReason: "CATALOG_NOT_FOUND: Catalog 'other' does not exist" };
		expect(await of('other')).toMatchObject(missing);
		expect(await of('Other', 'SELECT loan_id FROM lending.loans')).toMatchObject(missing);
		expect(await of('AwsDataCatalog')).toMatchObject({ State: 'SUCCEEDED' });
		expect(await of('other', 'SELECT loan_id FROM awsdatacatalog.lending.loans')).toMatchObject({ State: 'SUCCEEDED' });
	});

	test('under a filter whose column was renamed fails without a word of the filter', async () => {
		const grantor = await lake.lakeformation(GRANTOR);
		await createFilter(grantor, { RowFilter: { FilterExpression: "status = 'B'" } });
		await grant(grantor, filterNamed());
		await grant(grantor, tableNamed('loans'), ['ALTER'], GRANTOR);
		const glue = await lake.glue(GRANTOR);
		const named = { DatabaseName: 'lending', Name: 'loans' };
		const { StorageDescriptor } = (await glue.send(new GetTableCommand(named))).Table ?? {};
		const Columns = StorageDescriptor?.Columns?.map((column) => ({
			...column,
			Name: column.Name === 'status' ? 'stand' : column.Name,
		}));
		const TableInput = { Name: 'loans', StorageDescriptor: { ...StorageDescriptor, Columns } };
		await glue.send(new UpdateTableCommand({ DatabaseName: 'lending', TableInput }));
		for (const sql of ['SELECT loan_id FROM lending.loans', 'SELECT count(*) FROM lending.loans']) {
			const { Status } = await runQuery(athena, sql);
			expect(Status).toMatchObject({
				State: 'FAILED',
				StateChangeReason: 'GENERIC_INTERNAL_ERROR: a row filter could not be applied',
			});
		}
	});
});
