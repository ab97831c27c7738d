/**
 * The doctor over a real bank: it finds each thing that an administrator may have left wrong, where a request for access
 * is then refused for the same reason, and it changes nothing.
 */

import { UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam';
import {
	AddLFTagsToResourceCommand,
	BatchGrantPermissionsCommand,
	CreateDataCellsFilterCommand,
	CreateLakeFormationOptInCommand,
	CreateLFTagCommand,
	DeleteLakeFormationOptInCommand,
	DeregisterResourceCommand,
	GetDataLakeSettingsCommand,
	GrantPermissionsCommand,
	ListResourcesCommand,
	type Permission,
	PutDataLakeSettingsCommand,
	RegisterResourceCommand,
	RemoveLFTagsFromResourceCommand,
	RevokePermissionsCommand,
} from '@aws-sdk/client-lakeformation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Context, systemContext } from '#core/context.ts';
import * as Doctor from '#core/doctor.ts';
import type { Check } from '#core/preflight.ts';
import { demand } from '#core/preflight.ts';
import { BROKER } from '#local/bank.ts';
import { contractOf, principalOf } from '#local/story/world.ts';
import { administratorOf } from '#tests/administrator.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { expectRefusal, get, grantTo, post, refused, requestBody } from './harness.ts';

type Next = (args: unknown) => Promise<unknown>;
type Stack = {
	add: (
		middleware: (next: Next, context: { commandName?: string }) => Next,
		options: { step: 'initialize'; name: string },
	) => void;
};
type Undo = () => Promise<unknown>;
type Spoilt = {
	readonly check: Check;
	readonly severity: 'blocks' | 'warns';
	readonly how: string;
	readonly spoil: () => Promise<Undo>;
};

let test: TestBank;
let at: { account: string; database: string; table: string };
let principal: string;
let consumer: string;

beforeAll(async () => {
	test = await testBank();
	const [loans] = contractOf(test.world, 'lending.loans').tables;
	at = { account: loans?.account ?? '', database: loans?.database ?? '', table: loans?.name ?? '' };
	principal = principalOf(test.world, 'risk', 'credit-risk');
	consumer = principal.split(':')[4] ?? '';
});

afterAll(() => test.close());

const lf = (account = at.account) => administratorOf(test.bank).lakeformation(account);
const named = () => ({ CatalogId: at.account, DatabaseName: at.database, Name: at.table });
const TABLE = () => ({ Table: named() });

async function examined(path = '/doctor', who: 'oscar' | 'olga' | 'stella' = 'oscar'): Promise<Doctor.Examination> {
	const answer = await test.world.call(get(who, path));
	expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 200 });
	return Doctor.Examination.parse(answer.body);
}

function holding(holder: string, permission: Permission, resource = TABLE()): () => Promise<Undo> {
	return async () => {
		const right = { Principal: { DataLakePrincipalIdentifier: holder }, Resource: resource, Permissions: [permission] };
		await lf().send(new GrantPermissionsCommand(right));
		return () => lf().send(new RevokePermissionsCommand(right));
	};
}

/** The registration above the table, taken away or changed by `how`, and back. */
async function registration(how: (of: { ResourceArn: string; RoleArn: string }) => Promise<unknown>): Promise<Undo> {
	const { ResourceInfoList: all } = await lf().send(new ListResourcesCommand({}));
	const of = all?.find((r) => r.ResourceArn?.includes(at.table));
	const found = { ResourceArn: of?.ResourceArn ?? '', RoleArn: of?.RoleArn ?? '' };
	await how(found);
	return async () => {
		await lf()
			.send(new DeregisterResourceCommand({ ResourceArn: found.ResourceArn }))
			.catch(() => {});
		await lf().send(new RegisterResourceCommand({ ...found, UseServiceLinkedRole: false }));
	};
}

async function settings(account: string, change: Record<string, unknown>): Promise<Undo> {
	const { DataLakeSettings: before } = await lf(account).send(new GetDataLakeSettingsCommand({}));
	await lf(account).send(new PutDataLakeSettingsCommand({ DataLakeSettings: { ...before, ...change } }));
	return () => lf(account).send(new PutDataLakeSettingsCommand({ DataLakeSettings: before }));
}

