/**
 * Many callers at once, on two instances of Fairlead, while AWS fails every fifth request and somebody tampers by hand:
 * every right in Lake Formation has a live grant or is on its way out, every live grant is enforced, and no query returns
 * a cell outside, held against the raw data. `npm run soak`: 20 callers, 2,000 operations. FAIRLEAD_SEED repeats a run's
 * choices.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anySeed, dice } from '#local/aws/chance.ts';
import type { FaultRule } from '#local/aws.ts';
import type { Row } from '#local/lake.ts';
import { startInstance } from './faults/instance.ts';
import { type TestBank, testBank } from './fixtures.ts';
import { bringToRest, judgeRest, watchRights } from './soak/invariants.ts';
import { isClosed, isOpen, judge, mayClose, opens, type Place, type Tracked } from './soak/model.ts';
import { doOne, type Soak } from './soak/operations.ts';
import { placesOf } from './soak/places.ts';

const { FAIRLEAD_SOAK: level } = process.env;
const long = level === 'whole';
const callers = long ? 20 : 4;
const operations = Number(process.env['FAIRLEAD_SOAK_OPERATIONS'] ?? (long ? 2000 : 200));
const seed = Number(process.env['FAIRLEAD_SEED'] ?? (long ? anySeed() : 1));

/** Of a hundred requests, twenty. Retries are requests, too: most calls get through in the end. */
const FAULTS: readonly FaultRule[] = [
	{ when: 'before', probability: 0.06 },
	{ when: 'after', probability: 0.04 },
	{ when: 'lose', probability: 0.02 },
	{ when: 'drop', probability: 0.03 },
	{ when: 'delay', probability: 0.04, ms: 30 },
	{ when: 'throttle', probability: 0.01 },
].map((rule) => ({ service: '*', operation: '*', ...rule }) as FaultRule);

let test: TestBank;
let soak: Soak;

beforeAll(async () => {
	if (level === undefined) return;
	test = await testBank({ settings: { FAIRLEAD_CALLS_PER_MINUTE: '1000000' } });
	const instances = await Promise.all([1, 2].map(() => startInstance(test.bank.settings)));
	const places = await placesOf(test.world);
	soak = { bank: test.bank, instances, places, roll: dice(seed), tracked: [], wrong: [], count: new Map() };
});
afterAll(async () => {
	if (level === undefined) return;
	for (const instance of soak.instances) await instance.close();
	await test.close();
});

it.runIf(level !== undefined)(
	`${operations} operations of ${callers} callers under faults, seed ${seed}`,
	{ timeout: 3_600_000 },
	async () => {
		test.bank.aws.faults.set(FAULTS, seed);
		let left = operations;
		const caller = async () => {
			while (left > 0 && soak.wrong.length === 0) {
				left -= 1;
				await doOne(soak);
			}
		};
		const watching = watchRights(soak, () => left <= 0 || soak.wrong.length > 0);
		await Promise.all(Array.from({ length: callers }, caller));
		await watching;
		test.bank.aws.faults.clear();
		const answered = () => soak.count.get('query answered') ?? 0;
		// They may all have met a fault, or nothing granted: then as many again without faults, until one is judged.
		for (left = operations; left > 0 && answered() === 0; left -= 1) await doOne(soak);
		await bringToRest(soak);
		await judgeRest(soak);
		process.stdout.write(
			`${JSON.stringify(Object.fromEntries([...soak.count].toSorted(([a], [b]) => a.localeCompare(b))))}\n`,
		);
		expect(soak.wrong, `seed ${seed}`).toEqual([]);
		expect(answered()).toBeGreaterThan(0);
	},
);

describe('what judges a result', () => {
	const row = (id: string, status: string) => ({ id, status, amount: '5' });
	const rows = [row('1', 'A'), row('2', 'B')];
	const place = { key: 'id', rows } as unknown as Place;
	const scope = { columns: ['id', 'status'], predicate: { text: null, holds: (r: Row) => r['status'] === 'A' } };
	const granted = (): Tracked => {
		const tracked = { place, person: 'alice', scope, sure: scope, windows: [] } as unknown as Tracked;
		opens(tracked, 10);
		isOpen(tracked, 20, 1000);
		return tracked;
	};
	const asked = { place, person: 'alice', columns: ['id', 'status'], from: 30, to: 40 } as const;
	const within = [['1', 'A']];

	it.each([
		['what was granted', asked, within, 0],
		['a row beyond the filter', asked, [...within, ['2', 'B']], 2],
		['a row that is missing', asked, [], 1],
		['a value that is another', asked, [['1', 'X']], 1],
		['a row twice', asked, [...within, ...within], 1],
		['a column beyond the list', { ...asked, columns: ['id', 'amount'] }, [['1', '5']], 1],
		['a cell for somebody else', { ...asked, person: 'carl' }, within, 2],
		['a cell before it was asked for', { ...asked, from: 1, to: 5 }, within, 2],
		['a cell after it has ended', { ...asked, from: 1001, to: 1010 }, within, 2],
		['nothing while it was being opened', { ...asked, from: 15, to: 40 }, [], 0],
	] as const)('knows %s', (_, query, result, faults) => {
		expect(judge([granted()], query, result)).toHaveLength(faults);
	});

	it('allows what is being closed, and no longer what was told to be closed', () => {
		const tracked = granted();
		mayClose(tracked, 50);
		const late = { ...asked, from: 55, to: 58 };
		expect(judge([tracked], late, within)).toEqual([]);
		expect(judge([tracked], late, [])).toEqual([]);
		isClosed(tracked, 60);
		expect(judge([tracked], { ...asked, from: 61, to: 65 }, within)).toHaveLength(2);
	});
});
