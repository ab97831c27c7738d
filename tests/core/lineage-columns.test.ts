/** Columns that are too many for the entry of their flow: whole, once, kept like any entry, and never half there. */
import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Context, SYSTEM } from '#core/context.ts';
import * as Ledger from '#core/ledger.ts';
import * as Lineage from '#core/lineage.ts';
import { demandRecordable } from '#core/query/limits.ts';
import { seal } from '#core/tlog.ts';
import { damage, remove } from '#tests/tlog/damage.ts';
import { checkSealed, type Gate, makeWorld, readLog, type World } from '#tests/tlog/world.ts';
import { columnsOf as columnsFrom } from '#verifier/columns.ts';
import { Unverified } from '#verifier/error.ts';

const HASH = '0'.repeat(64);
const table = { account: '210000000001', database: 'lending', table: 'loans' };
const TABLE = 'lending.loans/loans';

/** `count` columns, each read and handed out; of a `word` that deflates, or of one that does not. */
function columns(count: number, word = (i: number) => `column_${i}`): Lineage.ColumnMap {
	const names = Array.from({ length: count }, (_, i) => word(i));
	return {
		from: [names.map((name) => ({ name, uses: ['output'] }))],
		to: {
			columns: names.map((name) => ({
				name,
				sources: [{ table: TABLE, column: name, kind: 'identity' }],
				indirect: [],
			})),
			rows: [{ table: TABLE, column: 'status', use: 'filter' }],
		},
	};
}

const noise = (i: number) => createHash('sha512').update(`${i}`).digest('base64url');
const WIDE = columns(1000);
const HUGE = columns(6000, (i) => `${'x'.repeat(240)}${i}`);

const contextOf = (world: World, gate?: Gate): Context => {
	const caller = { issuer: '', subject: SYSTEM, person: null, roles: [] };
	return { ...world.process(gate), caller, now: new Date(world.now) } as unknown as Context;
};

const flow = (id: string) => ({
	flow: id,
	domain: 'risk',
	principal: 'arn:aws:iam::210000000004:role/risk',
	purpose: 'p',
	legalBasis: '',
	auth: [{ grants: ['g'], table, ver: 1, leaf: HASH }],
	query: { engine: 'athena' as const, workGroup: 'w', sqlNormHash: HASH },
	from: [{ ...table, product: 'lending.loans', version: '1' }],
	to: { domain: 'risk' },
	until: '2026-01-01T00:00:00.000Z',
});

const intend = (ctx: Context, id: string, map: Lineage.ColumnMap) =>
	Lineage.intend(ctx, flow(id), map, { sql: 's', printed: 'p', columns: [] });

async function readBack(ctx: Context, id: string): Promise<Lineage.ColumnMap> {
	const found = await Lineage.get(ctx, id);
	if (found === null) throw new Error('no such flow');
	return Lineage.columnsIn(ctx, found);
}

const apart = (world: World) => world.store.items('ledger').filter((item) => item['pk']?.S?.startsWith('A#columns#'));

async function partsOf(ctx: Context, made: Lineage.Flow) {
	const { columns: named } = made.intended.body;
	if (named === undefined) throw new Error('its columns stand in it');
	return { named, parts: await Ledger.read(ctx, Ledger.stream.columns(named.hash)) };
}

