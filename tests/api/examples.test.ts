/** What the API description shows as an answer is what the server answers to the request shown beside it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { type Operation, operationsOf, readDocument } from '../document.ts';
import { grantTo, post } from './harness.ts';

let test: TestBank;
let operations: ReturnType<typeof operationsOf>;

beforeAll(async () => {
	test = await testBank();
	operations = operationsOf(await readDocument());
	await grantTo(test.world, 'alice', shown('createRequest').body);
});

afterAll(() => test.close());

const example = (content: Operation['requestBody']) => content?.content['application/json']?.example;

/** The request and the answer that the description has for an operation. */
function shown(id: string) {
	const operation = operations.find(({ operation: { operationId } }) => operationId === id)?.operation;
	const answer = operation?.responses['200'];
	return {
		body: example(operation?.requestBody) as Record<string, unknown>,
		answer: answer?.content?.['application/json']?.example as Record<string, unknown>,
	};
}

/** Ids, times and the installation's own address are of each installation. */
function alike(value: unknown): unknown {
	const text = JSON.stringify(value);
	return JSON.parse(
		text
			.replaceAll(/\b(grt|per|req)_[0-9A-Z]{26}\b/g, '$1')
			.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'time')
			.replaceAll(/"_producer":"[^"]*"/g, '"_producer":""'),
	);
}

it.each<[string, string, Record<string, unknown>]>([
	['createQuery', '/queries', { dryRun: true }],
	['readLineage', '/lineage', {}],
])('%s answers what its example shows', async (id, path, more) => {
	const { body, answer } = shown(id);
	const { status, body: found } = await test.world.call(post('alice', path, { ...body, ...more }));
	expect(status).toBe(200);
	expect(alike(answer)).toEqual(alike(found));
});
