import { defineConfig } from 'vitest/config';

export default defineConfig({
	test: {
		include: ['tests/**/*.test.ts'],
		// The Trino grammar's package has directory imports, which plain Node refuses.
		server: { deps: { inline: ['dt-sql-parser'] } },
		// The notice belongs to operators; Node 20 stays supported here until the SDK drops it.
		env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
		pool: 'forks',
		testTimeout: 30_000,
		hookTimeout: 60_000,
	},
});
