/** The OpenAPI document: complete, lint-free, its examples valid, and true to the routes that there are. Needs no bank. */
import { readFileSync } from 'node:fs';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Code, codes } from '#core/error.ts';
import { compiler } from './conformance/schema.ts';
import { appWithoutBank, type Document, type Json, type Media, type Operation, operationsOf } from './document.ts';

type Named = { readonly name: string; readonly method: string; readonly path: string; readonly operation: Operation };

const app = appWithoutBank();

let document: Document;
let operations: Named[];
let validatorOf: (at: readonly string[]) => ValidateFunction;

beforeAll(async () => {
	document = (await (await app.request('/openapi.json')).json()) as Document;
	operations = operationsOf(document).map((o) => ({ ...o, name: `${o.method} ${o.path}` }));
	validatorOf = compiler(document);
});

/** What each operation gets wrong, by its name; nothing for those that are right. */
function faults(of: (operation: Operation, named: Named) => readonly unknown[]): string[] {
	return operations.flatMap((o) => of(o.operation, o).map((fault) => `${o.name}: ${String(fault)}`));
}

/** Names of the operations that do not hold up to this. */
const failing = (holds: (operation: Operation, named: Named) => boolean) =>
	operations.filter((o) => !holds(o.operation, o)).map(({ name }) => name);

const isOpen = (operation: Operation) => operation.tags[0] === 'Service';
const entriesOf = (operation: Operation) => Object.entries(operation.responses);
const problemsOf = (response: Operation['responses'][string]) => response.content?.['application/problem+json'];

function references(value: unknown): string[] {
	if (typeof value !== 'object' || value === null) return [];
	return Object.entries(value).flatMap(([key, inner]) =>
		key === '$ref' && typeof inner === 'string' ? [inner] : references(inner),
	);
}

