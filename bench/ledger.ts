/**
 * An append to the ledger against the bare insert that it ends in: the same PartiQL statement, an item of the same size,
 * the same table. Then what comes on top: a payload, listings, the version before, a long stream; and several writers.
 */
import { randomUUID } from 'node:crypto';
import { type AttributeValue, ExecuteStatementCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { newId } from '#core/id.ts';
import * as Ledger from '#core/ledger.ts';
import type { Lab } from './lab.ts';
import { inTurns, p50, type Samples } from './measure.ts';
import { atMost, ratio, type Section, type Table, times } from './report.ts';

type Ctx = Parameters<typeof Ledger.append>[0];
type Item = Readonly<Record<string, AttributeValue>>;

const ACTOR = 'per_01J00000000000000000000000';

export async function ledger(lab: Lab): Promise<Section> {
	const ctx: Ctx = { ...lab.bank.platform, trace: '0'.repeat(32) };
	const size = { warm: lab.quick ? 10 : 100, counted: lab.quick ? 50 : 500 };
	const sample = await itemOf(ctx, await first(ctx));
	const kinds = await compareKinds(ctx, sample, size);
	const lengths = lab.quick ? [1, 20] : [1, 100, 1000];
	const grown = await compareLengths(ctx, lengths, { warm: 5, counted: lab.quick ? 20 : 100 });
	const bare = p50(kinds.bare);
	const written = await compareWriters(ctx, sample, lab.quick ? 0.5 : 5);
	return {
		title: 'Ledger append',
		about: [
			`An entry of ${sample['b']?.B?.length ?? 0} bytes into the ledger's own table, ${size.counted} times each; the bare insert sends the same`,
			'PartiQL statement with an item of the same attributes and sizes. Client and store share one process, on both sides.',
		].join('\n'),
		aims: [atMost('first version without payload, over the bare insert, p50', 1.15, p50(kinds.first) / bare, ratio)],
		tables: [kindsTable(kinds), writersTable(written), grownTable(grown, bare)],
	};
}

const report = () => newId('report', { now: new Date(), random: randomBytesOf });
const randomBytesOf = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));

/** An entry that stands on no listing. */
function requested(id: string): Ledger.BodyOf<'ReportRequested'> {
	return {
		type: 'ReportRequested',
		report: id,
		kind: 'flows',
		product: 'lending.loans',
		from: '2026-01-01T00:00:00.000Z',
		until: '2026-02-01T00:00:00.000Z',
		requester: ACTOR,
		view: { all: false, consumerDomains: ['risk'] },
		rules: { policies: ['flows-report', 'own-reports-only'], setHash: '0'.repeat(64) },
	};
}

async function first(ctx: Ctx, pii?: Record<string, unknown>): Promise<Ledger.Recorded> {
	const id = report();
	return Ledger.append(ctx, {
		stream: Ledger.stream.report(id),
		after: null,
		actor: ACTOR,
		body: requested(id),
		...(pii === undefined ? {} : { pii }),
	});
}

function next(ctx: Ctx, after: Ledger.Recorded): Promise<Ledger.Recorded> {
	return Ledger.append(ctx, { stream: after.entry.stream, after, actor: ACTOR, body: requested('later') });
}

/** An entry that adds two items to listings. */
function listed(ctx: Ctx): Promise<Ledger.Recorded> {
	const product = `bench.p-${randomUUID()}`;
	const body = {
		type: 'ContractPublished' as const,
		product,
		domain: 'bench',
		version: '1.0.0',
		contractHash: '0'.repeat(64),
		format: 'yaml' as const,
		classification: 'internal',
		personal: false,
		tables: [{ account: '210000000009', database: 'bench', table: product }],
		rules: { policies: ['owners-publish'], setHash: '0'.repeat(64) },
	};
	return Ledger.append(ctx, { stream: `A#bench#${product}`, after: null, actor: ACTOR, body });
}

async function itemOf(ctx: Ctx, { entry }: Ledger.Recorded): Promise<Item> {
	const { Items = [] } = await ctx.aws.dynamodb.send(
		new QueryCommand({
			TableName: ctx.config.tables.ledger,
			KeyConditionExpression: 'pk = :pk',
			ExpressionAttributeValues: { ':pk': { S: entry.stream } },
		}),
	);
	if (Items[0] === undefined) throw new Error('the entry is not in its table');
	return Items[0];
}

