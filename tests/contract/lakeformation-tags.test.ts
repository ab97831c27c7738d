import { GetTableCommand } from '@aws-sdk/client-glue';
import {
	AddLFTagsToResourceCommand,
	CreateLFTagCommand,
	DeleteLFTagCommand,
	GetLFTagCommand,
	GetResourceLFTagsCommand,
	GrantPermissionsCommand,
	type LakeFormationClient,
	type LFTag,
	ListLFTagsCommand,
	type Permission,
	RemoveLFTagsFromResourceCommand,
	type Resource,
	type ResourceType,
	UpdateLFTagCommand,
} from '@aws-sdk/client-lakeformation';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emptyLanding } from '#local/aws.ts';
import {
	createFilter,
	filterNamed,
	grant,
	listPermissions,
	permission,
	revoke,
	tableNamed,
} from '#tests/local/calls.ts';
import {
	BROKER,
	BYSTANDER,
	GRANTOR,
	type Lake,
	LENDING,
	openLake,
	REGION,
	RISK,
	RISK_ROLE,
	refusal,
} from '#tests/local/harness.ts';

const loans = tableNamed('loans');
const lending: Resource = { Database: { CatalogId: LENDING, Name: 'lending' } };
const columns = (...ColumnNames: string[]): Resource => ({
	TableWithColumns: { CatalogId: LENDING, DatabaseName: 'lending', Name: 'loans', ColumnNames },
});
const policy = (Expression: LFTag[], type: ResourceType = 'TABLE'): Resource => ({
	LFTagPolicy: { CatalogId: LENDING, ResourceType: type, Expression },
});
const level = (...TagValues: string[]) => ({ TagKey: 'level', TagValues });
const area = (...TagValues: string[]) => ({ TagKey: 'area', TagValues });

let lake: Lake;
let admin: LakeFormationClient;
let bystander: LakeFormationClient;
beforeEach(async () => {
	lake = await openLake();
	admin = await lake.lakeformation(GRANTOR);
	bystander = await lake.lakeformation(BYSTANDER);
	await admin.send(new CreateLFTagCommand(level('open', 'secret')));
	await admin.send(new CreateLFTagCommand(area('credit', 'fraud')));
});
afterEach(async () => {
	await lake.close();
});

const put = async (Resource: Resource, ...LFTags: LFTag[]) =>
	(await admin.send(new AddLFTagsToResourceCommand({ Resource, LFTags }))).Failures?.map(
		(entry) => entry.Error?.ErrorCode,
	);
const take = async (Resource: Resource, ...LFTags: LFTag[]) =>
	(await admin.send(new RemoveLFTagsFromResourceCommand({ Resource, LFTags }))).Failures?.map(
		(entry) => entry.Error?.ErrorCode,
	);
const tagsOf = (resource: Resource, ShowAssignedLFTags = false) =>
	admin.send(new GetResourceLFTagsCommand({ Resource: resource, ShowAssignedLFTags }));
const columnsSeen = async (role = RISK_ROLE) => {
	const glue = await lake.glue(role);
	const found = glue.send(new GetTableCommand({ CatalogId: LENDING, DatabaseName: 'lending', Name: 'loans' }));
	return await found.then(({ Table }) => Table?.StorageDescriptor?.Columns?.map(({ Name }) => Name)).catch(() => null);
};
const ALL = ['loan_id', 'amount', 'status', 'note', 'granted_on'];

