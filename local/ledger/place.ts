/** Which ledger is meant: that of a deployment, by the settings of its sealer, or that of a data folder. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Platform } from '#core/context.ts';
import type { Pass } from '#core/tlog.ts';
import type { Place } from '#functions/objects.ts';
import { buildPlatform, LogSettings, logOf, readSettings } from '#functions/platform.ts';
import { sealingLog } from '#functions/sealer.ts';
import { sealOnce } from '#functions/sealing.ts';
import { startBank } from '../bank.ts';
import { sampleContracts } from '../lake.ts';
import { KEY_FILE, ledgerSettings } from '../sealing.ts';

export const WRONG_CALL = 2;
export const CANNOT_LOOK = 3;

/** The words of the call are wrong. */
export class Misuse extends Error {}

export type Values = {
	readonly data?: string | undefined;
	readonly lake?: string | undefined;
	readonly contracts?: string | undefined;
	readonly once?: boolean | undefined;
	readonly json?: boolean | undefined;
};

export type OpenLedger = {
	readonly platform: Platform;
	/** One pass. */
	readonly seal: () => Promise<Pass>;
	readonly close: () => Promise<void>;
};

const isDeployed = (environment: NodeJS.ProcessEnv) => environment['FAIRLEAD_LEDGER_LOG'] !== undefined;

/** Table and log. Of a data folder nobody else may have them open. */
export async function openLedger(values: Values, environment: NodeJS.ProcessEnv): Promise<OpenLedger> {
	if (isDeployed(environment)) return sealingIn(buildPlatform(environment).platform, environment, async () => {});
	const home = homeOf(values);
	const bank = await startBank({
		dataDir: path.join(home, 'bank'),
		lakeDir: path.resolve(values.lake ?? path.join(home, 'lake')),
		contractsDir: path.resolve(values.contracts ?? sampleContracts),
		ports: { api: 0, aws: 0, issuer: 0 },
		witness: true,
	});
	return sealingIn(bank.platform, bank.settings, bank.close);
}

function sealingIn(platform: Platform, environment: NodeJS.ProcessEnv, close: () => Promise<void>): OpenLedger {
	// Whoever only looks needs no key.
	const seal = () => sealOnce({ ...platform, log: sealingLog(environment) }, randomBytes(16).toString('hex'));
	return { platform, seal, close };
}

export type LogPlace = { readonly origin: string; readonly vkey: string; readonly place: Place };

/** The log alone: no table and no key is touched, so whoever has it open may go on. */
export function placeIn(values: Values, environment: NodeJS.ProcessEnv): LogPlace {
	if (isDeployed(environment)) return logOf(readSettings(LogSettings, environment));
	const settings = ledgerSettings(path.join(homeOf(values), 'bank'));
	return logOf(readSettings(LogSettings, { AWS_REGION: 'eu-central-1', ...settings }));
}

/** Makes none: a folder without a ledger is not the one that is meant. */
function homeOf({ data, lake, contracts }: Values): string {
	if (data === undefined)
		throw new Misuse('Name the data folder (--data), or set FAIRLEAD_LEDGER_LOG and what goes with it.');
	if ((lake === undefined) !== (contracts === undefined)) throw new Misuse('--lake and --contracts go together.');
	const home = path.resolve(data);
	if (!existsSync(path.join(home, 'bank', KEY_FILE))) throw new Misuse(`There is no ledger in ${data}.`);
	return home;
}
