/**
 * `/errors` and `/errors/{code}`: what the `type` of a problem leads to (RFC 9457 section 3.1.1), from the one table of
 * codes. Pages for people; the same as JSON for whoever prefers that.
 */
import { STATUS_CODES } from 'node:http';
import { Hono, type Context as HonoContext } from 'hono';
import { accepts } from 'hono/accepts';
import { html } from 'hono/html';
import { BrokerError, type Code, codes } from '#core/error.ts';
import type { Env } from '../env.ts';
import { exampleOf, typeOf } from '../problem.ts';
import { type Html, page, prose } from './layout.ts';

const list = Object.keys(codes).filter(isCode);
const statuses = [...new Set(list.map((code) => codes[code].status))].toSorted((a, b) => a - b);

/** Never a member that every object has. */
function isCode(text: string): text is Code {
	return Object.hasOwn(codes, text);
}

export function errorRoutes(): Hono<Env> {
	const app = new Hono<Env>();
	app.get('/errors', (c) => {
		if (wantsJson(c)) return c.json({ errors: list.map(entryOf) }, 200, varied);
		return page(c, { title: 'Errors', under: '/errors', main: index() }, varied);
	});
	app.get('/errors/:code', (c) => {
		const code = c.req.param('code');
		if (!isCode(code)) throw new BrokerError('not-found', 'There is no error of this code; /errors lists them all.');
		if (wantsJson(c)) return c.json({ ...entryOf(code), example: exampleOf(code) }, 200, varied);
		return page(c, { title: codes[code].title, under: '/errors', main: entry(code) }, varied);
	});
	return app;
}

const varied = { vary: 'Accept' };

function wantsJson(c: HonoContext<Env>): boolean {
	const supports = ['text/html', 'application/json'];
	return accepts(c, { header: 'Accept', supports, default: 'text/html' }) === 'application/json';
}

const entryOf = (code: Code) => ({ type: typeOf(code), code, ...codes[code] });
const phrase = (status: number) => `${status} ${STATUS_CODES[status] ?? ''}`;

function index(): Html {
	return html`<main id="main" class="text" tabindex="-1">
<h1>Errors</h1>
<p>Every refusal and failure of this API is a problem (RFC 9457) whose <code>type</code> is one of these. Branch on
<code>code</code>; the sentences may change.</p>
${statuses.map(section)}
</main>`;
}

function section(status: number): Html {
	const here = list.filter((code) => codes[code].status === status);
	return html`<section aria-labelledby="s${status}">
<h2 id="s${status}">${phrase(status)}</h2>
<ul class="codes">
${here.map((code) => html`<li><a href="${typeOf(code)}"><code>${code}</code></a> ${codes[code].title}</li>`)}
</ul>
</section>`;
}

function entry(code: Code): Html {
	const { status, title, meaning, advice } = codes[code];
	return html`<main id="main" class="text" tabindex="-1">
<h1>${title}</h1>
<p class="facts"><code>${code}</code>, HTTP ${phrase(status)}</p>
<h2>What it means</h2>
<p>${prose(meaning)}</p>
<h2>What to do</h2>
<p>${prose(advice)}</p>
<h2>What it looks like</h2>
<pre><code>${JSON.stringify(exampleOf(code), null, 2)}</code></pre>
</main>`;
}
