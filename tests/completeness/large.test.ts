/** A day of ten thousand records: each judged once, page by page, with little kept; and pages as CloudTrail may cut them. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BEGUN, beyond, type Stretch } from '#core/completeness/progress.ts';
import { read } from '#core/completeness/record.ts';
import { testBank } from '#tests/fixtures.ts';
import { bypasses, check, checkedOn, LENDING, RISK, tell, today, tomorrow } from './world.ts';

const RECORDS = 10_000;
const EACH = 100;
const SECONDS = 7;

it('ten thousand records are gone through by pages of fifty, and what is kept of them stays small', async () => {
	const test = await testBank();
	try {
		const elsewhere = { requestParameters: { tableArn: `arn:aws:glue:eu-central-1:${LENDING}:table/lending/other` } };
		// All of them on this day, and none before the table was published.
		const first = Math.min(Date.now(), Date.parse(today()) + 86_400_000 - SECONDS * 1000);
		for (let n = 0; n < RECORDS; n += 1) {
			tell(test.bank, { at: new Date(first + (n % SECONDS) * 1000), record: n % EACH === 0 ? {} : elsewhere });
		}
		let lookups = 0;
		const stop = test.bank.aws.faults.watch((call) => {
			if (call.service === 'cloudtrail' && call.caller.account === RISK && isAccess(call.input)) lookups += 1;
		});
		let largest = 0;
		const platform = tomorrow(test.bank);
		platform.aws.dynamodb.middlewareStack.add(
			(next) => async (args) => {
				largest = Math.max(largest, JSON.stringify(args.input).length);
				return next(args);
			},
			{ step: 'initialize', name: 'measure' },
		);
		expect(await check(platform)).toMatchObject({ incomplete: 0, findings: 1 });
		platform.aws.dynamodb.middlewareStack.remove('measure');
		stop();
		expect(lookups).toBe(RECORDS / 50);
		const counts = { bypassing: RECORDS / EACH, ungoverned: RECORDS - RECORDS / EACH, bypasses: RECORDS / EACH };
		expect((await checkedOn(platform))?.body.counts).toMatchObject(counts);
		expect(await bypasses(platform)).toHaveLength(RECORDS / EACH);
		// One second's ids, and a few names.
		expect(largest).toBeLessThan(120_000);
	} finally {
		await test.close();
	}
}, 110_000);

const isAccess = (input: unknown) => JSON.stringify(input).includes('GetDataAccess');

it('whatever comes twice, and wherever a page or a check ends, each record is met once', () => {
	const second = fc.integer({ min: 0, max: 5 });
	fc.assert(
		fc.property(
			fc.array(second, { maxLength: 60 }),
			fc.array(fc.nat(59)),
			fc.array(fc.integer({ min: 1, max: 9 })),
			(seconds, twice, sizes) => {
				const events = seconds.map((s, i) => ({ id: `e${i}`, at: new Date(s * 1000).toISOString() }));
				const all = [...events, ...twice.flatMap((i) => events[i % Math.max(1, events.length)] ?? [])];
				const newestFirst = all.toSorted((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
				let stretch: Stretch = BEGUN.accesses;
				const met: string[] = [];
				let left = newestFirst;
				for (let turn = 0; left.length > 0; turn += 1) {
					const page = left.slice(0, sizes[turn % Math.max(1, sizes.length)] ?? 3);
					const { fresh, place } = beyond(stretch, page);
					met.push(...fresh.map(({ id }) => id));
					stretch = { done: false, ...place };
					left = left.slice(page.length);
					// Some times it is cut off, and asks again for all up to the second that it had reached.
					const again = newestFirst.filter(({ at }) => at <= (stretch.until ?? ''));
					if (turn % 3 === 1 && turn < 20 && left.length > 0) left = again;
				}
				expect(met.toSorted()).toEqual(events.map(({ id }) => id).toSorted());
			},
		),
	);
});

it('no text is taken for a record by mistake: it is read, or it is told what it lacks', () => {
	fc.assert(
		fc.property(
			fc.oneof(fc.string(), fc.json()),
			fc.constantFrom('GetDataAccess' as const, 'StartQueryExecution' as const),
			(text, name) => {
				const found = read(name, { id: 'x', text });
				expect(found.kind).toBe('unreadable');
				if (found.kind === 'unreadable') expect(found.lacks.length).toBeGreaterThan(0);
			},
		),
	);
	expect(read('GetDataAccess', { id: 'x', text: null })).toEqual({ kind: 'unreadable', id: 'x', lacks: 'record' });
});