const ROLE_NAME = () => principal.slice(principal.lastIndexOf('/') + 1);
async function trust(...trusted: string[]): Promise<void> {
	const Statement = trusted.map((AWS) => ({ Effect: 'Allow', Principal: { AWS }, Action: 'sts:AssumeRole' }));
	const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
	const iam = administratorOf(test.bank).iam(consumer);
	await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: ROLE_NAME(), PolicyDocument }));
}

const trusting = (also: string) => async (): Promise<Undo> => {
	await trust(BROKER, also);
	return () => trust(BROKER);
};

const tagged = async (): Promise<Undo> => {
	await lf().send(new CreateLFTagCommand({ TagKey: 'zone', TagValues: ['silver'] }));
	const LFTags = [{ TagKey: 'zone', TagValues: ['silver'] }];
	await lf().send(new AddLFTagsToResourceCommand({ Resource: TABLE(), LFTags }));
	return () => lf().send(new RemoveLFTagsFromResourceCommand({ Resource: TABLE(), LFTags }));
};

const undescribed = async (): Promise<Undo> => {
	const right = {
		Principal: { DataLakePrincipalIdentifier: principal },
		Resource: { Database: { CatalogId: consumer, Name: 'default' } },
		Permissions: ['DESCRIBE' as const],
	};
	await lf(consumer).send(new RevokePermissionsCommand(right));
	return async () => {
		await lf(consumer).send(new GrantPermissionsCommand(right));
	};
};

/** Nobody reads an account as its administrator but these. */
const blind = (account: string, ...readers: string[]) =>
	settings(account, {
		ReadOnlyAdmins: readers.map((DataLakePrincipalIdentifier) => ({ DataLakePrincipalIdentifier })),
	});

const cases: readonly Spoilt[] = [
	{
		check: 'iam-allowed-principals',
		severity: 'blocks',
		how: 'IAMAllowedPrincipals holds ALL on the table',
		spoil: () => holding('IAM_ALLOWED_PRINCIPALS', 'ALL')(),
	},
	{
		check: 'hidden-rights',
		severity: 'blocks',
		how: 'the grantor is no administrator',
		spoil: () => blind(at.account),
	},
	{
		check: 'hidden-rights',
		severity: 'warns',
		how: "Fairlead's role in a consuming account is no administrator",
		spoil: () => blind(consumer, `arn:aws:iam::${consumer}:role/fairlead-grantor`),
	},
	{
		check: 'location-not-registered',
		severity: 'blocks',
		how: 'the location is deregistered',
		spoil: () => registration(({ ResourceArn }) => lf().send(new DeregisterResourceCommand({ ResourceArn }))),
	},
	{
		check: 'lf-tags',
		severity: 'blocks',
		how: 'the table has an LF-Tag',
		spoil: () => tagged(),
	},
	{
		check: 'writer',
		severity: 'blocks',
		how: 'the principal may insert',
		spoil: () => holding(principal, 'INSERT')(),
	},
	{
		check: 'trust-policy',
		severity: 'blocks',
		how: 'another account may be the principal',
		spoil: () => trusting('arn:aws:iam::219999999999:root')(),
	},
	{
		check: 'trust-policy',
		severity: 'warns',
		how: 'another role may be the principal',
		spoil: () => trusting(`arn:aws:iam::${consumer}:role/fairlead-consumer`)(),
	},
	{
		check: 'writer',
		severity: 'warns',
		how: 'somebody else may insert',
		spoil: () => holding(`arn:aws:iam::${consumer}:role/fairlead-consumer`, 'INSERT')(),
	},
	{
		check: 'default-permissions',
		severity: 'warns',
		how: 'new tables are granted to a role by themselves',
		spoil: () =>
			settings(at.account, {
				CreateTableDefaultPermissions: [
					{ Principal: { DataLakePrincipalIdentifier: 'IAM_ALLOWED_PRINCIPALS' }, Permissions: ['ALL'] },
				],
			}),
	},
	{
		check: 'describe-default',
		severity: 'warns',
		how: 'the principal may not describe the database default',
		spoil: () => undescribed(),
	},
];

/** Found on principals, wherever these hold anything. */
const ofPrincipals: ReadonlySet<string> = new Set([
	'trust-policy blocks',
	'trust-policy warns',
	'describe-default warns',
	'hidden-rights warns',
]);

