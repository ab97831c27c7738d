/** The ledger on a real store: concurrency, tampering behind its back, SIGKILL while writing. */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { DeleteItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BrokerError } from '#core/error.ts';
import { seal } from '#core/ledger/entry.ts';
import * as Ledger from '#core/ledger.ts';
import type { LocalAws } from '#local/aws.ts';
import { domain, type LedgerContext, openLedger } from './ledger-context.ts';

let home: string;
let local: Pick<LocalAws, 'close'>;
let ctx: LedgerContext;

beforeAll(async () => {
	home = mkdtempSync(path.join(tmpdir(), 'fairlead-ledger-'));
	({ ctx, local } = await openLedger(path.join(home, 'a')));
});

afterAll(async () => {
	await local.close();
	rmSync(home, { recursive: true, force: true });
});

async function chain(id: string, names: readonly string[]): Promise<Ledger.Recorded[]> {
	const made: Ledger.Recorded[] = [];
	for (const name of names) {
		const after = made.at(-1) ?? null;
		made.push(
			await Ledger.append(ctx, { stream: Ledger.stream.domain(id), after, actor: 'per_a', body: domain(id, name) }),
		);
	}
	return made;
}

const key = (stream: string, ver: number) => ({ pk: { S: stream }, sk: { S: `V#${String(ver).padStart(10, '0')}` } });
const TableName = 'test-ledger';

async function stored(stream: string, ver: number) {
	const { Item } = await ctx.aws.dynamodb.send(new GetItemCommand({ TableName, Key: key(stream, ver) }));
	if (Item === undefined) throw new Error('not there');
	return Item;
}

/** As somebody with rights on the table would, past the ledger. */
const overwrite = (item: Awaited<ReturnType<typeof stored>>) =>
	ctx.aws.dynamodb.send(new PutItemCommand({ TableName, Item: item }));

describe('appending', () => {
	it('refuses all but one of those who follow the same version', async () => {
		const stream = Ledger.stream.domain('race');
		const [first] = await chain('race', ['one']);
		const tries = Array.from({ length: 20 }, (_, i) =>
			Ledger.append(ctx, { stream, after: first ?? null, actor: 'per_a', body: domain('race', `try ${i}`) }),
		);
		const outcomes = await Promise.allSettled(tries);
		const lost = outcomes.filter((o) => o.status === 'rejected').map((o) => (o.reason as BrokerError).code);
		expect(lost).toEqual(Array.from({ length: 19 }, () => 'conflict'));
		expect((await Ledger.read(ctx, stream)).map((e) => e.ver)).toEqual([1, 2]);
	});

	it('keeps names and texts out of the entry and binds them by a salted hash', async () => {
		const stream = Ledger.stream.domain('pii');
		const pii = { charter: 'written by Ada Lovelace' };
		const entry = await Ledger.append(ctx, { stream, after: null, actor: 'per_a', body: domain('pii', 'n'), pii });
		expect(Buffer.from(entry.stored.bytes).toString()).not.toContain('Lovelace');
		expect(await Ledger.payload(ctx, entry.entry)).toEqual(pii);
		const item = { pk: { S: `P#${entry.entry.id}` }, sk: { S: '-' } };
		const { Item } = await ctx.aws.dynamodb.send(new GetItemCommand({ TableName: 'test-payloads', Key: item }));
		// By nobody's code but this: SHA-256(salt || RFC 8785 bytes).
		const salted = Buffer.concat([
			Item?.['salt']?.B ?? new Uint8Array(),
			Buffer.from('{"charter":"written by Ada Lovelace"}'),
		]);
		expect([Item?.['salt']?.B?.length, salted.length]).toEqual([16, 53]);
		expect(entry.entry.piiHash).toBe(createHash('sha256').update(salted).digest('hex'));
		const altered = { ...Item, ...item, pii: { B: deflateRawSync('{"charter":"by nobody"}') } };
		await ctx.aws.dynamodb.send(new PutItemCommand({ TableName: 'test-payloads', Item: altered }));
		await expect(Ledger.payload(ctx, entry.entry)).rejects.toMatchObject({ code: 'record-corrupt' });
		await ctx.aws.dynamodb.send(new DeleteItemCommand({ TableName: 'test-payloads', Key: item }));
		expect(await Ledger.payload(ctx, entry.entry)).toBeNull();
		expect(Ledger.verifyStream(stream, await Ledger.rawStream(ctx, stream))).toBeNull();
	});

	it('stores a large entry deflated and reads back the bytes that were hashed', async () => {
		const [entry] = await chain('large', ['y'.repeat(5000)]);
		const item = await stored(Ledger.stream.domain('large'), 1);
		expect(item['z']?.BOOL).toBe(true);
		expect(item['b']?.B?.length).toBeLessThan(1000);
		const [raw] = await Ledger.rawStream(ctx, Ledger.stream.domain('large'));
		expect(Ledger.leafHash(raw?.bytes ?? new Uint8Array())).toBe(entry?.leaf);
	});
});

