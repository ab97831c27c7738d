/** `doctor`: what keeps grants from holding, for people, or as JSON. Exit code 1 where something blocks. */
import { styleText } from 'node:util';
import type { Examination } from '#core/doctor.ts';
import { type Command, type Output, textOf } from './command.ts';

type Finding = Examination['findings'][number];
type Drift = Examination['drift'][number];

export const doctor: Command = {
	usage: `  --domain ID    tables and principals of one domain; owners must name theirs
  --product ID   tables of one product
  --json         the answer as it came`,
	options: { domain: { type: 'string' }, product: { type: 'string' }, json: { type: 'boolean' } },
	async run(api, values, output) {
		const query = new URLSearchParams();
		for (const name of ['domain', 'product']) {
			const value = textOf(values, name);
			if (value !== undefined) query.set(name, value);
		}
		const found = (await api('GET', `/doctor?${query.toString()}`)) as Examination;
		if (values['json'] === true) output.out(JSON.stringify(found));
		else show(found, output);
		return found.counts.blocks > 0 ? 1 : 0;
	},
};

function show({ checkedAt, examined, counts, findings, drift }: Examination, { out }: Output): void {
	const { products, tables, principals, accounts } = examined;
	out(
		`Examined at ${checkedAt}: ${products} products, ${tables} tables, ${principals} principals, ${accounts} accounts.`,
	);
	for (const severity of ['blocks', 'warns'] as const) {
		const some = findings.filter((f) => f.severity === severity);
		if (some.length === 0) continue;
		out('');
		out(severity === 'blocks' ? `${some.length} block grants:` : `${some.length} should be looked at:`);
		for (const finding of some) showFinding(finding, out);
	}
	if (drift.length > 0) {
		out('');
		out(`${drift.length} differ from what is recorded, since the last reconciliation:`);
		for (const one of drift) out(driftLine(one));
	}
	if (counts.blocks + counts.warns + counts.drift === 0) out('Nothing was found.');
}

function showFinding({ check, severity, where, found, why, fix }: Finding, out: Output['out']): void {
	const place = [where.account, where.database, where.table].filter(Boolean).join(' ');
	out(`  ${styleText(severity === 'blocks' ? 'red' : 'yellow', check)}  ${place}`);
	out(`    ${found}`);
	out(`    why: ${why}`);
	out(`    fix: ${fix}`);
}

function driftLine({ account, database, table, kind, principal, filter, permissions, recordedAt }: Drift): string {
	const what = [principal, filter, permissions.join(' ')].filter(Boolean).join(', ');
	return `  ${styleText('yellow', kind)}  ${account} ${database} ${table}  ${what} (recorded ${recordedAt})`;
}
