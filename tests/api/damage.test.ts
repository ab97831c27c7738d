/** One entry that cannot be read: it is told, it opens nothing, and it holds up neither the sweep nor anybody else. */
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { QueryView } from '#core/query.ts';
import { principalOf } from '#local/story/world.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
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
		const grant = await grantTo(test.world, 'alice', requestBody(test.world, { purpose, principal, duration: 'PT2S' }));
		await new Promise((resolve) => setTimeout(resolve, Math.max(0, Date.parse(grant.until) - Date.now()) + 1));
		await test.bank.sweep().catch(() => {});
		const { permissions } = test.bank.aws.lakeFormationState();
		expect(permissions.filter((p) => p.principal === principal)).toEqual([]);
	});
});
