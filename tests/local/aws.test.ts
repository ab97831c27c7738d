import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
	CreateTableCommand,
	DynamoDBClient,
	ExecuteStatementCommand,
	GetItemCommand,
	ListTablesCommand,
	QueryCommand,
} from '@aws-sdk/client-dynamodb';
import {
	CreateDataCellsFilterCommand,
	GetDataCellsFilterCommand,
	GetDataLakeSettingsCommand,
	GrantPermissionsCommand,
	ListPermissionsCommand,
	PutDataLakeSettingsCommand,
} from '@aws-sdk/client-lakeformation';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterEach, describe, expect, test } from 'vitest';
import { startAws } from '#local/aws.ts';
import {
	BYSTANDER,
	GRANTOR,
	type Lake,
	LENDING,
	landing,
	openLake,
	REGION,
	RISK_ROLE,
	refusal,
	rowsOf,
	TABLE,
} from './harness.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0)) await close();
});

async function lakeForTest(): Promise<Lake> {
	const lake = await openLake();
	closing.push(() => lake.close());
	return lake;
}

function emptyFolder(): string {
	const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-aws-'));
	closing.push(async () => rmSync(folder, { recursive: true, force: true }));
	return folder;
}

const TABLE_INPUT = {
	TableName: 'ledger',
	BillingMode: 'PAY_PER_REQUEST' as const,
	AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
	KeySchema: [
		{ AttributeName: 'pk', KeyType: 'HASH' as const },
		{ AttributeName: 'sk', KeyType: 'RANGE' as const },
	],
};

function insert(pk: string, sk: string) {
	return new ExecuteStatementCommand({
		Statement: `INSERT INTO "ledger" VALUE {'pk': ?, 'sk': ?}`,
		Parameters: [{ S: pk }, { S: sk }],
	});
}

describe('the folder', () => {
	test('does not open in production', async () => {
		const before = process.env['NODE_ENV'];
		process.env['NODE_ENV'] = 'production';
		try {
			await expect(startAws({ dataDir: emptyFolder(), region: REGION })).rejects.toThrow('does not run in production');
		} finally {
			process.env['NODE_ENV'] = before;
		}
	});

	test('opens for one owner at a time, in this process and in another, and says which folder', async () => {
		const dataDir = emptyFolder();
		const aws = await startAws({ dataDir, region: REGION });
		closing.unshift(() => aws.close());
		await expect(startAws({ dataDir, region: REGION })).rejects.toThrow(
			`${dataDir} is in use by process ${process.pid}`,
		);
		const other = await startElsewhere(dataDir);
		expect(other.code).toBe(1);
		expect(other.output).toContain(`The data folder ${dataDir} is in use by process ${process.pid}`);
	});

	test('is taken over from a process that was killed', async () => {
		const dataDir = emptyFolder();
		const killed = await startElsewhere(dataDir, 'SIGKILL');
		expect(killed.signal).toBe('SIGKILL');
		expect(JSON.parse(readFileSync(path.join(dataDir, 'lock'), 'utf8'))).toMatchObject({ pid: killed.pid });
		const aws = await startAws({ dataDir, region: REGION });
		await aws.close();
	});

	test('is taken over when the lock names a process id that now belongs to somebody else', async () => {
		const dataDir = emptyFolder();
		mkdirSync(dataDir, { recursive: true });
		writeFileSync(path.join(dataDir, 'lock'), JSON.stringify({ pid: process.ppid, started: '1' }));
		const aws = await startAws({ dataDir, region: REGION });
		await aws.close();
	});

	test('keeps items, filters, permissions and keys over a restart', async () => {
		let lake = await openLake();
		closing.push(() => lake.close());
		await lake.dynamodb.send(new CreateTableCommand(TABLE_INPUT));
		await lake.dynamodb.send(insert('a', '1'));
		const grantor = await lake.lakeformation(GRANTOR);
		const session = await lake.assume(RISK_ROLE);
		await grantor.send(
			new CreateDataCellsFilterCommand({
				TableData: { ...TABLE, Name: 'f', ColumnNames: ['loan_id'], RowFilter: { FilterExpression: "status = 'B'" } },
			}),
		);
		const Resource = { DataCellsFilter: { ...TABLE, Name: 'f' } };
		await grantor.send(
			new GrantPermissionsCommand({
				Principal: { DataLakePrincipalIdentifier: RISK_ROLE },
				Resource,
				Permissions: ['SELECT'],
			}),
		);
		const before = lake.aws.lakeFormationState();
		const { accessKeyId, secretAccessKey } = lake.broker;

		lake = await lake.restart();
		expect(lake.broker).toMatchObject({ accessKeyId, secretAccessKey });
		expect(lake.aws.lakeFormationState()).toEqual(before);
		expect(before.permissions).toHaveLength(1);
		const items = await lake.dynamodb.send(
			new QueryCommand({
				TableName: 'ledger',
				KeyConditionExpression: 'pk = :p',
				ExpressionAttributeValues: { ':p': { S: 'a' } },
			}),
		);
		expect(items.Items).toEqual([{ pk: { S: 'a' }, sk: { S: '1' } }]);
		const again = await lake.lakeformation(GRANTOR);
		const filter = await again.send(new GetDataCellsFilterCommand({ ...TABLE, Name: 'f' }));
		expect(filter.DataCellsFilter?.RowFilter).toEqual({ FilterExpression: "status = 'B'" });
		const listed = await again.send(new ListPermissionsCommand({ Resource }));
		expect(listed.PrincipalResourcePermissions).toHaveLength(1);
		expect(await rowsOf(await lake.athena(RISK_ROLE), 'SELECT * FROM lending.loans')).toEqual([['loan_id'], ['2']]);
		// A session opened before the restart is still the same role.
		const identity = await new STSClient(lake.settings(session)).send(new GetCallerIdentityCommand({}));
		expect(identity.Arn).toContain('assumed-role/fairlead-risk-credit-risk/');
		expect((await refusal(lake.dynamodb.send(insert('a', '1')))).name).toBe('DuplicateItemException');
	});
});

