/**
 * The tables of states as a caller meets them: every event in every state of a request and of a grant has one answer,
 * and what is refused leaves the state as it was. Grants are put into a state by the entries that lead there.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RequestEvent, type RequestState, requestEvents, requestStates, transitions } from '#core/access/state.ts';
import type { RequestView } from '#core/access.ts';
import { type Context, systemContext } from '#core/context.ts';
import type { Code } from '#core/error.ts';
import { GrantState, transitions as grantTransitions } from '#core/grants/grant.ts';
import type { GrantView } from '#core/grants.ts';
import { newId } from '#core/id.ts';
import * as Ledger from '#core/ledger.ts';
import { registrationOf } from '#local/lake.ts';
import type { Handle } from '#local/people.ts';
import type { Answer, Call } from '#local/story/client.ts';
import { expectRefusal, get, patch, post, requestBody } from './api/harness.ts';
import { type Mesh, openMesh } from './model/mesh.ts';

let mesh: Mesh;
beforeAll(async () => {
	mesh = await openMesh();
});
afterAll(() => mesh.close());

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const system = (): Context => systemContext(mesh.platform, '0'.repeat(32));

type Asked = { readonly id: string; readonly etag: string };

async function file(who: Handle = 'alice'): Promise<Asked> {
	const answer = await mesh.call(post(who, '/requests', requestBody(mesh.test.world)));
	expect(answer.status).toBe(201);
	return { id: (answer.body as RequestView).id, etag: answer.headers.get('etag') ?? '' };
}

async function entriesOf(stream: string): Promise<Ledger.Recorded[]> {
	return Ledger.read(mesh.platform, stream);
}

describe('a request', () => {
	const decision = ({ id, etag }: Asked, verdict: string) =>
		post('olga', `/requests/${id}/decisions`, { verdict }, { 'if-match': etag });
	const calls = {
		edit: ({ id, etag }: Asked) => patch('alice', `/requests/${id}`, { duration: 'P2D' }, { 'if-match': etag }),
		approve: (asked: Asked) => decision(asked, 'approve'),
		reject: (asked: Asked) => decision(asked, 'reject'),
		cancel: ({ id }: Asked): Call => ({ who: 'alice', method: 'POST', path: `/api/v1/requests/${id}/cancel` }),
	} satisfies Partial<Record<RequestEvent, (asked: Asked) => Call>>;
	const leadingTo: Readonly<Record<Exclude<RequestState, 'pending' | 'expired'>, keyof typeof calls>> = {
		approved: 'approve',
		rejected: 'reject',
		cancelled: 'cancel',
	};

	async function stateOf({ id }: Asked): Promise<RequestView> {
		return (await mesh.call(get('alice', `/requests/${id}`))).body as RequestView;
	}

	async function inState(state: RequestState): Promise<Asked> {
		const asked = await file();
		if (state === 'expired') mesh.advance(15 * DAY_MS);
		else if (state !== 'pending') expect((await mesh.call(calls[leadingTo[state]](asked))).status).toBeLessThan(300);
		expect((await stateOf(asked)).state).toBe(state);
		return asked;
	}

	it.each(requestStates.filter((state) => state !== 'pending'))('that is %s takes nothing any more', async (state) => {
		const asked = await inState(state);
		const before = await entriesOf(Ledger.stream.request(asked.id));
		for (const event of Object.keys(calls) as (keyof typeof calls)[]) {
			expect(transitions[state][event]).toBeNull();
			const problem = expectRefusal(await mesh.call(calls[event](asked)), 409, 'already-decided');
			expect([event, problem['state']]).toEqual([event, state]);
		}
		expect((await stateOf(asked)).state).toBe(state);
		expect((await entriesOf(Ledger.stream.request(asked.id))).length).toBe(before.length);
	});

	it.each([
		['edit', 200],
		['approve', 201],
		['reject', 201],
		['cancel', 200],
	] as const)('that is pending takes %s', async (event, status) => {
		const asked = await inState('pending');
		expect((await mesh.call(calls[event](asked))).status).toBe(status);
		expect((await stateOf(asked)).state).toBe(transitions.pending[event]);
	});

	it('that is pending takes an approval that leaves another one open', async () => {
		const { world } = mesh.test;
		const principal = world.domains.find((d) => d.id === 'marketing')?.principals[1]?.arn;
		const tables = [{ table: 'clients', columns: ['client_id', 'district_id'] }];
		const more = { product: 'customers.clients', tables, purpose: 'service-improvement', principal };
		const answer = await mesh.call(post('mia', '/requests', requestBody(world, more)));
		const { id } = answer.body as RequestView;
		const headers = { 'if-match': answer.headers.get('etag') ?? '' };
		const approve = (who: Handle) => mesh.call(post(who, `/requests/${id}/decisions`, { verdict: 'approve' }, headers));
		const first = await approve('peter');
		expect(first.status).toBe(201);
		expect((first.body as { request: RequestView }).request.state).toBe(transitions.pending.confirm);
		// Who confirmed has no other say, and his role neither.
		expectRefusal(await approve('peter'), 409, 'already-decided');
		expectRefusal(await approve('petra'), 409, 'already-decided');
		expect(((await approve('paula')).body as { request: RequestView }).request.state).toBe('approved');
	});

	it('is reminded of and lapses by the clock where it waits, and nowhere else', async () => {
		const waiting = await inState('pending');
		const decided = await Promise.all((['approved', 'rejected', 'cancelled'] as const).map(inState));
		const types = async ({ id }: Asked) =>
			(await entriesOf(Ledger.stream.request(id))).map(({ body }) => body.type).slice(1);
		const before = await Promise.all(decided.map(types));
		mesh.advance(12 * DAY_MS);
		await mesh.sweep();
		expect(await types(waiting)).toEqual(['AccessReminded']);
		expect((await stateOf(waiting)).state).toBe(transitions.pending.remind);
		mesh.advance(3 * DAY_MS);
		await mesh.sweep();
		await mesh.sweep();
		expect(await types(waiting)).toEqual(['AccessReminded', 'AccessLapsed']);
		expect((await stateOf(waiting)).state).toBe(transitions.pending.lapse);
		expect(await Promise.all(decided.map(types))).toEqual(before);
	});

	it('is pending again where its last approver had lost his role before the grant was opened', async () => {
		const asked = await file();
		const [filed] = await entriesOf(Ledger.stream.request(asked.id));
		const ctx = system();
		// As a call that was killed between the decision and the opening leaves it.
		await Ledger.append(ctx, {
			stream: Ledger.stream.request(asked.id),
			after: filed ?? null,
			actor: await personOf('olga'),
			body: {
				type: 'AccessDecided',
				request: asked.id,
				decision: newId('decision', ctx),
				verdict: 'approve',
				as: 'owner',
				contentHash: asked.etag.slice(1, -1),
				outcome: 'approved',
				grant: newId('grant', ctx),
				from: ctx.now.toISOString(),
				until: new Date(ctx.now.getTime() + DAY_MS).toISOString(),
				rules: { policies: [], setHash: mesh.platform.policies.hash },
			},
		});
		expect((await stateOf(asked)).state).toBe('approved');
		await owns('peter');
		await mesh.sweep();
		expect((await stateOf(asked)).state).toBe(transitions.approved.reopen);
		await owns('olga');
	});

	it('has no other event', () => {
		const met = [...Object.keys(calls), 'confirm', 'remind', 'lapse', 'reopen'];
		expect(met.toSorted()).toEqual([...requestEvents].toSorted());
	});
});

async function personOf(who: Handle): Promise<string> {
	return ((await mesh.call(get(who, '/me'))).body as { person: string }).person;
}

/** The one owner of the lending domain from now on. */
async function owns(person: Handle): Promise<void> {
	const { world, bank } = mesh.test;
	const domain = world.domains.find((d) => d.id === 'lending');
	if (domain === undefined) throw new Error('there is no such domain');
	const path = '/api/v1/domains/lending';
	const headers = { 'if-match': (await mesh.call({ who: 'stella', path })).headers.get('etag') ?? '' };
	const body = registrationOf({ ...domain, members: [{ person, roles: ['owner'] }] }, bank.issuer.issuer);
	expect((await mesh.call({ who: 'stella', method: 'PUT', path, body, headers })).status).toBe(200);
}

