/**
 * CloudTrail records of what changes an account's data lake: Lake Formation's, Glue's and IAM's writes, refused ones too,
 * and AssumeRole. Other reads are left out, as a trail of write events leaves them out. The tags of a session stand in
 * the record of its AssumeRole, and the session's key id leads from every later record to it.
 * Source: LFDG, "logging-using-cloudtrail"; the form of a record is cloudtrail.ts.
 */
import { cloudTrailEvent } from '../cloudtrail.ts';
import type { AwsError } from '../wire.ts';
import type { Call } from './entries.ts';
import { GLOBAL_REGION, PROTOCOL, type Service } from './protocol.ts';

const READS = /^(Get|BatchGet|List|Describe|Search)/;
const RECORDED: ReadonlySet<Service> = new Set(['lakeformation', 'glue', 'iam']);

/** What became of a call: its output, its XML, or its refusal. */
export type Outcome = { readonly output: unknown } | { readonly error: AwsError };

export function isRecorded({ service, operation }: Call): boolean {
	if (service === 'sts') return operation === 'AssumeRole';
	return RECORDED.has(service) && !READS.test(operation);
}

/** The record as EventBridge hands it on. */
export function trailEvent(call: Call, outcome: Outcome, at: { readonly region: string; readonly now: Date }): object {
	const { service, operation, caller, accessKeyId, input } = call;
	const failed = 'error' in outcome;
	return cloudTrailEvent({
		caller,
		accessKeyId,
		region: service === 'iam' ? GLOBAL_REGION : at.region,
		now: at.now,
		service,
		name: operation,
		readOnly: service === 'sts',
		request: PROTOCOL[service] === 'query' ? parameters(input) : lowered(input),
		response: failed ? null : responseOf(service, outcome.output),
		...(failed ? { error: { code: outcome.error.code, message: outcome.error.message } } : {}),
	});
}

/** Members start with a small letter in CloudTrail; the values under them are left as they are. */
function lowered(value: unknown): object {
	const members = Object.entries(value ?? {}).map(([key, inner]) => [lower(key), inside(inner)]);
	return Object.fromEntries(members) as object;
}

function inside(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(inside);
	return typeof value === 'object' && value !== null ? lowered(value) : value;
}

/** Parameters of the Query protocol, without what only addresses the request; tags as a list. */
function parameters(input: unknown): object {
	const sent = Object.entries(input as Record<string, string>).filter(([key]) => key !== 'Action' && key !== 'Version');
	const plain = sent.filter(([key]) => !key.includes('.member.')).map(([key, value]) => [lower(key), value]);
	const listed = (name: string) =>
		sent
			.filter(([key]) => key.startsWith(`${name}.member.`))
			.map(([key, value]) => [key.split('.')[2], value] as const);
	const tags = sent
		.filter(([key]) => /^Tags\.member\.\d+\.Key$/.test(key))
		.map(([key, value]) => ({
			key: value,
			value: (input as Record<string, string>)[key.replace(/Key$/, 'Value')] ?? '',
		}));
	const transitive = listed('TransitiveTagKeys').map(([, value]) => value);
	return {
		...Object.fromEntries(plain),
		...(tags.length === 0 ? {} : { tags }),
		...(transitive.length === 0 ? {} : { transitiveTagKeys: transitive }),
	};
}

const lower = (name: string) => name.charAt(0).toLowerCase() + name.slice(1);

/** What CloudTrail keeps of an answer: for a session its key id and who it is, never its secret. */
function responseOf(service: Service, output: unknown): object | null {
	if (service === 'iam') return null;
	if (service !== 'sts') return lowered(output);
	const text = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(String(output))?.[1];
	return {
		credentials: { accessKeyId: text('AccessKeyId'), expiration: text('Expiration') },
		assumedRoleUser: { assumedRoleId: text('AssumedRoleId'), arn: text('Arn') },
	};
}
