/** Releasing a resource link: what it costs where there is none, and what it never touches. */
import { LakeFormationClient } from '@aws-sdk/client-lakeformation';
import { describe, expect, it } from 'vitest';
import type { Context } from '#core/context.ts';
import { releaseLink } from '#core/grants/link.ts';

const principal = 'arn:aws:iam::210000000004:role/risk';
const table = { account: '210000000001', database: 'lending', table: 'loans' };
const NAME = 'fl_210000000001_lending';

/** Every call that is made, by its command; Glue has this database of the name, and nobody ever held anything. */
function world(database: object | null) {
	const calls: string[] = [];
	const answering = (answers: Record<string, () => object>) => ({
		send: async (command: { constructor: { name: string } }) => {
			const { name } = command.constructor;
			calls.push(name);
			const answer = answers[name];
			if (answer === undefined) throw new Error(`nobody should call ${name}`);
			return answer();
		},
	});
	const glue = answering({
		GetDatabaseCommand: () => {
			if (database === null) throw Object.assign(new Error('none'), { name: 'EntityNotFoundException' });
			return { Database: { Name: NAME, ...database } };
		},
		DeleteDatabaseCommand: () => ({}),
	});
	const lakeformation = answering({
		BatchRevokePermissionsCommand: () => ({ Failures: [] }),
		ListPermissionsCommand: () => ({ PrincipalResourcePermissions: [] }),
	});
	const dynamodb = answering({ QueryCommand: () => ({ Items: [] }) });
	// Its pages are read by a function that asks for the class.
	Object.setPrototypeOf(lakeformation, LakeFormationClient.prototype);
	const consumer = { glue: () => glue, lakeformation: () => lakeformation };
	const config = { tables: { projections: 'p' }, retryMs: 1 };
	return { ctx: { aws: { dynamodb, consumer }, config } as unknown as Context, calls };
}

const link = (CatalogId: string, DatabaseName: string) => ({ TargetDatabase: { CatalogId, DatabaseName } });

describe('releasing', () => {
	it.each<[string, object | null]>([
		['no database of that name', null],
		['a database that is no link', {}],
		['a link to another database', link(table.account, 'payments')],
		['a link to another account', link('210000000002', table.database)],
	])('takes one look, and no more, where there is %s', async (_, database) => {
		const { ctx, calls } = world(database);
		const asked: string[] = [];
		await releaseLink(ctx, principal, table, async (who) => asked.push(who) > 0);
		expect(calls).toEqual(['GetDatabaseCommand']);
		expect(asked).toEqual([]);
	});

	it('takes none within one account, where no link is needed', async () => {
		const { ctx, calls } = world(null);
		await releaseLink(ctx, principal, { ...table, account: '210000000004' }, async () => false);
		expect(calls).toEqual([]);
	});

	it('takes away one that leads there and that nobody needs', async () => {
		const { ctx, calls } = world(link(table.account, table.database));
		await releaseLink(ctx, principal, table, async () => false);
		expect(calls).toContain('DeleteDatabaseCommand');
		expect(calls.indexOf('QueryCommand')).toBeLessThan(calls.indexOf('DeleteDatabaseCommand'));
		expect(calls.lastIndexOf('QueryCommand')).toBeGreaterThan(calls.indexOf('DeleteDatabaseCommand'));
	});
});
