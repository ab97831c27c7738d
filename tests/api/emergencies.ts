/**
 * What the tests of access in an emergency share: a bank where a review is due a second after the end, and calls to it.
 * After each test what was taken is ended and reviewed, and the domains are as before.
 */
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { RequestView, UnreviewedView } from '#core/access.ts';
import type { GrantView } from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import { sweep } from '#core/sweep.ts';
import { type Handle, people } from '#local/people.ts';
import { inLakeFormation, type TestBank, testBank } from '#tests/fixtures.ts';
import { readLog } from '#tests/log.ts';
import { ofPastEmergencies, policiesWithout } from '#tests/policies-without.ts';
import { get, post, requestBody } from './harness.ts';
import { type Change, type Member, registered } from './registration.ts';
import { makeObstacles, type Obstacles } from './stall.ts';

export const REASON = 'Incident 4711: limits of a borrower in default are checked before the desk opens';
/** What follows the end of access by so much is overdue. */
export const REVIEW_MS = 1000;
export const nothing = { filters: [], permissions: [] };

export type Broken = { readonly request: RequestView; readonly grant: GrantView | null };
export type Body = Record<string, unknown>;

/** Nothing stands in Lake Formation, so that no later pass need look for what was left there: each look takes time. */
async function forgetMoved(platform: TestBank['bank']['platform']): Promise<void> {
	const { all, key, remove, SHARDS } = Ledger.Listing;
	for (let shard = 0; shard < SHARDS; shard += 1) {
		for (const line of await all(platform, key.moving(shard))) await remove(platform, key.moving(shard), line);
	}
}

/** Past emergencies count only where `counting` says so: one officer takes them all. */
export function emergencies({ counting = false } = {}) {
	let test: TestBank;
	let obstacles: Obstacles;
	const rules = policiesWithout(counting ? [] : ofPastEmergencies);
	/** Domains that are not as the sample bank has them. */
	const changed = new Set<string>();

	beforeAll(async () => {
		test = await testBank({
			settings: { FAIRLEAD_BREAK_GLASS_REVIEW_WITHIN: 'PT1S', FAIRLEAD_POLICIES: rules.folder },
		});
		obstacles = makeObstacles(test);
	});
	afterAll(async () => {
		await test.close();
		rules.remove();
	});
	afterEach(async () => {
		await registerAsBefore();
		for (const { request } of await unreviewed('olga', '?domain=lending')) {
			await test.world.call(review('olga', request, 'unjustified'));
		}
		expect(inLakeFormation(test.bank)).toEqual(nothing);
		await forgetMoved(test.bank.platform);
	});

	function breaking(who: Handle, more: Body = {}) {
		const { justification: _, ...asked } = requestBody(test.world);
		return post(who, '/requests/break-glass', { ...asked, duration: 'PT4H', reason: REASON, ...more });
	}

	/** Takes it; that must succeed. */
	async function taken(who: Handle = 'ruth', more: Body = {}): Promise<Broken> {
		const answer = await test.world.call(breaking(who, more));
		expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 201 });
		return answer.body as Broken;
	}

	const review = (who: Handle, id: string, verdict = 'justified') =>
		post(who, `/requests/${id}/review`, { verdict, comment: 'Looked at with the desk' });

	async function unreviewed(who: Handle, query = ''): Promise<UnreviewedView[]> {
		const { status, body } = await test.world.call(get(who, `/break-glass${query}`));
		expect(status).toBe(200);
		return (body as { unreviewed: UnreviewedView[] }).unreviewed;
	}

	const requestOf = async (who: Handle, id: string) =>
		(await test.world.call(get(who, `/requests/${id}`))).body as RequestView;
	const grantOf = async (who: Handle, id: string | null) =>
		(await test.world.call(get(who, `/grants/${id}`))).body as GrantView;
	const entriesOf = (id: string) => Ledger.read(test.bank.platform, Ledger.stream.request(id));
	const typesOf = async (id: string) => (await entriesOf(id)).map((e) => e.body.type);
	/** Lines of the log with this message about a request. */
	const told = (message: string, request: string) =>
		readLog(test.bank)
			.map((line) => JSON.parse(line) as Body)
			.filter((line) => line['message'] === message && line['code'] === request);

	/** A pass at another time. How far that has come with what was filed is forgotten: the next one may be earlier. */
	async function sweepAt(at: Date): Promise<void> {
		const { platform } = test.bank;
		await sweep({ ...platform, clock: () => at }, '0'.repeat(32));
		await Ledger.Listing.writeHint(platform, 'sweep-filed', new Date(Date.now() - 60_000).toISOString());
	}

	async function registerWith(id: string, change: Change): Promise<void> {
		await registered(test, id, change);
		changed.add(id);
	}

	async function registerAsBefore(): Promise<void> {
		for (const id of changed) await registerWith(id, () => {});
		changed.clear();
	}

	/** Gives somebody these roles in a domain, in place of those that he has there. */
	const giveRoles = (id: string, who: Handle, roles: Member['roles']) =>
		registerWith(id, ({ members }) => {
			const { subject } = people[who];
			const member = members.find((m) => m.subject === subject);
			if (member === undefined) members.push({ issuer: test.bank.issuer.issuer, subject, roles });
			else member.roles = roles;
		});

	return {
		get test() {
			return test;
		},
		get obstacles() {
			return obstacles;
		},
		breaking,
		taken,
		review,
		unreviewed,
		requestOf,
		grantOf,
		entriesOf,
		typesOf,
		told,
		sweepAt,
		registerAsBefore,
		giveRoles,
	};
}
