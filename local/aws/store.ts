/**
 * Keeps the lake's state in one file. A change is answered only after the file that holds it is synced;
 * changes that arrive while a write is under way share the next one. Readers see synced state only, so
 * nothing that was read back can be lost by a crash.
 */
import path from 'node:path';
import { readIfThere, writeDurably } from '../files.ts';
import { emptyState, fromFile, type State, StateFile, toFile } from './state.ts';

export type Store = {
	/** The newest state that a crash would keep. */
	readonly read: () => State;
	/** Applies one change to the newest state, after all earlier ones; throws what `change` throws. */
	readonly change: (change: (state: State) => State) => Promise<void>;
	/** Waits for writes under way. */
	readonly settle: () => Promise<void>;
};

export function openStore(dataDir: string, region: string): Store {
	const file = path.join(dataDir, 'lake.json');
	const text = readIfThere(file);
	let synced = text === undefined ? emptyState(region) : fromFile(StateFile.parse(JSON.parse(text)));
	let newest = synced;
	let writing: Promise<void> = Promise.resolve();
	let queued: Promise<void> | undefined;

	const flush = async () => {
		queued = undefined;
		const state = newest;
		if (state === synced) return;
		await writeDurably(file, JSON.stringify(toFile(state)));
		synced = state;
	};

	return {
		read: () => synced,
		async change(change) {
			newest = change(newest);
			queued ??= writing = writing.then(flush, flush);
			await queued;
		},
		settle: () => writing,
	};
}
