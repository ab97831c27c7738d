import { defineConfig } from 'vitest/config';

export default defineConfig({
	test: {
		include: ['tests/**/*.test.ts'],
		// The Trino grammar's package has directory imports, which plain Node refuses.
		server: { deps: { inline: ['dt-sql-parser'] } },
		pool: 'forks',
		testTimeout: 30_000,
		hookTimeout: 60_000,
	},
});
