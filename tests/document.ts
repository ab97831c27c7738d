/** The OpenAPI document as the app serves it, without a bank behind it. */
import { randomBytes } from 'node:crypto';
import type { OpenAPIHono } from '@hono/zod-openapi';
import pino from 'pino';
import type { Platform } from '#core/context.ts';
import { BrokerError } from '#core/error.ts';
import { makeApp } from '#functions/app.ts';
import type { Env } from '#functions/env.ts';

/** The whole app; it lets nobody in and has nothing to read. */
export function appWithoutBank(): OpenAPIHono<Env> {
	const platform = {
		warn: () => {},
		clock: () => new Date(0),
		random: randomBytes,
		config: { tables: { calls: 'calls' }, cursorKey: randomBytes(32) },
		aws: {},
	} as unknown as Platform;
	return makeApp({
		platform,
		authenticate: () => Promise.reject(new BrokerError('invalid-token', 'No token is good here.')),
		site: {
			url: 'https://fairlead.example',
			version: '0.0.0',
			issuer: 'https://id.bank.example',
			callsPerMinute: 60,
			sealedWaitMs: 0,
			startsAhead: false,
			docs: '',
			log: pino({ enabled: false }),
		},
	});
}

export type Json = { readonly [member: string]: unknown };
export type Parameter = {
	readonly name: string;
	readonly in: 'path' | 'query' | 'header';
	readonly required?: boolean;
	readonly description?: string;
	readonly schema?: Json;
};
export type Media = { readonly schema?: Json; readonly example?: unknown; readonly examples?: Json };
export type Operation = {
	readonly operationId: string;
	readonly summary: string;
	readonly tags: readonly string[];
	readonly security: readonly unknown[];
	readonly 'x-cedar-action'?: string;
	readonly parameters?: readonly Parameter[];
	readonly requestBody?: { readonly required?: boolean; readonly content: Readonly<Record<string, Media>> };
	readonly responses: Readonly<
		Record<
			string,
			{ readonly description?: string; readonly headers?: Json; readonly content?: Readonly<Record<string, Media>> }
		>
	>;
};
export type Document = Json & {
	readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
	readonly components: { readonly schemas: Readonly<Record<string, Json>> };
};

export async function readDocument(): Promise<Document> {
	return (await (await appWithoutBank().request('/openapi.json')).json()) as Document;
}

/** Every operation with its method and path template. */
export function operationsOf(document: Document) {
	return Object.entries(document.paths).flatMap(([path, item]) =>
		Object.entries(item).map(([method, operation]) => ({ method, path, operation })),
	);
}