describe('a grant', () => {
	type Body = Ledger.BodyOf<
		| 'GrantSettled'
		| 'GrantSuspending'
		| 'GrantSuspended'
		| 'GrantResuming'
		| 'GrantNarrowed'
		| 'GrantEnding'
		| 'GrantEnded'
	>;
	let opened: Ledger.Recorded<'GrantOpened'>;

	beforeAll(async () => {
		const { id, etag } = await file();
		const path = `/requests/${id}/decisions`;
		const answer = await mesh.call(post('olga', path, { verdict: 'approve' }, { 'if-match': etag }));
		const { grant } = answer.body as { grant: GrantView };
		const found = Ledger.find(await entriesOf(Ledger.stream.grant(grant.id)), 'GrantOpened');
		if (found === undefined) throw new Error('the grant was not opened');
		opened = found;
	});

	const rules = () => ({ policies: [], setHash: mesh.platform.policies.hash });
	const outcome = (reason: string | null) =>
		opened.body.tables.map(({ account, database, table }) => ({
			account,
			database,
			table,
			leaf: null,
			reason,
			step: null,
		}));

	function entriesTo(state: GrantState, grant: string): Body[] {
		const settled = (of: 'granted' | 'partial' | 'failed'): Body => {
			const tables = outcome(of === 'granted' ? null : 'lake-formation').map((t) => ({ ...t, filter: null }));
			return { type: 'GrantSettled', grant, state: of, tables };
		};
		const suspending: Body = { type: 'GrantSuspending', grant, cause: 'owner', rules: rules() };
		const ending = (cause: 'revoked' | 'expired'): Body => ({ type: 'GrantEnding', grant, cause, rules: rules() });
		const ended = (of: 'revoked' | 'expired' | 'revoke_failed'): Body => {
			return {
				type: 'GrantEnded',
				grant,
				state: of,
				tables: outcome(of === 'revoke_failed' ? 'lake-formation' : null),
			};
		};
		const granted = settled('granted');
		const ways: Readonly<Record<GrantState, readonly Body[]>> = {
			granting: [],
			granted: [granted],
			partial: [settled('partial')],
			failed: [settled('failed')],
			suspending: [granted, suspending],
			suspended: [granted, suspending, { type: 'GrantSuspended', grant, state: 'suspended', tables: outcome(null) }],
			revoking: [granted, ending('revoked')],
			revoked: [granted, ending('revoked'), ended('revoked')],
			expiring: [granted, ending('expired')],
			expired: [granted, ending('expired'), ended('expired')],
			revoke_failed: [granted, ending('revoked'), ended('revoke_failed')],
		};
		return [...ways[state]];
	}

	/** A grant of the same decision. */
	async function inState(state: GrantState, hours = 24): Promise<string> {
		const ctx = system();
		const grant = newId('grant', ctx);
		const until = new Date(ctx.now.getTime() + hours * HOUR_MS).toISOString();
		let after: Ledger.Recorded | null = null;
		for (const body of [{ ...opened.body, grant, until }, ...entriesTo(state, grant)]) {
			after = await Ledger.append(ctx, { stream: Ledger.stream.grant(grant), after, actor: 'system', body });
		}
		expect(await stateOf(grant)).toBe(state);
		return grant;
	}

	const stateOf = async (grant: string) => ((await mesh.call(get('olga', `/grants/${grant}`))).body as GrantView).state;

	const reason = 'The table of states';
	const calls = {
		revoke: (id: string) => post('olga', `/grants/${id}/revoke`, { reason }),
		suspend: (id: string) => post('olga', `/grants/${id}/suspend`, { reason }),
		resume: (id: string) => post('olga', `/grants/${id}/resume`, { reason }),
		narrow: (id: string) =>
			post('olga', `/grants/${id}/narrow`, { reason, tables: [{ table: 'loans', rowFilter: 'duration >= 24' }] }),
		renew: (id: string) => post('alice', `/grants/${id}/renew`, { duration: 'P1D', justification: reason }),
	};
	type Event = keyof typeof calls;
	const events = Object.keys(calls) as Event[];

	/** What comes of it; what is not named is refused. */
	const takes: Readonly<Record<GrantState, Partial<Readonly<Record<Event, GrantState>>>>> = {
		granting: { revoke: 'revoked', suspend: 'suspended' },
		granted: { revoke: 'revoked', suspend: 'suspended', narrow: 'granted', renew: 'granted' },
		partial: { revoke: 'revoked', suspend: 'suspended', narrow: 'granted', renew: 'partial' },
		failed: { revoke: 'revoked', suspend: 'suspended' },
		suspending: { revoke: 'revoked', suspend: 'suspended' },
		suspended: { revoke: 'revoked', suspend: 'suspended', resume: 'granted' },
		// Ending what is over is success, and goes on with an ending that is under way.
		revoking: { revoke: 'revoked' },
		revoked: { revoke: 'revoked' },
		expiring: { revoke: 'expired' },
		expired: { revoke: 'expired' },
		revoke_failed: { revoke: 'revoked' },
	};

	it.each(GrantState.options)('that is %s refuses what does not follow, and stays so', async (state) => {
		const grant = await inState(state);
		const before = (await entriesOf(Ledger.stream.grant(grant))).length;
		for (const event of events.filter((e) => takes[state][e] === undefined)) {
			const problem = expectRefusal(await mesh.call(calls[event](grant)), 409, 'conflict' satisfies Code);
			expect([event, problem['state']]).toEqual([event, state]);
		}
		expect(await stateOf(grant)).toBe(state);
		expect((await entriesOf(Ledger.stream.grant(grant))).length).toBe(before);
	});

	const taken = GrantState.options.flatMap((state) =>
		events.flatMap((event) => {
			const next = takes[state][event];
			return next === undefined ? [] : [[state, event, next] as const];
		}),
	);

	it.each(taken)('that is %s takes %s, and is %s', async (state, event, next) => {
		const grant = await inState(state);
		const answer: Answer = await mesh.call(calls[event](grant));
		expect([answer.status, answer.body]).toEqual([event === 'renew' ? 201 : 202, expect.anything()]);
		expect(await stateOf(grant)).toBe(next);
		await mesh.call(calls.revoke(grant));
	});

	it('comes to the same end at its minute from wherever it stands', async () => {
		const grants = await Promise.all(GrantState.options.map((state) => inState(state, 1)));
		mesh.advance(2 * HOUR_MS);
		const said = await Promise.all(grants.map(stateOf));
		// Nobody has recorded anything yet, and nothing is said to be open.
		expect(said.filter((state) => state === 'granted' || state === 'partial')).toEqual([]);
		for (const grant of grants) expectRefusal(await mesh.call(calls.renew(grant)), 409, 'conflict');
		await mesh.sweep();
		const ends = await Promise.all(grants.map(stateOf));
		const over = GrantState.options.map((state) => (state.startsWith('revok') ? 'revoked' : 'expired'));
		expect(ends).toEqual(over);
		expect(over.every((state) => grantTransitions[state as GrantState].length === 0)).toBe(true);
	});
});
