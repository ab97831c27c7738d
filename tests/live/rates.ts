/** How many lists of rights an account may ask for in a second, and what it says then; no quota is published. */
import { LakeFormationClient, ListPermissionsCommand } from '@aws-sdk/client-lakeformation';
import type { Assumption } from './stage.ts';
import { refusalOf, tableOf } from './steps.ts';

/** As many as the reconciler asks for in a second of one account: tables, times calls of each. */
const CALLS = 40;
/** At once, as its bounded concurrency has it. */
const AT_ONCE = 4;
const KNOWN = /^(ThrottledException|ThrottlingException|TooManyRequestsException)|Rate exceeded/;

export const rates: Assumption = {
	name: 'rates',
	question:
		'Are a few dozen lists of rights answered one after another, and is a refusal for their number known for what it is?',
	assumed: { refusedOtherwise: [] },
	async observe(stage) {
		// Without the client's own retries, which would hide what is asked for.
		const { credentials, endpoint, region } = stage.admin.lakeformation.config;
		const settings = { credentials, region, maxAttempts: 1, ...(endpoint === undefined ? {} : { endpoint }) };
		const client = new LakeFormationClient(settings);
		const Resource = tableOf(stage, stage.tables.plain);
		const otherwise = new Set<string>();
		let throttled = 0;
		const started = performance.now();
		const walk = async (calls: number) => {
			for (let call = 0; call < calls; call += 1) {
				const { name, message } = await refusalOf(client.send(new ListPermissionsCommand({ Resource })));
				const text = `${name}: ${message}`;
				if (name !== '' && KNOWN.test(text)) throttled += 1;
				else if (name !== '') otherwise.add(text);
			}
		};
		await Promise.all(Array.from({ length: AT_ONCE }, () => walk(CALLS / AT_ONCE)));
		client.destroy();
		const seconds = (performance.now() - started) / 1000;
		return {
			observed: { refusedOtherwise: [...otherwise] },
			measured: { calls: CALLS, throttled, perSecond: Math.round(CALLS / seconds) },
		};
	},
};
