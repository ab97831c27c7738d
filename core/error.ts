/**
 * Every way Fairlead says no, in one closed table.
 *
 * A `BrokerError` carries a code of that table, a public `detail`, and public extension members;
 * `cause` is private and only ever logged. `functions/problem.ts` renders it as RFC 9457.
 * No detail may hold a token, a key, a row value or an SQL literal.
 */

export const codes = {
	'bad-request': { status: 400, title: 'The request could not be read' },
	'invalid-token': { status: 401, title: 'A valid access token is required' },
	'not-permitted': { status: 403, title: 'No rule permits this' },
	'self-approval': { status: 403, title: 'Nobody decides on access for themselves' },
	'purpose-mismatch': { status: 403, title: 'The grant does not name this purpose' },
	'column-not-granted': { status: 403, title: 'A column is not granted' },
	'table-not-granted': { status: 403, title: 'A table is not granted' },
	'grant-expired': { status: 403, title: 'The grant has expired' },
	'grant-revoked': { status: 403, title: 'The grant was revoked' },
	'grant-not-proven': { status: 403, title: 'The grant is not proven in Lake Formation' },
	'not-found': { status: 404, title: 'Not found' },
	'method-not-allowed': { status: 405, title: 'Method not allowed' },
	conflict: { status: 409, title: 'Somebody else changed this first' },
	'already-decided': { status: 409, title: 'This was already decided' },
	'version-exists': { status: 409, title: 'This version was already published with other content' },
	'union-not-exact': { status: 409, title: 'The grants would add up to cells that nobody approved' },
	'not-governed': { status: 409, title: 'Lake Formation does not govern this table' },
	'not-finished': { status: 409, title: 'Not finished yet' },
	'in-flight': { status: 409, title: 'The same call is still being answered' },
	'outcome-unknown': { status: 409, title: 'Whether the earlier call took effect is not known' },
	'query-failed': { status: 409, title: 'The query has no result' },
	stale: { status: 412, title: 'This changed since you read it' },
	'too-large': { status: 413, title: 'Too large' },
	'unsupported-media-type': { status: 415, title: 'Unsupported media type' },
	validation: { status: 422, title: 'The request is not valid' },
	'idempotency-key-reused': { status: 422, title: 'This idempotency key belongs to another call' },
	'contract-invalid': { status: 422, title: 'The data contract is not valid' },
	'contract-refused': { status: 422, title: 'The rules of publication refuse this contract' },
	'table-not-found': { status: 422, title: 'No such table' },
	'column-not-found': { status: 422, title: 'No such column' },
	'row-filter-invalid': { status: 422, title: 'Lake Formation would not take this row filter' },
	'purpose-not-allowed': { status: 422, title: 'The contract does not allow this purpose' },
	'sql-syntax': { status: 422, title: 'The SQL could not be parsed' },
	unsupported: { status: 422, title: 'This SQL is not supported' },
	'precondition-required': { status: 428, title: 'Say which version you saw' },
	'rate-limited': { status: 429, title: 'Too many calls' },
	internal: { status: 500, title: 'Something went wrong on our side' },
	'record-corrupt': { status: 500, title: 'A stored record could not be read' },
	unavailable: { status: 503, title: 'A service we depend on does not answer' },
} as const satisfies Record<string, { status: number; title: string }>;

export type Code = keyof typeof codes;

/** One fault inside a body: `pointer` is an RFC 6901 JSON pointer. */
export type Fault = { pointer: string; detail: string };

export type Extensions = { readonly [member: string]: unknown; errors?: readonly Fault[] };

/** A refusal or failure that may be shown to the caller. `detail` says what to change. */
export class BrokerError extends Error {
	readonly code: Code;
	readonly extensions: Extensions;

	constructor(code: Code, detail: string, extensions: Extensions = {}, options: { cause?: unknown } = {}) {
		super(detail, options);
		this.name = 'BrokerError';
		this.code = code;
		this.extensions = extensions;
	}

	get status(): number {
		return codes[this.code].status;
	}
}

/** The `name` of whatever was thrown: AWS errors are told apart by name, never by status. */
export function errorName(error: unknown): string {
	return error instanceof Error ? error.name : typeof error;
}