describe('columns of a flow', () => {
	it('stand in its entry where there is room', async () => {
		const world = await makeWorld();
		const ctx = contextOf(world);
		const { intended } = await intend(ctx, 'q', columns(50));
		expect(intended.body).toMatchObject({
			from: [columns(50).from[0]].map((c) => ({ columns: c })),
			to: columns(50).to,
		});
		expect(await readBack(ctx, 'q')).toEqual(columns(50));
		expect(apart(world)).toEqual([]);
	});

	it('stand apart where there is none, and the entry says which and how many', async () => {
		const world = await makeWorld();
		const ctx = contextOf(world);
		const { intended } = await intend(ctx, 'q', WIDE);
		const hash = Ledger.sha256(Ledger.canonicalBytes(WIDE));
		expect(intended.body).toMatchObject({ to: { domain: 'risk' }, columns: { hash, read: 1000, outputs: 1000 } });
		expect(JSON.stringify(intended.body)).not.toContain('column_');
		expect(intended.stored.bytes.length).toBeLessThan(1500);
		expect(await readBack(ctx, 'q')).toEqual(WIDE);
	});

	it('are written once, whoever reads them again', async () => {
		const world = await makeWorld();
		const ctx = contextOf(world);
		const [first, second] = [await intend(ctx, 'q1', WIDE), await intend(ctx, 'q2', WIDE)];
		expect(second.intended.body.columns).toEqual(first.intended.body.columns);
		expect(apart(world)).toHaveLength(1);
	});

	it('come back as they were, whatever they are called and however many parts they take', async () => {
		const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((s) => s.isWellFormed());
		const word = fc.oneof(text, fc.nat().map(noise));
		await fc.assert(
			fc.asyncProperty(fc.array(word, { maxLength: 20 }), fc.integer({ min: 0, max: 1000 }), async (words, count) => {
				const map = columns(count, (i) => `${words[i % Math.max(1, words.length)] ?? ''}${i}`);
				const ctx = contextOf(await makeWorld());
				await intend(ctx, 'q', map);
				expect(await readBack(ctx, 'q')).toEqual(map);
			}),
			{ numRuns: 15 },
		);
	});

	it('take several entries where they do not deflate, each within its bound', async () => {
		const world = await makeWorld();
		const ctx = contextOf(world);
		const map = columns(1000, noise);
		const { parts, named } = await partsOf(ctx, await intend(ctx, 'q', map));
		expect(parts.length).toBeGreaterThan(3);
		expect(named.ver).toBe(parts.length);
		for (const { stored } of parts) expect(stored.bytes.length).toBeLessThanOrEqual(Ledger.MAX_ENTRY_BYTES);
		expect(await readBack(ctx, 'q')).toEqual(map);
	});
});

describe('columns that cannot be recorded', () => {
	const small = { auth: flow('q').auth, from: flow('q').from };

	it.each([
		['more columns than are kept', small, HUGE, 'Read fewer columns at once.'],
		['more tables than one entry holds', { auth: Array(600).fill(small.auth[0]) }, WIDE, 'Read fewer tables at once.'],
	])('413: %s, and what to change', (_, record, map, advice) => {
		expect(() => demandRecordable(record, map)).toThrow(
			expect.objectContaining({ code: 'too-large', message: expect.stringContaining(advice) }),
		);
	});

	it('are not refused for being many: a thousand from one table', () => {
		expect(() => demandRecordable(small, WIDE)).not.toThrow();
	});

	it('leave nothing behind, should nobody have asked before', async () => {
		const world = await makeWorld();
		await expect(intend(contextOf(world), 'q', HUGE)).rejects.toMatchObject({ code: 'too-large' });
		expect(world.store.items('ledger')).toEqual([]);
	});
});

describe('an entry', () => {
	const { from, to, ...rest } = flow('q');
	const named = { hash: HASH, ver: 1, leaf: HASH, read: 0, outputs: 0 };
	it.each<[string, object]>([
		['says nowhere where its columns are', { from, to }],
		['says that of a part of them', { from: [...from, { ...from[0], columns: [] }], to: { ...to, columns: [] } }],
		['says it twice', { from: [{ ...from[0], columns: [] }], to: { ...to, columns: [] }, columns: named }],
		['names some and has rows', { from, to: { ...to, rows: [] }, columns: named }],
	])('that %s is refused', async (_, members) => {
		const body = { type: 'FlowIntended', ...rest, ...members } as Ledger.BodyOf<'FlowIntended'>;
		const draft = { stream: Ledger.stream.flow('q'), after: null, actor: 'system', body };
		const world = await makeWorld();
		await expect(Ledger.append(contextOf(world), draft)).rejects.toMatchObject({ code: 'record-corrupt' });
		expect(world.store.items('ledger')).toEqual([]);
	});
});