describe('an entry that would not be read back', () => {
	it('is not written', async () => {
		const body = { ...domain('bad', 'n'), members: 'nobody' as never };
		const draft = { stream: Ledger.stream.domain('bad'), after: null, actor: 'per_a', body };
		await expect(Ledger.append(ctx, draft)).rejects.toMatchObject({ code: 'record-corrupt' });
		expect(await Ledger.rawStream(ctx, Ledger.stream.domain('bad'))).toEqual([]);
	});

	it('is not believed under the key of another stream', async () => {
		await chain('mine', ['a']);
		await overwrite({ ...(await stored(Ledger.stream.domain('mine'), 1)), ...key(Ledger.stream.domain('yours'), 1) });
		const last = Ledger.last(ctx, Ledger.stream.domain('yours'), 'DomainRegistered');
		await expect(last).rejects.toMatchObject({ code: 'record-corrupt' });
		await ctx.aws.dynamodb.send(new DeleteItemCommand({ TableName, Key: key(Ledger.stream.domain('yours'), 1) }));
	});
});

describe('tampering with an entry that is not the last', () => {
	it('is named when a byte was changed', async () => {
		await chain('changed', ['a', 'b', 'c']);
		const stream = Ledger.stream.domain('changed');
		const item = await stored(stream, 2);
		const bytes = Buffer.from(item['b']?.B ?? []);
		bytes[bytes.indexOf('"name":"b"') + 8] = 'z'.charCodeAt(0);
		await overwrite({ ...item, b: { B: bytes } });
		await expectFinding(stream, 2, 'hash-differs');
	});

	it('is named when the hash was made to fit', async () => {
		const [, second] = await chain('rehashed', ['a', 'b', 'c']);
		const stream = Ledger.stream.domain('rehashed');
		const { bytes, leaf } = seal({ ...(second as Ledger.Recorded).entry, name: 'forged' });
		await overwrite({ ...(await stored(stream, 2)), b: { B: bytes }, h: { B: Buffer.from(leaf, 'hex') } });
		await expectFinding(stream, 3, 'chain-broken');
	});

	it('is named when two entries were swapped', async () => {
		await chain('swapped', ['a', 'b', 'c', 'd']);
		const stream = Ledger.stream.domain('swapped');
		const [two, three] = [await stored(stream, 2), await stored(stream, 3)];
		await overwrite({ ...three, ...key(stream, 2) });
		await overwrite({ ...two, ...key(stream, 3) });
		await expectFinding(stream, 2, 'misplaced');
	});

	it('is named when one was dropped', async () => {
		await chain('dropped', ['a', 'b', 'c']);
		const stream = Ledger.stream.domain('dropped');
		await ctx.aws.dynamodb.send(new DeleteItemCommand({ TableName, Key: key(stream, 2) }));
		await expectFinding(stream, 2, 'missing');
	});
});

/** The whole-ledger check finds exactly this in the stream, and reading the stream is refused. */
async function expectFinding(stream: string, ver: number, fault: string): Promise<void> {
	const { findings } = await Ledger.verifyAll(ctx);
	expect(findings.filter((f) => f.stream === stream)).toEqual([{ stream, ver, fault }]);
	await expect(Ledger.read(ctx, stream)).rejects.toMatchObject({ code: 'record-corrupt' });
}

describe('listings', () => {
	it('are the same when they are built anew from the entries', async () => {
		const fresh = await openLedger(path.join(home, 'listings'));
		try {
			const { ctx: c } = fresh;
			for (const id of ['x', 'y', 'z']) {
				await Ledger.append(c, { stream: Ledger.stream.domain(id), after: null, actor: 'per_a', body: domain(id, id) });
			}
			const before = await Ledger.Listing.all(c, Ledger.Listing.key.domains);
			for (const id of before) await Ledger.Listing.remove(c, Ledger.Listing.key.domains, id);
			expect(await Ledger.Listing.all(c, Ledger.Listing.key.domains)).toEqual([]);
			expect(await Ledger.repairListings(c, c.clock())).toBe(3);
			expect(await Ledger.Listing.all(c, Ledger.Listing.key.domains)).toEqual(before);
			for (const id of before) await Ledger.Listing.remove(c, Ledger.Listing.key.domains, id);
			expect(await Ledger.rebuildListings(c)).toBe(3);
			expect(await Ledger.Listing.all(c, Ledger.Listing.key.domains)).toEqual(before);
		} finally {
			await fresh.local.close();
		}
	});
});

describe('SIGKILL while writing', () => {
	it('loses nothing that was acknowledged, and the ledger verifies', { timeout: 60_000 }, async () => {
		const dataDir = path.join(home, 'killed');
		const acknowledged = await writeUntilKilled(dataDir, 150);
		const { ctx: after, local: reopened } = await openLedger(dataDir);
		try {
			for (const { stream, ver, leaf } of acknowledged) {
				const versions = await Ledger.rawStream(after, stream);
				expect(versions[ver - 1]?.leaf, `${stream} version ${ver}`).toBe(leaf);
			}
			const { findings, entries } = await Ledger.verifyAll(after);
			expect(findings).toEqual([]);
			expect(entries).toBeGreaterThanOrEqual(acknowledged.length);
		} finally {
			await reopened.close();
		}
	});
});

type Acknowledged = { readonly stream: string; readonly ver: number; readonly leaf: string };

async function writeUntilKilled(dataDir: string, acks: number): Promise<Acknowledged[]> {
	const script = fileURLToPath(new URL('ledger-writer.ts', import.meta.url));
	const child = spawn(process.execPath, ['--import', 'tsx', script, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
	const gone = once(child, 'exit');
	const seen: Acknowledged[] = [];
	for await (const line of createInterface({ input: child.stdout })) {
		seen.push(JSON.parse(line) as Acknowledged);
		if (seen.length === acks) child.kill('SIGKILL');
	}
	expect((await gone)[1]).toBe('SIGKILL');
	expect(seen.length).toBeGreaterThanOrEqual(acks);
	return seen;
}
