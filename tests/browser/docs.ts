/**
 * `/docs` and `/errors` of a running bank in a real Chromium: they show what they should, ask nothing of another origin,
 * breach no policy, log no error, and can be used with a keyboard, without script and by assistive technology.
 * `npx tsx tests/browser/docs.ts [origin [token]]`; without an origin it starts a bank. Exit 0 only if all holds.
 */
import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { codes } from '#core/error.ts';
import { testBank } from '#tests/fixtures.ts';
import { audit, type Finding, openBrowser, type Trouble, visit } from './watch.ts';

const none: Trouble = { outside: [], breaches: [], errors: [] };
const serious = (found: readonly Finding[]) => found.filter((f) => f.impact === 'serious' || f.impact === 'critical');

type Document = { readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly summary: string }>>>> };

async function summariesOf(origin: string): Promise<string[]> {
	const { paths } = (await (await fetch(`${origin}/openapi.json`)).json()) as Document;
	return Object.values(paths).flatMap((item) => Object.values(item).map((operation) => operation.summary));
}

async function drawn(page: Page): Promise<void> {
	await page.locator('#reference .opblock-summary-description').first().waitFor();
}

type Checks = Readonly<Record<string, () => Promise<void>>>;

function checks(browser: Browser, origin: string, token: string, summaries: readonly string[]): Checks {
	const quiet = async (path: string, look: (page: Page) => Promise<void>, options = {}) =>
		assert.deepEqual(await visit(browser, `${origin}${path}`, look, options), none);
	const schemes = ['light', 'dark'] as const;
	return {
		'/docs shows the summary of every operation': () =>
			quiet('/docs', async (page) => {
				await drawn(page);
				const shown = await page.locator('#reference .opblock-summary-description').allInnerTexts();
				assert.deepEqual(shown.toSorted(), summaries.toSorted());
			}),
		'/docs opens operations and schemas, in light and dark': async () => {
			for (const colorScheme of schemes) await quiet('/docs', openEach, { colorScheme });
		},
		'/docs calls this origin with a token, and forgets the token': () => quiet('/docs', (page) => tryIt(page, token)),
		'/docs takes no other document from its address': () =>
			quiet('/docs?url=https://example.com/openapi.json&configUrl=https://example.com/config.json', async (page) => {
				await drawn(page);
				assert.equal(await page.getByText(summaries[0] ?? '', { exact: true }).count(), 1);
			}),
		'/docs can be reached by keyboard, past the bar': () => quiet('/docs', byKeyboard),
		'/docs without script leads to the document': () =>
			quiet(
				'/docs',
				async (page) => {
					const link = page.getByRole('main').getByRole('link', { name: 'the OpenAPI document' });
					await link.waitFor();
					assert.equal(await link.getAttribute('href'), '/openapi.json');
				},
				{ javaScriptEnabled: false },
			),
		'/docs as axe-core sees it (third party: told, not judged)': () =>
			quiet('/docs', async (page) => {
				await drawn(page);
				for (const f of await audit(page)) console.log(`     ${f.impact}: ${f.id} (${f.targets.length})`);
			}),
		'/errors leads to a page for every code, without script': () =>
			quiet('/errors', (page) => everyCode(page, origin), { javaScriptEnabled: false }),
		'/errors and its pages pass axe-core without a serious finding, in light and dark': async () => {
			const pages = ['/errors', '/errors/column-not-granted', '/errors/invalid-token'];
			for (const colorScheme of schemes) {
				for (const path of pages) {
					const look = async (page: Page) => assert.deepEqual(serious(await audit(page)), []);
					await quiet(path, look, { colorScheme });
				}
			}
		},
		'/errors fits a narrow screen without scrolling sideways': () =>
			quiet(
				'/errors/grant-not-proven',
				async (page) => {
					assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 320);
				},
				{ viewport: { width: 320, height: 640 } },
			),
	};
}

/** The first operation of each tag, one at a time, and a schema. */
async function openEach(page: Page): Promise<void> {
	await drawn(page);
	for (const section of await page.locator('#reference .opblock-tag-section').all()) {
		const control = section.locator('.opblock-summary-control').first();
		await control.click();
		await section.locator('.opblock-body .responses-wrapper').waitFor();
		await control.click();
		await section.locator('.opblock-body').waitFor({ state: 'detached' });
	}
	const schema = page.locator('#reference .models .json-schema-2020-12').first();
	await schema.locator('.json-schema-2020-12-accordion').first().click();
	await schema.locator('.json-schema-2020-12-property').first().waitFor();
}

async function tryIt(page: Page, token: string): Promise<void> {
	await drawn(page);
	await page.getByRole('button', { name: 'Authorize', exact: true }).click();
	await page.locator('.auth-container input').fill(token);
	await page.locator('.auth-container button[type=submit]').click();
	await page.locator('.auth-container button.btn-done').click();
	const me = page.locator('#reference .opblock', { hasText: 'getMe' });
	await me.locator('.opblock-summary-control').click();
	await me.getByRole('button', { name: 'Try it out' }).click();
	await me.getByRole('button', { name: 'Execute' }).click();
	assert.equal(await me.locator('.live-responses-table .response-col_status').last().innerText(), '200');
	const kept = await page.evaluate<string>('JSON.stringify([{ ...localStorage }, { ...sessionStorage }])');
	assert.equal(kept.includes(token), false);
	await page.reload();
	await drawn(page);
	assert.equal(await page.locator('#reference .authorize.unlocked').count(), 1);
}

const focused = (page: Page) => page.locator(':focus');

async function byKeyboard(page: Page): Promise<void> {
	await drawn(page);
	await page.keyboard.press('Tab');
	assert.equal(await focused(page).getAttribute('href'), '#main');
	await page.keyboard.press('Enter');
	await page.locator('#main:focus').waitFor();
	await tabTo(page, 'button.opblock-summary-control');
	await page.keyboard.press('Enter');
	await page.locator('#reference .opblock-body').waitFor();
}

async function tabTo(page: Page, selector: string): Promise<void> {
	for (let presses = 0; presses < 20; presses += 1) {
		await page.keyboard.press('Tab');
		assert.equal(await page.locator('header :focus').count(), 0, 'the bar was not skipped');
		if ((await page.locator(`${selector}:focus`).count()) === 1) return;
	}
	assert.fail(`the keyboard does not reach ${selector}`);
}

async function everyCode(page: Page, origin: string): Promise<void> {
	for (const [code, { title, advice }] of Object.entries(codes)) {
		await page.goto(`${origin}/errors`);
		await page.locator(`main a[href="/errors/${code}"]`).click();
		assert.equal(await page.locator('h1').innerText(), title);
		assert.ok((await page.locator('main').innerText()).includes(advice.replaceAll('`', '')));
	}
}

async function run(origin: string, token: string): Promise<number> {
	const browser = await openBrowser();
	const all = Object.entries(checks(browser, origin, token, await summariesOf(origin)));
	let failed = 0;
	for (const [name, check] of all) {
		try {
			await check();
			console.log(`ok   ${name}`);
		} catch (error) {
			failed += 1;
			console.log(`FAIL ${name}\n${error instanceof Error ? error.message : String(error)}`);
		}
	}
	await browser.close();
	console.log(`${all.length - failed} passed, ${failed} failed`);
	return failed;
}

async function main(): Promise<number> {
	const [origin, token] = process.argv.slice(2);
	if (origin !== undefined) return run(origin, token ?? '');
	const test = await testBank();
	try {
		return await run(test.bank.api, await test.bank.issuer.token('alice'));
	} finally {
		await test.close();
	}
}

process.exit((await main()) === 0 ? 0 : 1);
