/**
 * Erasing over HTTP: what may not be erased is refused and says why; what was is gone from every view, and everything
 * still answers, still verifies, and tells the regulator that, when, why and by whom it was.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DeleteItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErasureView } from '#core/erasure.ts';
import type { GrantView } from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import type { Handle } from '#local/people.ts';
import { LEDGER_FOLDER } from '#local/sealing.ts';
import { principalOf, startQuery } from '#local/story/world.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { verifyLog } from '#verifier/log.ts';
import { verifierKey } from '#verifier/note.ts';
import { folderSource } from '#verifier/source.ts';
import { withdrawn } from './fuzz/erasures.ts';
import { decision, file, finished, get, grantTo, patch, post, readings, refused, requestBody } from './harness.ts';
import { registered } from './registration.ts';

let test: TestBank;
beforeAll(async () => {
	test = await testBank();
});
afterAll(() => test.close());

const REASON = { reason: 'erasure-request', note: 'Case 2026-117' };
const asking = (entry: string, who: Handle = 'paula', body: unknown = REASON) =>
	post(who, `/ledger/entries/${entry}/erasure`, body);

/** Ids of the entries of a type in a stream, in order. */
async function entriesOf(stream: string, type: string): Promise<string[]> {
	const entries = await Ledger.read(test.bank.platform, stream);
	return entries.filter((e) => e.body.type === type).map((e) => e.entry.id);
}

async function entryOf(stream: string, type: string): Promise<string> {
	const last = (await entriesOf(stream, type)).at(-1);
	if (last === undefined) throw new Error(`no ${type} in ${stream}`);
	return last;
}

const keyOf = (entry: string) => ({
	TableName: test.bank.platform.config.tables.payloads,
	Key: { pk: { S: `P#${entry}` }, sk: { S: '-' } },
});
const payloadOf = async (entry: string) =>
	(await test.bank.platform.aws.dynamodb.send(new GetItemCommand(keyOf(entry)))).Item ?? null;

async function asked(entry: string, body: unknown = REASON): Promise<ErasureView> {
	const answer = await test.world.call(asking(entry, 'paula', body));
	expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 202, body: { state: 'requested' } });
	return answer.body as ErasureView;
}

async function erased(entry: string): Promise<void> {
	await asked(entry);
	expect(await test.bank.erase()).toEqual({ erased: 1, kept: 0, failed: 0 });
	expect(await payloadOf(entry)).toBeNull();
}

async function listing(who: Handle = 'rita'): Promise<ErasureView[]> {
	const answer = await test.world.call(get(who, '/ledger/erasures?pageSize=100'));
	expect(answer.status).toBe(200);
	return (answer.body as { erasures: ErasureView[] }).erasures;
}
const listedOf = async (entry: string) => (await listing()).find((e) => e.entry === entry);

/** Of customers, with a filter that names people. */
const personal = () => ({
	...requestBody(test.world, { product: 'customers.clients', purpose: 'service-improvement' }),
	tables: [{ table: 'clients', columns: ['client_id'], rowFilter: "birth_token LIKE '7_%'" }],
	principal: principalOf(test.world, 'marketing', 'service-improvement'),
	justification: 'Ada Lovelace asked for it',
});
const entitlement = (grant: GrantView) =>
	Ledger.stream.entitlement(grant.principal, { account: '210000000002', database: 'customers', table: 'clients' });

/** On record, as if it had been taken. */
async function taken(stream: string, type: string, ver: number): Promise<string> {
	const entry = await entryOf(stream, type);
	const rules = { policies: [], setHash: '0'.repeat(64) };
	const ctx = { ...test.bank.platform, trace: '0'.repeat(32) };
	await Ledger.append(ctx, {
		stream: Ledger.stream.erasure(entry),
		after: null,
		actor: 'system',
		body: {
			type: 'ErasureRequested',
			entry,
			of: { stream, ver, type },
			reason: 'retention-over',
			requester: 'per_01M7YD5Q0000000000E7B4KQ2V',
			rules,
		},
	});
	return entry;
}

