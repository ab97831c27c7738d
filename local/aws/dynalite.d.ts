/** The parts of dynalite that we use; the package has no declarations of its own. */
declare module 'dynalite' {
	import type { Server } from 'node:http';
	export default function dynalite(options: {
		path?: string;
		createTableMs?: number;
		deleteTableMs?: number;
		updateTableMs?: number;
	}): Server;
}
