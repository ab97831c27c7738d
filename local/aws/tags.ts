/**
 * LF-Tags: made, changed, given to databases, tables and columns, and taken away again. A resource has one value per
 * key. Tags that do not fit are told tag by tag, with HTTP 200. What a tag then means is in tagging.ts.
 * Sources: service model; limits from GR/lake-formation; LFDG/lf-tag-considerations.
 */
import * as z from 'zod';
import { AwsError, type Caller, type Operation, operation, page } from '../wire.ts';
import { tooMany } from './authority.ts';
import { mayRead } from './lookup.ts';
import { grantedToCreator } from './permissions.ts';
import {
	denied,
	invalid,
	mustExist,
	notFound,
	ResourceInput,
	readResource,
	TagKeyInput,
	TagValuesInput,
} from './resource.ts';
import { put, type Resource, type State, type Tag, tagKey } from './state.ts';
import type { Store } from './store.ts';
import { mustAssociate, mustChangeTag, mustMakeTags, mustTagResource, seesTag } from './tag-rights.ts';
import { same } from './tagging.ts';
import { tagsOfResource } from './tagging-answer.ts';

const MOST_TAGS = 1000;
const MOST_VALUES = 1000;

/** [unverified] aws-facts 2, "tags": the name of the failure when a tag is taken from what does not carry it. */
const NOT_ASSIGNED = 'EntityNotFoundException';

const CatalogId = z.string().min(1).max(255).nullish();
const Named = z.object({ CatalogId, TagKey: TagKeyInput });
const Create = Named.extend({ TagValues: TagValuesInput });
const Update = Named.extend({ TagValuesToDelete: TagValuesInput.nullish(), TagValuesToAdd: TagValuesInput.nullish() });
const Listing = z.object({
	CatalogId,
	ResourceShareType: z.enum(['FOREIGN', 'ALL']).nullish(),
	MaxResults: z.number().int().min(1).max(1000).nullish(),
	NextToken: z.string().nullish(),
});
const Assign = z.object({ CatalogId, Resource: ResourceInput, LFTags: z.array(Create).min(1).max(50) });
const Show = z.object({ CatalogId, Resource: ResourceInput, ShowAssignedLFTags: z.boolean().nullish() });
type Pair = z.infer<typeof Create>;

type Named = readonly (readonly [string, Operation])[];

export function tagOperations(store: Store, clock: () => Date): Named {
	return [...definitions(store, clock), ...assignments(store)];
}

function definitions(store: Store, clock: () => Date): Named {
	return [
		[
			'CreateLFTag',
			operation(Create, invalid, async (caller, input) => {
				await store.change((state) => created(state, caller, input, clock()));
				return {};
			}),
		],
		[
			'GetLFTag',
			operation(Named, invalid, (caller, input) => {
				const tag = find(store.read(), input.CatalogId ?? caller.account, input.TagKey);
				if (!seesTag(store.read(), caller, tag)) throw denied();
				return written(tag);
			}),
		],
		[
			'ListLFTags',
			operation(Listing, invalid, (caller, input) => {
				const state = store.read();
				const all = [...state.tags.values()].filter(
					(tag) => tag.account === (input.CatalogId ?? caller.account) && seesTag(state, caller, tag),
				);
				const { items, next } = page(all, input.MaxResults ?? 1000, input.NextToken, () =>
					invalid('Invalid NextToken'),
				);
				return { LFTags: items.map(written), ...next };
			}),
		],
		[
			'UpdateLFTag',
			operation(Update, invalid, async (caller, input) => {
				await store.change((state) => updated(state, caller, input));
				return {};
			}),
		],
		[
			'DeleteLFTag',
			operation(Named, invalid, async (caller, input) => {
				await store.change((state) => deleted(state, caller, input.CatalogId ?? caller.account, input.TagKey));
				return {};
			}),
		],
	];
}

function created(state: State, caller: Caller, input: Pair, now: Date): State {
	const account = input.CatalogId ?? caller.account;
	mustMakeTags(state, caller, account);
	const key = tagKey({ account, key: input.TagKey });
	// The model of CreateLFTag has no AlreadyExistsException.
	if (state.tags.has(key)) throw invalid('Tag key already exists');
	if ([...state.tags.values()].filter((tag) => tag.account === account).length >= MOST_TAGS)
		throw tooMany('Too many LF-Tags');
	const values = [...new Set(input.TagValues)];
	const tags = put(state.tags, key, { account, key: input.TagKey, values, assigned: [] });
	const resource: Resource = { kind: 'tag', account, key: input.TagKey, values: ['*'] };
	return grantedToCreator({ ...state, tags }, caller.principal, resource, now);
}