describe('a mesh in order', () => {
	it('has nothing to be found, whoever may look: its operators, its stewards, and owners in their own domain', async () => {
		const { examined: seen, counts, findings, drift } = await examined();
		expect({ counts, findings, drift }).toEqual({ counts: { blocks: 0, warns: 0, drift: 0 }, findings: [], drift: [] });
		expect(seen.products).toBe(test.world.contracts.length);
		expect(seen.principals).toBe(test.world.domains.flatMap((d) => d.principals).length);
		const part = await examined('/doctor?domain=lending', 'olga');
		expect(part.examined.products).toBe(test.world.contracts.filter((c) => c.contract.domain === 'lending').length);
		expect((await examined('/doctor?product=lending.loans', 'stella')).examined).toMatchObject({
			products: 1,
			tables: 1,
		});
	});

	it('is shown to nobody else, nor an owner more than his own, with the rules that say so', async () => {
		const elsewhere = [
			'/doctor',
			'/doctor?domain=payments',
			'/doctor?product=payments.orders',
			'/doctor?domain=nosuch',
		];
		for (const path of elsewhere) {
			const { detail } = await refused(test, get('olga', path), 403, 'not-permitted');
			expect(detail).toMatch(/governance-examines.*owners-examine/);
		}
		for (const who of ['alice', 'paula', 'rita', 'nick'] as const) {
			await refused(test, get(who, '/doctor?domain=lending'), 403, 'not-permitted');
		}
		await refused(test, get('oscar', '/doctor?product=lending.nosuch'), 404, 'not-found');
		await refused(test, get('oscar', '/doctor?domain=nosuch'), 404, 'not-found');
		await refused(test, get('oscar', '/doctor?domain=payments&product=lending.loans'), 404, 'not-found');
	});
});

describe('what is wrong', () => {
	it.each(cases)('is found, and gone once mended: $how', async ({ check, severity, spoil }) => {
		const path = ofPrincipals.has(`${check} ${severity}`) ? '/doctor?domain=risk' : '/doctor?product=lending.loans';
		const undo = await spoil();
		try {
			const { findings, counts } = await examined(path);
			const own = findings.filter((f) => [at.account, consumer].includes(f.where.account) && f.check === check);
			expect(own.map((f) => f.severity)).toContain(severity);
			expect(counts[severity]).toBeGreaterThan(0);
			const asked = post('alice', '/requests', requestBody(test.world));
			if (severity === 'blocks') {
				const { detail, findings: told } = await refused(test, asked, 409, 'not-governed');
				expect(told).toMatchObject([{ check, severity, where: expect.objectContaining({}), fix: expect.any(String) }]);
				expect(detail).toContain((told as { fix: string }[])[0]?.fix);
			} else expect((await test.world.call(asked)).status).toBe(201);
		} finally {
			await undo();
		}
		expect((await examined(path)).findings).toEqual([]);
	});

	it('a location in hybrid access mode warns, and keeps everybody out who is not opted in', async () => {
		// What was registered with the service-linked role is never updated to hybrid mode.
		const undo = await registration(async ({ ResourceArn }) => {
			await lf().send(new DeregisterResourceCommand({ ResourceArn }));
			const RoleArn = `arn:aws:iam::${at.account}:role/registration`;
			await lf().send(new RegisterResourceCommand({ ResourceArn, RoleArn, HybridAccessEnabled: true }));
		});
		try {
			const { findings } = await examined('/doctor?product=lending.loans');
			expect(findings).toMatchObject([{ check: 'hybrid-without-opt-in', severity: 'warns' }]);
			const asked = post('alice', '/requests', requestBody(test.world));
			expect(await refused(test, asked, 409, 'not-governed')).toMatchObject({
				findings: [{ check: 'hybrid-without-opt-in', severity: 'blocks', where: { principal } }],
			});
			const optIn = { Principal: { DataLakePrincipalIdentifier: principal }, Resource: TABLE() };
			await lf().send(new CreateLakeFormationOptInCommand(optIn));
			expect((await test.world.call(asked)).status).toBe(201);
			await lf().send(new DeleteLakeFormationOptInCommand(optIn));
		} finally {
			await undo();
		}
	});

	it('what could not be looked at is told as that, and keeps everybody out', async () => {
		const iam = test.bank.platform.aws.consumer.iam(consumer);
		const refuse = (name: string) =>
			iam.middlewareStack.add(
				() => async () => {
					throw Object.assign(new Error('injected'), { name });
				},
				{ step: 'initialize', name: 'refuse' },
			);
		const asked = post('alice', '/requests', requestBody(test.world));
		try {
			refuse('AccessDeniedException');
			const { findings } = await examined();
			expect(new Set(findings.map((f) => `${f.check} ${f.severity}`))).toEqual(new Set(['not-checked blocks']));
			expect(await refused(test, asked, 409, 'not-governed')).toMatchObject({ findings: [{ check: 'not-checked' }] });
			iam.middlewareStack.remove('refuse');
			refuse('TimeoutError');
			expectRefusal(await test.world.call(asked), 503, 'unavailable');
		} finally {
			iam.middlewareStack.remove('refuse');
		}
	});

	it('a table with 99 filters of others for the principal has no room for one of ours', async () => {
		const body = requestBody(test.world, {
			product: 'lending.accounts',
			tables: [{ table: 'accounts', columns: ['account_id'] }],
		});
		const accounts = { TableCatalogId: at.account, DatabaseName: at.database, TableName: 'accounts' };
		const names = Array.from({ length: 99 }, (_, i) => `theirs-${i}`);
		for (const Name of names) {
			const TableData = { ...accounts, Name, ColumnNames: ['account_id'], RowFilter: { AllRowsWildcard: {} } };
			await lf().send(new CreateDataCellsFilterCommand({ TableData }));
		}
		for (let i = 0; i < names.length; i += 20) {
			const Entries = names.slice(i, i + 20).map((Name) => ({
				Id: Name,
				Principal: { DataLakePrincipalIdentifier: principal },
				Resource: { DataCellsFilter: { ...accounts, Name } },
				Permissions: ['SELECT' as const],
			}));
			expect((await lf().send(new BatchGrantPermissionsCommand({ Entries }))).Failures ?? []).toEqual([]);
		}
		const { findings } = await examined('/doctor?product=lending.accounts');
		expect(findings.map((f) => `${f.check} ${f.severity}`)).toContain('filter-quota blocks');
		const problem = await refused(test, post('alice', '/requests', body), 409, 'quota-exceeded');
		expect(problem['findings']).toMatchObject([{ check: 'filter-quota', where: { principal } }]);
	});
});

