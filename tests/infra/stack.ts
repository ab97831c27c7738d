/**
 * The real sst.config.ts, evaluated as the deployment tool does, with Pulumi's mocks in the place of AWS: no account, no
 * engine, no network. What comes back is every resource that would be asked for, with its inputs. It proves what the
 * program says, not that AWS takes it.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as pulumi from '@pulumi/pulumi';
import { beforeAll, expect } from 'vitest';
import { readSettings } from '../../infra/settings.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const PLATFORM_ACCOUNT = '210000000000';
/** Of RFC 8032, 7.1, TEST 1; as a SubjectPublicKeyInfo. */
const PUBLIC_KEY = 'MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=';

export type Resource = {
	readonly type: string;
	readonly name: string;
	readonly inputs: Record<string, unknown>;
	/** Reference of the provider it is made with. */
	readonly provider: string;
};
export type Stack = {
	readonly resources: readonly Resource[];
	readonly app: Record<string, unknown>;
	readonly outputs: Record<string, unknown>;
};

type Config = {
	app: (input: { stage: string }) => Promise<Record<string, unknown>>;
	run: () => Promise<Record<string, unknown>>;
};

/** The sample stage, for the tests of one file: evaluated before the first of them. */
export function sampleStack() {
	let evaluated: Stack | null = null;
	beforeAll(async () => {
		evaluated = await evaluate('sample');
	});
	const stack = (): Stack => {
		if (evaluated === null) throw new Error('only a test can look at the stack');
		return evaluated;
	};
	const all = (type: string): Resource[] => stack().resources.filter((r) => r.type === type);
	/** The inputs of the one resource of this type and name. */
	function one(type: string, name: string): Record<string, unknown> {
		const found = all(type).filter((r) => r.name === name);
		expect(found.map((r) => r.name)).toEqual([name]);
		return found[0]?.inputs ?? {};
	}
	return { settings: readSettings(root, 'sample'), stack, all, one };
}

