/**
 * What hides no effect of a changed contract or domain: another role of whoever asked, a rule that forbids it anyway, a
 * change before the grant was opened, a record that is damaged, a hold that was there before.
 */
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ruled } from '#core/access/rules.ts';
import * as Access from '#core/access.ts';
import * as Catalog from '#core/catalog.ts';
import { systemContext } from '#core/context.ts';
import * as Domains from '#core/domains.ts';
import type * as Grants from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import type { TestBank } from '#tests/fixtures.ts';
import { decision, file, grantTo, post } from './harness.ts';
import { bankToPublish, CARDS, column, drop, property, same } from './publishing.ts';
import { identityOf, type Registration, registered } from './registration.ts';
import { inserts, makeObstacles } from './stall.ts';

let bank: Awaited<ReturnType<typeof bankToPublish>>;
let test: TestBank;
let obstacles: ReturnType<typeof makeObstacles>;
beforeAll(async () => {
	bank = await bankToPublish();
	({ test } = bank);
	obstacles = makeObstacles(test);
});
afterAll(() => test.close());
afterEach(async () => {
	obstacles.clear();
	await bank.clear();
});

const LONG = { timeout: 120_000 };
const elsewhere = (b: Registration) => (b.attributes = { ...b.attributes, jurisdiction: 'SK' });
const inCz = (d: Parameters<typeof property>[0]) => property(d, 'residency', ['CZ']);
const open = () => grantTo(test.world, 'mia', bank.mias(), ['peter']);
const system = () => systemContext(test.bank.platform, '0'.repeat(32));
const holds = async (id: string) =>
	(await Ledger.read(test.bank.platform, Ledger.stream.grant(id))).flatMap(({ body }) =>
		body.type === 'GrantSuspending' || body.type === 'GrantHeld' ? [[body.type, body.cause]] : [],
	);

async function affectedLines(): Promise<string[]> {
	const { SHARDS, all, key } = Ledger.Listing;
	const shards = Array.from({ length: SHARDS }, (_, shard) => all(test.bank.platform, key.affected(shard)));
	const now = new Date().toISOString();
	return (await Promise.all(shards)).flat().filter((line) => line <= now);
}

/** Overwrites the first entry of a stream; gives back how to undo that. */
async function damage(stream: string): Promise<() => Promise<unknown>> {
	const { config, aws } = test.bank.platform;
	const TableName = config.tables.ledger;
	const Key = { pk: { S: stream }, sk: { S: 'V#0000000001' } };
	const { Item } = await aws.dynamodb.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
	if (Item === undefined) throw new Error('no such entry');
	const put = (more: object) => aws.dynamodb.send(new PutItemCommand({ TableName, Item: { ...Item, ...more } }));
	await put({ b: { B: Buffer.from('{}') }, z: { BOOL: false } });
	return () => put({});
}

describe('a route that grew is found', () => {
	const restricted = (d: Parameters<typeof column>[0]) => (column(d, 'card_id')['classification'] = 'restricted');

	it('whatever other role whoever asked was given', LONG, async () => {
		const { id } = await open();
		await registered(test, 'governance', (b) => b.members.push({ ...identityOf(test, 'mia'), roles: ['regulator'] }));
		const { affected } = await bank.publish('paula', CARDS, restricted);
		await registered(test, 'governance');
		expect(affected).toMatchObject([{ grant: id, action: 'suspend', effects: [{ code: 'route-grew' }] }]);
	});

	it('though a rule forbids it all the same', async () => {
		const [product, domain] = [await Catalog.get(system(), CARDS), await Domains.get(system(), 'marketing')];
		const found = product?.contract.tables[0];
		if (product === null || domain === null || found === undefined) throw new Error('not there');
		const purpose = 'service-improvement';
		const scopes = [{ table: Catalog.refOf(found), columns: ['card_id'], rowFilter: null }];
		const personal = () => ({ has: () => true });
		const asking = { product, serving: { domain, purpose }, scopes, purpose, duration: 'P2D', personal };
		const as = (...roles: ('consumer' | 'regulator')[]) => {
			const held = roles.map((role) => ({ domain: role === 'regulator' ? 'governance' : domain.id, role }));
			return ruled({ ...system(), caller: { issuer: '', subject: '', person: 'somebody', roles: held } }, asking);
		};
		const route = ['owner', 'privacy-officer'];
		expect(as('consumer')).toMatchObject({ allowed: true, refusing: [], route });
		expect(as('consumer', 'regulator')).toMatchObject({ allowed: false, refusing: ['regulators-only-read'], route });
	});
});