describe('an LF-Tag', () => {
	test('is made and changed by an administrator, or by who was granted that', async () => {
		const create = (client: LakeFormationClient) =>
			client.send(new CreateLFTagCommand({ TagKey: 'k', TagValues: ['v'] }));
		expect((await refusal(create(bystander))).typed).toBe('AccessDeniedException');
		expect((await refusal(bystander.send(new DeleteLFTagCommand({ TagKey: 'level' })))).typed).toBe(
			'AccessDeniedException',
		);
		await grant(admin, { Catalog: { Id: LENDING } }, ['CREATE_LF_TAG'], BYSTANDER);
		await create(bystander);
		await bystander.send(new UpdateLFTagCommand({ TagKey: 'k', TagValuesToAdd: ['w'] }));
		expect((await bystander.send(new ListLFTagsCommand({}))).LFTags?.map(({ TagKey }) => TagKey)).toEqual(['k']);
		await bystander.send(new DeleteLFTagCommand({ TagKey: 'k' }));
	});

	test('is made once and kept in lower case', async () => {
		expect((await refusal(admin.send(new CreateLFTagCommand(level('other'))))).typed).toBe('InvalidInputException');
		await admin.send(new CreateLFTagCommand({ TagKey: 'Team', TagValues: ['Blue'] }));
		expect(await admin.send(new GetLFTagCommand({ TagKey: 'TEAM' }))).toMatchObject({
			TagKey: 'team',
			TagValues: ['blue'],
		});
	});

	test('that is not there is not found', async () => {
		for (const call of [
			admin.send(new GetLFTagCommand({ TagKey: 'nosuch' })),
			admin.send(new UpdateLFTagCommand({ TagKey: 'nosuch', TagValuesToAdd: ['v'] })),
			admin.send(new DeleteLFTagCommand({ TagKey: 'nosuch' })),
			grant(admin, policy([{ TagKey: 'nosuch', TagValues: ['v'] }])),
			grant(admin, policy([level('nosuch')])),
		]) {
			expect((await refusal(call)).typed).toBe('EntityNotFoundException');
		}
	});

	test('keeps a value that something carries', async () => {
		await put(loans, level('open'));
		const remove = (value: string) =>
			admin.send(new UpdateLFTagCommand({ TagKey: 'level', TagValuesToDelete: [value] }));
		// Service model, UpdateLFTag.
		expect(await refusal(remove('open'))).toMatchObject({
			typed: 'InvalidInputException',
			message: 'Update not allowed',
		});
		await remove('secret');
		expect((await admin.send(new GetLFTagCommand({ TagKey: 'level' }))).TagValues).toEqual(['open']);
	});

	test('has one value on a resource; what does not fit is told tag by tag', async () => {
		expect(await put(loans, level('open', 'secret'), { TagKey: 'nosuch', TagValues: ['v'] }, area('credit'))).toEqual([
			'InvalidInputException',
			'EntityNotFoundException',
		]);
		expect(await take(loans, level('open'))).toEqual(['EntityNotFoundException']);
		await put(loans, area('fraud'));
		expect((await tagsOf(loans)).LFTagsOnTable).toEqual([{ CatalogId: LENDING, ...area('fraud') }]);
		expect((await refusal(put(tableNamed('nosuch'), level('open')))).typed).toBe('EntityNotFoundException');
	});

	test('passes from database to table to column unless they have their own', async () => {
		await put(lending, level('open'), area('credit'));
		await put(loans, area('fraud'));
		await put(columns('note'), level('secret'));
		const { LFTagOnDatabase, LFTagsOnTable, LFTagsOnColumns } = await tagsOf(loans);
		const values = (tags: LFTag[] | undefined) => tags?.flatMap(({ TagValues }) => TagValues).toSorted();
		expect([values(LFTagOnDatabase), values(LFTagsOnTable)]).toEqual([
			['credit', 'open'],
			['fraud', 'open'],
		]);
		const ofColumn = (name: string) => values(LFTagsOnColumns?.find(({ Name }) => Name === name)?.LFTags);
		expect([ofColumn('loan_id'), ofColumn('note')]).toEqual([
			['fraud', 'open'],
			['fraud', 'secret'],
		]);
		const own = await tagsOf(loans, true);
		expect(own.LFTagsOnColumns?.map(({ Name }) => Name)).toEqual(['note']);
		expect(values(own.LFTagsOnTable)).toEqual(['fraud']);
	});
});

