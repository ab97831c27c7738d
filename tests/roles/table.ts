/** The role matrix as text: JSON that tests compare, and the same as a table for people. */
import { codes } from '#core/error.ts';
import type { Row } from './run.ts';

export type Matrix = { readonly columns: Readonly<Record<string, string>>; readonly rows: readonly Row[] };

export const toJson = (matrix: Matrix) => `${JSON.stringify(matrix, null, '\t')}\n`;

/** Codes that their status says already. */
const plain = new Set(['invalid-token', 'not-permitted', 'not-found']);

function brief(cell: string): string {
	const [status = '', ...rest] = cell.split(' ');
	const said = rest.join(' ');
	return plain.has(said) ? status : said in codes ? `${status} \`${said}\`` : cell;
}

const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

export function toMarkdown({ columns, rows }: Matrix): string {
	const names = Object.keys(columns);
	const table = rows.map(({ operation, action, on, answers }, i) => {
		const again = rows[i - 1]?.operation === operation;
		const action_ = action === null ? 'none' : `\`${action}\``;
		const cells = names.map((name) => brief(answers[name] ?? ''));
		return line([again ? '' : `\`${operation}\``, again ? '' : action_, on, ...cells]);
	});
	return [
		'# Who may do what',
		'',
		'Each operation of the API on things of the sample bank, as each of its people: what it answers to a valid call.',
		'Made by running it: `npm run matrix` writes this page and `tests/roles/matrix.json`; the tests compare.',
		'',
		'`401`, `403`, `404` stand for `invalid-token`, `not-permitted`, `not-found`. A `404` is, word for word, what an id',
		'that does not exist gets. A list says whether it shows the thing. A report holds every flow for regulators and the',
		"product's owners and privacy officers, those of their own domains for consumers. The Cedar action is what the",
		'rules in `policies/` are asked. Alice asked for loans and holds a grant on them, Mia for clients, which are personal',
		'data.',
		'',
		...names.map((name) => `- **${name}**: ${columns[name]}`),
		'',
		line(['operation', 'action', 'on', ...names]),
		line(['---', '---', '---', ...names.map(() => '---')]),
		...table,
		'',
	].join('\n');
}
