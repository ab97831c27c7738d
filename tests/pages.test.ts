/** `/docs` and `/errors`: true to the table of codes, nothing from elsewhere, nothing but what they name. No bank. */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Hono } from 'hono';
import { html } from 'hono/html';
import { describe, expect, it } from 'vitest';
import { BrokerError, type Code, codes } from '#core/error.ts';
import type { Env } from '#functions/env.ts';
import { docsFiles } from '#functions/pages/docs.ts';
import { page, prose } from '#functions/pages/layout.ts';
import { pageRoutes } from '#functions/pages/routes.ts';
import { Problem, problem } from '#functions/problem.ts';

const all = Object.keys(codes) as Code[];
const docs = path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const HTML = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };
const JSON_ONLY = { accept: 'application/json' };

function appWith(folder: string): Hono<Env> {
	const app = new Hono<Env>();
	app.use(async (c, next) => {
		c.set('requestId', '0193a5a4-7b1e-4c1f-9d3e-2f6f1c0f6c3a');
		c.set('trace', { id: '4bf92f3577b34da6a3ce929d0e0e4736' } as Env['Variables']['trace']);
		c.set('site', { url: 'https://fairlead.example', log: { error: () => {} } } as unknown as Env['Variables']['site']);
		await next();
	});
	app.onError((error, c) => problem(c, error));
	app.notFound((c) => problem(c, new BrokerError('not-found', 'There is no such address.')));
	app.get('/refuse/:code', (c) => {
		throw new BrokerError(c.req.param('code') as Code, 'As asked.');
	});
	app.get('/hostile', (c) =>
		page(c, {
			title: '</title><script>1</script>',
			under: '/errors',
			main: html`<main>${prose('a `"<b>` & <i>')}</main>`,
		}),
	);
	return app.route('/', pageRoutes({ docs: folder }));
}

const app = appWith(docs);
const get = (address: string, headers: Record<string, string> = HTML) => app.request(address, { headers });
const textOf = async (address: string, headers?: Record<string, string>) => (await get(address, headers)).text();
const pages = ['/docs', '/errors', ...all.map((code) => `/errors/${code}`)];

async function refusal(address: string, from = app): Promise<[number, unknown]> {
	const answer = await from.request(address, { headers: HTML });
	expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
	return [answer.status, ((await answer.json()) as { code: unknown }).code];
}

/** Values of attributes that make a browser fetch or go somewhere. */
const addresses = (text: string) =>
	[...text.matchAll(/\s(?:href|src|action|srcset)="([^"]*)"/g)].map((m) => m[1] ?? '');

async function assetsOf(address: string): Promise<string[]> {
	return addresses(await textOf(address)).filter((a) => a.startsWith('/docs/'));
}

describe('what is not there', () => {
	it.each(['no-such-code', 'toString', '__proto__', 'constructor', 'Not-Found', 'not-found%20', 'not-found/'])(
		'is a 404 problem: the code %s',
		async (code) => {
			expect(await refusal(`/errors/${code}`)).toEqual([404, 'not-found']);
		},
	);

	it.each([
		'swagger-ui-bundle.js',
		'swagger-ui.css',
		'swagger-ui-bundle.0000000000000000.js',
		'package.json',
		'..%2fpackage.json',
		'..%2f..%2f..%2fpackage.json',
		'%2e%2e%2fswagger-ui.css',
		'%2fetc%2fpasswd',
		'__proto__',
	])('is a 404 problem: the file %s', async (file) => {
		expect(await refusal(`/docs/${file}`)).toEqual([404, 'not-found']);
	});

	it('is a 404 problem: every file and code but those that a page or the table names', async () => {
		await fc.assert(
			fc.asyncProperty(fc.constantFrom('/docs/', '/errors/'), fc.string({ minLength: 1 }), async (under, name) => {
				const known = all.includes(name as Code) || /^\.{1,2}$/.test(name);
				fc.pre(!known);
				expect(await refusal(under + encodeURIComponent(name))).toEqual([404, 'not-found']);
			}),
			{ numRuns: 200 },
		);
	});

	it('leaves the rest standing: without the files of the renderer /docs alone is unavailable', async () => {
		const bare = appWith(path.join(docs, 'no-such-folder'));
		expect(await refusal('/docs', bare)).toEqual([503, 'unavailable']);
		const page = await bare.request('/errors/stale', { headers: HTML });
		const [style] = addresses(await page.text()).filter((a) => a.startsWith('/docs/'));
		expect([page.status, (await bare.request(style ?? '')).status]).toEqual([200, 200]);
	});
});

describe('the page of a code', () => {
	it.each(all)('is where the type of a problem leads: %s', async (code) => {
		const refused = await get(`/refuse/${code}`);
		const body = Problem.parse(await refused.json());
		const answer = await get(body.type);
		expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=UTF-8']);
		const text = await answer.text();
		expect(text).toContain(`<h1>${body.title}</h1>`);
		expect(text).toContain(`<code>${code}</code>, HTTP ${refused.status} `);
	});

	it.each(all)('is to be had as JSON, with an example in the form of a real problem: %s', async (code) => {
		const answer = await get(`/errors/${code}`, JSON_ONLY);
		const { example, ...rest } = (await answer.json()) as { example: unknown };
		expect(rest).toEqual({ type: `/errors/${code}`, code, ...codes[code] });
		const real = (await (await get(`/refuse/${code}`)).json()) as Record<string, unknown>;
		expect(example).toEqual({ ...real, detail: expect.any(String) });
	});

	it('says what to change, in one to three sentences', () => {
		const sentences = (text: string) => text.split(/[.!?](?:\s|$)/).length - 1;
		const wrong = all.filter((code) => {
			const { meaning, advice } = codes[code];
			const marks = `${meaning}${advice}`.split('`').length - 1;
			return marks % 2 === 1 || sentences(advice) < 1 || sentences(advice) > 3 || sentences(meaning) < 1;
		});
		expect(wrong).toEqual([]);
	});
});

