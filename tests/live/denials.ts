/** What a query ends with that is not allowed (Athena guide, lf-athena-access; field reports). */
import { GetTableCommand } from '@aws-sdk/client-glue';
import { GetDataCellsFilterCommand } from '@aws-sdk/client-lakeformation';
import type { Assumption } from './stage.ts';
import { grant, look, makeFilter, refusalOf, tableOf, told } from './steps.ts';

const CANNOT = 'cannot be resolved or requester is not authorized to access requested resources';

export const denials: Assumption = {
	name: 'denials',
	question: 'In which words are a table, a column and a name refused that the principal may not see?',
	assumed: {
		nothingHeld:
			'Insufficient permissions to execute the query. Principal does not have any privilege on specified resource',
		describeAlone: 'COLUMN_NOT_FOUND: Relation contains no accessible columns',
		columnNotGranted: `COLUMN_NOT_FOUND: line 1:8: Column 'amount' ${CANNOT}`,
		columnNotThere: `COLUMN_NOT_FOUND: line 1:8: Column 'nosuch' ${CANNOT}`,
		glueTableNotSeen: { name: 'EntityNotFoundException', message: 'Entity Not Found' },
		filterNotThere: { name: 'EntityNotFoundException', message: 'Entity Not Found' },
	},
	async observe(stage) {
		const { plain } = stage.tables;
		const { athena, glue } = await stage.as();
		const { assumed } = denials;
		const seen = (member: string, column: string) =>
			look(stage, assumed[member] ?? null, () =>
				told(stage, athena, `SELECT ${column} FROM ${stage.database}.${plain}`),
			);
		const nothingHeld = await seen('nothingHeld', '*');
		const glueTableNotSeen = await refusalOf(
			glue.send(new GetTableCommand({ DatabaseName: stage.database, Name: plain })),
		);
		const missing = {
			TableCatalogId: stage.account,
			DatabaseName: stage.database,
			TableName: plain,
			Name: 'fl-live-nosuch',
		};
		const filterNotThere = await refusalOf(stage.admin.lakeformation.send(new GetDataCellsFilterCommand(missing)));
		await grant(stage, tableOf(stage, plain), ['DESCRIBE']);
		const describeAlone = await seen('describeAlone', '*');
		await grant(stage, await makeFilter(stage, plain, 'fl-live-denials', { columns: ['id'] }));
		return {
			observed: {
				nothingHeld,
				describeAlone,
				columnNotGranted: await seen('columnNotGranted', 'amount'),
				columnNotThere: await seen('columnNotThere', 'nosuch'),
				glueTableNotSeen,
				filterNotThere,
			},
		};
	},
};
