/**
 * Every answer that any test gets from the API is held against the OpenAPI document. What does not conform fails the
 * call, and so its test; where a test catches that, it fails at its end all the same.
 *
 * With CONFORMANCE_TABLE set, the run ends with a table of the codes that each operation names and no test has met.
 */
import { appendFileSync } from 'node:fs';
import { afterAll, afterEach } from 'vitest';

const REAL = Symbol.for('fairlead.tests.fetch');

/** What the document speaks of; only then is it made, for it takes the whole app. */
const ours = /^\/(api\/v1\/.*|healthz|readyz|version|\.well-known\/oauth-protected-resource)$/;

/** Files that share a process run this one after another, each on the same real one. */
const shared = globalThis as { [REAL]?: typeof fetch };
const real = shared[REAL] ?? globalThis.fetch;
shared[REAL] = real;
const found: string[] = [];

globalThis.fetch = async (input, init) => {
	const answer = await real(input, init);
	const url = input instanceof Request ? input.url : String(input);
	if (!ours.test(new URL(url).pathname)) return answer;
	const method = init?.method ?? (input instanceof Request ? input.method : 'GET');
	// A body that breaks off, or never ends in the caller's time, is for the caller to find.
	const body = await answer
		.clone()
		.text()
		.catch(() => null);
	const { check } = await import('./conformance/check.ts');
	const { met, faults } = await check({ method, url, status: answer.status, headers: answer.headers, body });
	const { CONFORMANCE_FILE } = process.env;
	if (CONFORMANCE_FILE !== undefined && met !== null) appendFileSync(CONFORMANCE_FILE, `${JSON.stringify(met)}\n`);
	if (faults.length > 0) {
		const message = [`${method} ${url} (${met?.operation ?? 'no operation'}, ${answer.status}):`, ...faults].join(
			'\n  ',
		);
		found.push(message);
		throw new Error(message);
	}
	return answer;
};

function settle(): void {
	const messages = found.splice(0);
	if (messages.length > 0) throw new Error(`not as the OpenAPI document says:\n${messages.join('\n')}`);
}

afterEach(settle);
afterAll(settle);
