import { defineConfig } from 'vitest/config';
import { grammarAlias } from './tests/grammar.ts';

/** These put something else in the place of a module. Others share nothing but what they import, read once for them. */
const mocking = ['tests/local/operate-completeness.test.ts', 'tests/printer.test.ts'];

/**
 * What takes long: races, crashes, chance, whole histories of grants, bundles. `npm run soak:short` tries them, as `.ci/run`
 * does, `npm run soak` longer.
 */
const long = [
	'tests/api/batches.test.ts',
	'tests/api/break-glass-crashes.test.ts',
	'tests/api/break-glass-past.test.ts',
	'tests/api/break-glass-review.test.ts',
	'tests/api/break-glass.test.ts',
	'tests/api/contract-changes.test.ts',
	'tests/api/contract-holds.test.ts',
	'tests/api/contract-races.test.ts',
	'tests/api/counts-cut-off.test.ts',
	'tests/api/counts.test.ts',
	'tests/api/delegated.test.ts',
	'tests/api/delegation-bounds.test.ts',
	'tests/api/erasure.test.ts',
	'tests/api/fuzz.test.ts',
	'tests/api/grant-changes.test.ts',
	'tests/api/guises.test.ts',
	'tests/api/holds.test.ts',
	'tests/api/lapsing.test.ts',
	'tests/api/late-openings.test.ts',
	'tests/api/leaving.test.ts',
	'tests/api/listings.test.ts',
	'tests/api/narrowing.test.ts',
	'tests/api/openings.test.ts',
	'tests/api/policy-changes.test.ts',
	'tests/api/renewals.test.ts',
	'tests/api/rowscope.test.ts',
	'tests/bundle.test.ts',
	'tests/completeness/crashes.test.ts',
	'tests/completeness/edges.test.ts',
	'tests/completeness/large.test.ts',
	'tests/concurrent.test.ts',
	'tests/faults.test.ts',
	'tests/model-states.test.ts',
	'tests/model.test.ts',
	'tests/overtaken.test.ts',
	'tests/policy-domains.test.ts',
	'tests/reconcile-faults.test.ts',
	'tests/reconcile-record.test.ts',
	'tests/reconcile.test.ts',
	'tests/saga.test.ts',
	'tests/soak.test.ts',
	'tests/sweep.test.ts',
	'tests/tlog/faults.test.ts',
	'tests/tlog/races.test.ts',
	'tests/verifier/log-large.test.ts',
	'tests/witness/cli.test.ts',
	'tests/witness/faults.test.ts',
];
/** Tried a little by `npm test`, and more of it there. */
const deep = ['tests/crash.test.ts', 'tests/policy-oracle.test.ts', 'tests/roles/*.test.ts', 'tests/tlog/kill.test.ts'];

const { FAIRLEAD_SOAK: soak } = process.env;
const soaking = { extends: true as const, test: { name: 'soak', include: [...long, ...deep], isolate: false } };

export default defineConfig({
	resolve: { alias: await grammarAlias() },
	test: {
		projects: [
			{
				extends: true,
				test: { name: 'shared', include: ['tests/**/*.test.ts'], exclude: [...mocking, ...long], isolate: false },
			},
			{ extends: true, test: { name: 'mocking', include: mocking } },
			...(soak === undefined ? [] : [soaking]),
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
