/**
 * `adopt --dry-run`: rights that Lake Formation holds on published tables and that nobody approved here. There is no
 * adopting: a right becomes approved by being asked for and approved, and the old one is then revoked by its maker.
 */
import { styleText } from 'node:util';
import * as z from 'zod';
import { type Command, textOf } from './command.ts';

const Page = z.object({
	rights: z.array(
		z.object({
			account: z.string(),
			table: z.string(),
			principal: z.string(),
			permissions: z.array(z.string()),
			grantable: z.array(z.string()),
			on: z.string(),
			columns: z.array(z.string()).nullable(),
			excluded: z.array(z.string()),
			rows: z.string().nullable(),
			since: z.string().nullable(),
			by: z.string().nullable(),
		}),
	),
	unread: z.array(z.object({ account: z.string(), table: z.string() })),
	nextPageToken: z.string().nullable(),
});
type Right = z.infer<typeof Page>['rights'][number];

const ONLY_LISTS = [
	'Nothing is adopted: --dry-run lists what there is, and that is all that this command does.',
	'To have such a right approved, its holder asks for access (POST /api/v1/requests); once that is granted,',
	'whoever made the old right revokes it in Lake Formation.',
].join('\n');

export const adopt: Command = {
	usage: `  --dry-run      list rights that were never approved here; needed, for nothing else is done
  --domain ID    on products of one domain
  --json         one right a line, as JSON`,
	options: { 'dry-run': { type: 'boolean' }, domain: { type: 'string' }, json: { type: 'boolean' } },
	async run(api, values, output) {
		if (values['dry-run'] !== true) throw new Error(ONLY_LISTS);
		const domain = textOf(values, 'domain');
		const query = new URLSearchParams({ pageSize: '50', ...(domain === undefined ? {} : { domain }) });
		let count = 0;
		let unread = 0;
		let next: string | null = null;
		do {
			if (next !== null) query.set('pageToken', next);
			const page: z.infer<typeof Page> = Page.parse(await api('GET', `/unapproved?${query.toString()}`));
			for (const right of page.rights) output.out(values['json'] === true ? JSON.stringify(right) : line(right));
			for (const { account, table } of page.unread) output.err(`${account} ${table}: its rights could not be read`);
			count += page.rights.length;
			unread += page.unread.length;
			next = page.nextPageToken;
		} while (next !== null);
		if (values['json'] !== true) output.out(`${count} rights were never approved here.`);
		return unread > 0 ? 1 : 0;
	},
};

function line(right: Right): string {
	const { account, table, principal, permissions, grantable, since, by } = right;
	const handed = grantable.length === 0 ? '' : `, may hand on ${grantable.join(' ')}`;
	const made = [since === null ? '' : `since ${since}`, by === null ? '' : `by ${by}`].filter(Boolean).join(' ');
	return [
		`${styleText('yellow', principal)}  ${permissions.join(' ')}${handed}`,
		`  on ${account} ${table}: ${cells(right)}`,
		...(made === '' ? [] : [`  ${made}`]),
	].join('\n');
}

function cells({ on, columns, excluded, rows }: Right): string {
	const but = excluded.length === 0 ? '' : ` but ${excluded.join(', ')}`;
	const which = columns === null ? `all columns${but}` : columns.join(', ');
	const where = rows === null ? 'all rows' : `rows where ${rows}`;
	return `${which}; ${where}${on === 'all-tables' ? ' (through all tables of the database)' : ''}`;
}
