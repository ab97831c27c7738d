import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { AthenaClient, ListWorkGroupsCommand } from '@aws-sdk/client-athena';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { GetDatabasesCommand, GlueClient } from '@aws-sdk/client-glue';
import { GetDataLakeSettingsCommand, LakeFormationClient } from '@aws-sdk/client-lakeformation';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GRANTOR, type Keys, type Lake, openLake, REGION, RISK_ROLE, refusal } from './harness.ts';

let lake: Lake;
let now = new Date();
beforeAll(async () => {
	lake = await openLake({ clock: () => now });
});
afterAll(async () => {
	await lake.close();
});

type Service = 'dynamodb' | 'lakeformation' | 'glue' | 'athena' | 'sts';

const calls: Record<Service, (keys: Keys) => Promise<unknown>> = {
	dynamodb: (keys) => new DynamoDBClient(lake.settings(keys)).send(new ListTablesCommand({})),
	lakeformation: (keys) => new LakeFormationClient(lake.settings(keys)).send(new GetDataLakeSettingsCommand({})),
	glue: (keys) => new GlueClient(lake.settings(keys)).send(new GetDatabasesCommand({})),
	athena: (keys) => new AthenaClient(lake.settings(keys)).send(new ListWorkGroupsCommand({})),
	sts: (keys) => new STSClient(lake.settings(keys)).send(new GetCallerIdentityCommand({})),
};

const names = {
	unknown: { json: 'UnrecognizedClientException', query: 'InvalidClientTokenId' },
	signature: { json: 'InvalidSignatureException', query: 'SignatureDoesNotMatch' },
	expired: { json: 'ExpiredTokenException', query: 'ExpiredToken' },
	missing: { json: 'MissingAuthenticationTokenException', query: 'MissingAuthenticationToken' },
};

describe.each(Object.keys(calls) as Service[])('%s', (service) => {
	const protocol = service === 'sts' ? 'query' : 'json';
	const refused = async (keys: Keys) => (await refusal(calls[service](keys))).name;

	test('refuses a key that was never issued', async () => {
		const keys = { accessKeyId: 'AKIAAAAAAAAAAAAAAAAA', secretAccessKey: 'x'.repeat(40) };
		expect(await refused(keys)).toBe(names.unknown[protocol]);
	});

	test('refuses a known key with another secret', async () => {
		expect(await refused({ ...lake.broker, secretAccessKey: 'x'.repeat(40) })).toBe(names.signature[protocol]);
		expect(await refused({ ...(await lake.assume(GRANTOR)), secretAccessKey: 'x'.repeat(40) })).toBe(
			names.signature[protocol],
		);
	});

	test('refuses a session without its token, with that of another session, and with an altered one', async () => {
		const session = await lake.assume(GRANTOR);
		const other = await lake.assume(RISK_ROLE);
		const { accessKeyId, secretAccessKey, sessionToken = '' } = session;
		expect(await refused({ accessKeyId, secretAccessKey })).toBe(names.unknown[protocol]);
		expect(await refused({ ...session, sessionToken: other.sessionToken ?? '' })).toBe(names.unknown[protocol]);
		const [claims = '', seal = ''] = sessionToken.split('.');
		const forged = Buffer.from(claims, 'base64').toString().replace(GRANTOR, RISK_ROLE);
		expect(await refused({ ...session, sessionToken: `${Buffer.from(forged).toString('base64')}.${seal}` })).toBe(
			names.unknown[protocol],
		);
		expect(await refused({ ...lake.broker, sessionToken })).toBe(names.unknown[protocol]);
	});

	test('refuses a session from the moment it expires', async () => {
		// Clients sign with the real time, from which the server's clock may differ by up to 15 minutes.
		const real = Date.now();
		const at = (seconds: number) => new Date(real + seconds * 1000);
		now = at(-600);
		const session = await lake.assume(GRANTOR, 900);
		now = at(299);
		const outcome = await calls[service](session).then(
			() => 'accepted',
			(error: Error) => error.name,
		);
		expect(outcome).toBe(service === 'dynamodb' ? 'AccessDeniedException' : 'accepted');
		now = at(300);
		expect(await refused(session)).toBe(names.expired[protocol]);
		now = new Date();
	});

	test('refuses a request without a signature', async () => {
		const answer = await send(service, {});
		expect(answer.status).toBeGreaterThanOrEqual(400);
		expect(answer.text + (answer.headers.get('x-amzn-errortype') ?? '')).toContain(names.missing[protocol]);
	});

	test('refuses a body that is not the signed one, an old date, another region and an unsigned x-amz header', async () => {
		const bad = async (request: Parameters<typeof signed>[1], body = BODY[service]) => {
			const answer = await send(service, await signed(service, request), body);
			return answer.text + (answer.headers.get('x-amzn-errortype') ?? '');
		};
		const good = await send(service, await signed(service, {}));
		expect(good.text).not.toContain('Signature');
		expect(await bad({}, `${BODY[service]} `)).toContain(names.signature[protocol]);
		expect(await bad({ date: new Date(Date.now() - 16 * 60_000) })).toContain('Signature expired');
		expect(await bad({ date: new Date(Date.now() + 16 * 60_000) })).toContain('Signature not yet current');
		expect(await bad({ region: 'eu-west-1' })).toContain('valid region');
		expect(await bad({ unsigned: { 'x-amz-extra': '1' } })).toContain("must be a 'SignedHeader'");
		expect(await bad({ payloadHash: 'UNSIGNED-PAYLOAD' })).toContain(names.signature[protocol]);
	});
});

