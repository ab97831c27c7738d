/** `reconcile`: a product compared with Lake Formation now. Exit code 1 where something is left that differs. */
import { styleText } from 'node:util';
import * as z from 'zod';
import { type Command, textOf } from './command.ts';

const Found = z.object({
	whole: z.boolean(),
	tally: z.object({
		tables: z.number(),
		checked: z.number(),
		repaired: z.number(),
		alerted: z.number(),
		failed: z.number(),
	}),
	findings: z.array(
		z.object({
			account: z.string(),
			table: z.string(),
			kind: z.string(),
			principal: z.string().nullable(),
			filter: z.string().nullable(),
			permissions: z.array(z.string()),
			outcome: z.string(),
		}),
	),
});

export const reconcile: Command = {
	usage: `  --product ID   whose tables to compare; needed
  --json         the answer as it came`,
	options: { product: { type: 'string' }, json: { type: 'boolean' } },
	async run(api, values, output) {
		const product = textOf(values, 'product');
		if (product === undefined) throw new Error('Name the product: --product lending.loans');
		const found = Found.parse(await api('POST', '/reconciliations', { product }));
		const { tally, findings, whole } = found;
		if (values['json'] === true) output.out(JSON.stringify(found));
		else {
			for (const { account, table, kind, principal, filter, permissions, outcome } of findings) {
				const what = [principal, filter, permissions.join(' ')].filter(Boolean).join(', ');
				output.out(
					`${styleText(outcome === 'alerted' ? 'red' : 'green', outcome)}  ${kind}  ${account} ${table}  ${what}`,
				);
			}
			const { tables, checked, repaired, alerted, failed } = tally;
			output.out(
				`${tables} tables, ${checked} entitlements: ${repaired} repaired, ${alerted} told, ${failed} left to the next pass.`,
			);
		}
		return tally.alerted + tally.failed > 0 || !whole ? 1 : 0;
	},
};