describe('an LF-Tag is given to a resource', () => {
	const tag = (...TagValues: string[]): Resource => ({ LFTag: { CatalogId: LENDING, TagKey: 'level', TagValues } });
	const give = (value: string, on = loans, client = bystander) =>
		client.send(new AddLFTagsToResourceCommand({ Resource: on, LFTags: [level(value)] }));
	const failures = async (call: ReturnType<typeof give>) =>
		(await call).Failures?.map((entry) => entry.Error?.ErrorCode);
	const handOver = (on: Resource, names: Permission[], role = BYSTANDER) =>
		admin.send(new GrantPermissionsCommand({ ...permission(on, names, role), PermissionsWithGrantOption: names }));

	test('by who may grant everything on it, and by nobody who holds the tag alone', async () => {
		await grant(admin, tag('open', 'secret'), ['ASSOCIATE'], BYSTANDER);
		await handOver(loans, ['SELECT', 'DESCRIBE', 'ALTER', 'DROP', 'DELETE']);
		for (const on of [loans, columns('note'), lending, tableNamed('nosuch')])
			expect((await refusal(give('open', on))).name).toBe('AccessDeniedException');
		await handOver(loans, ['INSERT']);
		expect(await failures(give('open'))).toEqual([]);
		expect(await failures(give('secret', columns('note')))).toEqual([]);
		expect((await refusal(give('open', lending))).name).toBe('AccessDeniedException');
		await handOver(lending, ['ALL']);
		expect(await failures(give('open', lending))).toEqual([]);
	});

	test('with no value that its giver may not associate, nor taken away', async () => {
		await handOver(loans, ['ALL']);
		await grant(admin, tag('open'), ['ASSOCIATE'], BYSTANDER);
		await put(loans, level('secret'));
		expect(await failures(give('secret', columns('note')))).toEqual(['AccessDeniedException']);
		const removal = new RemoveLFTagsFromResourceCommand({ Resource: loans, LFTags: [level('secret')] });
		expect(await failures(bystander.send(removal))).toEqual(['AccessDeniedException']);
		expect((await tagsOf(loans, true)).LFTagsOnTable).toEqual([{ CatalogId: LENDING, ...level('secret') }]);
	});

	test('nor changed or deleted by who holds some of its values', async () => {
		await grant(admin, tag('open'), ['ALTER', 'DROP'], BYSTANDER);
		const change = new UpdateLFTagCommand({ TagKey: 'level', TagValuesToDelete: ['secret'] });
		expect((await refusal(bystander.send(change))).name).toBe('AccessDeniedException');
		const removal = new DeleteLFTagCommand({ TagKey: 'level' });
		expect((await refusal(bystander.send(removal))).name).toBe('AccessDeniedException');
		await grant(admin, tag('secret'), ['ALTER'], BYSTANDER);
		await bystander.send(change);
	});

	test('of its own account only', async () => {
		const KEEPER = `arn:aws:iam::${RISK}:role/keeper`;
		await lake.aws.provision({
			...emptyLanding(REGION),
			accounts: [{ id: RISK, admins: [KEEPER], createTableDefaultPermissionsCleared: true }],
			roles: [{ arn: KEEPER, trusts: [BROKER] }],
		});
		const keeper = await lake.lakeformation(KEEPER);
		await keeper.send(new CreateLFTagCommand(level('open')));
		await handOver(loans, ['ALL'], KEEPER);
		expect(await failures(give('open', loans, keeper))).toEqual(['InvalidInputException']);
		expect((await tagsOf(loans, true)).LFTagsOnTable ?? []).toEqual([]);
	});

	test('and is shared with another account to be seen and associated, no more; a database by tag not to be dropped', async () => {
		const refusedTo = async (on: Resource, names: Permission[], grantable: Permission[] = []) =>
			(
				await refusal(
					admin.send(new GrantPermissionsCommand({ ...permission(on, names), PermissionsWithGrantOption: grantable })),
				)
			).name;
		for (const name of ['ALTER', 'DROP', 'GRANT_WITH_LF_TAG_EXPRESSION'] as Permission[])
			expect(await refusedTo(tag('open'), [name])).toBe('InvalidInputException');
		expect(await refusedTo(tag('open'), ['DESCRIBE'], ['ALTER'])).toBe('InvalidInputException');
		await grant(admin, tag('open'), ['DESCRIBE', 'ASSOCIATE']);
		const databases = policy([level('open')], 'DATABASE');
		for (const name of ['DROP', 'ALL'] as Permission[])
			expect(await refusedTo(databases, [name])).toBe('InvalidInputException');
		expect(await refusedTo(databases, ['DESCRIBE'], ['DROP'])).toBe('InvalidInputException');
		await grant(admin, databases, ['DESCRIBE']);
		await grant(admin, databases, ['DROP'], BYSTANDER);
	});
});

