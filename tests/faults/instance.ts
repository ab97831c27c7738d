/** One more process of Fairlead on a bank's lake, or what one is made of: its own clients, its own address, a clock to set. */
import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import type { Aws } from '#core/aws.ts';
import type { Platform } from '#core/context.ts';
import { type Swept, sweep } from '#core/sweep.ts';
import { makeApp } from '#functions/app.ts';
import { buildPlatform, type Environment } from '#functions/platform.ts';

export type Instance = {
	readonly api: string;
	readonly platform: Platform;
	/** One pass; with `aheadMs`, as if so much later. */
	readonly sweep: (aheadMs?: number) => Promise<Swept>;
	/** Takes no calls any more; what it had begun goes on. */
	readonly close: () => Promise<void>;
};

export async function startInstance(settings: Environment, wrap: (aws: Aws) => Aws = (aws) => aws): Promise<Instance> {
	const built = buildPlatform(settings);
	const platform: Platform = { ...built.platform, aws: wrap(built.platform.aws) };
	const app = makeApp({ ...built, platform });
	const server = await new Promise<Server>((resolve, reject) => {
		const started = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(started)) as Server;
		started.once('error', reject);
	});
	return {
		api: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		platform,
		sweep: (aheadMs = 0) => {
			const clock = () => new Date(platform.clock().getTime() + aheadMs);
			return sweep({ ...platform, clock }, randomBytes(16).toString('hex'));
		},
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}