describe('is refused', () => {
	it.each(['alice', 'olga', 'peter', 'stella', 'oscar', 'rita', 'nick'] as const)('to %s', async (who) => {
		await refused(test, asking(await withdrawn(test.world), who), 403, 'not-permitted');
	});

	it.each(['alice', 'olga', 'stella', 'oscar', 'nick'] as const)('to tell %s what was erased', async (who) => {
		await refused(test, get(who, '/ledger/erasures'), 403, 'not-permitted');
	});

	it('without one of the reasons that there are', async () => {
		const entry = await withdrawn(test.world);
		await refused(test, asking(entry, 'paula', {}), 422, 'validation');
		await refused(test, asking(entry, 'paula', { reason: 'because' }), 422, 'validation');
		await refused(test, asking(entry, 'paula', { ...REASON, note: ' ' }), 422, 'validation');
	});

	it('of an entry that is not there', async () => {
		await refused(test, asking(`led_${'0'.repeat(26)}`), 404, 'not-found');
	});

	it('of an entry without a payload, sealed or not', async () => {
		const entry = await entryOf(Ledger.stream.product('lending.loans'), 'ContractPublished');
		await refused(test, asking(entry), 409, 'nothing-to-erase');
		await test.bank.seal();
		await refused(test, asking(entry), 409, 'nothing-to-erase');
	});

	it('of a pending request, as it was filed and as it was edited', async () => {
		const { view, etag } = await file(test.world, 'alice', requestBody(test.world));
		const change = patch('alice', `/requests/${view.id}`, { justification: 'Said better' }, { 'if-match': etag });
		expect((await test.world.call(change)).status).toBe(200);
		const stream = Ledger.stream.request(view.id);
		for (const type of ['AccessRequested', 'AccessEdited']) {
			const { detail } = await refused(test, asking(await entryOf(stream, type)), 409, 'still-needed');
			expect(detail).toContain('the request is pending');
		}
	});

	it('of what a live grant is made of: its request, itself, what the principal holds', async () => {
		const grant = await grantTo(test.world, 'mia', personal(), ['peter', 'paula']);
		const of: [string, string][] = [
			[Ledger.stream.request(grant.request), 'AccessRequested'],
			[Ledger.stream.grant(grant.id), 'GrantOpened'],
			[entitlement(grant), 'EntitlementChanged'],
		];
		for (const [stream, type] of of) await refused(test, asking(await entryOf(stream, type)), 409, 'still-needed');
		const [first = ''] = await entriesOf(entitlement(grant), 'EntitlementChanged');
		// Overtaken a moment ago: somebody may still be acting on it.
		await refused(test, asking(first), 409, 'still-needed');
		expect((await test.world.call(post('peter', `/grants/${grant.id}/revoke`, { reason: 'Done' }))).status).toBe(202);
	});

	it('of a query that has not ended', async () => {
		await grantTo(test.world, 'alice', requestBody(test.world));
		const started = await startQuery(test.world, 'SELECT * FROM lending.loans');
		const { id } = started.body as { id: string };
		await refused(test, asking(await entryOf(Ledger.stream.flow(id), 'FlowIntended')), 409, 'still-needed');
	});

	it('of why a delegation was given that is in force', async () => {
		const body = {
			domain: 'lending',
			role: 'owner',
			to: { issuer: test.bank.issuer.issuer, subject: 'u-a85f12c9' },
			until: new Date(Date.now() + 86_400_000).toISOString(),
			reason: 'On leave',
		};
		const given = await test.world.call(post('olga', '/delegations', body));
		expect({ status: given.status, body: given.body }).toMatchObject({ status: 201 });
		const { id } = given.body as { id: string };
		const entry = await entryOf(Ledger.stream.delegation(id), 'DelegationGiven');
		await refused(test, asking(entry), 409, 'still-needed');
		expect((await test.world.call(post('olga', `/delegations/${id}/end`))).status).toBe(200);
		await erased(entry);
		const read = await test.world.call(get('olga', `/delegations/${id}`));
		expect(read).toMatchObject({ status: 200, body: { reason: null, state: 'ended' } });
	});

	it('of the charter that a domain has; of one that it had, it is not', async () => {
		const stream = Ledger.stream.domain('risk');
		const before = await entryOf(stream, 'DomainRegistered');
		await refused(test, asking(before), 409, 'still-needed');
		await registered(test, 'risk', (body) => {
			body.charter = 'Another one';
		});
		await erased(before);
		expect((await test.world.call(get('alice', '/domains/risk'))).status).toBe(200);
	});

	it('a second time, whether it is about to be or was', async () => {
		const entry = await withdrawn(test.world);
		await asked(entry);
		const soon = await refused(test, asking(entry), 409, 'nothing-to-erase');
		expect(soon.detail).toContain('about to be');
		const own = await entryOf(Ledger.stream.erasure(entry), 'ErasureRequested');
		await refused(test, asking(own), 409, 'still-needed');
		expect(await test.bank.erase()).toEqual({ erased: 1, kept: 0, failed: 0 });
		const done = await refused(test, asking(entry), 409, 'nothing-to-erase');
		expect(done.detail).toContain('was erased at');
	});

	it('to all but one of those who ask at once', async () => {
		const entry = await withdrawn(test.world);
		const answers = await Promise.all(Array.from({ length: 6 }, () => test.world.call(asking(entry))));
		expect(answers.filter((a) => a.status === 202)).toHaveLength(1);
		expect(answers.filter((a) => a.status === 409)).toHaveLength(5);
		expect(await test.bank.erase()).toEqual({ erased: 1, kept: 0, failed: 0 });
	});
});

