/**
 * The policies of a running bank, followed as they are edited. Each change of the folder is read once things have been
 * quiet for a moment; a set that is broken is not taken (functions/policies.ts), and the reason is told.
 */
import { watch } from 'node:fs';

const QUIET_MS = 200;

/** Calls `reload` after changes below the folder, until it is told to stop. */
export function follow(folder: string, reload: () => void): () => void {
	let timer: NodeJS.Timeout | undefined;
	const watcher = watch(folder, { recursive: true, persistent: false }, () => {
		clearTimeout(timer);
		timer = setTimeout(reload, QUIET_MS).unref();
	});
	// A folder that goes away while it is watched ends the watching, not the bank.
	watcher.on('error', () => watcher.close());
	return () => {
		watcher.close();
		clearTimeout(timer);
	};
}
