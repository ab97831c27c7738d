/** From which day on days are checked where nobody can tell when the first product was published; and late ones, all told at once. */
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DAYS_BACK, due, isLate } from '#core/completeness/days.ts';
import type { Platform } from '#core/context.ts';
import * as Ledger from '#core/ledger.ts';
import { entriesIn, type TestBank, testBank } from '#tests/fixtures.ts';
import { check, entriesOf, today, tomorrow } from './world.ts';

const { Listing } = Ledger;
let test: TestBank;
let products: string[];
beforeAll(async () => {
	test = await testBank();
	products = await Listing.all(test.bank.platform, Listing.key.products);
	for (const product of products) await become(product, new Uint8Array(32));
});
afterAll(() => test.close());

const hashes = new Map<string, Uint8Array>();

/** Gives the first entry of a product this hash. */
async function become(product: string, hash: Uint8Array): Promise<void> {
	const { aws, config } = test.bank.platform;
	const { Attributes } = await aws.dynamodb.send(
		new UpdateItemCommand({
			TableName: config.tables.ledger,
			Key: { pk: { S: Ledger.stream.product(product) }, sk: { S: 'V#0000000001' } },
			UpdateExpression: 'SET h = :h',
			ExpressionAttributeValues: { ':h': { B: hash } },
			ReturnValues: 'UPDATED_OLD',
		}),
	);
	hashes.set(product, Attributes?.['h']?.B ?? hash);
}

/** What is sent to the store meanwhile, as text. */
async function sent(platform: Platform, work: () => Promise<unknown>, each: (input: string) => void): Promise<void> {
	const { middlewareStack } = platform.aws.dynamodb;
	middlewareStack.add(
		(next, { commandName }) =>
			(args) => {
				each(`${commandName as string} ${JSON.stringify(args.input)}`);
				return next(args);
			},
		{ step: 'initialize', name: 'sent' },
	);
	try {
		await work();
	} finally {
		middlewareStack.remove('sent');
	}
}

it('late days are told for some time after there is none for any, and the others by the next run', async () => {
	let now = tomorrow(test.bank).clock().getTime();
	const platform = tomorrow(test.bank, { clock: () => new Date(now), warn: () => {} });
	// Each entry takes a third of a minute.
	const slow = (input: string) => {
		if (input.startsWith('ExecuteStatement') && input.includes('A#completeness#')) now += 20_000;
	};
	const told: number[] = [];
	for (let run = 0; run < 2; run += 1) {
		await sent(platform, async () => told.push((await check(platform, 0)).checked.length), slow);
	}
	expect(told).toEqual([3, 6]);
});

it('where the entries of a product cannot be read, every day that can be checked is told, and none stays silent', async () => {
	const warned: string[] = [];
	const platform = tomorrow(test.bank, { warn: (message) => void warned.push(message) });
	const lists: string[] = [];
	const count = (input: string) => {
		const [open] = /"open#[^"]*"/.exec(input) ?? [];
		if (input.startsWith('Query') && open !== undefined) lists.push(open);
	};
	const now = platform.clock();
	const days = await due(platform, now, { since: null, unknown: products });
	const late = days.filter((day) => isLate(day, now));
	expect([days.length >= DAYS_BACK, days.includes(today())]).toEqual([true, true]);
	await sent(platform, async () => expect((await check(platform, 0)).checked).toEqual(late), count);
	const entries = (await entriesOf(platform, 'completeness')).map((entry) => Ledger.as(entry, 'CompletenessChecked'));
	expect(entries.map(({ body }) => body.day).toSorted()).toEqual(late.toSorted());
	expect(entries.every(({ body }) => body.state === 'incomplete' && body.unknownProducts.length > 0)).toBe(true);
	// What is under way is listed once for all of them.
	expect([lists.length > 0, lists.length]).toEqual([true, new Set(lists).size]);
	expect(warned.filter((text) => text === 'completeness: incomplete day')).toHaveLength(late.length);
});

it('those that were told are told again while there is no time, and nothing else is recorded', async () => {
	const warned: string[] = [];
	const platform = tomorrow(test.bank, { warn: (message) => void warned.push(message) });
	const entries = await entriesIn(test);
	const { checked } = await check(platform, 0);
	expect(await entriesIn(test)).toBe(entries);
	expect(warned.filter((text) => text === 'completeness: incomplete day')).toHaveLength(checked.length);
});

it('once they can be read, what was recorded as incomplete is gone on with, also before the first publication', async () => {
	for (const product of products) await become(product, hashes.get(product) ?? new Uint8Array());
	const platform = tomorrow(test.bank);
	await check(platform);
	const states = new Map<string, string>();
	for (const entry of await entriesOf(platform, 'completeness')) {
		const { day, state } = Ledger.as(entry, 'CompletenessChecked').body;
		states.set(day, state);
	}
	expect(states.size).toBeGreaterThan(30);
	expect([...states.values()].filter((state) => state !== 'clean')).toEqual([]);
	expect(await due(platform, platform.clock(), { since: null, unknown: [] })).toEqual([]);
}, 110_000);
