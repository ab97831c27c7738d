/**
 * One API operation as the OpenAPI document tells it. An operation names the Cedar action that it asks about, its
 * successes with an example each, and every code of core/error.ts that it may refuse with; the document's refusals are
 * made from that list, so that what a client can meet stands in the document, and nothing else does.
 */
import { createRoute, type RouteConfig, z } from '@hono/zod-openapi';
import { type Code, codes } from '#core/error.ts';
import type { Action } from '#core/policy.ts';
import { IdempotencyKey } from '../idempotency.ts';
import { exampleOf, Problem } from '../problem.ts';
import { Wait } from '../sealed.ts';
import { gate } from './gate.ts';
import { challenge, everywhere, replayed, retryAfter, sealed, signedIn } from './headers.ts';
import { recorded } from './recorded.ts';

/** A JSON answer of this shape. */
export function json<T extends z.ZodType>(schema: T, description: string, example: z.input<T>) {
	return { description, content: { 'application/json': { schema, example } } };
}

/** A required JSON body of this shape. */
export function jsonBody<T extends z.ZodType>(schema: T, example: z.input<T>) {
	return { required: true, content: { 'application/json': { schema, example } } } as const;
}

/** What says which version the caller saw (RFC 9110 section 13.1.1); core/etag.ts reads it. */
export const IfMatch = z.object({
	'if-match': z.string().max(1000).optional().meta({
		description:
			'ETag of the thing as you read it; of several, one must be its own. Weak tags match nothing, `*` is refused. The ETag of a request names the content that is decided on, not the state of its approvals: it stays the same while they come in.',
		example: '"3"',
	}),
});

/** The chapters of the document. */
export type Tag = 'Mesh' | 'Data products' | 'Requests' | 'Grants' | 'Queries' | 'Reports' | 'Ledger' | 'Service';

export type Governance = {
	readonly tag: Tag;
	/** What Cedar is asked. The last word is on the thing itself; this is the operation's name in the policies. */
	readonly action: Action;
	/** Codes of this operation's own refusals, besides those that every operation has. */
	readonly refuses: readonly Code[];
};

/** What the way to every operation can refuse with. A query that it does not know is no valid one. */
const always: readonly Code[] = [
	'invalid-token',
	'rate-limited',
	'too-large',
	'validation',
	'internal',
	'record-corrupt',
	'unavailable',
];
const withBody: readonly Code[] = ['bad-request', 'unsupported-media-type'];
const onPost: readonly Code[] = ['bad-request', 'in-flight', 'outcome-unknown', 'idempotency-key-reused'];
/** Codes that may say when to try again. */
const passing: readonly Code[] = ['rate-limited', 'unavailable', 'not-finished', 'in-flight'];

type Route<P extends string> = Omit<RouteConfig, 'path' | 'tags' | 'security' | 'middleware'> & {
	path: P;
	operationId: string;
	summary: string;
	request?: Omit<NonNullable<RouteConfig['request']>, 'headers' | 'query'> & {
		headers?: z.ZodObject;
		query?: z.ZodObject;
	};
};

/** An operation below the API's base: signed in, governed by Cedar. */
export function operation<P extends string, R extends Route<P>>({ tag, action, refuses }: Governance, route: R) {
	const { body, headers, query: own } = route.request ?? {};
	const post = route.method === 'post';
	const writes = route.method !== 'get';
	const query: z.ZodObject | undefined = writes ? (own ?? z.object({})).extend({ wait: Wait }) : own;
	const all = [...always, ...refuses, ...(body === undefined ? [] : withBody), ...(post ? onPost : [])];
	const common = { ...everywhere, ...signedIn, ...(post ? replayed : {}) };
	return createRoute<P, R>({
		...route,
		tags: [tag],
		security: [{ bearer: [] }],
		'x-cedar-action': action,
		middleware: [
			gate(Object.keys(query?.shape ?? {}), body === undefined ? null : Object.keys(body.content)),
			recorded(
				route.operationId,
				Object.keys(query?.shape ?? {}).filter((name) => isListed(query?.shape[name])),
			),
		],
		...(writes ? { request: { ...route.request, query, ...(post ? { headers: withKey(headers) } : {}) } } : {}),
		responses: {
			...withHeaders(route.responses, writes ? { ...sealed, ...common } : common),
			...refusals(all, common),
		},
	});
}

/** An operation outside the base that needs no token. */
export function openOperation<P extends string, R extends Route<P>>(route: R) {
	return createRoute<P, R>({
		...route,
		tags: ['Service'],
		security: [],
		responses: { ...refusals(['too-large', 'internal'], everywhere), ...withHeaders(route.responses, everywhere) },
	});
}

/** Whether the document lists every value that it takes. */
function isListed(schema: z.core.$ZodType | undefined): boolean {
	if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return isListed(schema.unwrap());
	return schema instanceof z.ZodEnum;
}

type Headers = Readonly<Record<string, { $ref: string }>>;

/** A quoted key may escape each of its characters. */
const key = IdempotencyKey.meta({ ...IdempotencyKey.meta(), minLength: 1, maxLength: 2 * 255 + 2 });

function withKey(headers: z.ZodObject | undefined): z.ZodObject {
	return (headers ?? z.object({})).extend({ 'idempotency-key': key });
}

function withHeaders<R extends RouteConfig['responses']>(responses: R, common: Headers): R {
	const all = Object.entries(responses).map(([status, answer]) => {
		const own = 'headers' in answer ? (answer.headers as Headers) : {};
		return [status, { ...answer, headers: { ...common, ...own } }];
	});
	return Object.fromEntries(all) as R;
}

/** Codes as responses by status, each code with an example. */
function refusals(wanted: readonly Code[], common: Headers) {
	const list = [...new Set(wanted)].toSorted();
	const statuses = new Set(list.map((code) => codes[code].status));
	const of = (status: number) => list.filter((code) => codes[code].status === status);
	return Object.fromEntries([...statuses].map((status) => [status, refusal(of(status), common)]));
}

function refusal(list: readonly Code[], common: Headers) {
	const examples = Object.fromEntries(
		list.map((code) => [code, { summary: codes[code].title, value: exampleOf(code) }]),
	);
	const own = {
		...(list.includes('invalid-token') ? challenge : {}),
		...(list.some((code) => passing.includes(code)) ? retryAfter : {}),
	};
	return {
		description: list.map((code) => `\`${code}\`: ${codes[code].title}`).join('. '),
		headers: { ...own, ...common },
		content: { 'application/problem+json': { schema: Problem, examples } },
	};
}
