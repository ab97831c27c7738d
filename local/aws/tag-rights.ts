/**
 * Who may make, change, see and give LF-Tags. An administrator of the account may do all of it; others what they were
 * granted, value by value: ASSOCIATE on one value gives no other one. Giving a tag changes who sees the resource, so it
 * takes the resource as well: its maker's rights, Super, or all others, each with the grant option
 * (LFDG/TBAC-assigning-tags, TBAC-granting-tags).
 */
import type { Caller } from '../wire.ts';
import { isAdmin, mayRead } from './lookup.ts';
import { denied, invalid } from './resource.ts';
import { type Resource, type State, type Tag, tagKey } from './state.ts';

type TagId = Pick<Tag, 'account' | 'key'>;

export function mustMakeTags(state: State, caller: Caller, account: string): void {
	const granted = [...state.permissions.values()].some(
		({ principal, resource, permissions }) =>
			principal === caller.principal &&
			resource.kind === 'catalog' &&
			resource.account === account &&
			permissions.includes('CREATE_LF_TAG'),
	);
	if (!granted && !isAdmin(state, account, caller.principal)) throw denied();
}

/** To change or delete a tag is to have all its values in hand. */
export function mustChangeTag(state: State, caller: Caller, tag: TagId, right: 'ALTER' | 'DROP'): void {
	const values = state.tags.get(tagKey(tag))?.values ?? [];
	if (!holdsValues(state, caller, tag, right, values)) throw denied();
}

/** To give these values of the tag to the resource, or to take them away. */
export function mustAssociate(
	state: State,
	caller: Caller,
	tag: TagId,
	values: readonly string[],
	resource: Resource,
): void {
	if (!holdsValues(state, caller, tag, 'ASSOCIATE', values)) throw denied();
	if (tag.account !== resource.account) throw invalid('The LF-Tag and the resource must be in the same account');
}

/** Without rights on the resource, whether it exists is not told. */
export function mustTagResource(state: State, caller: Caller, resource: Resource): void {
	if (isAdmin(state, resource.account, caller.principal)) return;
	const grantable = new Set(
		[...state.permissions.values()]
			.filter(({ principal, resource: on }) => principal === caller.principal && isWhole(on, resource))
			.flatMap((permission) => permission.grantable),
	);
	const needed = resource.kind === 'database' ? databaseRights(caller, resource) : TABLE_RIGHTS;
	if (!grantable.has('ALL') && !needed.every((name) => grantable.has(name))) throw denied();
}

const TABLE_RIGHTS = ['ALTER', 'DELETE', 'DESCRIBE', 'DROP', 'INSERT', 'SELECT'];

/** Who comes from another account cannot have DROP. */
function databaseRights(caller: Caller, { account }: Resource): readonly string[] {
	const shared = ['ALTER', 'CREATE_TABLE', 'DESCRIBE'];
	return caller.account === account ? [...shared, 'DROP'] : shared;
}

/** Whether a right on the first is one on the whole database or table of the second. */
function isWhole(held: Resource, asked: Resource): boolean {
	if (held.account !== asked.account || !('database' in held) || !('database' in asked)) return false;
	if (held.database !== asked.database) return false;
	if (asked.kind === 'database') return held.kind === 'database';
	return held.kind === 'all-tables' || (held.kind === 'table' && 'table' in asked && held.table === asked.table);
}

function holdsValues(state: State, caller: Caller, tag: TagId, right: string, values: readonly string[]): boolean {
	if (isAdmin(state, tag.account, caller.principal)) return true;
	const held = new Set(
		onTag(state, caller, tag).flatMap(({ permissions, values: on }) => (permissions.includes(right) ? on : [])),
	);
	return held.has('*') || (values.length > 0 && values.every((value) => held.has(value)));
}

/** Whoever holds anything on a value of the tag sees it. */
export function seesTag(state: State, caller: Caller, tag: TagId): boolean {
	return onTag(state, caller, tag).length > 0 || mayRead(state, tag.account, caller.principal);
}

function onTag(state: State, caller: Caller, { account, key }: TagId) {
	return [...state.permissions.values()].flatMap(({ principal, permissions, resource }) => {
		const own = principal === caller.principal && resource.kind === 'tag';
		return own && resource.account === account && resource.key === key
			? [{ permissions, values: resource.values }]
			: [];
	});
}
