/** Whether tags of a session change what its role was granted, and whether a right can ask for one (LF guide, abac). */
import { GrantPermissionsCommand, RevokePermissionsCommand } from '@aws-sdk/client-lakeformation';
import type { Assumption } from './stage.ts';
import { grant, look, makeFilter, refusalOf, revoke, told } from './steps.ts';

export const sessionTags: Assumption = {
	name: 'session-tags',
	question:
		'Does a session with tags see what its role sees, and can a right on a filter depend on a tag of the session?',
	assumed: {
		tagged: [['id'], ['1']],
		rightByTag: 'taken',
		byTagWithIt: [['id'], ['1']],
		byTagWithoutItFails: true,
	},
	liveOnly: Object.fromEntries(
		['rightByTag', 'byTagWithIt', 'byTagWithoutItFails'].map((member) => [
			member,
			'the embedded AWS refuses conditions on rights, and Fairlead grants none',
		]),
	),
	async observe(stage) {
		const { plain } = stage.tables;
		const tagged = await stage.as({ 'fl-live-purpose': 'fraud' });
		const sql = `SELECT id FROM ${stage.database}.${plain}`;
		const wanted = [['id'], ['1']];
		const filter = await makeFilter(stage, plain, 'fl-live-tags', { columns: ['id'], rows: 'id = 1' });
		await grant(stage, filter);
		const seen = await look(stage, wanted, () => told(stage, tagged.athena, sql));
		await revoke(stage, filter);
		const everybody = {
			Principal: { DataLakePrincipalIdentifier: `${stage.account}:IAMPrincipals` },
			Resource: filter,
			Permissions: ['SELECT' as const],
			Condition: { Expression: 'context.iam.principalTags.hasTag("fl-live-purpose")' },
		};
		const { lakeformation } = stage.admin;
		const refused = await refusalOf(lakeformation.send(new GrantPermissionsCommand(everybody)));
		if (refused.name !== '') {
			const none = { byTagWithIt: null, byTagWithoutItFails: null };
			return { observed: { tagged: seen, rightByTag: refused.name, ...none } };
		}
		stage.undo('the right by tag', () => lakeformation.send(new RevokePermissionsCommand(everybody)));
		const byTagWithIt = await look(stage, wanted, () => told(stage, tagged.athena, sql));
		const { athena } = await stage.as();
		const byTagWithoutItFails = typeof (await told(stage, athena, sql)) === 'string';
		return { observed: { tagged: seen, rightByTag: 'taken', byTagWithIt, byTagWithoutItFails } };
	},
};
