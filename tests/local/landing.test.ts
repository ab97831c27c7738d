import { describe, expect, test } from 'vitest';
import { provision } from '#local/aws/landing.ts';
import { cellsOf, describedColumns, findTable, seesLink } from '#local/aws/lookup.ts';
import { defaultsFor, grantedByDefault, grantedToCreator } from '#local/aws/permissions.ts';
import {
	emptyLanding,
	emptyState,
	fromFile,
	type LandingInput,
	permissionKey,
	put,
	type Resource,
	type State,
	StateFile,
	toFile,
} from '#local/aws/state.ts';

const REGION = 'eu-central-1';
const OWNER = '210000000001';
const OTHER = '210000000004';
const ADMIN = `arn:aws:iam::${OWNER}:role/admin`;
const READER = `arn:aws:iam::${OTHER}:role/reader`;
const LATER = `arn:aws:iam::${OTHER}:role/later`;
const NOW = new Date('2026-03-01T00:00:00Z');
const orders: Resource = { kind: 'table', account: OWNER, database: 'shop', table: 'orders' };
const shop: Resource = { kind: 'database', account: OWNER, database: 'shop' };
const EVERYBODY = 'IAM_ALLOWED_PRINCIPALS';

function landing(cleared: boolean, more: Partial<LandingInput> = {}): LandingInput {
	return {
		...emptyLanding(REGION),
		accounts: [{ id: OWNER, admins: [ADMIN], createTableDefaultPermissionsCleared: cleared }],
		roles: [ADMIN, READER].map((arn) => ({ arn, trusts: [] })),
		databases: [{ account: OWNER, name: 'shop' }],
		links: [{ account: OTHER, name: 'their_shop', target: { account: OWNER, database: 'shop' } }],
		tables: [
			{
				account: OWNER,
				database: 'shop',
				name: 'orders',
				location: 's3://lake/orders',
				columns: ['id', 'amount', 'day'].map((name) => ({ name, type: 'string' })),
				format: { kind: 'parquet' },
				files: [],
				registered: true,
				partitionKeys: ['day'],
			},
		],
		...more,
	};
}

const made = (cleared = true, more: Partial<LandingInput> = {}, before = emptyState(REGION)) =>
	provision(before, landing(cleared, more), NOW);
const held = (state: State) =>
	[...state.permissions.values()].map(({ principal, resource, permissions }) => [principal, resource, permissions]);
const without = (state: State, principal: string, resource: Resource): State => ({
	...state,
	permissions: put(state.permissions, permissionKey({ principal, resource }), undefined),
});
const link: Resource = { kind: 'database', account: OTHER, database: 'their_shop' };

describe('a landing zone', () => {
	test('grants what it lists once: what is revoked since does not come back, what it lists anew is granted', () => {
		const entry = { principal: ADMIN, resource: { kind: 'catalog' as const, account: OWNER }, permissions: ['ALL'] };
		const first = made(true, { permissions: [entry] });
		expect(held(first)).toContainEqual([ADMIN, entry.resource, ['ALL']]);
		const again = made(true, { permissions: [entry] }, without(first, ADMIN, entry.resource));
		expect(held(again)).not.toContainEqual([ADMIN, entry.resource, ['ALL']]);
		const more = { principal: READER, resource: shop, permissions: ['DESCRIBE'] };
		expect(held(made(true, { permissions: [entry, more] }, again))).toContainEqual([READER, shop, ['DESCRIBE']]);
	});

	test('grants nobody anything on its tables where the defaults were cleared, and everybody Super where not', () => {
		expect(
			held(made()).filter(([, resource]) => resource !== link && (resource as Resource).account === OWNER),
		).toEqual([]);
		const open = made(false);
		expect(held(open)).toContainEqual([EVERYBODY, orders, ['ALL']]);
		expect(held(open)).toContainEqual([EVERYBODY, shop, ['ALL']]);
		const closed = without(open, EVERYBODY, orders);
		expect(held(made(false, {}, closed))).not.toContainEqual([EVERYBODY, orders, ['ALL']]);
	});

	test('shows its links to the roles of their account, also to one that comes later, and to no other', () => {
		const state = made();
		expect(seesLink(state, READER, OTHER, 'their_shop')).toBe(true);
		expect(seesLink(state, ADMIN, OTHER, 'their_shop')).toBe(false);
		expect(seesLink(state, LATER, OTHER, 'their_shop')).toBe(false);
		const later = made(true, { roles: [{ arn: LATER, trusts: [] }] }, without(state, READER, link));
		expect(seesLink(later, LATER, OTHER, 'their_shop')).toBe(true);
		expect(seesLink(later, READER, OTHER, 'their_shop')).toBe(false);
	});

	test('survives being kept in a file', () => {
		const state = made(false);
		expect(fromFile(StateFile.parse(JSON.parse(JSON.stringify(toFile(state)))))).toEqual(state);
	});
});

