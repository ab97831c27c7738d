/** The log as the sealer has it: it writes the files and signs. No other function holds this code, or the key. */
import * as z from 'zod';
import type { Log } from '#core/context.ts';
import { writeObjects } from './objects.ts';
import { type Environment, LogSettings, logOf, reachOf, readSettings, settingOf } from './platform.ts';
import { signerOf } from './signer.ts';
import { witnessesOf } from './witnesses.ts';

const SealerSettings = LogSettings.required({ FAIRLEAD_LEDGER_KEY: true }).extend({
	FAIRLEAD_LEDGER_WITNESSES: z
		.string()
		.default('')
		.meta({ description: 'Address and verifier key of each witness, separated by blanks; none unless given' }),
	// Not coerced: an empty text would be 0, which asks for no cosignature at all.
	FAIRLEAD_LEDGER_WITNESS_QUORUM: z
		.string()
		.regex(/^(0|[1-9][0-9]?)$/, 'must be a whole number')
		.transform(Number)
		.optional()
		.meta({ description: 'How many of them must cosign before a checkpoint is published; all unless given' }),
});

/** Throws with the name of each setting that is missing or wrong. */
export function sealingLog(env: Environment): Log {
	const settings = readSettings(SealerSettings, env);
	const { origin, vkey, place } = logOf(settings);
	const signer = settingOf('FAIRLEAD_LEDGER_KEY', () =>
		signerOf(settings.FAIRLEAD_LEDGER_KEY, vkey, reachOf(settings)),
	);
	const { FAIRLEAD_LEDGER_WITNESSES: list, FAIRLEAD_LEDGER_WITNESS_QUORUM: quorum } = settings;
	const witnesses = settingOf('FAIRLEAD_LEDGER_WITNESSES', () => witnessesOf(list, quorum, vkey));
	return Object.freeze({ origin, objects: writeObjects(place), signer, witnesses });
}
