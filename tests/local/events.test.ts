/** Events are delivered in order, kept over a crash, and as badly as best effort allows when a test wants it. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
	GrantPermissionsCommand,
	ListPermissionsCommand,
	RevokePermissionsCommand,
} from '@aws-sdk/client-lakeformation';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openEvents } from '#local/aws/events.ts';
import { BROKER, GRANTOR, type Lake, LENDING, openLake, RISK_ROLE, refusal, TABLE } from './harness.ts';

let folder: string;
beforeEach(() => {
	folder = mkdtempSync(path.join(tmpdir(), 'fairlead-events-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const numbers = (events: { event: object }[]) => events.map(({ event }) => (event as { n: number }).n);

describe('delivery', () => {
	test('keeps the order, pages by position, and tells each listener', () => {
		const told: object[] = [];
		const events = openEvents(folder, (event) => told.push(event));
		for (let n = 1; n <= 5; n++) events.emit({ n, text: 'line\nbreak' });
		expect(numbers(events.read())).toEqual([1, 2, 3, 4, 5]);
		expect(numbers(events.read({ after: 2, limit: 2 }))).toEqual([3, 4]);
		expect(events.read({ after: 4 })[0]?.position).toBe(5);
		expect(events.read({ after: 5 })).toEqual([]);
		expect(told).toHaveLength(5);
		events.close();
	});

	test('goes on after a crash that cut the last line short', () => {
		const before = openEvents(folder);
		before.emit({ n: 1 });
		before.close();
		appendFileSync(path.join(folder, 'events.jsonl'), '{"n": 2, "te');
		const events = openEvents(folder);
		expect(numbers(events.read())).toEqual([1]);
		events.emit({ n: 3 });
		expect(numbers(events.read())).toEqual([1, 3]);
		events.close();
		expect(readFileSync(path.join(folder, 'events.jsonl'), 'utf8')).toBe('{"n":1}\n{"n":3}\n');
	});

	test('drops all of a file without a whole line', () => {
		writeFileSync(path.join(folder, 'events.jsonl'), '{"n"');
		const events = openEvents(folder);
		expect(events.read()).toEqual([]);
		events.close();
	});

	test('doubles, loses and delays where told to, the same for the same seed', () => {
		const run = (name: string) => {
			const events = openEvents(path.join(folder, name));
			events.deliver({ duplicate: 0.3, drop: 0.3, seed: 5 });
			for (let n = 0; n < 50; n++) events.emit({ n });
			const seen = numbers(events.read());
			events.close();
			return seen;
		};
		const seen = run('a');
		expect(new Set(seen).size).toBeLessThan(50);
		expect(seen.length).toBeGreaterThan(new Set(seen).size);
		expect(run('b')).toEqual(seen);
	});

	test('lets a late event be overtaken; closing delivers it', () => {
		const events = openEvents(folder);
		events.deliver({ delayMs: 60_000 });
		events.emit({ n: 1 });
		events.deliver({});
		events.emit({ n: 2 });
		expect(numbers(events.read())).toEqual([2]);
		events.close();
		const again = openEvents(folder);
		expect(numbers(again.read())).toEqual([2, 1]);
		again.close();
	});
});

describe('what CloudTrail records', () => {
	let lake: Lake;
	beforeEach(async () => {
		lake = await openLake();
	});
	afterEach(() => lake.close());

	const details = () =>
		lake.aws
			.events()
			.map(({ event }) => (event as { detail: Record<string, unknown> }).detail)
			.filter(({ eventSource }) => eventSource !== 'athena.amazonaws.com');
	const right = {
		Principal: { DataLakePrincipalIdentifier: RISK_ROLE },
		Resource: { Table: { DatabaseName: TABLE.DatabaseName, Name: TABLE.TableName } },
		Permissions: ['DESCRIBE' as const],
	};

	test('a grant with who made it, from which session; a refused revocation with its error; no reads', async () => {
		const client = await lake.lakeformation(GRANTOR);
		await client.send(new GrantPermissionsCommand(right));
		await client.send(new ListPermissionsCommand({ Resource: right.Resource }));
		await client.send(new RevokePermissionsCommand(right));
		await refusal(client.send(new RevokePermissionsCommand(right)));
		const records = details();
		expect(records.map(({ eventName, errorCode }) => [eventName, errorCode])).toEqual([
			['AssumeRole', undefined],
			['GrantPermissions', undefined],
			['RevokePermissions', undefined],
			['RevokePermissions', 'InvalidInputException'],
		]);
		expect(records[1]).toMatchObject({
			eventSource: 'lakeformation.amazonaws.com',
			readOnly: false,
			managementEvent: true,
			recipientAccountId: LENDING,
			requestParameters: {
				principal: { dataLakePrincipalIdentifier: RISK_ROLE },
				resource: { table: { databaseName: 'lending', name: 'loans' } },
				permissions: ['DESCRIBE'],
			},
			userIdentity: {
				type: 'AssumedRole',
				arn: `arn:aws:sts::${LENDING}:assumed-role/fairlead-grantor/fairlead`,
				accountId: LENDING,
				sessionContext: { sessionIssuer: { type: 'Role', arn: GRANTOR, userName: 'fairlead-grantor' } },
			},
		});
	});

	test('the tags of a session, which every later record leads to by its key id; never a secret', async () => {
		const sts = new STSClient(lake.settings(lake.broker));
		const { Credentials: keys } = await sts.send(
			new AssumeRoleCommand({
				RoleArn: GRANTOR,
				RoleSessionName: 'of-alice',
				Tags: [{ Key: 'grant', Value: 'g1' }],
				TransitiveTagKeys: ['grant'],
			}),
		);
		const [record] = details();
		expect(record).toMatchObject({
			eventName: 'AssumeRole',
			readOnly: true,
			userIdentity: { arn: expect.stringContaining(BROKER.slice(BROKER.lastIndexOf('/') + 1)) },
			requestParameters: {
				roleArn: GRANTOR,
				roleSessionName: 'of-alice',
				tags: [{ key: 'grant', value: 'g1' }],
				transitiveTagKeys: ['grant'],
			},
			responseElements: {
				credentials: { accessKeyId: keys?.AccessKeyId },
				assumedRoleUser: { arn: `arn:aws:sts::${LENDING}:assumed-role/fairlead-grantor/of-alice` },
			},
		});
		expect(JSON.stringify(lake.aws.events())).not.toContain(keys?.SecretAccessKey);
	});

	test('are kept over a restart', async () => {
		await lake.lakeformation(GRANTOR);
		const before = lake.aws.events();
		expect(before).toHaveLength(1);
		lake = await lake.restart();
		expect(lake.aws.events()).toEqual(before);
	});
});
