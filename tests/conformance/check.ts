/**
 * Holds an answer against the OpenAPI document: its operation, status, media type, body, problem code and headers.
 * Stricter than a client should be: a member that no schema names is a fault here, where the schema is not loose.
 */
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { type Code, codes } from '#core/error.ts';
import { type Document, type Json, type Operation, operationsOf, readDocument } from '#tests/document.ts';
import { compiler } from './schema.ts';

export type Exchange = {
	readonly method: string;
	/** Path and query, or a whole URL. */
	readonly url: string;
	readonly status: number;
	readonly headers: Headers;
	/** null where it broke off. */
	readonly body: string | null;
};

/** What an answer was of: for the table of what the tests have met. */
export type Met = { readonly operation: string; readonly status: number; readonly code: string | null };

export type Verdict = { readonly met: Met | null; readonly faults: readonly string[] };

type Known = { readonly method: string; readonly path: string; readonly match: RegExp; readonly operation: Operation };
type Response = Operation['responses'][string];

let made: Promise<(exchange: Exchange) => Verdict> | undefined;

/** What is wrong with the answer. */
export async function check(exchange: Exchange): Promise<Verdict> {
	made ??= readDocument().then(checkerOf);
	return (await made)(exchange);
}

function checkerOf(document: Document): (exchange: Exchange) => Verdict {
	const known = operationsOf(document).map((o): Known => ({ ...o, match: patternOf(o.path) }));
	const validatorOf = compiler(document);
	return (exchange) => {
		const { pathname } = new URL(exchange.url, 'http://localhost');
		const method = exchange.method === 'HEAD' ? 'get' : exchange.method.toLowerCase();
		const found = known.find((k) => k.method === method && k.match.test(pathname));
		if (found === undefined) return { met: null, faults: nowhere(exchange, validatorOf) };
		const { operation } = found;
		const response = operation.responses[String(exchange.status)];
		const code = problemOf(exchange)?.['code'];
		const met = {
			operation: operation.operationId,
			status: exchange.status,
			code: typeof code === 'string' ? code : null,
		};
		if (response === undefined)
			return { met, faults: [`status ${exchange.status} is not documented: ${exchange.body}`] };
		const at = ['paths', found.path, method, 'responses', String(exchange.status)];
		return {
			met,
			faults: [
				...headerFaults(document, response, exchange),
				...bodyFaults(response, at, exchange, validatorOf),
				...problemFaults(response, exchange),
			],
		};
	};
}

function patternOf(template: string): RegExp {
	const literal = template.replaceAll(/[.+*?^$()|[\]\\]/g, '\\$&');
	// The place of a tile has slashes, which no template of OpenAPI can say.
	return new RegExp(`^${literal.replace('{path}', '.+').replaceAll(/\{[^}]+\}/g, '[^/]+')}$`);
}

type ValidatorOf = (at: readonly string[]) => ValidateFunction;

/** Below the base, and yet no operation: a problem all the same. */
function nowhere(exchange: Exchange, validatorOf: ValidatorOf): string[] {
	const problem = problemOf(exchange);
	if (problem === null) return [`${exchange.status} outside of every operation is no problem: ${exchange.body}`];
	const faults = schemaFaults(validatorOf(['components', 'schemas', 'Problem']), problem);
	if (exchange.status === 405 && !exchange.headers.has('allow')) faults.push('405 without Allow');
	return [...faults, ...tableFaults(problem, exchange.status)];
}

/** Headers that say something of this one answer; what the server adds to all alike is not for the document. */
const telling =
	/^(location|etag|link|retry-after|ratelimit.*|www-authenticate|idempotency-.*|x-.*|traceparent|allow|deprecation|sunset)$/;
/** Set for every answer alike by `hono/secure-headers`. */
const hardening =
	/^x-(content-type-options|dns-prefetch-control|download-options|frame-options|permitted-cross-domain-policies|xss-protection)$/;

function headerFaults(document: Document, response: Response, { headers }: Exchange): string[] {
	const declared = new Map(
		Object.entries(response.headers ?? {}).map(([name, header]) => [
			name.toLowerCase(),
			resolve(document, header as Json),
		]),
	);
	const faults: string[] = [];
	for (const [name, header] of declared) {
		const value = headers.get(name);
		const { pattern, const: only } = (header['schema'] ?? {}) as { pattern?: string; const?: string };
		if (value === null && header['required'] === true) faults.push(`header ${name} is missing`);
		if (value !== null && pattern !== undefined && !new RegExp(pattern).test(value))
			faults.push(`header ${name}: ${value}`);
		if (value !== null && only !== undefined && value !== only) faults.push(`header ${name}: ${value}, not ${only}`);
	}
	for (const name of headers.keys()) {
		if (telling.test(name) && !hardening.test(name) && !declared.has(name))
			faults.push(`header ${name} is not documented`);
	}
	return faults;
}

function resolve(document: Document, header: Json): Json {
	const ref = header['$ref'];
	if (typeof ref !== 'string') return header;
	const { headers = {} } = document.components as { headers?: Record<string, Json> };
	return headers[ref.replace('#/components/headers/', '')] ?? {};
}

function bodyFaults(response: Response, at: readonly string[], exchange: Exchange, validatorOf: ValidatorOf): string[] {
	const type = mediaType(exchange.headers);
	const media = response.content?.[type];
	if (media === undefined) return [`content type ${type} is not documented`];
	if (exchange.body === null || exchange.method === 'HEAD' || !type.endsWith('json')) return [];
	return schemaFaults(validatorOf([...at, 'content', type, 'schema']), JSON.parse(exchange.body));
}

function schemaFaults(validate: ValidateFunction, value: unknown): string[] {
	if (validate(value)) return [];
	return (validate.errors ?? []).map((e) => `${e.instancePath || '/'} ${e.message} ${JSON.stringify(e.params)}`);
}

const mediaType = (headers: Headers) => (headers.get('content-type') ?? 'none').split(';')[0] ?? '';

function problemOf({ headers, body }: Exchange): Json | null {
	return mediaType(headers) === 'application/problem+json' && body !== null && body !== '' ? JSON.parse(body) : null;
}

/** The code is one of those that the operation names for this status. */
function problemFaults(response: Response, exchange: Exchange): string[] {
	const problem = problemOf(exchange);
	if (problem === null) return [];
	const listed = Object.keys(response.content?.['application/problem+json']?.examples ?? {});
	const code = String(problem['code']);
	const unlisted = listed.includes(code)
		? []
		: [`code ${code} is not documented with ${exchange.status}: ${exchange.body}`];
	return [...unlisted, ...tableFaults(problem, exchange.status)];
}

/** Status, title and type are those of the one table. */
function tableFaults(problem: Json, status: number): string[] {
	const code = String(problem['code']);
	if (!Object.hasOwn(codes, code)) return [`code ${code} is not in the table`];
	const { status: expected, title } = codes[code as Code];
	const faults: string[] = [];
	if (status !== expected || problem['status'] !== expected) faults.push(`code ${code} with status ${status}`);
	if (problem['title'] !== title) faults.push(`title of ${code}: ${String(problem['title'])}`);
	if (problem['type'] !== `/errors/${code}`) faults.push(`type of ${code}: ${String(problem['type'])}`);
	return faults;
}
