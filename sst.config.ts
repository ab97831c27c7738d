/**
 * The deployed stack. What it is made of is in `infra/`, what a stage decides in `infra/stages/<stage>.json`, what must
 * exist before in `docs/deploy.md`. The tool wants no import at the top of this file.
 */
export default $config({
	async app({ stage }) {
		const { readSettings } = await import('./infra/settings.ts');
		const { region } = readSettings(process.cwd(), stage);
		return {
			name: 'fairlead',
			home: 'aws',
			// Removing the stack never removes what it recorded.
			removal: 'retain',
			protect: stage === 'production',
			providers: { aws: { region: region as aws.Region } },
		};
	},
	async run() {
		const { readSettings } = await import('./infra/settings.ts');
		const { makeTables } = await import('./infra/tables.ts');
		const { buildBundles, makeShared } = await import('./infra/functions.ts');
		const { makeApi, makeGateway } = await import('./infra/api.ts');
		const { makeLedgerLog } = await import('./infra/log.ts');
		const { makeCompleteness, makeErase, makeReconcile, makeSeal, makeSweep } = await import('./infra/schedules.ts');
		const { makeWorkGroup } = await import('./infra/athena.ts');
		const { makeAlarms } = await import('./infra/alarms.ts');
		const settings = readSettings($cli.paths.root, $app.stage);
		buildBundles();
		const tables = makeTables();
		const gateway = makeGateway(settings);
		const log = makeLedgerLog(settings);
		const shared = makeShared(settings, { tables, log, url: gateway.url });
		const api = makeApi(gateway, shared);
		const sweep = makeSweep(shared);
		const reconcile = makeReconcile(shared);
		const seal = makeSeal(shared);
		const erase = makeErase(shared);
		const completeness = makeCompleteness(shared);
		const workGroups = settings.consumers.map((consumer) => makeWorkGroup(settings, consumer));
		makeAlarms(settings, { api, sweep, reconcile, seal, erase, completeness }, gateway);
		return {
			url: gateway.url,
			// The trust policies of the roles in other accounts name these.
			roles: [api.run, sweep.run, reconcile.run, completeness.run].map((made) => made.nodes.role.arn),
			// What whoever verifies the log needs to know.
			verifierKey: log.environment.FAIRLEAD_LEDGER_VKEY,
			workGroups: workGroups.map((group) => group.arn),
		};
	},
});
