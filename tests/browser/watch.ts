/** A page in a real Chromium, with everything on record that it must not do. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** What a visit left behind; all of it must be empty. */
export type Trouble = {
	/** Requests to another origin. */
	readonly outside: string[];
	/** Breaches of the content security policy. */
	readonly breaches: string[];
	/** Errors and warnings of the console, uncaught exceptions, failed requests. */
	readonly errors: string[];
};

export type Finding = { readonly id: string; readonly impact: string | null; readonly targets: readonly string[] };

export async function openBrowser(): Promise<Browser> {
	return chromium.launch({
		executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
		// Of its own accord the browser calls its maker; only what the page asks for shall count.
		args: [
			'--no-sandbox',
			'--disable-gpu',
			'--disable-quic',
			'--no-first-run',
			'--disable-background-networking',
			'--disable-component-update',
			'--disable-sync',
		],
	});
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** `look` gets the page at this address; what the page did meanwhile is the result. */
export async function visit(
	browser: Browser,
	url: string,
	look: (page: Page) => Promise<void>,
	options: BrowserContextOptions = {},
): Promise<Trouble> {
	const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
	context.setDefaultTimeout(60_000);
	const trouble: Trouble = { outside: [], breaches: [], errors: [] };
	const { origin } = new URL(url);
	const check = (address: string) => {
		if (new URL(address).origin !== origin && !address.startsWith('data:')) trouble.outside.push(address);
	};
	context.on('request', (request) => check(request.url()));
	context.on('requestfailed', (request) => trouble.errors.push(`failed: ${request.url()}`));
	context.on('console', (message) => {
		if (['error', 'warning'].includes(message.type())) trouble.errors.push(message.text());
	});
	context.on('weberror', (error) => trouble.errors.push(String(error.error())));
	context.on('page', (page) => page.on('websocket', (socket) => check(socket.url())));
	await context.exposeBinding('recordBreach', (_, breach: string) => void trouble.breaches.push(breach));
	await context.addInitScript(
		`addEventListener('securitypolicyviolation', (e) => recordBreach(e.effectiveDirective + ' ' + e.blockedURI + ' ' + e.sample), true);`,
	);
	try {
		const page = await context.newPage();
		await page.goto(url);
		await look(page);
		// Late requests are requests, too.
		await page.waitForLoadState('networkidle');
	} finally {
		await context.close();
	}
	return trouble;
}

/** What axe-core finds, worst first. It is put in from outside, so that the page's own policy stays as it is. */
export async function audit(page: Page): Promise<Finding[]> {
	await page.evaluate(axe);
	const found = await page.evaluate<Finding[]>(
		`axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.map(({ id, impact, nodes }) =>
			({ id, impact, targets: nodes.map((n) => n.target.join(' ')) })))`,
	);
	const order = ['critical', 'serious', 'moderate', 'minor'];
	return found.toSorted((a, b) => order.indexOf(a.impact ?? '') - order.indexOf(b.impact ?? ''));
}
