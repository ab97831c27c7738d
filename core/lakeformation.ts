/**
 * Lake Formation, one function per thing asked of it, as the role that Fairlead has in the account where it is asked.
 * Every function is safe to run again, and throws `unavailable` for whatever was not done.
 */
export {
	createFilter,
	deleteFilters,
	type Filter,
	type FilterRef,
	filtersOn,
	opens,
	readFilter,
} from './lakeformation/filters.ts';
export { isOurs, prefixOf } from './lakeformation/names.ts';
export {
	grantAll,
	isEverybody,
	type On,
	type Right,
	revokeAll,
	rightsOn,
	rightsOnDatabase,
	rightsOnFilter,
	type Seat,
	type Wanted,
} from './lakeformation/permissions.ts';
export { attempt, translated, until } from './lakeformation/retry.ts';