/** One per process: the platform keeps state of its own. */
export async function evaluate(stage: string): Promise<Stack> {
	const server = await answerTool();
	process.env['SST_SERVER'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	process.env['SST_SECRET_CursorKey'] = Buffer.alloc(32, 7).toString('base64');
	const resources: Resource[] = [];
	mock(resources, stage);
	await setGlobals(stage);
	const { default: config } = (await import(path.join(root, 'sst.config.ts'))) as { default: Config };
	const app = await config.app({ stage });
	Object.assign(globalThis, { $app: { ...app, stage } });
	const { run } = (await platform('auto/run.ts')) as { run: (program: Config['run']) => Promise<unknown> };
	try {
		const outputs: unknown = await pulumi.runtime.runInPulumiStack(() => run(config.run) as Promise<never>);
		await quiet(resources);
		return { resources, app, outputs: (await settled(outputs)) as Record<string, unknown> };
	} finally {
		server.close();
	}
}

const platform = (file: string): Promise<Record<string, unknown>> =>
	import(path.join(root, '.sst/platform/src', file)) as Promise<Record<string, unknown>>;

/** The platform asks its command-line tool for two things. */
async function answerTool(): Promise<Server> {
	const server = createServer((request, response) => {
		let text = '';
		request.on('data', (chunk: Buffer) => {
			text += chunk.toString();
		});
		request.on('end', () => {
			const { method, params = [] } = JSON.parse(text) as { method: string; params?: Record<string, string>[] };
			response.setHeader('content-type', 'application/json');
			response.end(JSON.stringify({ result: answer(method, params[0] ?? {}) }));
		});
	});
	await new Promise<void>((resolve) => {
		server.listen(0, '127.0.0.1', resolve);
	});
	return server;
}

function answer(method: string, input: Record<string, string>): unknown {
	if (method === 'Provider.Aws.Bootstrap') {
		const names = { asset: 'asset-bucket', state: 'state-bucket', assetEcrRegistryId: PLATFORM_ACCOUNT };
		return { ...names, assetEcrUrl: 'ecr.example', appsyncHttp: '', appsyncRealtime: '' };
	}
	if (method === 'Runtime.Build') {
		// With a bundle of our own the tool adds nothing to it but the links, of which there are none.
		const out = input['bundle'] ?? mkdtempSync(path.join(tmpdir(), 'fairlead-built-'));
		if (input['bundle'] === undefined) writeFileSync(path.join(out, 'bundle.mjs'), 'export const handler = () => {};');
		return { handler: input['handler'], out, errors: [], sourcemaps: [] };
	}
	throw new Error(`the platform asked for ${method}`);
}

function mock(resources: Resource[], stage: string): void {
	const newResource = ({ type, name, inputs, id, provider }: pulumi.runtime.MockResourceArgs) => {
		// With an id it is the look-up of a resource that is made elsewhere in the program.
		const isLookUp = id !== undefined && id !== '';
		if (!isLookUp) resources.push({ type, name, inputs: inputs as Record<string, unknown>, provider: provider ?? '' });
		const given = isLookUp ? id : typeof inputs['name'] === 'string' ? inputs['name'] : name;
		const state = { ...extra(name), ...inputs, arn: arnOf(type, given), name: given };
		return { id: isLookUp ? id : `${name}-id`, state };
	};
	const call = ({ token, inputs }: pulumi.runtime.MockCallArgs): Record<string, unknown> => {
		const known: Record<string, Record<string, unknown>> = {
			'aws:index/getPartition:getPartition': { partition: 'aws', dnsSuffix: 'amazonaws.com' },
			'aws:index/getRegion:getRegion': { region: 'eu-central-1', name: 'eu-central-1', id: 'eu-central-1' },
			'aws:index/getCallerIdentity:getCallerIdentity': { accountId: PLATFORM_ACCOUNT },
			'aws:route53/getZones:getZones': { ids: ['Z1'] },
			'aws:route53/getZone:getZone': { zoneId: 'Z1', name: 'bank.example' },
			'aws:kms/getPublicKey:getPublicKey': { publicKey: PUBLIC_KEY },
			// Without the echo the platform drops every policy it makes, and assertions on them would pass empty.
			'aws:iam/getPolicyDocument:getPolicyDocument': {
				statements: inputs['statements'],
				json: JSON.stringify({ Version: '2012-10-17', Statement: inputs['statements'] }),
			},
		};
		const found = known[token];
		if (found === undefined) throw new Error(`the program asks AWS: ${token}`);
		return found;
	};
	void pulumi.runtime.setMocks({ newResource, call }, 'fairlead', stage);
}

function arnOf(type: string, name: string): string {
	const service = type.split(':')[1]?.split('/')[0] ?? 'none';
	if (type === 'aws:iam/role:Role') return `arn:aws:iam::${PLATFORM_ACCOUNT}:role/${name}`;
	return `arn:aws:${service}:eu-central-1:${PLATFORM_ACCOUNT}:${name}`;
}

/** What some resources only have once they exist. */
const extra = (name: string) => ({
	executionArn: `arn:aws:execute-api:eu-central-1:${PLATFORM_ACCOUNT}:${name}`,
	apiEndpoint: 'https://api.example',
	domainNameConfiguration: { targetDomainName: 'target.example', hostedZoneId: 'Z2' },
	domainValidationOptions: [
		{ domainName: 'x', resourceRecordName: 'r', resourceRecordType: 'CNAME', resourceRecordValue: 'v' },
	],
	keyId: `${name}-key`,
	certificateArn: `arn:aws:acm:eu-central-1:${PLATFORM_ACCOUNT}:certificate/c`,
	base64: Buffer.alloc(32, 1).toString('base64'),
});

/** Globals that the tool gives to a program. */
async function setGlobals(stage: string): Promise<void> {
	Object.assign(globalThis, {
		$app: { name: 'fairlead', stage, removal: 'retain', protect: false, providers: {} },
		$dev: false,
		$cli: {
			command: 'deploy',
			paths: {
				home: tmpdir(),
				root,
				work: path.join(root, '.sst'),
				platform: path.join(root, '.sst', 'platform'),
			},
			state: { version: {} },
		},
		$util: pulumi,
		$output: pulumi.output,
		$resolve: pulumi.all,
		$interpolate: pulumi.interpolate,
		$concat: pulumi.concat,
		$jsonParse: pulumi.jsonParse,
		$jsonStringify: pulumi.jsonStringify,
		$secrets: {},
		$config: (config: unknown) => config,
		aws: await import('@pulumi/aws'),
	});
	const { Link } = (await platform('components/link.ts')) as { Link: { linkable: unknown } };
	const component = await platform('components/component.ts');
	Object.assign(globalThis, {
		$linkable: Link.linkable,
		$transform: component['$transform'],
		$asset: component['$asset'],
		sst: await platform('components/index.ts'),
	});
}

/** Components that work for a while before they ask for what they are about, and what that is. */
const about: Record<string, string> = {
	'sst:aws:Function': 'aws:lambda/function:Function',
	'sst:aws:ApiGatewayV2LambdaRoute': 'aws:apigatewayv2/route:Route',
	'sst:aws:CronV2': 'aws:scheduler/schedule:Schedule',
	'sst:aws:Dynamo': 'aws:dynamodb/table:Table',
};

/** Resources are registered by promises that nobody waits for: wait for those that come late, then until no more come. */
async function quiet(resources: readonly Resource[]): Promise<void> {
	const count = (type: string) => resources.filter((r) => r.type === type).length;
	const isDone = () => Object.entries(about).every(([component, type]) => count(component) === count(type));
	for (let seen = -1, same = 0; same < 10 || !isDone(); ) {
		same = seen === resources.length ? same + 1 : 0;
		seen = resources.length;
		await new Promise((resolve) => setTimeout(resolve, 200));
	}
}

async function settled(value: unknown): Promise<unknown> {
	const known = pulumi.output(value) as pulumi.Output<unknown>;
	return new Promise((resolve) => {
		known.apply(resolve);
	});
}

/** How Pulumi marks a secret on the wire (pulumi/sdk, rpc.ts: specialSigKey, specialSecretSig). */
const SIGNATURE = '4dabf18193072939515e22adb298388d';
const SECRET = '1b47061264138c4ac30d75fd1eb44270';

/** The value of an input that must be marked as a secret; throws when it is in clear. */
export function secretOf(input: unknown): unknown {
	const marked = input as Record<string, unknown>;
	if (marked[SIGNATURE] !== SECRET) throw new Error('not marked as a secret');
	return marked['value'];
}
