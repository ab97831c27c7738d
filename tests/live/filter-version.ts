/** Whether VersionId keeps two writers of a filter apart (service model: UpdateDataCellsFilter may answer ConcurrentModification). */
import { GetDataCellsFilterCommand, UpdateDataCellsFilterCommand } from '@aws-sdk/client-lakeformation';
import type { Assumption } from './stage.ts';
import { contentOf, makeFilter, refusalOf } from './steps.ts';

export const filterVersion: Assumption = {
	name: 'filter-version',
	question: 'Is an update refused that names a version which is not the newest?',
	assumed: {
		readHasVersion: true,
		updateOfNewest: 'taken',
		updateOfOld: 'ConcurrentModificationException',
		updateOfNone: 'taken',
		versionGrows: true,
	},
	async observe(stage) {
		const { plain } = stage.tables;
		const name = 'fl-live-version';
		const { lakeformation } = stage.admin;
		await makeFilter(stage, plain, name, { columns: ['id'] });
		const content = contentOf(stage, plain, name, { columns: ['id', 'note'] });
		const { TableCatalogId, DatabaseName, TableName } = content;
		const version = async () => {
			const read = await lakeformation.send(
				new GetDataCellsFilterCommand({ TableCatalogId, DatabaseName, TableName, Name: name }),
			);
			return read.DataCellsFilter?.VersionId;
		};
		const update = async (VersionId: string | undefined) => {
			const TableData = { ...content, VersionId };
			const { name: refused } = await refusalOf(lakeformation.send(new UpdateDataCellsFilterCommand({ TableData })));
			return refused || 'taken';
		};
		const old = await version();
		const updateOfNewest = await update(old);
		const newer = await version();
		return {
			observed: {
				readHasVersion: old !== undefined,
				updateOfNewest,
				updateOfOld: await update(old),
				updateOfNone: await update(undefined),
				versionGrows: old !== newer,
			},
			measured: { first: old ?? null, second: newer ?? null },
		};
	},
};
