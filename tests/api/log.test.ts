/** The log over HTTP: who may see what of it, and that what is handed out verifies by the program that others have. */
import { BatchGetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GrantView } from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import type { Handle } from '#local/people.ts';
import { query } from '#local/story/world.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { openCheckpoint } from '#verifier/checkpoint.ts';
import { verifyLog } from '#verifier/log.ts';
import { verifyConsistency } from '#verifier/merkle.ts';
import { verifierKey } from '#verifier/note.ts';
import { verifyProof } from '#verifier/proof.ts';
import { sourceOf } from '#verifier/source.ts';
import { decodeBundle, decodeTile } from '#verifier/tile.ts';
import { expectRefusal, get, grantTo, post, readings, refused, requestBody, send } from './harness.ts';

let test: TestBank;
let grant: GrantView;
let entries: Record<string, Ledger.Recorded>;
let trust: { keys: ReturnType<typeof verifierKey>[]; origin: string };

const call = (who: Handle, path: string) => test.world.call(get(who, `/ledger/${path}`));
const proofOf = (who: Handle, of: string) => call(who, `entries/${entries[of]?.entry.id}/proof`);

/** The bytes of an answer, which the harness would read as text. */
async function bytesOf(who: Handle, path: string) {
	const headers = { authorization: `Bearer ${await test.bank.issuer.token(who)}` };
	const answer = await fetch(`${test.bank.api}/api/v1/ledger/${path}`, { headers });
	return { answer, bytes: new Uint8Array(await answer.arrayBuffer()) };
}

async function all(): Promise<Ledger.Recorded[]> {
	const { items, next } = await Ledger.rawPage(test.bank.platform, null, 1000);
	expect(next).toBeNull();
	return items.map((item) => Ledger.recordedOf(item));
}

/** What is recorded of who looked, while something is done. */
async function added(act: () => Promise<unknown>) {
	const before = new Set((await readings(test)).map(({ id }) => id));
	await act();
	return (await readings(test)).filter(({ id }) => !before.has(id));
}

/** As somebody with rights on the table would. */
async function changeHash(entry: Ledger.Recorded | undefined) {
	const { dynamodb } = test.bank.platform.aws;
	const { ledger } = test.bank.platform.config.tables;
	const { stream = '', ver = 0 } = entry?.stored ?? {};
	const Key = { pk: { S: stream }, sk: { S: Ledger.versionKey(ver) } };
	const found = await dynamodb.send(new BatchGetItemCommand({ RequestItems: { [ledger]: { Keys: [Key] } } }));
	const leaf = found.Responses?.[ledger]?.[0]?.['h'];
	if (leaf === undefined) throw new Error('no such item');
	const set = async (h: typeof leaf) => {
		const change = { UpdateExpression: 'SET h = :h', ExpressionAttributeValues: { ':h': h } };
		await dynamodb.send(new UpdateItemCommand({ TableName: ledger, Key, ...change }));
	};
	await set({ B: new Uint8Array(32) });
	return { putBack: () => set(leaf) };
}

beforeAll(async () => {
	test = await testBank({ settings: { FAIRLEAD_SEALED_WAIT_MS: '3000' } });
	const { log } = test.bank.platform;
	trust = { keys: [verifierKey(log.signer.vkey)], origin: log.origin };
	grant = await grantTo(test.world, 'alice', requestBody(test.world));
	await query(test.world, 'SELECT status FROM lending.loans');
	await test.world.call(post('olga', '/reports', { kind: 'flows', product: 'lending.loans' }));
	const recorded = await all();
	const first = (type: string, of = '') => {
		const found = recorded.find(({ body, stored }) => body.type === type && stored.stream.endsWith(of));
		if (found === undefined) throw new Error(`no ${type} ${of}`);
		return found;
	};
	entries = {
		request: first('AccessRequested'),
		decision: first('AccessDecided'),
		grant: first('GrantOpened'),
		entitlement: first('EntitlementChanged'),
		flow: first('FlowIntended'),
		product: first('ContractPublished', 'lending.loans'),
		report: first('ReportRequested'),
		domain: first('DomainRegistered', 'risk'),
	};
}, 120_000);
afterAll(() => test.close());

