/** How the tags of a table are told, those that it has from its database among them, and taking one away that is not there. */
import {
	AddLFTagsToResourceCommand,
	CreateLFTagCommand,
	DeleteLFTagCommand,
	GetResourceLFTagsCommand,
	RemoveLFTagsFromResourceCommand,
} from '@aws-sdk/client-lakeformation';
import type { Assumption } from './stage.ts';
import { databaseOf, look, tableOf } from './steps.ts';

const TagKey = 'fl-live-inherited';

export const tags: Assumption = {
	name: 'tags',
	question:
		'Does a table tell the tags of its database where nothing is asked for, and what is said of a tag that it has not?',
	assumed: { fromDatabase: true, notAssigned: 'EntityNotFoundException' },
	async observe(stage) {
		const { lakeformation } = stage.admin;
		const LFTags = [{ TagKey, TagValues: ['yes'] }];
		const table = tableOf(stage, stage.tables.plain);
		await lakeformation.send(new CreateLFTagCommand({ TagKey, TagValues: ['yes'] }));
		stage.undo(`LF-Tag ${TagKey}`, () => lakeformation.send(new DeleteLFTagCommand({ TagKey })));
		const none = await lakeformation.send(new RemoveLFTagsFromResourceCommand({ Resource: table, LFTags }));
		const Resource = databaseOf(stage);
		await lakeformation.send(new AddLFTagsToResourceCommand({ Resource, LFTags }));
		stage.undo(`LF-Tag ${TagKey} on the database`, () =>
			lakeformation.send(new RemoveLFTagsFromResourceCommand({ Resource, LFTags })),
		);
		const fromDatabase = await look(stage, true, async () => {
			const told = await lakeformation.send(new GetResourceLFTagsCommand({ Resource: table }));
			return [...(told.LFTagOnDatabase ?? []), ...(told.LFTagsOnTable ?? [])].some((tag) => tag.TagKey === TagKey);
		});
		return { observed: { fromDatabase, notAssigned: none.Failures?.[0]?.Error?.ErrorCode ?? 'taken' } };
	},
};