function updated(state: State, caller: Caller, input: z.infer<typeof Update>): State {
	const named = { account: input.CatalogId ?? caller.account, key: input.TagKey };
	mustChangeTag(state, caller, named, 'ALTER');
	const tag = find(state, named.account, named.key);
	const { TagValuesToAdd: added, TagValuesToDelete: gone } = input;
	if (!added && !gone) throw invalid('Values to add or to delete must be given');
	if (gone?.some((value) => !tag.values.includes(value))) throw notFound();
	// The sentence is the service model's own (UpdateLFTag).
	if (tag.assigned.some(({ value }) => gone?.includes(value) === true)) throw invalid('Update not allowed');
	const values = [...new Set([...tag.values.filter((value) => gone?.includes(value) !== true), ...(added ?? [])])];
	if (values.length > MOST_VALUES) throw invalid(`The number of values exceeds ${MOST_VALUES}`);
	return { ...state, tags: put(state.tags, tagKey(tag), { ...tag, values }) };
}

/** Grants on expressions with the key stay, and reach nothing any more. */
function deleted(state: State, caller: Caller, account: string, key: string): State {
	mustChangeTag(state, caller, { account, key }, 'DROP');
	const tag = find(state, account, key);
	const permissions = new Map(
		[...state.permissions].filter(
			([, { resource }]) => resource.kind !== 'tag' || resource.account !== account || resource.key !== key,
		),
	);
	return { ...state, tags: put(state.tags, tagKey(tag), undefined), permissions };
}

function assignments(store: Store): Named {
	const each = (change: (tag: Tag, resource: Resource, pair: Pair) => Tag) =>
		operation(Assign, invalid, async (caller, input) => {
			const failures: object[] = [];
			const resource = readResource(input.Resource, input.CatalogId ?? caller.account);
			const parts = partsOf(resource);
			await store.change((state) => {
				mustTagResource(state, caller, resource);
				for (const part of parts) mustExist(state, part);
				return input.LFTags.reduce((before, pair) => {
					try {
						const account = pair.CatalogId ?? caller.account;
						mustAssociate(before, caller, { account, key: pair.TagKey }, pair.TagValues, resource);
						const tag = find(before, account, pair.TagKey);
						const changed = parts.reduce((held, part) => change(held, part, pair), tag);
						return { ...before, tags: put(before.tags, tagKey(tag), changed) };
					} catch (error) {
						if (!(error instanceof AwsError)) throw error;
						failures.push({ LFTag: pair, Error: { ErrorCode: error.code, ErrorMessage: error.message } });
						return before;
					}
				}, state);
			});
			return { Failures: failures };
		});
	return [
		['AddLFTagsToResource', each(assigned)],
		['RemoveLFTagsFromResource', each(taken)],
		[
			'GetResourceLFTags',
			operation(Show, invalid, (caller, input) => {
				const state = store.read();
				const resource = readResource(input.Resource, input.CatalogId ?? caller.account);
				if (!mayRead(state, resource.account, caller.principal)) throw denied();
				for (const part of partsOf(resource)) mustExist(state, part);
				return tagsOfResource(state, resource, input.ShowAssignedLFTags === true);
			}),
		],
	];
}

/** What carries tags of its own: a database, a table, or each of some columns. */
function partsOf(resource: Resource): Resource[] {
	if (resource.kind === 'database' || resource.kind === 'table') return [resource];
	if (resource.kind === 'columns' && resource.columns !== null)
		return resource.columns.map((column) => ({ ...resource, columns: [column] }));
	throw invalid('LF-Tags belong to databases, tables and columns');
}

function assigned(tag: Tag, resource: Resource, { TagValues: [value = '', ...more] }: Pair): Tag {
	if (more.length > 0) throw invalid('A resource has one value per LF-Tag');
	if (!tag.values.includes(value)) throw notFound();
	const others = tag.assigned.filter((entry) => !same(entry.resource, resource));
	return { ...tag, assigned: [...others, { resource, value }] };
}

function taken(tag: Tag, resource: Resource, { TagValues: values }: Pair): Tag {
	const left = tag.assigned.filter((entry) => !same(entry.resource, resource) || !values.includes(entry.value));
	if (left.length === tag.assigned.length) throw new AwsError(NOT_ASSIGNED, 'The LF-Tag is not on the resource');
	return { ...tag, assigned: left };
}

function find(state: State, account: string, key: string): Tag {
	const tag = state.tags.get(tagKey({ account, key }));
	if (tag === undefined) throw notFound();
	return tag;
}

function written(tag: Tag) {
	return { CatalogId: tag.account, TagKey: tag.key, TagValues: tag.values };
}