describe('looking', () => {
	it('sends nothing that writes, to AWS or to the ledger', async () => {
		await grantTo(test.world, 'alice', requestBody(test.world));
		const sent = new Set<string>();
		const { aws, config } = test.bank.platform;
		const accounts = [...new Set(test.world.domains.flatMap((d) => [d.account, ...d.catalogs.map((c) => c.account)]))];
		const clients = [
			aws.dynamodb,
			...accounts.flatMap((a) => [aws.lakeformation(a), aws.glue(a)]),
			...accounts.flatMap((a) => [aws.consumer.lakeformation(a), aws.consumer.glue(a), aws.consumer.iam(a)]),
		];
		for (const { middlewareStack: stack } of clients) {
			// One type for all services: what is recorded is the name alone.
			(stack as unknown as Stack).add(
				(next, context) => async (args) => {
					sent.add(context.commandName ?? '');
					return next(args);
				},
				{ step: 'initialize', name: 'record' },
			);
		}
		const before = test.bank.aws.lakeFormationState();
		const person = {
			issuer: '',
			subject: 'x',
			person: 'per_x',
			roles: [{ domain: config.governance, role: 'operator' }],
		};
		const ctx = { ...systemContext(test.bank.platform, '0'.repeat(32)), caller: person } as Context;
		await Doctor.examine(ctx, {});
		const scope = { columns: ['loan_id'], rowFilter: null };
		await demand(ctx, at, { principal, scope });
		for (const client of clients) client.middlewareStack.remove('record');
		expect([...sent].filter((name) => !/^(Get|List|Query)\w*Command$/.test(name))).toEqual([]);
		expect([...sent].toSorted()).toEqual(
			expect.arrayContaining(['GetRoleCommand', 'GetTableCommand', 'ListPermissionsCommand', 'ListResourcesCommand']),
		);
		expect(test.bank.aws.lakeFormationState()).toEqual(before);
	});

	it('tells of drift that the last reconciliation could not mend', async () => {
		const undo = await holding(principal, 'SELECT')();
		await test.bank.reconcile();
		const { drift, counts } = await examined('/doctor?product=lending.loans');
		expect(counts.drift).toBe(drift.length);
		expect(drift).toMatchObject([{ ...at, kind: 'extra-permission', principal, permissions: ['SELECT'] }]);
		await undo();
	});
});
