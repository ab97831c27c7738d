/** Whether a path's effective permissions count what lies below it (service model: "located at a path"). */
import { GetTableCommand } from '@aws-sdk/client-glue';
import { GetEffectivePermissionsForPathCommand } from '@aws-sdk/client-lakeformation';
import type { Assumption } from './stage.ts';
import { grant, look, tableOf } from './steps.ts';

export const effectivePaths: Assumption = {
	name: 'effective-paths',
	question: 'Does a path list the rights on a table at it, and on one below it?',
	assumed: { at: true, below: true },
	async observe(stage) {
		const { glue, lakeformation } = stage.admin;
		const Name = stage.tables.plain;
		await grant(stage, tableOf(stage, Name));
		const { Table } = await glue.send(new GetTableCommand({ DatabaseName: stage.database, Name }));
		const location = (Table?.StorageDescriptor?.Location ?? '').replace(/^s3:\/\//, 'arn:aws:s3:::').replace(/\/$/, '');
		const listed = async (ResourceArn: string) => {
			const answer = await lakeformation.send(new GetEffectivePermissionsForPathCommand({ ResourceArn }));
			return (answer.Permissions ?? []).some(
				(row) =>
					row.Principal?.DataLakePrincipalIdentifier === stage.principal &&
					(row.Resource?.Table ?? row.Resource?.TableWithColumns)?.Name === Name,
			);
		};
		return {
			observed: {
				at: await look(stage, true, () => listed(location)),
				below: await look(stage, true, () => listed(location.slice(0, location.lastIndexOf('/')))),
			},
		};
	},
};
