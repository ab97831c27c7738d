/** A filter on a table that has an LF-Tag, and what a right by tag adds to it ("You can't apply data filters when you use LF-Tags"). */
import {
	AddLFTagsToResourceCommand,
	CreateLFTagCommand,
	DeleteLFTagCommand,
	RemoveLFTagsFromResourceCommand,
} from '@aws-sdk/client-lakeformation';
import type { Assumption } from './stage.ts';
import { dropFilter, grant, look, makeFilter, refusalOf, tableOf, told } from './steps.ts';

const TagKey = 'fl-live-tag';

export const tagsAndFilters: Assumption = {
	name: 'tags-and-filters',
	question: 'Can a tagged table have a filter, does the filter hold, and does a right by tag open the rest beside it?',
	assumed: { filter: 'taken', filterAlone: [['id'], ['1']], withRightByTag: [['id'], ['1'], ['2'], ['3'], ['4']] },
	async observe(stage) {
		const { plain } = stage.tables;
		const { lakeformation } = stage.admin;
		const { athena } = await stage.as();
		const Resource = tableOf(stage, plain);
		const LFTags = [{ TagKey, TagValues: ['yes'] }];
		await lakeformation.send(new CreateLFTagCommand({ TagKey, TagValues: ['yes'] }));
		stage.undo(`LF-Tag ${TagKey}`, () => lakeformation.send(new DeleteLFTagCommand({ TagKey })));
		await lakeformation.send(new AddLFTagsToResourceCommand({ Resource, LFTags }));
		stage.undo(`LF-Tag ${TagKey} on ${plain}`, () =>
			lakeformation.send(new RemoveLFTagsFromResourceCommand({ Resource, LFTags })),
		);
		const sql = `SELECT id FROM ${stage.database}.${plain} ORDER BY id`;
		const content = { columns: ['id'], rows: 'id = 1' };
		const refused = await refusalOf(makeFilter(stage, plain, 'fl-live-tagged', content));
		if (refused.name !== '') return { observed: { filter: refused.name, filterAlone: null, withRightByTag: null } };
		await dropFilter(stage, plain, 'fl-live-tagged');
		await grant(stage, await makeFilter(stage, plain, 'fl-live-tagged', content));
		const filterAlone = await look(stage, tagsAndFilters.assumed['filterAlone'] ?? null, () =>
			told(stage, athena, sql),
		);
		const Expression = [{ TagKey, TagValues: ['yes'] }];
		await grant(stage, { LFTagPolicy: { ResourceType: 'TABLE', Expression } }, ['SELECT']);
		const withRightByTag = await look(stage, tagsAndFilters.assumed['withRightByTag'] ?? null, () =>
			told(stage, athena, sql),
		);
		return { observed: { filter: 'taken', filterAlone, withRightByTag } };
	},
};
