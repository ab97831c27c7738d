/**
 * Whether the engine can still be asked. It is WebAssembly: what traps there, such as a stack that overflowed, leaves it
 * in a state in which a later answer is worth nothing, and sooner or later there is none. So a process in which it has
 * trapped once says so until it ends; core/policy/guard.ts sees to it that no text comes that far.
 */
let trapped = false;

/** Calls the engine. Whatever it throws is thrown on. */
export function engine<T>(call: () => T): T {
	try {
		return call();
	} catch (error) {
		trapped ||= isTrap(error);
		throw error;
	}
}

/** Whether it has trapped in this process. */
export const hasTrapped = () => trapped;

/** A value that it cannot hand over is thrown, too, as an error of another name, and harms nothing. */
export function isTrap(error: unknown): boolean {
	return error instanceof Error && (error.name === 'RuntimeError' || error.name === 'RangeError');
}
