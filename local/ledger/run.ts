/** The commands of the ledger, by name. */
import { parseArgs } from 'node:util';
import { BrokerError } from '#core/error.ts';
import { auditStore } from '#core/tlog.ts';
import { exportLog } from './export.ts';
import { CANNOT_LOOK, Misuse, openLedger, placeIn, type Values, WRONG_CALL } from './place.ts';
import { verifyOffline } from './verify.ts';

export type Output = { readonly out: (text: string) => void; readonly err: (text: string) => void };

const USAGE = `npm run ledger -- <command> [options]
  seal               seal what waits, in as many passes as it takes; --once: in one
  audit              compare the table with the log, in both directions; ends with 1 where they differ
  export DIR         copy the log to a folder: what is there already is kept, so a later export brings what is new
  verify DIR --vkey KEY [...]
                     verify such a folder, offline, by the verifier alone (verifier/README.md has its options and exits)

  --data DIR         the data folder of npm start, where FAIRLEAD_LEDGER_LOG is not set; for seal and audit it must not run
  --lake DIR, --contracts DIR
                     what that was started with, if it was not the generated bank
  --json             the outcome as JSON
ends with 0: done, and nothing is wrong; 1: something is; 2: wrong call; 3: it could not be looked at`;

const OPTIONS = {
	data: { type: 'string' },
	lake: { type: 'string' },
	contracts: { type: 'string' },
	once: { type: 'boolean' },
	json: { type: 'boolean' },
	help: { type: 'boolean' },
} as const;

export async function run(args: readonly string[], output: Output, environment: NodeJS.ProcessEnv): Promise<number> {
	try {
		// Its options are the verifier's own.
		if (args[0] === 'verify') return await verifyOffline(args.slice(1));
		const { values, positionals } = callOf(args);
		if (values.help === true) {
			output.out(USAGE);
			return 0;
		}
		const [name, ...rest] = positionals;
		if (name === 'export' && rest.length === 1) return await copy(rest[0] ?? '', values, output, environment);
		if (name === 'seal' && rest.length === 0) return await sealAll(values, output, environment);
		if (name === 'audit' && rest.length === 0) return await audit(values, output, environment);
		throw new Misuse('');
	} catch (error) {
		if (error instanceof Misuse) {
			output.err(`${error.message === '' ? '' : `${error.message}\n`}${USAGE}`);
			return WRONG_CALL;
		}
		const alarm = error instanceof BrokerError ? error.extensions['alarm'] : undefined;
		const message = error instanceof Error ? error.message : String(error);
		output.err(typeof alarm === 'string' ? `${alarm}: ${message}` : message);
		return typeof alarm === 'string' ? 1 : CANNOT_LOOK;
	}
}

function callOf(args: readonly string[]) {
	try {
		return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: true });
	} catch (cause) {
		throw new Misuse(cause instanceof Error ? cause.message : 'wrong call', { cause });
	}
}

const counted = (n: number, what: string) => `${n.toLocaleString('en')} ${what}`;

async function sealAll(values: Values, { out }: Output, environment: NodeJS.ProcessEnv): Promise<number> {
	const ledger = await openLedger(values, environment);
	try {
		const total = { sealed: 0, quarantined: 0 };
		let pass = await ledger.seal();
		for (;;) {
			total.sealed += pass.sealed + pass.recovered;
			total.quarantined += pass.quarantined;
			if (!pass.more || values.once === true) break;
			pass = await ledger.seal();
		}
		const outcome = { ...total, size: pass.size, waiting: pass.waiting, more: pass.more };
		if (values.json === true) out(JSON.stringify(outcome));
		else {
			const aside =
				outcome.quarantined === 0 ? '' : `; ${counted(outcome.quarantined, 'were put aside, which the log tells')}`;
			out(
				`${counted(outcome.sealed, 'sealed')}, ${counted(outcome.size, 'in the log')}${outcome.more ? '; more wait' : ''}${aside}`,
			);
		}
		return outcome.quarantined > 0 ? 1 : 0;
	} finally {
		await ledger.close();
	}
}

async function audit(values: Values, { out }: Output, environment: NodeJS.ProcessEnv): Promise<number> {
	const ledger = await openLedger(values, environment);
	try {
		const found = await auditStore(ledger.platform);
		if (values.json === true) out(JSON.stringify(found));
		else {
			const { entries, waiting, quarantined, fault } = found;
			out(
				fault === null
					? `${counted(entries, 'entries')} of the log are in the table as they were sealed; ${counted(waiting, 'wait')}, ${counted(quarantined, 'are put aside')}.`
					: `${fault.kind}: ${fault.pk} ${fault.sk}${fault.index === null ? '' : `, index ${fault.index}`}`,
			);
		}
		return found.fault === null ? 0 : 1;
	} finally {
		await ledger.close();
	}
}

async function copy(folder: string, values: Values, { out }: Output, environment: NodeJS.ProcessEnv): Promise<number> {
	const { size, archived, written, kept, vkey } = await exportLog(placeIn(values, environment), folder);
	if (values.json === true) out(JSON.stringify({ size, archived, written, kept, vkey }));
	else {
		out(
			`${counted(size, 'entries')}, ${counted(archived, 'archived checkpoints')}: ${counted(written, 'files written')}, ${counted(kept, 'there already')}.`,
		);
		out(
			`To verify it, with the key from somewhere else than here: npm run ledger -- verify ${folder} --vkey '${vkey}'`,
		);
	}
	return 0;
}
