/**
 * The one place that builds RFC 9457 problems, for our refusals and for the framework's alike. `type` names the code of
 * the table in core/error.ts, `instance` the request. A cause is logged by name and never sent.
 */
import type { Context as HonoContext } from 'hono';
import { HTTPException } from 'hono/http-exception';
import * as z from 'zod';
import { BrokerError, type Code, codes, type Fault } from '#core/error.ts';
import { RESOURCE_METADATA } from './base.ts';
import type { Env } from './env.ts';
import { logFailure } from './log.ts';

export const Problem = z
	.looseObject({
		type: z
			.string()
			.regex(/^\/errors\/[a-z-]+$/)
			.meta({ description: 'Page that says what to do', example: '/errors/not-found' }),
		title: z.string(),
		status: z.int().min(400).max(599),
		detail: z.string(),
		instance: z
			.string()
			.regex(/^urn:uuid:[0-9a-f-]{36}$/)
			.meta({ description: 'Id of the request, for support' }),
		traceId: z
			.string()
			.regex(/^[0-9a-f]{32}$/)
			.meta({ description: 'W3C trace id: the same in our log' }),
		code: z.enum(Object.keys(codes) as Code[]),
		errors: z
			.array(
				z.looseObject({
					pointer: z
						.string()
						.regex(/^(\/[\s\S]*)?$/)
						.meta({ description: 'JSON pointer (RFC 6901) to the member at fault, or to a parameter by its name' }),
					detail: z.string(),
				}),
			)
			.optional(),
	})
	.meta({ id: 'Problem' });

/** What the API description and the error pages show of a code; a real one says more in `detail`. */
export function exampleOf(code: Code) {
	const { status, title } = codes[code];
	return {
		type: typeOf(code),
		title,
		status,
		detail: `${title}.`,
		instance: 'urn:uuid:0193a5a4-7b1e-4c1f-9d3e-2f6f1c0f6c3a',
		traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
		code,
	};
}

/** Address of the page of a code. */
export const typeOf = (code: Code) => `/errors/${code}`;

/** Renders whatever was thrown. What we did not foresee is a bare `internal`. */
export function problem(c: HonoContext<Env>, thrown: unknown): Response {
	const error = asBrokerError(thrown);
	const { status, title } = codes[error.code];
	c.set('code', error.code);
	if (status >= 500) {
		const { site, requestId, trace } = c.var;
		logFailure(site.log, { trace: trace.id, request: requestId, code: error.code }, error.cause ?? thrown);
	}
	const body = {
		...error.extensions,
		type: typeOf(error.code),
		title,
		status,
		detail: error.message,
		instance: `urn:uuid:${c.var.requestId}`,
		traceId: c.var.trace.id,
		code: error.code,
	};
	const headers: Record<string, string> = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
	if (status === 401) headers['www-authenticate'] = challenge(c);
	const retryAfter = retryAfterOf(error);
	if (retryAfter !== undefined) headers['retry-after'] = retryAfter;
	// What was not read of a body is still on its way: the connection is of no more use.
	if (status === 413) headers['connection'] = 'close';
	return c.body(JSON.stringify(body), status as 400, headers);
}

/** RFC 6750 section 3 (an error code only where a token was sent), RFC 9728 section 5.1. */
function challenge(c: HonoContext<Env>): string {
	const metadata = `Bearer resource_metadata="${c.var.site.url}${RESOURCE_METADATA}"`;
	return c.req.header('authorization') === undefined ? metadata : `${metadata}, error="invalid_token"`;
}

const pauses: Partial<Record<Code, string>> = { unavailable: '5', 'not-finished': '1', 'in-flight': '1' };

/** Seconds, where trying again later may help. */
function retryAfterOf(error: BrokerError): string | undefined {
	const { retryAfter } = error.extensions;
	return typeof retryAfter === 'number' ? String(retryAfter) : pauses[error.code];
}

const byStatus: Record<number, Code> = {
	400: 'bad-request',
	401: 'invalid-token',
	404: 'not-found',
	405: 'method-not-allowed',
	413: 'too-large',
	415: 'unsupported-media-type',
};

function asBrokerError(thrown: unknown): BrokerError {
	if (thrown instanceof BrokerError) return thrown;
	if (thrown instanceof HTTPException) {
		const code = byStatus[thrown.status] ?? 'bad-request';
		return new BrokerError(code, `${codes[code].title}.`, {}, { cause: thrown });
	}
	return new BrokerError(
		'internal',
		'Something went wrong on our side; the instance id helps us find it.',
		{},
		{ cause: thrown },
	);
}

/** Zod's issues as one `validation` problem, each with an RFC 6901 pointer to the member at fault. */
export function invalidInput(issues: readonly z.core.$ZodIssue[], where: string): BrokerError {
	const errors = issues.flatMap((issue): Fault[] => {
		const pointer = pointerOf(issue.path);
		if (issue.code !== 'unrecognized_keys') return [{ pointer, detail: issue.message }];
		return issue.keys.map((key) => ({ pointer: `${pointer}${pointerOf([key])}`, detail: 'unknown member' }));
	});
	return new BrokerError('validation', `The ${where} is not valid; see \`errors\`.`, { errors });
}

function pointerOf(path: readonly PropertyKey[]): string {
	return path.map((p) => `/${String(p).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
