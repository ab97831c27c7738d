/** The log's files in S3: they need moto's server, so `npm test` leaves them out. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
	root: path.resolve(fileURLToPath(new URL('.', import.meta.url)), '../../..'),
	test: { include: ['tests/conformance/tlog/*.spec.ts'], testTimeout: 60_000 },
});
