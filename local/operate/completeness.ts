/** `completeness`: what AWS saw of a day against the flows, checked now. Exit code 1 where something is left to explain. */
import { styleText } from 'node:util';
import * as z from 'zod';
import { type Api, type Command, textOf } from './command.ts';

const Checked = z.union([
	z.object({ day: z.string(), state: z.literal('unfinished') }),
	z.object({
		day: z.string(),
		state: z.enum(['clean', 'findings', 'incomplete']),
		accounts: z.number().nullable(),
		unreadAccounts: z.number().nullable(),
		counts: z.record(z.string(), z.number()).nullable(),
	}),
]);

const Page = z.object({
	unread: z.array(z.object({ account: z.string(), why: z.string() })).nullable(),
	orphaned: z.array(z.string()).nullable(),
	unreadable: z.array(z.object({ account: z.string(), event: z.string().nullable(), lacks: z.string() })).nullable(),
	bypasses: z.array(
		z.object({
			account: z.string(),
			at: z.string(),
			principal: z.string().nullable(),
			principalId: z.string().nullable(),
			query: z.string().nullable(),
			reasons: z.array(z.string()),
			tables: z.array(z.object({ account: z.string(), table: z.string() })),
		}),
	),
	nextPageToken: z.string().nullable(),
});

export const completeness: Command = {
	usage: `  --day DAY      which day, in UTC (default: the last one that is over)
  --json         the day and what was found on it, a page a line`,
	options: { day: { type: 'string' }, json: { type: 'boolean' } },
	async run(api, values, output) {
		const checked = await check(api, textOf(values, 'day'));
		const json = values['json'] === true;
		if (json) output.out(JSON.stringify(checked));
		let next: string | null = null;
		do {
			const token: string = next === null ? '' : `&pageToken=${encodeURIComponent(next)}`;
			const page: z.infer<typeof Page> = Page.parse(
				await api('GET', `/completeness/${checked.day}?pageSize=100${token}`),
			);
			if (json) output.out(JSON.stringify(page));
			else for (const line of linesOf(page, next === null)) output.out(line);
			if (page.nextPageToken !== null && page.nextPageToken === next)
				throw new Error('The mesh gives one page for ever.');
			next = page.nextPageToken;
		} while (next !== null);
		if (!json) output.out(summary(checked));
		return checked.state === 'clean' ? 0 : 1;
	},
};

/** Calls of a third of a minute each. */
const MOST_CALLS = 500;

/** A day is checked by as many calls as it takes, which go on from each other. */
async function check(api: Api, asked: string | undefined): Promise<z.infer<typeof Checked>> {
	let day = asked;
	for (let calls = 0; calls < MOST_CALLS; calls += 1) {
		const checked = Checked.parse(await api('POST', '/completeness', day === undefined ? {} : { day }));
		if (checked.state !== 'unfinished') return checked;
		// Which day is the last one may change meanwhile.
		day = checked.day;
	}
	throw new Error(
		`${day ?? 'The day'} is not gone through after ${MOST_CALLS} calls; what was done is kept. Ask again.`,
	);
}

function linesOf({ unread, orphaned, unreadable, bypasses }: z.infer<typeof Page>, first: boolean): string[] {
	const found = bypasses.map(({ account, at, principal, principalId, query, reasons, tables }) => {
		const who = principal ?? principalId ?? 'somebody';
		const what = tables.map((t) => `${t.account} ${t.table}`).join(', ') || 'no published table is known';
		return `${styleText('red', 'bypass')}  ${at}  ${account}  ${who}  ${what}  ${reasons.join(' ')}  ${query ?? ''}`;
	});
	if (!first) return found;
	return [
		...(unread ?? []).map(({ account, why }) => `${styleText('red', 'not read')}  ${account}  ${why}`),
		...(unreadable ?? []).map(
			(u) => `${styleText('yellow', 'unreadable')}  ${u.account}  ${u.event ?? 'without an id'}  lacks ${u.lacks}`,
		),
		...(orphaned ?? []).map((flow) => `${styleText('yellow', 'orphaned')}  ${flow}`),
		...found,
	];
}

function summary(checked: z.infer<typeof Checked>): string {
	if (checked.state === 'unfinished') return `${checked.day}: unfinished`;
	const counts = Object.entries(checked.counts ?? {}).filter(([, n]) => n > 0);
	const told = counts.map(([name, n]) => `${n} ${name}`).join(', ');
	return `${checked.day}: ${checked.state}. ${checked.accounts ?? '?'} accounts. ${told === '' ? 'Nothing was seen.' : told}`;
}
