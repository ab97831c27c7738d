/** How soon a grant opens and a revoke closes, in lists and in queries; no page says. */
import { ListPermissionsCommand } from '@aws-sdk/client-lakeformation';
import type { Assumption, Stage } from './stage.ts';
import { ask, grant, lookFor, makeFilter, revoke, tableOf } from './steps.ts';

async function listed(stage: Stage): Promise<boolean> {
	const Resource = tableOf(stage, stage.tables.plain);
	const answer = await stage.admin.lakeformation.send(new ListPermissionsCommand({ Resource, IncludeRelated: 'TRUE' }));
	return (answer.PrincipalResourcePermissions ?? []).some(
		(row) =>
			row.Principal?.DataLakePrincipalIdentifier === stage.principal && row.Resource?.DataCellsFilter !== undefined,
	);
}

export const propagation: Assumption = {
	name: 'propagation',
	question:
		'Does a grant open, and a revoke close, within the time that Fairlead reads back for, and how long does it take?',
	assumed: { grantListed: true, grantOpens: true, revokeListed: true, revokeCloses: true },
	async observe(stage) {
		const { athena } = await stage.as();
		const open = async () =>
			'rows' in (await ask(stage, athena, `SELECT id FROM ${stage.database}.${stage.tables.plain}`));
		const filter = await makeFilter(stage, stage.tables.plain, 'fl-live-propagation', { columns: ['id'] });
		await grant(stage, filter);
		const grantListed = await lookFor(stage, true, () => listed(stage));
		const grantOpens = await lookFor(stage, true, open);
		await revoke(stage, filter);
		const revokeListed = await lookFor(stage, false, () => listed(stage));
		const revokeCloses = await lookFor(stage, false, open);
		return {
			observed: {
				grantListed: grantListed.seen,
				grantOpens: grantOpens.seen,
				revokeListed: revokeListed.seen === false,
				revokeCloses: revokeCloses.seen === false,
			},
			measured: {
				secondsUntilGrantListed: grantListed.seconds,
				secondsUntilGrantOpens: grantOpens.seconds,
				secondsUntilRevokeListed: revokeListed.seconds,
				secondsUntilRevokeCloses: revokeCloses.seconds,
			},
		};
	},
};
