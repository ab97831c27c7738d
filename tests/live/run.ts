/**
 * npm run live -- <name>: tries what Fairlead assumes of AWS where AWS does not say, and prints what it saw beside what is
 * assumed, as JSON. `--embedded` tries the embedded AWS; otherwise an account is needed, and every option of account.ts.
 * Exit 0 where both agree, 1 where they differ, 2 where it could not be tried.
 */
import { parseArgs } from 'node:util';
import { accountStage, OPTIONS } from './account.ts';
import { all } from './all.ts';
import { openEmbedded } from './embedded.ts';
import { settle } from './stage.ts';

async function main(): Promise<number> {
	const { values, positionals } = parseArgs({
		allowPositionals: true,
		options: { ...OPTIONS, embedded: { type: 'boolean', default: false } },
	});
	const { embedded, ...named } = values;
	const [name = ''] = positionals;
	const chosen = name === 'all' ? all : all.filter((assumption) => assumption.name === name);
	if (chosen.length === 0) throw new Error(`name one of: all ${all.map((assumption) => assumption.name).join(' ')}`);
	const local = embedded ? await openEmbedded() : null;
	const open = local === null ? accountStage(named) : local.stage;
	let differs = false;
	try {
		for (const assumption of chosen) {
			const verdict = await settle(assumption, open, embedded);
			process.stdout.write(`${JSON.stringify(verdict, null, '\t')}\n`);
			if (!verdict.agrees || verdict.left.length > 0) differs = true;
		}
	} finally {
		await local?.close();
	}
	return differs ? 1 : 0;
}

process.exitCode = await main().catch((error: unknown) => {
	process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
	return 2;
});
