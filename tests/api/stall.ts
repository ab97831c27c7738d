/**
 * Processes of a bank that die or stall at a chosen write to its store. What is put in the way is put there once for the
 * bank: `makeObstacles` belongs to its start.
 */
import type { TestBank } from '#tests/fixtures.ts';

type Matches = (command: string, input: string) => boolean;

/** Writes of a kind to the ledger and its payloads. */
export const inserts =
	(text: string): Matches =>
	(command, input) =>
		command === 'ExecuteStatementCommand' && input.includes(text);

export function makeObstacles({ bank }: Pick<TestBank, 'bank'>) {
	/** Writes to the ledger that still pass; the next one fails, and all after it, until this is null again. */
	let left: number | null = null;
	/** Who may have to wait before this command is sent. */
	let gate: ((command: string, input: string) => Promise<void>) | null = null;
	bank.platform.aws.dynamodb.middlewareStack.add(
		(next, context) => async (args) => {
			await gate?.(context.commandName ?? '', JSON.stringify(args.input));
			if (left === null || context.commandName !== 'ExecuteStatementCommand') return next(args);
			left -= 1;
			if (left < 0) throw new Error('injected: cut off');
			return next(args);
		},
		{ step: 'initialize', name: 'obstacles' },
	);
	return {
		/** Does the work with so many writes to the ledger, and none after them. */
		async cutAfter<T>(writes: number, work: () => Promise<T>): Promise<T> {
			left = writes;
			try {
				return await work();
			} finally {
				left = null;
			}
		},
		/** Stalls whoever first sends such a command; `there` is when he has come to it. */
		stall(matches: Matches) {
			let release = () => {};
			const released = new Promise<void>((resolve) => {
				release = resolve;
			});
			const there = new Promise<void>((reached) => {
				gate = async (command, input) => {
					if (!matches(command, input)) return;
					gate = null;
					reached();
					await released;
				};
			});
			return { there, release };
		},
		/** Nobody stalls any more who has not yet. */
		clear() {
			gate = null;
		},
	};
}
export type Obstacles = ReturnType<typeof makeObstacles>;