describe('the eraser', () => {
	it('erases nothing that was not asked for', async () => {
		const entry = await withdrawn(test.world);
		expect(await test.bank.erase()).toEqual({ erased: 0, kept: 0, failed: 0 });
		expect(await payloadOf(entry)).not.toBeNull();
	});

	it('keeps what something needs, whatever was asked, and erases it once nothing does', async () => {
		const { view } = await file(test.world, 'alice', requestBody(test.world));
		const entry = await taken(Ledger.stream.request(view.id), 'AccessRequested', 1);
		expect(await test.bank.erase()).toEqual({ erased: 0, kept: 1, failed: 0 });
		expect(await payloadOf(entry)).not.toBeNull();
		expect((await test.world.call(post('alice', `/requests/${view.id}/cancel`))).status).toBe(200);
		expect(await test.bank.erase()).toEqual({ erased: 1, kept: 0, failed: 0 });
		expect(await payloadOf(entry)).toBeNull();
	});

	it('goes on after it was cut off, and says what it found', async () => {
		const entry = await withdrawn(test.world);
		await asked(entry);
		await test.bank.platform.aws.dynamodb.send(new DeleteItemCommand(keyOf(entry)));
		expect(await test.bank.erase()).toEqual({ erased: 1, kept: 0, failed: 0 });
		expect(await listedOf(entry)).toMatchObject({ state: 'erased', found: 'gone' });
	});

	it('erases what is not what the hash is of, and says so', async () => {
		const entry = await withdrawn(test.world);
		await asked(entry);
		const { TableName, Key } = keyOf(entry);
		const other = { ...Key, salt: { B: Buffer.from('salt') }, pii: { B: Buffer.from('altered') } };
		await test.bank.platform.aws.dynamodb.send(new PutItemCommand({ TableName, Item: other }));
		expect(await test.bank.erase()).toEqual({ erased: 1, kept: 0, failed: 0 });
		expect(await payloadOf(entry)).toBeNull();
		expect(await listedOf(entry)).toMatchObject({ state: 'erased', found: 'altered' });
	});

	it('beside another one tells it once; a line that was left is taken off', async () => {
		const entry = await withdrawn(test.world);
		await asked(entry);
		const passes = await Promise.all([test.bank.erase(), test.bank.erase(), test.bank.erase()]);
		expect(passes.map((p) => p.failed)).toEqual([0, 0, 0]);
		expect(await entriesOf(Ledger.stream.erasure(entry), 'PayloadErased')).toHaveLength(1);
		const { applyProjections, key } = Ledger.Listing;
		await applyProjections(test.bank.platform, [{ op: 'put', pk: key.erasing, sk: entry }]);
		expect(await test.bank.erase()).toEqual({ erased: 0, kept: 0, failed: 0 });
		expect(await Ledger.Listing.all(test.bank.platform, key.erasing)).toEqual([]);
	});
});

