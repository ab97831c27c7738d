/** Opting in twice, and out of what was never opted in (service model: no AlreadyExistsException). */
import { CreateLakeFormationOptInCommand, DeleteLakeFormationOptInCommand } from '@aws-sdk/client-lakeformation';
import type { Assumption } from './stage.ts';
import { refusalOf, tableOf } from './steps.ts';

export const optIns: Assumption = {
	name: 'opt-ins',
	question: 'Is a principal that opted in already taken once more?',
	assumed: { once: 'taken', twice: 'taken', out: 'taken' },
	async observe(stage) {
		const { lakeformation } = stage.admin;
		const input = {
			Principal: { DataLakePrincipalIdentifier: stage.principal },
			Resource: tableOf(stage, stage.tables.plain),
		};
		const optIn = async () =>
			(await refusalOf(lakeformation.send(new CreateLakeFormationOptInCommand(input)))).name || 'taken';
		const optOut = async () =>
			(await refusalOf(lakeformation.send(new DeleteLakeFormationOptInCommand(input)))).name || 'taken';
		stage.undo('the opt-in', optOut);
		const once = await optIn();
		const twice = await optIn();
		return { observed: { once, twice, out: await optOut() } };
	},
};
