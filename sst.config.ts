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
		const { makeSweep } = await import('./infra/sweep.ts');
		const { makeWorkGroup } = await import('./infra/athena.ts');
		const { makeAlarms } = await import('./infra/alarms.ts');
		const settings = readSettings($cli.paths.root, $app.stage);
		buildBundles();
		const tables = makeTables();
		const gateway = makeGateway(settings);
		const shared = makeShared(settings, tables, gateway.url);
		const api = makeApi(gateway, shared);
		const sweep = makeSweep(shared);
		const workGroups = settings.consumers.map((consumer) => makeWorkGroup(settings, consumer));
		makeAlarms(settings, sweep, gateway);
		return {
			url: gateway.url,
			// The trust policies of grantors and principals name these two.
			roles: [api.nodes.role.arn, sweep.sweep.nodes.role.arn],
			workGroups: workGroups.map((group) => group.arn),
		};
	},
});