describe('what comes without a grant', () => {
	test('a new table has the defaults of its database, which had those of the settings when it was made', () => {
		expect(defaultsFor(made(), orders)).toEqual([]);
		const open = made(false);
		expect(defaultsFor(open, orders)).toEqual([{ principal: EVERYBODY, permissions: ['ALL'] }]);
		const settings = open.settings.get(OWNER);
		const cleared = {
			...open,
			settings: put(open.settings, OWNER, settings && { ...settings, createTableDefaults: [] }),
		};
		expect(defaultsFor(cleared, orders)).toEqual([{ principal: EVERYBODY, permissions: ['ALL'] }]);
		const fresh: Resource = { ...orders, table: 'fresh' };
		expect(held(grantedByDefault(cleared, ADMIN, fresh, NOW))).toContainEqual([EVERYBODY, fresh, ['ALL']]);
	});

	test('who makes a table holds everything on it and may grant it; who makes a link describes and drops it', () => {
		const table = grantedToCreator(made(), READER, orders, NOW).permissions.get(
			permissionKey({ principal: READER, resource: orders }),
		);
		const names = ['ALL', 'ALTER', 'DELETE', 'DESCRIBE', 'DROP', 'INSERT', 'SELECT'];
		expect(table).toMatchObject({ permissions: names, grantable: names, updatedBy: READER });
		const keyOfLink = permissionKey({ principal: READER, resource: link });
		expect(grantedToCreator(made(), READER, link, NOW).permissions.get(keyOfLink)).toMatchObject({
			permissions: ['DESCRIBE', 'DROP'],
			grantable: ['DESCRIBE', 'DROP'],
		});
	});
});

describe('the columns that a grant opens', () => {
	const columns = (listed: string[] | null, excluded: string[] = []): Resource => ({
		kind: 'columns',
		account: OWNER,
		database: 'shop',
		table: 'orders',
		columns: listed,
		excluded,
	});
	const opened = (state: State, ...resources: Resource[]) => {
		const table = findTable(state, OWNER, 'shop', 'orders');
		if (table === undefined) throw new Error('the table is not there');
		const permissions = resources.map((resource) => ({
			principal: READER,
			resource,
			permissions: ['SELECT'],
			grantable: [],
			updated: 0,
			updatedBy: ADMIN,
		}));
		const granted = { ...state, permissions: new Map(permissions.map((entry) => [permissionKey(entry), entry])) };
		return {
			cells: cellsOf(granted, READER, table).map((grant) => grant.columns),
			described: describedColumns(granted, READER, table),
		};
	};

	test('are those of its list, all but the excluded ones, and the union of several grants', () => {
		expect(opened(made())).toEqual({ cells: [], described: undefined });
		expect(opened(made(), columns(null, ['amount'])).described).toEqual(['id', 'day']);
		expect(opened(made(), columns(['id']), columns(['amount'])).described).toEqual(['id', 'amount', 'day']);
	});

	test('never leave out a partition key (data-filtering-notes)', () => {
		expect(opened(made(), columns(['id'])).cells).toEqual([['id', 'day']]);
		expect(opened(made(), columns(null, ['day', 'id'])).cells).toEqual([['amount', 'day']]);
	});

	test('include a new column under a wildcard only', () => {
		const [table, ...others] = landing(true).tables;
		if (table === undefined) throw new Error('the table is not there');
		const wider = { ...table, columns: [{ name: 'secret', type: 'string' }, ...table.columns] };
		const state = made(true, { tables: [wider, ...others] });
		expect(opened(state, columns(['id'])).described).toEqual(['id', 'day']);
		expect(opened(state, columns(null, ['amount'])).described).toEqual(['secret', 'id', 'day']);
	});
});