describe('the index', () => {
	it('lists every code once, as HTML and as JSON', async () => {
		const links = addresses(await textOf('/errors')).filter((a) => a.startsWith('/errors/'));
		expect(links.toSorted()).toEqual(all.map((code) => `/errors/${code}`).toSorted());
		const { errors } = JSON.parse(await textOf('/errors', JSON_ONLY)) as { errors: { code: string }[] };
		expect(errors.map((e) => e.code)).toEqual(all);
	});

	it.each<[string, Record<string, string>, string]>([
		['a browser', HTML, 'text/html'],
		['whoever takes anything', { accept: '*/*' }, 'text/html'],
		['whoever says nothing', {}, 'text/html'],
		['whoever prefers JSON', { accept: 'text/html;q=0.5, application/json' }, 'application/json'],
	])('is what %s asks for, and says that it depends on it', async (_, headers, type) => {
		const answer = await get('/errors', headers);
		expect(answer.headers.get('content-type')).toContain(type);
		expect(answer.headers.get('vary')).toContain('Accept');
	});
});

describe('every page', () => {
	it.each(pages)('asks nothing of another origin, and holds no script or style in line: %s', async (address) => {
		const text = await textOf(address);
		expect(addresses(text).filter((a) => !/^(\/(?!\/)|#|data:,$)/.test(a))).toEqual([]);
		expect(text).not.toMatch(/https?:|<style|\sstyle=|\son\w+=|javascript:/i);
		expect(text.match(/<script(?![^>]*\ssrc="\/docs\/)/g)).toBeNull();
	});

	it.each(pages)('names its language, its landmarks and one heading of the first level: %s', async (address) => {
		const text = await textOf(address);
		expect(text).toMatch(/^<!doctype html>\n<html lang="en">/);
		for (const tag of ['<h1', '<main ', 'id="main"', '<header', '<nav aria-label="Site"', '<title>'])
			expect(text.split(tag)).toHaveLength(2);
	});

	it('allows no script at all, but /docs its own', async () => {
		const strict = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
		for (const address of pages.filter((a) => a !== '/docs')) {
			expect((await get(address)).headers.get('content-security-policy')).toBe(strict);
		}
		expect((await get('/docs')).headers.get('content-security-policy')).toBe(
			`${strict}; script-src 'self'; connect-src 'self'; img-src 'self' data:`,
		);
	});

	it('is never stored', async () => {
		for (const address of pages) expect((await get(address)).headers.get('cache-control')).toBe('no-store');
	});

	it('escapes what is put into it', async () => {
		const text = await textOf('/hostile');
		expect(text).toContain('<title>&lt;/title&gt;&lt;script&gt;1&lt;/script&gt; - Fairlead</title>');
		expect(text).toContain('<main>a <code>&quot;&lt;b&gt;</code> &amp; &lt;i&gt;</main>');
	});
});

describe('a file that a page names', () => {
	it('is there, may be kept for ever, and is named by its bytes', async () => {
		const files = [...new Set([...(await assetsOf('/docs')), ...(await assetsOf('/errors'))])];
		expect(files).toHaveLength(4);
		for (const file of files) {
			const answer = await get(file);
			const hash = createHash('sha256')
				.update(new Uint8Array(await answer.arrayBuffer()))
				.digest('hex');
			expect(file).toContain(`.${hash.slice(0, 16)}.`);
			expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
			expect(answer.headers.get('content-type')).toBe(
				`${file.endsWith('.css') ? 'text/css' : 'text/javascript'}; charset=utf-8`,
			);
		}
	});

	it('is sent compressed to whoever takes that', async () => {
		const script = (await assetsOf('/docs')).find((f) => f.includes(path.parse(docsFiles.script).name)) ?? '';
		const answer = await get(script, { 'accept-encoding': 'gzip' });
		expect([answer.headers.get('content-encoding'), answer.headers.get('vary')]).toEqual(['gzip', 'Accept-Encoding']);
		const plain = (await (await get(script)).arrayBuffer()).byteLength;
		const packed = Buffer.from(await answer.arrayBuffer());
		expect(packed.byteLength).toBeLessThan(plain / 2);
		expect(gunzipSync(packed).toString()).toBe(await textOf(script));
		for (const refusing of ['gzip;q=0', 'br', 'identity, gzip;q=0.5']) {
			const whole = await get(script, { 'accept-encoding': refusing });
			expect([whole.headers.get('content-encoding'), whole.headers.get('vary')]).toEqual([null, 'Accept-Encoding']);
		}
	});

	it('asks nothing of another origin, if it is a stylesheet or ours', async () => {
		const sheets = (await assetsOf('/docs')).filter((f) => f.endsWith('.css') || f.includes('start'));
		expect(sheets).toHaveLength(3);
		for (const sheet of sheets) {
			const text = await textOf(sheet);
			const fetched = [...text.matchAll(/url\(\s*["']?([^)"']{0,8})|@import\s*([^;]*)/g)].map(
				(m) => m[1] ?? m[2] ?? '',
			);
			expect(fetched.filter((a) => !a.startsWith('data:'))).toEqual([]);
		}
	});
});
