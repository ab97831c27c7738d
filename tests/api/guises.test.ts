/**
 * Several identities of one person, and programs that act for people: what a registration may say of them, and that they
 * hold roles apart but count as one. And the attributes of domains, which stand beside them.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RequestView } from '#core/access.ts';
import { systemContext } from '#core/context.ts';
import * as Domains from '#core/domains.ts';
import * as Ledger from '#core/ledger.ts';
import { type Handle } from '#local/people.ts';
import { principalOf } from '#local/story/world.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { decision, file, get, refused, requestBody } from './harness.ts';
import type { Change, Member, Registration } from './registration.ts';
import * as registration from './registration.ts';

let test: TestBank;
beforeAll(async () => {
	test = await testBank();
});
afterEach(() => test.bank.aws.faults.clear());
afterAll(() => test.close());

const identity = (who: Handle) => registration.identityOf(test, who);
const member = (who: Handle, more: object = {}): Member => ({ ...identity(who), roles: ['consumer'], ...more });
const acting = (who: Handle, actsFor: Handle, more: object = {}) =>
	member(who, { actsFor: identity(actsFor), ...more });

const registering = (id: string, change?: Change) => registration.registering(test, id, change);
const registered = (id: string, change?: Change) => registration.registered(test, id, change);

type Me = {
	readonly person: string;
	readonly of?: string;
	readonly service?: boolean;
	readonly roles: readonly object[];
};
const me = async (who: Handle) => (await test.world.call(get(who, '/me'))).body as Me;
const personOf = async (who: Handle) => (await me(who)).person;

describe('a registration is refused', () => {
	const links: [string, string, (body: Registration) => unknown, number, RegExp][] = [
		['who acts for himself', 'risk', (b) => b.members.push(acting('carl', 'carl')), 5, /somebody else/],
		['who acts for somebody unknown', 'risk', (b) => b.members.push(acting('carl', 'nick')), 5, /no domain/],
		[
			'who acts for somebody who acts for somebody',
			'risk',
			(b) => b.members.push(acting('carl', 'robot')),
			5,
			/acts for somebody, too, says this registration/,
		],
		['the same, as another domain says', 'marketing', (b) => b.members.push(acting('mia', 'robot')), 1, /domain risk/],
		[
			'for whom somebody acts, and who acts for somebody',
			'marketing',
			(b) => b.members.push(acting('alice', 'mia')),
			1,
			/somebody acts for this identity, says domain risk/,
		],
		['of whom two domains say different things', 'marketing', (b) => b.members.push(acting('robot', 'mia')), 1, /risk/],
		[
			'who acts for two people',
			'marketing',
			(b) => b.members.push(acting('petra', 'mia'), acting('petra', 'carl')),
			1,
			/this registration says that this identity acts for somebody else/,
		],
	];

	it.each(links)('with a member %s', async (_, domain, change, at, detail) => {
		const { errors } = await refused(test, await registering(domain, change), 422, 'validation');
		expect(errors).toContainEqual({ pointer: `/members/${at}/actsFor`, detail: expect.stringMatching(detail) });
	});

	it('with a program that is none in another domain', async () => {
		const call = await registering('marketing', (b) => b.members.push(member('robot', { service: false })));
		const { errors } = await refused(test, call, 422, 'validation');
		expect(errors).toEqual([
			{ pointer: '/members/1/service', detail: expect.stringMatching(/^domain risk says other/) },
		]);
	});

	it('that takes back the last word on who somebody is whom another domain lists, or that it is a program', async () => {
		const [alice, robot] = await Promise.all((['alice', 'robot'] as const).map(personOf));
		await registered('marketing', (b) => b.members.push(member('robot')));
		const about = (what: RegExp) => ({ pointer: '/members', detail: expect.stringMatching(what) });
		const changes: [Change, object[]][] = [
			[(b) => b.members.splice(2, 1), [about(/who is behind/), about(/program/)]],
			[(b) => b.members.splice(2, 1, member('robot')), [about(/who is behind/), about(/program/)]],
			[(b) => b.members.splice(2, 1, member('robot', { service: true })), [about(/who is behind/)]],
			[(b) => b.members.splice(2, 1, acting('robot', 'alice')), [about(/program/)]],
		];
		for (const [change, faults] of changes) {
			const { errors } = await refused(test, await registering('risk', change), 422, 'validation');
			expect(errors).toEqual(faults);
			expect(errors?.[0]?.detail).toContain(`${robot}`);
			expect(errors?.[0]?.detail).toContain('domain marketing');
		}
		// Said there first, it may be dropped here.
		await registered('marketing', (b) => b.members.push(acting('robot', 'alice', { service: true })));
		await registered('risk', (b) => b.members.splice(2, 1));
		expect(await me('robot')).toMatchObject({ of: alice, service: true });
		await registered('risk');
		await registered('marketing');
	});

	it.each([
		['a person behind without an issuer', { actsFor: { subject: 'x' } }, '/members/1/actsFor/issuer'],
		['a pseudonym as the person behind', { actsFor: 'per_01' }, '/members/1/actsFor'],
		['whom he is, said by himself', { of: 'per_01' }, '/members/1/of'],
		['a service that is text', { service: 'true' }, '/members/1/service'],
	])('with %s', async (_, more, pointer) => {
		const call = await registering('marketing', (b) => b.members.push(member('carl', more)));
		const { errors } = await refused(test, call, 422, 'validation');
		expect(errors?.map((e) => e.pointer)).toEqual([pointer]);
	});

	it.each([
		['a name in capitals', { lineOfBusiness: 'x' }, '/attributes/lineOfBusiness'],
		['no name', { '': 'x' }, '/attributes/'],
		['a value that says nothing', { x: '' }, '/attributes/x'],
		['a long value', { x: 'x'.repeat(101) }, '/attributes/x'],
		['a line end', { x: 'a\nb' }, '/attributes/x'],
		['half of a surrogate pair', { x: '\ud800' }, '/attributes/x'],
		['a value that is turned round', { x: 'a\u202eb' }, '/attributes/x'],
		['a number', { x: 1 }, '/attributes/x'],
		['many', Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`a${i}`, 'x'])), '/attributes'],
	])('with attributes that are %s', async (_, attributes, pointer) => {
		const call = await registering('marketing', (b) => Object.assign(b, { attributes }));
		const { errors } = await refused(test, call, 422, 'validation');
		expect(errors?.map((e) => e.pointer)).toEqual([pointer]);
	});

	it('when it cannot be announced: a link that nobody reads would let one person count twice', async () => {
		const domain = 'governance';
		const before = await Domains.get(test.bank.platform, domain);
		const call = await registering(domain, (b) => b.members.push(acting('nick', 'oscar', { roles: ['operator'] })));
		test.bank.aws.faults.set([
			{
				service: 'dynamodb',
				operation: 'ExecuteStatement',
				when: 'before',
				match: (input) => JSON.stringify(input).includes('"A#registry#mesh"'),
			},
		]);
		expect(await test.world.call(call)).toMatchObject({ status: 503, body: { code: 'unavailable' } });
		expect(await Domains.get(test.bank.platform, domain)).toEqual(before);
		test.bank.aws.faults.clear();
		expect((await test.world.call(call)).status).toBe(200);
		expect((await registered(domain)).members).toHaveLength(4);
	});
});

describe('the registry', () => {
	it('shows who is behind whom, and what the domain is', async () => {
		const [alice, olga, robot, other] = await Promise.all(
			(['alice', 'olga', 'robot', 'olgaAsConsumer'] as const).map(personOf),
		);
		const answer = await test.world.call(get('carl', '/domains/risk'));
		expect(answer.body).toMatchObject({ attributes: { jurisdiction: 'CZ', 'line-of-business': 'UVER' } });
		const { members } = answer.body as Domains.Domain;
		expect(members.filter((m) => m.of !== undefined || m.service !== undefined)).toEqual([
			{ person: robot, roles: ['consumer'], of: alice, service: true },
			{ person: other, roles: ['consumer'], of: olga },
		]);
	});

	it('tells who calls: another identity holds its own roles, and says who is behind it', async () => {
		const [alice, olga, robot, other] = await Promise.all(
			(['alice', 'olga', 'robot', 'olgaAsConsumer'] as const).map((who) => me(who)),
		);
		const consumer = [{ domain: 'risk', role: 'consumer' }];
		expect(robot).toMatchObject({ of: alice?.person, service: true, roles: consumer });
		expect(other).toMatchObject({ of: olga?.person, roles: consumer });
		expect(other).not.toHaveProperty('service');
		expect(olga).toMatchObject({ roles: [{ domain: 'lending', role: 'owner' }] });
		for (const person of [alice, olga]) {
			expect(person).not.toHaveProperty('of');
			expect(person).not.toHaveProperty('service');
		}
	});

	it('takes the same again for no change, and each difference for one', async () => {
		const first = await registered('risk');
		const turned: Change = (b) =>
			Object.assign(b, { attributes: Object.fromEntries(Object.entries(b.attributes).toReversed()) });
		expect((await registered('risk', turned)).version).toBe(first.version);
		const changes: Change[] = [
			(b) => (b.attributes = { ...b.attributes, 'line-of-business': 'LEASING' }),
			(b) => (b.attributes = {}),
			(b) => b.members.splice(2, 1, member('robot', { service: true })),
			(b) => b.members.splice(2, 1, acting('robot', 'alice')),
			(b) => b.members.splice(2, 1, acting('robot', 'carl', { service: true })),
			() => {},
		];
		for (const [i, change] of changes.entries()) {
			const { headers: _, ...blind } = await registering('risk', change);
			await refused(test, blind, 428, 'precondition-required');
			expect((await registered('risk', change)).version).toBe(first.version + i + 1);
		}
	});

	it('holds a link that one domain made wherever the identity is a member, whatever a listing lost', async () => {
		const [alice, robot] = await Promise.all((['alice', 'robot'] as const).map(personOf));
		await registered('marketing', (b) => b.members.push(member('robot')));
		expect(await me('robot')).toMatchObject({
			of: alice,
			service: true,
			roles: expect.arrayContaining([
				{ domain: 'risk', role: 'consumer' },
				{ domain: 'marketing', role: 'consumer' },
			]),
		});
		const { platform } = test.bank;
		const asked = [robot, alice, robot, 'per_nobody'].flatMap((p) => p ?? []);
		expect(await Domains.selvesOf(platform, asked)).toEqual([alice, alice, alice, 'per_nobody']);
		const { key, remove, applyProjections } = Ledger.Listing;
		for (const pk of [key.person(robot ?? ''), key.domains]) {
			await remove(platform, pk, 'risk');
			expect(await me('robot')).toMatchObject({ of: alice, service: true });
			expect(await Domains.selvesOf(platform, asked)).toEqual([alice, alice, alice, 'per_nobody']);
			await applyProjections(platform, [{ op: 'put', pk, sk: 'risk' }]);
		}
		await registered('marketing');
	});

	it('drops a link with the last domain that lists the identity', async () => {
		const [alice, robot] = await Promise.all((['alice', 'robot'] as const).map(personOf));
		await registered('risk', (b) => b.members.splice(2, 1));
		expect(await Domains.selvesOf(test.bank.platform, [robot ?? '', alice ?? ''])).toEqual([robot, alice]);
		await registered('risk');
	});

	it('goes on with a link to somebody who has left, and makes no new one', async () => {
		await registered('lending', (b) => b.members.splice(0, 1));
		expect((await registered('risk', (b) => b.members.splice(1, 1))).members).toHaveLength(4);
		const call = await registering('marketing', (b) => b.members.push(acting('petra', 'olga')));
		await refused(test, call, 422, 'validation');
		await registered('lending');
		await registered('risk');
	});
});

describe('one person counts once', () => {
	const clients = () =>
		requestBody(test.world, {
			product: 'customers.clients',
			tables: [{ table: 'clients', columns: ['client_id', 'full_name'] }],
			purpose: 'service-improvement',
			principal: principalOf(test.world, 'marketing', 'service-improvement'),
		});
	const stateOf = async (who: Handle, { id }: RequestView) =>
		((await test.world.call(get(who, `/requests/${id}`))).body as RequestView).state;

	it('who asks under one identity does not approve under another', async () => {
		const asked = await file(test.world, 'olgaAsConsumer', requestBody(test.world));
		await refused(test, decision('olga', asked), 403, 'self-approval');
		expect(await stateOf('olga', asked.view)).toBe('pending');
	});

	it('nor where the domain that said who he is would take that back, nor where its line is lost', async () => {
		await registered('marketing', (b) => b.members.push(acting('olgaAsConsumer', 'olga')));
		await registered('risk', (b) => b.members.splice(3, 1, member('olgaAsConsumer')));
		const asked = await file(test.world, 'olgaAsConsumer', requestBody(test.world));
		await refused(test, decision('olga', asked), 403, 'self-approval');
		await refused(test, await registering('marketing'), 422, 'validation');
		const pk = Ledger.Listing.key.person(await personOf('olgaAsConsumer'));
		await Ledger.Listing.remove(test.bank.platform, pk, 'marketing');
		await refused(test, decision('olga', asked), 403, 'self-approval');
		await registered('risk');
		await registered('marketing');
		await refused(test, decision('olga', asked), 403, 'self-approval');
	});

	it('nor what a program asked that acts for him, nor what is for it', async () => {
		await registered('lending', (b) => b.members.push(member('alice', { roles: ['owner'] })));
		const byRobot = await file(test.world, 'robot', requestBody(test.world));
		const forRobot = await file(test.world, 'carl', requestBody(test.world, { beneficiaries: [identity('robot')] }));
		for (const asked of [byRobot, forRobot]) {
			await refused(test, decision('alice', asked), 403, 'self-approval');
			expect((await test.world.call(decision('olga', asked, 'reject'))).status).toBe(201);
		}
		await registered('lending');
	});

	it('two owners are two people: the second identity of the first is none', async () => {
		const owner = { roles: ['owner'] };
		await registered('customers', (b) => b.members.push(acting('nick', 'peter', owner)));
		const asked = await file(test.world, 'mia', clients());
		expect(asked.view.route).toEqual(['owner', 'owner', 'privacy-officer']);
		expect((await test.world.call(decision('nick', asked))).status).toBe(201);
		await refused(test, decision('peter', asked), 409, 'already-decided');
		expect((await test.world.call(decision('paula', asked))).status).toBe(201);
		expect(await stateOf('mia', asked.view)).toBe('pending');
		expect((await test.world.call(decision('petra', asked))).status).toBe(201);
		expect(await stateOf('mia', asked.view)).toBe('approved');
		await registered('customers');
	});

	it('two approvals that turn out to be of one person are one', async () => {
		const owner = { roles: ['owner'] };
		await registered('customers', (b) => b.members.push(member('nick', owner)));
		const asked = await file(test.world, 'mia', clients());
		for (const who of ['nick', 'peter'] as const)
			expect((await test.world.call(decision(who, asked))).status).toBe(201);
		await registered('customers', (b) => b.members.push(acting('nick', 'peter', owner)));
		expect((await test.world.call(decision('paula', asked))).status).toBe(201);
		expect(await stateOf('mia', asked.view)).toBe('pending');
		expect((await test.world.call(decision('petra', asked))).status).toBe(201);
		expect(await stateOf('mia', asked.view)).toBe('approved');
		await registered('customers');
	});
});

/** What no registration gets past the check, but two at the same instant may. */
describe('where domains contradict each other', () => {
	async function says(domain: string, members: { person: string; of: string }[]): Promise<void> {
		const ctx = systemContext(test.bank.platform, '0'.repeat(32));
		const stream = Ledger.stream.domain(domain);
		const after = await Ledger.last(ctx, stream, 'DomainRegistered');
		const body: Ledger.BodyOf<'DomainRegistered'> = {
			type: 'DomainRegistered',
			domain,
			name: domain,
			account: '219000000001',
			members: members.map((m) => ({ ...m, roles: ['consumer'] })),
			principals: [],
			catalogs: [],
			rules: { policies: [], setHash: '0'.repeat(64) },
		};
		const head = await Ledger.last(ctx, Ledger.stream.registry(), 'DomainRegistering');
		const version = (after?.ver ?? 0) + 1;
		const others = (head?.body.domains ?? []).filter((d) => d.domain !== domain);
		await Ledger.append(ctx, {
			stream: Ledger.stream.registry(),
			after: head,
			actor: 'system',
			body: { type: 'DomainRegistering', domain, version, domains: [...others, { domain, version }] },
		});
		await Ledger.append(ctx, { stream, after, actor: 'system', body });
	}

	it('a chain is followed to its end', async () => {
		const [alice, carl, robot] = await Promise.all((['alice', 'carl', 'robot'] as const).map(personOf));
		await says('shadow', [{ person: alice ?? '', of: carl ?? '' }]);
		expect(await Domains.selvesOf(test.bank.platform, [robot ?? '', alice ?? ''])).toEqual([carl, carl]);
		expect(await me('robot')).toMatchObject({ of: carl });
		await says('shadow', []);
	});

	it.each([
		['two people behind one', ['robot', 'carl']],
		['a circle', ['alice', 'robot']],
	] as const)('%s: nothing is decided by it', async (_, [person, of]) => {
		await says('shadow', [{ person: await personOf(person), of: await personOf(of) }]);
		await refused(test, get('robot', '/me'), 500, 'record-corrupt');
		await says('shadow', []);
		expect((await test.world.call(get('robot', '/me'))).status).toBe(200);
	});
});