describe('a grant on an expression of LF-Tags', () => {
	test('reaches the tables that carry one value of each key, and no others', async () => {
		await put(loans, level('open'));
		await grant(admin, policy([level('open', 'secret'), area('credit')]));
		expect(await columnsSeen()).toBeNull();
		await put(loans, area('fraud'));
		expect(await columnsSeen()).toBeNull();
		await put(loans, area('credit'));
		expect(await columnsSeen()).toEqual(ALL);
		await take(loans, level('open'));
		expect(await columnsSeen()).toBeNull();
	});

	test('on a database does not reach its tables', async () => {
		await put(lending, level('open'));
		await grant(admin, policy([level('open')], 'DATABASE'), ['DESCRIBE']);
		expect(await columnsSeen()).toBeNull();
	});

	test('reaches no column with another value, and gives rights to change on some columns to nobody', async () => {
		await put(loans, level('open'));
		await put(columns('note', 'amount'), level('secret'));
		await grant(admin, policy([level('open')]), ['ALL']);
		expect(await columnsSeen()).toEqual(['loan_id', 'status', 'granted_on']);
	});

	test('adds to what is granted by name', async () => {
		await createFilter(admin, { ColumnNames: ['note'] });
		await grant(admin, filterNamed());
		await put(columns('status'), level('open'));
		expect(await columnsSeen()).toEqual(['note']);
		await grant(admin, policy([level('open')]));
		expect(await columnsSeen()).toEqual(['status', 'note']);
		await revoke(admin, policy([level('open')]));
		expect(await columnsSeen()).toEqual(['note']);
	});

	test('reaches nothing once the tag is deleted', async () => {
		await put(loans, level('open'));
		await grant(admin, policy([level('open')]));
		expect(await columnsSeen()).toEqual(ALL);
		await admin.send(new DeleteLFTagCommand({ TagKey: 'level' }));
		expect(await columnsSeen()).toBeNull();
	});

	test('is the same however its keys and values are ordered, and is listed by its type', async () => {
		await grant(admin, policy([level('secret', 'open'), area('credit')]));
		await grant(admin, policy([area('credit'), level('open', 'secret')]), ['DESCRIBE']);
		const found = await listPermissions(admin, { ResourceType: 'LF_TAG_POLICY_TABLE' });
		expect(found.map(({ Resource, Permissions }) => [Resource, Permissions])).toEqual([
			[policy([area('credit'), level('open', 'secret')]), ['DESCRIBE', 'SELECT']],
		]);
		expect(await listPermissions(admin, { ResourceType: 'LF_TAG_POLICY_DATABASE' })).toEqual([]);
	});

	test('is refused without an expression, with a key twice, beyond 900 bytes, and from others', async () => {
		const long = Array.from({ length: 30 }, (_, i) => `${i}${'x'.repeat(40)}`);
		await admin.send(new CreateLFTagCommand({ TagKey: 'long', TagValues: long }));
		for (const expression of [[], [level('open'), level('secret')], [{ TagKey: 'long', TagValues: long }]]) {
			expect((await refusal(grant(admin, policy(expression)))).typed).toBe('InvalidInputException');
		}
		expect((await refusal(grant(bystander, policy([level('open')])))).name).toBe('AccessDeniedException');
	});

	test('is refused beyond 50 for one principal', async () => {
		const values = Array.from({ length: 50 }, (_, i) => `v${i}`);
		await admin.send(new CreateLFTagCommand({ TagKey: 'k', TagValues: values }));
		for (const value of values) await grant(admin, policy([{ TagKey: 'k', TagValues: [value] }]));
		expect((await refusal(grant(admin, policy([level('open')])))).name).toBe('ResourceNumberLimitExceededException');
		await grant(admin, policy([level('open')]), ['SELECT'], BYSTANDER);
	});
});
