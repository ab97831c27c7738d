/** Tests of the stack itself. They need SST's platform (`sst install`), so `npm test` leaves them out. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('..', import.meta.url));

export default defineConfig({
	root,
	// One Pulumi for the stack and for the test: the platform's own.
	resolve: {
		alias: [{ find: /^@pulumi\/(.*)$/, replacement: path.join(root, '.sst/platform/node_modules/@pulumi/$1') }],
	},
	test: {
		include: ['tests/infra/**/*.spec.ts'],
		pool: 'forks',
		// An evaluation holds some 700 MB.
		maxWorkers: 1,
		testTimeout: 60_000,
		hookTimeout: 120_000,
	},
});