describe('whoever writes them', () => {
	const map = columns(1000, noise);

	it('may die at any call, or lose its answer: the next one goes on from there, and nothing is written twice', async () => {
		const calls = async (fails: number, persisted: boolean) => {
			const world = await makeWorld();
			let count = 0;
			const gate: Gate = async (name, call) => {
				if (name !== 'ExecuteStatementCommand' || ++count !== fails) return call();
				if (persisted) await call();
				throw new Error('cut off');
			};
			await intend(contextOf(world, gate), 'q1', map).catch(() => null);
			const ctx = contextOf(world);
			const { parts } = await partsOf(ctx, await intend(ctx, 'q2', map));
			expect(await readBack(ctx, 'q2')).toEqual(map);
			expect(apart(world)).toHaveLength(parts.length);
			return { parts: parts.length, whole: count < fails };
		};
		let at = 0;
		const seen = new Set<number>();
		for (let whole = false; !whole; ) {
			at += 1;
			const without = await calls(at, false);
			const outcome = await calls(at, true);
			seen.add(without.parts);
			seen.add(outcome.parts);
			whole = outcome.whole;
		}
		expect(at).toBeGreaterThan(5);
		expect([...seen]).toHaveLength(1);
	});

	it('may have company: several at once end with the same parts', async () => {
		const world = await makeWorld();
		const slow: Gate = async (_, call) => {
			await new Promise((resolve) => setImmediate(resolve));
			return call();
		};
		const made = await Promise.all([1, 2, 3, 4].map((i) => intend(contextOf(world, slow), `q${i}`, map)));
		expect(new Set(made.map(({ intended }) => JSON.stringify(intended.body.columns))).size).toBe(1);
		expect(apart(world)).toHaveLength(made[0]?.intended.body.columns?.ver ?? 0);
		expect(await readBack(contextOf(world), 'q4')).toEqual(map);
	});
});

