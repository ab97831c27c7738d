/** What Lake Formation keeps of a table that is dropped and made again under its name. */
import { CreateTableCommand, DeleteTableCommand, GetTableCommand } from '@aws-sdk/client-glue';
import { GetDataCellsFilterCommand } from '@aws-sdk/client-lakeformation';
import type { Assumption, Stage } from './stage.ts';
import { ask, databaseOf, grant, look, makeFilter, refusalOf } from './steps.ts';

const NAME = 'fl_live_again';
const FILTER = 'fl-live-again';

/** A table over the files of `plain`. */
async function make(stage: Stage): Promise<Date | undefined> {
	const { glue } = stage.admin;
	const DatabaseName = stage.database;
	const { Table } = await glue.send(new GetTableCommand({ DatabaseName, Name: stage.tables.plain }));
	const { Columns, Location, InputFormat, OutputFormat, SerdeInfo } = Table?.StorageDescriptor ?? {};
	const StorageDescriptor = { Columns, Location, InputFormat, OutputFormat, SerdeInfo };
	const TableInput = { Name: NAME, TableType: 'EXTERNAL_TABLE', Parameters: Table?.Parameters, StorageDescriptor };
	await glue.send(new CreateTableCommand({ DatabaseName, TableInput }));
	return (await glue.send(new GetTableCommand({ DatabaseName, Name: NAME }))).Table?.CreateTime;
}

const drop = ({ admin, database }: Stage) =>
	admin.glue.send(new DeleteTableCommand({ DatabaseName: database, Name: NAME }));

export const recreatedTable: Assumption = {
	name: 'recreated-table',
	question:
		'Are a filter and the right on it still there when their table was dropped and made again, and do they open it?',
	assumed: { filterStays: true, rightOpensIt: true, newCreateTime: true },
	async observe(stage) {
		await grant(stage, databaseOf(stage), ['CREATE_TABLE'], stage.administrator);
		const first = await make(stage);
		stage.undo(`table ${NAME}`, () => drop(stage));
		await grant(stage, await makeFilter(stage, NAME, FILTER, { columns: ['id'] }));
		const { athena } = await stage.as();
		const open = async () => 'rows' in (await ask(stage, athena, `SELECT id FROM ${stage.database}.${NAME}`));
		await look(stage, true, open);
		await drop(stage);
		const second = await make(stage);
		const address = { TableCatalogId: stage.account, DatabaseName: stage.database, TableName: NAME, Name: FILTER };
		const read = await refusalOf(stage.admin.lakeformation.send(new GetDataCellsFilterCommand(address)));
		return {
			observed: {
				filterStays: read.name === '',
				rightOpensIt: await look(stage, true, open),
				newCreateTime: first?.getTime() !== second?.getTime(),
			},
		};
	},
};
