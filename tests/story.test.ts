import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startBank } from '#local/bank.ts';
import { steps, tellStory } from '#local/story.ts';
import { testBank } from './fixtures.ts';
import { leaksOf, parseLog, readLog } from './log.ts';

/** Folder of the real bank's files; CI sets it. */
const BERKA = process.env['FAIRLEAD_BERKA'];
const berkaContracts = fileURLToPath(new URL('fixtures/berka', import.meta.url));

async function story(lakeDir: string, contractsDir: string, home: string) {
	const ports = { api: 0, aws: 0, issuer: 0 };
	const bank = await startBank({ dataDir: path.join(home, 'bank'), lakeDir, contractsDir, ports });
	try {
		return await tellStory(bank, () => {});
	} finally {
		await bank.close();
	}
}

const failures = (told: Awaited<ReturnType<typeof story>>) =>
	told.filter((s) => !s.ok).map((s) => `${s.name}: ${s.note}`);

describe('the main job over HTTP', () => {
	it('holds in every step on the generated lake, and leaves nothing of it in the log', {
		timeout: 180_000,
	}, async () => {
		const test = await testBank({ registered: false });
		try {
			const told = await tellStory(test.bank, () => {});
			expect(failures(told)).toEqual([]);
			expect(told.map((s) => s.name)).toEqual(steps.map((s) => s.name));
			const lines = readLog(test.bank);
			expect((await parseLog(lines)).length).toBeGreaterThan(60);
			expect(await leaksOf(lines, test.world)).toEqual([]);
		} finally {
			await test.close();
		}
	});

	it('was not run on the real lake only where FAIRLEAD_BERKA is not set, which CI does not allow', () => {
		if (BERKA === undefined) {
			console.warn('SKIPPED: set FAIRLEAD_BERKA to the folder of the real data to run the story on it');
			expect(process.env['CI'], 'CI must set FAIRLEAD_BERKA').toBeUndefined();
		} else {
			expect(existsSync(path.join(BERKA, 'loan.csv'))).toBe(true);
		}
	});

	it.skipIf(BERKA === undefined)('holds on the real lake: 76 of 682 loans', { timeout: 180_000 }, async () => {
		const realHome = mkdtempSync(path.join(tmpdir(), 'fairlead-berka-'));
		try {
			const told = await story(BERKA ?? '', berkaContracts, realHome);
			expect(failures(told)).toEqual([]);
			expect(told.find((s) => s.name === 'query-exact')?.note).toBe('76 of 682 rows, 4 columns');
		} finally {
			rmSync(realHome, { recursive: true, force: true });
		}
	});
});