const unknown = `led_01M7YD5Q1S${'0'.repeat(16)}`;

describe('before anything is sealed', () => {
	it('there is no checkpoint, tile, bundle or consistency, for anybody', async () => {
		for (const path of ['checkpoint', 'tile/0/000.p/1', 'tile/entries/000.p/1', 'consistency', 'consistency?to=0']) {
			await refused(test, get('rita', `/ledger/${path}`), 404, 'not-found');
		}
	});

	it('an entry is said not to be sealed yet, and when to come back, to those whom it will be proven to', async () => {
		for (const who of ['alice', 'olga', 'rita'] as const) {
			const answer = await proofOf(who, 'flow');
			expectRefusal(answer, 409, 'not-finished');
			expect(answer.headers.get('retry-after')).toBe('10');
		}
		for (const who of ['mia', 'peter', 'stella', 'oscar'] as const) {
			expectRefusal(await proofOf(who, 'flow'), 404, 'not-found');
		}
	});

	it('the ledger is whole, and waits', async () => {
		const { status, body } = await call('oscar', 'audit');
		expect([status, body]).toEqual([
			200,
			{ ok: true, entries: 0, waiting: expect.any(Number), quarantined: 0, fault: null },
		]);
		expect((body as { waiting: number }).waiting).toBeGreaterThan(20);
	});
});

