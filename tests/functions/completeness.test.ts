/** The entry of the schedule: how long it goes on, of the time that its function has. */
import { readFileSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { SLOWEST_CALL_MS } from '#core/aws.ts';
import { LAST_STEP_MS } from '#core/completeness.ts';

const scheduled = vi.hoisted(() => vi.fn(() => Promise.resolve({ checked: [], incomplete: 0, findings: 0, left: 0 })));
vi.mock('#core/completeness.ts', async (actual) => ({ ...(await actual<object>()), scheduled }));
vi.mock('#functions/platform.ts', () => ({
	buildPlatform: () => ({ platform: {}, site: { log: { info: () => {} } } }),
}));

it('ends by itself before it is ended, also where its last step takes all the time that AWS gives it', async () => {
	const { handler } = await import('#functions/completeness.ts');
	await handler();
	const [, , { forMs }] = scheduled.mock.calls[0] as unknown as [unknown, string, { forMs: number }];
	const stack = readFileSync(new URL('../../infra/schedules.ts', import.meta.url), 'utf8');
	const [, minutes] = /name: 'completeness',[^}]*timeout: '(\d+) minutes'/.exec(stack) ?? [];
	expect(forMs + LAST_STEP_MS).toBeLessThanOrEqual(Number(minutes) * 60_000);
	// A role assumed and a page asked for, each by as many attempts as there are.
	expect(LAST_STEP_MS).toBeGreaterThan(2 * SLOWEST_CALL_MS);
	expect(forMs).toBeGreaterThanOrEqual(5 * 60_000);
});
