/**
 * What is deployed, run as Lambda runs it: each function's folder alone, in a process of its own, with no package and no
 * source in reach. Nothing of the laptop, the tests or the tools is in it.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FunctionName } from '../infra/actions.ts';
import { bundle } from '../infra/bundle.ts';
import { entries } from '../infra/entries.ts';
import { requestBody } from './api/harness.ts';
import { type TestBank, testBank } from './fixtures.ts';

const run = promisify(execFile);
const names = Object.keys(entries) as FunctionName[];
const home = mkdtempSync(path.join(tmpdir(), 'fairlead-bundle-'));
const folders = {
	api: path.join(home, 'api'),
	sweep: path.join(home, 'sweep'),
	reconcile: path.join(home, 'reconcile'),
	seal: path.join(home, 'seal'),
	erase: path.join(home, 'erase'),
	completeness: path.join(home, 'completeness'),
};
const metafiles = new Map<FunctionName, Metafile>();
let test: TestBank;

beforeAll(async () => {
	for (const name of names) metafiles.set(name, await bundle(name, folders[name]));
	test = await testBank();
});

afterAll(async () => {
	await test.close();
	rmSync(home, { recursive: true, force: true });
});

const inputsOf = (name: FunctionName) => Object.keys(metafiles.get(name)?.inputs ?? {});
/** Name of the package that a file belongs to: the innermost one. */
const packageOf = (file: string) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? null;

/** Packages that only development needs, says the lock file; whatever the product needs as well is not among them. */
const development = new Set(
	Object.entries(
		(JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, { dev?: boolean }> }).packages,
	).flatMap(([file, { dev }]) => (dev === true ? [packageOf(`${file}/`) ?? ''] : [])),
);

describe.each(names)('%s', (name) => {
	it('holds our code of core/, functions/ and verifier/ alone', () => {
		const own = inputsOf(name).filter((file) => packageOf(file) === null);
		expect(own).toContain(entries[name]);
		expect(own.filter((file) => !/^(core|functions|verifier)\//.test(file))).toEqual([]);
	});

	it('holds what writes the log, and its key, only if it seals', () => {
		const outputs = Object.values(metafiles.get(name)?.outputs ?? {}).flatMap(({ inputs }) => Object.entries(inputs));
		const held = outputs.flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : []));
		expect(held).toContain('functions/objects/folder.ts');
		const writing = held.filter((file) => /client-kms\/|functions\/(signer|.*-writing)/.test(file));
		expect(writing.length > 0).toBe(name === 'seal');
	});

	it('holds no package of the laptop, the tests or the tools', () => {
		const packages = [...new Set(inputsOf(name).map(packageOf))].filter((p) => p !== null);
		expect(packages).toContain('@aws-sdk/client-dynamodb');
		expect(packages.filter((p) => p.startsWith('@duckdb') || development.has(p))).toEqual([]);
	});
});

it('what is development alone is told from what is deployed', () => {
	const tools = ['@duckdb/node-api', 'dynalite', 'vitest', 'fast-check', 'esbuild'];
	expect(tools.filter((tool) => !development.has(tool))).toEqual([]);
	expect(development.has('@aws-sdk/client-dynamodb')).toBe(false);
});

/** The settings of a deployed function, for the bank that this test has. */
function environment(name: FunctionName): Record<string, string> {
	// As deployed, the log goes to standard output.
	const { FAIRLEAD_LOG_FILE: _, FAIRLEAD_PARSER: _parser, FAIRLEAD_LEDGER_KEY: key = '', ...rest } = test.bank.settings;
	return {
		...rest,
		AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
		FAIRLEAD_URL: 'https://fairlead.example',
		...(name === 'api' ? { FAIRLEAD_PARSER: path.join(folders[name], 'parser.mjs') } : {}),
		...(name === 'seal' ? { FAIRLEAD_LEDGER_KEY: key } : {}),
		FAIRLEAD_POLICIES: path.join(folders[name], 'policies'),
		FAIRLEAD_DOCS: path.join(folders[name], 'docs'),
	};
}