/** The document's part that a reference names. */
function resolve(ref: string): unknown {
	const parts = ref.replace(/^#\//, '').split('/');
	return parts.reduce<unknown>((value, part) => (value as Json | undefined)?.[part], document);
}

const headersOf = (response: Operation['responses'][string]) =>
	Object.entries(response.headers ?? {}).map(([name, header]) => {
		const { $ref } = header as { $ref?: string };
		return { name, header: ($ref === undefined ? header : resolve($ref)) as Json };
	});

describe('the document', () => {
	it('is OpenAPI 3.1.0, served without a token', async () => {
		const answer = await app.request('/openapi.json');
		expect([answer.status, document['openapi']]).toEqual([200, '3.1.0']);
		expect(document['info']).toMatchObject({ title: 'Fairlead', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
	});

	it('passes the linter: every rule that it recommends, and more, without an exception', async () => {
		const rules = {
			'no-unused-components': 'error',
			'operation-4xx-problem-details-rfc7807': 'error',
			'operation-singular-tag': 'error',
			'operation-tag-defined': 'error',
			'parameter-description': 'error',
			'path-segment-plural': 'off',
			'paths-kebab-case': 'error',
			'no-http-verbs-in-paths': 'error',
			'array-parameter-serialization': 'error',
			'boolean-parameter-prefixes': 'error',
			'path-params-defined': 'error',
			'component-name-unique': 'error',
			'spec-example-values': 'error',
			'spec-strict-refs': 'error',
		} as const;
		const config = await createConfig({ extends: ['recommended-strict'], rules });
		const problems = await lintFromString({ source: JSON.stringify(document, null, 1), config });
		expect(problems.map((p) => `${p.ruleId} at ${p.location[0]?.pointer}: ${p.message}`)).toEqual([]);
	});

	it('has every route of the app, and no other', () => {
		const routes = app.routes
			.filter((r) => r.method !== 'ALL' && (r.path.startsWith('/api/v1/') || isService(r.path)))
			.map((r) => `${r.method.toLowerCase()} ${r.path.replaceAll(/:(\w+)(\{[^}]+\})?/g, '{$1}')}`);
		expect([...new Set(routes)].toSorted()).toEqual(operations.map((o) => o.name).toSorted());
		expect(operations.length).toBeGreaterThan(25);
	});

	it('refers to nothing that it does not have', () => {
		expect(references(document).filter((ref) => resolve(ref) === undefined)).toEqual([]);
	});

	it('asks for a bearer token, everywhere but for the service itself', () => {
		expect(document['security']).toEqual([{ bearer: [] }]);
		expect(document['components']).toMatchObject({
			securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
		});
		expect(failing((o) => JSON.stringify(o.security) === (isOpen(o) ? '[]' : '[{"bearer":[]}]'))).toEqual([]);
		expect(failing((o, { path }) => isOpen(o) !== path.startsWith('/api/v1/'))).toEqual([]);
	});

	it('describes each tag, each of its schemas that has a name, and each header', () => {
		const tags = document['tags'] as { name: string; description: string }[];
		expect(tags.filter((t) => !/^\S.{10,}\.$/.test(t.description))).toEqual([]);
		const used = new Set(operations.flatMap((o) => o.operation.tags));
		expect(tags.map((t) => t.name).toSorted()).toEqual([...used].toSorted());
		const headers = operations.flatMap((o) => entriesOf(o.operation).flatMap(([, r]) => headersOf(r)));
		expect(headers.filter(({ header }) => typeof header['description'] !== 'string').map((h) => h.name)).toEqual([]);
	});
});

const isService = (path: string) => /^\/(healthz|readyz|version|\.well-known\/)/.test(path);

describe('every operation', () => {
	it('has an id of its own, in camel case', () => {
		expect(failing((o) => /^[a-z]+([A-Z][a-z]+)*$/.test(o.operationId))).toEqual([]);
		const ids = operations.map((o) => o.operation.operationId);
		expect(new Set(ids).size).toBe(ids.length);
	});

	it('has a summary of one line, and one tag', () => {
		expect(failing((o) => /^\S[^\n]{5,120}$/.test(o.summary))).toEqual([]);
		expect(failing((o) => o.tags.length === 1)).toEqual([]);
	});

	it('names its Cedar action, which the policy schema has; an open one has none', () => {
		const schema = readFileSync(new URL('../policies/schema.cedarschema', import.meta.url), 'utf8');
		const actions = [...schema.matchAll(/action ([\w\s,]+?)\s+appliesTo/g)].flatMap(([, list]) =>
			(list ?? '').split(',').map((name) => name.trim()),
		);
		expect(actions.length).toBeGreaterThan(10);
		expect(failing((o) => isOpen(o) || actions.includes(o['x-cedar-action'] ?? ''))).toEqual([]);
		expect(failing((o) => !isOpen(o) || o['x-cedar-action'] === undefined)).toEqual([]);
	});

	it('declares each parameter of its path, and has a body exactly where it needs one', () => {
		const declared = (o: Operation, { path }: Named) =>
			[...path.matchAll(/\{(\w+)\}/g)].every(([, name]) =>
				o.parameters?.some((p) => p.name === name && p.in === 'path' && p.required === true),
			);
		expect(failing(declared)).toEqual([]);
		expect(failing((o) => o.requestBody === undefined || o.requestBody.required === true)).toEqual([]);
		expect(operations.filter((o) => o.method === 'get' && o.operation.requestBody !== undefined)).toEqual([]);
	});

	it('describes each parameter and bounds it', () => {
		const bounds = ['maxLength', 'pattern', 'enum', 'maximum', 'format'];
		const wrong = (o: Operation) =>
			(o.parameters ?? [])
				.filter((p) => !/^\S.{5,}/.test(p.description ?? '') || !bounds.some((b) => p.schema?.[b] !== undefined))
				.map((p) => p.name);
		expect(faults(wrong)).toEqual([]);
	});

	it('is closed to what it does not know: no body takes another member', () => {
		for (const name of ['AccessRequest', 'Decision', 'QueryBody', 'ReportBody', 'Revocation', 'DomainRegistration']) {
			expect(document.components.schemas[name]).toMatchObject({ type: 'object', additionalProperties: false });
		}
	});
});

describe('every example', () => {
	/** Each media type with its place in the document. */
	function media(): { at: readonly string[]; media: Media }[] {
		return operations.flatMap(({ path, method, operation }) => {
			const own = ['paths', path, method];
			const of = (at: string[], content: Readonly<Record<string, Media>> = {}) =>
				Object.entries(content).map(([type, found]) => ({ at: [...at, 'content', type], media: found }));
			return [
				...of([...own, 'requestBody'], operation.requestBody?.content),
				...entriesOf(operation).flatMap(([status, r]) => of([...own, 'responses', status], r.content)),
			];
		});
	}

	it('is there, for each body and each answer, and is what its schema says, without a member more', () => {
		const wrong = media().flatMap(({ at, media: { example, examples } }) => {
			const all = [
				...(example === undefined ? [] : [example]),
				...Object.values(examples ?? {}).map((e) => (e as { value: unknown }).value),
			];
			if (all.length === 0) return [`${at.join(' ')}: none`];
			const validate = validatorOf([...at, 'schema']);
			return all.filter((value) => !validate(value)).map(() => `${at.join(' ')}: ${JSON.stringify(validate.errors)}`);
		});
		expect(wrong).toEqual([]);
	});

	it('of a parameter or header is what its schema says', () => {
		const headers = operations.flatMap((o) => entriesOf(o.operation).flatMap(([, r]) => headersOf(r)));
		const wrong = headers.filter(({ header }) => {
			const { pattern, enum: values } = (header['schema'] ?? {}) as { pattern?: string; enum?: unknown };
			return (header['example'] ?? values) === undefined || !new RegExp(pattern ?? '').test(String(header['example']));
		});
		expect([...new Set(wrong.map((w) => w.name))]).toEqual([]);
	});
});

describe('every answer', () => {
	it('of success has a schema', () => {
		const described = (content: Readonly<Record<string, Media>> = {}) =>
			Object.keys(content).length > 0 && Object.values(content).every((m) => typeof m.schema === 'object');
		const successes = (o: Operation) => entriesOf(o).filter(([status]) => /^2\d\d$/.test(status));
		expect(failing((o) => successes(o).length > 0)).toEqual([]);
		expect(failing((o) => successes(o).every(([, r]) => described(r.content)))).toEqual([]);
	});

	it('of refusal is a problem that names its codes, all of the one table and of this status', () => {
		const wrong = (o: Operation) =>
			entriesOf(o).flatMap(([status, response]) => {
				const problem = problemsOf(response);
				if (problem === undefined) return status < '400' || isOpen(o) ? [] : [`${status} is no problem`];
				const listed = Object.keys(problem.examples ?? {});
				if (listed.length === 0) return [`${status} names no code`];
				return listed.filter((code) => codes[code as Code]?.status !== Number(status));
			});
		expect(faults(wrong)).toEqual([]);
		expect(failing((o) => !Object.hasOwn(o.responses, 'default'))).toEqual([]);
		expect(document.components.schemas['Problem']).toMatchObject({
			required: expect.arrayContaining(['type', 'title', 'status', 'detail', 'instance', 'traceId', 'code']),
			properties: { code: { enum: Object.keys(codes) } },
		});
	});

	it('of a signed-in operation can be what the way to each of them can end with', () => {
		const needed = ['401', '422', '429', '500', '503'];
		expect(faults((o) => (isOpen(o) ? [] : needed.filter((s) => !Object.hasOwn(o.responses, s))))).toEqual([]);
	});

	it('says which headers it has', () => {
		const needed: readonly (readonly [header: string, on: (status: string, o: Named) => boolean])[] = [
			['X-Request-Id', () => true],
			['traceparent', () => true],
			['Cache-Control', () => true],
			['RateLimit', (_, { operation }) => !isOpen(operation)],
			['RateLimit-Policy', (_, { operation }) => !isOpen(operation)],
			['WWW-Authenticate', (status) => status === '401'],
			['Retry-After', (status, { operation }) => status === '429' || (status === '503' && !isOpen(operation))],
			['Location', (status, o) => status === '201' && o.method === 'post'],
			['Idempotency-Replayed', (_, { method }) => method === 'post'],
			[
				'ETag',
				(status, { operation: o }) => status.startsWith('2') && hasIfMatch(o) && o.operationId.startsWith('put'),
			],
			[
				'Link',
				(status, { operation: o }) => status === '200' && (o.parameters ?? []).some((p) => p.name === 'pageToken'),
			],
		];
		const wrong = (o: Operation, named: Named) =>
			entriesOf(o).flatMap(([status, response]) => {
				const has = headersOf(response).map((h) => h.name);
				return needed.filter(([h, on]) => on(status, named) && !has.includes(h)).map(([h]) => `${status} without ${h}`);
			});
		expect(faults(wrong)).toEqual([]);
		expect(failing((o, { method }) => (method === 'post') === takes(o, 'idempotency-key'))).toEqual([]);
	});
});

const takes = (o: Operation, header: string) =>
	(o.parameters ?? []).some((p) => p.in === 'header' && p.name === header);
const hasIfMatch = (o: Operation) => takes(o, 'if-match');
