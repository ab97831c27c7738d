/**
 * Session policies, in the one form that Fairlead sends: actions that the session is limited to, on everything. Any other
 * form is refused instead of being half understood. IAM user guide, "Session policies": a session may do what both its
 * role and its policy allow.
 */
import * as z from 'zod';
import { AwsError, type Caller } from '../wire.ts';

/** STS API reference, AssumeRole. */
const LONGEST = 2048;

const Limit = z.strictObject({
	Version: z.literal('2012-10-17'),
	Statement: z.tuple([
		z.strictObject({
			Effect: z.literal('Allow'),
			Action: z.array(z.string().regex(/^[a-z0-9-]+:[A-Za-z]+$/)).min(1),
			Resource: z.literal('*'),
		}),
	]),
});

/** The actions that a policy leaves. Throws `ValidationError`. */
export function actionsIn(policy: string): string[] {
	if (policy.length > LONGEST) throw invalid(`Member must have length less than or equal to ${LONGEST}`);
	const read = Limit.safeParse(parsed(policy));
	if (!read.success) throw invalid('this form is not supported by the embedded STS');
	return read.data.Statement[0].Action;
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}

const invalid = (why: string) => new AwsError('ValidationError', `The session policy: ${why}`);

/** Nobody needs a right to be told who he is (STS API reference, GetCallerIdentity). */
const FREE = 'sts:GetCallerIdentity';

/** Throws as AWS does where the caller's session was limited to other actions. */
export function mustBeLeft(caller: Caller, service: string, operation: string): void {
	const action = `${service}:${operation}`;
	if (caller.only === undefined || caller.only.includes(action) || action === FREE) return;
	const message = `User: ${caller.arn} is not authorized to perform: ${action} because no session policy allows the ${action} action`;
	const name = service === 'sts' || service === 'iam' ? 'AccessDenied' : 'AccessDeniedException';
	throw new AwsError(name, message, { status: name === 'AccessDenied' ? 403 : 400 });
}
