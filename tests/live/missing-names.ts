/** What is said of names that are not there, by those who may see everything (LF guide, error-message-update). */
import { DeleteTableCommand, GetTableCommand } from '@aws-sdk/client-glue';
import {
	CreateDataCellsFilterCommand,
	DeleteDataCellsFilterCommand,
	GetResourceLFTagsCommand,
	ListDataCellsFilterCommand,
	RevokePermissionsCommand,
} from '@aws-sdk/client-lakeformation';
import type { Assumption } from './stage.ts';
import { contentOf, filterOf, refusalOf, tableOf } from './steps.ts';

export const missingNames: Assumption = {
	name: 'missing-names',
	question:
		'Which error and which words stand for a table and a filter that are not there, and for a right that nobody has?',
	assumed: {
		getTable: 'EntityNotFoundException: Entity Not Found',
		deleteTable: 'EntityNotFoundException: Entity Not Found',
		filterOnNoTable: 'EntityNotFoundException: Entity Not Found',
		filtersOfNoTable: 'EntityNotFoundException: Entity Not Found',
		tagsOfNoTable: 'EntityNotFoundException: Entity Not Found',
		deleteFilter: 'EntityNotFoundException: Entity Not Found',
		revokeOfNoFilter: 'InvalidInputException: Cell Filter not found',
		revokeOfNothing:
			'InvalidInputException: No permissions revoked. Grantee has no permissions and no grantable permissions on resource',
	},
	async observe(stage) {
		const { glue, lakeformation } = stage.admin;
		const DatabaseName = stage.database;
		const Name = 'fl_live_nosuch';
		const text = async (call: Promise<unknown>) => {
			const { name, message } = await refusalOf(call);
			return name === '' ? 'taken' : `${name}: ${message}`;
		};
		const address = {
			TableCatalogId: stage.account,
			DatabaseName,
			TableName: stage.tables.plain,
			Name: 'fl-live-nosuch',
		};
		const right = (Resource: ReturnType<typeof tableOf>) =>
			new RevokePermissionsCommand({
				Principal: { DataLakePrincipalIdentifier: stage.principal },
				Resource,
				Permissions: ['SELECT'],
			});
		return {
			observed: {
				getTable: await text(glue.send(new GetTableCommand({ DatabaseName, Name }))),
				deleteTable: await text(glue.send(new DeleteTableCommand({ DatabaseName, Name }))),
				filterOnNoTable: await text(
					lakeformation.send(
						new CreateDataCellsFilterCommand({ TableData: contentOf(stage, Name, 'fl-live-no', { columns: ['id'] }) }),
					),
				),
				filtersOfNoTable: await text(
					lakeformation.send(
						new ListDataCellsFilterCommand({ Table: { CatalogId: stage.account, DatabaseName, Name } }),
					),
				),
				tagsOfNoTable: await text(lakeformation.send(new GetResourceLFTagsCommand({ Resource: tableOf(stage, Name) }))),
				deleteFilter: await text(lakeformation.send(new DeleteDataCellsFilterCommand(address))),
				revokeOfNoFilter: await text(lakeformation.send(right(filterOf(stage, stage.tables.plain, 'fl-live-nosuch')))),
				revokeOfNothing: await text(lakeformation.send(right(tableOf(stage, stage.tables.plain)))),
			},
		};
	},
};