describe('once it is sealed', () => {
	let size: number;
	beforeAll(async () => {
		({ size } = await test.bank.seal());
	});

	it('whoever signed in gets the checkpoint, also somebody whom no domain registered; nobody else does', async () => {
		for (const who of ['nick', 'mia', 'rita'] as const) {
			const { status, body, headers } = await call(who, 'checkpoint');
			expect([status, headers.get('content-type'), headers.get('cache-control')]).toEqual([
				200,
				'text/plain; charset=utf-8',
				'no-store',
			]);
			expect(openCheckpoint(body as string, trust).size).toBe(size);
		}
		for (const path of ['checkpoint', 'tile/0/000.p/1', 'consistency', `entries/${unknown}/proof`, 'audit']) {
			expectRefusal(await send(test, `/api/v1/ledger/${path}`), 401, 'invalid-token');
		}
	});

	it('the same for the hashes, with slashes as they are or escaped', async () => {
		for (const path of [`tile/0/000.p/${size}`, `tile/${encodeURIComponent(`0/000.p/${size}`)}`]) {
			const { answer, bytes } = await bytesOf('nick', path);
			expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/octet-stream']);
			expect(answer.headers.get('cache-control')).toBe('no-store');
			expect(decodeTile(bytes, size)).toHaveLength(size);
		}
	});

	it.each([
		'tile/0/000',
		'tile/0/000.p/0',
		'tile/0/000.p/256',
		'tile/0/000.p/05',
		'tile/0/x000/001',
		'tile/63/000',
		'tile/00/000',
		'tile/0/999.p/1',
	])('%s is not there', async (path) => {
		await refused(test, get('alice', `/ledger/${path}`), 404, 'not-found');
	});

	it.each([
		'tile/0/../../../checkpoint',
		'tile/0/..%2f..%2fcheckpoint',
		'tile/0/000.p/1/..',
		'tile/-1/000',
		'tile/0/0000',
		'tile/0/000%00',
		'tile/staging/1',
		'tile/x',
		'tile/entries/000.p/1/x',
		'tile/entries/..%2f..%2fledger.pem',
	])('%s is no place in the log', async (path) => {
		const headers = { authorization: `Bearer ${await test.bank.issuer.token('rita')}` };
		const answer = await send(test, `/api/v1/ledger/${path}`, { headers });
		expect([404, 422]).toContain(answer.status);
	});

	it('the entries are for regulators alone, and that they read them is recorded', async () => {
		for (const who of ['alice', 'olga', 'stella', 'oscar', 'nick'] as const) {
			await refused(test, get(who, `/ledger/tile/entries/000.p/${size}`), 403, 'not-permitted');
		}
		const [read, ...more] = await added(async () => {
			const { answer, bytes } = await bytesOf('rita', `tile/entries/000.p/${size}`);
			expect(answer.status).toBe(200);
			const shown = decodeBundle(bytes, size).map(Ledger.readEntry);
			expect(shown.map(({ entry }) => entry.id)).toContain(entries['flow']?.entry.id);
		});
		expect(more).toEqual([]);
		const spans = read?.entries?.spans.reduce((sum, { from, to }) => sum + to - from + 1, 0);
		expect(read).toMatchObject({ operation: 'getEntryBundle', shown: size, asked: { path: `000.p/${size}` } });
		expect(spans).toBe(size);
	});

	const entitled: readonly [of: string, to: readonly Handle[]][] = [
		['request', ['alice', 'olga', 'rita']],
		['decision', ['alice', 'olga', 'rita']],
		['grant', ['alice', 'olga', 'rita']],
		['entitlement', ['alice', 'carl', 'olga', 'rita']],
		['flow', ['alice', 'carl', 'olga', 'rita']],
		['product', ['olga', 'rita']],
		['report', ['olga', 'rita']],
		['domain', ['rita']],
	];

	it.each(entitled)('the entry of a %s is proven to %j, and to others it is not there', async (of, to) => {
		const everybody = ['alice', 'carl', 'mia', 'olga', 'peter', 'paula', 'rita', 'stella', 'oscar'] as const;
		const absent = await test.world.call(get('mia', `/ledger/entries/${unknown}/proof`));
		const problem = expectRefusal(absent, 404, 'not-found');
		const served: Handle[] = [];
		for (const who of everybody) {
			const answer = await proofOf(who, of);
			if (answer.status !== 200) {
				expect(expectRefusal(answer, 404, 'not-found').detail).toBe(problem.detail);
				continue;
			}
			served.push(who);
			const { index, checkpoint } = verifyProof(
				answer.body as string,
				entries[of]?.stored.bytes ?? new Uint8Array(),
				trust,
			);
			expect([index < size, checkpoint.size >= size]).toEqual([true, true]);
		}
		expect(served.toSorted()).toEqual([...to].toSorted());
		expectRefusal(await proofOf('nick', of), 403, 'not-permitted');
	});

	it('no proof is that of another entry', async () => {
		const { body } = await proofOf('rita', 'flow');
		const other = entries['grant']?.stored.bytes ?? new Uint8Array();
		expect(() => verifyProof(body as string, other, trust)).toThrow();
	});

	it('one that was changed is told of to those it is proven to, without its place; to others it is not there', async () => {
		for (const [of, told] of [
			['entitlement', ['alice', 'carl', 'rita']],
			// Whose it is stands in the entry itself.
			['report', ['rita']],
		] as const) {
			const { stream = '' } = entries[of]?.stored ?? {};
			const { putBack } = await changeHash(entries[of]);
			try {
				for (const who of ['alice', 'carl', 'mia', 'peter', 'stella', 'oscar', 'rita'] as const) {
					const answer = await proofOf(who, of);
					const isTold = told.some((one) => one === who);
					const problem = isTold
						? expectRefusal(answer, 500, 'record-corrupt')
						: expectRefusal(answer, 404, 'not-found');
					expect(JSON.stringify(problem), who).not.toContain(JSON.stringify(stream).slice(1, -1));
				}
			} finally {
				await putBack();
			}
			expect((await proofOf('olga', of)).status).toBe(200);
		}
	});

	it('what the regulator has proven is recorded', async () => {
		const id = entries['flow']?.entry.id;
		const read = await added(async () => expect((await proofOf('rita', 'flow')).status).toBe(200));
		expect(read).toMatchObject([{ operation: 'getEntryProof', asked: { id }, shown: 1 }]);
	});

	it('goes on from each earlier checkpoint, and says what was never published', async () => {
		await test.world.call(post('olga', `/grants/${grant.id}/revoke`));
		const later = (await test.bank.seal()).size;
		expect(later).toBeGreaterThan(size);
		const { status, body } = await call('nick', `consistency?from=${size}&to=${later}`);
		const { from, to, proof } = body as { from: Head; to: Head; proof: string[] };
		expect([status, from.size, to.size]).toEqual([200, size, later]);
		verifyConsistency({ from: rootOf(from), to: rootOf(to), proof: proof.map((hash) => Buffer.from(hash, 'base64')) });
		for (const asked of [`from=${later}&to=${size}`, `from=${size - 1}`, `to=${later + 1}`]) {
			await refused(test, get('alice', `/ledger/consistency?${asked}`), 404, 'not-found');
		}
		for (const asked of ['from=-1', 'from=1.0', 'to=x', 'to=1e3', 'to=9999999999999999']) {
			await refused(test, get('alice', `/ledger/consistency?${asked}`), 422, 'validation');
		}
	});

	it('the files verify as they lie in the folder, by what anybody can run', async () => {
		const folder = new URL(test.bank.settings['FAIRLEAD_LEDGER_LOG'] ?? '').pathname;
		const verified = await verifyLog(sourceOf(folder), trust);
		expect(verified.checkpoint.size).toBeGreaterThan(size);
		expect(verified.archived).toBe(2);
	});
});

