/** The witness that other accounts deploy: what is in its bundle, what its template lets it do, and how it is asked. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { answerTo } from '#functions/witness/event.ts';
import { logKey } from '#tests/verifier/reference.ts';
import { MAX_REQUEST_BYTES } from '#verifier/witness.ts';
import type { Witness } from '#witness/witness.ts';
import { bundleWitness } from '../../infra/bundle.ts';
import { logOf, makeWitness, ORIGIN, requestOf } from './arrange.ts';

type Statement = { Sid: string; Effect: string; Action: string | string[]; Resource: unknown; Condition?: unknown };
type Resource = { Type: string; DeletionPolicy?: string; Properties: Record<string, unknown> };
const { Resources, Parameters, Conditions } = parse(readFileSync('infra/accounts/witness.yaml', 'utf8')) as {
	Resources: Record<'Key' | 'Table' | 'Role' | 'Function' | 'Url' | 'AlarmLines' | 'FailureLines', Resource>;
	Parameters: Record<string, unknown>;
	Conditions: Record<string, unknown>;
};

describe('the bundle', () => {
	const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-witness-'));
	let held: string[];
	beforeAll(async () => {
		const { outputs } = await bundleWitness(folder);
		const inputs = Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs));
		held = inputs.flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : []));
	});
	afterAll(() => rmSync(folder, { recursive: true }));

	it('holds the witness, and of Fairlead nothing but the way to KMS', () => {
		const own = held.filter((file) => !file.includes('node_modules/') && !/^(witness|verifier)\//.test(file));
		expect(own.toSorted()).toEqual([
			'core/error.ts',
			'functions/once.ts',
			'functions/signer/kms.ts',
			'functions/witness.ts',
			'functions/witness/event.ts',
			'functions/witness/store.ts',
		]);
	});

	it('starts, and says what is missing', async () => {
		const { handler } = (await import(path.join(folder, 'index.mjs'))) as {
			handler: (event: unknown) => Promise<unknown>;
		};
		const event = { rawPath: '/add-checkpoint', requestContext: { http: { method: 'POST' } } };
		await expect(handler(event)).rejects.toThrow('WITNESS_KEY: is missing');
	});
});

describe('the template', () => {
	it('gives the actions that the code has, on its own table, key and log', () => {
		const [policy] = Resources.Role.Properties['Policies'] as { PolicyDocument: { Statement: Statement[] } }[];
		const statements = policy?.PolicyDocument.Statement ?? [];
		const code = readFileSync('functions/witness.ts', 'utf8') + readFileSync('functions/witness/store.ts', 'utf8');
		const signer = readFileSync('functions/signer/kms.ts', 'utf8');
		const made = [...(code + signer).matchAll(/new (\w+)Command\(/g)].map(([, name = '']) => name);
		const allowed = statements.flatMap(({ Action }) => Action).filter((action) => !action.startsWith('logs:'));
		expect(allowed.map((action) => action.split(':')[1] ?? '').toSorted()).toEqual([...new Set(made)].toSorted());
		for (const { Resource } of statements)
			expect(Resource).toMatchObject({ 'Fn::GetAtt': expect.stringMatching(/^\w+\.Arn$/) });
	});

	it('lets nobody but the witness sign, and keeps key and table', () => {
		const { Key, Table } = Resources;
		const { Statement } = Key.Properties['KeyPolicy'] as { Statement: Statement[] };
		const denied = Statement.filter(({ Effect, Action }) => Effect === 'Deny' && Action === 'kms:Sign');
		expect(denied.map(({ Condition }) => Object.keys(Condition as object))).toEqual([
			['ArnNotEquals'],
			['StringNotEquals'],
		]);
		expect(Key.Properties['KeySpec']).toBe('ECC_NIST_EDWARDS25519');
		expect([Key.DeletionPolicy, Table.DeletionPolicy]).toEqual(['Retain', 'Retain']);
		expect(Table.Properties).toMatchObject({ DeletionProtectionEnabled: true });
	});

	it('reserves requests for it, unless that is 0', () => {
		expect(Parameters['Concurrency']).toMatchObject({ Type: 'Number', Default: 5, MinValue: 0 });
		expect(Conditions['HasConcurrency']).toEqual({ 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'Concurrency' }, '0'] }] });
		expect(Resources.Function.Properties['ReservedConcurrentExecutions']).toEqual({
			'Fn::If': ['HasConcurrency', { Ref: 'Concurrency' }, { Ref: 'AWS::NoValue' }],
		});
	});

	it('tells of what it fails at, and of a fork by an alarm that nobody but the log sets off', async () => {
		const phrase = ({ Properties }: Resource) => String(Properties['FilterPattern']).replaceAll('"', '');
		const [alarm, failure] = [phrase(Resources.AlarmLines), phrase(Resources.FailureLines)];
		const key = logKey(ORIGIN);
		const [log, fork] = [logOf(key), logOf(key, 40, 'another')];
		const { witness, told } = makeWitness([key]);
		const ask = (of: Witness, body: string) =>
			answerTo(of, { rawPath: '/add-checkpoint', body, requestContext: { http: { method: 'POST' } } });
		await ask(witness, log.request(0, 5));
		await ask(witness, requestOf(5, [], log.checkpoint(9)));
		await ask(witness, fork.request(5, 5));
		await ask({ ...witness, sign: () => Promise.reject(new Error('no key')) }, log.request(5, 9));
		const found = told.map(({ message }) => [message.includes(alarm), message.includes(failure)]);
		expect(found).toEqual([
			[false, false],
			[true, false],
			[false, true],
		]);
		const alarms = Object.values(Resources).filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
		const topic = { 'Fn::If': ['HasTopic', [{ Ref: 'AlarmTopic' }], { Ref: 'AWS::NoValue' }] };
		expect(alarms.map(({ Properties }) => [Properties['MetricName'], Properties['AlarmActions']])).toEqual([
			['Alarms', topic],
			['Errors', topic],
			['Failures', topic],
		]);
		expect(alarms[1]?.Properties).toMatchObject({
			Namespace: 'AWS/Lambda',
			Dimensions: [{ Name: 'FunctionName', Value: { Ref: 'Function' } }],
		});
	});

	it('names each setting that the code reads', () => {
		const code = readFileSync('functions/witness.ts', 'utf8');
		const read = [...code.matchAll(/setting\('(\w+)'\)/g)].map(([, name = '']) => name);
		const { Variables } = Resources.Function.Properties['Environment'] as { Variables: object };
		expect(Object.keys(Variables).toSorted()).toEqual(read.toSorted());
	});
});

describe('behind a function URL', () => {
	const key = logKey(ORIGIN);
	const log = logOf(key);
	const event = (body: string, isBase64Encoded = false, method = 'POST', rawPath = '/add-checkpoint') => ({
		rawPath,
		body,
		isBase64Encoded,
		requestContext: { http: { method } },
	});

	it('it answers as everywhere, however Lambda passes the body', async () => {
		const { witness } = makeWitness([key]);
		const plain = await answerTo(witness, event(log.request(0, 5)));
		expect([plain.statusCode, plain.headers]).toEqual([200, { 'content-type': 'text/plain; charset=utf-8' }]);
		const encoded = Buffer.from(log.request(5, 9)).toString('base64');
		expect((await answerTo(witness, event(encoded, true))).statusCode).toBe(200);
		expect(await answerTo(witness, event(log.request(5, 9)))).toEqual({
			statusCode: 409,
			headers: { 'content-type': 'text/x.tlog.size' },
			body: '9\n',
		});
		expect((await answerTo(witness, event('', false, 'GET', '/'))).statusCode).toBe(404);
		expect((await answerTo(witness, event('x'.repeat(MAX_REQUEST_BYTES + 1)))).statusCode).toBe(413);
	});
});
