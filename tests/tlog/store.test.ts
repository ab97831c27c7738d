/** The sealer on the embedded DynamoDB: what the store in memory answers, this one must answer, too. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as Ledger from '#core/ledger.ts';
import { auditStore, quarantined, readHead, release, type SealCtx, seal } from '#core/tlog.ts';
import { openLedger } from '#tests/core/ledger-context.ts';
import { memoryObjects } from './memory.ts';
import { ORIGIN, proofOf, readLog, signerWith, write } from './world.ts';

const home = mkdtempSync(path.join(tmpdir(), 'fairlead-tlog-'));
const objects = memoryObjects();
const warned: string[] = [];
let ctx: SealCtx;
let close = async () => {};

beforeAll(async () => {
	const opened = await openLedger(home);
	close = () => opened.local.close();
	const log = { origin: ORIGIN, objects, signer: signerWith() };
	const config = { ...opened.ctx.config, retryMs: 1 };
	ctx = { ...opened.ctx, config, log, warn: (message) => warned.push(message) };
});

afterAll(async () => {
	await close();
	rmSync(home, { recursive: true, force: true });
});

it('seals, puts aside, proves and audits there as in memory', { timeout: 90_000 }, async () => {
	const made = await write(ctx, ['a', 'b', 'a', 'c'], 3000);
	const id = made[2]?.entry.id ?? '';
	expect(await proofOf(ctx, id)).toEqual({ state: 'not-sealed' });
	expect((await Promise.all([seal(ctx), seal(ctx)])).reduce((sum, pass) => sum + pass.sealed, 0)).toBe(4);
	expect(await readHead(ctx)).toMatchObject({ size: 4, state: 'clean' });
	expect(
		readLog(objects.files)
			.lines.map((line) => line.leaf)
			.toSorted(),
	).toEqual(made.map((e) => e.leaf).toSorted());
	expect(await proofOf(ctx, id)).toMatchObject({ state: 'sealed' });

	const [bad] = await write(ctx, ['bad', 'bad', 'a']);
	const item = {
		pk: { S: bad?.stored.stream ?? '' },
		sk: { S: Ledger.versionKey(1) },
		u: { S: 'U#3' },
		ut: { S: '0' },
	};
	const TableName = ctx.config.tables.ledger;
	await ctx.aws.dynamodb.send(new PutItemCommand({ TableName, Item: item }));
	expect(await seal(ctx)).toMatchObject({ sealed: 1, size: 5, quarantined: 2 });
	expect(await seal(ctx)).toMatchObject({ sealed: 1, size: 6, quarantined: 0 });
	expect([await quarantined(ctx), warned]).toEqual([2, ['ledger: an entry cannot be sealed']]);
	expect(await auditStore(ctx)).toEqual({ entries: 6, waiting: 0, quarantined: 2, fault: null });
	expect(await release(ctx)).toBe(2);
	expect(await seal(ctx)).toMatchObject({ sealed: 0, quarantined: 2 });
	expect(readLog(objects.files).size).toBe(6);
});
