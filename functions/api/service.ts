/** The service itself: is it alive, is it ready, what runs, and where callers sign in. Open to everybody. */
import { z } from '@hono/zod-openapi';
import type { Platform } from '#core/context.ts';
import * as Ledger from '#core/ledger.ts';
import { answers } from '#core/policy.ts';
import { RESOURCE_METADATA } from '../base.ts';
import { describeHeaders } from './headers.ts';
import { json, newRouter, openOperation } from './router.ts';

const getHealth = openOperation({
	method: 'get',
	path: '/healthz',
	operationId: 'getHealth',
	summary: 'Whether the process answers; asks nothing of what it depends on',
	responses: { 200: json(z.object({ status: z.literal('ok') }), 'Alive', { status: 'ok' }) },
});

const Readiness = z
	.object({
		status: z.enum(['ready', 'not-ready']),
		checks: z.record(z.string(), z.enum(['ok', 'stale', 'failed'])).meta({
			description:
				'Each thing that a call depends on. Stale: a newer set of rules is broken, the one before goes on. Failed: calls that depend on it are refused',
		}),
	})
	.meta({ id: 'Readiness' });

const getReadiness = openOperation({
	method: 'get',
	path: '/readyz',
	operationId: 'getReadiness',
	summary: 'Whether calls can be served: rules can be evaluated, ledger readable',
	responses: {
		200: json(Readiness, 'Ready', { status: 'ready', checks: { policies: 'ok', ledger: 'ok' } }),
		503: json(Readiness, 'Not ready', { status: 'not-ready', checks: { policies: 'ok', ledger: 'failed' } }),
	},
});

const Version = z
	.object({
		name: z.literal('fairlead'),
		version: z.string().meta({ description: 'What was deployed: a release or a commit' }),
		policies: Ledger.Hash.meta({ description: 'SHA-256 of the policy set in force, hex' }),
	})
	.meta({ id: 'Version' });

const getVersion = openOperation({
	method: 'get',
	path: '/version',
	operationId: 'getVersion',
	summary: 'What runs here, and which set of rules is in force',
	responses: {
		200: json(Version, 'The version', { name: 'fairlead', version: '0.1.0', policies: 'a'.repeat(64) }),
	},
});

/** RFC 9728 section 2. */
const ResourceMetadata = z
	.object({
		resource: z.url(),
		resource_name: z.string(),
		authorization_servers: z.array(z.url()),
		bearer_methods_supported: z.array(z.literal('header')),
		resource_documentation: z.url(),
	})
	.meta({ id: 'ResourceMetadata' });

const getResourceMetadata = openOperation({
	method: 'get',
	path: RESOURCE_METADATA,
	operationId: 'getResourceMetadata',
	summary: 'Where access tokens for this API come from (RFC 9728)',
	responses: {
		200: json(ResourceMetadata, 'Protected resource metadata', {
			resource: 'https://fairlead.example',
			resource_name: 'Fairlead',
			authorization_servers: ['https://id.bank.example'],
			bearer_methods_supported: ['header'],
			resource_documentation: 'https://fairlead.example/docs',
		}),
	},
});

export function serviceRoutes() {
	const app = newRouter();
	describeHeaders(app);
	const ledgerAnswers = remembered(askLedger);
	app.openapi(getHealth, (c) => c.json({ status: 'ok' as const }, 200));
	app.openapi(getReadiness, async (c) => {
		const { platform } = c.var;
		const ledger = (await ledgerAnswers(platform)) ? ('ok' as const) : ('failed' as const);
		const checks = { policies: policiesAnswer(platform), ledger };
		if (Object.values(checks).includes('failed')) return c.json({ status: 'not-ready' as const, checks }, 503);
		return c.json({ status: 'ready' as const, checks }, 200);
	});
	app.openapi(getVersion, (c) => {
		const { platform, site } = c.var;
		return c.json({ name: 'fairlead' as const, version: site.version, policies: platform.policies.hash }, 200);
	});
	app.openapi(getResourceMetadata, (c) => {
		const { site } = c.var;
		return c.json(
			{
				resource: site.url,
				resource_name: 'Fairlead',
				authorization_servers: [site.issuer],
				bearer_methods_supported: ['header' as const],
				resource_documentation: `${site.url}/docs`,
			},
			200,
		);
	});
	return app;
}

/** One decision, of a few hundred microseconds: that the rules were loaded once does not say that they can be asked now. */
function policiesAnswer({ policies, config }: Platform): 'ok' | 'stale' | 'failed' {
	if (!answers(policies, config.governance)) return 'failed';
	return policies.stale ? 'stale' : 'ok';
}

const READINESS_MS = 2000;

/** Anybody may ask, as often as he likes; the ledger is asked once in two seconds. */
function remembered(ask: (platform: Platform) => Promise<boolean>): (platform: Platform) => Promise<boolean> {
	let last: { readonly at: number; readonly answer: Promise<boolean> } | undefined;
	return (platform) => {
		const at = platform.clock().getTime();
		// A clock that was set back does not keep an answer longer.
		if (last === undefined || Math.abs(at - last.at) >= READINESS_MS) last = { at, answer: ask(platform) };
		return last.answer;
	};
}

/** One read, of a stream that every mesh has: the table is there, and we may read it. */
async function askLedger(platform: Platform): Promise<boolean> {
	try {
		await Ledger.last(platform, Ledger.stream.domain(platform.config.governance), 'DomainRegistered');
		return true;
	} catch (error) {
		platform.warn('readiness: the ledger does not answer', error);
		return false;
	}
}