it('a domain that is another between decision and opening is found by whoever opens', LONG, async () => {
	await bank.publish('peter', CARDS, inCz);
	const asked = await file(test.world, 'mia', bank.mias());
	const { there, release } = obstacles.stall(inserts('A#request#'));
	const deciding = test.world.call(decision('peter', asked));
	await there;
	await registered(test, 'marketing', elsewhere);
	release();
	const { grant } = (await deciding).body as { grant: Grants.GrantView };
	await registered(test, 'marketing');
	expect(grant.state).toMatch(/^suspend/);
	expect(grant.notices).toMatchObject([
		{ kind: 'suspended', reasons: [{ code: 'rules-forbid', rules: ['residency'] }] },
	]);
});

describe('a grant that is held back already', () => {
	it('is told of the change, once, and can be renewed', LONG, async () => {
		const { id } = await open();
		await test.world.call(post('peter', `/grants/${id}/suspend`, { reason: 'An incident' }));
		const { affected } = await bank.publish('paula', CARDS, (d) => drop(d, 'type'));
		expect(affected).toMatchObject([{ grant: id, action: 'stays-suspended' }]);
		await test.bank.sweep();
		expect(await holds(id)).toEqual([
			['GrantSuspending', 'owner'],
			['GrantHeld', 'contract'],
		]);
		expect((await bank.read('mia', id)).notices).toMatchObject([{ reasons: [{ code: 'column-gone' }] }]);
		const asked = post('mia', `/grants/${id}/renew`, { duration: 'P1D', justification: 'Still needed' });
		expect((await test.world.call(asked)).status).toBe(201);
	});

	it('is held back for the officer, too, once he says so', LONG, async () => {
		const { id } = await open();
		await bank.publish('paula', CARDS, (d) => drop(d, 'type'));
		await registered(test, 'payments', (b) => {
			b.members = b.members.filter((m) => m.subject !== identityOf(test, 'paula').subject);
			b.members.push({ ...identityOf(test, 'paula'), roles: ['privacy-officer'] });
		});
		const suspend = post('paula', `/grants/${id}/suspend`, { reason: 'Under investigation' });
		const statuses = [(await test.world.call(suspend)).status, (await test.world.call(suspend)).status];
		await registered(test, 'payments', (b) => {
			b.members = [
				{ ...identityOf(test, 'peter'), roles: ['owner'] },
				{ ...identityOf(test, 'paula'), roles: ['owner', 'privacy-officer'] },
			];
		});
		expect(statuses).toEqual([202, 202]);
		expect(await holds(id)).toEqual([
			['GrantSuspending', 'contract'],
			['GrantHeld', 'officer'],
		]);
	});
});

it('trying a contract out takes nothing off a listing', async () => {
	const { id } = await open();
	await bank.revoke('peter', id);
	expect((await bank.read('mia', id)).state).toBe('revoked');
	const listed = () => Ledger.Listing.all(test.bank.platform, Ledger.Listing.key.grantsOfProduct(CARDS));
	const before = await listed();
	const tried = await test.world.call(bank.put('peter', CARDS, bank.contractOf(CARDS, same), true));
	expect([tried.status, before.includes(id)]).toEqual([200, true]);
	expect(await listed()).toEqual(before);
});

describe('the sweep', () => {
	it('goes on where an earlier pass stood', LONG, async () => {
		await bank.publish('peter', CARDS, inCz);
		const [seen, unseen] = [(await open()).id, (await open()).id];
		await test.bank.sweep();
		await registered(test, 'marketing', elsewhere);
		const line = (await affectedLines()).find((l) => l.endsWith('#domain#marketing')) ?? '';
		await Ledger.Listing.writeHint(test.bank.platform, 'affected-domain#marketing', `${line} ${seen}`);
		await Access.followChange(system(), line);
		const states = await Promise.all([seen, unseen].map(async (id) => (await bank.read('mia', id)).state));
		expect(states).toEqual(['granted', 'suspending']);
		expect(await affectedLines()).not.toContain(line);
		await registered(test, 'marketing');
	});

	it('puts a damaged grant aside, and passes over a damaged contract version', LONG, async () => {
		await bank.publish('peter', CARDS, inCz);
		const [broken, whole] = [(await open()).id, (await open()).id];
		await test.bank.sweep();
		const damaged = [Ledger.stream.product(CARDS), Ledger.stream.grant(broken)];
		const undo = await Promise.all(damaged.map(damage));
		await registered(test, 'marketing', elsewhere);
		await test.bank.sweep();
		await Promise.all(undo.map((back) => back()));
		expect((await bank.read('mia', whole)).state).toBe('suspended');
		const lines = (await affectedLines()).map((line) => line.slice(line.indexOf('#') + 1));
		expect(lines).toContain(`grant#${broken}#domain`);
		expect(lines).not.toContain('domain#marketing');
		await test.bank.sweep();
		expect((await bank.read('mia', broken)).state).toBe('suspended');
		await registered(test, 'marketing');
	});
});