describe('what was tampered with is record-corrupt', () => {
	const map = columns(1000, noise);
	const corrupt = { code: 'record-corrupt' };

	async function kept() {
		const world = await makeWorld();
		const ctx = contextOf(world);
		const { parts, named } = await partsOf(ctx, await intend(ctx, 'q', map));
		return { world, ctx, parts, named, stream: Ledger.stream.columns(named.hash) };
	}

	/** The stream anew, each entry as somebody would write it who knows how. */
	async function rewritten(change: (body: Ledger.BodyOf<'ColumnsRecorded'>, i: number) => object | null) {
		const { world, ctx, parts, stream } = await kept();
		for (const part of parts) await remove(world, part);
		let after: Ledger.Recorded | null = null;
		for (const [i, part] of parts.entries()) {
			const body = change(Ledger.as(part, 'ColumnsRecorded').body, i);
			if (body === null) continue;
			after = await Ledger.append(ctx, { stream, after, actor: 'system', body: body as typeof part.body });
		}
		return { world, ctx, last: after };
	}

	it('a part that is changed, or gone', async () => {
		const one = await kept();
		const [first, second] = one.parts;
		if (first === undefined || second === undefined) throw new Error('no parts');
		await damage(one.world, first, { b: { B: second.stored.bytes } });
		await expect(readBack(one.ctx, 'q')).rejects.toMatchObject(corrupt);
		const two = await kept();
		for (const part of two.parts.slice(-1)) await remove(two.world, part);
		await expect(readBack(two.ctx, 'q')).rejects.toMatchObject(corrupt);
	});

	it('all of it written again, so that the flow names another leaf', async () => {
		const { ctx } = await rewritten((body) => body);
		await expect(readBack(ctx, 'q')).rejects.toMatchObject(corrupt);
	});

	it.each<[string, (body: Ledger.BodyOf<'ColumnsRecorded'>, i: number) => object | null]>([
		[
			'other columns',
			(body, i) => (i === 0 ? { ...body, data: deflateRawSync(Buffer.from('{}')).toString('base64') } : body),
		],
		[
			'other columns at its end',
			(body) => {
				const text = inflateRawSync(Buffer.from(body.data, 'base64')).toString();
				const other = text.replace(/"status"(?=,"table":"[^"]+","use":"filter"\})/, '"duration"');
				return { ...body, data: deflateRawSync(Buffer.from(other)).toString('base64') };
			},
		],
		['a part less', (body, i) => (i === 1 ? null : body)],
		['the hash of others', (body) => ({ ...body, hash: HASH })],
		['bytes that do not inflate', (body, i) => (i === 0 ? { ...body, data: 'AAAA' } : body)],
	])('a stream of %s, even where a flow names its leaf', async (_, change) => {
		const { ctx, last } = await rewritten(change);
		const { from, to, ...rest } = flow('r');
		const hash = Ledger.sha256(Ledger.canonicalBytes(map));
		const named = { hash, ver: last?.ver ?? 0, leaf: last?.leaf ?? '', read: 0, outputs: 0 };
		const body = { type: 'FlowIntended' as const, ...rest, from, to, columns: named };
		await Ledger.append(ctx, { stream: Ledger.stream.flow('r'), after: null, actor: 'system', body });
		await expect(readBack(ctx, 'r')).rejects.toMatchObject(corrupt);
		// And nobody builds on it.
		await expect(intend(ctx, 's', map)).rejects.toMatchObject(corrupt);
	});

	it('what is added at the end keeps nobody from what was there', async () => {
		const { ctx, parts, stream } = await kept();
		const last = parts.at(-1) ?? null;
		if (last === null) throw new Error('no parts');
		await Ledger.append(ctx, { stream, after: last, actor: 'system', body: last.body });
		expect(await readBack(ctx, 'q')).toEqual(map);
		await expect(intend(ctx, 's', map)).rejects.toMatchObject(corrupt);
	});
});

describe('from the bundles of the log alone', () => {
	async function recorded() {
		const world = await makeWorld();
		const ctx = contextOf(world);
		const entitled = await Ledger.append(ctx, {
			stream: Ledger.stream.entitlement(flow('q').principal, table),
			after: null,
			actor: 'system',
			body: {
				type: 'EntitlementChanged',
				principal: flow('q').principal,
				product: 'lending.loans',
				table,
				grants: [],
				scope: null,
				filter: { desired: null, retiring: [] },
				step: 'settled',
				made: null,
			},
		});
		const map = columns(1000, noise);
		const asked = { ...flow('q'), auth: [{ grants: ['g'], table, ver: 1, leaf: entitled.leaf }] };
		const made = await Lineage.intend(ctx, asked, map, { sql: 's', printed: 'p', columns: [] });
		return { world, ctx, map, made, entitled };
	}

	async function sealed() {
		const { world, ctx, map, made, entitled } = await recorded();
		const { parts, named } = await partsOf(ctx, made);
		await seal(world.process());
		checkSealed(world, [entitled, made.intended, ...parts]);
		return { world, map, named, entries: parts.map(({ stored }) => stored.bytes) };
	}

	it('they are sealed before the flow that names them, and lead to its hash', async () => {
		const { world, map, named, entries } = await sealed();
		const { lines } = readLog(world.objects.files);
		const at = (stream: string) => lines.findLastIndex((line) => line.stream === stream);
		expect(at(Ledger.stream.columns(named.hash))).toBeGreaterThan(-1);
		expect(at(Ledger.stream.columns(named.hash))).toBeLessThan(at(Ledger.stream.flow('q')));
		expect(JSON.parse(columnsFrom(named.hash, entries))).toEqual(map);
	});

	it('a flow is not sealed whose columns cannot be', async () => {
		const { world, ctx, made, entitled } = await recorded();
		const [first] = (await partsOf(ctx, made)).parts;
		if (first === undefined) throw new Error('no parts');
		await damage(world, first, { b: { B: Buffer.from('{}') }, z: { BOOL: false } });
		for (let pass = 0; pass < 3; pass++) await seal(world.process());
		const { lines } = readLog(world.objects.files);
		expect(lines.map(({ stream }) => stream)).toContain(entitled.stored.stream);
		expect(lines.filter(({ stream }) => /^(F|A#columns)#/.test(stream))).toEqual([]);
	});

	it('anything else does not', async () => {
		const { named, entries } = await sealed();
		const [first, ...others] = entries;
		if (first === undefined) throw new Error('no parts');
		const text = Buffer.from(first).toString();
		const changed = [
			[],
			others,
			entries.toReversed(),
			entries.slice(0, -1),
			[...entries, first],
			...[
				text.replace('"from":0', '"from":1'),
				text.replace(/"data":"./, '"data":"A'),
				text.replace('"data"', '"date"'),
			].map((bad) => [Buffer.from(bad), ...others]),
			[Buffer.from('{}')],
		];
		for (const bad of changed) expect(() => columnsFrom(named.hash, bad)).toThrow(Unverified);
		expect(() => columnsFrom(HASH, entries)).toThrow(Unverified);
		expect(() => columnsFrom(HASH, [])).toThrow(Unverified);
	});
});