/** Calls the handler of a bundle with each event in turn, in a new process. */
async function invoke(name: FunctionName, events: readonly unknown[]): Promise<unknown[]> {
	const script = path.join(home, `${name}.mjs`);
	const answers = path.join(home, `${name}.json`);
	writeFileSync(
		script,
		`import { writeFileSync } from 'node:fs';
		const { handler } = await import('./${name}/index.mjs');
		const answers = [];
		for (const event of ${JSON.stringify(events)}) answers.push(await handler(event, {}));
		writeFileSync('${answers}', JSON.stringify(answers));
		process.exit(0);`,
	);
	// As in vitest.config.ts: Cedar's engine can end Node 20 without it.
	await run(process.execPath, ['--no-turbo-inline-js-wasm-calls', script], { cwd: home, env: environment(name) });
	return JSON.parse(readFileSync(answers, 'utf8')) as unknown[];
}

type Sent = { method?: string; body?: unknown; headers?: Record<string, string> };

/** Payload format 2.0 of an HTTP API. */
function event(rawPath: string, { method = 'GET', body, headers = {} }: Sent = {}) {
	const http = { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' };
	return {
		version: '2.0',
		routeKey: '$default',
		rawPath,
		rawQueryString: '',
		headers: { host: 'fairlead.example', ...headers },
		requestContext: { http, domainName: 'fairlead.example', requestId: 'r', stage: '$default' },
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
		isBase64Encoded: false,
	};
}

describe('run alone', () => {
	it('api: answers in the open and to the signed-in, decides by the policies, parses SQL, serves its pages', async () => {
		const headers = {
			authorization: `Bearer ${await test.bank.issuer.token('alice')}`,
			'content-type': 'application/json',
		};
		const principal = requestBody(test.world)['principal'];
		const asked = { method: 'POST', headers, body: requestBody(test.world) };
		const sql = { method: 'POST', headers, body: { sql: 'SELECT amount FROM lending.loans WHERE (', principal } };
		const answers = (await invoke('api', [
			event('/healthz'),
			event('/openapi.json'),
			event('/api/v1/me'),
			event('/api/v1/me', { headers }),
			event('/api/v1/requests', asked),
			event('/api/v1/queries', sql),
			event('/docs'),
		])) as { statusCode: number; body: string }[];
		expect(answers.map((a) => a.statusCode)).toEqual([200, 200, 401, 200, 201, 422, 200]);
		expect(JSON.parse(answers[5]?.body ?? '')).toMatchObject({ line: 1 });
	});

	it('sweep: makes its pass', async () => {
		expect(await invoke('sweep', [{}])).toEqual([expect.objectContaining({ failed: 0 })]);
	});

	it('reconcile: makes its pass', async () => {
		expect(await invoke('reconcile', [{}])).toEqual([expect.objectContaining({ failed: 0 })]);
	});

	it('erase: makes its pass', async () => {
		expect(await invoke('erase', [{}])).toEqual([{ erased: 0, kept: 0, failed: 0 }]);
	});

	it('completeness: looks for days to check, and finds none on the first', async () => {
		expect(await invoke('completeness', [{}])).toEqual([{ checked: [], incomplete: 0, findings: 0, left: 0 }]);
	});

	it('seal: makes passes for most of a minute, and signs with a key that no other function is told of', async () => {
		const [sealed] = (await invoke('seal', [{}])) as { sealed: number; size: number; quarantined: number }[];
		expect(sealed).toMatchObject({ quarantined: 0, oldestSeconds: 0 });
		expect(sealed?.size).toBeGreaterThan(0);
	}, 90_000);

	it.each(names)('%s: does not start without its settings, and tells no value', async (name) => {
		const env = { ...environment(name), FAIRLEAD_JWKS_URI: '', FAIRLEAD_CURSOR_KEY: 'c2hvcnQ=' };
		const started = run(process.execPath, [path.join(folders[name], 'index.mjs')], { cwd: home, env });
		const { stderr } = (await started.catch((error: unknown) => error)) as { stderr: string };
		expect(stderr.slice(-4000)).toMatch(/FAIRLEAD_CURSOR_KEY: must be at least 32 bytes/);
		expect(stderr.slice(-4000)).not.toContain('c2hvcnQ=');
	});
});
