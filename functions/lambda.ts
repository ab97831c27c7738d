/**
 * API Gateway's event, made into one that can be a Fetch `Request`. The adapter answers what cannot be one by itself:
 * without a problem, a request id and a line in the log. Here it is brought into a form that the app refuses.
 *
 * - Method: those of RFC 9110 and PATCH that Fetch lets a request have. One that no route has stands for all others,
 *   so they end like any method that is not allowed, and no word of a caller's gets into the log.
 * - Body: GET and HEAD have none (RFC 9110, 9.3.1); what was sent all the same is dropped.
 * - Path: API Gateway may have decoded `rawPath`. A well-formed escape stays; every other `%`, and each character that
 *   RFC 3986 does not let a path have, is escaped, so that a `?` or `#` from a decoded path begins no query and no
 *   fragment. A path that was escaped twice is thus read as if once: it names only what its caller could have asked for
 *   directly, for nothing before the app decides by path.
 */

/** What is looked at of an event of payload format 2.0. */
type GatewayEvent = {
	readonly rawPath: string;
	readonly body?: string | null | undefined;
	readonly requestContext: { readonly http: { readonly method: string } };
};

/** In no route; the log has it in the place of the one that was sent. */
const NO_METHOD = 'FORBIDDEN';

const known = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$/;
const bodiless = /^(GET|HEAD)$/;
/** Neither an escape nor a character of RFC 3986, 3.3. */
const unescaped = /%(?![\dA-Fa-f]{2})|[^\w\-.~!$&'()*+,;=:@/%]/gu;

export function fetchable<E extends GatewayEvent>(event: E): E {
	const { http } = event.requestContext;
	const method = known.test(http.method) ? http.method : NO_METHOD;
	return {
		...event,
		body: bodiless.test(method) ? null : event.body,
		rawPath: pathOf(event.rawPath),
		requestContext: { ...event.requestContext, http: { ...http, method } },
	};
}

/** Begins with `/`, or its start would be read as part of the host. */
function pathOf(rawPath: string): string {
	const escaped = rawPath.replaceAll(unescaped, escapeBytes);
	return escaped.startsWith('/') ? escaped : `/${escaped}`;
}

function escapeBytes(text: string): string {
	return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