type Head = { size: number; root: string };
const rootOf = ({ size, root }: Head) => ({ size, root: new Uint8Array(Buffer.from(root, 'base64')) });

describe('the audit', () => {
	it('is for regulators, whose asking is recorded, and operators', async () => {
		for (const who of ['alice', 'olga', 'stella', 'nick'] as const) {
			await refused(test, get(who, '/ledger/audit'), 403, 'not-permitted');
		}
		const read = await added(async () => {
			expect((await call('rita', 'audit')).body).toMatchObject({ ok: true, fault: null });
		});
		expect(read).toMatchObject([{ operation: 'auditLedger' }]);
	});

	it('names the entry that was changed after it was sealed', async () => {
		const { stream = '', ver = 0 } = entries['decision']?.stored ?? {};
		const { putBack } = await changeHash(entries['decision']);
		try {
			const { body } = await call('oscar', 'audit');
			expect(body).toMatchObject({ ok: false, fault: { kind: 'changed', stream, version: Ledger.versionKey(ver) } });
		} finally {
			await putBack();
		}
		expect((await call('oscar', 'audit')).body).toMatchObject({ ok: true });
	});
});

describe('whoever writes may wait until it is sealed', () => {
	const path = '/requests?wait=sealed';

	it('and is told in time that it is not yet: it is done all the same', async () => {
		const { status, headers, body } = await test.world.call(post('alice', path, requestBody(test.world)));
		expect([status, headers.get('fairlead-sealed')]).toEqual([201, 'false']);
		const { id } = body as { id: string };
		expect((await test.world.call(get('alice', `/requests/${id}`))).status).toBe(200);
	});

	it('and is answered once it is; a checkpoint covers it then', async () => {
		const state = { answered: false };
		const asked = test.world.call(post('alice', path, requestBody(test.world))).finally(() => {
			state.answered = true;
		});
		while (!state.answered) await test.bank.seal();
		const { headers, body } = await asked;
		expect(headers.get('fairlead-sealed')).toBe('true');
		const [filed] = await Ledger.read(test.bank.platform, Ledger.stream.request((body as { id: string }).id));
		const proof = await test.world.call(get('alice', `/ledger/entries/${filed?.entry.id}/proof`));
		expect(verifyProof(proof.body as string, filed?.stored.bytes ?? new Uint8Array(), trust).index).toBeGreaterThan(0);
	});

	it('where nothing is written, nothing is said; nor of what is only read', async () => {
		const dry = await test.world.call(post('alice', `${path}&dryRun=true`, requestBody(test.world)));
		expect([dry.status, dry.headers.get('fairlead-sealed')]).toEqual([200, null]);
		await refused(test, post('alice', '/requests?wait=never', requestBody(test.world)), 422, 'validation');
		await refused(test, get('alice', '/requests?wait=sealed'), 422, 'validation');
	});

	it('who does not wait is not told', async () => {
		const { headers } = await test.world.call(post('alice', '/requests', requestBody(test.world)));
		expect(headers.get('fairlead-sealed')).toBeNull();
	});
});
