/** The ledger's table is updated in two places, and nothing is ever deleted from it. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as Ledger from '#core/ledger.ts';
import { seal } from '#core/tlog.ts';
import { faulty, makeWorld, write } from './world.ts';

const core = fileURLToPath(new URL('../../core', import.meta.url));
const files = readdirSync(core, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const using = (pattern: RegExp) =>
	files.filter((file) => pattern.test(readFileSync(path.join(core, file), 'utf8'))).toSorted();

describe('the table of the ledger', () => {
	it('is updated by the head and the marks alone, and nothing but their attributes', () => {
		expect(using(/UpdateItemCommand|UpdateStatement|\bUPDATE "/)).toEqual(['tlog/head.ts', 'tlog/marker.ts']);
		const marker = readFileSync(path.join(core, 'tlog/marker.ts'), 'utf8');
		const written = [...marker.matchAll(/'((?:REMOVE|SET) [^']*)'/g)].map((m) => m[1]);
		expect(written).toEqual(['REMOVE u, ut SET li = :li', 'SET u = :to']);
	});

	it('has nothing put into it or deleted from it; of payloads, what is erased alone', () => {
		const writers = using(/(Put|Delete|BatchWrite)ItemCommand|TransactWrite|\bDELETE FROM\b/);
		const into = (table: RegExp) => writers.filter((file) => table.test(readFileSync(path.join(core, file), 'utf8')));
		expect([into(/tables\.ledger/), into(/tables\.payloads/)]).toEqual([[], ['ledger/erase.ts']]);
	});

	it('holds the head, which no scan takes for an entry', async () => {
		const world = await makeWorld();
		const ctx = world.process();
		await write(ctx, ['a', 'b']);
		await seal(ctx);
		expect(world.store.items('ledger')).toHaveLength(3);
		expect((await Ledger.rawPage(ctx, null, 100)).items).toHaveLength(2);
		expect(await Ledger.verifyAll(ctx)).toEqual({ entries: 2, streams: 2, findings: [] });
		expect(await Ledger.rebuildListings(ctx)).toBe(2);
		expect(world.warned).toEqual([]);
	});
});

it('objects are made, replaced and taken away as the kind of each allows', async () => {
	const world = await makeWorld();
	const none = faulty(0, 'fails');
	const ctx = world.process(none.gate);
	await write(ctx, ['a']);
	await seal(ctx);
	await write(ctx, ['a']);
	await seal(ctx);
	expect(none.calls.filter((name) => name.startsWith('replace'))).toEqual(['replace checkpoint', 'replace checkpoint']);
	expect(
		none.calls.filter((name) => name.startsWith('remove')).every((name) => name.startsWith('remove staging/')),
	).toBe(true);
	expect(none.calls.indexOf('sign')).toBeGreaterThan(none.calls.indexOf('UpdateItemCommand'));
});
