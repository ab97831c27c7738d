/**
 * The main job of Fairlead, walked live over HTTP against a fresh bank: every step asserts values that it read over
 * HTTP, or at an AWS endpoint where it says so. `npm start` shows it, the tests run it.
 */
import type { Bank } from './bank.ts';
import {
	approveStep,
	discover,
	foreignOwner404,
	lfReadback,
	register,
	request,
	selfApprovalRefused,
} from './story/access.ts';
import { nothingLeft, threeAccounts } from './story/accounts.ts';
import { expireRefused, ledgerVerify, report, revokeRefused } from './story/endings.ts';
import { queryExact, rawAthenaSameCells, refusedColumn, refusedJoin } from './story/queries.ts';
import { makeWorld, type Step } from './story/world.ts';

export const steps: readonly Step[] = [
	register,
	discover,
	request,
	selfApprovalRefused,
	foreignOwner404,
	approveStep,
	lfReadback,
	queryExact,
	refusedColumn,
	refusedJoin,
	rawAthenaSameCells,
	threeAccounts,
	revokeRefused,
	expireRefused,
	nothingLeft,
	ledgerVerify,
	report,
];

export type Told = {
	readonly name: string;
	readonly tells: string;
	readonly ok: boolean;
	readonly ms: number;
	/** What was seen, or what went wrong. */
	readonly note: string;
	/** Repeats the call that the step ended with. */
	readonly curl: string;
};

/** Runs the steps in order; after one that failed the rest cannot hold and are not run. */
export async function tellStory(bank: Bank, told: (step: Told) => void): Promise<Told[]> {
	const all: Told[] = [];
	let note = '';
	let last = '';
	let shown = '';
	const world = makeWorld(
		bank,
		(said) => {
			note = said;
		},
		(curl) => {
			shown = curl;
		},
		(answer) => {
			last = answer.curl;
		},
	);
	for (const { name, tells, run } of steps) {
		note = '';
		shown = '';
		const started = performance.now();
		let ok = true;
		try {
			await run(world);
		} catch (error) {
			ok = false;
			note = error instanceof Error ? error.message : String(error);
		}
		const step = { name, tells, ok, ms: Math.round(performance.now() - started), note, curl: shown || last };
		all.push(step);
		told(step);
		if (!ok) break;
	}
	return all;
}
