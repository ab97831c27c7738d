/**
 * Keeps the lake's state in one file. A change is answered only after the file that holds it is synced;
 * changes that arrive while a write is under way share the next one. Readers see synced state only, so
 * nothing that was read back can be lost by a crash.
 */
import path from 'node:path';
import { readIfThere, writeDurably } from '../files.ts';
import { AwsError } from '../wire.ts';
import { emptyState, fromFile, type State, StateFile, toFile } from './state.ts';

export type Store = {
	/** The newest state that a crash would keep. */
	readonly read: () => State;
	/**
	 * Applies one change to the newest state, after all earlier ones; throws what `change` throws, once all that it was
	 * decided on is kept.
	 */
	readonly change: (change: (state: State) => State) => Promise<void>;
	/**
	 * Refuses further changes and waits for writes under way, whether they succeed or not: nothing is written to the
	 * folder afterwards.
	 */
	readonly close: () => Promise<void>;
};

/** `onSynced` is told of each state from when a crash would keep it. */
export function openStore(dataDir: string, region: string, onSynced: (state: State) => void = () => {}): Store {
	const file = path.join(dataDir, 'lake.json');
	const text = readIfThere(file);
	let synced = text === undefined ? emptyState(region) : fromFile(StateFile.parse(JSON.parse(text)));
	onSynced(synced);
	let newest = synced;
	let writing: Promise<void> = Promise.resolve();
	let queued: Promise<void> | undefined;
	let closed = false;

	const flush = async () => {
		queued = undefined;
		const state = newest;
		if (state === synced) return;
		await writeDurably(file, JSON.stringify(toFile(state)));
		synced = state;
		onSynced(state);
	};

	const save = () => {
		queued ??= writing = writing.then(flush, flush);
		return queued;
	};

	return {
		read: () => synced,
		async change(change) {
			if (closed) throw new AwsError('ServiceUnavailable', 'The embedded AWS is closing', { status: 503 });
			try {
				newest = change(newest);
			} catch (error) {
				// What it was refused for may stand on a change that is not on disk yet.
				if (newest !== synced) await save();
				throw error;
			}
			await save();
		},
		async close() {
			closed = true;
			await writing.catch(() => {});
		},
	};
}
