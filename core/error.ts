/**
 * Every way Fairlead says no, in one closed table.
 *
 * A `BrokerError` carries a code of that table, a public `detail`, and public extension members;
 * `cause` is private and only ever logged. `functions/problem.ts` renders it as RFC 9457.
 * No detail may hold a token, a key, a row value or an SQL literal.
 */

type Entry = {
	readonly status: number;
	readonly title: string;
	/** What the code says about the call, in a sentence or two. */
	readonly meaning: string;
	/** What to change, in at most three sentences. Backticks mark names. */
	readonly advice: string;
};

export const codes = {
	'bad-request': {
		status: 400,
		title: 'The request could not be read',
		meaning:
			'The bytes that arrived are not what they claim to be: broken JSON or YAML, a malformed header, a wrong encoding.',
		advice:
			'Check the body with a JSON or YAML parser, and that `Content-Type` names what you send. The same bytes will be refused again.',
	},
	'invalid-token': {
		status: 401,
		title: 'A valid access token is required',
		meaning:
			'No access token came with the call, or it is not one that Fairlead takes: expired, for another audience, or not signed by the issuer of this mesh.',
		advice:
			'Get a fresh access token from the issuer that `/.well-known/oauth-protected-resource` names, and send it as `Authorization: Bearer <token>`. `detail` names what was wrong with the one you sent.',
	},
	'not-permitted': {
		status: 403,
		title: 'No rule permits this',
		meaning: 'You are known, but none of the rules in force allows you this action, or one of them forbids it.',
		advice:
			'`detail` names the rule that said no, if one did. Ask the owner of the product, or the steward of the mesh, for the role that you lack; sending the call again changes nothing.',
	},
	'self-approval': {
		status: 403,
		title: 'Nobody decides on access for themselves',
		meaning: 'Who asked for access, benefits from it or edited the request last never decides on it.',
		advice: 'Let another person who holds the role decide.',
	},
	'purpose-mismatch': {
		status: 403,
		title: 'The grant does not name this purpose',
		meaning:
			'Each principal serves one purpose, and this call names another, or the principal has lost the one it had.',
		advice:
			'Query with the principal that your domain registered for this purpose; `GET /api/v1/me` lists yours. If there is none, your domain must register one.',
	},
	'grant-suspended': {
		status: 403,
		title: 'The grant is suspended',
		meaning:
			'The grant stands, and opens nothing for now: an owner or the privacy officer of the product, or Fairlead itself, holds it back.',
		advice:
			'Read `heldBy` and `notices` of the grant. Where the contract changed, ask for what is left of it with `POST /api/v1/grants/{id}/renew`. Otherwise ask whom `heldBy` names: once it is resumed, the same query runs.',
	},
	'column-not-granted': {
		status: 403,
		title: 'A column is not granted',
		meaning:
			'The query reads a column that no grant of this principal covers. Columns used in filters, joins and ordering count as read.',
		advice:
			'Take the column out of the query everywhere, or ask for it with `POST /api/v1/requests`. `detail` names the column and who decides.',
	},
	'table-not-granted': {
		status: 403,
		title: 'A table is not granted',
		meaning: 'This principal holds nothing on a table that the query reads.',
		advice:
			'Ask for the table with `POST /api/v1/requests`, or query with a principal that holds it. `detail` names the table and who decides.',
	},
	'grant-expired': {
		status: 403,
		title: 'The grant has expired',
		meaning: 'Access was approved until a minute that has passed. Results fetched under the grant are closed, too.',
		advice: 'Ask again with `POST /api/v1/requests`, for as long as you need it.',
	},
	'grant-revoked': {
		status: 403,
		title: 'The grant was revoked',
		meaning: 'Somebody ended this access before its time, or gave it back.',
		advice:
			'Read the grant to see who ended it and why. If you still need the data, talk to the owner of the product, then ask again.',
	},
	'grant-not-proven': {
		status: 403,
		title: 'The grant is not proven in Lake Formation',
		meaning: 'Lake Formation has not yet shown that it carries this grant as approved, so nobody may rely on it.',
		advice:
			'Wait a minute and try again; the proof is repeated on its own. If it stays like this, tell the operator of the mesh the `traceId`.',
	},
	'not-found': {
		status: 404,
		title: 'Not found',
		meaning: 'There is no such thing, or you may not know whether there is. Both get this same answer.',
		advice: 'Check the address and the id. If somebody gave you the id, ask them whether your domain may see it.',
	},
	'method-not-allowed': {
		status: 405,
		title: 'Method not allowed',
		meaning: 'The address exists, but it does not take this HTTP method.',
		advice: 'Use one of the methods in the `Allow` header.',
	},
	conflict: {
		status: 409,
		title: 'Somebody else changed this first',
		meaning: 'Another call changed the same thing at the same time, and only one of them can be first.',
		advice: 'Read the thing again to see what it is now. If your change is still wanted, send it once more.',
	},
	'already-decided': {
		status: 409,
		title: 'This was already decided',
		meaning: 'The request is no longer open, or you have said your part and another person must now speak.',
		advice: 'Read the request: its `state` and `awaiting` say what is still missing, if anything.',
	},
	'nothing-to-erase': {
		status: 409,
		title: 'There is nothing to erase',
		meaning: 'The entry has no payload, or that was erased, or is about to be.',
		advice: '`detail` says which. `GET /api/v1/ledger/erasures` lists what was erased, when and why.',
	},
	'still-needed': {
		status: 409,
		title: 'Something that is in force still needs this',
		meaning:
			'A pending request, a live grant or the like could not be kept, decided or ended without what is to be erased.',
		advice: '`detail` names what needs it. Let that be ended, decided or said anew first, then ask again.',
	},
	'version-exists': {
		status: 409,
		title: 'This version was already published with other content',
		meaning: 'A published version never changes, and versions only go up.',
		advice: 'Raise `version` in the contract above the last published one, and publish that.',
	},
	'union-not-exact': {
		status: 409,
		title: 'The grants would add up to cells that nobody approved',
		meaning:
			'Lake Formation holds one filter for each principal and table. This grant and those in force would together open cells that nobody approved.',
		advice:
			'Ask for the same columns or the same rows as the grant in force, give that one back first, or use another principal.',
	},
	'not-governed': {
		status: 409,
		title: 'Lake Formation does not govern this table',
		meaning: 'Access to the table is not decided by Lake Formation alone, so a grant would prove nothing.',
		advice:
			'Whoever owns the table must register its location with Lake Formation and take away what `IAMAllowedPrincipals` holds on it. `detail` says what is in the way.',
	},
	'quota-exceeded': {
		status: 409,
		title: 'Lake Formation has no room for this',
		meaning:
			'A limit of Lake Formation would be passed: on the filters that one principal holds on one table, or on the length of one.',
		advice:
			'`detail` names the limit. Take filters away that are not needed any more, ask for rows that can be told shorter, or use another principal.',
	},
	'not-finished': {
		status: 409,
		title: 'Not finished yet',
		meaning: 'What you ask for is still being made.',
		advice: 'Ask again after the seconds in `Retry-After`.',
	},
	'in-flight': {
		status: 409,
		title: 'The same call is still being answered',
		meaning: 'An earlier call with the same `Idempotency-Key` has not been answered yet.',
		advice:
			'Wait for the seconds in `Retry-After`, then send the same call with the same key: you get the answer of the first.',
	},
	'outcome-unknown': {
		status: 409,
		title: 'Whether the earlier call took effect is not known',
		meaning:
			'An earlier call with the same `Idempotency-Key` was cut off before its answer was kept, or its answer may no longer be shown to you. It may have taken effect.',
		advice: 'Look for what that call would have made. If it is not there, send the call with a new key.',
	},
	'query-failed': {
		status: 409,
		title: 'The query has no result',
		meaning: 'The query ended without a result: the engine refused or failed it, or it was cancelled.',
		advice: 'Read the query to see how it ended, change the SQL if it names a fault there, and run it again.',
	},
	stale: {
		status: 412,
		title: 'This changed since you read it',
		meaning: 'You decide on, or change, something that is no longer what you saw.',
		advice:
			'Read it again, look at what changed, and send its new `ETag` as `If-Match`. If a contract changed under a request, reject the request and let it be asked again.',
	},
	'too-large': {
		status: 413,
		title: 'Too large',
		meaning:
			'The body, or a text in it, is longer than what is taken and can be recorded, or SQL has more in it, or deeper, than is read.',
		advice: 'Send less: `detail` names the limit.',
	},
	'unsupported-media-type': {
		status: 415,
		title: 'Unsupported media type',
		meaning: 'The body is in a format that this operation does not read.',
		advice: 'Send `application/json`, or for contracts `application/yaml`, and say so in `Content-Type`.',
	},
	validation: {
		status: 422,
		title: 'The request is not valid',
		meaning: 'The body, the query or the path was read, but some of it is missing, unknown or out of range.',
		advice: '`errors` lists each fault with a JSON pointer to the member at fault. Change those and send it again.',
	},
	'idempotency-key-reused': {
		status: 422,
		title: 'This idempotency key belongs to another call',
		meaning: 'An `Idempotency-Key` stands for one call. This one came first with other content or to another address.',
		advice: 'Make a new key for a new call. To repeat the first call, send exactly what you sent then.',
	},
	'contract-invalid': {
		status: 422,
		title: 'The data contract is not valid',
		meaning:
			'The document is not a data contract of the Open Data Contract Standard v3.1 from which access could be derived.',
		advice:
			'`errors` lists each fault with its line and a JSON pointer. Change the contract there and publish it again; nothing was recorded.',
	},
	'contract-refused': {
		status: 422,
		title: 'The rules of publication refuse this contract',
		meaning: 'The contract can be read, but the rules of this mesh do not let it be published as it is.',
		advice:
			'`errors` names each rule that refused, the place in the contract, and what the rule asks for. Change the contract and publish it again.',
	},
	'request-refused': {
		status: 422,
		title: 'The rules of the mesh refuse this request',
		meaning: 'The request can be read, but no approver could grant it: the rules that bind every domain forbid it.',
		advice:
			'`errors` names each rule that refused, the part of the request, and what the rule asks for. Change the request and send it again.',
	},
	'product-retired': {
		status: 422,
		title: 'This data product is retired',
		meaning: 'The contract said when the product would retire, and that time has come. No new access is given.',
		advice: 'Ask its owner what takes its place, and ask for access to that.',
	},
	'table-not-found': {
		status: 422,
		title: 'No such table',
		meaning: 'The product or the catalog has no table of this name.',
		advice: 'Use a table that the contract names; `GET /api/v1/dataproducts/{id}` lists them.',
	},
	'column-not-found': {
		status: 422,
		title: 'No such column',
		meaning: 'The table has no column of this name.',
		advice:
			'Use a column that the contract names; `GET /api/v1/dataproducts/{id}` lists them. In SQL, check which table the alias stands for.',
	},
	'row-filter-invalid': {
		status: 422,
		title: 'Lake Formation would not take this row filter',
		meaning: 'Lake Formation takes comparisons of a column with constants, joined by AND, OR and NOT, and little else.',
		advice:
			'Write the filter with `=`, `<`, `>`, `BETWEEN`, `IN`, `LIKE` and `IS NULL` over columns of this one table. `line` and `column` point at what it would not take.',
	},
	'purpose-not-allowed': {
		status: 422,
		title: 'The contract does not allow this purpose',
		meaning: 'The contract of this product lists the purposes it may be read for, and this is none of them.',
		advice:
			'Choose a purpose from the list in `detail`, if one of them is true. Otherwise the owner must publish a contract that allows yours.',
	},
	'sql-syntax': {
		status: 422,
		title: 'The SQL could not be parsed',
		meaning: 'The text is not one query in the SQL of Athena (Trino).',
		advice: '`line` and `column` point at where reading stopped. Change the query there, and send one statement only.',
	},
	unsupported: {
		status: 422,
		title: 'This SQL is not supported',
		meaning: 'Fairlead runs only SQL whose every read it can account for. This part of the language is not among it.',
		advice:
			'Rewrite the part at `line` and `column`: one SELECT over data products, with known functions. Table functions, time travel and statements that write are never taken.',
	},
	'precondition-required': {
		status: 428,
		title: 'Say which version you saw',
		meaning:
			'This operation changes or decides on something that others may change, too, so it must know what you saw.',
		advice: 'Read the thing, look at it, and send its `ETag` as `If-Match`.',
	},
	'rate-limited': {
		status: 429,
		title: 'Too many calls',
		meaning: 'You have made more calls in this window than one caller may.',
		advice:
			'Wait for the seconds in `Retry-After`. The `RateLimit` headers say how many calls are left, so that you can slow down in time.',
	},
	internal: {
		status: 500,
		title: 'Something went wrong on our side',
		meaning: 'Fairlead met something that it did not foresee, and stopped.',
		advice:
			'If you were changing something, look whether it took effect before you send it again. If it stays like this, tell the operator of the mesh the `instance` and `traceId` of the problem; our log has the rest.',
	},
	'record-corrupt': {
		status: 500,
		title: 'A stored record could not be read',
		meaning:
			'A record that this call depends on is missing, was erased or does not match its hash, so it is not believed.',
		advice: 'Trying again does not help. Tell the operator of the mesh the `instance` and `traceId` of the problem.',
	},
	unavailable: {
		status: 503,
		title: 'A service we depend on does not answer',
		meaning:
			'A service that this call needs, such as DynamoDB, Lake Formation, Athena or the token issuer, gives no answer now. Access is never assumed meanwhile.',
		advice:
			'Try again after the seconds in `Retry-After`. If you were changing something, first look whether it took effect.',
	},
} as const satisfies Record<string, Entry>;

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

/** Whether it says what is wrong with what was sent, and not that something failed. */
export function isRefusal(error: unknown): error is BrokerError {
	return error instanceof BrokerError && error.status < 500;
}

/** The `name` of whatever was thrown: AWS errors are told apart by name, never by status. */
export function errorName(error: unknown): string {
	return error instanceof Error ? error.name : typeof error;
}
