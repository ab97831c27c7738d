/** Every script, by the name that it is run by. */
import { concurrentChanges } from './concurrent-changes.ts';
import { defaultDescribe } from './default-describe.ts';
import { denials } from './denials.ts';
import { effectivePaths } from './effective-paths.ts';
import { filterInUse } from './filter-in-use.ts';
import { filterUnion } from './filter-union.ts';
import { filterVersion } from './filter-version.ts';
import { insertOnly } from './insert-only.ts';
import { linkDescribe } from './link-describe.ts';
import { missingNames } from './missing-names.ts';
import { newRole } from './new-role.ts';
import { optIns } from './opt-ins.ts';
import { partitionKeys } from './partition-keys.ts';
import { partitionRights } from './partition-rights.ts';
import { propagation } from './propagation.ts';
import { rates } from './rates.ts';
import { recreatedTable } from './recreated-table.ts';
import { rightsOnFilter } from './rights-on-filter.ts';
import { rowFilterTypes } from './row-filter-types.ts';
import { sessionTags } from './session-tags.ts';
import type { Assumption } from './stage.ts';
import { tags } from './tags.ts';
import { tagsAndFilters } from './tags-and-filters.ts';
import { tokenReplay } from './token-replay.ts';
import { workGroups } from './work-groups.ts';
import { writers } from './writers.ts';

export const all: readonly Assumption[] = [
	concurrentChanges,
	defaultDescribe,
	denials,
	effectivePaths,
	filterInUse,
	filterUnion,
	filterVersion,
	insertOnly,
	linkDescribe,
	missingNames,
	newRole,
	optIns,
	partitionKeys,
	partitionRights,
	propagation,
	rates,
	recreatedTable,
	rightsOnFilter,
	rowFilterTypes,
	sessionTags,
	tags,
	tagsAndFilters,
	tokenReplay,
	workGroups,
	writers,
];
