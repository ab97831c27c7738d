/** Contracts that were stored: one that cannot be read back is told as a bad record, and hides no other product. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as Catalog from '#core/catalog.ts';
import * as Ledger from '#core/ledger.ts';
import { text } from './contract/cases.ts';
import { openLedger } from './ledger-context.ts';

let dataDir: string;
let ledger: Awaited<ReturnType<typeof openLedger>>;

async function store(name: string, contract: string): Promise<void> {
	const { ctx } = ledger;
	const product = `lending.${name}`;
	await Ledger.putText(ctx, contract);
	await Ledger.append(ctx, {
		stream: Ledger.stream.product(product),
		after: null,
		actor: 'olga',
		body: {
			type: 'ContractPublished',
			product,
			domain: 'lending',
			version: '1.0.0',
			contractHash: Ledger.sha256(contract),
			format: 'yaml',
			classification: 'public',
			personal: false,
			tables: [],
			rules: { policies: [], setHash: '0'.repeat(64) },
		},
	});
}

beforeAll(async () => {
	dataDir = await mkdtemp(join(tmpdir(), 'stored-'));
	ledger = await openLedger(dataDir);
	await store('loans', text);
	await store('broken', 'no: contract');
	await store('garbled', '{');
});

afterAll(async () => {
	await ledger.local.close();
	await rm(dataDir, { recursive: true, force: true });
});

describe('a stored contract that cannot be read', () => {
	it.each(['lending.broken', 'lending.garbled'])('is a corrupt record, not a fault of the reader: %s', async (id) => {
		await expect(Catalog.get(ledger.ctx, id)).rejects.toMatchObject({ code: 'record-corrupt' });
	});

	it('does not keep its grants from ending: each column of it counts as personal', async () => {
		const table = { account: '210000000001', database: 'lending', table: 'loans' };
		const broken = await Catalog.personalColumns(ledger.ctx, 'lending.broken');
		const whole = await Catalog.personalColumns(ledger.ctx, 'lending.loans');
		expect([broken(table).has('loan_id'), whole(table).has('loan_id')]).toEqual([true, false]);
	});

	it('keeps no other product from being found', async () => {
		expect((await Catalog.search(ledger.ctx, {})).map((p) => p.id)).toEqual(['lending.loans']);
	});
});
