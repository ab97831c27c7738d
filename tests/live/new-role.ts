/** A role that was made a moment ago: for how long Lake Formation does not know it, and what it says until then. */
import { CreateRoleCommand, DeleteRoleCommand } from '@aws-sdk/client-iam';
import { GrantPermissionsCommand } from '@aws-sdk/client-lakeformation';
import type { Assumption } from './stage.ts';
import { lookFor, refusalOf, revoke, tableOf } from './steps.ts';

const RoleName = 'fl-live-new';

export const newRole: Assumption = {
	name: 'new-role',
	question:
		'Is a right for a role refused right after the role was made, only as an invalid principal, and only for a while?',
	assumed: { granted: true, refusedOtherwise: [] },
	async observe(stage) {
		const { iam, lakeformation } = stage.admin;
		const Statement = [{ Effect: 'Allow', Principal: { AWS: stage.account }, Action: 'sts:AssumeRole' }];
		const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
		const made = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
		stage.undo(`role ${RoleName}`, () => iam.send(new DeleteRoleCommand({ RoleName })));
		const principal = made.Role?.Arn ?? '';
		const right = {
			Principal: { DataLakePrincipalIdentifier: principal },
			Resource: tableOf(stage, stage.tables.plain),
			Permissions: ['DESCRIBE' as const],
		};
		const otherwise = new Set<string>();
		let refusals = 0;
		const { seen, seconds } = await lookFor(stage, true, async () => {
			const { name, message } = await refusalOf(lakeformation.send(new GrantPermissionsCommand(right)));
			if (name !== '') refusals += 1;
			if (name !== '' && !/invalid principal/i.test(message)) otherwise.add(`${name}: ${message}`);
			return name === '';
		});
		stage.undo(`DESCRIBE of ${RoleName}`, () => revoke(stage, right.Resource, right.Permissions, principal));
		return {
			observed: { granted: seen, refusedOtherwise: [...otherwise] },
			measured: { secondsUntilGranted: seconds, refusals },
		};
	},
};