describe('once it is erased', () => {
	it('a request says nothing any more, and is shown; a note goes like any other', async () => {
		const entry = await withdrawn(test.world);
		const { stream } = await asked(entry);
		const path = `/requests/${stream.slice('A#request#'.length)}`;
		const before = await test.world.call(get('alice', path));
		expect(before.body).toMatchObject({ justification: 'Review of loans in arrears' });
		await test.bank.erase();
		const after = await test.world.call(get('alice', path));
		expect(after).toMatchObject({ status: 200, body: { ...(before.body as object), justification: null } });
		await refused(test, get('olga', `${path}/preview`), 409, 'already-decided');
		expect(await listedOf(entry)).toMatchObject({ note: 'Case 2026-117' });
		await erased(await entryOf(Ledger.stream.erasure(entry), 'ErasureRequested'));
		expect(await listedOf(entry)).toMatchObject({ note: null, reason: 'erasure-request', found: 'whole' });
	});

	it('a query still shows what it read and gives its rows; a report still has it', async () => {
		await grantTo(test.world, 'alice', requestBody(test.world));
		const query = await finished(test.world, 'alice', "SELECT loan_id FROM lending.loans WHERE status = 'D'");
		const report = await test.world.call(post('rita', '/reports', { kind: 'flows', product: 'lending.loans' }));
		const { id } = report.body as { id: string };
		const calls = [
			get('alice', `/queries/${query.id}`),
			get('alice', `/queries/${query.id}/results?pageSize=50`),
			get('rita', `/reports/${id}/content?format=json`),
			get('rita', `/reports/${id}/content?format=csv`),
		];
		const all = async () => {
			const answers: { status: number; body: unknown }[] = [];
			for (const call of calls) {
				const { status, body } = await test.world.call(call);
				answers.push({ status, body });
			}
			return answers;
		};
		await all();
		const before = await all();
		await erased(await entryOf(Ledger.stream.flow(query.id), 'FlowIntended'));
		expect(await all()).toEqual(before);
		expect(before.map((a) => a.status)).toEqual([200, 200, 200, 200]);
		expect(JSON.stringify(before[2]?.body)).toContain(query.id);
		expect(await test.bank.sweep()).toMatchObject({ failed: 0 });
	});

	it('a grant that is over says that its filter was, opens nothing, and is neither prolonged nor previewed', async () => {
		const grant = await grantTo(test.world, 'mia', personal(), ['peter', 'paula']);
		const opened = await entryOf(Ledger.stream.grant(grant.id), 'GrantOpened');
		await refused(test, asking(opened), 409, 'still-needed');
		const ended = await test.world.call(post('peter', `/grants/${grant.id}/revoke`, { reason: 'Ada left' }));
		expect(ended).toMatchObject({ status: 202, body: { state: 'revoked' } });
		await erased(opened);
		await erased(await entryOf(Ledger.stream.grant(grant.id), 'GrantEnding'));
		await erased(await entryOf(Ledger.stream.request(grant.request), 'AccessRequested'));
		const held = test.bank.aws.lakeFormationState();
		const shown = await test.world.call(get('mia', `/grants/${grant.id}`));
		expect(shown).toMatchObject({ status: 200, body: { state: 'revoked', tables: [{ rowFilter: '(erased)' }] } });
		expect(JSON.stringify(shown.body)).not.toContain('7_%');
		const request = await test.world.call(get('mia', `/requests/${grant.request}`));
		expect(request).toMatchObject({ status: 200, body: { justification: null, tables: [{ rowFilter: '(erased)' }] } });
		await refused(
			test,
			post('mia', `/grants/${grant.id}/renew`, { duration: 'P1D', justification: 'Once more' }),
			409,
			'conflict',
		);
		const previewed = await test.world.call(get('peter', `/grants/${grant.id}/preview`));
		expect([previewed.status, JSON.stringify(previewed.body).includes('7_%')]).toEqual([expect.any(Number), false]);
		expect(previewed.status).toBeLessThan(500);
		expect(await test.bank.sweep()).toMatchObject({ failed: 0 });
		expect(await test.bank.reconcile()).toMatchObject({ failed: 0 });
		expect(test.bank.aws.lakeFormationState().filters).toEqual(held.filters);
	});

	it('a comment of one who decided is gone alone', async () => {
		const one = await file(test.world, 'alice', requestBody(test.world));
		const call = decision('olga', one, 'reject');
		const decided = await test.world.call({ ...call, body: { verdict: 'reject', comment: 'Charles says no' } });
		expect(decided.status).toBe(201);
		await erased(await entryOf(Ledger.stream.request(one.view.id), 'AccessDecided'));
		const read = await test.world.call(get('alice', `/requests/${one.view.id}`));
		expect(read.body).toMatchObject({ state: 'rejected', justification: 'Review of loans in arrears' });
	});

	it('a regulator sees when, why and by whom, page by page; that he looked is on record', async () => {
		const entry = await withdrawn(test.world);
		await erased(entry);
		const { person } = (await test.world.call(get('paula', '/me'))).body as { person: string };
		const [newest] = await listing();
		expect(newest).toMatchObject({
			entry,
			type: 'AccessRequested',
			reason: 'erasure-request',
			requestedBy: person,
			state: 'erased',
			found: 'whole',
		});
		expect(Date.parse(newest?.erasedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(newest?.requestedAt ?? ''));
		const stored = await Ledger.read(test.bank.platform, newest?.stream ?? '');
		expect(stored.find((e) => e.entry.id === entry)?.entry.piiHash).toBe(newest?.hash);
		const looked = (await readings(test)).filter((r) => r.operation === 'listErasures');
		expect(looked.at(-1)?.rules.policies).toEqual(['regulators-view-erasures']);
		expect((await listing('paula')).length).toBeGreaterThan(3);
		const page = await test.world.call(get('paula', '/ledger/erasures?pageSize=2'));
		const { nextPageToken } = page.body as { nextPageToken: string };
		const next = await test.world.call(get('paula', `/ledger/erasures?pageSize=2&pageToken=${nextPageToken}`));
		expect((next.body as { erasures: unknown[] }).erasures).toHaveLength(2);
	});

	it('everything verifies: by its streams, by the log, by whoever has the files alone', async () => {
		await test.bank.seal();
		const entry = await withdrawn(test.world);
		await test.bank.seal();
		await erased(entry);
		await test.bank.seal();
		const { body } = await test.world.call(get('oscar', '/ledger/verification'));
		expect(body).toMatchObject({ ok: true, findings: [] });
		const audit = await test.world.call(get('oscar', '/ledger/audit'));
		expect(audit.body).toMatchObject({ ok: true, waiting: 0, quarantined: 0, fault: null });
		const vkey = verifierKey(test.bank.settings['FAIRLEAD_LEDGER_VKEY'] ?? '');
		const folder = path.join(test.bank.dataDir, LEDGER_FOLDER);
		const verified = await verifyLog(folderSource(folder), { keys: [vkey] });
		expect(verified.checkpoint.size).toBe((audit.body as { entries: number }).entries);
		expect(readFileSync(path.join(folder, 'checkpoint'), 'utf8')).toContain('\n');
		expect((await test.world.call(get('rita', `/ledger/entries/${entry}/proof`))).status).toBe(200);
	});
});

// Last: it stays on record, and is tried in every pass.
it('the eraser is not held up by one that it cannot carry out', async () => {
	const { view } = await file(test.world, 'alice', requestBody(test.world));
	expect((await test.world.call(post('alice', `/requests/${view.id}/cancel`))).status).toBe(200);
	const wrong = await taken(Ledger.stream.request(view.id), 'AccessRequested', 7);
	const entry = await withdrawn(test.world);
	await asked(entry);
	expect(await test.bank.erase()).toEqual({ erased: 1, kept: 0, failed: 1 });
	expect([await payloadOf(wrong), await payloadOf(entry)]).toEqual([expect.anything(), null]);
});
