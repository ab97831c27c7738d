/** The OpenAPI document: complete, and true to the routes that there are. Needs no bank. */
import { beforeAll, describe, expect, it } from 'vitest';
import { appWithoutBank } from './document.ts';

type Json = { readonly [member: string]: unknown };
type Operation = {
	readonly operationId?: string;
	readonly summary?: string;
	readonly security?: unknown;
	readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[];
	readonly requestBody?: { readonly required?: boolean; readonly content: Json };
	readonly responses: Readonly<Record<string, { readonly description?: string; readonly content?: Json }>>;
};

const app = appWithoutBank();

let document: Json & { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };
let operations: { name: string; path: string; operation: Operation }[];

beforeAll(async () => {
	document = (await (await app.request('/openapi.json')).json()) as typeof document;
	operations = Object.entries(document.paths).flatMap(([path, item]) =>
		Object.entries(item).map(([method, operation]) => ({ name: `${method} ${path}`, path, operation })),
	);
});

/** Names of the operations that do not hold up to this. */
const failing = (holds: (operation: Operation, path: string) => boolean) =>
	operations.filter(({ operation, path }) => !holds(operation, path)).map(({ name }) => name);

const schemas = () => (document['components'] as { schemas: Json }).schemas;

function references(value: unknown): string[] {
	if (typeof value !== 'object' || value === null) return [];
	return Object.entries(value).flatMap(([key, inner]) =>
		key === '$ref' && typeof inner === 'string' ? [inner] : references(inner),
	);
}

describe('the document', () => {
	it('is OpenAPI 3.1.0, served without a token', async () => {
		const answer = await app.request('/openapi.json');
		expect([answer.status, document['openapi']]).toEqual([200, '3.1.0']);
		expect(document['info']).toMatchObject({ title: 'Fairlead', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
	});

	it('has every route below the base, and no other', () => {
		const routes = app.routes
			.filter((r) => r.method !== 'ALL' && r.path.startsWith('/api/v1/'))
			.map((r) => `${r.method.toLowerCase()} ${r.path.replaceAll(/:(\w+)(\{[^}]+\})?/g, '{$1}')}`);
		expect([...new Set(routes)].toSorted()).toEqual(operations.map((o) => o.name).toSorted());
		expect(operations.length).toBeGreaterThan(20);
	});

	it('refers to nothing that it does not have', () => {
		const missing = references(document).filter(
			(ref) => !Object.hasOwn(schemas(), ref.replace('#/components/schemas/', '')),
		);
		expect(missing).toEqual([]);
	});

	it('asks for a bearer token everywhere', () => {
		expect(document['security']).toEqual([{ bearer: [] }]);
		expect(document['components']).toMatchObject({
			securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
		});
		expect(failing((o) => o.security === undefined)).toEqual([]);
	});
});

describe('every operation', () => {
	it('has an id of its own, in camel case', () => {
		expect(failing((o) => /^[a-z]+([A-Z][a-z]+)*$/.test(o.operationId ?? ''))).toEqual([]);
		const ids = operations.map((o) => o.operation.operationId);
		expect(new Set(ids).size).toBe(ids.length);
	});

	it('has a summary of one line', () => {
		expect(failing((o) => /^\S[^\n]{5,120}$/.test(o.summary ?? ''))).toEqual([]);
	});

	it('says what a refusal looks like', () => {
		const problem = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
		expect(failing((o) => JSON.stringify(o.responses['default']?.content) === JSON.stringify(problem))).toEqual([]);
		expect(schemas()['Problem']).toMatchObject({
			required: expect.arrayContaining(['type', 'title', 'status', 'detail', 'instance', 'code']),
		});
	});

	it('says what success looks like, with a schema', () => {
		const described = (content: Json | undefined) => {
			const types = Object.values(content ?? {}) as Json[];
			return types.length > 0 && types.every((type) => typeof type['schema'] === 'object');
		};
		const succeeds = (o: Operation) => Object.entries(o.responses).filter(([status]) => /^2\d\d$/.test(status));
		expect(failing((o) => succeeds(o).length > 0)).toEqual([]);
		expect(failing((o) => succeeds(o).every(([, r]) => described(r.content)))).toEqual([]);
	});

	it('declares each parameter of its path, and has a body exactly where it needs one', () => {
		const declared = (o: Operation, path: string) =>
			[...path.matchAll(/\{(\w+)\}/g)].every(([, name]) =>
				o.parameters?.some((p) => p.name === name && p.in === 'path' && p.required === true),
			);
		expect(failing(declared)).toEqual([]);
		expect(failing((o) => o.requestBody === undefined || o.requestBody.required === true)).toEqual([]);
		expect(operations.filter((o) => o.name.startsWith('get ') && o.operation.requestBody !== undefined)).toEqual([]);
	});

	it('is closed to what it does not know: no body takes another member', () => {
		for (const name of ['AccessRequest', 'Decision', 'QueryBody', 'ReportBody', 'Revocation', 'DomainRegistration']) {
			expect(schemas()[name]).toMatchObject({ type: 'object', additionalProperties: false });
		}
	});
});
