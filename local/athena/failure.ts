/**
 * Why a query ends otherwise than well: Athena's reasons and the numbers beside them. Numbers as measured, 1000 for what
 * was not (aws-facts section 3, "What callers observe"; Athena user guide, "error-reference"). No value is in a reason.
 */

/** A query that ends as FAILED or CANCELLED, with Athena's reason and error type. */
export class QueryFailure extends Error {
	readonly errorType: number | null;
	readonly state: 'FAILED' | 'CANCELLED';
	constructor(reason: string, state: 'FAILED' | 'CANCELLED' = 'FAILED') {
		super(reason);
		this.name = 'QueryFailure';
		this.errorType = state === 'FAILED' ? typeOf(reason) : null;
		this.state = state;
	}
}

const TYPES: ReadonlyMap<string, number> = new Map([
	['COLUMN_NOT_FOUND', 1006],
	['CATALOG_NOT_FOUND', 1006],
	['TYPE_MISMATCH', 1002],
	['NOT_SUPPORTED', 1200],
	['TABLE_NOT_FOUND', 1301],
	['SCHEMA_NOT_FOUND', 1301],
]);
const USER = 2;
const SYSTEM = 1;

function nameOf(reason: string): string | undefined {
	return /^([A-Z_]+): /.exec(reason)?.[1];
}

/** Null where Athena's reason has no name before it. */
export function typeOf(reason: string): number | null {
	const name = nameOf(reason);
	if (name === undefined) return null;
	return categoryOf(reason) === SYSTEM ? 200 : (TYPES.get(name) ?? 1000);
}

export function categoryOf(reason: string): number {
	return nameOf(reason) === 'GENERIC_INTERNAL_ERROR' ? SYSTEM : USER;
}

/** A query that would read more than its work group allows: cancelled, not failed (user guide, "workgroups-setting-control-limits-cloudwatch"). */
export const TOO_MANY_BYTES = 'Bytes scanned limit was exceeded';
export const STOPPED = 'Query cancelled by user';

/** [unverified] The text; that DESCRIBE is wanted is documented ("lf-athena-limitations"). */
export function needsDescribe(database: string): string {
	return `Insufficient Lake Formation permission(s): Required Describe on ${database}`;
}
