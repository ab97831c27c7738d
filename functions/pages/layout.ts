/**
 * What all pages share: the shell, the headers, how text becomes HTML. Everything that is put into a page goes through
 * Hono's tagged template, which escapes. A page runs no script and asks nothing of another origin; one that needs more
 * than our stylesheet says so in its own policy.
 */
import type { Context as HonoContext } from 'hono';
import { html } from 'hono/html';
import type { Env } from '../env.ts';
import { style } from './style.ts';

/** What a tagged template gives: a string that is HTML already. */
export type Html = ReturnType<typeof html>;

type Page = {
	readonly title: string;
	/** The page of the bar that this one belongs to. */
	readonly under: '/docs' | '/errors';
	readonly main: Html;
	/** More for the head. */
	readonly head?: Html;
	/** Directives of the content security policy besides those of every page. */
	readonly csp?: string;
};

/** CSP Level 3. `default-src` does not reach the last three. */
const policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function page(c: HonoContext<Env>, { csp, ...content }: Page, headers: Record<string, string> = {}) {
	c.header('content-security-policy', csp === undefined ? policy : `${policy}; ${csp}`);
	c.header('cache-control', 'no-store');
	return c.html(shell(content), 200, headers);
}

/** `noZensmooth`: the scroller inside Swagger UI takes over links within a page, and forgets the focus; not this one. */
function shell({ title, under, main, head }: Omit<Page, 'csp'>): Html {
	return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} - Fairlead</title>
<link rel="stylesheet" href="${style.href}">
${head ?? ''}
</head>
<body>
<a class="skip noZensmooth" href="#main">Skip to the content</a>
<header class="bar"><nav aria-label="Site">
<b>Fairlead</b>
${link('/docs', 'API', under)}
${link('/errors', 'Errors', under)}
<a href="/openapi.json">OpenAPI document</a>
</nav></header>
${main}
</body>
</html>
`;
}

function link(href: string, text: string, under: string): Html {
	return href === under ? html`<a href="${href}" aria-current="true">${text}</a>` : html`<a href="${href}">${text}</a>`;
}

/** Plain text in which backticks mark names. */
export function prose(text: string): Html[] {
	return text.split('`').map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
}
