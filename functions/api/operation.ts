/**
 * One API operation as the OpenAPI document tells it. An operation names the Cedar action that it asks about, its
 * successes with an example each, and every code of core/error.ts that it may refuse with; the document's refusals are
 * made from that list, so that what a client can meet stands in the document, and nothing else does.
 */
import { createRoute, type RouteConfig, z } from '@hono/zod-openapi';
import { type Code, codes } from '#core/error.ts';
import type { Action } from '#core/policy.ts';
import { Problem } from '../problem.ts';

/** A JSON answer of this shape. */
export function json<T extends z.ZodType>(schema: T, description: string, example: z.input<T>) {
	return { description, content: { 'application/json': { schema, example } } };
}

/** A required JSON body of this shape. */
export function jsonBody<T extends z.ZodType>(schema: T, example: z.input<T>) {
	return { required: true, content: { 'application/json': { schema, example } } } as const;
}

/** What says which version the caller saw (RFC 9110 section 13.1.1). */
export const IfMatch = z.object({
	'if-match': z.string().max(200).optional().meta({ description: 'ETag of the thing as you read it', example: '"3"' }),
});

export const etag = {
	ETag: { schema: { type: 'string' as const }, description: 'The version that you see; send it as If-Match' },
};

/** The chapters of the document. */
export type Tag = 'Mesh' | 'Data products' | 'Requests' | 'Grants' | 'Queries' | 'Reports' | 'Ledger' | 'Service';

export type Governance = {
	readonly tag: Tag;
	/** What Cedar is asked. The last word is on the thing itself; this is the operation's name in the policies. */
	readonly action: Action;
	/** Codes of this operation's own refusals, besides those that every operation has. */
	readonly refuses: readonly Code[];
};

/** What the way to every operation can refuse with. */
const always: readonly Code[] = ['invalid-token', 'rate-limited', 'internal', 'record-corrupt', 'unavailable'];
const withBody: readonly Code[] = ['bad-request', 'too-large', 'unsupported-media-type', 'validation'];
const withInput: readonly Code[] = ['validation'];
const onPost: readonly Code[] = ['bad-request', 'in-flight', 'outcome-unknown', 'idempotency-key-reused'];

type Route<P extends string> = Omit<RouteConfig, 'path' | 'tags' | 'security'> & {
	path: P;
	operationId: string;
	summary: string;
};

/** An operation below the API's base: signed in, governed by Cedar. */
export function operation<P extends string, R extends Route<P>>({ tag, action, refuses }: Governance, route: R) {
	const body = route.request?.body !== undefined;
	const input = body || route.request?.params !== undefined || route.request?.query !== undefined;
	const all = [
		...always,
		...refuses,
		...(body ? withBody : []),
		...(input ? withInput : []),
		...(route.method === 'post' ? onPost : []),
	];
	return createRoute<P, R>({
		...route,
		tags: [tag],
		security: [{ bearer: [] }],
		'x-cedar-action': action,
		responses: { ...route.responses, ...refusals(all) },
	});
}

/** An operation outside the base that needs no token. */
export function openOperation<P extends string, R extends Route<P>>(route: R) {
	return createRoute<P, R>({
		...route,
		tags: ['Service'],
		security: [],
		responses: { ...refusals(['internal']), ...route.responses },
	});
}

/** Codes as responses by status, each code with an example. */
function refusals(wanted: readonly Code[]) {
	const list = [...new Set(wanted)].toSorted();
	const statuses = new Set(list.map((code) => codes[code].status));
	return Object.fromEntries([...statuses].map((s) => [s, refusal(list.filter((code) => codes[code].status === s))]));
}

function refusal(list: readonly Code[]) {
	const examples = Object.fromEntries(list.map((code) => [code, { summary: codes[code].title, value: sample(code) }]));
	return {
		description: list.map((code) => `\`${code}\`: ${codes[code].title}`).join('. '),
		content: { 'application/problem+json': { schema: Problem, examples } },
	};
}

const sample = (code: Code) => ({
	type: `/errors/${code}`,
	title: codes[code].title,
	status: codes[code].status,
	detail: `${codes[code].title}.`,
	instance: 'urn:uuid:0193a5a4-7b1e-4c1f-9d3e-2f6f1c0f6c3a',
	traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
	code,
});
