/**
 * The files of the log by the address of their store: `file:///folder` on a laptop, `s3://bucket/prefix` on AWS. The
 * keys are the same. A second address, after a blank, takes what comes and goes (staging, partial tiles, the checkpoint),
 * so that the first can keep under lock whatever it was ever given.
 *
 * A store is loaded when it is first used: whoever starts pays nothing for it. Reading and writing are modules of their
 * own, so that a function which only reads holds no code that writes.
 */
import type { Objects } from '#core/context.ts';
import type { Place, Reading } from './objects/place.ts';
import { once } from './once.ts';

export { type Place, placeOf } from './objects/place.ts';

/** Reads; what would write is refused. */
export function readObjects(place: Place): Objects {
	const open = once(async (): Promise<Reading> => {
		if ('folder' in place) return (await import('./objects/folder.ts')).readFolder(place.folder);
		return (await import('./objects/s3.ts')).readBuckets(place);
	});
	const refuse = () => Promise.reject(new Error('This process does not write the log.'));
	return { get: async (key) => (await open()).get(key), create: refuse, replace: refuse, remove: refuse };
}

export function writeObjects(place: Place): Objects {
	const open = once(async (): Promise<Objects> => {
		if ('folder' in place) return (await import('./objects/folder-writing.ts')).writeFolder(place.folder);
		return (await import('./objects/s3-writing.ts')).writeBuckets(place);
	});
	return {
		get: async (key) => (await open()).get(key),
		create: async (key, bytes) => (await open()).create(key, bytes),
		replace: async (key, bytes, over) => (await open()).replace(key, bytes, over),
		remove: async (key) => (await open()).remove(key),
	};
}