/** The statement that core/ledger/store.ts sends; a key of the same length that nobody has. */
async function insert(ctx: Ctx, sample: Item): Promise<void> {
	const item: Item = { ...sample, pk: { S: Ledger.stream.report(report()) } };
	const names = Object.keys(item).map((n) => `'${n}': ?`);
	await ctx.aws.dynamodb.send(
		new ExecuteStatementCommand({
			Statement: `INSERT INTO "${ctx.config.tables.ledger}" VALUE {${names.join(', ')}}`,
			Parameters: Object.values(item),
		}),
	);
}

type Kinds = Record<'bare' | 'first' | 'later' | 'payload' | 'listed', number[]>;

async function compareKinds(ctx: Ctx, sample: Item, size: { warm: number; counted: number }): Promise<Kinds> {
	const pii = { justification: 'Quarterly review of loans in arrears, as agreed with the owner of the product' };
	let last = await first(ctx);
	return inTurns(size, {
		bare: () => insert(ctx, sample),
		first: () => first(ctx),
		later: async () => {
			last = await next(ctx, last);
		},
		payload: () => first(ctx, pii),
		listed: () => listed(ctx),
	});
}

function kindsTable(kinds: Kinds): Table {
	const row = (name: string, samples: Samples, writes: number) => [
		name,
		String(writes),
		...times(samples),
		ratio(p50(samples) / p50(kinds.bare)),
	];
	return {
		title: 'One append',
		head: ['', 'items written', 'p50', 'p95', 'over bare'],
		rows: [
			row('bare insert', kinds.bare, 1),
			row('first version', kinds.first, 1),
			row('later version, the one before in hand', kinds.later, 1),
			row('first version with a payload', kinds.payload, 2),
			row('first version that stands on two listings', kinds.listed, 3),
		],
	};
}

const WRITERS = [1, 16] as const;
type Written = readonly { readonly writers: number; readonly bare: number; readonly first: number }[];

/** How many a second, each writer beginning with the next once the last is acknowledged; half of the time for each side. */
async function compareWriters(ctx: Ctx, sample: Item, seconds: number): Promise<Written> {
	const found: Written[number][] = [];
	for (const writers of WRITERS) {
		const done = { bare: 0, first: 0 };
		for (const side of ['bare', 'first', 'first', 'bare'] as const) {
			const end = performance.now() + (seconds * 1000) / 4;
			const writer = async () => {
				for (; performance.now() < end; done[side] += 1) await (side === 'bare' ? insert(ctx, sample) : first(ctx));
			};
			await Promise.all(Array.from({ length: writers }, writer));
		}
		found.push({ writers, bare: done.bare / (seconds / 2), first: done.first / (seconds / 2) });
	}
	return found;
}

function writersTable(written: Written): Table {
	return {
		title: 'Writers at once, how many a second. The embedded store does one thing at a time, and is the ceiling',
		head: ['writers', 'bare inserts', 'first versions', 'bare over them'],
		rows: written.map(({ writers, bare, first }) => [
			String(writers),
			bare.toFixed(0),
			first.toFixed(0),
			ratio(bare / first),
		]),
	};
}

type Grown = readonly { readonly length: number; readonly last: Samples; readonly whole: Samples }[];

/** Reads a stream of this length and appends to another one, so that the length stays what it is. */
async function compareLengths(
	ctx: Ctx,
	lengths: readonly number[],
	size: { warm: number; counted: number },
): Promise<Grown> {
	const streams = new Map<string, string>();
	for (const length of lengths) {
		let end = await first(ctx);
		while (end.ver < length) end = await next(ctx, end);
		streams.set(String(length), end.entry.stream);
	}
	const works = (read: (stream: string) => Promise<unknown>) =>
		[...streams].map(([length, stream]) => [length, () => read(stream).then(() => first(ctx))] as const);
	const last = await inTurns(size, Object.fromEntries(works((s) => Ledger.last(ctx, s, 'ReportRequested'))));
	const whole: Record<string, Samples> = {};
	// One after the other: the garbage of a long stream would be swept on the time of a short one.
	for (const work of works((s) => Ledger.read(ctx, s))) {
		Object.assign(whole, await inTurns(size, Object.fromEntries([work])));
	}
	return lengths.map((length) => ({ length, last: last[length] ?? [], whole: whole[length] ?? [] }));
}

function grownTable(grown: Grown, bare: number): Table {
	return {
		title: `Read, then append, by the length of the stream. A stream whose every version carries the whole state (domain, product,
entitlement) needs its last version only; a short one (request, grant, flow) is read and verified whole`,
		head: ['versions', 'last, p50', 'p95', 'over bare', 'whole, p50', 'p95', 'over bare'],
		rows: grown.map(({ length, last, whole }) => [
			String(length),
			...times(last),
			ratio(p50(last) / bare),
			...times(whole),
			ratio(p50(whole) / bare),
		]),
	};
}
