import { defineConfig } from 'vitest/config';
import { grammarAlias } from './tests/grammar.ts';

const pure = [
	'tests/core/**/*.test.ts',
	'tests/local/print-duckdb*.test.ts',
	'tests/local/{format,pattern,type-text}.test.ts',
];

export default defineConfig({
	resolve: { alias: await grammarAlias() },
	test: {
		projects: [
			// These share nothing but what they import, which is read once for all of them.
			{ extends: true, test: { name: 'core', include: pure, isolate: false } },
			{ extends: true, test: { name: 'bank', include: ['tests/**/*.test.ts'], exclude: pure } },
		],
		setupFiles: ['tests/conformance.ts'],
		globalSetup: ['tests/conformance/table.ts', 'tests/parser.ts'],
		// The notice belongs to operators; Node 20 stays supported here until the SDK drops it.
		env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
		pool: 'forks',
		// Files share nothing but the processors.
		maxWorkers: '100%',
		// Inlined calls into WebAssembly (Cedar, fetch) end the process in V8 11.3: `unreachable code` in its deoptimizer.
		execArgv: ['--no-turbo-inline-js-wasm-calls'],
		testTimeout: 30_000,
		hookTimeout: 60_000,
	},
});
