/**
 * `/docs`: the OpenAPI document, rendered in the browser by Swagger UI from files that we serve ourselves. Its script
 * runs under a policy without 'unsafe-inline' and 'unsafe-eval', for styles too, and can reach this origin only. A token
 * typed into it stays in the page and is gone with it. Where its files are not installed the page alone is missing.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Hono } from 'hono';
import { html } from 'hono/html';
import { BrokerError } from '#core/error.ts';
import type { Env } from '../env.ts';
import { type Asset, makeAsset, sendAsset } from './asset.ts';
import { page } from './layout.ts';
import { style } from './style.ts';

/** What is read of the folder; a deployment copies these, and the licence and notice beside them, from swagger-ui-dist. */
export const docsFiles = { script: 'swagger-ui-bundle.js', style: 'swagger-ui.css' } as const;

type Renderer = { readonly script: Asset; readonly style: Asset };

/** No validator elsewhere, no address taken from the query, no token kept in the browser's storage. */
const start = makeAsset(
	'start.js',
	new TextEncoder().encode(`'use strict';
const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
follow();
dark.addEventListener('change', follow);
SwaggerUIBundle({
	url: '/openapi.json',
	dom_id: '#reference',
	deepLinking: true,
	displayOperationId: true,
	displayRequestDuration: true,
	validatorUrl: null,
	queryConfigEnabled: false,
	persistAuthorization: false,
});
`),
);

/** Images: the arrows in Swagger UI's stylesheet are data addresses, and so is our lack of an icon; no script is. */
const csp = "script-src 'self'; connect-src 'self'; img-src 'self' data:";

export function docsRoutes(folder: string): Hono<Env> {
	const app = new Hono<Env>();
	let loaded: Renderer | undefined;
	const renderer = () => (loaded ??= load(folder));
	app.get('/docs', (c) => page(c, docsPage(renderer())));
	app.get('/docs/:file', (c) => {
		const wanted = `/docs/${c.req.param('file')}`;
		const own = [style, start].find((asset) => asset.href === wanted);
		const asset = own ?? Object.values(renderer()).find((a) => a.href === wanted);
		if (asset === undefined) throw new BrokerError('not-found', 'There is no such file.');
		return sendAsset(c, asset);
	});
	return app;
}

function load(folder: string): Renderer {
	const read = (name: (typeof docsFiles)[keyof typeof docsFiles]) =>
		makeAsset(name, new Uint8Array(readFileSync(path.join(folder, name))));
	try {
		return { script: read(docsFiles.script), style: read(docsFiles.style) };
	} catch (cause) {
		const detail = 'The rendered API description is not installed here; the document itself is /openapi.json.';
		throw new BrokerError('unavailable', detail, {}, { cause });
	}
}

/** The one main landmark is Swagger UI's own, or else the note that replaces it. */
function docsPage({ script, style }: Renderer) {
	return {
		title: 'API',
		under: '/docs' as const,
		csp,
		head: html`<link rel="icon" href="data:,">
<link rel="stylesheet" href="${style.href}">
<script src="${script.href}" defer></script>
<script src="${start.href}" defer></script>`,
		main: html`<div id="main" tabindex="-1">
<h1 class="unseen">API reference</h1>
<noscript><main class="note"><p>This page is drawn by a script, and scripts are off. All of it stands in
<a href="/openapi.json">the OpenAPI document</a>; the <a href="/errors">errors</a> need no script.</p></main></noscript>
<div id="reference"></div>
</div>`,
	};
}
