/** What the tests of delegation share: giving, deciding by one, and bringing the bank back to what it was. */
import { expect } from 'vitest';
import type { RequestView } from '#core/access.ts';
import type { Context, Role } from '#core/context.ts';
import type { DelegationView } from '#core/delegation.ts';
import * as Domains from '#core/domains.ts';
import type { GrantView } from '#core/grants.ts';
import { type Handle } from '#local/people.ts';
import type { Call } from '#local/story/client.ts';
import { principalOf } from '#local/story/world.ts';
import type { TestBank } from '#tests/fixtures.ts';
import { file, get, post, requestBody } from './harness.ts';
import type { Change, Member } from './registration.ts';
import * as registration from './registration.ts';

export const DAY_MS = 86_400_000;
export const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();
export const ofCustomers = { domain: 'customers' };

type Asked = Awaited<ReturnType<typeof file>>;
type Decided = { readonly request: RequestView; readonly grant: GrantView | null };

export const deciding = (who: Handle, { view, etag }: Asked, delegation: string, verdict = 'approve'): Call =>
	post(who, `/requests/${view.id}/decisions`, { verdict, delegation }, { 'if-match': etag });

export const end = (who: Handle, id: string): Call => post(who, `/delegations/${id}/end`);

/** Of the bank that `of` gives once it stands. */
export function delegationsIn(of: () => TestBank) {
	const given: { readonly who: Handle; readonly id: string }[] = [];
	const changed: string[] = [];
	let count = 0;

	const identity = (who: Handle) => registration.identityOf(of(), who);
	const member = (who: Handle, roles: Role[], more: object = {}): Member => ({ ...identity(who), roles, ...more });
	const personOf = async (who: Handle) => ((await of().world.call(get(who, '/me'))).body as { person: string }).person;

	const registered = (id: string, change?: Change) => registration.registered(of(), id, change);

	/** The same until the test is over. */
	async function changing(id: string, change: Change): Promise<void> {
		changed.push(id);
		await registered(id, change);
	}

	const giving = (who: Handle, to: Handle, more: object = {}): Call => {
		const usual = { domain: 'lending', role: 'owner', to: identity(to), until: inDays(7), reason: 'On leave' };
		return post(who, '/delegations', { ...usual, ...more });
	};

	async function give(who: Handle, to: Handle, more: object = {}): Promise<DelegationView> {
		const { status, body } = await of().world.call(giving(who, to, more));
		expect({ status, body }).toMatchObject({ status: 201 });
		const delegation = body as DelegationView;
		given.push({ who, id: delegation.id });
		return delegation;
	}

	/** Every request is for a duration of its own. */
	const ask = (who: Handle = 'alice', more: object = {}): Promise<Asked> => {
		count += 1;
		return file(of().world, who, requestBody(of().world, { duration: `PT${count}M`, ...more }));
	};

	/** Restricted and personal: two owners and the privacy officer. */
	const askForNames = () =>
		ask('mia', {
			product: 'customers.clients',
			tables: [{ table: 'clients', columns: ['client_id', 'full_name'], rowFilter: 'district_id = 7' }],
			purpose: 'service-improvement',
			principal: principalOf(of().world, 'marketing', 'service-improvement'),
		});

	/** Makes a decision that must be taken; what it opens is shut again. */
	async function taken(call: Call): Promise<Decided> {
		const { status, body } = await of().world.call(call);
		expect({ status, body }).toMatchObject({ status: 201 });
		const decided = body as Decided;
		if (decided.grant !== null) {
			const owner = decided.request.product.startsWith('lending') ? 'olga' : 'petra';
			await of().world.call(post(owner, `/grants/${decided.grant.id}/revoke`, { reason: 'over' }));
		}
		return decided;
	}

	/** Somebody at another time, and what the clock shows when he acts. */
	async function as(who: Handle, now: Date, clock = now): Promise<Context> {
		const { platform } = of().bank;
		const caller = await Domains.callerOf({ ...platform, now }, identity(who));
		return { ...platform, caller, now, clock: () => clock, trace: '0'.repeat(32) };
	}

	/** Every domain as the sample bank has it, and no delegation in force. */
	async function tidy(): Promise<void> {
		for (const { who, id } of given.splice(0)) await of().world.call(end(who, id));
		for (const id of changed.splice(0)) await registered(id);
	}

	return { identity, member, personOf, registered, changing, giving, give, ask, askForNames, taken, as, tidy };
}
