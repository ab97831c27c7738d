/** Which right on a table it takes to make a partition of it; no page says. */
import { CreatePartitionCommand, DeletePartitionCommand, GetTableCommand } from '@aws-sdk/client-glue';
import type { Permission } from '@aws-sdk/client-lakeformation';
import type { Assumption } from './stage.ts';
import { grant, look, refusalOf, revoke, tableOf } from './steps.ts';

export const partitionRights: Assumption = {
	name: 'partition-rights',
	question: 'Does it take ALTER to make a partition, and not INSERT?',
	assumed: { insert: 'AccessDeniedException', alter: 'taken' },
	async observe(stage) {
		const { parts } = stage.tables;
		const { glue } = await stage.as();
		const DatabaseName = stage.database;
		const { Table } = await stage.admin.glue.send(new GetTableCommand({ DatabaseName, Name: parts }));
		const { Columns, Location, InputFormat, OutputFormat, SerdeInfo } = Table?.StorageDescriptor ?? {};
		const PartitionInput = {
			Values: ['fl-live'],
			StorageDescriptor: { Columns, Location: `${Location}/region=fl-live`, InputFormat, OutputFormat, SerdeInfo },
		};
		await grant(stage, tableOf(stage, parts), ['ALTER'], stage.administrator);
		const PartitionValues = PartitionInput.Values;
		const drop = async () => {
			await stage.admin.glue.send(new DeletePartitionCommand({ DatabaseName, TableName: parts, PartitionValues }));
		};
		stage.undo('the partition', () => drop().catch(() => {}));
		const tried = async (right: Permission, wanted: string) => {
			await grant(stage, tableOf(stage, parts), [right]);
			const seen = await look(stage, wanted, async () => {
				const { name } = await refusalOf(
					glue.send(new CreatePartitionCommand({ DatabaseName, TableName: parts, PartitionInput })),
				);
				if (name === '') await drop();
				return name || 'taken';
			});
			await revoke(stage, tableOf(stage, parts), [right]);
			return seen;
		};
		return {
			observed: {
				insert: await tried('INSERT', 'AccessDeniedException'),
				alter: await tried('ALTER', 'taken'),
			},
		};
	},
};