describe('the landing zone made again', () => {
	const principal = (arn: string) => ({ DataLakePrincipalIdentifier: arn });

	test('leaves the settings of the data lakes as their administrators left them', async () => {
		let lake = await openLake();
		closing.push(() => lake.close());
		const DataLakeSettings = {
			DataLakeAdmins: [principal(BYSTANDER)],
			ReadOnlyAdmins: [principal(GRANTOR)],
			Parameters: { CROSS_ACCOUNT_VERSION: '3' },
		};
		await (await lake.lakeformation(GRANTOR)).send(new PutDataLakeSettingsCommand({ DataLakeSettings }));
		lake = await lake.restart();
		const client = await lake.lakeformation(BYSTANDER);
		expect((await client.send(new GetDataLakeSettingsCommand({}))).DataLakeSettings).toMatchObject(DataLakeSettings);
		const former = await lake.lakeformation(GRANTOR);
		expect((await refusal(former.send(new PutDataLakeSettingsCommand({ DataLakeSettings })))).name).toBe(
			'AccessDeniedException',
		);
	});

	test('adds an administrator whom it names for the first time, and keeps those who are', async () => {
		const lake = await lakeForTest();
		const zone = landing(lake.folder);
		const accounts = zone.accounts.map((account) => ({ ...account, admins: [BYSTANDER] }));
		await lake.aws.provision({ ...zone, accounts });
		const { DataLakeSettings } = await (await lake.lakeformation(GRANTOR)).send(new GetDataLakeSettingsCommand({}));
		expect(DataLakeSettings?.DataLakeAdmins).toEqual([principal(GRANTOR), principal(BYSTANDER)]);
	});
});

describe('the server', () => {
	test('survives a client that goes away in the middle of its body', async () => {
		const lake = await lakeForTest();
		await lake.dynamodb.send(new CreateTableCommand(TABLE_INPUT));
		const { hostname, port } = new URL(lake.aws.endpoint);
		for (let i = 0; i < 5; i++) {
			await new Promise<void>((resolve, reject) => {
				const socket = connect(Number(port), hostname, () => {
					socket.write(
						'POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: DynamoDB_20120810.PutItem\r\ncontent-length: 100000\r\n\r\n{"TableName": "led',
						() => {
							socket.resetAndDestroy();
							resolve();
						},
					);
				});
				socket.on('error', reject);
			});
		}
		await lake.dynamodb.send(insert('a', '1'));
		const found = await lake.dynamodb.send(
			new GetItemCommand({ TableName: 'ledger', Key: { pk: { S: 'a' }, sk: { S: '1' } }, ConsistentRead: true }),
		);
		expect(found.Item).toBeDefined();
	});

	test.each(['POST // HTTP/1.1', 'POST http://[ HTTP/1.1', 'GET /%ff?%ff HTTP/1.1', 'nonsense'])(
		'survives a request that is none: %s',
		async (line) => {
			const lake = await lakeForTest();
			const { hostname, port } = new URL(lake.aws.endpoint);
			await new Promise<void>((resolve, reject) => {
				const socket = connect(Number(port), hostname, () =>
					socket.end(`${line}\r\nhost: x\r\nconnection: close\r\n\r\n`),
				);
				socket.on('close', () => resolve());
				socket.on('error', reject);
				socket.resume();
			});
			expect((await lake.dynamodb.send(new ListTablesCommand({}))).TableNames).toEqual([]);
		},
	);

	test('listens on loopback only and answers nobody else', async () => {
		const lake = await lakeForTest();
		expect(new URL(lake.aws.endpoint).hostname).toBe('127.0.0.1');
		const answer = await fetch(lake.aws.endpoint);
		expect(answer.status).toBe(403);
	});

	test('gives the roles of the lake no access to the tables of the platform', async () => {
		const lake = await lakeForTest();
		const client = new DynamoDBClient(lake.settings(await lake.assume(GRANTOR)));
		const refused = await refusal(client.send(new ListTablesCommand({})));
		expect(refused.name).toBe('AccessDeniedException');
		expect(refused.message).toContain(
			`arn:aws:sts::${LENDING}:assumed-role/fairlead-grantor/fairlead is not authorized`,
		);
	});
});

type End = { pid: number; code: number | null; signal: NodeJS.Signals | null; output: string };

/** Opens the folder in a process of its own; with a signal, kills it once it is open. */
function startElsewhere(dataDir: string, signal?: NodeJS.Signals): Promise<End> {
	const program = `
		import { startAws } from '#local/aws.ts';
		startAws({ dataDir: ${JSON.stringify(dataDir)}, region: ${JSON.stringify(REGION)} }).then(
			() => console.log('open'),
			(error) => { console.log(error.message); process.exit(1); },
		);`;
	return new Promise((resolve) => {
		const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program]);
		let output = '';
		child.stdout.on('data', (chunk: Buffer) => {
			output += chunk.toString();
			if (signal !== undefined && output.includes('open')) child.kill(signal);
		});
		child.on('exit', (code, ended) => resolve({ pid: child.pid ?? 0, code, signal: ended, output }));
	});
}
