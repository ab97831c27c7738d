/**
 * What LF-Tags mean: which tags a resource carries, and which grants on tag expressions reach it. A table has the
 * tags of its database and a column those of its table, unless it has a value of its own for the key; an
 * expression asks for one of some values of every key (LFDG/lf-tag-considerations).
 */
import type { Permission, Resource, State, Table } from './state.ts';

export type Expression = Extract<Resource, { kind: 'tag-policy' }>['expression'];
type Tags = ReadonlyMap<string, string>;
type Tagged = Pick<Table, 'account' | 'database' | 'name' | 'columns'>;

/** The tags given to exactly this resource, key by key. */
export function assignedTags(state: State, resource: Resource): Tags {
	const found = new Map<string, string>();
	for (const tag of state.tags.values()) {
		const assigned = tag.assigned.find((entry) => same(entry.resource, resource));
		if (tag.account === resource.account && assigned !== undefined) found.set(tag.key, assigned.value);
	}
	return found;
}

export function same(a: Resource, b: Resource): boolean {
	if (a.kind !== b.kind || a.account !== b.account) return false;
	if (a.kind === 'database' && b.kind === 'database') return a.database === b.database;
	if (a.kind === 'table' && b.kind === 'table') return a.database === b.database && a.table === b.table;
	if (a.kind !== 'columns' || b.kind !== 'columns') return false;
	return a.database === b.database && a.table === b.table && a.columns?.join() === b.columns?.join();
}

export function databaseTags(state: State, account: string, database: string): Tags {
	return assignedTags(state, { kind: 'database', account, database });
}

export function tableTags(state: State, table: Omit<Tagged, 'columns'>): Tags {
	const { account, database, name } = table;
	const own = assignedTags(state, { kind: 'table', account, database, table: name });
	return new Map([...databaseTags(state, account, database), ...own]);
}

export function columnTags(state: State, table: Omit<Tagged, 'columns'>, column: string): Tags {
	return new Map([...tableTags(state, table), ...assignedTags(state, columnOf(table, column))]);
}

export function columnOf({ account, database, name }: Omit<Tagged, 'columns'>, column: string): Resource {
	return { kind: 'columns', account, database, table: name, columns: [column], excluded: [] };
}

/** Whether the table, its database or one of its columns carries a tag. */
export function isTagged(state: State, table: Tagged): boolean {
	return (
		tableTags(state, table).size > 0 ||
		table.columns.some(({ name }) => assignedTags(state, columnOf(table, name)).size > 0)
	);
}

function matches(tags: Tags, expression: Expression): boolean {
	return expression.every(({ key, values }) => {
		const value = tags.get(key);
		return value !== undefined && (values.includes(value) || values.includes('*'));
	});
}

function policies(state: State, account: string, on: 'DATABASE' | 'TABLE') {
	return [...state.permissions.values()].flatMap((permission) => {
		const { resource } = permission;
		const fits = resource.kind === 'tag-policy' && resource.account === account && resource.on === on;
		return fits ? [{ permission, expression: resource.expression }] : [];
	});
}

/** The grants on tag expressions that reach this table, written as grants on it or on some of its columns. */
export function taggedOnTable(state: State, table: Tagged): Permission[] {
	return policies(state, table.account, 'TABLE').flatMap(({ permission, expression }) => {
		const names = table.columns.map(({ name }) => name);
		const columns = names.filter((name) => matches(columnTags(state, table, name), expression));
		const ref = { account: table.account, database: table.database, table: table.name };
		if (columns.length === names.length) return [{ ...permission, resource: { kind: 'table' as const, ...ref } }];
		if (columns.length > 0) {
			const resource = { kind: 'columns' as const, ...ref, columns, excluded: [] };
			return [degraded({ ...permission, resource })];
		}
		if (!matches(tableTags(state, table), expression)) return [];
		return [{ ...permission, resource: { kind: 'table' as const, ...ref }, permissions: ['DESCRIBE'], grantable: [] }];
	});
}

/** On some columns only, rights to change become DESCRIBE and Super becomes SELECT and DESCRIBE. */
function degraded(permission: Permission): Permission {
	const reading = (names: readonly string[]) => [
		...new Set(
			names.flatMap((name) => (name === 'ALL' ? ['DESCRIBE', 'SELECT'] : name === 'SELECT' ? [name] : ['DESCRIBE'])),
		),
	];
	return { ...permission, permissions: reading(permission.permissions), grantable: reading(permission.grantable) };
}

/** The grants on tag expressions that reach this database. */
export function taggedOnDatabase(state: State, account: string, database: string): Permission[] {
	const tags = databaseTags(state, account, database);
	return policies(state, account, 'DATABASE')
		.filter(({ expression }) => matches(tags, expression))
		.map(({ permission }) => ({ ...permission, resource: { kind: 'database', account, database } }));
}
