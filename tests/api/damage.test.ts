/** One entry that cannot be read: it is told, it opens nothing, and it holds up neither the sweep nor anybody else. */
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { QueryView } from '#core/query.ts';
import { principalOf } from '#local/story/world.ts';
import { startInstance } from '#tests/faults/instance.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { readLog } from '#tests/log.ts';
import { finished, get, grantTo, post, refused, requestBody } from './harness.ts';

let test: TestBank;
let damaged: QueryView;
let good: QueryView;

beforeAll(async () => {
	test = await testBank();
	await grantTo(test.world, 'alice', requestBody(test.world));
	damaged = await finished(test.world, 'alice', 'SELECT loan_id FROM lending.loans');
	good = await finished(test.world, 'alice', 'SELECT status FROM lending.loans');
});

afterAll(() => test.close());

/** Overwrites the bytes of an entry, as no code of ours ever does. */
async function damage(stream: string): Promise<void> {
	const { config, aws } = test.bank.platform;
	await aws.dynamodb.send(
		new UpdateItemCommand({
			TableName: config.tables.ledger,
			Key: { pk: { S: stream }, sk: { S: 'V#0000000001' } },
			UpdateExpression: 'SET b = :b, z = :z',
			ExpressionAttributeValues: { ':b': { B: Buffer.from('{}') }, ':z': { BOOL: false } },
		}),
	);
}

async function askReport(): Promise<string> {
	const answer = await test.world.call(post('rita', '/reports', { kind: 'flows', product: 'lending.loans' }));
	return (answer.body as { id: string }).id;
}

/** What a client gets of a report within five seconds: its text, or that the answer broke off. */
async function contentOf(report: string, format: string): Promise<string> {
	const headers = { authorization: `Bearer ${await test.bank.issuer.token('rita')}` };
	const url = `${test.bank.api}/api/v1/reports/${report}/content?format=${format}`;
	const signal = AbortSignal.timeout(5000);
	return fetch(url, { headers, signal })
		.then(async (answer) => (answer.status === 200 ? answer.text() : `refused with ${answer.status}`))
		.catch((error: Error) => (error.name === 'TimeoutError' ? 'never ended' : 'broke off'));
}

describe('an entry that could not be read back', () => {
	it('is refused instead of written: a report from before the year 0', async () => {
		const body = { kind: 'flows', product: 'lending.loans', until: '0000-01-01T00:00:00Z' };
		await refused(test, post('rita', '/reports', body), 422, 'validation');
		await expect(test.bank.sweep()).resolves.toMatchObject({ failed: 0 });
	});
});

describe('a flow whose entry was damaged', () => {
	beforeAll(() => damage(`F#${damaged.id}`));

	it('is named by the verification, as the only one', async () => {
		const { body } = await test.world.call(get('rita', '/ledger/verification'));
		expect(body).toMatchObject({ ok: false, findings: [{ stream: `F#${damaged.id}`, ver: 1 }] });
	});

	it('gives no result any more; others do', async () => {
		const { status } = await test.world.call(get('alice', `/queries/${damaged.id}/results`));
		expect(status).toBe(500);
		expect((await test.world.call(get('alice', `/queries/${good.id}/results`))).status).toBe(200);
	});

	it.each(['json', 'csv'])('is not missing from a report unsaid: %s', async (format) => {
		const content = await contentOf(await askReport(), format);
		expect(content).not.toBe('never ended');
		if (content !== 'broke off' && !content.startsWith('refused')) expect(content).toContain(damaged.id);
	});

	it('does not keep the sweep from ending a grant that is due', async () => {
		const purpose = 'model-validation';
		const principal = principalOf(test.world, 'risk', purpose);
		await grantTo(test.world, 'alice', requestBody(test.world, { purpose, principal, duration: 'PT1H' }));
		const later = await startInstance(test.bank.settings);
		await later.sweep(2 * 3600 * 1000).catch(() => {});
		await later.close();
		const { permissions } = test.bank.aws.lakeFormationState();
		expect(permissions.filter((p) => p.principal === principal)).toEqual([]);
	});
});

describe('a report whose store fails midway', () => {
	const SECRET = 'DE89370400440532013000';

	/** Runs with a store that does not give one flow's entries, and says what was printed meanwhile. */
	async function failing(work: () => Promise<void>): Promise<string[]> {
		const { dynamodb } = test.bank.platform.aws;
		const send = dynamodb.send.bind(dynamodb) as (command: { input: object }) => Promise<unknown>;
		const broken = (command: { input: object }) =>
			JSON.stringify(command.input).includes(`F#${good.id}`) ? Promise.reject(new RangeError(SECRET)) : send(command);
		const store = vi.spyOn(dynamodb, 'send').mockImplementation(broken as never);
		const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
		try {
			await work();
			return printed.mock.calls.map((values) => values.map(String).join(' '));
		} finally {
			store.mockRestore();
			printed.mockRestore();
		}
	}

	it.each(['json', 'csv'])(
		'breaks off; the log has the failure by name, and its message is nowhere: %s',
		async (format) => {
			const report = await askReport();
			const before = readLog(test.bank).length;
			const printed = await failing(async () => expect(await contentOf(report, format)).toBe('broke off'));
			expect(printed.filter((text) => text !== 'Error: cut off')).toEqual([]);
			const added = readLog(test.bank).slice(before);
			const lines = added.map((line) => JSON.parse(line) as Record<string, unknown>);
			const request = lines.find((line) => line['message'] === 'request');
			const failures = lines.filter((line) => line['message'] === 'failure');
			expect(failures).toEqual([expect.objectContaining({ code: 'unavailable', error: 'RangeError' })]);
			expect(failures[0]?.['request']).toBe(request?.['request']);
			expect(added.join('\n')).not.toContain(SECRET);
		},
	);
});
