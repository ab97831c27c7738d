/** A principal's role as its account's IAM has it, read as Fairlead's role in that account. Reads only. */
import { GetRoleCommand } from '@aws-sdk/client-iam';
import type { Context } from '../context.ts';
import { errorName } from '../error.ts';
import { admitted } from './trust.ts';

/** Who may assume the role, or null where there is no such role. IAM gives the policy URL-encoded (RFC 3986). */
export async function trusted(ctx: Pick<Context, 'aws'>, arn: string): Promise<string[] | null> {
	const RoleName = arn.slice(arn.lastIndexOf('/') + 1);
	try {
		const answer = await ctx.aws.consumer.iam(accountOfRole(arn)).send(new GetRoleCommand({ RoleName }));
		// IAM finds roles by name alone: one under another path is another role.
		if (answer.Role?.Arn !== arn) return null;
		return admitted(decodeURIComponent(answer.Role.AssumeRolePolicyDocument ?? ''));
	} catch (cause) {
		if (['NoSuchEntityException', 'NoSuchEntity'].includes(errorName(cause))) return null;
		throw cause;
	}
}

export const accountOfRole = (arn: string) => arn.split(':')[4] ?? '';