const BODY: Record<Service, string> = {
	dynamodb: '{}',
	lakeformation: '{}',
	glue: '{}',
	athena: '{}',
	sts: 'Action=GetCallerIdentity&Version=2011-06-15',
};

const PATHS: Record<Service, { path: string; headers: Record<string, string> }> = {
	dynamodb: {
		path: '/',
		headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'DynamoDB_20120810.ListTables' },
	},
	lakeformation: { path: '/GetDataLakeSettings', headers: { 'content-type': 'application/json' } },
	glue: {
		path: '/',
		headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AWSGlue.GetDatabases' },
	},
	athena: {
		path: '/',
		headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonAthena.ListWorkGroups' },
	},
	sts: { path: '/', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
};

async function send(service: Service, headers: Record<string, string>, body = BODY[service]) {
	const { path, headers: own } = PATHS[service];
	const answer = await fetch(lake.aws.endpoint + path, { method: 'POST', headers: { ...own, ...headers }, body });
	return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

/** Headers of a request signed by hand, so that each part can be wrong. */
async function signed(
	service: Service,
	options: { date?: Date; region?: string; unsigned?: Record<string, string>; payloadHash?: string },
): Promise<Record<string, string>> {
	const { path, headers } = PATHS[service];
	const signer = new SignatureV4({
		service,
		region: options.region ?? REGION,
		credentials: lake.broker,
		sha256: Sha256,
	});
	const request = await signer.sign(
		{
			protocol: 'http:',
			hostname: '127.0.0.1',
			method: 'POST',
			path,
			query: {},
			headers: {
				...headers,
				host: new URL(lake.aws.endpoint).host,
				...(options.payloadHash === undefined ? {} : { 'x-amz-content-sha256': options.payloadHash }),
			},
			body: BODY[service],
		},
		{ signingDate: options.date ?? new Date() },
	);
	return { ...request.headers, ...options.unsigned };
}

class Sha256 {
	readonly #hash: Hash | Hmac;
	constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
		this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Uint8Array);
	}
	update(chunk: string | ArrayBuffer | ArrayBufferView): void {
		this.#hash.update(chunk as Uint8Array);
	}
	digest(): Promise<Uint8Array> {
		return Promise.resolve(new Uint8Array(this.#hash.digest()));
	}
	reset(): void {}
}
